//! What the worker of `warm_up.js` runs, so that the browser compiles it: pods come, run for a while and go.
//!
//! It asks nothing of the browser: the worker gives it neither a page nor a clock.

use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::json;
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;

/// How long the pods run, in virtual time: long enough for their probes.
const RUNS: Duration = Duration::from_secs(20);
/// How long they take to go.
const ENDS: Duration = Duration::from_secs(5);

/// Runs pods on the nodes of a cluster that is thrown away, and deletes every other one.
#[wasm_bindgen]
pub fn warm_up(nodes: usize, pods: usize) {
    let mut cluster = Cluster::forgetful(Settings::workers(nodes, Profile::Bare));
    for index in 0..pods {
        cluster.request(Request::create(&kinds::POD, "default", pod(index)));
    }
    let _ = cluster.run_until(cluster.sim_now() + RUNS, || true);
    for index in (0..pods).step_by(2) {
        cluster.request(Request::delete(&kinds::POD, "default", &name(index)));
    }
    let _ = cluster.run_until(cluster.sim_now() + ENDS, || true);
}

fn name(index: usize) -> String {
    format!("pod-{index}")
}

fn pod(index: usize) -> serde_json::Value {
    let container = json!({"name": "c", "image": "nginx:1.27", "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}});
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name(index), "labels": {"app": "a"}}, "spec": {"containers": [container]}});
    if index % 10 == 1 {
        // A shell, and a container that ends and starts again.
        pod["spec"]["containers"][0]["image"] = "busybox:1.36".into();
        pod["spec"]["containers"][0]["command"] = json!(["sh", "-c", "echo going; exit 1"]);
    } else if index.is_multiple_of(3) {
        let probe = json!({"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5});
        pod["spec"]["containers"][0]["livenessProbe"] = probe.clone();
        pod["spec"]["containers"][0]["readinessProbe"] = probe;
    }
    pod
}
