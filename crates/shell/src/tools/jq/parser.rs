//! Reads jq programs and resolves their names.

mod names;

use super::ast::{A, Ast, Code, Function, Op};
use super::json::short;
use super::lexer::{Tok, Words, words};
use super::native;
use super::value::Val;
use std::sync::Arc;

/// Deepest nesting, and longest row of operators, of a program.
const MAX_NESTING: u32 = 240;
/// Most names in one program; what stands behind `?//` is read once for each alternative.
const MAX_NAMES: u32 = 50_000;
/// Longest program.
const MAX_TEXT: usize = 64 << 10;
/// Most functions that one program may use.
const MAX_FUNCTIONS: usize = 2000;

/// What a name stands for.
#[derive(Clone, Debug)]
enum Name {
    Var(String, u32),
    Param(String, u32),
    Function(String, usize, usize),
    Label(String, u32),
}

/// A pattern of `as`.
enum Pattern {
    Var(String),
    List(Vec<Pattern>),
    /// A variable for the field, its key, what its value is taken apart into.
    Object(Vec<(Option<String>, A, Option<Pattern>)>),
}

struct Parser<'a> {
    text: &'a str,
    words: Words,
    at: usize,
    scope: Vec<Name>,
    functions: Vec<Option<Function>>,
    /// Which functions of the prelude are read already.
    known: Vec<(usize, usize)>,
    next_id: u32,
    depth: u32,
    /// Names that stand for nothing: where, and the text.
    missing: Vec<(usize, String)>,
}

type Parsed<T = A> = Result<T, String>;

/// Reads a program whose variables are given.
///
/// # Errors
/// All that jq prints about it.
pub(super) fn compile(text: &str, variables: &[(String, Val)]) -> Result<Code, String> {
    let none = "jq: error: Top-level program not given (try \".\")\njq: 1 compile error\n";
    if text.len() > MAX_TEXT {
        return Err(
            "jq: error: programs longer than 64 KiB are not simulated\njq: 1 compile error\n".to_owned()
        );
    }
    let mut p = Parser {
        text,
        words: words(text),
        at: 0,
        scope: Vec::new(),
        functions: Vec::new(),
        known: Vec::new(),
        next_id: 0,
        depth: 0,
        missing: Vec::new(),
    };
    let mut globals = Vec::new();
    for (name, value) in variables {
        let id = p.id();
        p.scope.push(Name::Var(name.clone(), id));
        globals.push((id, value.clone()));
    }
    if p.words.toks.is_empty() {
        return Err(none.to_owned());
    }
    let main = match p.program() {
        Ok(Some(main)) => main,
        Ok(None) => return Err(none.to_owned()),
        Err(text) => {
            let n = text.matches("jq: error: ").count();
            return Err(format!("{text}\njq: {n} compile error{}\n", if n > 1 { "s" } else { "" }));
        }
    };
    if !p.missing.is_empty() {
        let mut out = String::new();
        for (at, text) in &p.missing {
            out.push_str(&p.located(&format!("jq: error: {text}"), *at));
            out.push('\n');
        }
        let n = p.missing.len();
        out.push_str(&format!("jq: {n} compile error{}\n", if n > 1 { "s" } else { "" }));
        return Err(out);
    }
    let functions = p.functions.into_iter().flatten().collect();
    Ok(Code { main, functions, globals })
}

fn a(ast: Ast) -> A {
    Arc::new(ast)
}

fn identity() -> A {
    a(Ast::Identity)
}

fn null() -> A {
    a(Ast::Const(Val::Null))
}

fn text_const(s: &str) -> A {
    a(Ast::Const(Val::str(s)))
}

/// An operator's level and whether it groups to the right; levels from 1, the loosest.
fn level(op: &str) -> Option<(u32, bool)> {
    Some(match op {
        "|" => (1, true),
        "," => (2, false),
        "//" => (3, true),
        "=" | "|=" | "+=" | "-=" | "*=" | "/=" | "%=" | "//=" => (4, false),
        "or" => (5, false),
        "and" => (6, false),
        "==" | "!=" | "<" | "<=" | ">" | ">=" => (7, false),
        "+" | "-" => (8, false),
        "*" | "/" | "%" => (9, false),
        _ => return None,
    })
}

impl Parser<'_> {
    fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    fn peek(&self) -> &Tok {
        self.words.toks.get(self.at).map_or(&Tok::End, |t| &t.0)
    }

    fn place(&self) -> usize {
        // The end of the text is told at its last word.
        let at = self.at.min(self.words.toks.len().saturating_sub(1));
        self.words.toks.get(at).map_or(0, |t| t.1)
    }

    fn advance(&mut self) -> Tok {
        let tok = self.peek().clone();
        self.at += 1;
        tok
    }

    fn is(&self, op: &str) -> bool {
        matches!(self.peek(), Tok::Op(o) if *o == op)
    }

    fn eat(&mut self, op: &str) -> bool {
        let is = self.is(op);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, op: &str) -> Parsed<()> {
        if self.eat(op) { Ok(()) } else { self.unexpected(&format!(", expecting '{op}'")) }
    }

    fn word(&mut self, keyword: &str) -> bool {
        let is = matches!(self.peek(), Tok::Keyword(k) if *k == keyword);
        self.at += usize::from(is);
        is
    }

    fn expect_word(&mut self, keyword: &str) -> Parsed<()> {
        if self.word(keyword) { Ok(()) } else { self.unexpected("") }
    }

    fn located(&self, text: &str, at: usize) -> String {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        let source = self.text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
        format!("{text} at <top-level>, line {line}:\n{source}{}", " ".repeat(at - start))
    }

    fn unexpected<T>(&self, expecting: &str) -> Parsed<T> {
        let text = format!(
            "jq: error: syntax error, unexpected {}{expecting} (Unix shell quoting issues?)",
            self.peek().name()
        );
        Err(self.located(&text, self.place()))
    }

    fn refuse<T>(&self, text: &str) -> Parsed<T> {
        Err(self.located(&format!("jq: error: {text}"), self.place()))
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_NESTING || self.next_id > MAX_NAMES {
            self.refuse("programs that nest this deep are not simulated")
        } else {
            Ok(())
        }
    }

    fn program(&mut self) -> Parsed<Option<A>> {
        if matches!(self.peek(), Tok::Keyword("module" | "import" | "include")) {
            return self.refuse("modules are not simulated");
        }
        // Functions without a program are a library.
        let from = self.at;
        let mut only = false;
        while self.word("def") {
            let mark = self.scope.len();
            self.definition()?;
            only = *self.peek() == Tok::End;
            self.scope.truncate(mark);
        }
        if only {
            return Ok(None);
        }
        self.at = from;
        self.missing.clear();
        let main = self.expr(1)?;
        if *self.peek() != Tok::End {
            return self.unexpected(", expecting end of file");
        }
        Ok(Some(main))
    }

    /// Behind `def`; leaves the function's name in scope.
    fn definition(&mut self) -> Parsed<usize> {
        let name = match self.advance() {
            Tok::Ident(name) => name,
            Tok::Keyword(k) => k.to_owned(),
            _ => {
                self.at -= 1;
                return self.unexpected("");
            }
        };
        let mut params: Vec<(String, bool)> = Vec::new();
        if self.eat("(") {
            loop {
                match self.advance() {
                    Tok::Ident(p) => params.push((p, false)),
                    Tok::Keyword(p) => params.push((p.to_owned(), false)),
                    Tok::Binding(p) => params.push((p, true)),
                    _ => {
                        self.at -= 1;
                        return self.unexpected("");
                    }
                }
                if !self.eat(";") {
                    break;
                }
            }
            self.expect(")")?;
        }
        self.expect(":")?;
        let index = self.functions.len();
        if index > MAX_FUNCTIONS {
            return self.refuse("programs with so many functions are not simulated");
        }
        self.functions.push(None);
        let id = self.id();
        self.scope.push(Name::Function(name, params.len(), index));
        let mark = self.scope.len();
        let mut ids = Vec::new();
        for (p, _) in &params {
            let id = self.id();
            ids.push(id);
            self.scope.push(Name::Param(p.clone(), id));
        }
        let mut values = Vec::new();
        for ((p, is_value), param) in params.iter().zip(&ids) {
            if *is_value {
                let var = self.id();
                self.scope.push(Name::Var(p.clone(), var));
                values.push((*param, var));
            }
        }
        let mut body = self.expr(1)?;
        self.scope.truncate(mark);
        if !self.eat(";") {
            return self.unexpected("");
        }
        for (param, var) in values.into_iter().rev() {
            body = a(Ast::As(a(Ast::Param(param)), var, body));
        }
        if let Some(slot) = self.functions.get_mut(index) {
            *slot = Some(Function { id, params: ids, body, top: false });
        }
        Ok(index)
    }

    fn operator(&self) -> Option<&'static str> {
        match self.peek() {
            Tok::Op(o) => Some(o),
            Tok::Keyword(k @ ("and" | "or")) => Some(k),
            _ => None,
        }
    }

    fn expr(&mut self, min: u32) -> Parsed {
        let depth = self.depth;
        self.deeper()?;
        let mut left = self.operand()?;
        while let Some(op) = self.operator()
            && let Some((level, right)) = level(op)
            && level >= min
        {
            self.deeper()?;
            self.at += 1;
            let rhs = self.expr(if right { level } else { level + 1 })?;
            left = self.combine(op, left, rhs)?;
            let again = self.operator().and_then(self::level).map(|l| l.0);
            if matches!(level, 4 | 7) && again == Some(level) {
                return self.unexpected("");
            }
        }
        self.depth = depth;
        Ok(left)
    }

    fn combine(&mut self, op: &'static str, l: A, r: A) -> Parsed {
        let binary = |op: Op, l: A, r: A| a(Ast::Binary(op, l, r));
        let arithmetic = |op: &str| match op {
            "+" | "+=" => Op::Add,
            "-" | "-=" => Op::Sub,
            "*" | "*=" => Op::Mul,
            "/" | "/=" => Op::Div,
            _ => Op::Mod,
        };
        Ok(match op {
            "|" => a(Ast::Pipe(l, r)),
            "," => a(Ast::Comma(l, r)),
            "//" => a(Ast::Alt(l, r)),
            "or" => a(Ast::Or(l, r)),
            "and" => a(Ast::And(l, r)),
            "==" => binary(Op::Eq, l, r),
            "!=" => binary(Op::Ne, l, r),
            "<" => binary(Op::Lt, l, r),
            "<=" => binary(Op::Le, l, r),
            ">" => binary(Op::Gt, l, r),
            ">=" => binary(Op::Ge, l, r),
            "|=" => a(Ast::Modify(l, r)),
            "=" => {
                let (value, path, state) = (self.id(), self.id(), self.id());
                let Some(set) = native::find("setpath", 2) else { return self.refuse("no setpath") };
                let step = a(Ast::Native(set, vec![a(Ast::Var(path)), a(Ast::Var(value))]));
                let body = a(Ast::ReduceStep(state, step));
                let source = a(Ast::Path(l));
                let all = a(Ast::Reduce { source, init: identity(), item: path, state, body });
                a(Ast::As(r, value, all))
            }
            "//=" => {
                let value = self.id();
                let f = a(Ast::Alt(identity(), a(Ast::Var(value))));
                a(Ast::As(r, value, a(Ast::Modify(l, f))))
            }
            "+=" | "-=" | "*=" | "/=" | "%=" => {
                let value = self.id();
                let f = binary(arithmetic(op), identity(), a(Ast::Var(value)));
                a(Ast::As(r, value, a(Ast::Modify(l, f))))
            }
            _ => binary(arithmetic(op), l, r),
        })
    }

    /// A term or what begins with a keyword, with `as` and `?` behind it.
    fn operand(&mut self) -> Parsed {
        self.deeper()?;
        let depth = self.depth;
        let mut e = match self.peek() {
            Tok::Keyword("def") => {
                self.at += 1;
                let mark = self.scope.len();
                let index = self.definition()?;
                let rest = self.expr(1)?;
                self.scope.truncate(mark);
                a(Ast::Def(index, rest))
            }
            Tok::Op("-") => {
                self.at += 1;
                a(Ast::Neg(self.expr(9)?))
            }
            Tok::Keyword("try") => {
                self.at += 1;
                let body = self.operand()?;
                let handler = if self.word("catch") { Some(self.operand()?) } else { None };
                a(Ast::Try(body, handler))
            }
            Tok::Keyword("label") => {
                self.at += 1;
                let Tok::Binding(name) = self.advance() else {
                    self.at -= 1;
                    return self.unexpected(", expecting BINDING");
                };
                self.expect("|")?;
                let id = self.id();
                self.scope.push(Name::Label(name, id));
                let body = self.expr(1)?;
                self.scope.pop();
                a(Ast::Label(id, body))
            }
            _ => self.term()?,
        };
        if self.word("as") {
            e = self.binding(e)?;
        }
        while self.eat("?") {
            self.deeper()?;
            e = a(Ast::Try(e, None));
        }
        self.depth = depth - 1;
        Ok(e)
    }

    /// Behind `term as`.
    fn binding(&mut self, source: A) -> Parsed {
        let patterns = self.patterns()?;
        self.expect("|")?;
        let mark = self.scope.len();
        let item = self.id();
        let body = self.destructured(&patterns, item, |p| p.expr(1))?;
        self.scope.truncate(mark);
        Ok(a(Ast::As(source, item, body)))
    }

    fn patterns(&mut self) -> Parsed<Vec<Pattern>> {
        let mut all = vec![self.pattern()?];
        while self.eat("?//") {
            all.push(self.pattern()?);
        }
        Ok(all)
    }

    /// What `inner` reads, once for each of the patterns, in the scope of all their variables.
    fn destructured(
        &mut self,
        patterns: &[Pattern],
        item: u32,
        inner: impl Fn(&mut Self) -> Parsed,
    ) -> Parsed {
        let mut names = Vec::new();
        for p in patterns {
            variables(p, &mut names);
        }
        let from = self.at;
        let mark = self.scope.len();
        let mut all = Vec::new();
        for p in patterns {
            self.at = from;
            let mut steps = Vec::new();
            if patterns.len() > 1 {
                // Those of the other patterns are null.
                for name in &names {
                    let id = self.id();
                    self.scope.push(Name::Var(name.clone(), id));
                    steps.push((null(), id));
                }
            }
            self.take_apart(p, item, &mut steps)?;
            let mut body = inner(self)?;
            self.scope.truncate(mark);
            for (source, id) in steps.into_iter().rev() {
                body = a(Ast::As(source, id, body));
            }
            all.push(body);
        }
        Ok(match all.len() {
            1 => all.remove(0),
            _ => a(Ast::Alternatives(all)),
        })
    }

    fn take_apart(&mut self, p: &Pattern, from: u32, steps: &mut Vec<(A, u32)>) -> Parsed<()> {
        let var = |id: u32| a(Ast::Var(id));
        let index = |id: u32, key: A| a(Ast::Index { term: var(id), key, optional: false });
        match p {
            Pattern::Var(name) => {
                let id = self.id();
                self.scope.push(Name::Var(name.clone(), id));
                steps.push((var(from), id));
            }
            Pattern::List(items) => {
                for (i, p) in items.iter().enumerate() {
                    let id = self.id();
                    steps.push((index(from, a(Ast::Const(Val::len(i)))), id));
                    self.take_apart(p, id, steps)?;
                }
            }
            Pattern::Object(fields) => {
                for (name, key, p) in fields {
                    let id = self.id();
                    steps.push((index(from, key.clone()), id));
                    if let Some(name) = name {
                        self.scope.push(Name::Var(name.clone(), id));
                    }
                    if let Some(p) = p {
                        self.take_apart(p, id, steps)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn pattern(&mut self) -> Parsed<Pattern> {
        self.deeper()?;
        let p = match self.advance() {
            Tok::Binding(name) => Pattern::Var(name),
            Tok::Op("[") => {
                let mut items = vec![self.pattern()?];
                while self.eat(",") {
                    items.push(self.pattern()?);
                }
                self.expect("]")?;
                Pattern::List(items)
            }
            Tok::Op("{") => {
                let mut fields = Vec::new();
                loop {
                    let (name, key) = match self.peek().clone() {
                        Tok::Binding(name) => {
                            self.at += 1;
                            (Some(name.clone()), text_const(&name))
                        }
                        Tok::Ident(name) => {
                            self.at += 1;
                            (None, text_const(&name))
                        }
                        Tok::Keyword(name) => {
                            self.at += 1;
                            (None, text_const(name))
                        }
                        Tok::TextStart => (None, self.string("text")?),
                        Tok::Op("(") => {
                            self.at += 1;
                            let key = self.expr(1)?;
                            self.expect(")")?;
                            (None, key)
                        }
                        _ => return self.unexpected(""),
                    };
                    let inner = if self.eat(":") {
                        Some(self.pattern()?)
                    } else if name.is_some() {
                        None
                    } else {
                        return self.unexpected(", expecting ':'");
                    };
                    fields.push((name, key, inner));
                    if !self.eat(",") {
                        break;
                    }
                }
                self.expect("}")?;
                Pattern::Object(fields)
            }
            _ => {
                self.at -= 1;
                return self.unexpected(", expecting BINDING or '[' or '{'");
            }
        };
        self.depth -= 1;
        Ok(p)
    }

    fn term(&mut self) -> Parsed {
        let mut t = self.primary()?;
        loop {
            let dotted = matches!(self.peek(), Tok::Op("."))
                && matches!(
                    self.words.toks.get(self.at + 1).map(|t| &t.0),
                    Some(Tok::TextStart | Tok::Op("["))
                );
            match self.peek().clone() {
                Tok::Field(name) => {
                    self.at += 1;
                    let optional = self.optional();
                    t = a(Ast::Index { term: t, key: text_const(&name), optional });
                }
                Tok::Op("[") => t = self.brackets(t)?,
                Tok::Op(".") if dotted => {
                    self.at += 1;
                    if self.is("[") {
                        t = self.brackets(t)?;
                    } else {
                        let key = self.string("text")?;
                        let optional = self.optional();
                        t = a(Ast::Index { term: t, key, optional });
                    }
                }
                _ => return Ok(t),
            }
            self.deeper()?;
        }
    }

    fn optional(&mut self) -> bool {
        self.eat("?")
    }

    /// `[…]` behind a term.
    fn brackets(&mut self, term: A) -> Parsed {
        self.expect("[")?;
        if self.eat("]") {
            let optional = self.optional();
            return Ok(a(Ast::Each { term, optional }));
        }
        if self.eat(":") {
            let to = self.expr(1)?;
            self.expect("]")?;
            let optional = self.optional();
            return Ok(a(Ast::Slice { term, from: null(), to, optional }));
        }
        let key = self.expr(1)?;
        if self.eat(":") {
            let to = if self.is("]") { null() } else { self.expr(1)? };
            self.expect("]")?;
            let optional = self.optional();
            return Ok(a(Ast::Slice { term, from: key, to, optional }));
        }
        if !self.eat("]") {
            return self.unexpected("");
        }
        let optional = self.optional();
        Ok(a(Ast::Index { term, key, optional }))
    }

    fn primary(&mut self) -> Parsed {
        let place = self.at;
        Ok(match self.advance() {
            Tok::Number(n) => a(Ast::Const(self.words.numbers.get(n).cloned().unwrap_or(Val::Null))),
            Tok::Field(name) => {
                let optional = self.optional();
                a(Ast::Index { term: identity(), key: text_const(&name), optional })
            }
            Tok::TextStart => {
                self.at = place;
                self.string("text")?
            }
            Tok::Format(name) => {
                if *self.peek() == Tok::TextStart {
                    self.string(&name)?
                } else {
                    self.format(identity(), &name)?
                }
            }
            Tok::Op(".") => {
                if *self.peek() == Tok::TextStart {
                    let key = self.string("text")?;
                    let optional = self.optional();
                    a(Ast::Index { term: identity(), key, optional })
                } else {
                    identity()
                }
            }
            Tok::Op("..") => self.call("recurse", Vec::new(), place)?,
            Tok::Op("(") => {
                let e = self.expr(1)?;
                self.expect_end(")")?;
                e
            }
            Tok::Op("[") => {
                if self.eat("]") {
                    a(Ast::Const(Val::arr(Vec::new())))
                } else {
                    let e = self.expr(1)?;
                    self.expect_end("]")?;
                    a(Ast::List(e))
                }
            }
            Tok::Op("{") => self.object()?,
            Tok::Binding(name) => self.variable(&name, place)?,
            Tok::Keyword("if") => self.condition()?,
            Tok::Keyword("reduce") => self.fold(false)?,
            Tok::Keyword("foreach") => self.fold(true)?,
            Tok::Keyword("break") => {
                let Tok::Binding(name) = self.advance() else {
                    return self.refuse("break requires a label to break to");
                };
                let found = self.scope.iter().rev().find_map(|n| match n {
                    Name::Label(l, id) if *l == name => Some(*id),
                    _ => None,
                });
                match found {
                    Some(id) => a(Ast::Break(id)),
                    None => {
                        self.note(place, format!("$*label-{name} is not defined"));
                        null()
                    }
                }
            }
            Tok::Ident(name) => {
                let mut args = Vec::new();
                if self.eat("(") {
                    loop {
                        args.push(self.expr(1)?);
                        if !self.eat(";") {
                            break;
                        }
                    }
                    self.expect_end(")")?;
                }
                self.call(&name, args, place)?
            }
            _ => {
                self.at = place;
                return self.unexpected(if place == 0 && *self.peek() != Tok::End {
                    ", expecting end of file"
                } else {
                    ""
                });
            }
        })
    }

    fn expect_end(&mut self, op: &str) -> Parsed<()> {
        if self.eat(op) { Ok(()) } else { self.unexpected("") }
    }

    fn note(&mut self, word: usize, text: String) {
        let at = self.words.toks.get(word).map_or(0, |t| t.1);
        if !self.missing.iter().any(|m| m.0 == at) {
            self.missing.push((at, text));
        }
    }

    fn variable(&mut self, name: &str, place: usize) -> Parsed {
        if name == "__loc__" {
            let at = self.words.toks.get(place).map_or(0, |t| t.1);
            let line = self.text.get(..at).unwrap_or_default().matches('\n').count() + 1;
            let mut m = super::value::Map::default();
            m.set("file".into(), Val::str("<top-level>"));
            m.set("line".into(), Val::len(line));
            return Ok(a(Ast::Const(Val::obj(m))));
        }
        let found = self.scope.iter().rev().find_map(|n| match n {
            Name::Var(v, id) if v == name => Some(*id),
            _ => None,
        });
        Ok(match found {
            Some(id) => a(Ast::Var(id)),
            None => {
                self.note(place, format!("${name} is not defined"));
                null()
            }
        })
    }

    /// A text with its holes, each in the format's way.
    fn string(&mut self, format: &str) -> Parsed {
        self.at += 1;
        let mut out: Option<A> = None;
        loop {
            let part = match self.advance() {
                Tok::Text(s) => text_const(&s),
                Tok::HoleStart => {
                    let e = self.expr(1)?;
                    if self.advance() != Tok::HoleEnd {
                        self.at -= 1;
                        return self.unexpected("");
                    }
                    self.format(e, format)?
                }
                Tok::TextEnd => return Ok(out.unwrap_or_else(|| text_const(""))),
                _ => {
                    self.at -= 1;
                    let after = self.words.toks.get(self.at.saturating_sub(1)).map(|t| &t.0);
                    let what = match after {
                        Some(Tok::TextStart | Tok::Text(_) | Tok::HoleEnd) => {
                            ", expecting QQSTRING_TEXT or QQSTRING_INTERP_START or QQSTRING_END"
                        }
                        _ => "",
                    };
                    return self.unexpected(what);
                }
            };
            self.deeper()?;
            out = Some(match out {
                None => part,
                Some(before) => a(Ast::Binary(Op::Add, before, part)),
            });
        }
    }

    fn format(&mut self, e: A, name: &str) -> Parsed {
        match native::find("format", 1) {
            Some(f) => Ok(a(Ast::Pipe(e, a(Ast::Native(f, vec![text_const(name)]))))),
            None => self.refuse("no formats"),
        }
    }

    /// Behind `{`.
    fn object(&mut self) -> Parsed {
        let mut fields = Vec::new();
        while !self.is("}") {
            let place = self.at;
            let (key, default): (A, Option<A>) = match self.peek().clone() {
                Tok::Binding(name) => {
                    self.at += 1;
                    let value = self.variable(&name, place)?;
                    (text_const(&name), Some(value))
                }
                Tok::Ident(name) => {
                    self.at += 1;
                    let key = text_const(&name);
                    (key.clone(), Some(a(Ast::Index { term: identity(), key, optional: false })))
                }
                Tok::Keyword(name) => {
                    self.at += 1;
                    let key = text_const(name);
                    (key.clone(), Some(a(Ast::Index { term: identity(), key, optional: false })))
                }
                Tok::TextStart => {
                    let key = self.string("text")?;
                    (key.clone(), Some(a(Ast::Index { term: identity(), key, optional: false })))
                }
                Tok::Format(name) => {
                    self.at += 1;
                    let key = if *self.peek() == Tok::TextStart {
                        self.string(&name)?
                    } else {
                        text_const(&format!("@{name}"))
                    };
                    (key.clone(), Some(a(Ast::Index { term: identity(), key, optional: false })))
                }
                Tok::Op("(") => {
                    self.at += 1;
                    let key = self.expr(1)?;
                    self.expect_end(")")?;
                    (key, None)
                }
                Tok::Number(_) => {
                    let text = self.unexpected::<A>("").err().unwrap_or_default();
                    let more = "jq: error: May need parentheses around object key expression";
                    return Err(format!("{text}\n{}", self.located(more, self.place())));
                }
                _ => return self.unexpected(""),
            };
            let is_var = matches!(self.words.toks.get(place).map(|t| &t.0), Some(Tok::Binding(_)));
            let value = if !is_var && self.eat(":") {
                self.object_value()?
            } else {
                match default {
                    Some(v) => v,
                    None => return self.unexpected(", expecting ':'"),
                }
            };
            if let Ast::Const(v @ (Val::Null | Val::Bool(_) | Val::Num(..))) = &*key {
                let at = self.words.toks.get(place).map_or(0, |t| t.1);
                let text = format!("jq: error: Cannot use {} ({}) as object key", v.kind(), short(v, 15));
                return Err(self.located(&text, at));
            }
            fields.push((key, value));
            if !self.eat(",") {
                break;
            }
        }
        if !self.eat("}") {
            return self.unexpected(", expecting '}'");
        }
        Ok(a(Ast::Object(fields)))
    }

    fn object_value(&mut self) -> Parsed {
        self.deeper()?;
        let depth = self.depth;
        let value = if self.eat("-") { a(Ast::Neg(self.object_value()?)) } else { self.term()? };
        let value = if self.eat("|") { a(Ast::Pipe(value, self.object_value()?)) } else { value };
        self.depth = depth - 1;
        Ok(value)
    }

    /// Behind `if`.
    fn condition(&mut self) -> Parsed {
        self.deeper()?;
        let start = self.at.saturating_sub(1);
        let condition = self.expr(1)?;
        self.expect_word("then")?;
        let branches = self.branches();
        match branches {
            Err(text) if *self.peek() == Tok::End && !text.contains("Possibly") => {
                let at = self.words.toks.get(start).map_or(0, |t| t.1);
                let more = self.located("jq: error: Possibly unterminated 'if' statement", at);
                Err(format!("{text}\n{more}"))
            }
            Err(text) => Err(text),
            Ok((then, otherwise)) => Ok(a(Ast::If(condition, then, otherwise))),
        }
    }

    /// Behind `then`.
    fn branches(&mut self) -> Parsed<(A, A)> {
        let then = self.expr(1)?;
        let otherwise = if self.word("elif") {
            self.condition()?
        } else if self.word("else") {
            let e = self.expr(1)?;
            self.expect_word("end")?;
            e
        } else {
            self.expect_word("end")?;
            identity()
        };
        Ok((then, otherwise))
    }

    /// Behind `reduce` and `foreach`.
    fn fold(&mut self, each: bool) -> Parsed {
        let source = self.term()?;
        self.expect_word("as")?;
        let patterns = self.patterns()?;
        self.expect("(")?;
        let init = self.expr(1)?;
        self.expect(";")?;
        let (item, state) = (self.id(), self.id());
        let body = self.destructured(&patterns, item, |p| {
            let update = p.expr(1)?;
            if !each {
                return Ok(a(Ast::ReduceStep(state, update)));
            }
            let extract = if p.eat(";") { p.expr(1)? } else { identity() };
            Ok(a(Ast::ForeachStep(state, update, extract)))
        })?;
        self.expect_end(")")?;
        Ok(a(if each {
            Ast::Foreach { source, init, item, state, body }
        } else {
            Ast::Reduce { source, init, item, state, body }
        }))
    }
}

fn variables(p: &Pattern, out: &mut Vec<String>) {
    match p {
        Pattern::Var(name) => out.push(name.clone()),
        Pattern::List(items) => items.iter().for_each(|p| variables(p, out)),
        Pattern::Object(fields) => {
            for (name, _, p) in fields {
                out.extend(name.clone());
                if let Some(p) = p {
                    variables(p, out);
                }
            }
        }
    }
}
