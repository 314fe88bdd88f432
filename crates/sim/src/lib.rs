//! podlab sim.
#![forbid(unsafe_code)]
