//! `tables/label_selector_objects.json`: the object form of label selectors.

use anyhow::Result;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use podlab_api::selector::Selector;
use podlab_api::selector::label_selector::{label_selector_as_map, label_selector_as_selector};
use serde_json::{Value, json};

use super::{Row, Use, decode, settle};
use crate::conformance::report::{Figure, Outcome, Recording};

const CBOR: &str = "field ownership and CBOR: bytes that no client of podlab ever sends";

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("TestLabelSelectorAsSelector.matchExpressions", Use::Input),
            ("TestLabelSelectorAsSelector.tc", Use::CompareAll(as_selector)),
            ("TestLabelSelectorAsMap", Use::Compare(as_map)),
            (
                "TestSetMetaDataLabel",
                Use::Skip("a setter of Go's structs, which podlab's maps have no need of"),
            ),
            ("TestFieldsV1MarshalJSON", Use::Skip(CBOR)),
            ("TestFieldsV1MarshalCBOR", Use::Skip(CBOR)),
            ("TestFieldsV1UnmarshalJSON", Use::Skip(CBOR)),
            ("TestFieldsV1UnmarshalCBOR", Use::Skip(CBOR)),
        ],
    )
}

fn object(value: &Value) -> Result<Option<LabelSelector>, Outcome> {
    if value.is_null() { Ok(None) } else { decode(value).map(Some) }
}

fn as_selector(row: &Row<'_>) -> Outcome {
    settle(object(row.field("in")).map(|object| {
        let got = label_selector_as_selector(object.as_ref());
        match (row.flag("expectErr"), row.text("out"), got) {
            (true, _, got) => Outcome::equal("true", got.is_err().to_string()),
            (_, "$go:labels.Nothing()", got) => Outcome::equal("Ok(Nothing)", format!("{got:?}")),
            (_, "$go:labels.Everything()", got) => {
                Outcome::equal(format!("{:?}", Ok::<_, String>(Selector::everything())), format!("{got:?}"))
            }
            (_, out, Ok(got)) => Outcome::equal(out, got.to_string()),
            (_, out, Err(error)) => Outcome::equal(out, error),
        }
    }))
}

fn as_map(row: &Row<'_>) -> Outcome {
    settle(object(row.field("in")).map(|object| {
        let (labels, error) = match label_selector_as_map(object.as_ref()) {
            Ok(labels) => (labels, String::new()),
            Err(wrong) => wrong,
        };
        let expected = row.field("out").as_object().cloned().unwrap_or_default();
        if !error.contains(row.text("errString")) || error.is_empty() != row.text("errString").is_empty() {
            return Outcome::equal(row.text("errString"), error);
        }
        Outcome::same(&Value::Object(expected), &json!(labels))
    }))
}
