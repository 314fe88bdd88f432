//! Decoding, defaulting and validation against what the real API server answered.
//!
//! A record is compared as far as this crate goes: what admission, the allocators or the store add or refuse
//! is the cluster's. Names of records that are not met stand in `known_failures.txt`, which only shrinks.

use podlab_api::schema::{bad_request_message, decode};
use podlab_api::{StatusCause, defaults, kinds, validation};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The recordings, or `None` where they are not at hand.
fn records(name: &str) -> Option<Vec<Value>> {
    let root = std::env::var_os("PODLAB_TRUTH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/truth"));
    let Ok(text) = std::fs::read_to_string(root.join("cluster").join(name)) else {
        println!("skipped: no {name}");
        return None;
    };
    Some(text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect())
}

/// Compares the names of failed records with the list of known ones under `section`.
fn check_against_known(section: &str, passed: usize, failed: &[(String, String)]) {
    println!("{section}: {passed} of {}", passed + failed.len());
    if let Some(path) = std::env::var_os("PODLAB_FAILURES") {
        let text: String = failed.iter().map(|(name, why)| format!("{section} {name}\n{why}\n\n")).collect();
        let _ = std::fs::write(PathBuf::from(path).join(section), text);
    }
    let known: BTreeSet<&str> = include_str!("known_failures.txt")
        .lines()
        .filter_map(|l| l.strip_prefix(section)?.strip_prefix(' '))
        .collect();
    let names: BTreeSet<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    let new: Vec<_> = failed.iter().filter(|(name, _)| !known.contains(name.as_str())).collect();
    let fixed: Vec<_> = known.difference(&names).collect();
    for (name, why) in &new {
        println!("NEW FAILURE {section} {name}\n{why}");
    }
    assert!(new.is_empty(), "{} records fail that are not in known_failures.txt", new.len());
    assert!(fixed.is_empty(), "remove from known_failures.txt, they pass now: {fixed:?}");
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The record's manifest as a tree; `None` where it has none or it is no YAML.
fn manifest(text: &str) -> Option<Value> {
    podlab_yaml::parse_documents(text).documents.into_iter().next().map(|d| d.value).filter(Value::is_object)
}

/// Decoded and defaulted, with what the API server sets before it validates; `Err` is the BadRequest.
///
/// `name` is what was generated where the object asks for that.
fn prepared(value: &Value, name: &str) -> Option<Result<(Value, Vec<String>), String>> {
    let (api_version, kind) = (text(value, "/apiVersion").to_owned(), text(value, "/kind").to_owned());
    let entry = kinds::by_gvk(&api_version, &kind)?;
    let decoded = match decode(&api_version, &kind, value) {
        Ok(decoded) => decoded,
        Err(error) => return Some(Err(bad_request_message(&api_version, &kind, &error.to_string()))),
    };
    let mut object = decoded.value;
    defaults::apply(&api_version, &kind, &mut object);
    let namespaced = entry.namespaced;
    if kind == "DaemonSet" {
        // The strategy counts template generations, and conversion keeps the count in an annotation.
        object["metadata"]["annotations"]["deprecated.daemonset.template.generation"] = "1".into();
    }
    let meta = object.get_mut("metadata").and_then(Value::as_object_mut)?;
    if namespaced && !meta.contains_key("namespace") {
        meta.insert("namespace".into(), "default".into());
    }
    if !namespaced {
        meta.remove("namespace");
    }
    if let Some(prefix) = meta.get("generateName").and_then(Value::as_str).map(str::to_owned)
        && !meta.contains_key("name")
    {
        meta.insert(
            "name".into(),
            if name.is_empty() { format!("{prefix}xxxxx") } else { name.to_owned() }.into(),
        );
    }
    if kind == "Job" {
        generate_job_selector(&mut object);
    }
    if kind == "Service"
        && let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
        && let Some(ip) = spec.get("clusterIP").cloned()
    {
        spec.entry("clusterIPs").or_insert_with(|| json!([ip]));
    }
    if kind == "Pod" {
        // Admission names the service account before validation sees the pod.
        if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
            for field in ["serviceAccountName", "serviceAccount"] {
                spec.entry(field).or_insert_with(|| "default".into());
            }
        }
    }
    Some(Ok((object, decoded.strict_errors)))
}

/// Stands for the uid that the recordings have masked.
const UID: &str = "u-i-d";

/// As the job strategy does it.
fn generate_job_selector(job: &mut Value) {
    job["metadata"]["uid"] = UID.into();
    if job["spec"]["manualSelector"] == json!(true) {
        return;
    }
    let name = job["metadata"]["name"].clone();
    let uid = json!(UID);
    for (key, value) in [
        ("controller-uid", &uid),
        ("batch.kubernetes.io/controller-uid", &uid),
        ("job-name", &name),
        ("batch.kubernetes.io/job-name", &name),
    ] {
        let labels = &mut job["spec"]["template"]["metadata"]["labels"];
        if labels.get(key).is_none() {
            labels[key] = value.clone();
        }
    }
    let selector = &mut job["spec"]["selector"]["matchLabels"];
    if selector.get("batch.kubernetes.io/controller-uid").is_none() {
        selector["batch.kubernetes.io/controller-uid"] = uid;
    }
}

fn causes(status: &Value) -> Vec<(String, String, String)> {
    let all = status.pointer("/details/causes").and_then(Value::as_array).cloned().unwrap_or_default();
    all.iter()
        .map(|c| {
            (text(c, "/field").to_owned(), text(c, "/reason").to_owned(), text(c, "/message").to_owned())
        })
        .collect()
}

fn show(causes: &[(String, String, String)]) -> String {
    causes.iter().map(|(f, r, m)| format!("    {f} [{r}] {m}\n")).collect()
}

fn found(errors: Vec<validation::FieldError>) -> Vec<(String, String, String)> {
    errors
        .into_iter()
        .map(StatusCause::from)
        .map(|c| {
            (
                c.field,
                c.reason,
                c.message.replace(UID, "<uid>").replace("api-access-abcde", "api-access-<suffix>"),
            )
        })
        .collect()
}

#[test]
fn creates_are_refused_as_recorded() {
    let Some(records) = records("validation.jsonl") else { return };
    let (mut passed, mut failed) = (0, Vec::new());
    for record in &records {
        let name = text(record, "/name");
        let elsewhere = ["update/", "again/", "admission/"].iter().any(|p| name.starts_with(p));
        let Some(raw) = record.get("raw").filter(|_| !elsewhere && record.get("pre").is_none()) else {
            continue;
        };
        let Some(tree) = manifest(text(record, "/manifest")) else { continue };
        let code = raw.get("http_code").and_then(Value::as_u64).unwrap_or(0);
        let status = raw.get("status_object").cloned().unwrap_or_default();
        let Some(result) = prepared(&tree, text(&status, "/details/name")) else { continue };
        let outcome = match result {
            Err(message) => {
                if code == 400 && message == text(&status, "/message") {
                    Ok(())
                } else {
                    Err(format!("  got 400 {message}\n  not {code} {}", text(&status, "/message")))
                }
            }
            Ok((object, strict)) => {
                let told: Vec<&str> = raw
                    .pointer("/warnings")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .filter(|w| !w.starts_with("line ") && !w.starts_with("would violate PodSecurity"))
                    .collect();
                let (api_version, kind) = (text(&tree, "/apiVersion"), text(&tree, "/kind"));
                let mut warned: Vec<String> = validation::deprecation_warning(api_version, kind)
                    .map(str::to_owned)
                    .into_iter()
                    .collect();
                warned.extend(strict);
                warned.extend(validation::warnings_on_create(api_version, kind, &object));
                let errors = found(validation::validate_create(
                    text(&tree, "/apiVersion"),
                    text(&tree, "/kind"),
                    &object,
                ));
                let expected = if code == 422 { causes(&status) } else { Vec::new() };
                if code != 422 && code != 201 && code != 400 {
                    // Refused by admission or the store before or after validation.
                    continue;
                }
                if told != warned && code == 201 {
                    Err(format!("  got warnings {warned:?}\n  not {told:?}"))
                } else if code == 400 || errors != expected {
                    Err(format!(
                        "  got\n{}  not {code}\n{}  {}",
                        show(&errors),
                        show(&expected),
                        if code == 400 { text(&status, "/message") } else { "" }
                    ))
                } else {
                    Ok(())
                }
            }
        };
        match outcome {
            Ok(()) => passed += 1,
            Err(why) => failed.push((name.to_owned(), why)),
        }
    }
    check_against_known("create", passed, &failed);
}

/// Takes out of a stored object what admission, allocators, strategies and controllers put in.
fn without_server_side(stored: &Value, ours: &Value) -> Value {
    let mut object = stored.clone();
    let kind = text(stored, "/kind").to_owned();
    let Some(map) = object.as_object_mut() else { return object };
    map.remove("status");
    map.remove("kind");
    map.remove("apiVersion");
    if let Some(meta) = map.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "namespace", "finalizers"]
        {
            meta.remove(field);
        }
        if kind == "Job" {
            meta.remove("labels");
        }
    }
    if let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) {
        let absent = |field: &str| ours.pointer(&format!("/spec/{field}")).is_none();
        let fields: &[&str] = match kind.as_str() {
            "Pod" => &[
                "priority",
                "preemptionPolicy",
                "serviceAccount",
                "serviceAccountName",
                "tolerations",
                "overhead",
                "nodeSelector",
                "imagePullSecrets",
            ],
            "Service" => &["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"],
            "Job" => &["selector"],
            "Namespace" => &["finalizers"],
            "Node" => &["podCIDR", "podCIDRs"],
            "PersistentVolumeClaim" => &["storageClassName", "volumeName"],
            _ => &[],
        };
        for field in fields.iter().filter(|f| absent(f)) {
            spec.remove(*field);
        }
        if kind == "Pod" {
            strip_pod(spec, ours);
        }
        if kind == "Service" {
            let own = ours.pointer("/spec/ports").and_then(Value::as_array).cloned().unwrap_or_default();
            for (i, port) in
                spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten().enumerate()
            {
                if port.get("nodePort").and_then(Value::as_str).is_some() {
                    let given = own.get(i).and_then(|p| p.get("nodePort")).cloned();
                    if let Some(port) = port.as_object_mut() {
                        match given {
                            Some(given) => port.insert("nodePort".into(), given),
                            None => port.remove("nodePort"),
                        };
                    }
                }
            }
            for field in ["clusterIP", "clusterIPs"] {
                if let Some(given) = ours["spec"].get(field).filter(|_| spec.contains_key(field)) {
                    spec.insert(field.into(), given.clone());
                }
            }
        }
        if kind == "Node" {
            // Admission and the node lifecycle add taints of their own.
            let own = ours.pointer("/spec/taints").and_then(Value::as_array).cloned().unwrap_or_default();
            if let Some(taints) = spec.get_mut("taints").and_then(Value::as_array_mut) {
                taints.retain(|t| own.contains(t));
                if taints.is_empty() {
                    spec.remove("taints");
                }
            }
        }
        if kind == "Job"
            && let Some(template) = spec.get_mut("template").and_then(|t| t.get_mut("metadata"))
        {
            template.as_object_mut().map(|m| m.remove("labels"));
        }
    }
    object
}

fn strip_pod(spec: &mut Map<String, Value>, ours: &Value) {
    let is_token = |v: &Value| text(v, "/name").starts_with("kube-api-access-");
    let strip = |holder: &mut Map<String, Value>, field: &str| {
        if let Some(list) = holder.get_mut(field).and_then(Value::as_array_mut) {
            list.retain(|v| !is_token(v));
            if list.is_empty() {
                holder.remove(field);
            }
        }
    };
    strip(spec, "volumes");
    for containers in ["containers", "initContainers"] {
        for container in spec.get_mut(containers).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                strip(container, "volumeMounts");
            }
        }
    }
    if let Some(tolerations) = spec.get_mut("tolerations").and_then(Value::as_array_mut) {
        let own = ours.pointer("/spec/tolerations").and_then(Value::as_array).cloned().unwrap_or_default();
        tolerations.retain(|t| own.contains(t) || !text(t, "/key").starts_with("node.kubernetes.io/"));
    }
}

#[test]
fn defaults_are_those_recorded() {
    let Some(records) = records("defaults.jsonl") else { return };
    let (mut passed, mut failed) = (0, Vec::new());
    for record in &records {
        let name = text(record, "/name");
        let Some(tree) = manifest(text(record, "/manifest")) else { continue };
        let Some(Ok((mut ours, _))) = prepared(&tree, "") else { continue };
        if text(&tree, "/kind") == "Pod" {
            defaults::pod_level_resources(&mut ours);
            defaults::match_label_keys(&mut ours);
        }
        let stored = without_server_side(&record["object"], &ours);
        if let Some(map) = ours.as_object_mut() {
            for field in ["status", "kind", "apiVersion"] {
                map.remove(field);
            }
        }
        if let Some(meta) = ours.get_mut("metadata").and_then(Value::as_object_mut) {
            for field in ["namespace", "creationTimestamp", "finalizers", "uid"] {
                meta.remove(field);
            }
            if meta.contains_key("generateName") {
                meta.insert("name".into(), stored["metadata"]["name"].clone());
            }
            if text(&tree, "/kind") == "Job" {
                meta.remove("labels");
            }
        }
        if text(&tree, "/kind") == "Job"
            && let Some(meta) = ours.pointer_mut("/spec/template/metadata").and_then(Value::as_object_mut)
        {
            meta.remove("labels");
        }
        let ours: Value =
            serde_json::from_str(&ours.to_string().replace(UID, "<uid>")).unwrap_or(Value::Null);
        if ours == stored {
            passed += 1;
        } else {
            let mut why = String::new();
            differences("", &ours, &stored, &mut why);
            failed.push((name.to_owned(), why));
        }
    }
    check_against_known("defaults", passed, &failed);
}

fn differences(path: &str, ours: &Value, theirs: &Value, out: &mut String) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let null = json!(null);
                differences(
                    &format!("{path}.{key}"),
                    a.get(key).unwrap_or(&null),
                    b.get(key).unwrap_or(&null),
                    out,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (x, y)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{i}]"), x, y, out);
            }
        }
        (a, b) if a != b => out.push_str(&format!("  {path}: got {a}, not {b}\n")),
        _ => {}
    }
}

/// Adds what admission adds to every pod, so that diffs have the recorded line numbers.
fn admit_pod(pod: &mut Value) {
    let token = "kube-api-access-abcde";
    let spec = &mut pod["spec"];
    if spec.get("volumes").is_none() {
        spec["volumes"] = json!([{"name": token, "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace",
                "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]}}]);
    }
    for container in spec["containers"].as_array_mut().into_iter().flatten() {
        if container.get("volumeMounts").is_none() {
            container["volumeMounts"] = json!([{"name": token, "readOnly": true,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}]);
        }
    }
    let mut tolerations = spec["tolerations"].as_array().cloned().unwrap_or_default();
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute",
            "tolerationSeconds": 300}));
    }
    spec["tolerations"] = tolerations.into();
    spec["priority"] = 0.into();
    spec["preemptionPolicy"] = "PreemptLowerPriority".into();
}

/// What the API server takes over from the stored object before it validates an update.
fn carry_over(new: &mut Value, old: &Value) {
    for field in ["uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = old["metadata"].get(field) {
            new["metadata"][field] = value.clone();
        }
    }
    if let Some(status) = old.get("status") {
        new["status"] = status.clone();
    }
    let spec = &old["spec"];
    match text(old, "/kind") {
        "Job" => {
            for pointer in ["selector", "template/metadata/labels", "completions"] {
                let given = pointer == "completions" && new["spec"].get(pointer).is_some();
                if let Some(value) = spec.pointer(&format!("/{pointer}")).filter(|_| !given) {
                    let mut at = &mut new["spec"];
                    for step in pointer.split('/') {
                        at = &mut at[step];
                    }
                    *at = value.clone();
                }
            }
        }
        "Service" if new["spec"].get("clusterIP").is_none() && text(new, "/spec/type") != "ExternalName" => {
            for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if let Some(value) = spec.get(field) {
                    new["spec"][field] = value.clone();
                }
            }
        }
        _ => {}
    }
}

#[test]
fn updates_are_refused_as_recorded() {
    let Some(records) = records("validation.jsonl") else { return };
    let (mut passed, mut failed) = (0, Vec::new());
    for record in &records {
        let name = text(record, "/name");
        let Some(put) = record.get("raw_put").filter(|_| name.starts_with("update/")) else { continue };
        let code = put.get("http_code").and_then(Value::as_u64).unwrap_or(0);
        if !matches!(code, 200 | 422) {
            continue;
        }
        let (Some(before), Some(tree)) =
            (manifest(text(record, "/before")), manifest(text(record, "/manifest")))
        else {
            continue;
        };
        let (Some(Ok((mut old, _))), Some(Ok((mut new, _)))) = (prepared(&before, ""), prepared(&tree, ""))
        else {
            continue;
        };
        old["metadata"]["resourceVersion"] = "1".into();
        old["kind"] = before["kind"].clone();
        if text(&old, "/kind") == "Service" && text(&old, "/spec/type") != "ExternalName" {
            let one = old["spec"].get("clusterIP").cloned().unwrap_or_else(|| "10.96.0.9".into());
            old["spec"]["clusterIPs"] = json!([one]);
            old["spec"]["clusterIP"] = one;
        }
        if text(&old, "/kind") == "Pod" {
            admit_pod(&mut old);
            admit_pod(&mut new);
        }
        carry_over(&mut new, &old);
        let (api_version, kind) = (text(&tree, "/apiVersion"), text(&tree, "/kind"));
        let errors = found(validation::validate_update(api_version, kind, &new, &old));
        let expected = causes(&put["status_object"]);
        if errors == expected {
            passed += 1;
        } else {
            failed.push((
                name.to_owned(),
                format!("  got\n{}  not {code}\n{}", show(&errors), show(&expected)),
            ));
        }
    }
    check_against_known("update", passed, &failed);
}
