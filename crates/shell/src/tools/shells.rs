//! `sh`, `ash`, `dash`, `bash`.

use crate::process::{Family, Program};
use crate::vm::{Dialect, Shell};

pub(super) fn sh(args: &[String], family: Family) -> Box<dyn Program> {
    let dialect = if family == Family::Busybox { Dialect::Ash } else { Dialect::Dash };
    Box::new(Shell::from_args(dialect, args))
}

pub(super) fn ash(args: &[String], _: Family) -> Box<dyn Program> {
    Box::new(Shell::from_args(Dialect::Ash, args))
}

pub(super) fn dash(args: &[String], _: Family) -> Box<dyn Program> {
    Box::new(Shell::from_args(Dialect::Dash, args))
}

pub(super) fn bash(args: &[String], _: Family) -> Box<dyn Program> {
    Box::new(Shell::from_args(Dialect::Bash, args))
}
