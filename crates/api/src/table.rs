//! Tables as the server prints them for `kubectl get`.

use crate::Object;
use serde_json::Value;
use std::sync::Arc;

/// A `meta.k8s.io/v1` Table: what `kubectl get` shows.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Columns from left to right.
    pub columns: Vec<Column>,
    /// One row an object.
    pub rows: Vec<Row>,
    /// `metadata.resourceVersion` of the list.
    pub resource_version: u64,
    /// `metadata.continue`, where the list was cut by a limit.
    pub continue_token: Option<String>,
    /// `metadata.remainingItemCount`.
    pub remaining: Option<i64>,
}

/// The definition of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Heading, in the server's case (`Nominated Node`).
    pub name: &'static str,
    /// `string`, `integer`, `date`.
    pub kind: &'static str,
    /// `name` for the name column, else empty.
    pub format: &'static str,
    /// 0 for every output, 1 for `-o wide` alone.
    pub priority: i32,
}

/// One row of a [`Table`].
#[derive(Clone, Debug)]
pub struct Row {
    /// One value a column: strings and integers.
    pub cells: Vec<Value>,
    /// The object the row is about.
    pub object: Arc<Object>,
}
