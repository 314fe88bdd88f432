//! What a jq program is once it is read: names resolved, patterns and assignments taken apart.

use super::native::Native;
use super::value::Val;
use std::sync::Arc;

/// A shared piece of program.
pub(super) type A = Arc<Ast>;

/// Operators between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// A filter. Numbers name variables, parameters, states and labels: each place that binds one has its own.
#[derive(Debug)]
pub(super) enum Ast {
    Identity,
    Empty,
    Const(Val),
    Var(u32),
    Index {
        term: A,
        key: A,
        optional: bool,
    },
    Slice {
        term: A,
        from: A,
        to: A,
        optional: bool,
    },
    Each {
        term: A,
        optional: bool,
    },
    List(A),
    Object(Vec<(A, A)>),
    Neg(A),
    Pipe(A, A),
    Comma(A, A),
    Binary(Op, A, A),
    And(A, A),
    Or(A, A),
    Alt(A, A),
    /// `paths |= f`
    Modify(A, A),
    If(A, A, A),
    Try(A, Option<A>),
    /// A variable's scope.
    As(A, u32, A),
    /// `?//`: the first that raises no error.
    Alternatives(Vec<A>),
    Reduce {
        source: A,
        init: A,
        item: u32,
        state: u32,
        body: A,
    },
    Foreach {
        source: A,
        init: A,
        item: u32,
        state: u32,
        body: A,
    },
    ReduceStep(u32, A),
    ForeachStep(u32, A, A),
    Def(usize, A),
    Call(usize, Vec<A>),
    Param(u32),
    Label(u32, A),
    Break(u32),
    Path(A),
    GetPath(A),
    Range(A, A, A),
    Limit(A, A),
    First(A),
    Error,
    Input,
    InputLine,
    InputFile,
    Now,
    /// `debug` (`true`) and `stderr`.
    Tell(bool),
    Halt(Option<A>),
    Native(&'static Native, Vec<A>),
}

/// A function.
#[derive(Clone, Debug)]
pub(super) struct Function {
    /// What its binding is called, which leads to the scope it was defined in.
    pub id: u32,
    pub params: Vec<u32>,
    pub body: A,
    /// Defined outside of everything: it sees no scope but its own.
    pub top: bool,
}

/// A program ready to run.
#[derive(Debug)]
pub(super) struct Code {
    pub main: A,
    pub functions: Vec<Function>,
    /// `$ENV`, `$__prog_args` and the options' variables: numbers and values.
    pub globals: Vec<(u32, Val)>,
}
