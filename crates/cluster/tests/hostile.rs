//! Requests made to hurt: each is answered, time goes on afterwards, and the store keeps its order.

#[path = "../../api/tests/trees/mod.rs"]
mod trees;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use podlab_api::door::{FieldValidation, PatchType, RequestOptions, ResponseBody, Verb};
use podlab_api::{Door, Kind, Request, kinds};
use podlab_cluster::cluster::Act;
use podlab_cluster::{Cluster, Profile, Settings};
use proptest::prelude::*;
use serde_json::{Value, json};
use trees::{Choices, MANIFESTS, numbers};

fn kind_of(body: &Value) -> &'static Kind {
    let text = |field: &str| body[field].as_str().unwrap_or_default();
    kinds::by_gvk(text("apiVersion"), text("kind")).unwrap_or(&kinds::POD)
}

/// Any request: mostly one that makes sense for the body's kind.
fn request(choices: &mut Choices<'_>) -> Request {
    let mut body = choices.manifest();
    let kind = if choices.below(12) == 11 { choices.pick(kinds::ALL) } else { kind_of(&body) };
    let verbs = [
        Verb::Create,
        Verb::Create,
        Verb::Create,
        Verb::Update,
        Verb::Update,
        Verb::Patch(PatchType::Json),
        Verb::Patch(PatchType::Merge),
        Verb::Patch(PatchType::StrategicMerge),
        Verb::Patch(PatchType::Apply),
        Verb::Delete,
        Verb::DeleteCollection,
        Verb::Get,
        Verb::List,
        Verb::Watch,
    ];
    let verb = verbs[choices.below(verbs.len())];
    let mut request = Request::new(verb, kind);
    if kind.namespaced && choices.below(16) < 15 {
        request = request.namespace(if choices.below(12) == 11 { "team" } else { "default" });
    }
    if !matches!(verb, Verb::Create | Verb::List | Verb::Watch | Verb::DeleteCollection) {
        let name = body["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        request = request.name(if choices.below(12) == 11 { "nosuch" } else { &name });
    }
    if choices.below(8) == 7 {
        let subresources = [
            "status",
            "scale",
            "binding",
            "eviction",
            "resize",
            "ephemeralcontainers",
            "finalize",
            "log",
            "exec",
            "x",
        ];
        request = request.subresource(choices.pick(&subresources).to_owned());
    }
    let mut options = RequestOptions::default();
    match choices.below(10) {
        9 => options.dry_run = true,
        8 => options.label_selector = Some(choices.text()),
        7 => options.field_selector = Some(choices.text()),
        6 => options.resource_version = Some(choices.text()),
        5 => options.field_validation = FieldValidation::Strict,
        4 => options.limit = Some(choices.below(3) as _),
        _ => {}
    }
    if let Verb::Patch(how) = verb {
        options.field_manager = Some("test".to_owned());
        if how == PatchType::Json {
            body = json!([{"op": choices.pick(&["add", "replace", "remove", "copy"]), "from": "/metadata",
                "path": choices.pick(&["/spec/replicas", "/metadata/labels", "/spec", "/spec/template/spec/containers/0/image", "/status", "/metadata/finalizers"]),
                "value": choices.any(2)}]);
        }
    }
    request.body(body).options(options)
}

/// **Invariant:** each write has a higher resourceVersion; an object keeps its uid for life.
fn check_store(cluster: &Cluster, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let store = cluster.world().api.store();
    let mut versions = BTreeMap::new();
    let mut seen = BTreeMap::new();
    for object in store.all() {
        let version = object.resource_version();
        assert!(version > 0 && version <= store.resource_version(), "{}", object.name());
        assert!(seen.insert(version, object.uid().to_owned()).is_none(), "two writes of version {version}");
        if let Some(old) = before.get(object.uid()) {
            assert!(version >= *old, "{} went back from {old} to {version}", object.name());
        }
        assert!(
            versions.insert(object.uid().to_owned(), version).is_none(),
            "two objects of uid {}",
            object.uid()
        );
        assert!(podlab_api::Object::from_value(object.to_value()).is_ok(), "{}", object.name());
    }
    versions
}

fn check_story(numbers: &[u16], profile: Profile) {
    let mut choices = Choices::new(numbers);
    let mut cluster = Cluster::forgetful(Settings { profile, ..Settings::default() });
    let mut versions = BTreeMap::new();
    let mut watches = Vec::new();
    for _ in 0..1 + choices.below(8) {
        let request = request(&mut choices);
        let started = Instant::now();
        let before = cluster.world().api.store().resource_version();
        let reads = matches!(request.verb, Verb::Get | Verb::List | Verb::Watch) || request.options.dry_run;
        let told = format!("{request:?}");
        let response = cluster.request(request);
        let after = cluster.world().api.store().resource_version();
        assert!(after >= before && (!reads || after == before), "{told}");
        if let ResponseBody::Watch(cursor) = response.body {
            watches.push((cursor, None));
        }
        for seconds in [0, 1, 60] {
            if choices.below(3) > 0 {
                let until = cluster.sim_now() + Duration::from_secs(seconds);
                cluster.run_until(until, || true);
                assert_eq!(cluster.sim_now(), until);
            }
            versions = check_store(&cluster, &versions);
        }
        for (cursor, last) in &mut watches {
            let events = cluster.watch(cursor).unwrap_or_default();
            // What a watch begins with comes by name.
            let mut version = last.unwrap_or(u64::MAX);
            for event in events {
                let next = event.object.resource_version();
                assert!(last.is_none() || next >= version, "a watch goes back from {version} to {next}");
                version = next;
            }
            *last = Some(if version == u64::MAX { 0 } else { version });
        }
        assert!(started.elapsed().as_secs() < 60, "{:?} for {told}", started.elapsed());
    }
}

/// Puts values of any type in the place of some.
fn spoil(value: &mut Value, choices: &mut Choices<'_>) {
    match choices.below(12) {
        11 => *value = choices.any(3),
        _ => match value {
            Value::Object(map) => map.values_mut().for_each(|one| spoil(one, choices)),
            Value::Array(list) => list.iter_mut().for_each(|one| spoil(one, choices)),
            _ => {}
        },
    }
}

/// A configuration of the scheduler with a part of everything that is read.
fn configuration() -> Value {
    let expression = json!({"key": "team", "operator": "Gt", "values": ["1"]});
    let terms = json!({"nodeSelectorTerms": [{"matchExpressions": [expression]}]});
    let preferred = json!([{"weight": 3, "preference": {"matchExpressions": [expression]}}]);
    let added = json!({
        "requiredDuringSchedulingIgnoredDuringExecution": terms,
        "preferredDuringSchedulingIgnoredDuringExecution": preferred,
    });
    let strategy =
        json!({"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 7}, {"name": "memory"}]});
    let config = json!([
        {"name": "NodeResourcesFit", "args": {"scoringStrategy": strategy}},
        {"name": "NodeAffinity", "args": {"addedAffinity": added}},
        {"name": "InterPodAffinity", "args": {"hardPodAffinityWeight": 50}},
    ]);
    let plugins = json!({
        "multiPoint": {"enabled": [{"name": "ImageLocality", "weight": 9}], "disabled": [{"name": "NodePorts"}]},
        "score": {"disabled": [{"name": "*"}], "enabled": [{"name": "TaintToleration", "weight": i32::MAX}]},
    });
    let profile = json!({"schedulerName": "a", "percentageOfNodesToScore": 10, "plugins": plugins, "pluginConfig": config});
    json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "percentageOfNodesToScore": 50, "profiles": [{"schedulerName": "default-scheduler"}, profile],
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_requests_are_answered_and_time_goes_on(numbers in numbers(300)) {
        check_story(&numbers, Profile::Bare);
    }

    #[test]
    fn any_configuration_of_the_scheduler_is_taken_or_refused(numbers in numbers(100)) {
        let mut choices = Choices::new(&numbers);
        let mut value = configuration();
        spoil(&mut value, &mut choices);
        let mut cluster = Cluster::forgetful(Settings::workers(2, Profile::Scheduling));
        cluster.act(Act::ConfigureScheduler(value));
        for scheduler in ["", "a"] {
            let spec = json!({"schedulerName": scheduler, "containers": [{"name": "c", "image": "nginx"}]});
            let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "p-"}, "spec": spec});
            cluster.request(Request::create(&kinds::POD, "default", pod));
        }
        let until = cluster.sim_now() + Duration::from_secs(2);
        prop_assert!(cluster.run_until(until, || true));
    }

    #[test]
    fn the_door_alone_answers_any_request(numbers in numbers(300)) {
        check_story(&numbers, Profile::Api);
    }
}

#[test]
fn the_manifests_are_taken_and_run() {
    let mut cluster = Cluster::forgetful(Settings { profile: Profile::Bare, ..Settings::default() });
    for text in MANIFESTS {
        let body: Value = serde_json::from_str(text).unwrap();
        let kind = kind_of(&body);
        let namespace = if kind.namespaced { "default" } else { "" };
        let response = cluster.request(Request::create(kind, namespace, body));
        let taken = response.code == 201;
        if let ResponseBody::Status(status) = &response.body {
            // The namespace's quota is smaller than what is asked for.
            println!("{}", status.message);
        }
        assert!(taken || response.code == 403 || response.code == 422, "{}: {text}", response.code);
    }
    cluster.run_until(cluster.sim_now() + Duration::from_secs(300), || true);
    check_store(&cluster, &BTreeMap::new());
}
