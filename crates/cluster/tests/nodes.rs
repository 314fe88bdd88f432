//! Nodes whose kubelet falls silent, and what becomes of their pods.

use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::cluster::Act;
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn cluster() -> Cluster {
    Cluster::new(Settings { profile: Profile::Bare, ..Settings::default() })
}

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn create(cluster: &mut Cluster, name: &str, tolerations: Value) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"nodeName": "node01",
        "tolerations": tolerations, "containers": [{"name": "c", "image": "nginx:1.27"}]}});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
}

fn node(cluster: &mut Cluster) -> Arc<Object> {
    cluster.request(Request::get(&kinds::NODE, "", "node01")).into_object().unwrap()
}

fn taints(cluster: &mut Cluster) -> Vec<String> {
    let node = node(cluster);
    let taints = node.node_spec().unwrap().taints.clone().unwrap_or_default();
    taints.into_iter().map(|taint| format!("{}:{}", taint.key, taint.effect)).collect()
}

fn condition(cluster: &mut Cluster, name: &str) -> String {
    let node = node(cluster);
    let conditions = node.node_status().unwrap().conditions.clone().unwrap_or_default();
    let found = conditions.into_iter().find(|condition| condition.type_ == name).unwrap();
    format!("{} {}", found.status, found.reason.unwrap_or_default())
}

fn pod(cluster: &mut Cluster, name: &str) -> Option<Arc<Object>> {
    cluster.request(Request::get(&kinds::POD, "default", name)).into_object().ok()
}

fn ready(cluster: &mut Cluster, name: &str) -> String {
    let pod = pod(cluster, name).unwrap();
    let conditions = pod.pod_status().unwrap().conditions.clone().unwrap_or_default();
    conditions.into_iter().find(|condition| condition.type_ == "Ready").unwrap().status
}

fn events(cluster: &mut Cluster, about: &str) -> Vec<String> {
    let list = cluster.request(Request::list(&kinds::EVENT, "default")).into_list().unwrap();
    let of = |event: &&Arc<Object>| event.field("involvedObject").is_some_and(|o| o["name"] == about);
    list.items.iter().filter(of).map(|e| e.field("message").unwrap().as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_silent_node_is_unknown_after_50_seconds_and_its_pods_go() {
    let mut cluster = cluster();
    let short = json!([{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute",
        "tolerationSeconds": 20}]);
    create(&mut cluster, "short", short);
    create(&mut cluster, "stays", json!([{"operator": "Exists"}]));
    create(&mut cluster, "plain", Value::Null);
    run(&mut cluster, 12);
    cluster.act(Act::StopKubelet("node01".to_owned()));
    run(&mut cluster, 38);
    assert_eq!(condition(&mut cluster, "Ready"), "True KubeletReady");
    run(&mut cluster, 20);
    for name in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
        assert_eq!(condition(&mut cluster, name), "Unknown NodeStatusUnknown");
    }
    let unreachable = ["NoSchedule", "NoExecute"].map(|e| format!("node.kubernetes.io/unreachable:{e}"));
    assert_eq!(taints(&mut cluster), unreachable);
    assert_eq!(ready(&mut cluster, "plain"), "False");
    assert!(events(&mut cluster, "plain").contains(&"Node is not ready".to_owned()));
    assert!(events(&mut cluster, "node01").contains(&"Node node01 status is now: NodeNotReady".to_owned()));
    run(&mut cluster, 20);
    // Nobody is there to confirm that it has ended.
    assert!(pod(&mut cluster, "short").unwrap().is_terminating());
    run(&mut cluster, 60);
    assert!(pod(&mut cluster, "short").unwrap().is_terminating());
    assert!(!pod(&mut cluster, "plain").unwrap().is_terminating());
    cluster.act(Act::StartKubelet("node01".to_owned()));
    run(&mut cluster, 10);
    assert_eq!(condition(&mut cluster, "Ready"), "True KubeletReady");
    assert_eq!(taints(&mut cluster), [""; 0]);
    assert!(pod(&mut cluster, "short").is_none());
    assert_eq!(ready(&mut cluster, "plain"), "True");
    assert!(events(&mut cluster, "plain").contains(&"Cancelling deletion of Pod default/plain".to_owned()));
    run(&mut cluster, 400);
    assert!(pod(&mut cluster, "plain").is_some());
}

#[test]
fn a_pod_leaves_an_unreachable_node_after_300_seconds() {
    let mut cluster = cluster();
    create(&mut cluster, "plain", Value::Null);
    run(&mut cluster, 12);
    cluster.act(Act::StopKubelet("node01".to_owned()));
    run(&mut cluster, 330);
    assert!(!pod(&mut cluster, "plain").unwrap().is_terminating());
    run(&mut cluster, 35);
    assert!(pod(&mut cluster, "plain").unwrap().is_terminating());
}

#[test]
fn a_short_stop_is_not_noticed() {
    let mut cluster = cluster();
    run(&mut cluster, 10);
    cluster.act(Act::StopKubelet("node01".to_owned()));
    run(&mut cluster, 30);
    cluster.act(Act::StartKubelet("node01".to_owned()));
    run(&mut cluster, 120);
    assert_eq!(condition(&mut cluster, "Ready"), "True KubeletReady");
    assert!(taints(&mut cluster).is_empty());
}

#[test]
fn a_taint_no_execute_evicts_at_once() {
    let mut cluster = cluster();
    create(&mut cluster, "plain", Value::Null);
    create(&mut cluster, "stays", json!([{"key": "k", "operator": "Exists"}]));
    run(&mut cluster, 10);
    let taint = json!({"spec": {"taints": [{"key": "k", "value": "v", "effect": "NoExecute"}]}});
    let patch = podlab_api::door::PatchType::Merge;
    cluster.request(Request::patch(&kinds::NODE, "", "node01", patch, taint)).into_object().unwrap();
    cluster.run_until(cluster.sim_now() + Duration::from_millis(50), || true);
    let plain = pod(&mut cluster, "plain").unwrap();
    assert!(plain.is_terminating());
    let why = plain.pod_status().unwrap().conditions.clone().unwrap();
    assert!(why.iter().any(|c| c.reason.as_deref() == Some("DeletionByTaintManager")));
    assert!(!pod(&mut cluster, "stays").unwrap().is_terminating());
    let said = events(&mut cluster, "plain");
    assert!(said.contains(&"Marking for deletion Pod default/plain".to_owned()), "{said:?}");
}

#[test]
fn pods_of_a_node_that_is_gone_go_after_a_quarantine() {
    let mut cluster = cluster();
    create(&mut cluster, "plain", Value::Null);
    run(&mut cluster, 10);
    cluster.act(Act::StopKubelet("node01".to_owned()));
    cluster.request(Request::delete(&kinds::NODE, "", "node01")).into_object().unwrap();
    run(&mut cluster, 39);
    assert!(pod(&mut cluster, "plain").is_some());
    run(&mut cluster, 22);
    assert!(pod(&mut cluster, "plain").is_none());
}

#[test]
fn cordon_taints_and_uncordon_takes_the_taint_away() {
    let mut cluster = cluster();
    run(&mut cluster, 10);
    let mut cordon = |closed: Value, expected: &[&str]| {
        let patch = podlab_api::door::PatchType::Merge;
        let body = json!({"spec": {"unschedulable": closed}});
        cluster.request(Request::patch(&kinds::NODE, "", "node01", patch, body)).into_object().unwrap();
        run(&mut cluster, 1);
        assert_eq!(taints(&mut cluster), expected);
    };
    cordon(json!(true), &["node.kubernetes.io/unschedulable:NoSchedule"]);
    cordon(Value::Null, &[]);
}

#[test]
fn an_idle_cluster_costs_no_look_at_its_nodes() {
    let mut cluster = Cluster::new(Settings::workers(50, Profile::Bare));
    run(&mut cluster, 60);
    let mut events = 0;
    cluster.run_until(cluster.sim_now() + Duration::from_secs(3600), || {
        events += 1;
        true
    });
    assert_eq!(events, 0);
}

#[test]
fn containers_outlive_their_kubelet_and_go_with_their_pods() {
    let mut cluster = cluster();
    create(&mut cluster, "stays", Value::Null);
    create(&mut cluster, "goes", Value::Null);
    run(&mut cluster, 12);
    let container = |cluster: &mut Cluster| {
        let pod = pod(cluster, "stays").unwrap();
        let status = pod.pod_status().unwrap().container_statuses.clone().unwrap_or_default().remove(0);
        (status.container_id, status.restart_count, status.ready)
    };
    let before = container(&mut cluster);
    cluster.act(Act::StopKubelet("node01".to_owned()));
    run(&mut cluster, 5);
    let mut force = Request::delete(&kinds::POD, "default", "goes");
    force.options.grace_period_seconds = Some(0);
    cluster.request(force);
    run(&mut cluster, 5);
    cluster.act(Act::StartKubelet("node01".to_owned()));
    run(&mut cluster, 1);
    assert!(!events(&mut cluster, "goes").contains(&"Stopping container c".to_owned()));
    run(&mut cluster, 9);
    assert_eq!(container(&mut cluster), before);
    assert!(events(&mut cluster, "goes").contains(&"Stopping container c".to_owned()));
}
