//! `tables/object_meta_validation.json`: the rules of metadata, by way of an object without rules of its own.

use anyhow::Result;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::validation::{FieldError, validate_create, validate_update};
use serde_json::{Value, json};

use super::{Row, Use, decode, settle};
use crate::conformance::report::{Figure, Outcome, Recording};

const OPTIONS: &str = "options of requests that podlab's door has as types, which hold only what is valid";
const FIELDS: &str = "field ownership is written by the API server, never by a client of podlab's";
const CODE: &str = "the row is Go code";

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("TestValidateObjectMetaCustomName", Use::Skip("a rule for names that is made up in the test")),
            ("TestValidateObjectMetaWithOptsName", Use::Skip("a rule for names that is made up in the test")),
            ("TestValidateObjectMetaOwnerReferences", Use::Compare(owner_references)),
            ("TestValidateFinalizersUpdate", Use::Compare(update)),
            ("TestValidateFinalizersPreventConflictingFinalizers", Use::Compare(create)),
            ("TestValidateObjectMetaUpdatePreventsDeletionFieldMutation", Use::Compare(update)),
            ("TestObjectMetaGenerationUpdate", Use::Compare(update)),
            ("TestValidateAnnotations.successCases", Use::Compare(|row| map(row, "annotations"))),
            ("TestValidateAnnotations.nameErrorCases", Use::Compare(annotation_errors)),
            (
                "TestValidateAnnotations.totalSizeErrorCases",
                Use::Compare(|_| Outcome::Skipped(CODE.to_owned())),
            ),
            ("TestValidateObjectMetaDeclaratively.createCases", Use::Skip(CODE)),
            ("TestValidateObjectMetaDeclaratively.updateCases", Use::Skip(CODE)),
            ("TestValidateLabels.successCases", Use::Compare(|row| map(row, "labels"))),
            ("TestValidDryRun", Use::Skip(OPTIONS)),
            ("TestInvalidDryRun", Use::Skip(OPTIONS)),
            ("TestValidateDeleteOptionsWithIgnoreStoreReadError", Use::Skip(OPTIONS)),
            ("TestValidPatchOptions", Use::Skip(OPTIONS)),
            ("TestInvalidPatchOptions", Use::Skip(OPTIONS)),
            ("TestValidateFieldManagerValid", Use::Skip(OPTIONS)),
            ("TestValidateFieldManagerInvalid", Use::Skip(OPTIONS)),
            ("TestValidateManagedFieldsInvalid", Use::Skip(FIELDS)),
            ("TestValidateMangedFieldsValid", Use::Skip(FIELDS)),
            (
                "TestValidateConditions",
                Use::Skip("conditions of extension kinds, which podlab stores as they are"),
            ),
            ("TestLabelSelectorMatchExpression", Use::CompareAll(label_selector)),
        ],
    )
}

fn object(metadata: &Value) -> Value {
    let mut metadata = metadata.clone();
    if let Some(fields) = metadata.as_object_mut() {
        fields.entry("name").or_insert(json!("test"));
        fields.insert("namespace".to_owned(), json!("test"));
    }
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
}

fn texts(errors: &[FieldError]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}

/// Whether the errors are those wanted: none, or one that holds each text.
fn wanted(wanted: &[&str], errors: &[FieldError]) -> Outcome {
    let texts = texts(errors);
    let missing = wanted.iter().find(|part| !texts.iter().any(|text| text.contains(**part)));
    match (wanted.is_empty(), missing) {
        (true, _) => Outcome::equal("[]", format!("{texts:?}")),
        (false, None) => Outcome::Passed,
        (false, Some(part)) => Outcome::equal(*part, format!("{texts:?}")),
    }
}

fn map(row: &Row<'_>, field: &str) -> Outcome {
    wanted(&[], &validate_create("v1", "ConfigMap", &object(&json!({field: row.value}))))
}

fn annotation_errors(row: &Row<'_>) -> Outcome {
    let metadata = json!({"annotations": row.field("annotations")});
    wanted(&[row.text("expect")], &validate_create("v1", "ConfigMap", &object(&metadata)))
}

fn owner_references(row: &Row<'_>) -> Outcome {
    let metadata = json!({"ownerReferences": row.field("ownerReferences")});
    let errors = validate_create("v1", "ConfigMap", &object(&metadata));
    match row.flag("expectError") {
        false => wanted(&[], &errors),
        true => wanted(&[row.text("expectedErrorMessage")], &errors),
    }
}

fn create(row: &Row<'_>) -> Outcome {
    let errors = validate_create("v1", "ConfigMap", &object(row.field("ObjectMeta")));
    let expected = row.text("ExpectedErr");
    wanted(if expected.is_empty() { &[] } else { std::slice::from_ref(&expected) }, &errors)
}

fn update(row: &Row<'_>) -> Outcome {
    // A zero time of Go is an instant all the same.
    let with_time = |metadata: &Value| {
        let mut metadata = metadata.clone();
        if let Some(time) = metadata.get_mut("deletionTimestamp").filter(|time| time.is_object()) {
            *time = json!("2026-01-01T00:00:00Z");
        }
        object(&metadata)
    };
    let errors =
        validate_update("v1", "ConfigMap", &with_time(row.field("New")), &with_time(row.field("Old")));
    let mut expected: Vec<&str> =
        row.field("ExpectedErrs").as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    expected.extend(Some(row.text("ExpectedErr")).filter(|text| !text.is_empty()));
    // The test's path is its own.
    let expected: Vec<&str> = expected.iter().map(|text| text.trim_start_matches("field.")).collect();
    wanted(&expected, &errors)
}

fn label_selector(row: &Row<'_>) -> Outcome {
    settle(decode::<LabelSelector>(row.field("labelSelector")).map(|selector| {
        let got = label_selector_as_selector(Some(&selector));
        Outcome::equal((row.int("wantErrorNumber") > 0).to_string(), got.is_err().to_string())
    }))
}
