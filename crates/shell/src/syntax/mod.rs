//! Source text to syntax tree.
//!
//! An own recursive-descent parser rather than brush-parser: it reads one command at a time as shells do (what
//! stands before a syntax error still runs), words errors as ash, dash and bash each do, counts its nesting so that
//! no input overflows the stack, and adds a fraction of the size to the page.

mod ast;
mod braces;
mod error;
mod parser;
mod words;

pub(crate) use ast::*;
pub(crate) use braces::expand_braces;
pub(crate) use error::{ErrorKind, SyntaxError};
pub(crate) use parser::{Parsed, Parser, is_name};
