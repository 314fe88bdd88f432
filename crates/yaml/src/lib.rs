//! YAML and JSON as kubectl reads and prints them.
//!
//! kubectl reads YAML 1.1 through go-yaml v2, turns it into JSON and prints it the same way back.
//! This crate gives the same values, the same text for what is printed and for what is wrong,
//! and says where in the text each value stands.
//!
//! Nothing here recurses deeper than [`MAX_DEPTH`] or holds more than it was given times a
//! constant, whatever the text is.
#![forbid(unsafe_code)]

mod composer;
mod decode;
mod emitter;
mod error;
mod go_format;
mod json;
mod json_reader;
mod parser;
mod resolver;
mod scanner;
mod spans;
mod stream;

pub use decode::DuplicateKey;
pub use emitter::{to_yaml, try_to_yaml};
pub use error::{ErrorKind, Position, YamlError};
pub use json::{to_json_compact, to_json_indented};
pub use json_reader::{
    json_beginning, json_duplicates, json_fields, json_is_sorted, json_values, parse_json,
};
pub use spans::{Located, PathElement, Span, SpanIndex};
pub use stream::{Document, Documents, Reading, parse_document, parse_documents};

/// Deepest nesting of a value that is read; kubectl's is 10000.
pub const MAX_DEPTH: usize = decode::MAX_VALUE_DEPTH;
