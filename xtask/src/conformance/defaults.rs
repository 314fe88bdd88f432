//! `cluster/defaults.jsonl`: objects as the API server stores them.

use anyhow::Result;
use podlab_cluster::Profile;
use serde_json::Value;

use super::masks::Masks;
use super::report::{Figure, Outcome, Recording, Unit};
use super::{lab, validation};

pub(super) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let mut units = Vec::new();
    for record in recording.lines()? {
        let name = record.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let manifest = validation::manifest(recording, &record)?;
        units.push(Unit::run(name, || compare(&record, &manifest)));
    }
    Ok(vec![Figure { name: recording.name.to_owned(), units }])
}

fn compare(record: &Value, manifest: &str) -> Outcome {
    let mut cluster = lab::empty(Profile::Api);
    let expected = record.get("object").cloned().unwrap_or_default();
    let mut documents = lab::sent_documents(manifest);
    // What kubectl cannot take apart was sent as a whole.
    if documents.is_empty() {
        documents.extend(podlab_yaml::parse_document(manifest).map(|document| document.value));
    }
    // A manifest of several documents is recorded once for each kind.
    let kind = record.get("kind").and_then(Value::as_str);
    let Some(object) = documents.iter().find(|object| object.get("kind").and_then(Value::as_str) == kind)
    else {
        return Outcome::equal(format!("a {kind:?}"), format!("{} documents", documents.len()));
    };
    let Some(response) = lab::create(&mut cluster, object) else {
        return Outcome::equal(expected.to_string(), "no such kind");
    };
    let got = match response.into_object() {
        Ok(object) => lab::written(&object),
        Err(status) => return Outcome::equal(expected.to_string(), status.to_value().to_string()),
    };
    let masked = Masks::default().tree(&expected, &got);
    Outcome::same(&expected, &masked)
}
