//! podlab api.
#![forbid(unsafe_code)]
