//! Workloads: controllers bring about what their objects ask for, step by step, and then are quiet.

use podlab_api::door::{PatchType, Propagation, Verb};
use podlab_api::{Door, Kind, Object, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

fn cluster() -> Cluster {
    Cluster::new(Settings { profile: Profile::Bare, ..Settings::default() })
}

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn create(cluster: &mut Cluster, kind: &'static Kind, name: &str, spec: Value) -> Arc<Object> {
    let body = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": name}, "spec": spec});
    cluster.request(Request::create(kind, "default", body)).into_object().unwrap()
}

fn get(cluster: &mut Cluster, kind: &'static Kind, name: &str) -> Value {
    cluster.request(Request::get(kind, "default", name)).into_object().unwrap().to_value()
}

fn patch(cluster: &mut Cluster, kind: &'static Kind, name: &str, body: Value) {
    let request = Request::patch(kind, "default", name, PatchType::StrategicMerge, body);
    cluster.request(request).into_object().unwrap();
}

fn all(cluster: &mut Cluster, kind: &'static Kind) -> Vec<Arc<Object>> {
    cluster.request(Request::list(kind, "default")).into_list().unwrap().items
}

fn names(cluster: &mut Cluster, kind: &'static Kind) -> Vec<String> {
    all(cluster, kind).iter().map(|object| object.name().to_owned()).collect()
}

fn events(cluster: &mut Cluster, about: &str) -> Vec<String> {
    let text =
        |event: &Arc<Object>, field: &str| event.field(field).and_then(Value::as_str).map(str::to_owned);
    let of = |event: &&Arc<Object>| event.field("involvedObject").is_some_and(|o| o["name"] == about);
    let shown = |event: &Arc<Object>| {
        format!(
            "{}: {}",
            text(event, "reason").unwrap_or_default(),
            text(event, "message").unwrap_or_default()
        )
    };
    all(cluster, &kinds::EVENT).iter().filter(of).map(shown).collect()
}

fn condition(object: &Value, name: &str) -> String {
    let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let found = conditions.into_iter().find(|c| c["type"] == name).unwrap_or_default();
    format!("{} {}", found["status"].as_str().unwrap_or(""), found["reason"].as_str().unwrap_or(""))
}

/// A selector and a template of pods that serve, or that run `command`.
fn app(name: &str, command: Option<&str>) -> Value {
    let mut container = json!({"name": "c", "image": "nginx:1.27"});
    if let Some(command) = command {
        container = json!({"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", command]});
    }
    json!({"selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}}})
}

fn with(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}

fn again(value: &str) -> Value {
    json!({"spec": {"template": {"metadata": {"annotations": {"again": value}}}}})
}

/// A Job's template.
fn task(command: &str) -> Value {
    json!({"spec": {"restartPolicy": "Never", "containers": [
        {"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", command]}]}})
}

fn replica_sets(cluster: &mut Cluster) -> Vec<(String, i64)> {
    let mut all: Vec<(String, i64)> = all(cluster, &kinds::REPLICA_SET)
        .iter()
        .map(|set| {
            let set = set.to_value();
            let revision =
                set["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str().unwrap();
            (revision.to_owned(), set["spec"]["replicas"].as_i64().unwrap())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn a_replica_set_replaces_adopts_and_releases() {
    let mut cluster = cluster();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "first", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.27"}]}});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
    let set =
        create(&mut cluster, &kinds::REPLICA_SET, "web", with(app("web", None), json!({"replicas": 2})));
    run(&mut cluster, 10);
    let first = get(&mut cluster, &kinds::POD, "first");
    assert_eq!(first["metadata"]["ownerReferences"][0]["uid"], json!(set.uid()), "the pod was adopted");
    assert_eq!(names(&mut cluster, &kinds::POD).len(), 2);
    patch(&mut cluster, &kinds::POD, "first", json!({"metadata": {"labels": {"app": "other"}}}));
    run(&mut cluster, 10);
    let first = get(&mut cluster, &kinds::POD, "first");
    assert_eq!(first["metadata"]["ownerReferences"], Value::Null, "the pod was released");
    assert_eq!(names(&mut cluster, &kinds::POD).len(), 3);
    let set = get(&mut cluster, &kinds::REPLICA_SET, "web");
    assert_eq!(set["status"]["readyReplicas"], 2);
}

#[test]
fn a_deployment_rolls_within_its_bounds_and_back() {
    let mut cluster = cluster();
    let strategy = json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}});
    let spec = with(app("web", None), json!({"replicas": 3, "strategy": strategy}));
    create(&mut cluster, &kinds::DEPLOYMENT, "web", spec);
    run(&mut cluster, 30);
    let first = get(&mut cluster, &kinds::DEPLOYMENT, "web");
    assert_eq!(first["status"]["availableReplicas"], 3);
    patch(&mut cluster, &kinds::DEPLOYMENT, "web", again("once"));
    for _ in 0..300 {
        let until = cluster.sim_now() + Duration::from_millis(100);
        cluster.run_until(until, || true);
        let web = get(&mut cluster, &kinds::DEPLOYMENT, "web");
        let wanted: i64 = replica_sets(&mut cluster).iter().map(|(_, n)| n).sum();
        assert!(wanted <= 4, "{wanted} replicas wanted with maxSurge 1");
        assert!(web["status"]["availableReplicas"].as_i64() >= Some(3), "{}", web["status"]);
    }
    assert_eq!(replica_sets(&mut cluster), [("1".to_owned(), 0), ("2".to_owned(), 3)]);
    let web = get(&mut cluster, &kinds::DEPLOYMENT, "web");
    assert_eq!(condition(&web, "Progressing"), "True NewReplicaSetAvailable");
    patch(
        &mut cluster,
        &kinds::DEPLOYMENT,
        "web",
        json!({"spec": {"template": {"metadata": {"annotations": null}}}}),
    );
    run(&mut cluster, 30);
    assert_eq!(replica_sets(&mut cluster), [("2".to_owned(), 0), ("3".to_owned(), 3)]);
}

#[test]
fn a_deployment_that_never_gets_ready_says_so() {
    let mut cluster = cluster();
    let mut spec = with(app("web", None), json!({"replicas": 2, "progressDeadlineSeconds": 10}));
    spec["template"]["spec"]["containers"][0]["readinessProbe"] = json!({"exec": {"command": ["false"]}});
    create(&mut cluster, &kinds::DEPLOYMENT, "web", spec);
    run(&mut cluster, 60);
    let web = get(&mut cluster, &kinds::DEPLOYMENT, "web");
    assert_eq!(condition(&web, "Progressing"), "False ProgressDeadlineExceeded");
    assert_eq!(condition(&web, "Available"), "False MinimumReplicasUnavailable");
}

#[test]
fn a_paused_deployment_waits_and_keeps_a_short_history() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        &kinds::DEPLOYMENT,
        "web",
        with(app("web", None), json!({"revisionHistoryLimit": 1})),
    );
    run(&mut cluster, 10);
    patch(&mut cluster, &kinds::DEPLOYMENT, "web", json!({"spec": {"paused": true}}));
    patch(&mut cluster, &kinds::DEPLOYMENT, "web", again("1"));
    run(&mut cluster, 10);
    assert_eq!(replica_sets(&mut cluster), [("1".to_owned(), 1)]);
    patch(&mut cluster, &kinds::DEPLOYMENT, "web", json!({"spec": {"paused": false}}));
    run(&mut cluster, 10);
    for turn in 2..5 {
        patch(&mut cluster, &kinds::DEPLOYMENT, "web", again(&turn.to_string()));
        run(&mut cluster, 20);
    }
    assert_eq!(replica_sets(&mut cluster), [("4".to_owned(), 0), ("5".to_owned(), 1)]);
}

#[test]
fn deleting_takes_or_leaves_what_is_owned() {
    let mut cluster = cluster();
    for (name, how, left) in [
        ("fore", Propagation::Foreground, false),
        ("back", Propagation::Background, false),
        ("orphan", Propagation::Orphan, true),
    ] {
        create(&mut cluster, &kinds::DEPLOYMENT, name, with(app(name, None), json!({"replicas": 2})));
        run(&mut cluster, 10);
        let mut request = Request::delete(&kinds::DEPLOYMENT, "default", name);
        request.options.propagation = Some(how);
        cluster.request(request);
        run(&mut cluster, 30);
        assert!(!names(&mut cluster, &kinds::DEPLOYMENT).contains(&name.to_owned()));
        let sets = names(&mut cluster, &kinds::REPLICA_SET);
        assert_eq!(sets.iter().any(|set| set.starts_with(name)), left, "{name}: {sets:?}");
        let pods = names(&mut cluster, &kinds::POD);
        assert_eq!(
            pods.iter().filter(|pod| pod.starts_with(name)).count(),
            if left { 2 } else { 0 },
            "{pods:?}"
        );
    }
}

#[test]
fn a_daemon_set_stands_on_every_node_it_may() {
    let mut cluster = cluster();
    create(&mut cluster, &kinds::DAEMON_SET, "agent", app("agent", None));
    run(&mut cluster, 10);
    let on = |cluster: &mut Cluster| {
        let pods = all(cluster, &kinds::POD);
        let mut nodes: Vec<String> = pods.iter().filter_map(|p| Some(p.node_name()?.to_owned())).collect();
        nodes.sort();
        nodes
    };
    assert_eq!(on(&mut cluster), ["node01", "node02"], "the control plane is tainted");
    patch(
        &mut cluster,
        &kinds::DAEMON_SET,
        "agent",
        json!({"spec": {"template": {"spec": {"nodeSelector": {"disk": "fast"}}}}}),
    );
    run(&mut cluster, 20);
    assert_eq!(on(&mut cluster), [""; 0]);
    let label = json!({"metadata": {"labels": {"disk": "fast"}}});
    let request = Request::patch(&kinds::NODE, "", "node02", PatchType::Merge, label);
    cluster.request(request).into_object().unwrap();
    run(&mut cluster, 10);
    assert_eq!(on(&mut cluster), ["node02"]);
    let agent = get(&mut cluster, &kinds::DAEMON_SET, "agent");
    assert_eq!(agent["status"]["numberReady"], 1);
    assert_eq!(names(&mut cluster, &kinds::CONTROLLER_REVISION).len(), 2);
}

#[test]
fn a_stateful_set_goes_in_order_and_keeps_to_its_partition() {
    let mut cluster = cluster();
    let spec = with(app("db", None), json!({"replicas": 3, "serviceName": "db"}));
    create(&mut cluster, &kinds::STATEFUL_SET, "db", spec);
    run(&mut cluster, 1);
    assert_eq!(names(&mut cluster, &kinds::POD), ["db-0"], "the second waits for the first");
    run(&mut cluster, 30);
    assert_eq!(names(&mut cluster, &kinds::POD), ["db-0", "db-1", "db-2"]);
    let strategy = json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}}});
    patch(&mut cluster, &kinds::STATEFUL_SET, "db", strategy);
    patch(&mut cluster, &kinds::STATEFUL_SET, "db", again("1"));
    run(&mut cluster, 60);
    let revisions: Vec<String> = all(&mut cluster, &kinds::POD)
        .iter()
        .map(|pod| pod.label("controller-revision-hash").unwrap().to_owned())
        .collect();
    assert_eq!(revisions[0], revisions[1]);
    assert_ne!(revisions[1], revisions[2]);
    patch(&mut cluster, &kinds::STATEFUL_SET, "db", json!({"spec": {"replicas": 1}}));
    run(&mut cluster, 30);
    assert_eq!(names(&mut cluster, &kinds::POD), ["db-0"]);
}

#[test]
fn a_cron_job_hears_of_a_job_between_its_success_and_its_end() {
    let mut cluster = cluster();
    let pod = json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox", "command": ["sleep", "2"]}]});
    let template = json!({"spec": {"template": {"spec": pod}}});
    let spec = json!({"schedule": "* * * * *", "suspend": true, "jobTemplate": template});
    let owner = create(&mut cluster, &kinds::CRON_JOB, "tick", spec);
    // A Job of the CronJob's that it has not made: each look at it that finds it unfinished says so.
    let reference = json!({"apiVersion": "batch/v1", "kind": "CronJob", "name": "tick", "uid": owner.uid(), "controller": true});
    let body = json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "m1", "ownerReferences": [reference]}, "spec": {"template": {"spec": pod}}});
    cluster.request(Request::create(&kinds::JOB, "default", body)).into_object().unwrap();
    run(&mut cluster, 30);
    let events = all(&mut cluster, &kinds::EVENT);
    let told =
        events.iter().map(|event| event.to_value()).find(|event| event["reason"] == "UnexpectedJob").unwrap();
    // Active, ready, not ready any more, successful; then it is over.
    assert_eq!(told["count"], 4, "{told}");
}

#[test]
fn jobs_complete_fail_and_go_in_time() {
    let mut cluster = cluster();
    let more = json!({"completions": 3, "parallelism": 2, "completionMode": "Indexed", "template": task("sleep 1"),
        "ttlSecondsAfterFinished": 30});
    create(&mut cluster, &kinds::JOB, "three", more);
    create(&mut cluster, &kinds::JOB, "fails", json!({"backoffLimit": 1, "template": task("exit 1")}));
    create(
        &mut cluster,
        &kinds::JOB,
        "long",
        json!({"activeDeadlineSeconds": 5, "template": task("sleep 1000")}),
    );
    run(&mut cluster, 29);
    let three = get(&mut cluster, &kinds::JOB, "three");
    assert_eq!(condition(&three, "Complete"), "True CompletionsReached");
    assert_eq!(three["status"]["completedIndexes"], "0-2");
    let fails = get(&mut cluster, &kinds::JOB, "fails");
    assert_eq!(condition(&fails, "Failed"), "True BackoffLimitExceeded");
    assert_eq!(fails["status"]["failed"], 2);
    let long = get(&mut cluster, &kinds::JOB, "long");
    assert_eq!(condition(&long, "FailureTarget"), "True DeadlineExceeded");
    assert_eq!(condition(&long, "Failed"), " ", "its pod has not ended");
    run(&mut cluster, 60);
    let long = get(&mut cluster, &kinds::JOB, "long");
    assert_eq!(condition(&long, "Failed"), "True DeadlineExceeded");
    assert_eq!(names(&mut cluster, &kinds::JOB), ["fails", "long"]);
    let held = |pod: &Arc<Object>| pod.to_value()["metadata"].get("finalizers").is_some();
    assert!(!all(&mut cluster, &kinds::POD).iter().any(held), "every pod was counted and let go");
}

#[test]
fn a_cron_job_keeps_its_schedule_and_a_short_history() {
    let mut cluster = cluster();
    let job = json!({"spec": {"template": task("true")}});
    let spec = json!({"schedule": "*/15 * * * *", "successfulJobsHistoryLimit": 2, "jobTemplate": job});
    create(&mut cluster, &kinds::CRON_JOB, "tick", spec);
    run(&mut cluster, 3610);
    let jobs = names(&mut cluster, &kinds::JOB);
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    let made = events(&mut cluster, "tick").iter().filter(|e| e.starts_with("SuccessfulCreate:")).count();
    assert_eq!(made, 4);
    patch(&mut cluster, &kinds::CRON_JOB, "tick", json!({"spec": {"suspend": true}}));
    run(&mut cluster, 3600);
    assert_eq!(names(&mut cluster, &kinds::JOB), jobs);
}

#[test]
fn an_eviction_that_would_break_a_budget_is_refused() {
    let mut cluster = cluster();
    create(&mut cluster, &kinds::DEPLOYMENT, "web", with(app("web", None), json!({"replicas": 2})));
    let budget = json!({"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}});
    create(&mut cluster, &kinds::POD_DISRUPTION_BUDGET, "web", budget);
    run(&mut cluster, 10);
    let status = get(&mut cluster, &kinds::POD_DISRUPTION_BUDGET, "web")["status"].clone();
    assert_eq!(status["disruptionsAllowed"], 1);
    let evict = |cluster: &mut Cluster, name: &str| {
        let body = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
        let request = Request::new(Verb::Create, &kinds::POD).namespace("default").name(name);
        cluster.request(request.subresource("eviction").body(body)).code
    };
    let pods = names(&mut cluster, &kinds::POD);
    assert_eq!(evict(&mut cluster, &pods[0]), 201);
    assert_eq!(evict(&mut cluster, &pods[1]), 429);
    run(&mut cluster, 20);
    let status = get(&mut cluster, &kinds::POD_DISRUPTION_BUDGET, "web")["status"].clone();
    assert_eq!(
        (status["disruptionsAllowed"].clone(), status["currentHealthy"].clone()),
        (json!(1), json!(2))
    );
}

#[derive(Clone, Debug)]
enum Step {
    Scale(usize, u32),
    Change(usize, u32),
    DeletePod(u32),
    Relabel(u32),
    Delete(usize),
    Create(usize, u32),
    Pass(u32),
}

const OWNERS: [&Kind; 4] =
    [&kinds::DEPLOYMENT, &kinds::REPLICA_SET, &kinds::STATEFUL_SET, &kinds::DAEMON_SET];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3usize, 0..6u32).prop_map(|(owner, n)| Step::Scale(owner, n)),
        (0..4usize, 0..3u32).prop_map(|(owner, n)| Step::Change(owner, n)),
        any::<u32>().prop_map(Step::DeletePod),
        any::<u32>().prop_map(Step::Relabel),
        (0..4usize).prop_map(Step::Delete),
        (0..4usize, 0..5u32).prop_map(|(owner, n)| Step::Create(owner, n)),
        (1..3000u32).prop_map(Step::Pass),
    ]
}

fn perform(cluster: &mut Cluster, step: &Step) {
    let pod = |cluster: &mut Cluster, pick: u32| {
        let pods = names(cluster, &kinds::POD);
        (!pods.is_empty()).then(|| pods[pick as usize % pods.len()].clone())
    };
    let change = |kind, name: &str, body| Request::patch(kind, "default", name, PatchType::Merge, body);
    // What no longer exists answers 404, which is as good as any other answer here.
    match step {
        Step::Scale(owner, n) => {
            cluster.request(change(OWNERS[*owner], "own", json!({"spec": {"replicas": n}})));
        }
        Step::Change(owner, n) => {
            cluster.request(change(OWNERS[*owner], "own", again(&n.to_string())));
        }
        Step::DeletePod(pick) => {
            if let Some(name) = pod(cluster, *pick) {
                cluster.request(Request::delete(&kinds::POD, "default", &name));
            }
        }
        Step::Relabel(pick) => {
            // A StatefulSet's pod that no longer is its own stands in the way of the next of its name.
            if let Some(name) = pod(cluster, *pick).filter(|name| name.len() > "own-10".len()) {
                cluster.request(change(&kinds::POD, &name, json!({"metadata": {"labels": {"app": "free"}}})));
            }
        }
        Step::Delete(owner) => {
            let mut request = Request::delete(OWNERS[*owner], "default", "own");
            request.options.propagation = Some(Propagation::Background);
            cluster.request(request);
        }
        Step::Create(owner, n) => {
            let kind = OWNERS[*owner];
            let mut spec = app(kind.plural, None);
            if *owner < 3 {
                spec["replicas"] = json!(n);
            }
            let body = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": "own"},
                "spec": spec});
            cluster.request(Request::create(kind, "default", body));
        }
        Step::Pass(milliseconds) => {
            let until = cluster.sim_now() + Duration::from_millis(u64::from(*milliseconds));
            cluster.run_until(until, || true);
        }
    }
}

/// What anyone but a heart beat has written.
fn versions(cluster: &mut Cluster) -> BTreeMap<String, u64> {
    let beats = |o: &Object| o.kind.kind == "Lease" || o.kind.kind == "Node";
    let store = cluster.world().api.store();
    store
        .all()
        .filter(|o| !beats(o))
        .map(|o| (format!("{}/{}/{}", o.kind.kind, o.namespace(), o.name()), o.resource_version()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_asked_settles(seed in 0..1000u64, steps in prop::collection::vec(step(), 1..40)) {
        let mut cluster = Cluster::new(Settings { profile: Profile::Bare, seed, ..Settings::default() });
        for (owner, _) in OWNERS.iter().enumerate() {
            perform(&mut cluster, &Step::Create(owner, 2));
        }
        for step in &steps {
            perform(&mut cluster, step);
        }
        run(&mut cluster, 200);
        let live: BTreeMap<String, Arc<Object>> = cluster.world().api.store().all().map(|o| (o.uid().to_owned(), o.clone())).collect();
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for object in live.values() {
            let references = object.to_value()["metadata"]["ownerReferences"].as_array().cloned().unwrap_or_default();
            for reference in references {
                let uid = reference["uid"].as_str().unwrap();
                prop_assert!(live.contains_key(uid), "{} is an orphan", object.name());
                if object.kind == &kinds::POD {
                    *counts.entry(uid.to_owned()).or_default() += 1;
                }
            }
        }
        for object in live.values() {
            let value = object.to_value();
            let owned = counts.get(object.uid()).copied().unwrap_or(0);
            let wanted = match object.kind.kind {
                "ReplicaSet" | "StatefulSet" => value["spec"]["replicas"].as_i64().unwrap(),
                "DaemonSet" if object.namespace() == "default" => 2,
                _ => continue,
            };
            prop_assert_eq!(owned, wanted, "{} {}: {}", object.kind.kind, object.name(), value["status"]);
            let ready = match object.kind.kind {
                "DaemonSet" => &value["status"]["numberReady"],
                _ => &value["status"]["readyReplicas"],
            };
            prop_assert_eq!(ready.as_i64().unwrap_or(0), wanted, "{}", object.name());
        }
        for deployment in all(&mut cluster, &kinds::DEPLOYMENT) {
            let value = deployment.to_value();
            let (spec, status) = (&value["spec"], &value["status"]);
            for field in ["replicas", "updatedReplicas", "availableReplicas"] {
                prop_assert_eq!(status[field].as_i64().unwrap_or(0), spec["replicas"].as_i64().unwrap(), "{}", status);
            }
        }
        let before = versions(&mut cluster);
        run(&mut cluster, 600);
        prop_assert_eq!(before, versions(&mut cluster), "nobody writes once all is as asked");
    }
}
