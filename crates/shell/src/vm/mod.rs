//! The shell itself: compiler, instruction list, interpreter, expansion and builtins.

mod arith;
mod builtins;
mod commands;
mod compile;
mod expand;
mod jobs;
mod messages;
mod op;
mod params;
mod redirect;
mod shell;
mod test_expr;
mod variables;

pub(crate) use shell::Shell;
pub(crate) use test_expr::test_command;

/// Which shell it is: syntax, builtins and texts differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Dialect {
    /// Busybox `sh` (images busybox, alpine).
    #[default]
    Ash,
    /// Debian's `sh`.
    Dash,
    /// GNU bash.
    Bash,
}
