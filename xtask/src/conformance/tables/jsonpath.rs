//! `tables/jsonpath.json`: client-go's JSONPath.

use anyhow::Result;
use podlab_api::jsonpath::JsonPath;
use serde_json::Value;

use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let strict: fn(&Row<'_>) -> Outcome = |row| check(row, false);
    let lenient: fn(&Row<'_>) -> Outcome = |row| check(row, true);
    super::read(
        recording,
        &[
            ("TestTypesInput.types", Use::Input),
            ("TestTypesInput.sliceTests", Use::Compare(strict)),
            ("TestStructInput.storeData", Use::Input),
            ("TestStructInput.storeTests", Use::Compare(strict)),
            ("TestStructInput.missingKeyTests", Use::Compare(lenient)),
            ("TestStructInput.failStoreTests", Use::Compare(fails)),
            ("TestJSONInput.pointsTests", Use::Compare(strict)),
            ("TestKubernetes.nodesTests", Use::Compare(strict)),
            ("TestKubernetes.randomPrintOrderTests", Use::Compare(strict)),
            ("TestEmptyRange", Use::Compare(lenient)),
        ],
    )
}

fn check(row: &Row<'_>, allow_missing_keys: bool) -> Outcome {
    let template = row.text("template");
    let input = go_field_names(row.field("input"), template.contains("structs"));
    let got = JsonPath::parse(template)
        .and_then(|path| path.allow_missing_keys(allow_missing_keys).execute(&input));
    match got {
        Err(_) if row.flag("expectError") => Outcome::Passed,
        Err(error) => Outcome::equal(row.text("expect"), error.to_string()),
        Ok(got) if same(template, row.text("expect"), &got) => Outcome::Passed,
        Ok(got) => Outcome::equal(row.text("expect"), got),
    }
}

fn fails(row: &Row<'_>) -> Outcome {
    let got = JsonPath::parse(row.text("template")).and_then(|path| path.execute(row.field("input")));
    let got = got.map_or_else(|error| error.to_string(), |text| format!("no error: {text}"));
    // The data was a Go map of integers, of which the row keeps only the values.
    Outcome::equal(row.text("expect").replace("map[string]int ", "map[string]interface {} "), got)
}

/// The `structs` of the input have Go's field names, while their JSON has others.
fn go_field_names(input: &Value, lower: bool) -> Value {
    match input {
        Value::Object(fields) if lower => {
            fields.iter().map(|(key, value)| (key.to_lowercase(), go_field_names(value, lower))).collect()
        }
        Value::Array(items) => items.iter().map(|item| go_field_names(item, lower)).collect(),
        other => other.clone(),
    }
}

/// The same text; or the same JSON values, since a struct's fields have another order than a map's; or, where the
/// template goes through all fields, the same words in another order.
fn same(template: &str, expected: &str, got: &str) -> bool {
    let values = |text: &str| -> Option<Vec<Value>> {
        serde_json::Deserializer::from_str(text).into_iter().collect::<Result<_, _>>().ok()
    };
    let words = |text: &str| {
        let mut words: Vec<String> =
            text.split_whitespace().map(|word| word.trim_matches(['{', '}']).to_owned()).collect();
        words.sort();
        words
    };
    let any_order = template.contains("..") || template.contains(".*");
    let expected_values = values(expected);
    expected == got
        || (expected_values.is_some() && expected_values == values(got))
        || (any_order && words(expected) == words(got))
}
