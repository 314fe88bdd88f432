//! Answers of sigs.k8s.io/yaml v1.6.0 (go.yaml.in/yaml/v2 v2.4.4) and of apimachinery v0.37.2's
//! `YAMLOrJSONDecoder`, recorded for texts that were made by damaging short documents.
//!
//! A line of `data/go-yaml.jsonl`: `text`; `documents` (compact JSON each), `yaml` (each printed
//! again, or `ERR` and why not) and `error` of the stream decoder; `single` or `single_error` of
//! `YAMLToJSON`; `strict_error` where only `YAMLToJSONStrict` fails.

use podlab_yaml::{parse_document, parse_documents, to_json_compact, try_to_yaml};
use serde_json::{Value, json};

#[test]
fn texts_are_read_printed_and_refused_as_go_does() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for line in include_str!("data/go-yaml.jsonl").split('\n').filter(|line| !line.is_empty()) {
        let expected: Value = serde_json::from_str(line).unwrap();
        let text = expected["text"].as_str().unwrap();
        let mut got = json!({ "text": text });
        let read = parse_documents(text);
        if !read.documents.is_empty() {
            let values = read.documents.iter().map(|document| &document.value);
            got["documents"] = values.clone().map(to_json_compact).collect();
            got["yaml"] = values
                .map(|value| try_to_yaml(value).unwrap_or_else(|e| format!("ERR {}", e.text)))
                .collect();
        }
        if let Some(error) = read.error {
            got["error"] = error.to_string().into();
        }
        match parse_document(text) {
            Ok(document) => {
                got["single"] = to_json_compact(&document.value).into();
                if !document.duplicates.is_empty() {
                    let lines: Vec<_> = document.duplicates.iter().map(|key| key.text.as_str()).collect();
                    got["strict_error"] = format!("yaml: unmarshal errors:\n  {}", lines.join("\n  ")).into();
                }
            }
            Err(error) => got["single_error"] = error.text.into(),
        }
        cases += 1;
        if got != expected {
            wrong.push(format!("expected {expected}\n     got {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong.join("\n"));
}
