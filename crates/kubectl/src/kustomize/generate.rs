//! `configMapGenerator` and `secretGenerator`.
//!
//! Source: sigs.k8s.io/kustomize/api/kv/kv.go, api/internal/generators/*.go, api/hasher/hasher.go (v0.21.1).

use super::{Loader, Resource, Result, object};
use crate::cmd::create::base64;
use crate::value::{at, list, slot, text};
use serde_json::{Value, json};

pub(super) fn run(
    loader: &mut Loader<'_, '_>,
    dir: &str,
    spec: &Value,
    into: &mut Vec<Resource>,
) -> Result<()> {
    for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        for entry in list(spec, &[field]) {
            let made = generate(loader, dir, spec, entry, kind)?;
            absorb(into, made, text(entry, &["behavior"]))?;
        }
    }
    Ok(())
}

fn absorb(into: &mut Vec<Resource>, made: Resource, behavior: &str) -> Result<()> {
    let same = |r: &&mut Resource| r.kind() == made.kind() && r.was(made.namespace(), made.name());
    let old = into.iter_mut().find(same);
    match (old, behavior) {
        (None, "" | "create" | "unspecified") => into.push(made),
        (None, _) => {
            return Err(format!(
                "merging from generator: id {} does not exist; cannot merge or replace",
                made.id()
            ));
        }
        (Some(old), "merge" | "replace") => {
            let mut value = made.value;
            value["metadata"]["name"] = old.name().into();
            for key in ["labels", "annotations"] {
                let mut all = at(&old.value, &["metadata", key]).as_object().cloned().unwrap_or_default();
                all.extend(at(&value, &["metadata", key]).as_object().cloned().unwrap_or_default());
                if !all.is_empty() {
                    value["metadata"][key] = Value::Object(all);
                }
            }
            if !old.namespace().is_empty() {
                value["metadata"]["namespace"] = old.namespace().into();
            }
            if behavior == "merge" {
                for key in ["data", "binaryData"] {
                    let mut all = at(&old.value, &[key]).as_object().cloned().unwrap_or_default();
                    all.extend(at(&value, &[key]).as_object().cloned().unwrap_or_default());
                    if !all.is_empty() {
                        value[key] = Value::Object(all);
                    }
                }
            }
            old.value = value;
            old.hashed = made.hashed;
        }
        (Some(_), _) => {
            return Err(format!(
                "merging from generator: id {} exists; can not use behavior: 'unspecified', behavior must be merge or replace",
                made.id()
            ));
        }
    }
    Ok(())
}

fn generate(
    loader: &mut Loader<'_, '_>,
    dir: &str,
    spec: &Value,
    entry: &Value,
    kind: &str,
) -> Result<Resource> {
    let mut value = object(kind, text(entry, &["name"]));
    let namespace = text(entry, &["namespace"]);
    if !namespace.is_empty() {
        value["metadata"]["namespace"] = namespace.into();
    }
    if kind == "Secret" {
        let given = text(entry, &["type"]);
        value["type"] = if given.is_empty() { "Opaque" } else { given }.into();
    }
    for (key, bytes) in pairs(loader, dir, entry).map_err(|error| format!("loading KV pairs: {error}"))? {
        match (kind, String::from_utf8(bytes)) {
            ("Secret", content) => {
                let bytes = content.map_or_else(|error| error.into_bytes(), String::into_bytes);
                slot(&mut value, &["data"])[&key] = lines(&base64(&bytes)).into();
            }
            (_, Ok(content)) => slot(&mut value, &["data"])[&key] = content.into(),
            (_, Err(error)) => {
                slot(&mut value, &["binaryData"])[&key] = base64(error.as_bytes()).into();
            }
        }
    }
    let options = |key: &str| {
        let (all, own) = (at(spec, &["generatorOptions", key]), at(entry, &["options", key]));
        match (all, own) {
            (Value::Object(all), Value::Object(own)) => {
                Value::Object(all.iter().chain(own).map(|(k, v)| (k.clone(), v.clone())).collect())
            }
            (all, Value::Null) => all.clone(),
            (_, own) => own.clone(),
        }
    };
    for key in ["labels", "annotations"] {
        if let Value::Object(map) = options(key) {
            value["metadata"][key] = Value::Object(map);
        }
    }
    if options("immutable") == Value::Bool(true) {
        value["immutable"] = true.into();
    }
    let hashed = options("disableNameSuffixHash") != Value::Bool(true);
    let mut resource = Resource { value, before: Vec::new(), hashed };
    resource.remember();
    Ok(resource)
}

/// Long values go over lines of 70.
fn lines(text: &str) -> String {
    const LONGEST: usize = 70;
    if text.len() < LONGEST {
        return text.to_owned();
    }
    let mut out = String::new();
    for (index, c) in text.chars().enumerate() {
        if index > 0 && index % LONGEST == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out + "\n"
}

/// Keys and contents that a generator names, in the order in which kustomize reads them.
fn pairs(loader: &mut Loader<'_, '_>, dir: &str, entry: &Value) -> Result<Vec<(String, Vec<u8>)>> {
    let mut out = Vec::new();
    let single = at(entry, &["env"]).as_str().map(|path| json!(path));
    for path in list(entry, &["envs"]).iter().chain(single.iter()) {
        let path = path.as_str().unwrap_or_default();
        let content = loader
            .load(dir, path)
            .map_err(|error| format!("env source files: {}: {error}", sources(entry, "envs")))?;
        for line in String::from_utf8_lossy(&content).lines() {
            let line = line.trim_start();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once('=').unwrap_or((line, ""));
            out.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    for literal in list(entry, &["literals"]) {
        let literal = crate::value::plain(literal);
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            return Err(format!(
                "literal sources {}: invalid literal source {literal}, expected key=value",
                sources(entry, "literals")
            ));
        };
        out.push((key.to_owned(), value.trim_matches(['"', '\'']).as_bytes().to_vec()));
    }
    for source in list(entry, &["files"]) {
        let source = source.as_str().unwrap_or_default();
        let (key, path) = match source.split_once('=') {
            Some((key, path)) => (key, path),
            None => (source.rsplit('/').next().unwrap_or(source), source),
        };
        let content = loader
            .load(dir, path)
            .map_err(|error| format!("file sources: {}: {error}", sources(entry, "files")))?;
        out.push((key.to_owned(), content));
    }
    Ok(out)
}

fn sources(entry: &Value, key: &str) -> String {
    let texts: Vec<String> = list(entry, &[key]).iter().map(crate::value::plain).collect();
    format!("[{}]", texts.join(" "))
}

/// Ten letters and digits that tell the content; the name is looked for where none is, so that it does not count.
pub(super) fn hash(value: &Value) -> String {
    let secret = text(value, &["kind"]) == "Secret";
    let or = |key: &'static str| match at(value, &[key]) {
        Value::Null => (key, json!("")),
        value => (key, value.clone()),
    };
    let mut told = vec![or("data"), or("kind"), ("name", json!(""))];
    if !secret && at(value, &["binaryData"]).is_object() {
        told.insert(0, or("binaryData"));
    }
    if secret {
        told.push(or("type"));
    }
    crate::cmd::create::hash(&told)
}
