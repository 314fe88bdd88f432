//! Tests of how events are written and counted.

use super::*;
use crate::settings::{Profile, Settings};
use serde_json::{Value, json};

fn about() -> InvolvedObject {
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": {"containers": []}});
    InvolvedObject::of(&Arc::new(Object::from_value(pod).unwrap()))
}

fn server() -> ApiServer {
    crate::World::new(Settings::workers(1, Profile::Api)).api
}

fn counts(api: &ApiServer) -> Vec<(String, i64)> {
    let mut all: Vec<_> = api
        .store()
        .list(&kinds::EVENT)
        .map(|e| {
            let message = e.field("message").and_then(Value::as_str).unwrap_or("").to_owned();
            (message, e.field("count").and_then(Value::as_i64).unwrap_or(0))
        })
        .collect();
    all.sort();
    all
}

#[test]
fn the_same_event_is_counted_until_its_object_had_25() {
    let mut api = server();
    let mut recorder = EventRecorder::new("kubelet", "n");
    for _ in 0..30 {
        recorder.event(&mut api, &about(), EventType::Warning, "BackOff", "again");
    }
    assert_eq!(counts(&api), [("again".to_owned(), 25)]);
    let later = api.now() + std::time::Duration::from_secs(301);
    api.set_now(later);
    recorder.event(&mut api, &about(), EventType::Warning, "BackOff", "again");
    assert_eq!(counts(&api), [("again".to_owned(), 31)]);
}

#[test]
fn the_tenth_message_of_one_reason_is_combined() {
    let mut api = server();
    let mut recorder = EventRecorder::new("kubelet", "n");
    for i in 0..12 {
        recorder.event(&mut api, &about(), EventType::Warning, "Unhealthy", &format!("m{i:02}"));
    }
    let all = counts(&api);
    assert_eq!(all.len(), 10);
    assert_eq!(all[0], ("(combined from similar events): m11".to_owned(), 3));
}
