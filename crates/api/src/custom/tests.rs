//! Definitions, their versions, fields that go and come.

use super::{kinds_of, priority};
use serde_json::{Value, json};

fn definition(schema: Value) -> Value {
    let names = json!({"plural": "crontabs", "singular": "crontab", "kind": "CronTab", "shortNames": ["ct"]});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "crontabs.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [
            {"name": "v1beta1", "served": true, "storage": false, "schema": {"openAPIV3Schema": {"type": "object"}}},
            {"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
        "status": {"acceptedNames": names, "conditions": [{"type": "Established", "status": "True"}]}})
}

#[test]
fn equal_definitions_make_one_kind_and_versions_are_one_resource() {
    let schema = json!({"type": "object"});
    let (a, b) = (kinds_of(&definition(schema.clone())), kinds_of(&definition(schema)));
    assert!(std::ptr::eq(a[0], b[0]) && a[0].version == "v1" && a[1].version == "v1beta1");
    assert_eq!(a[0], a[1]);
    assert_eq!(a[0].cmp(a[1]), std::cmp::Ordering::Equal);
    assert!(!std::ptr::eq(a[0], a[1]));
    let other = kinds_of(&definition(json!({"type": "object", "properties": {"a": {"type": "string"}}})));
    assert!(!std::ptr::eq(other[0], a[0]) && other[0] == a[0]);
    let mut waiting = definition(json!({"type": "object"}));
    waiting["status"] = json!({});
    assert!(kinds_of(&waiting).is_empty());
}

#[test]
fn versions_are_preferred_as_they_grow_up() {
    let mut all = ["foo", "v1alpha1", "v1", "v2beta1", "v10", "v1beta2", "v2"];
    all.sort_by_key(|version| std::cmp::Reverse(priority(version)));
    assert_eq!(all, ["v10", "v2", "v1", "v2beta1", "v1beta2", "v1alpha1", "foo"]);
}

#[test]
fn unknown_fields_go_and_defaults_come() {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "a": {"type": "integer", "default": 1}, "b": {"type": "object", "default": {}, "properties":
            {"c": {"type": "string", "default": "x"}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "list": {"type": "array", "items": {"type": "object", "properties": {"k": {"type": "string"}}}}}}}});
    let kinds = kinds_of(&definition(schema));
    let definition = kinds[0].definition().unwrap();
    let sent = json!({"kind": "CronTab", "metadata": {"name": "x"}, "spec": {"z": 1, "free": {"q": [1]}, "a": null,
        "list": [{"k": "v", "no": 1}]}, "more": {}});
    let mut pruned = definition.prune(sent);
    assert_eq!(pruned.unknown, ["more", "spec.list[0].no", "spec.z"]);
    definition.apply_defaults(&mut pruned.value);
    assert_eq!(
        pruned.value["spec"],
        json!({"a": 1, "b": {"c": "x"}, "free": {"q": [1]}, "list": [{"k": "v"}]})
    );
}

#[test]
fn beside_booleans_and_lists_a_schema_is_not_looked_at_closely() {
    for (path, let_be) in [
        ("spec.versions[0].schema.openAPIV3Schema.properties.a.readOnly", false),
        ("spec.versions[0].schema.openAPIV3Schema.properties.items.readOnly", false),
        ("spec.versions[0].schema.openAPIV3Schema.properties.a.items.readOnly", true),
        ("spec.versions[0].schema.openAPIV3Schema.anyOf[1].additionalProperties.properties.b.x", true),
        ("spec.versions[0].additional", false),
    ] {
        assert_eq!(super::is_let_be(path), let_be, "{path}");
    }
}
