//! podlab cluster.
#![forbid(unsafe_code)]
