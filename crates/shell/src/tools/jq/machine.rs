//! Runs a jq program: a machine of small steps whose continuations and choices are plain data.
//!
//! Nothing here uses the native stack for the program's nesting, so a filter that recurses for ever only grows lists
//! that have a cap. Backtracking is a stack of [`Choice`]s; what is to be done with a value is a linked list of
//! [`Frame`]s, which choices share.

mod access;
mod backtrack;

use super::ast::{A, Ast, Code, Op};
use super::json::short;
use super::native::{self, Native};
use super::value::{Map, Res, Val, get_path, set_path};
use std::sync::Arc;

/// Most choices left open, and most things still to be done with a value.
const MAX_STACK: u32 = 200_000;
/// Most bytes of arrays, objects and texts made for one input.
const MAX_MADE: usize = 128 << 20;

#[derive(Clone, Debug)]
enum Bind {
    Val(Val),
    Closure(A, Env),
    Scope,
    /// Where a label's or a loop's choice stands.
    At(usize),
}

#[derive(Clone, Debug)]
struct Binding {
    id: u32,
    bind: Bind,
    up: Env,
}

type Env = Option<Arc<Binding>>;

impl Drop for Binding {
    fn drop(&mut self) {
        let mut rest = vec![self.up.take()];
        loop {
            if let Bind::Closure(_, env) = &mut self.bind {
                rest.push(env.take());
            }
            let mut more = Vec::new();
            for e in rest.drain(..).flatten() {
                if let Some(mut b) = Arc::into_inner(e) {
                    more.push(b.up.take());
                    if let Bind::Closure(_, env) = &mut b.bind {
                        more.push(env.take());
                    }
                }
            }
            if more.is_empty() {
                return;
            }
            rest = more;
        }
    }
}

/// Where a value stands, while paths are asked for.
#[derive(Clone, Debug)]
enum Track {
    Off,
    At(Path),
    /// It was made, so it stands nowhere.
    Lost,
}

type Path = Option<Arc<PathStep>>;

#[derive(Clone, Debug)]
struct PathStep {
    key: Val,
    up: Path,
}

impl Drop for PathStep {
    fn drop(&mut self) {
        let mut up = self.up.take();
        while let Some(mut step) = up.and_then(Arc::into_inner) {
            up = step.up.take();
        }
    }
}

fn keys(path: &Path) -> Vec<Val> {
    let mut out = Vec::new();
    let mut at = path;
    while let Some(step) = at {
        out.push(step.key.clone());
        at = &step.up;
    }
    out.reverse();
    out
}

impl Track {
    fn lost(&self) -> Track {
        if matches!(self, Track::Off) { Track::Off } else { Track::Lost }
    }

    fn then(&self, key: &Val) -> Track {
        match self {
            Track::At(p) => Track::At(Some(Arc::new(PathStep { key: key.clone(), up: p.clone() }))),
            other => other.clone(),
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
struct Tv {
    v: Val,
    t: Track,
}

/// What is to be done with a value.
#[derive(Clone, Debug)]
enum Frame {
    Pipe(A, Env),
    IndexKey { node: A, env: Env, input: Tv },
    IndexTerm { key: Val, optional: bool },
    SliceFrom { node: A, env: Env, input: Tv },
    SliceTo { node: A, env: Env, input: Tv, from: Val },
    EachTerm { optional: bool },
    Append(usize),
    ObjectKey { node: A, at: usize, made: Val, env: Env, input: Tv },
    ObjectVal { node: A, at: usize, made: Val, key: Val, env: Env, input: Tv },
    Neg,
    Right { node: A, env: Env, input: Tv },
    Left { op: Op, right: Val, t: Track },
    Logic { node: A, env: Env, input: Tv },
    Truth(Track),
    AltOut(usize),
    If { node: A, env: Env, input: Tv },
    TryOut(usize),
    As { id: u32, body: A, env: Env, input: Tv },
    FoldInit { node: A, env: Env, input: Tv },
    FoldItem { node: A, at: usize, env: Env, input: Tv },
    Store(usize),
    ForeachOut { at: usize, extract: A, env: Env },
    ModPath { node: A, at: usize, env: Env },
    ModSet { at: usize, none: usize, path: Arc<Vec<Val>> },
    PathOut(Track),
    GetPath(Tv),
    RangeBound { node: A, env: Env, input: Tv, got: Vec<Val> },
    LimitCount { node: A, env: Env, input: Tv },
    Count(usize),
    Args { native: &'static Native, node: A, env: Env, input: Tv, got: Vec<Val> },
    HaltCode(Val),
}

#[derive(Debug)]
struct Kont {
    frame: Frame,
    next: K,
    depth: u32,
}

type K = Option<Arc<Kont>>;

impl Drop for Kont {
    fn drop(&mut self) {
        let mut next = self.next.take();
        while let Some(mut k) = next.and_then(Arc::into_inner) {
            next = k.next.take();
        }
    }
}

/// What is left to be tried.
#[derive(Clone, Debug)]
enum Choice {
    Eval(A, Env, Tv, K),
    Each {
        container: Val,
        at: usize,
        t: Track,
        k: K,
    },
    Range {
        at: f64,
        to: f64,
        by: f64,
        t: Track,
        k: K,
    },
    Collect {
        made: Vec<Val>,
        t: Track,
        k: K,
    },
    /// A loop's state; `done` says where `reduce` goes on, `foreach` has nowhere.
    State {
        state: Tv,
        done: Option<K>,
    },
    Modify {
        made: Val,
        gone: Vec<Val>,
        t: Track,
        k: K,
    },
    ModNone {
        at: usize,
        path: Arc<Vec<Val>>,
    },
    Alt {
        found: bool,
        node: A,
        env: Env,
        input: Tv,
        k: K,
    },
    Try {
        handler: Option<A>,
        env: Env,
        t: Track,
        k: K,
    },
    /// A value has left the `try` further down: errors from here on are not its own.
    TryLeft,
    Label,
    Count(f64),
    Alternatives {
        node: A,
        at: usize,
        env: Env,
        input: Tv,
        k: K,
    },
}

#[derive(Clone, Debug)]
enum Ctl {
    Eval(A, Env, Tv, K),
    Ret(Tv, K),
    Fail,
    Raise(Val),
    /// Waits for [`Machine::answer`].
    Ask(Tv, K),
}

/// What a program asks of its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    Input,
    Line,
    File,
    Now,
}

/// What running came to.
#[derive(Debug)]
pub(super) enum Event {
    /// Not done yet.
    More,
    Output(Val),
    Done,
    /// An error that nothing caught.
    Error(Val),
    Ask(Question),
    /// `debug` (`true`) or `stderr` tells a value.
    Tell(bool, Val),
    /// `halt`; with a value and a code, `halt_error`.
    Halt(Option<(Val, Val)>),
    /// It wants more than there is.
    OutOfMemory,
}

/// A running program.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    code: Arc<Code>,
    ctl: Ctl,
    choices: Vec<Choice>,
    globals: Env,
    made: usize,
    /// Steps that natives took beyond their own.
    debt: usize,
}

fn fault(text: impl Into<String>) -> Ctl {
    Ctl::Raise(Val::str(text.into()))
}

impl Machine {
    pub fn new(code: Arc<Code>) -> Machine {
        let mut globals: Env = None;
        for (id, v) in &code.globals {
            globals = Some(Arc::new(Binding { id: *id, bind: Bind::Val(v.clone()), up: globals }));
        }
        Machine { code, ctl: Ctl::Fail, choices: Vec::new(), globals, made: 0, debt: 0 }
    }

    /// Begins with an input.
    pub fn start(&mut self, input: Val) {
        self.choices.clear();
        self.made = 0;
        let input = Tv { v: input, t: Track::Off };
        self.ctl = Ctl::Eval(self.code.main.clone(), self.globals.clone(), input, None);
    }

    /// What was asked for; `Err` raises.
    pub fn answer(&mut self, answer: Res) {
        if let Ctl::Ask(input, k) = std::mem::replace(&mut self.ctl, Ctl::Fail) {
            self.ctl = match answer {
                Ok(v) => Ctl::Ret(Tv { v, t: input.t.lost() }, k),
                Err(e) => Ctl::Raise(e),
            };
        }
    }

    /// About how many bytes it holds.
    pub fn memory(&self) -> usize {
        self.made.min(MAX_MADE) + self.choices.len() * 128
    }

    /// Goes on for so many steps at most.
    pub fn run(&mut self, steps: usize) -> Event {
        if self.debt >= steps {
            self.debt -= steps;
            return Event::More;
        }
        let mut left = steps - std::mem::take(&mut self.debt);
        while left > 0 {
            left -= 1;
            match std::mem::replace(&mut self.ctl, Ctl::Fail) {
                Ctl::Eval(node, env, input, k) => {
                    if let Some(event) = self.eval(node, env, input, k) {
                        return event;
                    }
                }
                Ctl::Ret(v, None) => return Event::Output(v.v),
                Ctl::Ret(v, Some(k)) => {
                    let (frame, next) = match Arc::try_unwrap(k) {
                        Ok(mut k) => (std::mem::replace(&mut k.frame, Frame::Neg), k.next.take()),
                        Err(k) => (k.frame.clone(), k.next.clone()),
                    };
                    if let Some(event) = self.apply(frame, v, next) {
                        return event;
                    }
                }
                Ctl::Fail => {
                    if self.choices.is_empty() {
                        return Event::Done;
                    }
                    self.backtrack();
                }
                Ctl::Raise(e) => {
                    if let Some(e) = self.unwind(e) {
                        return Event::Error(e);
                    }
                }
                Ctl::Ask(..) => return Event::Done,
            }
            if self.choices.len() > MAX_STACK as usize || self.made > MAX_MADE {
                self.choices.clear();
                self.ctl = Ctl::Fail;
                return Event::OutOfMemory;
            }
            left = left.saturating_sub(self.debt.min(left));
            self.debt = self.debt.saturating_sub(steps);
        }
        Event::More
    }

    /// Counts a value that was made.
    fn charge(&mut self, v: &Val) {
        let weight = v.weight();
        self.made += weight;
        self.debt += weight / 512;
    }

    fn push(&mut self, frame: Frame, next: K) -> K {
        let depth = next.as_ref().map_or(0, |k| k.depth) + 1;
        if depth > MAX_STACK {
            self.made = MAX_MADE + 1;
        }
        Some(Arc::new(Kont { frame, next, depth }))
    }

    fn lookup<'a>(&self, env: &'a Env, id: u32) -> Option<&'a Arc<Binding>> {
        let mut at = env;
        while let Some(b) = at {
            if b.id == id {
                return Some(b);
            }
            at = &b.up;
        }
        None
    }

    fn at(&self, env: &Env, id: u32) -> usize {
        match self.lookup(env, id).map(|b| &b.bind) {
            Some(Bind::At(at)) => *at,
            _ => usize::MAX,
        }
    }

    fn eval(&mut self, node: A, env: Env, input: Tv, k: K) -> Option<Event> {
        self.ctl = match &*node {
            Ast::Identity => Ctl::Ret(input, k),
            Ast::Empty => Ctl::Fail,
            Ast::Const(v) => Ctl::Ret(Tv { v: v.clone(), t: input.t.lost() }, k),
            Ast::Var(id) => {
                match self.lookup(&env, *id).or_else(|| self.lookup(&self.globals, *id)).map(|b| &b.bind) {
                    Some(Bind::Val(v)) => Ctl::Ret(Tv { v: v.clone(), t: input.t.lost() }, k),
                    _ => fault("a variable without a value"),
                }
            }
            Ast::Index { term, key, optional } => {
                if let Ast::Const(key) = &**key {
                    let k = self.push(Frame::IndexTerm { key: key.clone(), optional: *optional }, k);
                    Ctl::Eval(term.clone(), env, input, k)
                } else {
                    let plain = Tv { v: input.v.clone(), t: Track::Off };
                    let k = self.push(Frame::IndexKey { node: node.clone(), env: env.clone(), input }, k);
                    Ctl::Eval(key.clone(), env, plain, k)
                }
            }
            Ast::Slice { from, .. } => {
                let plain = Tv { v: input.v.clone(), t: Track::Off };
                let k = self.push(Frame::SliceFrom { node: node.clone(), env: env.clone(), input }, k);
                Ctl::Eval(from.clone(), env, plain, k)
            }
            Ast::Each { term, optional } => {
                let k = self.push(Frame::EachTerm { optional: *optional }, k);
                Ctl::Eval(term.clone(), env, input, k)
            }
            Ast::List(inner) => {
                let at = self.choices.len();
                self.choices.push(Choice::Collect { made: Vec::new(), t: input.t.lost(), k });
                let k = self.push(Frame::Append(at), None);
                Ctl::Eval(inner.clone(), env, Tv { v: input.v, t: Track::Off }, k)
            }
            Ast::Object(_) => {
                let made = Val::obj(Map::default());
                self.object(node, 0, made, env, input, k)
            }
            Ast::Neg(inner) => {
                let k = self.push(Frame::Neg, k);
                Ctl::Eval(inner.clone(), env, input, k)
            }
            Ast::Pipe(l, r) => {
                let k = self.push(Frame::Pipe(r.clone(), env.clone()), k);
                Ctl::Eval(l.clone(), env, input, k)
            }
            Ast::Comma(l, r) => {
                self.choices.push(Choice::Eval(r.clone(), env.clone(), input.clone(), k.clone()));
                Ctl::Eval(l.clone(), env, input, k)
            }
            Ast::Binary(_, _, right) => {
                let plain = Tv { v: input.v.clone(), t: Track::Off };
                let k = self.push(Frame::Right { node: node.clone(), env: env.clone(), input }, k);
                Ctl::Eval(right.clone(), env, plain, k)
            }
            Ast::And(l, _) | Ast::Or(l, _) => {
                let plain = Tv { v: input.v.clone(), t: Track::Off };
                let k = self.push(Frame::Logic { node: node.clone(), env: env.clone(), input }, k);
                Ctl::Eval(l.clone(), env, plain, k)
            }
            Ast::Alt(l, r) => {
                let at = self.choices.len();
                self.choices.push(Choice::Alt {
                    found: false,
                    node: r.clone(),
                    env: env.clone(),
                    input: input.clone(),
                    k: k.clone(),
                });
                let k = self.push(Frame::AltOut(at), k);
                Ctl::Eval(l.clone(), env, input, k)
            }
            Ast::Modify(paths, _) => {
                let at = self.choices.len();
                let (v, t) = (input.v, input.t.lost());
                self.choices.push(Choice::Modify { made: v.clone(), gone: Vec::new(), t, k });
                let k = self.push(Frame::ModPath { node: node.clone(), at, env: env.clone() }, None);
                Ctl::Eval(paths.clone(), env, Tv { v, t: Track::At(None) }, k)
            }
            Ast::If(condition, ..) => {
                let plain = Tv { v: input.v.clone(), t: Track::Off };
                let k = self.push(Frame::If { node: node.clone(), env: env.clone(), input }, k);
                Ctl::Eval(condition.clone(), env, plain, k)
            }
            Ast::Try(body, handler) => {
                let at = self.choices.len();
                let (handler, t) = (handler.clone(), input.t.lost());
                self.choices.push(Choice::Try { handler, env: env.clone(), t, k: k.clone() });
                let k = self.push(Frame::TryOut(at), k);
                Ctl::Eval(body.clone(), env, input, k)
            }
            Ast::As(source, id, body) => {
                let plain = Tv { v: input.v.clone(), t: Track::Off };
                let k = self.push(Frame::As { id: *id, body: body.clone(), env: env.clone(), input }, k);
                Ctl::Eval(source.clone(), env, plain, k)
            }
            Ast::Alternatives(all) => match all.first() {
                Some(first) => {
                    let first = first.clone();
                    let (e, i) = (env.clone(), input.clone());
                    self.choices.push(Choice::Alternatives {
                        node: node.clone(),
                        at: 1,
                        env: e,
                        input: i,
                        k: k.clone(),
                    });
                    Ctl::Eval(first, env, input, k)
                }
                None => Ctl::Fail,
            },
            Ast::Reduce { init, .. } | Ast::Foreach { init, .. } => {
                let k = self
                    .push(Frame::FoldInit { node: node.clone(), env: env.clone(), input: input.clone() }, k);
                Ctl::Eval(init.clone(), env, input, k)
            }
            Ast::ReduceStep(state, update) => {
                let at = self.at(&env, *state);
                let current = self.take_state(at);
                let k = self.push(Frame::Store(at), None);
                Ctl::Eval(update.clone(), env, current, k)
            }
            Ast::ForeachStep(state, update, extract) => {
                let at = self.at(&env, *state);
                let current = self.take_state(at);
                let k = self.push(Frame::ForeachOut { at, extract: extract.clone(), env: env.clone() }, k);
                Ctl::Eval(update.clone(), env, current, k)
            }
            Ast::Def(index, rest) => {
                let id = self.code.functions.get(*index).map_or(0, |f| f.id);
                let env = Some(Arc::new(Binding { id, bind: Bind::Scope, up: env }));
                Ctl::Eval(rest.clone(), env, input, k)
            }
            Ast::Call(index, args) => {
                let code = self.code.clone();
                let f = code.functions.get(*index)?;
                let mut scope = if f.top { None } else { self.lookup(&env, f.id).cloned() };
                for (id, arg) in f.params.iter().zip(args) {
                    // A parameter that is only handed on is not wrapped again.
                    let bind = match &**arg {
                        Ast::Param(p) => match self.lookup(&env, *p).map(|b| &b.bind) {
                            Some(bind) => bind.clone(),
                            None => Bind::Closure(arg.clone(), env.clone()),
                        },
                        Ast::Const(_) => Bind::Closure(arg.clone(), None),
                        _ => Bind::Closure(arg.clone(), env.clone()),
                    };
                    scope = Some(Arc::new(Binding { id: *id, bind, up: scope }));
                }
                Ctl::Eval(f.body.clone(), scope, input, k)
            }
            Ast::Param(id) => match self.lookup(&env, *id).map(|b| b.bind.clone()) {
                Some(Bind::Closure(body, scope)) => Ctl::Eval(body, scope, input, k),
                _ => fault("a parameter without a filter"),
            },
            Ast::Label(id, body) => {
                let at = self.choices.len();
                self.choices.push(Choice::Label);
                let env = Some(Arc::new(Binding { id: *id, bind: Bind::At(at), up: env }));
                Ctl::Eval(body.clone(), env, input, k)
            }
            Ast::Break(id) => {
                let at = self.at(&env, *id);
                self.choices.truncate(at);
                Ctl::Fail
            }
            Ast::Path(inner) => {
                let k = self.push(Frame::PathOut(input.t.lost()), k);
                Ctl::Eval(inner.clone(), env, Tv { v: input.v, t: Track::At(None) }, k)
            }
            Ast::GetPath(path) => {
                let plain = Tv { v: input.v.clone(), t: Track::Off };
                let k = self.push(Frame::GetPath(input), k);
                Ctl::Eval(path.clone(), env, plain, k)
            }
            Ast::Range(from, ..) => {
                let plain = Tv { v: input.v.clone(), t: Track::Off };
                let frame =
                    Frame::RangeBound { node: node.clone(), env: env.clone(), input, got: Vec::new() };
                let k = self.push(frame, k);
                Ctl::Eval(from.clone(), env, plain, k)
            }
            Ast::Limit(n, _) => {
                let plain = Tv { v: input.v.clone(), t: Track::Off };
                let k = self.push(Frame::LimitCount { node: node.clone(), env: env.clone(), input }, k);
                Ctl::Eval(n.clone(), env, plain, k)
            }
            Ast::First(inner) => {
                let at = self.choices.len();
                self.choices.push(Choice::Count(1.0));
                let k = self.push(Frame::Count(at), k);
                Ctl::Eval(inner.clone(), env, input, k)
            }
            Ast::Error => Ctl::Raise(input.v),
            Ast::Input | Ast::InputLine | Ast::InputFile | Ast::Now => {
                let question = match &*node {
                    Ast::Input => Question::Input,
                    Ast::InputLine => Question::Line,
                    Ast::InputFile => Question::File,
                    _ => Question::Now,
                };
                self.ctl = Ctl::Ask(input, k);
                return Some(Event::Ask(question));
            }
            Ast::Tell(debug) => {
                let v = input.v.clone();
                self.ctl = Ctl::Ret(input, k);
                return Some(Event::Tell(*debug, v));
            }
            Ast::Halt(None) => return Some(Event::Halt(None)),
            Ast::Halt(Some(code)) => {
                let k = self.push(Frame::HaltCode(input.v.clone()), k);
                Ctl::Eval(code.clone(), env, input, k)
            }
            Ast::Native(native, args) => match args.last() {
                None => self.native(native, input, &[], k),
                Some(last) => {
                    let plain = Tv { v: input.v.clone(), t: Track::Off };
                    let last = last.clone();
                    let frame =
                        Frame::Args { native, node: node.clone(), env: env.clone(), input, got: Vec::new() };
                    let k = self.push(frame, k);
                    Ctl::Eval(last, env, plain, k)
                }
            },
        };
        None
    }

    fn native(&mut self, native: &'static Native, input: Tv, args: &[Val], k: K) -> Ctl {
        let t = input.t.lost();
        let weight = input.v.weight() + args.iter().map(Val::weight).sum::<usize>();
        self.debt += weight / 256;
        match (native.run)(input.v, args).and_then(Val::shallow) {
            Ok(v) => {
                self.charge(&v);
                Ctl::Ret(Tv { v, t }, k)
            }
            Err(e) => Ctl::Raise(e),
        }
    }

    fn object(&mut self, node: A, at: usize, made: Val, env: Env, input: Tv, k: K) -> Ctl {
        let field = match &*node {
            Ast::Object(fields) => fields.get(at),
            _ => None,
        };
        match field {
            None => {
                self.charge(&made);
                Ctl::Ret(Tv { v: made, t: input.t.lost() }, k)
            }
            Some((key, _)) => {
                let plain = Tv { v: input.v.clone(), t: Track::Off };
                let key = key.clone();
                let k = self.push(Frame::ObjectKey { node, at, made, env: env.clone(), input }, k);
                Ctl::Eval(key, env, plain, k)
            }
        }
    }

    fn take_state(&mut self, at: usize) -> Tv {
        match self.choices.get_mut(at) {
            Some(Choice::State { state, .. }) => {
                let t = state.t.lost();
                std::mem::replace(state, Tv { v: Val::Null, t })
            }
            _ => Tv { v: Val::Null, t: Track::Off },
        }
    }

    fn apply(&mut self, frame: Frame, v: Tv, k: K) -> Option<Event> {
        self.ctl = match frame {
            Frame::Pipe(right, env) => Ctl::Eval(right, env, v, k),
            Frame::IndexKey { node, env, input } => match &*node {
                Ast::Index { term, optional, .. } => {
                    let k = self.push(Frame::IndexTerm { key: v.v, optional: *optional }, k);
                    Ctl::Eval(term.clone(), env, input, k)
                }
                _ => Ctl::Fail,
            },
            Frame::IndexTerm { key, optional } => self.step_into(v, key, optional, k),
            Frame::SliceFrom { node, env, input } => match &*node {
                Ast::Slice { to, .. } => {
                    let (to, plain) = (to.clone(), Tv { v: input.v.clone(), t: Track::Off });
                    let k = self.push(Frame::SliceTo { node, env: env.clone(), input, from: v.v }, k);
                    Ctl::Eval(to, env, plain, k)
                }
                _ => Ctl::Fail,
            },
            Frame::SliceTo { node, env, input, from } => match &*node {
                Ast::Slice { term, optional, .. } => {
                    let mut key = Map::default();
                    key.set("start".into(), from);
                    key.set("end".into(), v.v);
                    let k = self.push(Frame::IndexTerm { key: Val::obj(key), optional: *optional }, k);
                    Ctl::Eval(term.clone(), env, input, k)
                }
                _ => Ctl::Fail,
            },
            Frame::EachTerm { optional } => self.each(v, optional, k),
            Frame::Append(at) => {
                self.made += 32;
                if let Some(Choice::Collect { made, .. }) = self.choices.get_mut(at) {
                    made.push(v.v);
                }
                Ctl::Fail
            }
            Frame::ObjectKey { node, at, made, env, input } => match &*node {
                Ast::Object(fields) => match fields.get(at) {
                    Some((_, value)) => {
                        let (value, plain) = (value.clone(), Tv { v: input.v.clone(), t: Track::Off });
                        let frame = Frame::ObjectVal { node, at, made, key: v.v, env: env.clone(), input };
                        let k = self.push(frame, k);
                        Ctl::Eval(value, env, plain, k)
                    }
                    None => Ctl::Fail,
                },
                _ => Ctl::Fail,
            },
            Frame::ObjectVal { node, at, made, key, env, input } => match (key, made) {
                (Val::Str(key), Val::Obj(mut m)) => {
                    Arc::make_mut(&mut m).set(key, v.v);
                    match Val::Obj(m).shallow() {
                        Ok(made) => self.object(node, at + 1, made, env, input, k),
                        Err(e) => Ctl::Raise(e),
                    }
                }
                (key, _) => fault(format!("Cannot use {} ({}) as object key", key.kind(), short(&key, 15))),
            },
            Frame::Neg => match v.v {
                Val::Num(n, _) => Ctl::Ret(Tv { v: Val::num(-n), t: v.t.lost() }, k),
                other => fault(format!("{} ({}) cannot be negated", other.kind(), short(&other, 15))),
            },
            Frame::Right { node, env, input } => match &*node {
                Ast::Binary(op, left, _) => {
                    let frame = Frame::Left { op: *op, right: v.v, t: input.t.lost() };
                    let k = self.push(frame, k);
                    Ctl::Eval(left.clone(), env, Tv { v: input.v, t: Track::Off }, k)
                }
                _ => Ctl::Fail,
            },
            Frame::Left { op, right, t } => {
                self.debt += (v.v.weight() + right.weight()) / 512;
                match native::binary(op, v.v, right).and_then(Val::shallow) {
                    Ok(v) => {
                        if !matches!(v, Val::Arr(_)) {
                            self.charge(&v);
                        } else {
                            self.made += 32;
                        }
                        Ctl::Ret(Tv { v, t }, k)
                    }
                    Err(e) => Ctl::Raise(e),
                }
            }
            Frame::Logic { node, env, input } => {
                let t = input.t.lost();
                match (&*node, v.v.truthy()) {
                    (Ast::And(..), false) => Ctl::Ret(Tv { v: Val::Bool(false), t }, k),
                    (Ast::Or(..), true) => Ctl::Ret(Tv { v: Val::Bool(true), t }, k),
                    (Ast::And(_, r) | Ast::Or(_, r), _) => {
                        let k = self.push(Frame::Truth(t), k);
                        Ctl::Eval(r.clone(), env, Tv { v: input.v, t: Track::Off }, k)
                    }
                    _ => Ctl::Fail,
                }
            }
            Frame::Truth(t) => Ctl::Ret(Tv { v: Val::Bool(v.v.truthy()), t }, k),
            Frame::AltOut(at) => {
                if v.v.truthy() {
                    if let Some(Choice::Alt { found, .. }) = self.choices.get_mut(at) {
                        *found = true;
                    }
                    Ctl::Ret(v, k)
                } else {
                    Ctl::Fail
                }
            }
            Frame::If { node, env, input } => match &*node {
                Ast::If(_, then, otherwise) => {
                    let branch = if v.v.truthy() { then } else { otherwise };
                    Ctl::Eval(branch.clone(), env, input, k)
                }
                _ => Ctl::Fail,
            },
            Frame::TryOut(at) => {
                if self.choices.len() == at + 1 {
                    self.choices.pop();
                } else {
                    self.choices.push(Choice::TryLeft);
                }
                Ctl::Ret(v, k)
            }
            Frame::As { id, body, env, input } => {
                let env = Some(Arc::new(Binding { id, bind: Bind::Val(v.v), up: env }));
                Ctl::Eval(body, env, input, k)
            }
            Frame::FoldInit { node, env, input } => {
                let at = self.choices.len();
                match &*node {
                    Ast::Reduce { source, .. } => {
                        self.choices.push(Choice::State { state: v, done: Some(k) });
                        let plain = Tv { v: input.v.clone(), t: Track::Off };
                        let k = self
                            .push(Frame::FoldItem { node: node.clone(), at, env: env.clone(), input }, None);
                        Ctl::Eval(source.clone(), env, plain, k)
                    }
                    Ast::Foreach { source, .. } => {
                        self.choices.push(Choice::State { state: v, done: None });
                        let plain = Tv { v: input.v.clone(), t: Track::Off };
                        let k =
                            self.push(Frame::FoldItem { node: node.clone(), at, env: env.clone(), input }, k);
                        Ctl::Eval(source.clone(), env, plain, k)
                    }
                    _ => Ctl::Fail,
                }
            }
            Frame::FoldItem { node, at, env, input } => match &*node {
                Ast::Reduce { item, state, body, .. } | Ast::Foreach { item, state, body, .. } => {
                    let env = Some(Arc::new(Binding { id: *state, bind: Bind::At(at), up: env }));
                    let env = Some(Arc::new(Binding { id: *item, bind: Bind::Val(v.v), up: env }));
                    Ctl::Eval(body.clone(), env, Tv { v: input.v, t: Track::Off }, k)
                }
                _ => Ctl::Fail,
            },
            Frame::Store(at) => {
                if let Some(Choice::State { state, .. }) = self.choices.get_mut(at) {
                    *state = v;
                }
                Ctl::Fail
            }
            Frame::ForeachOut { at, extract, env } => {
                if let Some(Choice::State { state, .. }) = self.choices.get_mut(at) {
                    *state = v.clone();
                }
                Ctl::Eval(extract, env, v, k)
            }
            Frame::ModPath { node, at, env } => match (&v.t, &*node) {
                (Track::At(path), Ast::Modify(_, f)) => {
                    let path = Arc::new(keys(path));
                    let current = match self.choices.get(at) {
                        Some(Choice::Modify { made, .. }) => get_path(made, &path),
                        _ => Ok(Val::Null),
                    };
                    match current {
                        Ok(current) => {
                            let none = self.choices.len();
                            self.choices.push(Choice::ModNone { at, path: path.clone() });
                            let k = self.push(Frame::ModSet { at, none, path }, None);
                            Ctl::Eval(f.clone(), env, Tv { v: current, t: Track::Off }, k)
                        }
                        Err(e) => Ctl::Raise(e),
                    }
                }
                _ => fault(format!("Invalid path expression with result {}", short(&v.v, 30))),
            },
            Frame::ModSet { at, none, path } => {
                self.choices.truncate(none);
                self.charge(&v.v);
                match self.choices.get_mut(at) {
                    Some(Choice::Modify { made, .. }) => {
                        match set_path(std::mem::replace(made, Val::Null), &path, v.v) {
                            Ok(new) => {
                                *made = new;
                                Ctl::Fail
                            }
                            Err(e) => Ctl::Raise(e),
                        }
                    }
                    _ => Ctl::Fail,
                }
            }
            Frame::PathOut(outer) => match &v.t {
                Track::At(path) => {
                    let path = Val::arr(keys(path));
                    self.charge(&path);
                    Ctl::Ret(Tv { v: path, t: outer }, k)
                }
                _ => fault(format!("Invalid path expression with result {}", short(&v.v, 30))),
            },
            Frame::GetPath(input) => match &v.v {
                Val::Arr(path) => {
                    let got = get_path(&input.v, &path.items);
                    match got {
                        Ok(found) => {
                            let t = path.items.iter().fold(input.t, |t, key| t.then(key));
                            Ctl::Ret(Tv { v: found, t }, k)
                        }
                        Err(e) => Ctl::Raise(e),
                    }
                }
                _ => fault("Path must be specified as an array"),
            },
            Frame::RangeBound { node, env, input, mut got } => match &*node {
                Ast::Range(_, to, by) => {
                    got.push(v.v);
                    if got.len() < 3 {
                        let next = if got.len() == 1 { to.clone() } else { by.clone() };
                        let plain = Tv { v: input.v.clone(), t: Track::Off };
                        let k = self
                            .push(Frame::RangeBound { node: node.clone(), env: env.clone(), input, got }, k);
                        Ctl::Eval(next, env, plain, k)
                    } else if let [Val::Num(at, _), Val::Num(to, _), Val::Num(by, _)] = got.as_slice() {
                        let (at, to, by) = (*at, *to, *by);
                        self.choices.push(Choice::Range { at, to, by, t: input.t.lost(), k });
                        Ctl::Fail
                    } else {
                        fault("Range bounds must be numeric")
                    }
                }
                _ => Ctl::Fail,
            },
            Frame::LimitCount { node, env, input } => match &*node {
                Ast::Limit(_, f) => match v.v.compare(&Val::num(0.0)) {
                    std::cmp::Ordering::Equal => Ctl::Fail,
                    std::cmp::Ordering::Less => Ctl::Eval(f.clone(), env, input, k),
                    std::cmp::Ordering::Greater => {
                        let Val::Num(n, _) = v.v else {
                            self.ctl = fault(format!(
                                "{} ({}) and number (1) cannot be subtracted",
                                v.v.kind(),
                                short(&v.v, 15)
                            ));
                            return None;
                        };
                        let at = self.choices.len();
                        self.choices.push(Choice::Count(n));
                        let k = self.push(Frame::Count(at), k);
                        Ctl::Eval(f.clone(), env, input, k)
                    }
                },
                _ => Ctl::Fail,
            },
            Frame::Count(at) => {
                let over = match self.choices.get_mut(at) {
                    Some(Choice::Count(n)) => {
                        *n -= 1.0;
                        *n <= 0.0
                    }
                    _ => true,
                };
                if over {
                    self.choices.truncate(at);
                }
                Ctl::Ret(v, k)
            }
            Frame::Args { native, node, env, input, mut got } => match &*node {
                Ast::Native(_, args) => {
                    got.insert(0, v.v);
                    if got.len() == args.len() {
                        self.native(native, input, &got, k)
                    } else {
                        let next = args.get(args.len() - got.len() - 1)?;
                        let next = next.clone();
                        let plain = Tv { v: input.v.clone(), t: Track::Off };
                        let k = self.push(
                            Frame::Args { native, node: node.clone(), env: env.clone(), input, got },
                            k,
                        );
                        Ctl::Eval(next, env, plain, k)
                    }
                }
                _ => Ctl::Fail,
            },
            Frame::HaltCode(message) => match &v.v {
                Val::Num(..) => return Some(Event::Halt(Some((message, v.v)))),
                _ => fault("halt_error/1: number required"),
            },
        };
        None
    }
}
