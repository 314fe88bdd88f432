//! Trees made to hurt: patches, decoding, defaults, validation and printing answer any object and never panic.

mod trees;

use std::time::Instant;

use podlab_api::door::{PatchType, Timestamp};
use podlab_api::patch::{
    KindLookup, apply, apply_json_patch, three_way_json_merge, three_way_strategic, two_way_merge,
    two_way_strategic,
};
use podlab_api::{Object, defaults, go_text, kinds, printers, schema, support, validation};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::Arc;
use trees::{Choices, MANIFESTS, numbers, type_of};

/// Go writes an `items` that is an empty list as null, and reads null as nothing.
fn without_empty_unions(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("items") == Some(&Value::Null) {
                fields.remove("items");
            }
            fields.values_mut().for_each(without_empty_unions);
        }
        Value::Array(items) => items.iter_mut().for_each(without_empty_unions),
        _ => {}
    }
}

/// Takes an object the way of a write: decoded, defaulted, validated, stored and shown.
fn write(object: &Value, old: Option<&Value>) -> Option<Value> {
    let (Some(version), Some(kind)) = (object["apiVersion"].as_str(), object["kind"].as_str()) else {
        return None;
    };
    if let Some(known) = kinds::by_gvk(version, kind) {
        let _ = support::not_simulated(known, object);
    }
    let decoded = schema::decode(version, kind, object);
    match (&decoded, &schema::decode_owned(version, kind, object.clone())) {
        (Ok(decoded), Ok(owned)) => {
            assert_eq!(decoded.value, owned.value, "decoding in place gives the same");
            assert_eq!(decoded.strict_errors, owned.strict_errors);
        }
        (Err(error), Err(owned)) => assert_eq!(error, owned),
        (decoded, owned) => panic!("{decoded:?} but in place {owned:?}"),
    }
    let decoded = decoded.ok()?;
    decoded.strict_error();
    let mut value = decoded.value;
    let again = schema::decode(version, kind, &value).expect("what was encoded is decoded").value;
    without_empty_unions(&mut value);
    assert_eq!(again, value, "decoding what was encoded changes nothing");
    defaults::apply(version, kind, &mut value);
    if kind == "Pod" {
        defaults::pod_level_resources(&mut value);
        defaults::match_label_keys(&mut value);
    }
    let errors: Vec<String> =
        validation::validate_create(version, kind, &value).iter().map(ToString::to_string).collect();
    validation::warnings_on_create(version, kind, &value);
    if let Some(old) = old {
        for (new, old) in [(&value, old), (old, &value)] {
            validation::validate_update(version, kind, new, old);
            validation::warnings_on_update(version, kind, new, old);
            for subresource in ["status", "resize", "ephemeralcontainers"] {
                validation::validate_pod_subresource(subresource, new, old);
            }
        }
    }
    let _ = (go_text::json(&value), go_text::value(&value));
    if let Ok(object) = Object::from_value(value.clone()) {
        let object = Arc::new(object);
        printers::table(object.kind, std::slice::from_ref(&object), Timestamp::UNIX_EPOCH);
        let stored = object.to_value();
        assert_eq!(Object::from_value(stored.clone()).unwrap().to_value(), stored);
    }
    errors.is_empty().then_some(value)
}

#[test]
fn the_manifests_are_valid_as_they_are() {
    for text in MANIFESTS {
        let value: Value = serde_json::from_str(text).unwrap();
        assert!(type_of(&value).is_some(), "{text}");
        let version = value["apiVersion"].as_str().unwrap();
        let kind = value["kind"].as_str().unwrap();
        let mut value = schema::decode(version, kind, &value).unwrap().value;
        value["metadata"]["namespace"] = json!("default");
        defaults::apply(version, kind, &mut value);
        assert!(
            write(&value, Some(&value)).is_some()
                || !validation::validate_create(version, kind, &value).is_empty()
        );
    }
    // Kinds without rules of their own need none.
    let unruled = validation::Support::MetadataOnly("no rules are known for this kind");
    let ruled =
        kinds::ALL.iter().filter(|kind| validation::support(&kind.api_version(), kind.kind) != unruled);
    let all = ruled.filter(|kind| {
        !MANIFESTS.iter().any(|text| text.contains(&format!("\"kind\":\"{}\",\"metadata\"", kind.kind)))
    });
    let missing: Vec<_> = all.map(|kind| kind.kind).collect();
    let expected = [
        "PodTemplate",
        "ControllerRevision",
        "Role",
        "ClusterRoleBinding",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ];
    assert_eq!(missing, expected);
}

/// Operations of a JSON patch, or something near it.
fn operations(choices: &mut Choices<'_>) -> Value {
    const PATHS: &[&str] = &[
        "",
        "/",
        "/metadata",
        "/metadata/labels/a",
        "/metadata/name",
        "/spec",
        "/spec/containers/0",
        "/spec/containers/-",
        "/spec/containers/-1",
        "/spec/containers/99999999999999999999",
        "/spec/template/spec",
        "/a~1b/~0",
        "x",
        "//",
        "/spec/ports/00",
    ];
    (0..choices.below(6))
        .map(|_| {
            let mut operation = json!({"op": choices.pick(&["add", "remove", "replace", "move", "copy", "test", "x"]), "path": choices.pick(PATHS)});
            operation["from"] = json!(choices.pick(PATHS));
            if choices.below(4) > 0 {
                operation["value"] = choices.any(2);
            }
            if choices.below(16) == 15 { choices.any(2) } else { operation }
        })
        .collect()
}

/// Adds the directives of strategic merge patches to a tree.
fn directives(choices: &mut Choices<'_>, value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(|value| directives(choices, value));
            if choices.below(6) == 5 {
                let keys: Vec<String> = map.keys().cloned().collect();
                let key = keys.get(choices.below(keys.len())).cloned().unwrap_or_default();
                let (name, value) = match choices.below(5) {
                    0 => ("$patch".to_owned(), json!(choices.pick(&["delete", "replace", "merge", "x"]))),
                    1 => ("$retainKeys".to_owned(), json!([key, choices.text()])),
                    2 => (format!("$setElementOrder/{key}"), map.get(&key).cloned().unwrap_or_default()),
                    3 => (format!("$deleteFromPrimitiveList/{key}"), choices.any(2)),
                    _ => (key, Value::Null),
                };
                map.insert(name, value);
            }
        }
        Value::Array(items) => {
            items.iter_mut().for_each(|value| directives(choices, value));
            if choices.below(8) == 7 {
                items.push(
                    json!({"$patch": choices.pick(&["delete", "replace", "merge"]), "name": choices.text()}),
                );
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_object_is_decoded_defaulted_and_validated(numbers in numbers(200)) {
        let mut choices = Choices::new(&numbers);
        let first = choices.manifest();
        let stored = write(&first, None);
        let mut second = first;
        choices.change(&mut second);
        write(&second, stored.as_ref());
    }

    #[test]
    fn an_object_made_by_the_schema_alone_is_answered(numbers in numbers(400)) {
        let mut choices = Choices::new(&numbers);
        let kind = choices.pick(kinds::ALL);
        let id = schema::Schema::get().kind(&kind.api_version(), kind.kind).unwrap();
        let mut value = choices.of_type(&schema::GoType::Named(id), 9);
        if let Value::Object(map) = &mut value {
            map.insert("apiVersion".to_owned(), json!(kind.api_version()));
            map.insert("kind".to_owned(), json!(kind.kind));
        }
        write(&value, None);
    }

    #[test]
    fn any_object_is_answered_by_any_definition(numbers in numbers(600)) {
        let mut choices = Choices::new(&numbers);
        let mut definition = json!({"metadata": {"name": "foos.x.io"}});
        let root = schema::Schema::get().type_named("apiextensions/v1.JSONSchemaProps");
        let of_schema = |choices: &mut Choices<'_>| match root {
            Some(root) => choices.of_type(&schema::GoType::Named(root), 8),
            None => choices.any(5),
        };
        let spec = of_schema(&mut choices);
        definition["spec"] = json!({"group": "x.io", "scope": "Namespaced", "names": {"plural": "foos", "kind": "Foo"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "additionalPrinterColumns": [{"name": "A", "type": choices.text(), "jsonPath": choices.text()}],
                "subresources": {"scale": {"specReplicasPath": choices.text(), "statusReplicasPath": ".spec.a"}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec,
                    "status": of_schema(&mut choices)}}}}]});
        definition["status"] = json!({"acceptedNames": {"plural": "foos", "kind": "Foo"},
            "conditions": [{"type": "Established", "status": "True"}]});
        let version = "apiextensions.k8s.io/v1";
        validation::validate_create(version, "CustomResourceDefinition", &definition);
        validation::warnings_on_create(version, "CustomResourceDefinition", &definition);
        let _ = support::not_simulated(&kinds::CUSTOM_RESOURCE_DEFINITION, &definition);
        for kind in podlab_api::custom::kinds_of(&definition) {
            let known = kind.definition().unwrap();
            let mut old = None;
            for _ in 0..2 {
                let sent = json!({"metadata": {"name": "x"}, "spec": choices.any(5), "status": choices.any(4)});
                let mut value = known.prune(sent).value;
                known.apply_defaults(&mut value);
                for subresource in [None, Some("status")] {
                    known.validate(kind, &value, old.as_ref(), subresource);
                }
                let fields = value.as_object().cloned().unwrap_or_default();
                let metadata = Default::default();
                let body = podlab_api::Body::Tree(Arc::new(fields));
                let object = Object { kind, metadata, body, managed: None };
                printers::table(kind, &[Arc::new(object)], Timestamp::UNIX_EPOCH);
                old = Some(value);
            }
        }
    }

    #[test]
    fn any_patch_of_any_object_is_answered(numbers in numbers(200)) {
        let mut choices = Choices::new(&numbers);
        let original = choices.manifest();
        let mut changed = original.clone();
        choices.change(&mut changed);
        let mut current = original.clone();
        choices.change(&mut current);
        let version = original["apiVersion"].as_str().unwrap_or_default();
        let Some(kind) = kinds::by_gvk(version, original["kind"].as_str().unwrap_or_default()) else { return Ok(()) };
        let lookup = KindLookup::new(kind);
        let patch = two_way_merge(&original, &changed);
        if !format!("{changed}").contains("null") {
            prop_assert_eq!(&apply(kind, PatchType::Merge, &original, &patch).unwrap(), &changed);
        }
        let strategic = two_way_strategic(&original, &changed, lookup);
        let three = three_way_strategic(&original, &changed, &current, lookup);
        let mut free = changed.clone();
        directives(&mut choices, &mut free);
        let json = operations(&mut choices);
        let all = [patch, three_way_json_merge(&original, &changed, &current), strategic.unwrap_or_default(), three.unwrap_or_default(), free, json, choices.any(3)];
        for patch in &all {
            for how in [PatchType::Json, PatchType::Merge, PatchType::StrategicMerge, PatchType::Apply] {
                if let Ok(patched) = apply(kind, how, &current, patch) {
                    write(&patched, None);
                }
            }
        }
    }
}

#[test]
fn a_json_patch_cannot_copy_without_end() {
    let started = Instant::now();
    let copy = |path: &str| json!({"op": "copy", "from": "", "path": path});
    let patch = (0..5_000).flat_map(|_| [copy("/a"), copy("/b")]).collect::<Value>();
    let error = apply_json_patch(&json!({"a": "x".repeat(100)}), &patch).unwrap_err().to_string();
    assert!(error.contains("exceeding the limit 3145728"), "{error}");
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn a_json_patch_cannot_nest_without_end() {
    let path = "/a".repeat(150);
    let mut patch = Vec::new();
    for level in 0..100 {
        let value = (0..150).fold(json!({}), |inner, _| json!({"a": inner}));
        patch.push(json!({"op": "add", "path": format!("{}/b", path.repeat(level)), "value": 1}));
        patch.push(json!({"op": "add", "path": format!("{}/a", path.repeat(level)), "value": value}));
    }
    let error = apply_json_patch(&json!({}), &Value::Array(patch)).unwrap_err().to_string();
    assert!(error.contains("exceeded max depth"), "{error}");
}

#[test]
fn depth_ends_in_an_error() {
    let deep = (0..900).fold(json!("x"), |inner, _| json!({"a": [inner]}));
    for text in MANIFESTS {
        let mut value: Value = serde_json::from_str(text).unwrap();
        for field in ["spec", "metadata", "data", "status", "x"] {
            let before = value.clone();
            value[field] = deep.clone();
            write(&value, Some(&before));
            value = before;
        }
    }
    let json_schema = (0..60)
        .fold(json!({"type": "string"}), |inner, _| json!({"type": "object", "properties": {"a": inner}}));
    let mut crd: Value =
        serde_json::from_str(MANIFESTS.iter().find(|m| m.contains("CustomResource")).unwrap()).unwrap();
    crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] = json_schema;
    write(&crd, None);
}
