//! Syntax tree to instruction list.

use super::Dialect;
use super::op::{Code, Finish, Op};
use crate::syntax::{
    Assign, AssignValue, Command, CommandKind, Item, List, Param, ParamOp, Parsed, Part, Pipeline, Redirect,
    RedirectKind, Subscript, TestExpr, Word, expand_braces,
};
use std::sync::Arc;

/// Compiles one command line. The code ends with [`Op::Return`].
pub(crate) fn compile(parsed: &Parsed, dialect: Dialect) -> Code {
    let mut c = Compiler { ops: Vec::new(), heredocs: &parsed.heredocs, dialect };
    c.list(&parsed.list, true);
    c.ops.push(Op::Return);
    Code { ops: c.ops }
}

struct Compiler<'a> {
    ops: Vec<Op>,
    heredocs: &'a [Word],
    dialect: Dialect,
}

impl Compiler<'_> {
    fn here(&self) -> usize {
        self.ops.len()
    }

    fn push(&mut self, op: Op) -> usize {
        self.ops.push(op);
        self.ops.len() - 1
    }

    /// Sets the target of a jump made before its end was known.
    fn patch(&mut self, at: usize) {
        let to = self.here();
        if let Some(
            Op::Jump(t)
            | Op::JumpIfFail(t)
            | Op::JumpIfOk(t)
            | Op::CommandSub { end: t, .. }
            | Op::ParamChoice { end: t, .. }
            | Op::RedirectPush { end: t }
            | Op::LoopEnter { brk: t, .. }
            | Op::ForNext { end: t }
            | Op::CaseMatch { target: t }
            | Op::Subshell { end: t, .. }
            | Op::Background { end: t, .. }
            | Op::PipeStage { end: t, .. },
        ) = self.ops.get_mut(at)
        {
            *t = to;
        }
    }

    fn patch_cont(&mut self, at: usize) {
        let to = self.here();
        if let Some(Op::LoopEnter { cont, .. }) = self.ops.get_mut(at) {
            *cont = to;
        }
    }

    fn list(&mut self, list: &List, tail: bool) {
        for (i, item) in list.0.iter().enumerate() {
            let tail = tail && i + 1 == list.0.len();
            if item.background {
                let at = self.push(Op::Background { end: 0, text: Arc::from(item.text.as_str()) });
                self.and_or(item, true);
                self.push(Op::ChildEnd);
                self.patch(at);
            } else {
                self.and_or(item, tail);
            }
        }
    }

    fn and_or(&mut self, item: &Item, tail: bool) {
        if item.rest.is_empty() {
            self.pipeline(&item.first, tail, true);
            return;
        }
        self.push(Op::TestEnter);
        self.pipeline(&item.first, false, false);
        self.push(Op::TestLeave);
        for (i, (and, pipeline)) in item.rest.iter().enumerate() {
            let last = i + 1 == item.rest.len();
            let skip = self.push(if *and { Op::JumpIfFail(0) } else { Op::JumpIfOk(0) });
            if last {
                self.pipeline(pipeline, tail, true);
            } else {
                self.push(Op::TestEnter);
                self.pipeline(pipeline, false, false);
                self.push(Op::TestLeave);
            }
            self.patch(skip);
        }
    }

    fn pipeline(&mut self, p: &Pipeline, tail: bool, check: bool) {
        if p.timed {
            self.push(Op::TimeBegin);
        }
        if p.negate {
            self.push(Op::TestEnter);
        }
        let tail = tail && !p.negate && !p.timed;
        match p.commands.as_slice() {
            [one] => self.command(one, tail),
            many => {
                self.push(Op::PipeBegin);
                for (i, command) in many.iter().enumerate() {
                    let at = self.push(Op::PipeStage { end: 0, last: i + 1 == many.len() });
                    self.command(command, true);
                    self.push(Op::ChildEnd);
                    self.patch(at);
                }
                self.push(Op::PipeWait);
            }
        }
        if p.negate {
            self.push(Op::TestLeave);
            self.push(Op::Not);
        }
        if p.timed {
            self.push(Op::TimeEnd);
        }
        if check && !p.negate {
            self.push(Op::CheckErr);
        }
    }

    fn command(&mut self, c: &Command, tail: bool) {
        if let CommandKind::Simple { assigns, words } = &c.kind {
            self.simple(assigns, words, &c.redirects, c.line, tail);
            return;
        }
        if let CommandKind::Function { name, body } = &c.kind {
            let mut inner = Compiler { ops: Vec::new(), heredocs: self.heredocs, dialect: self.dialect };
            inner.command(body, false);
            inner.push(Op::Return);
            let body = Arc::new(Code { ops: inner.ops });
            self.push(Op::Function { name: Arc::from(name.as_str()), body });
            return;
        }
        let mut redirect = None;
        if !c.redirects.is_empty() {
            self.push(Op::SimpleBegin { line: c.line });
            self.redirects(&c.redirects);
            redirect = Some(self.push(Op::RedirectPush { end: 0 }));
        }
        let tail = tail && redirect.is_none();
        self.compound(&c.kind, c.line, tail);
        if let Some(at) = redirect {
            self.push(Op::RedirectPop);
            self.patch(at);
        }
    }

    fn compound(&mut self, kind: &CommandKind, line: u32, tail: bool) {
        match kind {
            CommandKind::Simple { .. } | CommandKind::Function { .. } => {}
            CommandKind::Brace(list) => self.list(list, tail),
            CommandKind::Subshell(list) => {
                let at = self.push(Op::Subshell { end: 0, tail });
                self.list(list, true);
                self.push(Op::ChildEnd);
                self.patch(at);
            }
            CommandKind::If { arms, otherwise } => {
                let mut ends = Vec::new();
                for (condition, body) in arms {
                    self.push(Op::TestEnter);
                    self.list(condition, false);
                    self.push(Op::TestLeave);
                    let skip = self.push(Op::JumpIfFail(0));
                    self.list(body, tail);
                    ends.push(self.push(Op::Jump(0)));
                    self.patch(skip);
                }
                match otherwise {
                    Some(list) => self.list(list, tail),
                    None => {
                        self.push(Op::SetStatus(0));
                    }
                }
                for at in ends {
                    self.patch(at);
                }
            }
            CommandKind::Loop { until, condition, body } => {
                let enter = self.push(Op::LoopEnter { brk: 0, cont: 0 });
                self.patch_cont(enter);
                let top = self.here();
                self.push(Op::TestEnter);
                self.list(condition, false);
                self.push(Op::TestLeave);
                let out = self.push(if *until { Op::JumpIfOk(0) } else { Op::JumpIfFail(0) });
                self.list(body, false);
                self.push(Op::LoopBody);
                self.push(Op::Jump(top));
                self.patch(out);
                self.push(Op::LoopLeave);
                self.patch(enter);
            }
            CommandKind::For { var, words, body } => {
                self.push(Op::ListBegin);
                for word in words.iter().flatten() {
                    self.fields(word);
                }
                let enter = self.push(Op::LoopEnter { brk: 0, cont: 0 });
                self.push(Op::ForItems { var: Arc::from(var.as_str()), positional: words.is_none(), line });
                self.patch_cont(enter);
                let next = self.push(Op::ForNext { end: 0 });
                self.list(body, false);
                self.push(Op::LoopBody);
                self.push(Op::Jump(next));
                self.patch(next);
                self.push(Op::LoopLeave);
                self.patch(enter);
            }
            CommandKind::ArithFor { init, condition, step, body } => {
                self.single(init, Finish::Single);
                self.push(Op::ArithCommand);
                let enter = self.push(Op::LoopEnter { brk: 0, cont: 0 });
                let top = self.here();
                let empty = |w: &Word| w.0.iter().all(|p| matches!(p, Part::DoubleQuoted(v) if v.is_empty()));
                let mut out = None;
                if !empty(condition) {
                    self.single(condition, Finish::Single);
                    self.push(Op::ArithCommand);
                    out = Some(self.push(Op::JumpIfFail(0)));
                }
                self.list(body, false);
                self.push(Op::LoopBody);
                self.patch_cont(enter);
                self.single(step, Finish::Single);
                self.push(Op::ArithCommand);
                self.push(Op::Jump(top));
                if let Some(out) = out {
                    self.patch(out);
                }
                self.push(Op::LoopLeave);
                self.patch(enter);
            }
            CommandKind::Case { word, arms } => {
                self.single(word, Finish::Single);
                self.push(Op::CaseBegin);
                let mut ends = Vec::new();
                let mut fall = None;
                for arm in arms {
                    let mut matches = Vec::new();
                    for pattern in &arm.patterns {
                        self.single(pattern, Finish::Pattern);
                        matches.push(self.push(Op::CaseMatch { target: 0 }));
                    }
                    let skip = self.push(Op::Jump(0));
                    for at in matches {
                        self.patch(at);
                    }
                    self.push(Op::SetStatus(0));
                    if let Some(at) = fall.take() {
                        self.patch(at);
                    }
                    self.list(&arm.body, false);
                    let jump = self.push(Op::Jump(0));
                    if arm.fall_through {
                        fall = Some(jump);
                    } else {
                        ends.push(jump);
                    }
                    self.patch(skip);
                }
                self.push(Op::SetStatus(0));
                for at in ends.into_iter().chain(fall) {
                    self.patch(at);
                }
                self.push(Op::CaseEnd);
            }
            CommandKind::Test(e) => self.test(e),
            CommandKind::Arith(word) => {
                self.single(word, Finish::Single);
                self.push(Op::ArithCommand);
            }
        }
    }

    fn simple(&mut self, assigns: &[Assign], words: &[Word], redirects: &[Redirect], line: u32, tail: bool) {
        self.push(Op::SimpleBegin { line });
        self.push(Op::ListBegin);
        let declares = matches!(
            words.first().and_then(Word::literal),
            Some("export" | "readonly" | "local" | "declare" | "typeset" | "alias")
        );
        for (i, word) in words.iter().enumerate() {
            // `export a=$b` does not split the value.
            if declares && i > 0 && is_assignment(word) {
                self.push(Op::WordBegin);
                let parts = assignment_parts(word);
                self.parts(&parts, false, false);
                self.push(Op::WordEnd(Finish::Single));
                self.push(Op::WordBegin);
                self.push(Op::Param { param: Arc::new(top_of_strings()), quoted: true });
                self.push(Op::WordEnd(Finish::Fields));
            } else {
                self.fields(word);
            }
        }
        self.redirects(redirects);
        for a in assigns {
            let name: Arc<str> = Arc::from(a.name.as_str());
            match &a.value {
                AssignValue::Word(w) => {
                    if let Some(s) = &a.subscript {
                        self.single(s, Finish::Single);
                    }
                    self.single(w, Finish::Single);
                    self.push(Op::AssignPrefix { name, append: a.append, subscript: a.subscript.is_some() });
                }
                AssignValue::Array(words) => {
                    self.push(Op::ListBegin);
                    for w in words {
                        self.fields(w);
                    }
                    self.push(Op::AssignArray { name, append: a.append });
                }
            }
        }
        self.push(Op::Exec { tail });
    }

    fn redirects(&mut self, redirects: &[Redirect]) {
        for r in redirects {
            match r.kind {
                RedirectKind::Here(i) => {
                    let word = self.heredocs.get(i).cloned().unwrap_or_default();
                    self.single(&word, Finish::Single);
                }
                _ => self.single(&r.target, Finish::Single),
            }
            self.push(Op::Redirect { fd: r.fd, kind: r.kind });
        }
    }

    fn test(&mut self, e: &TestExpr) {
        match e {
            TestExpr::Not(inner) => {
                self.test(inner);
                self.push(Op::Not);
            }
            TestExpr::And(a, b) | TestExpr::Or(a, b) => {
                self.test(a);
                let and = matches!(e, TestExpr::And(..));
                let skip = self.push(if and { Op::JumpIfFail(0) } else { Op::JumpIfOk(0) });
                self.test(b);
                self.patch(skip);
            }
            TestExpr::Unary(op, w) => {
                self.single(w, Finish::Single);
                self.push(Op::TestUnary(Arc::from(op.as_str())));
            }
            TestExpr::Word(w) => {
                self.single(w, Finish::Single);
                self.push(Op::TestUnary(Arc::from("-n")));
            }
            TestExpr::Binary(a, op, b) => {
                self.single(a, Finish::Single);
                let finish = match op.as_str() {
                    "=" | "==" | "!=" => Finish::Pattern,
                    "=~" => Finish::Regex,
                    _ => Finish::Single,
                };
                self.single(b, finish);
                self.push(Op::TestBinary(Arc::from(op.as_str())));
            }
        }
    }

    fn fields(&mut self, word: &Word) {
        let words = if self.dialect == Dialect::Bash { expand_braces(word) } else { vec![word.clone()] };
        for w in &words {
            self.push(Op::WordBegin);
            self.parts(&w.0, false, false);
            self.push(Op::WordEnd(Finish::Fields));
        }
    }

    fn single(&mut self, word: &Word, finish: Finish) {
        self.push(Op::WordBegin);
        self.parts(&word.0, false, false);
        self.push(Op::WordEnd(finish));
    }

    fn parts(&mut self, parts: &[Part], quoted: bool, split: bool) {
        for part in parts {
            match part {
                Part::Lit(s) => {
                    self.push(Op::Text { text: Arc::from(s.as_str()), quoted, split: split && !quoted });
                }
                Part::Quoted(s) => {
                    self.push(Op::Text { text: Arc::from(s.as_str()), quoted: true, split: false });
                }
                Part::DoubleQuoted(inner) => {
                    self.push(Op::Text { text: Arc::from(""), quoted: true, split: false });
                    self.parts(inner, true, false);
                }
                Part::Tilde(user) => {
                    self.push(Op::Tilde(Arc::from(user.as_str())));
                }
                Part::CommandSub(list) => {
                    let at = self.push(Op::CommandSub { quoted, end: 0 });
                    self.list(list, true);
                    self.push(Op::ChildEnd);
                    self.patch(at);
                }
                Part::Arith(word) => {
                    self.single(word, Finish::Single);
                    self.push(Op::Arith { quoted });
                }
                Part::Param(p) => self.param(p, quoted),
            }
        }
    }

    fn param(&mut self, p: &Param, quoted: bool) {
        let param = Arc::new(p.clone());
        if let Some(Subscript::Index(word)) = &p.subscript {
            self.single(word, Finish::Single);
        }
        match &p.op {
            ParamOp::Plain | ParamOp::Length | ParamOp::Indirect | ParamOp::Case { .. } | ParamOp::Bad => {
                self.push(Op::Param { param, quoted });
            }
            ParamOp::Default { word, .. } | ParamOp::Alternative { word, .. } => {
                let at = self.push(Op::ParamChoice { param, quoted, end: 0 });
                self.parts(&word.0, quoted, true);
                self.patch(at);
            }
            ParamOp::Assign { word, .. } | ParamOp::Error { word, .. } => {
                let at = self.push(Op::ParamChoice { param: param.clone(), quoted, end: 0 });
                self.single(word, Finish::Single);
                self.push(Op::ParamOperand { param, quoted });
                self.patch(at);
            }
            ParamOp::Trim { word, .. } => {
                self.single(word, Finish::Pattern);
                self.push(Op::Param { param, quoted });
            }
            ParamOp::Substring { offset, length } => {
                self.single(offset, Finish::Single);
                if let Some(l) = length {
                    self.single(l, Finish::Single);
                }
                self.push(Op::Param { param, quoted });
            }
            ParamOp::Replace { pattern, with, .. } => {
                self.single(pattern, Finish::Pattern);
                self.single(with, Finish::Single);
                self.push(Op::Param { param, quoted });
            }
        }
    }
}

/// The name of the pseudo parameter that stands for the string on top of the stack.
pub(super) const TOP: &str = " top";

fn top_of_strings() -> Param {
    Param { name: TOP.to_owned(), subscript: None, op: ParamOp::Plain, text: String::new() }
}

fn is_assignment(word: &Word) -> bool {
    match word.0.first() {
        Some(Part::Lit(s)) => s
            .split_once('=')
            .is_some_and(|(n, _)| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')),
        _ => false,
    }
}

fn assignment_parts(word: &Word) -> Vec<Part> {
    let mut parts = word.0.clone();
    if let Some(Part::Lit(s)) = parts.first()
        && let Some((name, value)) = s.split_once('=')
        && value.starts_with('~')
    {
        let rest = value.trim_start_matches('~').to_owned();
        let head = format!("{name}=");
        parts.splice(0..1, [Part::Lit(head), Part::Tilde(String::new()), Part::Lit(rest)]);
    }
    parts
}
