//! `kubectl get --raw`, line by line as a real API server 1.37 answered a real kubectl.

mod common;

use common::replay::{Lab, replay};

#[test]
fn a_path_is_answered_in_the_api_servers_own_words() {
    replay(include_str!("data/raw.jsonl"));
}

#[test]
fn the_version_and_the_health_are_no_objects() {
    let mut lab = Lab::new();
    assert!(lab.out("get --raw /version").starts_with("{\n  \"major\": \"1\",\n  \"minor\": \"37\",\n"));
    assert_eq!(lab.out("get --raw /healthz"), "ok");
    let (out, err, code) = lab.kubectl(&["get", "--raw", "/api/v1/pods?watch=1"], None);
    assert_eq!((out.as_str(), code), ("", 1));
    assert_eq!(err, "error: podlab does not simulate 'kubectl get --raw /api/v1/pods?watch=1'\n");
}
