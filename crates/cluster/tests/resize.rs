//! Resizes of pods in place.

use podlab_api::door::PatchType;
use podlab_api::{Door, Request, Status, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::time::Duration;

fn cluster() -> Cluster {
    let mut settings = Settings::workers(1, Profile::Bare);
    for node in &mut settings.nodes {
        node.cpu = "4".to_owned();
        node.images = vec!["busybox:1.36".to_owned()];
    }
    Cluster::forgetful(settings)
}

fn run(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.sim_now() + Duration::from_secs(seconds);
    cluster.run_until(until, || true);
}

fn create(cluster: &mut Cluster, name: &str, cpu: &str, policy: Value) {
    let amounts = json!({"cpu": cpu, "memory": "64Mi"});
    let container = json!({"name": "c", "image": "busybox:1.36", "resizePolicy": policy,
        "command": ["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done"],
        "resources": {"requests": amounts, "limits": amounts}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container]}});
    assert_eq!(cluster.request(Request::create(&kinds::POD, "default", pod)).code, 201);
}

fn resize(cluster: &mut Cluster, name: &str, amounts: Value) -> Result<(), Status> {
    let container = json!({"name": "c", "resources": {"requests": amounts, "limits": amounts}});
    let patch = json!({"spec": {"containers": [container]}});
    let mut patch = Request::patch(&kinds::POD, "default", name, PatchType::StrategicMerge, patch);
    patch.subresource = Some("resize".into());
    cluster.request(patch).into_object().map(|_| ())
}

fn status(cluster: &mut Cluster, name: &str) -> Value {
    let object = cluster.request(Request::get(&kinds::POD, "default", name)).into_object().unwrap();
    object.to_value()["status"].clone()
}

/// The condition of a resize: type, reason.
fn condition(status: &Value) -> Option<(String, String)> {
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let found = conditions.into_iter().find(|c| c["type"].as_str().unwrap_or("").starts_with("PodResize"))?;
    Some((found["type"].as_str()?.to_owned(), found["reason"].as_str().unwrap_or("").to_owned()))
}

fn reasons(cluster: &Cluster) -> Vec<String> {
    let events = cluster.world().api.store().list(&kinds::EVENT).map(|e| e.to_value());
    let mut found: Vec<_> =
        events.filter(|e| e["reason"].as_str().unwrap_or("").starts_with("Resize")).collect();
    found.sort_by_key(|e| e["metadata"]["name"].as_str().unwrap_or("").to_owned());
    found.iter().map(|e| e["reason"].as_str().unwrap_or("").to_owned()).collect()
}

#[test]
fn more_cpu_comes_without_a_restart() {
    let mut cluster = cluster();
    create(&mut cluster, "p", "100m", json!(null));
    run(&mut cluster, 3);
    resize(&mut cluster, "p", json!({"cpu": "200m"})).unwrap();
    run(&mut cluster, 2);
    let status = status(&mut cluster, "p");
    let container = &status["containerStatuses"][0];
    assert_eq!(container["restartCount"], 0);
    assert_eq!(container["resources"]["limits"]["cpu"], "200m");
    assert_eq!(container["allocatedResources"]["cpu"], "200m");
    assert_eq!(condition(&status), None);
    assert_eq!(reasons(&cluster), ["ResizeStarted", "ResizeCompleted"]);
}

#[test]
fn a_policy_may_ask_for_a_restart() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        "p",
        "100m",
        json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]),
    );
    run(&mut cluster, 3);
    resize(&mut cluster, "p", json!({"memory": "128Mi"})).unwrap();
    run(&mut cluster, 5);
    let status = status(&mut cluster, "p");
    let container = &status["containerStatuses"][0];
    assert_eq!(container["restartCount"], 1);
    assert_eq!(container["resources"]["limits"]["memory"], "128Mi");
    assert_eq!(condition(&status), None);
}

#[test]
fn a_resize_waits_until_another_pod_makes_room() {
    let mut cluster = cluster();
    create(&mut cluster, "p", "100m", json!(null));
    create(&mut cluster, "filler", "500m", json!(null));
    run(&mut cluster, 3);
    resize(&mut cluster, "p", json!({"cpu": "3600m"})).unwrap();
    run(&mut cluster, 2);
    let waiting = status(&mut cluster, "p");
    assert_eq!(condition(&waiting), Some(("PodResizePending".to_owned(), "Deferred".to_owned())));
    assert_eq!(waiting["containerStatuses"][0]["allocatedResources"]["cpu"], "100m");
    cluster.request(Request::delete(&kinds::POD, "default", "filler"));
    run(&mut cluster, 5);
    let done = status(&mut cluster, "p");
    assert_eq!(condition(&done), None);
    assert_eq!(done["containerStatuses"][0]["resources"]["requests"]["cpu"], "3600m");
    assert_eq!(reasons(&cluster), ["ResizeDeferred", "ResizeStarted", "ResizeCompleted"]);
}

#[test]
fn a_wish_taken_back_leaves_no_trace() {
    let mut cluster = cluster();
    create(&mut cluster, "p", "100m", json!(null));
    create(&mut cluster, "filler", "500m", json!(null));
    run(&mut cluster, 3);
    resize(&mut cluster, "p", json!({"cpu": "3600m"})).unwrap();
    run(&mut cluster, 2);
    resize(&mut cluster, "p", json!({"cpu": "100m"})).unwrap();
    run(&mut cluster, 2);
    assert_eq!(condition(&status(&mut cluster, "p")), None);
}

#[test]
fn a_node_that_could_never_hold_it_is_an_answer_at_once() {
    let mut cluster = cluster();
    create(&mut cluster, "p", "100m", json!(null));
    run(&mut cluster, 3);
    let refused = resize(&mut cluster, "p", json!({"cpu": "64"})).unwrap_err();
    let why = "node didn't have enough allocatable resources: cpu, requested: 64000, allocatable: 4000";
    assert_eq!(refused.message, format!("pods \"p\" is forbidden: {why}"));
}

#[test]
fn a_memory_limit_does_not_fall_below_what_is_used() {
    let mut cluster = cluster();
    create(&mut cluster, "p", "100m", json!(null));
    run(&mut cluster, 3);
    resize(&mut cluster, "p", json!({"memory": "4Ki"})).unwrap();
    run(&mut cluster, 3);
    let status = status(&mut cluster, "p");
    assert_eq!(condition(&status), Some(("PodResizeInProgress".to_owned(), "Error".to_owned())));
    assert_eq!(status["containerStatuses"][0]["resources"]["limits"]["memory"], "64Mi");
    assert_eq!(reasons(&cluster), ["ResizeStarted", "ResizeError"]);
}
