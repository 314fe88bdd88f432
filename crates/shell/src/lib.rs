//! A POSIX shell subset and the tools pod examples use, on virtual time.
//!
//! A [`Machine`] is one container's process table, open files and mount namespace: plain data, cheap to clone.
//! Its owner calls [`Machine::run`] when the time it was told comes ([`Progress::next`]); nothing here ever
//! waits, reads a clock or starts a thread. Everything outside (time, volumes, network, output) comes through
//! [`Host`].
//!
//! ```
//! use podlab_shell::testing::run;
//! let r = run("for i in 1 2; do echo $i; sleep 1; done; exit 3");
//! assert_eq!((r.stdout.as_str(), r.code, r.seconds), ("1\n2\n", 3, 2.0));
//! ```
//!
//! # Processes
//! Shell and tools alike are [`Program`]s: state machines that a scheduler steps. The shell compiles its
//! syntax tree to a flat instruction list , so that a running script is a program counter
//! and some stacks, can be cloned in the middle of a loop and never uses the native stack for nesting.
//!
//! # CPU
//! A process may run [`BURST`] steps at once and earns [`STEPS_PER_SECOND`] more each virtual second; one that
//! wants more is held back and shows as one busy CPU ([`Machine::cpu_nanos`]).
//!
//! # Caps
//! Script text 256 KiB, nesting 80, variables 1 MiB in all, a pipe 64 KiB, 512 processes,
//! 1,024 open files a process, 32 MiB of real bytes a volume. Beyond: the error a real system would give.
#![forbid(unsafe_code)]

mod context;
mod fs;
mod host;
mod machine;
mod open_file;
mod pattern;
mod process;
mod regex;
mod signal;
mod syntax;
pub mod testing;
mod tools;
mod userland;
mod vm;

pub use context::{Ctx, ENTRYPOINT, Read};
pub use fs::{
    Content, Credentials, Device, Errno, FileSystem, Ino, Inode, Kind, Location, Mount, ROOT, Stat, Volume,
    Volumes,
};
pub use host::{
    DnsAnswer, DnsData, DnsRecord, DnsReply, DnsType, Host, HttpRequest, HttpResponse, NetError, Prompt,
    Stream,
};
pub use machine::{Machine, Next, Progress, Spawn, StartError, Stdin};
pub use process::{
    BURST, Core, Exit, Family, Health, OnSignal, Pid, ProcessInfo, Program, STEPS_PER_SECOND, Step, Wait,
};
pub use regex::matches_whole;
pub use signal::Signal;
pub use tools::unified_hunks;
pub use userland::{Userland, alpine, busybox, debian, distroless, install};
pub use vm::Dialect;
