//! A definition's columns: `additionalPrinterColumns`, or the age alone.
//!
//! Source: k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor/tableconvertor.go (v1.37).

use super::{Definition, leak, text};
use crate::jsonpath::JsonPath;
use crate::printers::since;
use crate::table::Column;
use crate::{Object, Table, table::Row};
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// What stands in a column.
#[derive(Debug)]
pub(super) struct Cell {
    path: Option<JsonPath>,
    kind: &'static str,
}

/// Columns and cells, the name's left out of the cells.
pub(super) fn read(columns: &[Value]) -> (Vec<Column>, Vec<Cell>) {
    let mut heads = vec![Column { name: "Name", kind: "string", format: "name", priority: 0 }];
    let mut cells = Vec::new();
    let mut add = |name: &str, kind: &str, format: &str, priority: i32, path: &str| {
        let kind = leak(kind);
        heads.push(Column { name: leak(name), kind, format: leak(format), priority });
        let path = JsonPath::parse(&format!("{{{path}}}")).ok().map(|path| path.allow_missing_keys(true));
        cells.push(Cell { path, kind });
    };
    if columns.is_empty() {
        add("Age", "date", "", 0, ".metadata.creationTimestamp");
    }
    for column in columns {
        let priority = column.get("priority").and_then(Value::as_i64).unwrap_or(0);
        let priority = i32::try_from(priority).unwrap_or(0);
        let part = |key: &str| text(column, key);
        add(part("/name"), part("/type"), part("/format"), priority, part("/jsonPath"));
    }
    (heads, cells)
}

fn cell(cell: &Cell, object: &Value, now: Timestamp) -> Value {
    let Some(path) = &cell.path else { return Value::Null };
    let Ok(results) = path.find_results(object) else { return Value::Null };
    let Some(first) = results.first().and_then(|results| results.first()) else { return Value::Null };
    let value = first.to_value();
    match cell.kind {
        "string" => {
            let mut text = String::new();
            path.print_results(&mut text, std::slice::from_ref(first));
            text.into()
        }
        "integer" => match value {
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => whole.into(),
                (None, Some(number)) => (number as i64).into(),
                (None, None) => Value::Null,
            },
            _ => Value::Null,
        },
        "number" if value.is_number() => value,
        "boolean" if value.is_boolean() => value,
        "date" => match value.as_str() {
            Some(then) => match then.parse::<Timestamp>() {
                Ok(then) => since(then, now).into(),
                Err(_) => "<invalid>".into(),
            },
            None => Value::Null,
        },
        _ => Value::Null,
    }
}

impl Definition {
    /// The table of objects.
    pub(crate) fn table(&self, objects: &[Arc<Object>], now: Timestamp) -> Table {
        let row = |object: &Arc<Object>| {
            let tree = object.to_value();
            let mut cells = vec![object.name().into()];
            cells.extend(self.cells.iter().map(|one| cell(one, &tree, now)));
            Row { cells, object: Arc::clone(object) }
        };
        Table {
            columns: self.columns().to_vec(),
            rows: objects.iter().map(row).collect(),
            ..Table::default()
        }
    }
}
