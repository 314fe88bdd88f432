//! Pods from creation to their end, through the whole cluster.

mod one_pod;

use one_pod::{cluster, create, pod, run};
use podlab_api::door::ResponseBody;
use podlab_api::{Door, Request, kinds};
use podlab_cluster::Cluster;
use serde_json::{Value, json};

/// The log of the pod's only container.
fn log(cluster: &mut Cluster) -> String {
    let request = Request::get(&kinds::POD, "default", "p").subresource("log");
    let ResponseBody::Stream(stream) = cluster.request(request).body else { return String::new() };
    String::from_utf8_lossy(&cluster.stream(stream).stdout).into_owned()
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

#[test]
fn a_rule_may_restart_all_containers() {
    let mut cluster = cluster();
    let rules = json!([{"action": "RestartAllContainers", "exitCodes": {"operator": "In", "values": [88]}}]);
    create(
        &mut cluster,
        json!({"initContainers": [{"name": "i", "image": "busybox:1.36", "command": ["true"]}],
            "containers": [
                {"name": "main", "image": "busybox:1.36", "command": ["sleep", "1000"]},
                {"name": "trigger", "image": "busybox:1.36", "command": ["sh", "-c", "sleep 10; exit 88"],
                 "restartPolicy": "Never", "restartPolicyRules": rules}]}),
    );
    run(&mut cluster, 8);
    let condition = |seen: &Value| {
        let conditions = seen["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().find(|c| c["type"] == "AllContainersRestarting").map(|c| c["status"].clone())
    };
    assert_eq!(condition(&pod(&mut cluster).unwrap()), Some(json!("False")));
    run(&mut cluster, 10);
    let seen = pod(&mut cluster).unwrap();
    assert_eq!(condition(&seen), Some(json!("False")));
    let status = &seen["status"];
    for container in [
        &status["initContainerStatuses"][0],
        &status["containerStatuses"][0],
        &status["containerStatuses"][1],
    ] {
        assert_eq!(container["restartCount"], 1);
        assert_eq!(container["lastState"]["terminated"]["reason"], "RestartingAllContainers");
    }
    assert_eq!(status["phase"], "Running");
    assert!(events(&cluster).contains(&("Killing".to_owned(), 1)));
}

#[test]
fn a_sub_path_shows_the_file_that_was_there_at_the_start() {
    let mut cluster = cluster();
    let config =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cfg"}, "data": {"a": "old"}});
    assert_eq!(cluster.request(Request::create(&kinds::CONFIG_MAP, "default", config.clone())).code, 201);
    let command = json!(["sh", "-c", "while true; do cat /part /all/a; echo; sleep 10; done"]);
    create(
        &mut cluster,
        json!({"volumes": [{"name": "v", "configMap": {"name": "cfg"}}],
            "containers": [{"name": "c", "image": "busybox:1.36", "command": command, "volumeMounts": [
                {"name": "v", "mountPath": "/part", "subPath": "a"}, {"name": "v", "mountPath": "/all"}]}]}),
    );
    run(&mut cluster, 5);
    let mut newer = config;
    newer["data"]["a"] = json!("new");
    assert_eq!(cluster.request(Request::update(&kinds::CONFIG_MAP, "default", "cfg", newer)).code, 200);
    run(&mut cluster, 120);
    let log = log(&mut cluster);
    assert_eq!(log.lines().next(), Some("oldold"));
    assert_eq!(log.lines().last(), Some("oldnew"));
}

#[test]
fn a_line_shows_in_the_log_when_it_is_whole_or_its_writer_has_ended() {
    let mut cluster = cluster();
    let command = json!(["sh", "-c", "echo whole; printf part; sleep 10"]);
    create(
        &mut cluster,
        json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox:1.36", "command": command}]}),
    );
    run(&mut cluster, 5);
    assert_eq!(log(&mut cluster), "whole\n");
    run(&mut cluster, 10);
    assert_eq!(log(&mut cluster), "whole\npart");
}

#[test]
fn a_subdomain_gives_the_host_its_full_name() {
    let mut cluster = cluster();
    let container = json!({"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", "tail -n 1 /etc/hosts; sleep 100"]});
    create(&mut cluster, json!({"hostname": "custom", "subdomain": "sub", "containers": [container]}));
    run(&mut cluster, 5);
    let log = log(&mut cluster);
    assert!(log.ends_with("\tcustom.sub.default.svc.cluster.local\tcustom\n"), "{log}");
}

#[test]
fn the_full_name_can_be_the_host_name() {
    let mut cluster = cluster();
    let container =
        json!({"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", "hostname; echo $HOSTNAME"]});
    create(
        &mut cluster,
        json!({"hostname": "custom", "subdomain": "sub", "setHostnameAsFQDN": true, "restartPolicy": "Never",
            "containers": [container]}),
    );
    run(&mut cluster, 5);
    let name = "custom.sub.default.svc.cluster.local";
    assert_eq!(log(&mut cluster), format!("{name}\n{name}\n"));
}

#[test]
fn a_pull_that_fails_names_secrets_that_are_not_there() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        json!({"imagePullSecrets": [{"name": "nosuch"}], "containers": [{"name": "c", "image": "nginx:nope"}]}),
    );
    run(&mut cluster, 30);
    let named = events(&cluster).into_iter().find(|(reason, _)| reason == "FailedToRetrieveImagePullSecret");
    assert_eq!(named, Some(("FailedToRetrieveImagePullSecret".to_owned(), 2)));
}

#[test]
fn an_ephemeral_container_runs_once_beside_the_others() {
    let mut cluster = cluster();
    create(&mut cluster, json!({"containers": [{"name": "web", "image": "nginx:1.27"}]}));
    run(&mut cluster, 3);
    let mut changed = pod(&mut cluster).unwrap();
    changed["spec"]["ephemeralContainers"] = json!([{"name": "debugger", "image": "busybox:1.36",
        "targetContainerName": "web", "command": ["sh", "-c", "sleep 8"]}]);
    let update = Request::update(&kinds::POD, "default", "p", changed).subresource("ephemeralcontainers");
    assert_eq!(cluster.request(update).code, 200);
    run(&mut cluster, 3);
    let ephemeral =
        |cluster: &mut Cluster| pod(cluster).unwrap()["status"]["ephemeralContainerStatuses"][0].clone();
    assert!(ephemeral(&mut cluster)["state"]["running"].is_object());
    run(&mut cluster, 70);
    let ended = ephemeral(&mut cluster);
    assert_eq!(ended["state"]["terminated"]["reason"], "Completed");
    assert_eq!(ended["restartCount"], 0);
    assert_eq!(pod(&mut cluster).unwrap()["status"]["containerStatuses"][0]["ready"], true);
}

#[test]
fn a_pod_past_its_deadline_leaves_its_containers_their_time() {
    let mut cluster = cluster();
    let deaf = json!(["sh", "-c", "trap '' TERM; while true; do sleep 1; done"]);
    create(
        &mut cluster,
        json!({"activeDeadlineSeconds": 10, "terminationGracePeriodSeconds": 20,
            "containers": [{"name": "c", "image": "busybox:1.36", "command": deaf}]}),
    );
    run(&mut cluster, 25);
    let phase = |cluster: &mut Cluster| pod(cluster).unwrap()["status"]["phase"].clone();
    assert_eq!(phase(&mut cluster), "Running");
    run(&mut cluster, 10);
    let seen = pod(&mut cluster).unwrap();
    assert_eq!(seen["status"]["reason"], "DeadlineExceeded");
    assert_eq!(seen["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"], 137);
}

#[test]
fn a_pull_that_failed_is_looked_at_every_ten_to_fifteen_seconds() {
    let mut cluster = cluster();
    create(&mut cluster, json!({"containers": [{"name": "c", "image": "nginx:nope"}]}));
    run(&mut cluster, 150);
    let count = |cluster: &Cluster, reason: &str| {
        events(cluster).into_iter().filter(|(r, _)| r == reason).map(|(_, count)| count).sum::<i64>()
    };
    let (pulls, looks) = (count(&cluster, "Pulling"), count(&cluster, "BackOff"));
    assert_eq!(pulls, 4);
    assert!((6..=11).contains(&looks), "{looks}");
}

#[test]
fn a_readiness_probe_goes_on_from_the_look_that_was_asked_for() {
    let mut cluster = cluster();
    let probe = json!({"httpGet": {"path": "/", "port": 80}, "initialDelaySeconds": 5, "periodSeconds": 5});
    create(
        &mut cluster,
        json!({"containers": [{"name": "web", "image": "nginx:1.27", "readinessProbe": probe}]}),
    );
    let ready =
        |cluster: &mut Cluster| pod(cluster).unwrap()["status"]["containerStatuses"][0]["ready"].clone();
    run(&mut cluster, 4);
    assert_eq!(ready(&mut cluster), false);
    // A clock that began with the pod's worker would have let the first probe pass by before its time.
    run(&mut cluster, 4);
    assert_eq!(ready(&mut cluster), true);
}

#[test]
fn a_pod_that_writes_more_than_its_volume_may_hold_is_evicted() {
    let mut cluster = cluster();
    let command =
        json!(["sh", "-c", "sleep 5; dd if=/dev/zero of=/v/big bs=1M count=3 2>/dev/null; sleep 1000"]);
    create(
        &mut cluster,
        json!({"volumes": [{"name": "v", "emptyDir": {"sizeLimit": "2Mi"}}],
            "containers": [{"name": "c", "image": "busybox:1.36", "command": command,
                "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}),
    );
    run(&mut cluster, 4);
    assert_eq!(pod(&mut cluster).unwrap()["status"]["phase"], "Running");
    run(&mut cluster, 20);
    let status = pod(&mut cluster).unwrap()["status"].clone();
    assert_eq!(status["phase"], "Failed");
    assert_eq!(status["reason"], "Evicted");
    assert_eq!(status["message"], "Usage of EmptyDir volume \"v\" exceeds the limit \"2Mi\". ");
    assert!(events(&cluster).contains(&("Evicted".to_owned(), 1)));
}

#[test]
fn a_volume_in_memory_holds_no_more_than_its_limit() {
    let mut cluster = cluster();
    let command = json!(["sh", "-c", "dd if=/dev/zero of=/v/big bs=1M count=3; sleep 1000"]);
    create(
        &mut cluster,
        json!({"volumes": [{"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "2Mi"}}],
            "containers": [{"name": "c", "image": "busybox:1.36", "command": command,
                "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}),
    );
    run(&mut cluster, 30);
    assert_eq!(pod(&mut cluster).unwrap()["status"]["phase"], "Running");
    let log = log(&mut cluster);
    assert!(log.contains("No space left on device"), "{log}");
}

#[test]
fn a_pod_that_fills_the_disk_beyond_its_limit_is_evicted() {
    let mut cluster = cluster();
    let command = json!(["sh", "-c", "dd if=/dev/zero of=/big bs=1M count=3 2>/dev/null; sleep 1000"]);
    let resources = json!({"limits": {"ephemeral-storage": "2Mi"}});
    create(
        &mut cluster,
        json!({"containers": [{"name": "c", "image": "busybox:1.36", "command": command, "resources": resources}]}),
    );
    run(&mut cluster, 20);
    let status = pod(&mut cluster).unwrap()["status"].clone();
    assert_eq!(status["reason"], "Evicted");
    let text = "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ";
    assert_eq!(status["message"], text);
}
