//! Nodes whose memory or disk runs short, over time.

use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::time::Duration;

/// Workers of 4 GiB of memory, of which the system takes 420 MiB, and 100 GiB of disk.
fn cluster(nodes: usize) -> Cluster {
    let mut settings = Settings::workers(nodes, Profile::Bare);
    for node in &mut settings.nodes {
        node.images = vec!["polinux/stress:latest".to_owned(), "busybox:1.36".to_owned()];
    }
    Cluster::forgetful(settings)
}

fn run(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.sim_now() + Duration::from_secs(seconds);
    cluster.run_until(until, || true);
}

fn create(cluster: &mut Cluster, name: &str, spec: Value) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
    let response = cluster.request(Request::create(&kinds::POD, "default", pod));
    assert_eq!(response.code, 201, "{:?}", response.body);
}

fn pod(cluster: &mut Cluster, name: &str) -> Value {
    let response = cluster.request(Request::get(&kinds::POD, "default", name));
    response.into_object().map(|o| o.to_value()).unwrap_or_default()
}

fn node(cluster: &mut Cluster, name: &str) -> Value {
    cluster.request(Request::get(&kinds::NODE, "", name)).into_object().unwrap().to_value()
}

/// Status and reason of a node's condition.
fn condition(cluster: &mut Cluster, name: &str, kind: &str) -> (String, String) {
    let node = node(cluster, name);
    let conditions = node["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let found = conditions.into_iter().find(|c| c["type"] == kind).unwrap_or_default();
    (found["status"].as_str().unwrap_or("").to_owned(), found["reason"].as_str().unwrap_or("").to_owned())
}

/// Object, reason, message and count of the events, in order.
fn events(cluster: &Cluster) -> Vec<(String, String, String, i64)> {
    let text = |v: &Value| v.as_str().unwrap_or("").to_owned();
    let all = cluster.world().api.store().list(&kinds::EVENT).map(|e| e.to_value());
    let mut all: Vec<_> = all
        .map(|e| {
            let name = text(&e["metadata"]["name"]);
            let order = i64::from_str_radix(name.rsplit('.').next().unwrap_or(""), 16).unwrap_or(0);
            let seen = (text(&e["involvedObject"]["name"]), text(&e["reason"]), text(&e["message"]));
            (order, (seen.0, seen.1, seen.2, e["count"].as_i64().unwrap_or(1)))
        })
        .collect();
    all.sort();
    all.into_iter().map(|(_, event)| event).collect()
}

fn said(cluster: &Cluster, object: &str, reason: &str) -> Vec<String> {
    let all = events(cluster).into_iter().filter(|e| e.0 == object && e.1 == reason);
    all.map(|e| e.2).collect()
}

/// Holds so much memory, such as `3600M`.
fn hog(memory: &str, node: &str) -> Value {
    json!({"nodeName": node, "containers": [{"name": "hog", "image": "polinux/stress", "command": ["stress"],
        "args": ["--vm", "1", "--vm-bytes", memory, "--vm-hang", "1"]}]})
}

fn sleeper(node: &str, memory: Option<&str>) -> Value {
    let resources = memory.map_or(json!({}), |memory| json!({"requests": {"memory": memory}}));
    json!({"nodeName": node, "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "10000"],
        "resources": resources}]})
}

#[test]
fn a_pod_that_takes_a_nodes_memory_is_evicted() {
    let mut cluster = cluster(1);
    create(&mut cluster, "modest", sleeper("node-1", Some("100Mi")));
    create(&mut cluster, "idle", sleeper("node-1", None));
    create(&mut cluster, "hog", hog("3600M", "node-1"));
    run(&mut cluster, 40);
    let hog = pod(&mut cluster, "hog");
    assert_eq!(hog["status"]["phase"], "Failed", "{:?}", events(&cluster));
    assert_eq!(hog["status"]["reason"], "Evicted");
    let message = hog["status"]["message"].as_str().unwrap().to_owned();
    let low = "The node was low on resource: memory. Threshold quantity: 100Mi, available: ";
    assert!(message.starts_with(low), "{message}");
    let uses = ". Container hog was using 3687700Ki, request is 0, has larger consumption of memory. ";
    assert!(message.ends_with(uses), "{message}");
    assert_eq!(said(&cluster, "hog", "Evicted"), [message.as_str()]);
    let conditions = hog["status"]["conditions"].as_array().unwrap();
    let first = conditions.first().unwrap();
    assert_eq!(first["type"], "DisruptionTarget");
    assert_eq!(first["reason"], "TerminationByKubelet");
    assert_eq!(first["message"], message);
    let ready = conditions.iter().find(|c| c["type"] == "Ready").unwrap();
    assert_eq!((&ready["status"], &ready["reason"]), (&json!("False"), &json!("PodFailed")));
    assert_eq!(hog["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 137);
    for name in ["modest", "idle"] {
        assert_eq!(pod(&mut cluster, name)["status"]["phase"], "Running", "{name}");
    }
    assert_eq!(said(&cluster, "node-1", "EvictionThresholdMet"), ["Attempting to reclaim memory"]);
    let event = cluster.world().api.store().list(&kinds::EVENT).map(|e| e.to_value());
    let event = event.into_iter().find(|e| e["reason"] == "Evicted").unwrap();
    let notes = &event["metadata"]["annotations"];
    assert_eq!(notes["offending_containers"], "hog");
    assert_eq!(notes["offending_containers_usage"], "3687700Ki");
    assert_eq!(notes["starved_resource"], "memory");
}

#[test]
fn memory_pressure_is_a_condition_and_a_taint_for_five_minutes() {
    let mut cluster = cluster(1);
    create(&mut cluster, "hog", hog("3600M", "node-1"));
    run(&mut cluster, 40);
    let of = |cluster: &mut Cluster| condition(cluster, "node-1", "MemoryPressure");
    assert_eq!(of(&mut cluster), ("True".to_owned(), "KubeletHasInsufficientMemory".to_owned()));
    assert_eq!(condition(&mut cluster, "node-1", "Ready").0, "True");
    let text = "Node node-1 status is now: NodeHasInsufficientMemory";
    assert_eq!(said(&cluster, "node-1", "NodeHasInsufficientMemory"), [text]);
    let taints = node(&mut cluster, "node-1")["spec"]["taints"].clone();
    assert_eq!(taints[0]["key"], "node.kubernetes.io/memory-pressure");
    assert_eq!(taints[0]["effect"], "NoSchedule");

    // Who asks for nothing is refused, who asks for something is taken.
    create(&mut cluster, "late", sleeper("node-1", None));
    create(&mut cluster, "asking", sleeper("node-1", Some("10Mi")));
    run(&mut cluster, 10);
    let late = pod(&mut cluster, "late")["status"].clone();
    assert_eq!((&late["phase"], &late["reason"]), (&json!("Failed"), &json!("Evicted")));
    assert_eq!(late["message"], "Pod was rejected: The node had condition: [MemoryPressure]. ");
    assert_eq!(said(&cluster, "late", "Evicted"), ["The node had condition: [MemoryPressure]. "]);
    assert_eq!(pod(&mut cluster, "asking")["status"]["phase"], "Running");

    run(&mut cluster, 240);
    assert_eq!(of(&mut cluster).0, "True");
    run(&mut cluster, 50);
    assert_eq!(of(&mut cluster), ("False".to_owned(), "KubeletHasSufficientMemory".to_owned()));
    let text = "Node node-1 status is now: NodeHasSufficientMemory";
    assert_eq!(said(&cluster, "node-1", "NodeHasSufficientMemory"), [text]);
    assert_eq!(node(&mut cluster, "node-1")["spec"]["taints"], Value::Null);
    create(&mut cluster, "later", sleeper("node-1", None));
    run(&mut cluster, 10);
    assert_eq!(pod(&mut cluster, "later")["status"]["phase"], "Running");
}

#[test]
fn one_pod_goes_at_a_time_and_a_critical_one_stays() {
    let mut cluster = cluster(1);
    let mut critical = hog("1300M", "node-1");
    critical["priorityClassName"] = "system-cluster-critical".into();
    create(&mut cluster, "critical", critical);
    create(&mut cluster, "small", hog("1100M", "node-1"));
    create(&mut cluster, "big", hog("1200M", "node-1"));
    let mut phases = Vec::new();
    for _ in 0..60 {
        run(&mut cluster, 1);
        let of = |cluster: &mut Cluster, name: &str| {
            pod(cluster, name)["status"]["phase"].as_str().unwrap_or("").to_owned()
        };
        let now = ["critical", "small", "big"].map(|name| of(&mut cluster, name));
        if phases.last() != Some(&now) {
            phases.push(now);
        }
    }
    assert_eq!(phases.last().unwrap(), &["Running", "Running", "Failed"].map(str::to_owned), "{phases:?}");
}

#[test]
fn memory_that_is_gone_before_the_kubelet_looks_ends_in_the_kernel() {
    let mut cluster = cluster(1);
    create(&mut cluster, "modest", sleeper("node-1", Some("100Mi")));
    create(&mut cluster, "hog", hog("8G", "node-1"));
    let mut ended = Value::Null;
    for _ in 0..60 {
        run(&mut cluster, 1);
        let status = pod(&mut cluster, "hog")["status"]["containerStatuses"][0].clone();
        for state in ["state", "lastState"] {
            if status[state]["terminated"].is_object() {
                ended = status[state]["terminated"].clone();
            }
        }
        if !ended.is_null() {
            break;
        }
    }
    assert_eq!((&ended["reason"], &ended["exitCode"]), (&json!("OOMKilled"), &json!(137)));
    let oom = said(&cluster, "node-1", "SystemOOM");
    assert!(oom[0].starts_with("System OOM encountered, victim process: stress, pid: "), "{oom:?}");
    assert_eq!(pod(&mut cluster, "modest")["status"]["containerStatuses"][0]["restartCount"], 0);
}

#[test]
fn what_asks_for_nothing_is_killed_before_what_was_promised_memory() {
    let mut cluster = cluster(1);
    let mut promised = hog("3G", "node-1");
    promised["containers"][0]["resources"] = json!({"requests": {"memory": "3500Mi"}});
    create(&mut cluster, "promised", promised);
    run(&mut cluster, 10);
    create(&mut cluster, "greedy", hog("800M", "node-1"));
    run(&mut cluster, 4);
    let status =
        |cluster: &mut Cluster, name: &str| pod(cluster, name)["status"]["containerStatuses"][0].clone();
    assert_eq!(status(&mut cluster, "promised")["restartCount"], 0);
    let greedy = status(&mut cluster, "greedy").to_string();
    assert!(greedy.contains("OOMKilled"), "{greedy}");
}

#[test]
fn a_full_disk_costs_the_pod_that_fills_it() {
    let mut cluster = cluster(1);
    let fill = "dd if=/dev/zero of=/data/big bs=16M count=5000 2>/dev/null; sleep 10000";
    create(
        &mut cluster,
        "full",
        json!({"nodeName": "node-1", "volumes": [{"name": "v", "emptyDir": {}}],
            "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", fill],
                "volumeMounts": [{"name": "v", "mountPath": "/data"}]}]}),
    );
    create(&mut cluster, "idle", sleeper("node-1", None));
    run(&mut cluster, 120);
    let full = pod(&mut cluster, "full")["status"].clone();
    assert_eq!(full["reason"], "Evicted", "{full} {:?}", events(&cluster));
    let message = full["message"].as_str().unwrap();
    let low = "The node was low on resource: ephemeral-storage. Threshold quantity: ";
    assert!(message.starts_with(low), "{message}");
    assert_eq!(condition(&mut cluster, "node-1", "DiskPressure").1, "KubeletHasDiskPressure");
    assert_eq!(pod(&mut cluster, "idle")["status"]["phase"], "Running");
    assert_eq!(said(&cluster, "node-1", "NodeHasDiskPressure").len(), 1);
    // All that is not critical is refused, whatever it asks for.
    create(&mut cluster, "late", sleeper("node-1", Some("10Mi")));
    run(&mut cluster, 5);
    let late = pod(&mut cluster, "late")["status"]["message"].clone();
    assert_eq!(late, "Pod was rejected: The node had condition: [DiskPressure]. ");
    // What nobody needs was taken away first.
    let images: Vec<String> =
        cluster.world().runtime.images_on("node-1").map(|(name, _)| name.to_owned()).collect();
    assert_eq!(images, ["docker.io/library/busybox:1.36"]);
}

#[test]
fn files_of_ended_pods_go_before_a_running_pod_does() {
    let mut cluster = cluster(1);
    let fill =
        |count: u32, then: &str| format!("dd if=/dev/zero of=/big bs=16M count={count} 2>/dev/null; {then}");
    let spec = |script: String| {
        json!({"nodeName": "node-1", "restartPolicy": "Never",
            "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", script]}]})
    };
    create(&mut cluster, "ended", spec(fill(4000, "true")));
    run(&mut cluster, 30);
    assert_eq!(pod(&mut cluster, "ended")["status"]["phase"], "Succeeded");
    create(&mut cluster, "running", spec(fill(1600, "sleep 10000")));
    run(&mut cluster, 60);
    assert_eq!(pod(&mut cluster, "running")["status"]["phase"], "Running");
    let said = said(&cluster, "node-1", "EvictionThresholdMet");
    assert_eq!(said, ["Attempting to reclaim ephemeral-storage"]);
    assert_eq!(condition(&mut cluster, "node-1", "DiskPressure").0, "True");
}

#[test]
fn a_replacement_of_an_evicted_pod_starts_on_another_node() {
    let mut cluster = cluster(2);
    let template = json!({"metadata": {"labels": {"app": "hog"}}, "spec": {"containers": [{"name": "hog",
        "image": "polinux/stress", "command": ["stress"],
        "args": ["--vm", "1", "--vm-bytes", "3600M", "--vm-hang", "1"]}]}});
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "hogs"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "hog"}}, "template": template}});
    assert_eq!(cluster.request(Request::create(&kinds::REPLICA_SET, "default", set)).code, 201);
    run(&mut cluster, 60);
    let pods: Vec<Value> = cluster.world().api.store().list(&kinds::POD).map(|p| p.to_value()).collect();
    let on = |pod: &Value| pod["spec"]["nodeName"].as_str().unwrap_or("").to_owned();
    let evicted = pods.iter().filter(|p| p["status"]["reason"] == "Evicted").map(on);
    let evicted: std::collections::BTreeSet<String> = evicted.collect();
    assert_eq!(evicted.into_iter().collect::<Vec<_>>(), ["node-1", "node-2"]);
    // By then no node is left that has no taint.
    let waiting: Vec<&Value> = pods.iter().filter(|p| p["status"]["phase"] == "Pending").collect();
    assert_eq!(waiting.len(), 1);
    let why = waiting[0]["status"]["conditions"][0]["message"].as_str().unwrap();
    let start = "0/2 nodes are available: 2 node(s) had untolerated taint(s).";
    assert!(why.starts_with(start), "{why}");
}

#[test]
fn a_node_with_enough_is_never_looked_at() {
    let mut cluster = cluster(1);
    create(&mut cluster, "idle", sleeper("node-1", None));
    create(&mut cluster, "half", hog("2G", "node-1"));
    run(&mut cluster, 60);
    let planned = cluster.world().agenda.iter().map(|(_, event)| format!("{event:?}"));
    let looks: Vec<String> = planned.filter(|event| event.contains("NodePressure")).collect();
    assert!(looks.is_empty(), "{looks:?}");
}
