//! Selectors: of labels (text and object form), of nodes by affinity terms, and of fields.

pub mod content;
pub mod error;
pub mod field;
pub mod label;
pub mod label_selector;
mod lexer;
pub mod node;
mod parser;
pub mod requirement;
pub mod supported_fields;

pub use error::{FieldError, aggregate};
pub use field::FieldSelector;
pub use label::{Labels, Selector};
pub use requirement::{Mismatch, Operator, Requirement};
