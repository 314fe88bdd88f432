//! Rules of the kubelet that recordings of the real one brought to light.

mod one_pod;

use one_pod::{cluster, create, pod, run};
use podlab_api::door::ResponseBody;
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Type of probe, count of the events that say it failed.
fn failed_probes(cluster: &Cluster) -> Vec<(String, i64)> {
    let events = cluster.world().api.store().list(&kinds::EVENT).map(|e| e.to_value());
    let unhealthy = events.filter(|e| e["reason"] == "Unhealthy");
    let mut found: Vec<_> = unhealthy
        .map(|e| {
            let message = e["message"].as_str().unwrap_or("");
            (message.split(' ').next().unwrap_or("").to_owned(), e["count"].as_i64().unwrap_or(0))
        })
        .collect();
    found.sort();
    found
}

/// Reason and message of the event that says why a kubelet did not take a pod, after what was asked of its node.
fn rejected(node: Value, labels: Value, spec: Value) -> (String, String) {
    let mut cluster = cluster();
    let name = cluster.world().api.store().list(&kinds::NODE).next().unwrap().name().to_owned();
    let patch = Request::patch(&kinds::NODE, "", &name, podlab_api::door::PatchType::Merge, node);
    assert_eq!(cluster.request(patch).code, 200);
    let web = json!({"name": "web", "image": "nginx", "ports": [{"containerPort": 80, "hostPort": 8080}]});
    let holder = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "holder"},
        "spec": {"containers": [web], "tolerations": [{"operator": "Exists"}]}});
    assert_eq!(cluster.request(Request::create(&kinds::POD, "default", holder)).code, 201);
    run(&mut cluster, 10);
    let mut body =
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": labels}, "spec": spec});
    body["spec"]["nodeName"] = json!(name);
    let response = cluster.request(Request::create(&kinds::POD, "default", body));
    assert_eq!(response.code, 201, "{:?}", response.body);
    run(&mut cluster, 10);
    let events = cluster.world().api.store().list(&kinds::EVENT).map(|event| event.to_value());
    let mut warnings = events.filter(|e| e["involvedObject"]["name"] == "p" && e["type"] == "Warning");
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or("").to_owned();
    warnings.next().map_or_else(Default::default, |event| (text(&event, "reason"), text(&event, "message")))
}

/// Source: pkg/kubelet/lifecycle/predicate.go `generalFilter`, pkg/scheduler/util/utils.go `GetHostPorts`.
#[test]
fn a_kubelet_rejects_what_the_scheduler_would_not_have_placed_and_nothing_else() {
    let nothing = || json!({});
    let with = |container: Value| json!({"containers": [{"name": "c", "image": "nginx"}], "initContainers": [container]});
    let port = json!([{"containerPort": 80, "hostPort": 8080}]);
    // An init container that ends holds no port, a sidecar does.
    let ends = json!({"name": "i", "image": "busybox", "command": ["true"], "ports": port});
    assert_eq!(rejected(nothing(), nothing(), with(ends.clone())), (String::new(), String::new()));
    let mut stays = ends;
    stays["restartPolicy"] = json!("Always");
    let predicate = |name: &str, why: &str| (name.to_owned(), format!("Predicate {name} failed: {why}"));
    assert_eq!(
        rejected(nothing(), nothing(), with(stays)),
        predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports")
    );
    let plain = || json!({"containers": [{"name": "c", "image": "nginx"}]});
    let taint = |effect: &str| json!({"spec": {"taints": [{"key": "k", "effect": effect}]}});
    assert_eq!(rejected(taint("NoSchedule"), nothing(), plain()), (String::new(), String::new()));
    assert_eq!(
        rejected(taint("NoExecute"), nothing(), plain()),
        predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate")
    );
    let (reason, _) = rejected(nothing(), json!({"kubernetes.io/os": "windows"}), plain());
    assert_eq!(reason, "PodOSSelectorNodeLabelDoesNotMatch");
    let windows = json!({"os": {"name": "windows"}, "containers": [{"name": "c", "image": "nginx"}]});
    assert_eq!(rejected(nothing(), nothing(), windows).0, "PodOSNotSupported");
    // What no node has anything of is the cluster's affair.
    let limits = |name: &str| json!({"containers": [{"name": "c", "image": "nginx", "resources": {"limits": {name: "1"}}}]});
    assert_eq!(rejected(nothing(), nothing(), limits("example.com/thing")), (String::new(), String::new()));
}

/// Source: pkg/kubelet/status/status_manager.go `normalizeStatus`.
#[test]
fn statuses_of_containers_stand_by_name_those_of_init_containers_in_the_pods_order() {
    let mut cluster = cluster();
    let busy = |name: &str, command: &str| json!({"name": name, "image": "busybox:1.36", "command": ["sh", "-c", command]});
    create(
        &mut cluster,
        json!({"initContainers": [busy("z", "true"), busy("i", "true")],
            "containers": [busy("w", "sleep 1000"), busy("r", "sleep 1000")]}),
    );
    run(&mut cluster, 10);
    let status = pod(&mut cluster).unwrap()["status"].clone();
    let names = |list: &str| -> Vec<String> {
        let list = status[list].as_array().cloned().unwrap_or_default();
        list.iter().map(|s| s["name"].as_str().unwrap_or("").to_owned()).collect()
    };
    assert_eq!(names("containerStatuses"), ["r", "w"]);
    assert_eq!(names("initContainerStatuses"), ["z", "i"]);
}

/// Source: pkg/kubelet/kubelet_pods.go `convertToAPIContainerStatuses`, where ChangeContainerStatusOnKubeletRestart is off.
#[test]
fn a_new_run_counts_as_started_until_its_startup_probe_is_due() {
    let mut cluster = cluster();
    let cat = |period: u64, failures: u64| json!({"exec": {"command": ["cat", "/tmp/up"]}, "periodSeconds": period, "failureThreshold": failures});
    create(
        &mut cluster,
        json!({"terminationGracePeriodSeconds": 1, "containers": [{"name": "c", "image": "busybox:1.36",
            "command": ["sh", "-c", "touch /tmp/up; sleep 20; rm /tmp/up; sleep 1000"],
            "startupProbe": cat(10, 10), "livenessProbe": cat(3, 1)}]}),
    );
    // Killed at the first failure after 20 s; the new run is asked by the liveness probe before the startup probe's turn.
    let mut started = Vec::new();
    for _ in 0..40 {
        run(&mut cluster, 1);
        let container = pod(&mut cluster).unwrap()["status"]["containerStatuses"][0].clone();
        if container["restartCount"] == 1 && container["state"]["running"].is_object() {
            started.push(container["started"] == true);
        }
    }
    assert_eq!(started.first(), Some(&true), "{started:?}");
    assert!(started.contains(&false), "{started:?}");
}

#[test]
fn what_a_run_said_of_its_end_outlives_its_files() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        json!({"containers": [{"name": "c", "image": "busybox:1.36",
            "command": ["sh", "-c", "sleep 2; echo because > /dev/termination-log; exit 3"]}]}),
    );
    for _ in 0..60 {
        run(&mut cluster, 1);
        let status = pod(&mut cluster).unwrap()["status"]["containerStatuses"][0].clone();
        for state in ["state", "lastState"] {
            let ended = &status[state]["terminated"];
            assert!(ended.is_null() || ended["message"] == "because\n", "{state}: {status}");
        }
    }
}

#[test]
fn a_grpc_probe_of_a_closed_port_fails_when_its_time_is_over() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        json!({"containers": [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "1000"],
            "readinessProbe": {"grpc": {"port": 9000}, "timeoutSeconds": 2, "periodSeconds": 5}}]}),
    );
    run(&mut cluster, 10);
    let events = cluster.world().api.store().list(&kinds::EVENT).map(|e| e.to_value());
    let said: Vec<String> = events
        .filter(|e| e["reason"] == "Unhealthy")
        .map(|e| e["message"].as_str().unwrap_or("").to_owned())
        .collect();
    let [said] = said.as_slice() else { panic!("{said:?}") };
    assert!(said.starts_with("Readiness probe failed: timeout: failed to connect service \""), "{said}");
    assert!(said.ends_with(":9000\" within 2s: context deadline exceeded"), "{said}");
}

/// Messages of the events `Unhealthy`, with the pod's address taken out.
fn unhealthy(cluster: &mut Cluster) -> Vec<String> {
    let ip = pod(cluster).unwrap()["status"]["podIP"].as_str().unwrap_or("").to_owned();
    let events = cluster.world().api.store().list(&kinds::EVENT).map(|e| e.to_value());
    let said = events.filter(|e| e["reason"] == "Unhealthy");
    said.map(|e| e["message"].as_str().unwrap_or("").replace(&ip, "IP")).collect()
}

fn is_ready(cluster: &mut Cluster) -> bool {
    pod(cluster).unwrap()["status"]["containerStatuses"][0]["ready"] == true
}

/// Source: pkg/probe/grpc/grpc.go `Probe`, test/images/agnhost/grpc-health-checking.
#[test]
fn a_grpc_probe_says_what_the_health_service_answers() {
    const AGNHOST: &str = "registry.k8s.io/e2e-test-images/agnhost:2.53";
    const NO_CONNECTION: &str = "Readiness probe failed: timeout: failed to connect service \"IP:80\" within 1s: context deadline exceeded";
    const UNKNOWN: &str = "Readiness probe failed: error: health rpc probe failed: rpc error: code = NotFound desc = unknown service";
    const UNWELL: &str = "Readiness probe failed: service unhealthy (responded with \"NOT_SERVING\")";
    let checking = |args: &[&'static str]| [&["grpc-health-checking"], args].concat();
    let etcd = ["/usr/local/bin/etcd", "--listen-client-urls", "http://0.0.0.0:2379"];
    for (image, command, args, probe, expected) in [
        (AGNHOST, &[][..], checking(&[]), json!({"port": 5000}), None),
        (AGNHOST, &[], checking(&["--port=9", "--service=a"]), json!({"port": 9, "service": "a"}), None),
        (AGNHOST, &[], checking(&["--service=a"]), json!({"port": 5000}), Some(UNKNOWN)),
        (AGNHOST, &[], checking(&[]), json!({"port": 5000, "service": "b"}), Some(UNKNOWN)),
        (AGNHOST, &[], checking(&["--delay-unhealthy-sec", "0"]), json!({"port": 5000}), Some(UNWELL)),
        (AGNHOST, &[], checking(&["--http-port=80"]), json!({"port": 80}), Some(NO_CONNECTION)),
        ("nginx:1.27", &[], vec![], json!({"port": 80}), Some(NO_CONNECTION)),
        ("registry.k8s.io/etcd:3.5.1-0", &etcd, vec![], json!({"port": 2379}), None),
        ("registry.k8s.io/etcd:3.5.1-0", &etcd, vec![], json!({"port": 2379, "service": "x"}), Some(UNKNOWN)),
        ("somebody/grpc:2", &[], vec![], json!({"port": 50051}), None),
    ] {
        let mut cluster = cluster();
        create(
            &mut cluster,
            json!({"containers": [{"name": "c", "image": image, "command": command, "args": args,
                "readinessProbe": {"grpc": probe, "periodSeconds": 5}}]}),
        );
        run(&mut cluster, 25);
        let said = unhealthy(&mut cluster);
        let about = format!("{image} {args:?} {probe}: {said:?}");
        assert_eq!(is_ready(&mut cluster), expected.is_none(), "{about}");
        match expected {
            Some(text) => assert!(said.contains(&text.to_owned()), "{about}"),
            None => assert!(said.is_empty(), "{about}"),
        }
    }
}

#[test]
fn a_server_may_be_told_to_be_unwell_over_http_and_then_well_again() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        json!({"containers": [
            {"name": "c", "image": "registry.k8s.io/e2e-test-images/agnhost:2.53", "args": ["grpc-health-checking"],
                "readinessProbe": {"grpc": {"port": 5000}, "periodSeconds": 2, "failureThreshold": 1}},
            {"name": "d", "image": "busybox:1.36", "command": ["sh", "-c",
                "sleep 20; wget -q -O- localhost:8080/make-not-serving; sleep 20; wget -q -O- localhost:8080/make-serving; sleep 1000"]}]}),
    );
    run(&mut cluster, 15);
    assert!(is_ready(&mut cluster));
    run(&mut cluster, 20);
    assert!(!is_ready(&mut cluster));
    run(&mut cluster, 20);
    assert!(is_ready(&mut cluster));
}

#[test]
fn a_pod_that_waits_for_its_volumes_is_deleted_at_once() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        json!({"volumes": [{"name": "v", "configMap": {"name": "nope"}}],
            "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "1000"],
                "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}),
    );
    run(&mut cluster, 5);
    cluster.request(Request::delete(&kinds::POD, "default", "p"));
    run(&mut cluster, 4);
    assert!(pod(&mut cluster).is_none());
}

/// Source: pkg/kubelet/status/status_manager.go `hasPodInitialized`.
#[test]
fn containers_of_a_pod_that_ends_in_its_init_containers_never_started() {
    let mut cluster = cluster();
    let command = json!(["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.2; done"]);
    create(
        &mut cluster,
        json!({"initContainers": [{"name": "i", "image": "busybox:1.36", "command": command}],
            "containers": [{"name": "main", "image": "busybox:1.36", "command": ["sleep", "1000"]}]}),
    );
    run(&mut cluster, 5);
    let watch =
        cluster.request(Request::new(podlab_api::door::Verb::Watch, &kinds::POD).namespace("default"));
    let ResponseBody::Watch(mut cursor) = watch.body else { panic!("no watch") };
    cluster.request(Request::delete(&kinds::POD, "default", "p"));
    run(&mut cluster, 5);
    let last = cluster.watch(&mut cursor).unwrap_or_default().pop().expect("the pod is gone");
    let last = last.object.to_value();
    assert_eq!(last["status"]["phase"], "Failed");
    assert_eq!(last["status"]["initContainerStatuses"][0]["state"]["terminated"]["exitCode"], 0);
    assert_eq!(last["status"]["containerStatuses"][0]["state"]["waiting"]["reason"], "PodInitializing");
}

#[test]
fn a_failing_readiness_probe_is_asked_again_at_the_next_look_at_the_runtime() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        json!({"containers": [{"name": "c", "image": "busybox:1.36", "command": ["sleep", "1000"],
            "readinessProbe": {"exec": {"command": ["false"]}, "periodSeconds": 60}}]}),
    );
    run(&mut cluster, 5);
    // Once when the container runs, once when the result has reached the pod's worker.
    assert_eq!(failed_probes(&cluster), [("Readiness".to_owned(), 2)]);
}

fn put(cluster: &mut Cluster, spec: Option<Value>) {
    let manifest = spec.map(|spec| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "s", "namespace": "default"}, "spec": spec})
    });
    let node = cluster.world().settings.nodes[0].name.clone();
    cluster.act(podlab_cluster::cluster::Act::StaticPod { node, file: "s.yaml".to_owned(), manifest });
}

fn mirror(cluster: &mut Cluster) -> Option<Value> {
    let name = format!("s-{}", cluster.world().settings.nodes[0].name);
    let response = cluster.request(Request::get(&kinds::POD, "default", &name));
    response.into_object().ok().map(|o| o.to_value())
}

fn loops() -> Value {
    let command = json!(["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.2; done"]);
    json!({"containers": [{"name": "c", "image": "busybox:1.36", "command": command}]})
}

#[test]
fn the_mirror_of_a_static_pod_goes_after_the_pod_has_ended() {
    let mut cluster = cluster();
    let command = json!(["sh", "-c", "trap 'sleep 5; exit 0' TERM; while true; do sleep 0.2; done"]);
    put(
        &mut cluster,
        Some(json!({"containers": [{"name": "c", "image": "busybox:1.36", "command": command}]})),
    );
    run(&mut cluster, 5);
    assert_eq!(mirror(&mut cluster).unwrap()["status"]["phase"], "Running");
    put(&mut cluster, None);
    run(&mut cluster, 4);
    let left = mirror(&mut cluster).unwrap();
    assert!(left["metadata"]["deletionTimestamp"].is_null(), "{left}");
    run(&mut cluster, 6);
    assert!(mirror(&mut cluster).is_none());
}

#[test]
fn a_changed_static_pod_begins_when_the_one_before_has_ended() {
    let mut cluster = cluster();
    put(&mut cluster, Some(loops()));
    run(&mut cluster, 5);
    let first = mirror(&mut cluster).unwrap()["metadata"]["uid"].clone();
    // The same file again is nothing new.
    put(&mut cluster, Some(loops()));
    run(&mut cluster, 20);
    assert_eq!(mirror(&mut cluster).unwrap()["metadata"]["uid"], first);
    let mut changed = loops();
    changed["terminationGracePeriodSeconds"] = json!(7);
    put(&mut cluster, Some(changed));
    run(&mut cluster, 8);
    assert_eq!(mirror(&mut cluster).unwrap()["metadata"]["uid"], first);
    run(&mut cluster, 12);
    let next = mirror(&mut cluster).unwrap();
    assert_ne!(next["metadata"]["uid"], first);
    assert_eq!(next["status"]["phase"], "Running");
}

#[test]
fn a_deleted_mirror_comes_back_with_the_pods_next_sync() {
    let mut cluster = cluster();
    put(&mut cluster, Some(loops()));
    run(&mut cluster, 5);
    let name = format!("s-{}", cluster.world().settings.nodes[0].name);
    cluster.request(Request::delete(&kinds::POD, "default", &name));
    run(&mut cluster, 20);
    let waits = mirror(&mut cluster).unwrap();
    assert!(!waits["metadata"]["deletionTimestamp"].is_null());
    run(&mut cluster, 100);
    let back = mirror(&mut cluster).unwrap();
    assert!(back["metadata"]["deletionTimestamp"].is_null(), "{back}");
    assert_eq!(back["status"]["containerStatuses"][0]["restartCount"], 0);
    assert_eq!(back["status"]["phase"], "Running");
}

/// What a static pod ends with is written at once: nobody knows its mirror to have containers.
#[test]
fn a_static_pod_that_ends_is_failed_with_its_containers() {
    let mut cluster = cluster();
    put(
        &mut cluster,
        Some(json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1.36",
            "command": ["sh", "-c", "sleep 3; exit 1"]}]})),
    );
    for _ in 0..100 {
        let until = cluster.sim_now() + Duration::from_millis(100);
        cluster.run_until(until, || true);
        let Some(status) = mirror(&mut cluster).map(|m| m["status"].clone()) else { continue };
        let ended = status["containerStatuses"][0]["state"]["terminated"].is_object();
        assert_eq!(ended, status["phase"] == "Failed", "{status}");
    }
    assert_eq!(mirror(&mut cluster).unwrap()["status"]["phase"], "Failed");
}

#[test]
fn a_container_that_starts_beside_one_that_backs_off_is_seen_running() {
    let mut cluster = cluster();
    let busy = |name: &str, command: &str| json!({"name": name, "image": "busybox:1.36", "command": ["sh", "-c", command]});
    create(&mut cluster, json!({"containers": [busy("a", "sleep 2; exit 1"), busy("b", "sleep 5; exit 2")]}));
    let mut seen = false;
    for _ in 0..20 {
        run(&mut cluster, 1);
        let status = pod(&mut cluster).unwrap()["status"]["containerStatuses"].clone();
        let (a, b) = (&status[0], &status[1]);
        seen |= a["state"]["waiting"]["reason"] == "CrashLoopBackOff"
            && b["state"]["running"].is_object()
            && b["restartCount"] == 1;
    }
    assert!(seen);
}

/// The hook comes a moment after the start: by then most containers listen to TERM, and those that do not yet are killed.
#[test]
fn a_container_whose_post_start_hook_fails_at_once_mostly_ends_by_its_own_trap() {
    let mut codes = BTreeMap::new();
    for seed in 1..=16 {
        let mut cluster = Cluster::new(Settings { profile: Profile::Bare, seed, ..Settings::default() });
        let mut spec = loops();
        spec["restartPolicy"] = json!("Never");
        spec["containers"][0]["lifecycle"] = json!({"postStart": {"httpGet": {"path": "/", "port": 9999}}});
        create(&mut cluster, spec);
        run(&mut cluster, 40);
        let status = pod(&mut cluster).unwrap()["status"].clone();
        let code = status["containerStatuses"][0]["state"]["terminated"]["exitCode"].as_i64();
        assert_eq!(status["phase"], if code == Some(0) { "Succeeded" } else { "Failed" });
        *codes.entry(code).or_insert(0) += 1;
    }
    let [well, killed] = [Some(0), Some(137)].map(|code| codes.get(&code).copied().unwrap_or(0));
    assert!(well > killed && killed > 0 && well + killed == 16, "{codes:?}");
}

/// Source: pkg/controller/namespace/namespace_controller.go `enqueueNamespace`: every change of the namespace calls for a look
/// five seconds later, also what the controller says of it itself.
#[test]
fn a_namespace_goes_ten_seconds_after_its_deletion() {
    let mut cluster = cluster();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}});
    assert_eq!(cluster.request(Request::create(&kinds::NAMESPACE, "", namespace)).code, 201);
    run(&mut cluster, 1);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": loops()});
    assert_eq!(cluster.request(Request::create(&kinds::POD, "n", pod)).code, 201);
    run(&mut cluster, 3);
    cluster.request(Request::delete(&kinds::NAMESPACE, "", "n"));
    run(&mut cluster, 9);
    assert_eq!(cluster.request(Request::get(&kinds::NAMESPACE, "", "n")).code, 200);
    run(&mut cluster, 3);
    assert_eq!(cluster.request(Request::get(&kinds::NAMESPACE, "", "n")).code, 404);
}

fn kubelet(cluster: &mut Cluster, runs: bool) {
    let node = cluster.world().settings.nodes[0].name.clone();
    let act = if runs {
        podlab_cluster::cluster::Act::StartKubelet
    } else {
        podlab_cluster::cluster::Act::StopKubelet
    };
    cluster.act(act(node));
}

#[test]
fn a_kubelet_that_starts_again_sees_which_files_have_changed() {
    let mut cluster = cluster();
    put(&mut cluster, Some(loops()));
    run(&mut cluster, 5);
    // The same file as before: the pod runs on, and can be taken away later.
    kubelet(&mut cluster, false);
    run(&mut cluster, 5);
    kubelet(&mut cluster, true);
    run(&mut cluster, 5);
    let runs = mirror(&mut cluster).unwrap();
    assert_eq!(runs["status"]["containerStatuses"][0]["restartCount"], 0);
    kubelet(&mut cluster, false);
    put(&mut cluster, None);
    run(&mut cluster, 5);
    assert!(mirror(&mut cluster).is_some(), "nobody looks at the files");
    kubelet(&mut cluster, true);
    run(&mut cluster, 5);
    assert!(mirror(&mut cluster).is_none());
    kubelet(&mut cluster, false);
    put(&mut cluster, Some(loops()));
    run(&mut cluster, 5);
    assert!(mirror(&mut cluster).is_none());
    kubelet(&mut cluster, true);
    run(&mut cluster, 5);
    assert_eq!(mirror(&mut cluster).unwrap()["status"]["phase"], "Running");
}
