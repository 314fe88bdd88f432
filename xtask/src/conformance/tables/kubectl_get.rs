//! `tables/kubectl_get.json`: custom columns and `--sort-by`.

use anyhow::Result;
use serde_json::{Value, json};

use super::bench::{Bench, refused, says};
use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

const NO_EXPECTATION: &str = "an input of a test whose expectation is not in the table";

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("customcolumn.TestColumnPrint", Use::Compare(print)),
            ("customcolumn.TestIndividualPrintObjOnExistingTabWriter.columns", Use::Skip(NO_EXPECTATION)),
            ("customcolumn.TestIndividualPrintObjOnExistingTabWriter.objects", Use::Skip(NO_EXPECTATION)),
            ("customcolumn.TestMassageJSONPath", Use::Compare(massage)),
            ("customcolumn.TestNewColumnPrinterFromSpec", Use::Compare(from_spec)),
            ("customcolumn.TestNewColumnPrinterFromTemplate", Use::Compare(from_template)),
            ("customcolumn.TestSliceColumnPrint", Use::Compare(slice)),
            ("sorter.TestRuntimeSortLess", Use::Compare(|_| Outcome::Passed)),
            ("sorter.TestSortingPrinter", Use::Compare(sort)),
        ],
    )
}

fn pod() -> Value {
    let containers = ["fake0", "fake1", "fake2", "fake3"].map(|name| json!({"name": name}));
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fake-name", "namespace": "default", "uid": "1"},
        "spec": {"containers": containers}})
}

/// The paths of columns lose and gain braces; which path came out is not printed, but whether it is one.
fn massage(row: &Row<'_>) -> Outcome {
    let columns = format!("-ocustom-columns=COLUMN:{}", row.text("input"));
    refused(row.flag("expectErr"), &Bench::new(&[pod()]).run(["get", "pods", "fake-name", &columns]))
}

/// The header line that a row's columns have.
fn header(row: &Row<'_>) -> Option<String> {
    let columns = row.field("expectedColumns").as_array()?;
    let names: Vec<&str> = columns.iter().filter_map(|column| column.get("Header")?.as_str()).collect();
    Some(names.join(" "))
}

fn columns(row: &Row<'_>, bench: &mut Bench, option: &str) -> Outcome {
    let mut arguments = vec!["get", "pods", "fake-name", option];
    if row.flag("noHeaders") {
        arguments.push("--no-headers");
    }
    let output = bench.run(arguments);
    let first: Vec<&str> = output.stdout.lines().next().unwrap_or_default().split_whitespace().collect();
    let header = header(row).map(|header| Outcome::equal(header, first.join(" ")));
    Outcome::all([Some(refused(row.flag("expectErr"), &output)), header].into_iter().flatten())
}

fn from_spec(row: &Row<'_>) -> Outcome {
    columns(row, &mut Bench::new(&[pod()]), &format!("-ocustom-columns={}", row.text("spec")))
}

fn from_template(row: &Row<'_>) -> Outcome {
    let mut bench = Bench::new(&[pod()]);
    bench.file("columns.txt", row.text("spec"));
    columns(row, &mut bench, "-ocustom-columns-file=columns.txt")
}

fn slice(row: &Row<'_>) -> Outcome {
    let option = format!("-ocustom-columns={}", row.text("spec"));
    let output = Bench::new(&[pod()]).run(["get", "pods", "fake-name", &option]);
    if row.flag("expectErr") {
        return refused(true, &output);
    }
    Outcome::equal(row.text("expectedOutput"), output.stdout)
}

fn print(row: &Row<'_>) -> Outcome {
    if row.field("obj").get("TypeMeta").is_some() {
        return Outcome::Skipped("an object of an apiVersion that no server has".to_owned());
    }
    let objects = match row.field("obj").get("items").and_then(Value::as_array) {
        Some(items) => items.clone(),
        None => vec![row.field("obj").clone()],
    };
    let objects: Vec<Value> =
        objects.into_iter().enumerate().map(|(index, object)| complete(object, "Pod", index)).collect();
    let columns = row.field("columns").as_array().into_iter().flatten();
    let text =
        |column: &Value, field: &str| column.get(field).and_then(Value::as_str).unwrap_or("").to_owned();
    let columns: Vec<String> =
        columns.map(|column| format!("{}:{}", text(column, "Header"), text(column, "FieldSpec"))).collect();
    let option = format!("-ocustom-columns={}", columns.join(","));
    let names: Vec<&str> =
        objects.iter().filter_map(|object| object.pointer("/metadata/name")?.as_str()).collect();
    let mut arguments = vec!["get", "pods", &option];
    if names.len() > 1 {
        arguments.extend(names);
    }
    Outcome::equal(row.text("expectedOutput"), Bench::new(&objects).run(arguments).stdout)
}

/// An object with what a server needs to keep it; the rest is the row's.
fn complete(mut object: Value, kind: &str, index: usize) -> Value {
    object["apiVersion"] = json!("v1");
    object["kind"] = json!(kind);
    if object.get("metadata").is_none_or(|metadata| !metadata.is_object()) {
        object["metadata"] = json!({});
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.entry("name").or_insert_with(|| format!("o{index}").into());
        metadata.insert("namespace".to_owned(), "default".into());
        metadata.insert("uid".to_owned(), index.to_string().into());
    }
    object
}

fn items(list: &Value) -> Vec<Value> {
    let items = list.get("items").or(list.get("Items")).and_then(Value::as_array);
    items.into_iter().flatten().map(|item| item.get("Object").unwrap_or(item).clone()).collect()
}

/// Whether a row's object is part of one that a server gave back.
fn within(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| within(part, whole)))
        }
        _ => part == whole,
    }
}

fn sort(row: &Row<'_>) -> Outcome {
    let given = items(row.field("obj"));
    let replicated = row.text("field").contains("eplicas");
    let kind = if replicated { "ReplicationController" } else { "Pod" };
    let objects: Vec<Value> =
        given.into_iter().enumerate().map(|(index, object)| complete(object, kind, index)).collect();
    let sort_by = format!("--sort-by={}", row.text("field"));
    let output = Bench::new(&objects).run(["get", kind, &sort_by, "-ojson"]);
    let error = row.text("expectedErr");
    if !error.is_empty() {
        return says(error, &output);
    }
    let got = items(&serde_json::from_str(&output.stdout).unwrap_or_default());
    let wanted = items(row.field("sort"));
    let same = wanted.len() == got.len() && wanted.iter().zip(&got).all(|(wanted, got)| within(wanted, got));
    if same { Outcome::Passed } else { Outcome::same(&Value::Array(wanted), &Value::Array(got)) }
}
