//! `tables/pod_status_column.json`: the cells of `kubectl get pods`.

use anyhow::Result;
use podlab_api::door::Timestamp;
use podlab_api::{Object, printers};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("TestPrintPod", Use::Compare(cells)),
            ("TestPrintPodwide", Use::Compare(cells)),
            ("TestPrintPodConditions", Use::Compare(cells)),
            ("TestPrintPodList", Use::Compare(cells)),
            ("TestPrintNonTerminatedPod", Use::Compare(cells)),
        ],
    )
}

/// The clock of the table: any will do.
const NOW: i64 = 1_800_000_000;

/// `ago:2 * time.Minute` as the instant that long before now.
fn with_instants(value: &Value, now: Timestamp) -> Value {
    match value {
        Value::String(text) if text == "now" => json!(now.to_string()),
        Value::String(text) => match text.strip_prefix("ago:") {
            Some(ago) => {
                let seconds = ago.split(" * ").map(|factor| match factor {
                    "time.Hour" => 3600,
                    "time.Minute" => 60,
                    "time.Second" => 1,
                    number => number.parse().unwrap_or(1),
                });
                json!((now - Duration::from_secs(seconds.product())).to_string())
            }
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| with_instants(item, now)).collect(),
        Value::Object(fields) => Value::Object(
            fields.iter().map(|(key, field)| (key.clone(), with_instants(field, now))).collect(),
        ),
        other => other.clone(),
    }
}

fn cells(row: &Row<'_>) -> Outcome {
    let now = Timestamp::from_second(NOW).unwrap_or_default();
    let pods = match row.value.get("pods").and_then(|list| list.get("items")).and_then(Value::as_array) {
        Some(pods) => pods.clone(),
        None => vec![row.field("pod").clone()],
    };
    let mut objects = Vec::new();
    for pod in &pods {
        let mut pod = with_instants(pod, now);
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
        match Object::from_value(pod) {
            Ok(object) => objects.push(Arc::new(object)),
            Err(error) => return Outcome::equal("a pod", error.to_string()),
        }
    }
    let Some(kind) = objects.first().map(|object| object.kind) else { return Outcome::Passed };
    let table = printers::table(kind, &objects, now);
    let expected: Vec<&[Value]> = row
        .field("rows")
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| row.get("cells").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default())
        .collect();
    let text = |cell: &Value| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
    let got = table.rows.iter().zip(&expected).map(|(row, expected)| {
        // A table without the columns of `-o wide` says nothing of them.
        row.cells.iter().take(expected.len()).map(|cell| Value::String(text(cell))).collect::<Value>()
    });
    let got: Value = got.collect();
    let expected: Value = expected
        .iter()
        .map(|cells| cells.iter().map(|cell| Value::String(text(cell))).collect::<Value>())
        .collect();
    Outcome::same(&expected, &got)
}
