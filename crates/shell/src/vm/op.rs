//! The instruction list.

use crate::syntax::{Param, RedirectKind};
use std::sync::Arc;

/// Compiled commands; shared by all processes that run them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Code {
    pub ops: Vec<Op>,
}

/// What a finished word becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    /// Split and globbed, added to the list on top of the lists.
    Fields,
    /// One string, pushed on the strings.
    Single,
    /// One pattern (quoted characters escaped), pushed on the strings.
    Pattern,
    /// One extended regular expression (quoted characters escaped), pushed on the strings.
    Regex,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Op {
    // Words
    WordBegin,
    Text {
        text: Arc<str>,
        quoted: bool,
        split: bool,
    },
    Tilde(Arc<str>),
    /// Appends a parameter without operand words, or with those whose strings are on the stack.
    Param {
        param: Arc<Param>,
        quoted: bool,
    },
    /// Decides whether the operand word of `:-` and kin is used; jumps to `end` if not.
    ParamChoice {
        param: Arc<Param>,
        quoted: bool,
        end: usize,
    },
    /// After the operand word of `=` or `?`.
    ParamOperand {
        param: Arc<Param>,
        quoted: bool,
    },
    /// Forks a child for the ops up to `end` and appends its output.
    CommandSub {
        quoted: bool,
        end: usize,
    },
    /// Evaluates the string on top and appends the number.
    Arith {
        quoted: bool,
    },
    WordEnd(Finish),

    // Simple commands
    SimpleBegin {
        line: u32,
    },
    /// Takes the string on top as the value of an assignment prefix.
    AssignPrefix {
        name: Arc<str>,
        append: bool,
        subscript: bool,
    },
    AssignArray {
        name: Arc<str>,
        append: bool,
    },
    /// Takes the string on top as the redirection's target.
    Redirect {
        fd: Option<u32>,
        kind: RedirectKind,
    },
    /// Runs the simple command on top. `tail`: nothing follows, so that it may replace the shell.
    Exec {
        tail: bool,
    },

    // Compound commands
    /// Applies the redirections of the simple command on top to the shell until `RedirectPop`.
    RedirectPush {
        end: usize,
    },
    RedirectPop,
    Jump(usize),
    JumpIfFail(usize),
    JumpIfOk(usize),
    SetStatus(i32),
    Not,
    /// Failures do not end the shell (`set -e`) until the matching leave.
    TestEnter,
    TestLeave,
    CheckErr,
    LoopEnter {
        brk: usize,
        cont: usize,
    },
    /// Remembers the body's status.
    LoopBody,
    LoopLeave,
    ListBegin,
    /// Takes the list on top as the items of a `for`; `None` in the code means `"$@"`.
    ForItems {
        var: Arc<str>,
        positional: bool,
        line: u32,
    },
    ForNext {
        end: usize,
    },
    CaseBegin,
    /// Matches the pattern on top of the strings; jumps where it does.
    CaseMatch {
        target: usize,
    },
    CaseEnd,
    Function {
        name: Arc<str>,
        body: Arc<Code>,
    },
    /// Forks a child for the ops up to `end`, waits for it.
    Subshell {
        end: usize,
        tail: bool,
    },
    Background {
        end: usize,
        text: Arc<str>,
    },
    PipeBegin,
    PipeStage {
        end: usize,
        last: bool,
    },
    PipeWait,
    /// The end of a child's ops.
    ChildEnd,
    /// The end of a function's body or of a command line.
    Return,
    TimeBegin,
    TimeEnd,
    /// `((…))`: evaluates the string on top; status 0 unless it is zero.
    ArithCommand,
    /// `[[ -x string ]]`, `[[ a op b ]]`.
    TestUnary(Arc<str>),
    TestBinary(Arc<str>),
}
