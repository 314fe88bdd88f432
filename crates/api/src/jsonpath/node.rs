//! The parts of a template.

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// Text outside braces, or in quotes.
    Text(String),
    /// What stands between braces, applied one after the other.
    List(Vec<Node>),
    Field(String),
    /// `range` or `end`; others are an error when applied.
    Identifier(String),
    Array {
        start: Option<i64>,
        end: End,
        step: Option<i64>,
    },
    Filter {
        left: Vec<Node>,
        operator: String,
        right: Vec<Node>,
    },
    Int(i64),
    Float(f64),
    Bool(bool),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Node>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The end of the array.
    Open,
    /// As written.
    At(i64),
    /// One past the start, since only the start was written.
    AfterStart(i64),
}
