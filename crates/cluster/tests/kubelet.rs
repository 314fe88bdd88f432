//! Pods from creation to their end, through the whole cluster.

use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::time::Duration;

fn cluster() -> Cluster {
    let mut settings = Settings::workers(1, Profile::Bare);
    for node in &mut settings.nodes {
        node.images = vec!["nginx:1.27".to_owned(), "busybox:1.36".to_owned()];
    }
    Cluster::forgetful(settings)
}

fn run(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.sim_now() + Duration::from_secs(seconds);
    cluster.run_until(until, || true);
}

fn create(cluster: &mut Cluster, spec: Value) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec});
    assert_eq!(cluster.request(Request::create(&kinds::POD, "default", pod)).code, 201);
}

fn pod(cluster: &mut Cluster) -> Option<Value> {
    let response = cluster.request(Request::get(&kinds::POD, "default", "p"));
    response.into_object().ok().map(|o| o.to_value())
}

/// Reason and count of the kubelet's events, in order of their first write.
fn events(cluster: &Cluster) -> Vec<(String, i64)> {
    let mut events: Vec<_> = cluster
        .world()
        .api
        .store()
        .list(&kinds::EVENT)
        .map(|e| e.to_value())
        .filter(|e| e["source"]["component"] == "kubelet")
        .collect();
    events.sort_by_key(|e| e["metadata"]["name"].as_str().unwrap_or("").to_owned());
    let pair = |e: &Value| (e["reason"].as_str().unwrap_or("").to_owned(), e["count"].as_i64().unwrap_or(0));
    events.iter().map(pair).collect()
}

#[test]
fn a_pod_of_a_present_image_runs_and_is_deleted_gracefully() {
    let mut cluster = cluster();
    create(&mut cluster, json!({"containers": [{"name": "web", "image": "nginx:1.27"}]}));
    run(&mut cluster, 2);
    let seen = pod(&mut cluster).unwrap();
    assert_eq!(seen["status"]["phase"], "Running");
    assert_eq!(seen["status"]["containerStatuses"][0]["ready"], true);
    let reasons: Vec<String> = events(&cluster).into_iter().map(|(r, _)| r).collect();
    assert_eq!(reasons, ["Pulled", "Created", "Started"]);
    cluster.request(Request::delete(&kinds::POD, "default", "p"));
    run(&mut cluster, 3);
    assert!(pod(&mut cluster).is_none());
    assert_eq!(events(&cluster).last().map(|(r, _)| r.as_str()), Some("Killing"));
}

#[test]
fn a_crashing_container_backs_off_longer_each_time() {
    let mut cluster = cluster();
    let command = json!(["sh", "-c", "exit 1"]);
    create(&mut cluster, json!({"containers": [{"name": "c", "image": "busybox:1.36", "command": command}]}));
    let mut restarts = Vec::new();
    for second in 0..180 {
        run(&mut cluster, 1);
        let count = pod(&mut cluster).unwrap()["status"]["containerStatuses"][0]["restartCount"].as_u64();
        if count.unwrap_or(0) as usize > restarts.len() {
            restarts.push(second);
        }
    }
    let waits: Vec<u64> = restarts.windows(2).map(|w| w[1] - w[0]).collect();
    let allowed = [(9, 17), (19, 32), (39, 63), (79, 94)];
    assert!(waits.len() >= 3, "{waits:?}");
    for (wait, (from, to)) in waits.iter().zip(allowed) {
        assert!((from..=to).contains(wait), "{waits:?}");
    }
    assert!(events(&cluster).iter().any(|(reason, count)| reason == "BackOff" && *count >= 3));
}

#[test]
fn the_same_cluster_has_the_same_history() {
    let history = || {
        let mut cluster = cluster();
        let probe =
            json!({"httpGet": {"path": "/nope", "port": 80}, "periodSeconds": 2, "failureThreshold": 2});
        create(
            &mut cluster,
            json!({"containers": [{"name": "web", "image": "nginx:1.27", "livenessProbe": probe}]}),
        );
        run(&mut cluster, 120);
        let all: Vec<Value> = cluster.world().api.store().all().map(|o| o.to_value()).collect();
        serde_json::to_string(&all).unwrap()
    };
    assert_eq!(history(), history());
}
