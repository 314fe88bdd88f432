//! The server's tables, as `kubectl get` prints them.
//!
//! Source: k8s.io/cli-runtime/pkg/printers/tableprinter.go (v1.37).

use super::tabwriter::TabWriter;
use crate::resource::object_name;
use podlab_api::Table;
use podlab_api::table::{Column, Row};
use serde_json::Value;

/// Which columns are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub no_headers: bool,
    pub wide: bool,
    pub with_namespace: bool,
    /// Names carry their kind: `pod/web`.
    pub with_kind: bool,
    pub show_labels: bool,
    pub label_columns: Vec<String>,
}

impl Options {
    fn shows(&self, column: &Column) -> bool {
        self.wide || column.priority == 0
    }
}

/// Writes the heading of a table.
pub(crate) fn headers(writer: &mut TabWriter, columns: &[Column], options: &Options, event: Option<&str>) {
    if options.no_headers {
        return;
    }
    let mut cells: Vec<String> = Vec::new();
    cells.extend(event.map(str::to_owned));
    if options.with_namespace {
        cells.push("NAMESPACE".to_owned());
    }
    cells.extend(columns.iter().filter(|c| options.shows(c)).map(|c| c.name.to_uppercase()));
    for label in &options.label_columns {
        cells.push(label.rsplit('/').next().unwrap_or("").to_uppercase());
    }
    if options.show_labels {
        cells.push("LABELS".to_owned());
    }
    writer.write(&cells.join("\t"));
    writer.write("\n");
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => {
            let cut = text.find(['\n', '\r', '\u{c}']);
            match cut {
                Some(at) => format!("{}...", escape(text.get(..at).unwrap_or(""))),
                None => escape(text),
            }
        }
        other => other.to_string(),
    }
}

fn escape(text: &str) -> String {
    escape_terminal(text).replace('\t', " ")
}

/// Terminal escapes must not act.
///
/// Source: k8s.io/cli-runtime/pkg/printers/terminal.go (v1.37).
pub(super) fn escape_terminal(text: &str) -> String {
    text.replace('\u{1b}', "^[").replace('\r', "\\r")
}

/// Writes one row.
pub(crate) fn row(
    writer: &mut TabWriter,
    columns: &[Column],
    row: &Row,
    options: &Options,
    event: Option<&str>,
) {
    let mut cells: Vec<String> = Vec::new();
    cells.extend(event.map(str::to_owned));
    let meta = &row.object.metadata;
    if options.with_namespace {
        cells.push(meta.namespace.clone().unwrap_or_default());
    }
    for (column, value) in columns.iter().zip(&row.cells) {
        if !options.shows(column) {
            continue;
        }
        let text = cell(value);
        if column.format == "name" && options.with_kind {
            cells.push(object_name(row.object.kind, &text));
        } else {
            cells.push(text);
        }
    }
    let labels = meta.labels.clone().unwrap_or_default();
    for label in &options.label_columns {
        cells.push(labels.get(label).cloned().unwrap_or_default());
    }
    if options.show_labels {
        let pairs: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        cells.push(if pairs.is_empty() { "<none>".to_owned() } else { pairs.join(",") });
    }
    writer.write(&cells.join("\t"));
    writer.write("\n");
}

/// Writes a whole table.
pub(crate) fn table(writer: &mut TabWriter, table: &Table, options: &Options) {
    headers(writer, &table.columns, options, None);
    for one in &table.rows {
        row(writer, &table.columns, one, options, None);
    }
}
