//! Readers of the upstream test tables: inputs and expected outputs of Kubernetes' own unit tests.
//!
//! A file holds several tables by the name of their test; each row is one unit.

mod bench;
pub(super) mod field_selectors;
pub(super) mod human_duration;
pub(super) mod int_or_string;
pub(super) mod jsonpath;
pub(super) mod kubectl_get;
pub(super) mod kubectl_label_taint;
pub(super) mod kubectl_oracles;
pub(super) mod kubectl_rollout_status;
pub(super) mod kubectl_run_set;
pub(super) mod label_selector_objects;
pub(super) mod label_selectors;
pub(super) mod names_and_labels;
pub(super) mod node_affinity_helpers;
pub(super) mod object_meta_validation;
pub(super) mod pod_requests_limits;
pub(super) mod pod_status_column;
pub(super) mod qos;
pub(super) mod quantities;
pub(super) mod scheduler_plugins;
pub(super) mod strategic_merge_patch;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::compare::has_go;
use super::report::{Figure, Outcome, Recording, Unit};

/// A row, with the key it stands under where the table is a map.
pub(super) struct Row<'a> {
    pub(super) table: &'a str,
    pub(super) key: &'a str,
    pub(super) value: &'a Value,
    /// The whole file, for rows that refer to other parts of it.
    pub(super) file: &'a Value,
}

impl<'a> Row<'a> {
    pub(super) fn field(&self, name: &str) -> &'a Value {
        self.value.get(name).unwrap_or(&Value::Null)
    }

    pub(super) fn text(&self, name: &str) -> &'a str {
        self.field(name).as_str().unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.field(name).as_bool().unwrap_or_default()
    }

    pub(super) fn int(&self, name: &str) -> i64 {
        self.field(name).as_i64().unwrap_or_default()
    }

    /// A row that is a text itself.
    pub(super) fn as_text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }

    /// A field as a type, or the type's default where it is absent.
    pub(super) fn decode<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, Outcome> {
        decode(self.field(name))
    }
}

pub(super) fn decode<T: DeserializeOwned + Default>(value: &Value) -> Result<T, Outcome> {
    if value.is_null() {
        return Ok(T::default());
    }
    serde_json::from_value(value.clone()).map_err(|error| Outcome::Failed {
        expected: "the row's input to decode".to_owned(),
        got: error.to_string(),
    })
}

/// What is done with a table.
pub(super) enum Use {
    /// Compares each row.
    Compare(fn(&Row<'_>) -> Outcome),
    /// Compares each row; one with a value that was not evaluated too, since the comparison needs it not.
    CompareAll(fn(&Row<'_>) -> Outcome),
    /// Holds inputs of other tables.
    Input,
    /// Tests what podlab can never have.
    Skip(&'static str),
}

/// Reads a file of tables. A table that `uses` does not name fails, row by row.
pub(super) fn read(recording: &Recording<'_>, uses: &[(&str, Use)]) -> Result<Vec<Figure>> {
    let file = recording.json()?;
    let tables = file.get("tables").and_then(Value::as_object).context("no `tables`")?;
    let mut units = Vec::new();
    for (table, rows) in tables {
        let use_of = uses.iter().find(|(name, _)| name == table).map(|(_, use_of)| use_of);
        if matches!(use_of, Some(Use::Input)) {
            continue;
        }
        for (key, value) in rows_of(rows) {
            let row = Row { table, key: &key, value, file: &file };
            let name = unit_name(table, &row);
            units.push(Unit::run(name, || match use_of {
                Some(Use::Skip(reason)) => Outcome::Skipped((*reason).to_owned()),
                Some(Use::Compare(_)) if has_go(value) => {
                    Outcome::Skipped("the table did not evaluate a value of this row".to_owned())
                }
                Some(Use::Compare(compare) | Use::CompareAll(compare)) => compare(&row),
                _ => Outcome::Failed { expected: "a comparison".to_owned(), got: "not built yet".to_owned() },
            }));
        }
    }
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

fn rows_of(table: &Value) -> Vec<(String, &Value)> {
    match table {
        Value::Array(rows) => rows.iter().enumerate().map(|(index, row)| (index.to_string(), row)).collect(),
        Value::Object(rows) => rows.iter().map(|(key, row)| (key.clone(), row)).collect(),
        other => vec![(String::new(), other)],
    }
}

fn unit_name(table: &str, row: &Row<'_>) -> String {
    let said = ["name", "cName", "description", "Name", "test"]
        .into_iter()
        .find_map(|field| row.field(field).as_str());
    match said {
        Some(said) => format!("{table}[{}] {said}", row.key),
        None => format!("{table}[{}]", row.key),
    }
}

/// The outcome of a comparison that could not even begin ends it.
pub(super) fn settle(result: Result<Outcome, Outcome>) -> Outcome {
    result.unwrap_or_else(|outcome| outcome)
}
