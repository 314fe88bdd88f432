//! podlab shell.
#![forbid(unsafe_code)]
