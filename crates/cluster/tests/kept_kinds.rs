//! Kinds on which nothing acts, against what a real API server stored and printed (`data/kept_kinds.jsonl`, recorded).

use podlab_api::kinds;
use podlab_api::printers::table;
use podlab_api::{Door, Request};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::Value;

/// Takes away what differs at every creation, and what controllers wrote that podlab does not have.
fn masked(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in ["uid", "resourceVersion", "creationTimestamp", "managedFields", "finalizers", "labels"] {
            metadata.remove(key);
        }
    }
    object.as_object_mut().unwrap().remove("status");
    object
}

#[test]
fn kept_kinds_are_stored_and_printed_as_recorded() {
    let mut cluster = Cluster::new(Settings { profile: Profile::Api, ..Settings::default() });
    let mut differences = Vec::new();
    for line in include_str!("data/kept_kinds.jsonl").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let manifest = record["manifest"].clone();
        let text = |key: &str| manifest[key].as_str().unwrap().to_owned();
        let kind =
            kinds::by_gvk(&text("apiVersion"), &text("kind")).unwrap_or_else(|| panic!("{}", text("kind")));
        let namespace = if kind.namespaced { "default" } else { "" };
        let answer = cluster.request(Request::create(kind, namespace, manifest.clone())).into_object();
        let object = match answer {
            Ok(object) => object,
            Err(status) => {
                differences.push(format!("{}: {}", kind.kind, status.message));
                continue;
            }
        };
        let (got, want) = (masked(&object.to_value()), masked(&record["object"]));
        if got != want {
            differences.push(format!("{}:\n  got  {got}\n  want {want}", kind.kind));
        }
        let columns: Vec<String> =
            table(kind, &[object], cluster.now()).columns.iter().map(|c| c.name.to_uppercase()).collect();
        let header = record["wide"].as_str().unwrap().lines().next().unwrap_or_default().to_owned();
        let recorded: Vec<&str> =
            header.split("   ").map(str::trim).filter(|word| !word.is_empty()).collect();
        if columns != recorded {
            differences.push(format!("{}: {columns:?} / {recorded:?}", kind.kind));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
