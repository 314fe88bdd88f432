//! podlab kubectl.
#![forbid(unsafe_code)]
