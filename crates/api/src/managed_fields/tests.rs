//! Sets, merging by key, and what a walk over a value finds.

use super::*;
use crate::kinds;
use serde_json::json;

#[test]
fn sets_are_written_and_read() {
    let written = json!({"f:metadata": {"f:labels": {".": {}, "f:app": {}}},
        "f:spec": {"f:template": {"f:spec": {"f:containers": {
            "k:{\"name\":\"web\"}": {".": {}, "f:image": {}, "f:ports": {
                "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}},
            "f:finalizers": {"v:\"kubernetes\"": {}}, "f:list": {"i:3": {}}}});
    let set = Set::decode(&written).unwrap();
    assert_eq!(set.encode(), written);
    assert_eq!(set.union(&set), set);
    assert_eq!(set.intersection(&set), set);
    assert!(set.difference(&set).is_empty());
}

#[test]
fn elements_of_lists_are_told_apart_by_the_keys_of_their_type() {
    let service = Typed::of(&kinds::SERVICE);
    let value = json!({"spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    let set = field_set(service, &value);
    assert_eq!(
        set.encode(),
        json!({"f:spec": {"f:selector": {}, "f:ports": {
            "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}}})
    );
}

#[test]
fn merging_keeps_the_order_that_is_applied() {
    let pod = Typed::of(&kinds::POD);
    let containers = |names: &[&str]| json!({"spec": {"containers": names.iter().map(|name| json!({"name": name})).collect::<Vec<_>>()}});
    let merged = merge(pod, &containers(&["a", "b", "c"]), &containers(&["c", "x", "a"]));
    assert_eq!(merged, containers(&["b", "c", "x", "a"]));
}
