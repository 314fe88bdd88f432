//! How long the scheduler takes: `cargo run --release -p podlab-cluster --example schedule -- NODES PODS [OWNED]`.
//!
//! Prints wall time from the first create to the last binding; with a third argument the pods belong to one
//! ReplicaSet, so that they are spread by default.

use podlab_api::{Object, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::json;
use std::time::{Duration, Instant};

fn main() {
    let mut numbers = std::env::args().skip(1).filter_map(|a| a.parse::<usize>().ok());
    let (nodes, pods) = (numbers.next().unwrap_or(100), numbers.next().unwrap_or(1000));
    let owned = numbers.next().is_some();
    let mut settings = Settings::workers(nodes, Profile::Scheduling);
    for node in &mut settings.nodes {
        node.cpu = "32".to_owned();
        node.memory = "64Gi".to_owned();
    }
    let start = Instant::now();
    let mut cluster = Cluster::forgetful(settings);
    let built = start.elapsed();
    let start = Instant::now();
    let mut objects = Vec::new();
    if owned {
        let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": "web", "namespace": "default", "uid": "set"},
            "spec": {"replicas": pods, "selector": {"matchLabels": {"app": "web"}}}});
        objects.extend(Object::from_value(set));
    }
    for index in 0..pods {
        let owners = if owned {
            json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "set", "controller": true}])
        } else {
            json!([])
        };
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("p{index}"),
                "namespace": "default", "uid": format!("u{index}"), "labels": {"app": "web"}, "ownerReferences": owners},
            "spec": {"schedulerName": "default-scheduler", "containers": [{"name": "c", "image": "nginx",
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}]},
            "status": {"phase": "Pending"}});
        objects.extend(Object::from_value(pod));
    }
    let made = start.elapsed();
    let start = Instant::now();
    let now = cluster.sim_now();
    cluster.restore(objects, now);
    let seen = start.elapsed();
    let until = cluster.sim_now() + Duration::from_secs(3600);
    cluster.run_until(until, || true);
    let took = start.elapsed();
    let store = cluster.world().api.store();
    let bound = store.list(&kinds::POD).filter(|p| p.node_name().is_some()).count();
    println!(
        "{nodes} nodes, {pods} pods: cluster {built:?}, objects {made:?}, observe {seen:?}, all {took:?}, {:.1} us a pod, {bound} bound",
        took.as_secs_f64() * 1e6 / pods as f64
    );
}
