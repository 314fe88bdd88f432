//! Validation: what the API server refuses, in its own words and order.

pub mod field;

pub use field::{ErrorType, FieldError, Path};
