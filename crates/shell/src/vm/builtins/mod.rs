//! Builtins: one function each, and the table of them.

mod control;
mod echo;
mod info;
mod jobs;
mod read;
mod set;
mod trap;
mod vars;

pub(crate) use info::describe;
pub(crate) use read::ReadState;
pub(crate) use vars::quote_if_needed;

use super::Dialect;
use super::shell::{Flow, Shell};
use crate::context::Ctx;

type Run = fn(&mut Shell, &mut Ctx<'_>, &[String]) -> Flow;

/// A builtin command.
#[derive(Clone, Copy)]
pub(crate) struct Builtin {
    pub name: &'static str,
    /// POSIX's special builtins: found before functions, their errors end the shell.
    pub special: bool,
    pub run: Run,
    /// Where it is one.
    shells: &'static [Dialect],
}

const ALL: &[Dialect] = &[Dialect::Ash, Dialect::Dash, Dialect::Bash];
const ASH_BASH: &[Dialect] = &[Dialect::Ash, Dialect::Bash];
const BASH: &[Dialect] = &[Dialect::Bash];

const fn special(name: &'static str, run: Run) -> Builtin {
    Builtin { name, special: true, run, shells: ALL }
}

const fn regular(name: &'static str, run: Run) -> Builtin {
    Builtin { name, special: false, run, shells: ALL }
}

const fn only(name: &'static str, shells: &'static [Dialect], run: Run) -> Builtin {
    Builtin { name, special: false, run, shells }
}

/// All of them, by name.
const TABLE: &[Builtin] = &[
    special(".", control::dot),
    special(":", |_, _, _| Flow::Status(0)),
    regular("[", echo::test),
    regular("alias", info::alias),
    regular("bg", jobs::fg_bg),
    special("break", control::break_),
    only("builtin", BASH, control::builtin),
    regular("cd", vars::cd),
    only("chdir", &[Dialect::Ash, Dialect::Dash], vars::cd),
    regular("command", |_, _, _| Flow::Status(0)),
    special("continue", control::continue_),
    only("declare", BASH, vars::declare),
    regular("echo", echo::echo),
    special("eval", control::eval),
    special("exec", |_, _, _| Flow::Status(0)),
    special("exit", control::exit),
    special("export", vars::export),
    regular("false", |_, _, _| Flow::Status(1)),
    regular("fg", jobs::fg_bg),
    regular("getopts", read::getopts),
    regular("hash", info::hash),
    only("help", ASH_BASH, info::help),
    only("history", ASH_BASH, info::history),
    regular("jobs", jobs::jobs),
    regular("kill", jobs::kill),
    only("let", ASH_BASH, vars::let_),
    regular("local", vars::local),
    only("mapfile", BASH, read::mapfile),
    regular("printf", echo::printf),
    regular("pwd", vars::pwd),
    regular("read", read::read),
    only("readarray", BASH, read::mapfile),
    special("readonly", vars::readonly),
    special("return", control::return_),
    special("set", set::set),
    special("shift", control::shift),
    only("shopt", BASH, set::shopt),
    only("source", ASH_BASH, control::dot),
    regular("test", echo::test),
    special("times", info::times),
    special("trap", trap::trap),
    regular("true", |_, _, _| Flow::Status(0)),
    regular("type", info::type_),
    only("typeset", BASH, vars::declare),
    regular("ulimit", info::ulimit),
    regular("umask", info::umask),
    regular("unalias", info::unalias),
    special("unset", vars::unset),
    regular("wait", jobs::wait),
    only("[[", &[Dialect::Ash], echo::test),
];

/// The builtin of that name in that shell.
pub(crate) fn find(dialect: Dialect, name: &str) -> Option<Builtin> {
    TABLE.iter().find(|b| b.name == name && b.shells.contains(&dialect)).copied()
}
