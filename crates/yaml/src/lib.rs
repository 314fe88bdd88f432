//! podlab yaml.
#![forbid(unsafe_code)]
