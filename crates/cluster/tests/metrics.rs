//! The Metrics API: what pods and nodes use.

use podlab_api::door::{Gvr, ResponseBody};
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Settings};
use serde_json::{Value, json};
use std::time::Duration;

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn pod(cluster: &mut Cluster, name: &str, container: Value) {
    let mut container = container;
    container["name"] = "c".into();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [container]}});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
}

fn metrics(resource: &'static str) -> Gvr {
    Gvr { group: "metrics.k8s.io".into(), version: "v1beta1".into(), resource: resource.into() }
}

fn value(cluster: &mut Cluster, request: Request) -> Result<Value, String> {
    match cluster.request(request).body {
        ResponseBody::Value(value) => Ok(value),
        ResponseBody::Status(status) => Err(status.message),
        other => panic!("{other:?}"),
    }
}

fn usage(cluster: &mut Cluster, name: &str) -> Result<(String, String), String> {
    let metrics = value(cluster, Request::get(metrics("pods"), "default", name))?;
    let usage = &metrics["containers"][0]["usage"];
    Ok((usage["cpu"].as_str().unwrap().to_owned(), usage["memory"].as_str().unwrap().to_owned()))
}

#[test]
fn a_container_uses_what_its_processes_compute_and_hold() {
    let mut cluster = Cluster::new(Settings::default());
    pod(&mut cluster, "idle", json!({"image": "busybox", "command": ["sleep", "3600"]}));
    pod(&mut cluster, "busy", json!({"image": "busybox", "command": ["sh", "-c", "while :; do :; done"]}));
    let limits = json!({"limits": {"cpu": "200m", "memory": "200Mi"}});
    let busy =
        json!({"image": "busybox", "command": ["sh", "-c", "while :; do :; done"], "resources": limits});
    pod(&mut cluster, "limited", busy);
    pod(
        &mut cluster,
        "memory",
        json!({"image": "polinux/stress", "command": ["stress", "--vm", "1", "--vm-bytes", "150M", "--vm-hang", "1"]}),
    );
    run(&mut cluster, 5);
    assert_eq!(
        usage(&mut cluster, "busy"),
        Err("podmetrics.metrics.k8s.io \"default/busy\" not found".to_owned())
    );
    run(&mut cluster, 40);
    assert_eq!(usage(&mut cluster, "idle").unwrap().0, "0");
    assert_eq!(usage(&mut cluster, "busy").unwrap().0, "1");
    assert_eq!(usage(&mut cluster, "limited").unwrap().0, "200m");
    let (_, memory) = usage(&mut cluster, "memory").unwrap();
    let kibibytes: u64 = memory.strip_suffix("Ki").unwrap().parse().unwrap();
    assert!((150 << 10..152 << 10).contains(&kibibytes), "{memory}");
}

#[test]
fn lists_go_by_namespace_and_labels_and_nodes_are_the_sum_of_their_pods() {
    let mut cluster = Cluster::new(Settings::default());
    pod(&mut cluster, "busy", json!({"image": "busybox", "command": ["sh", "-c", "while :; do :; done"]}));
    run(&mut cluster, 40);
    let names = |cluster: &mut Cluster, namespace: &str, labels: Option<&str>| {
        let mut request = Request::list(metrics("pods"), namespace);
        request.options.label_selector = labels.map(str::to_owned);
        let list = value(cluster, request).unwrap();
        assert_eq!(list["kind"], "PodMetricsList");
        list["items"].as_array().unwrap().len()
    };
    assert_eq!(names(&mut cluster, "default", None), 1);
    assert_eq!(names(&mut cluster, "default", Some("app=other")), 0);
    assert_eq!(names(&mut cluster, "", None), 13);
    let bound = cluster.request(Request::get(&kinds::POD, "default", "busy")).into_object().unwrap();
    let node = bound.node_name().unwrap().to_owned();
    let nodes = value(&mut cluster, Request::list(metrics("nodes"), "")).unwrap();
    for item in nodes["items"].as_array().unwrap() {
        let millis = podlab_api::quantity::Quantity::parse(item["usage"]["cpu"].as_str().unwrap()).unwrap();
        assert_eq!(millis.milli_value() > 1000, item["metadata"]["name"] == *node, "{item}");
    }
    // A node whose kubelet is gone answers nothing.
    cluster.act(podlab_cluster::cluster::Act::StopKubelet(node));
    run(&mut cluster, 120);
    assert_eq!(
        value(&mut cluster, Request::list(metrics("nodes"), "")).unwrap()["items"].as_array().unwrap().len(),
        2
    );
}

#[test]
fn it_is_to_be_read_only() {
    let mut cluster = Cluster::new(Settings::default());
    let answer = cluster.request(Request::create(metrics("pods"), "default", json!({})));
    assert_eq!(answer.code, 405);
    let answer = cluster.request(Request::list(metrics("services"), "default"));
    assert_eq!(answer.code, 404);
}
