//! Pods that run: from the manifest to processes and back to the status.

use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn cluster() -> Cluster {
    Cluster::new(Settings { profile: Profile::Bare, ..Settings::default() })
}

fn create(cluster: &mut Cluster, name: &str, container: Value) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [container]}});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
}

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn pod(cluster: &mut Cluster, name: &str) -> Arc<Object> {
    cluster.request(Request::get(&kinds::POD, "default", name)).into_object().unwrap()
}

fn cells(cluster: &mut Cluster, name: &str) -> Vec<String> {
    let pod = pod(cluster, name);
    let table = podlab_api::printers::table(&kinds::POD, &[pod], cluster.now());
    table.rows[0].cells[1..4]
        .iter()
        .map(|c| c.as_str().map_or_else(|| c.to_string(), str::to_owned))
        .collect()
}

#[test]
fn a_server_becomes_ready() {
    let mut cluster = cluster();
    create(&mut cluster, "web", json!({"name": "c", "image": "nginx:1.27"}));
    run(&mut cluster, 10);
    assert_eq!(cells(&mut cluster, "web"), ["1/1", "Running", "0"]);
    let node = pod(&mut cluster, "web").node_name().unwrap().to_owned();
    assert!(node.starts_with("node0"), "{node}");
}

#[test]
fn a_command_that_fails_backs_off() {
    let mut cluster = cluster();
    let command = json!(["sh", "-c", "echo going; exit 3"]);
    create(&mut cluster, "crash", json!({"name": "c", "image": "busybox:1.36", "command": command}));
    run(&mut cluster, 130);
    let pod = pod(&mut cluster, "crash");
    let status = &pod.pod_status().unwrap().container_statuses.as_ref().unwrap()[0];
    assert!(status.restart_count >= 3, "{status:?}");
    let shown = cells(&mut cluster, "crash");
    assert!(shown[1] == "CrashLoopBackOff" || shown[1] == "Error", "{shown:?}");
}

/// Containers of a pod share one network: the second server of a port gives up after five tries.
#[test]
fn two_servers_of_one_port_clash() {
    let mut cluster = cluster();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "two"},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "nginx:1.27"}, {"name": "b", "image": "nginx:1.27"}]}});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
    run(&mut cluster, 20);
    let pod = self::pod(&mut cluster, "two");
    let statuses = pod.pod_status().unwrap().container_statuses.as_ref().unwrap();
    let end = |at: usize| statuses[at].state.as_ref().unwrap().terminated.as_ref();
    assert_eq!((end(0), end(1).map(|end| end.exit_code)), (None, Some(1)));
    let ran = end(1).map(|end| (end.started_at.clone(), end.finished_at.clone()));
    let (Some(Some(began)), Some(Some(ended))) = (ran.clone().map(|r| r.0), ran.map(|r| r.1)) else {
        panic!("no times")
    };
    assert!((2..=3).contains(&(ended.0.as_second() - began.0.as_second())), "{began:?} {ended:?}");
}

#[test]
fn a_job_of_one_command_completes() {
    let mut cluster = cluster();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "once"},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1.36",
            "command": ["sh", "-c", "for i in 1 2 3; do echo $i; sleep 1; done"]}]}});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
    run(&mut cluster, 20);
    assert_eq!(cells(&mut cluster, "once"), ["0/1", "Completed", "0"]);
}

#[test]
fn the_same_inputs_give_the_same_history() {
    let story = || {
        let mut cluster = cluster();
        create(&mut cluster, "web", json!({"name": "c", "image": "nginx:1.27"}));
        create(&mut cluster, "crash", json!({"name": "c", "image": "busybox:1.36", "command": ["false"]}));
        run(&mut cluster, 60);
        cluster.request(Request::delete(&kinds::POD, "default", "web"));
        run(&mut cluster, 60);
        let all: Vec<Value> = cluster.world().api.store().all().map(|o| o.to_value()).collect();
        serde_json::to_string(&all).unwrap()
    };
    assert_eq!(story(), story());
}

#[test]
fn a_probe_sees_at_once_that_a_file_has_gone() {
    let mut cluster = cluster();
    let probe = json!({"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1});
    create(&mut cluster, "web", json!({"name": "c", "image": "nginx:1.27", "readinessProbe": probe}));
    run(&mut cluster, 30);
    assert_eq!(cells(&mut cluster, "web"), ["1/1", "Running", "0"]);
    let mut request = Request::new(podlab_api::door::Verb::Get, &kinds::POD).namespace("default").name("web");
    request = request.subresource("log");
    let log = |cluster: &mut Cluster| match cluster.request(request.clone()).body {
        podlab_api::door::ResponseBody::Stream(id) => String::from_utf8(cluster.stream(id).stdout).unwrap(),
        other => panic!("{other:?}"),
    };
    let text = log(&mut cluster);
    let mut lines: Vec<&str> = text.lines().filter(|l| l.contains("\"GET / HTTP/1.1\" 200")).collect();
    let all = lines.len();
    lines.dedup();
    assert!(all >= 20 && lines.len() + 2 >= all, "each probe leaves a line with its own time: {text}");
    let mut exec = Request::new(podlab_api::door::Verb::Create, &kinds::POD).namespace("default").name("web");
    exec = exec.subresource("exec");
    exec.options.exec.command = ["rm", "/usr/share/nginx/html/index.html"].map(str::to_owned).to_vec();
    cluster.request(exec);
    run(&mut cluster, 10);
    assert_eq!(cells(&mut cluster, "web"), ["0/1", "Running", "0"]);
}
