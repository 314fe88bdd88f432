//! A cluster of one node, and the pod `p` of the namespace `default`.

use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::time::Duration;

/// One worker with two images on it.
pub fn cluster() -> Cluster {
    let mut settings = Settings::workers(1, Profile::Bare);
    for node in &mut settings.nodes {
        node.images = vec!["nginx:1.27".to_owned(), "busybox:1.36".to_owned()];
    }
    Cluster::forgetful(settings)
}

/// Lets time pass.
pub fn run(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.sim_now() + Duration::from_secs(seconds);
    cluster.run_until(until, || true);
}

/// Creates the pod.
pub fn create(cluster: &mut Cluster, spec: Value) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec});
    assert_eq!(cluster.request(Request::create(&kinds::POD, "default", pod)).code, 201);
}

/// The pod as it is; `None` once it has gone.
pub fn pod(cluster: &mut Cluster) -> Option<Value> {
    let response = cluster.request(Request::get(&kinds::POD, "default", "p"));
    response.into_object().ok().map(|o| o.to_value())
}
