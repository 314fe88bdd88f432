//! `tables/label_selectors.json`: the text form of label selectors.

use anyhow::Result;
use podlab_api::selector::{Operator, Requirement, Selector};
use podlab_api::validation::{BadValue, ErrorType, FieldError};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::{Row, Use, decode, settle};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let good: fn(&Row<'_>) -> Outcome = |row| match Selector::parse(row.as_text()) {
        // Upstream's test: what was read prints as it was written, apart from white space.
        Ok(selector) => Outcome::equal(row.as_text().replace(' ', ""), selector.to_string().replace(' ', "")),
        Err(error) => Outcome::equal("a selector", error.to_string()),
    };
    let bad: fn(&Row<'_>) -> Outcome = |row| {
        let got = if Selector::parse(row.as_text()).is_err() { "an error" } else { "a selector" };
        Outcome::equal("an error", got)
    };
    super::read(
        recording,
        &[
            ("parse_good", Use::Compare(good)),
            ("parse_bad", Use::Compare(bad)),
            ("match", Use::Compare(matches)),
            ("set_parser", Use::Compare(set_parser)),
            ("to_string", Use::Compare(to_string)),
            ("requirement_constructor", Use::CompareAll(constructor)),
            ("requirement_match", Use::Compare(requirement_match)),
            ("lexer", Use::Skip("podlab's lexer shows no tokens: set_parser covers it")),
            ("lexer_sequence", Use::Skip("podlab's lexer shows no tokens: set_parser covers it")),
            ("set_to_string", Use::Compare(set_to_string)),
            ("operators", Use::Compare(operators)),
        ],
    )
}

fn matches(row: &Row<'_>) -> Outcome {
    settle(row.decode::<BTreeMap<String, String>>("labels").map(|labels| {
        match Selector::parse(row.text("selector")) {
            Ok(selector) => {
                Outcome::equal(row.flag("match").to_string(), selector.matches(&labels).to_string())
            }
            Err(error) => Outcome::equal("a selector", error.to_string()),
        }
    }))
}

fn requirement_json(requirement: &Requirement) -> Value {
    json!({"key": requirement.key(), "operator": requirement.operator().name(), "values": requirement.values()})
}

fn set_parser(row: &Row<'_>) -> Outcome {
    let parsed = Selector::parse(row.text("In"));
    if !row.flag("Valid") {
        return Outcome::equal("an error", if parsed.is_err() { "an error" } else { "a selector" });
    }
    let got = match parsed {
        Ok(selector) => selector.requirements().iter().map(requirement_json).collect(),
        Err(error) => Value::String(error.to_string()),
    };
    let same = *row.field("Out") == got;
    if same == row.flag("Match") { Outcome::Passed } else { Outcome::same(row.field("Out"), &got) }
}

/// The requirements of a row, in its order.
fn requirements(value: &Value) -> Result<Vec<Requirement>, Outcome> {
    let one = |value: &Value| {
        let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let wrong = |got: String| Outcome::Failed { expected: "a requirement".to_owned(), got };
        let operator =
            Operator::from_name(text("operator")).ok_or_else(|| wrong(text("operator").to_owned()))?;
        let values = decode(value.get("values").unwrap_or(&Value::Null))?;
        Requirement::new(text("key"), operator, values).map_err(|errors| wrong(format!("{errors:?}")))
    };
    value.as_array().into_iter().flatten().map(one).collect()
}

fn to_string(row: &Row<'_>) -> Outcome {
    settle(requirements(row.field("In")).map(|requirements| {
        Outcome::equal(row.text("Out"), Selector::Requirements(requirements).to_string())
    }))
}

fn requirement_match(row: &Row<'_>) -> Outcome {
    settle(requirements(row.field("Sel")).and_then(|requirements| {
        let labels: BTreeMap<String, String> = row.decode("Set")?;
        let got = Selector::Requirements(requirements).matches(&labels);
        Ok(Outcome::equal(row.flag("Match").to_string(), got.to_string()))
    }))
}

fn error_json(error: &FieldError) -> Value {
    let error_type = match error.error_type {
        ErrorType::NotSupported => "NotSupported",
        _ => "Invalid",
    };
    let bad_value = match &error.bad_value {
        BadValue::Value(value) => value.clone(),
        BadValue::Json(text) => serde_json::from_str(text).unwrap_or_default(),
        BadValue::Omitted => Value::Null,
    };
    json!({"Type": error_type, "Field": error.field, "BadValue": bad_value})
}

fn constructor(row: &Row<'_>) -> Outcome {
    settle(row.decode::<Vec<String>>("Vals").map(|mut values| {
        // The test hands the values over as a sorted set.
        values.sort();
        let operator = Operator::from_name(row.text("Op"));
        let errors = Requirement::errors("", row.text("Key"), operator, row.text("Op"), &values);
        let got: Map<String, Value> =
            errors.iter().enumerate().map(|(index, error)| (index.to_string(), error_json(error))).collect();
        let mut expected = row.field("WantErr").as_object().cloned().unwrap_or_default();
        for error in expected.values_mut() {
            if let Some(Value::String(text)) = error.get_mut("BadValue") {
                // A Go conversion around a text that is there.
                let inner =
                    text.strip_prefix("$go:selection.Operator(\"").and_then(|text| text.strip_suffix("\")"));
                if let Some(inner) = inner.map(str::to_owned) {
                    *text = inner;
                }
            }
        }
        Outcome::same(&Value::Object(expected), &Value::Object(got))
    }))
}

fn set_to_string(row: &Row<'_>) -> Outcome {
    settle(
        row.decode::<BTreeMap<String, String>>("set")
            .map(|labels| Outcome::equal(row.text("out"), Selector::from_set(&labels).to_string())),
    )
}

/// The token read as the operator of a requirement.
fn operators(row: &Row<'_>) -> Outcome {
    let token = row.text("token");
    let text =
        if matches!(token, "in" | "notin") { format!("key {token} (1)") } else { format!("key {token} 1") };
    let got = Selector::parse(&text).err().map(|error| error.to_string());
    let expected = (!row.field("expectedError").is_null()).then(|| {
        format!("unable to parse requirement: found '{token}', expected: in, notin, =, ==, !=, gt, lt")
    });
    Outcome::equal(format!("{expected:?}"), format!("{got:?}"))
}
