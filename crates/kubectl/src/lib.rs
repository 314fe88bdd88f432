//! kubectl's grammar and output: a client of the API's one door.
//!
//! [`run`] reads a command line; the [`Invocation`] it gives is a small state machine that asks the door and
//! writes to an [`Io`], and says what it waits for. It is plain data: it can be cloned and kept.
//!
//! **Boundary:** [`run`], [`Invocation::step`], [`Io`] and [`complete`].
//! **Invariant:** kubectl knows the cluster only as a [`podlab_api::Door`].
#![forbid(unsafe_code)]

mod cmd;
pub mod complete;
pub mod config;
mod cx;
mod describe;
mod error;
mod flags;
mod go_template;
mod help;
mod invocation;
mod io;
mod kustomize;
mod manifest;
mod policy_rules;
mod print;
mod program;
mod resource;
mod tree;
mod value;

pub use complete::{Completion, complete};
pub use invocation::{Invocation, Step, Wait, run};
pub use io::{DirEntry, Env, FileError, Io, Stdin};
pub use program::{DoorCall, Kubectl};
