//! The scheduler, seen through the door.

use podlab_api::door::PatchType;
use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::scheduler::decision::{Fix, Outcome, Verdict, Wish};
use podlab_cluster::scheduler::what_if;
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn cluster(nodes: usize) -> Cluster {
    Cluster::new(Settings::workers(nodes, Profile::Scheduling))
}

fn run(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.sim_now() + Duration::from_secs(seconds);
    assert!(cluster.run_until(until, || true));
}

fn pod_with(name: &str, spec: Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    pod["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    pod
}

fn create(cluster: &mut Cluster, pod: Value) -> Arc<Object> {
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap()
}

fn get(cluster: &Cluster, name: &str) -> Arc<Object> {
    cluster.world().api.store().get(&kinds::POD, "default", name).unwrap().clone()
}

fn node_of(cluster: &Cluster, name: &str) -> Option<String> {
    get(cluster, name).node_name().map(str::to_owned)
}

fn events(cluster: &Cluster) -> Vec<(String, String, i64)> {
    let text = |o: &Object, field: &str| o.field(field).and_then(Value::as_str).unwrap_or("").to_owned();
    let store = cluster.world().api.store();
    store
        .list(&kinds::EVENT)
        .map(|e| {
            let count = e.field("series").and_then(|s| s.get("count")).and_then(Value::as_i64).unwrap_or(1);
            (text(e, "reason"), text(e, "message"), count)
        })
        .collect()
}

#[test]
fn a_pod_is_bound_and_says_so() {
    let mut cluster = cluster(2);
    let pod = create(&mut cluster, pod_with("web", json!({})));
    run(&mut cluster, 1);
    let node = node_of(&cluster, "web").unwrap();
    assert_eq!(
        events(&cluster),
        [("Scheduled".to_owned(), format!("Successfully assigned default/web to {node}"), 1)]
    );
    let decision = cluster.world().scheduler.latest_decision(pod.uid()).unwrap();
    assert_eq!(decision.outcome, Outcome::Bound { node: node.as_str().into() });
    assert_eq!(decision.tie.as_ref().unwrap().count, 2);
    assert_eq!(decision.nodes.len(), 2);
}

#[test]
fn a_pod_waits_for_a_node_that_carries_its_label() {
    let mut cluster = cluster(1);
    let pod = create(&mut cluster, pod_with("web", json!({"nodeSelector": {"disk": "ssd"}})));
    run(&mut cluster, 20);
    assert_eq!(node_of(&cluster, "web"), None);
    let condition = get(&cluster, "web").pod_status().unwrap().conditions.clone().unwrap();
    let message = "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    assert_eq!(condition[0].message.as_deref(), Some(message));
    assert_eq!(events(&cluster), [("FailedScheduling".to_owned(), message.to_owned(), 1)]);
    let scheduler = &cluster.world().scheduler;
    let decision = scheduler.latest_decision(pod.uid()).unwrap();
    assert_eq!(decision.attempt, 1);
    let Verdict::RuledOut { fixes, .. } = &decision.nodes[0].verdict else { panic!() };
    let label = Fix::LabelNode {
        key: "disk".to_owned(),
        value: "ssd".to_owned(),
        current: None,
        requirement: "disk=ssd".to_owned(),
        wish: Wish::NodeSelector,
    };
    assert_eq!(fixes, &[label]);

    let label = |value: &str| json!({"metadata": {"labels": {"disk": value}}});
    let patch = |value: &str| Request::patch(&kinds::NODE, "", "node-1", PatchType::Merge, label(value));
    cluster.request(patch("hdd"));
    run(&mut cluster, 1);
    assert_eq!(
        cluster.world().scheduler.latest_decision(pod.uid()).unwrap().attempt,
        1,
        "nothing relevant changed"
    );
    cluster.request(patch("ssd"));
    run(&mut cluster, 1);
    assert_eq!(node_of(&cluster, "web").as_deref(), Some("node-1"));
}

#[test]
fn an_unschedulable_pod_is_tried_again_after_five_minutes() {
    let mut cluster = cluster(1);
    let cpu =
        json!({"containers": [{"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "3"}}}]});
    let pod = create(&mut cluster, pod_with("big", cpu));
    run(&mut cluster, 299);
    assert_eq!(cluster.world().scheduler.latest_decision(pod.uid()).unwrap().attempt, 1);
    run(&mut cluster, 32);
    assert_eq!(cluster.world().scheduler.latest_decision(pod.uid()).unwrap().attempt, 2);
    let decision = cluster.world().scheduler.latest_decision(pod.uid()).unwrap().clone();
    let Verdict::RuledOut { fixes, .. } = &decision.nodes[0].verdict else { panic!() };
    assert_eq!(
        fixes,
        &[Fix::LowerRequest { resource: "cpu".to_owned(), requested: 3000, free: 2000, allocatable: 2000 }]
    );
}

#[test]
fn trying_a_pod_changes_nothing() {
    let mut cluster = cluster(3);
    run(&mut cluster, 1);
    let before = cluster.world().api.store().resource_version();
    let pod = Object::from_value(pod_with("web", json!({"schedulerName": "default-scheduler"}))).unwrap();
    let decision = what_if(cluster.world(), &pod).unwrap();
    assert!(matches!(decision.outcome, Outcome::Bound { .. }));
    assert_eq!(cluster.world().api.store().resource_version(), before);
}

#[test]
fn the_same_seed_gives_the_same_nodes() {
    let places = || {
        let mut cluster = cluster(7);
        for index in 0..30 {
            create(&mut cluster, pod_with(&format!("p{index}"), json!({})));
        }
        run(&mut cluster, 10);
        (0..30).map(|i| node_of(&cluster, &format!("p{i}"))).collect::<Vec<_>>()
    };
    let first = places();
    assert!(first.iter().all(Option::is_some));
    assert_eq!(first, places());
}
