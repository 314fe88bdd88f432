//! Several schedulers by name, each with its own profile, from a KubeSchedulerConfiguration.

use podlab_api::door::PatchType;
use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::cluster::Act;
use podlab_cluster::scheduler::configuration;
use podlab_cluster::scheduler::decision::{Decision, Fix, Outcome, Verdict, Wish};
use podlab_cluster::scheduler::framework::PluginId;
use podlab_cluster::scheduler::profile::{ResourceName, ScoringStrategy};
use podlab_cluster::scheduler::scoring::{Formula, formula};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn configured(profiles: Value) -> Value {
    json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration", "profiles": profiles})
}

fn cluster(nodes: usize) -> Cluster {
    Cluster::new(Settings::workers(nodes, Profile::Scheduling))
}

fn run(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.sim_now() + Duration::from_secs(seconds);
    assert!(cluster.run_until(until, || true));
}

fn create(cluster: &mut Cluster, name: &str, scheduler: &str, cpu: &str) -> Arc<Object> {
    let requests = json!({"cpu": cpu, "memory": "128Mi"});
    let container = json!({"name": "c", "image": "nginx", "resources": {"requests": requests}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"schedulerName": scheduler, "containers": [container]}});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap()
}

fn decision(cluster: &Cluster, pod: &Object) -> Arc<Decision> {
    cluster.world().scheduler.latest_decision(pod.uid()).unwrap().clone()
}

fn node(decision: &Decision) -> &str {
    let Outcome::Bound { node } = &decision.outcome else { panic!("{decision:?}") };
    node
}

#[test]
fn a_profile_that_packs_stands_beside_one_that_spreads() {
    let mut cluster = cluster(2);
    let first = create(&mut cluster, "first", "default-scheduler", "500m");
    let waits = create(&mut cluster, "waits", "packing", "500m");
    run(&mut cluster, 2);
    assert!(cluster.world().scheduler.latest_decision(waits.uid()).is_none(), "nobody serves it");
    let packing = json!({"schedulerName": "packing", "pluginConfig": [
        {"name": "NodeResourcesFit", "args": {"scoringStrategy": {"type": "MostAllocated", "resources": [{"name": "cpu", "weight": 3}]}}}]});
    cluster
        .act(Act::ConfigureScheduler(configured(json!([{"schedulerName": "default-scheduler"}, packing]))));
    run(&mut cluster, 2);
    let packed = decision(&cluster, &waits);
    assert_eq!(node(&packed), node(&decision(&cluster, &first)));
    let scoring = packed.scoring.as_ref().unwrap();
    assert_eq!(scoring.fit.strategy, ScoringStrategy::MostAllocated);
    assert_eq!(scoring.fit.resources, [(ResourceName::Cpu, 3)]);
    let said_by = |pod: &Object| {
        let events = cluster.world().api.store().list(&kinds::EVENT);
        let of_pod = events.filter(|event| {
            event.field("involvedObject").or_else(|| event.field("regarding")).and_then(|r| r.get("uid"))
                == Some(&json!(pod.uid()))
        });
        of_pod.map(|event| event.to_value()["reportingComponent"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(said_by(&waits), [json!("packing")]);
    assert_eq!(said_by(&first), [json!("default-scheduler")]);
    let spread = create(&mut cluster, "spread", "default-scheduler", "500m");
    run(&mut cluster, 2);
    assert_ne!(node(&decision(&cluster, &spread)), node(&packed));
}

#[test]
fn weights_and_plugins_are_those_of_the_profile() {
    let set = json!({
        "multiPoint": {"enabled": [{"name": "TaintToleration", "weight": 7}], "disabled": [{"name": "NodeAffinity"}]},
        "score": {"disabled": [{"name": "*"}], "enabled": [{"name": "ImageLocality", "weight": 5}, {"name": "NodeResourcesFit"}]},
        "filter": {"disabled": [{"name": "TaintToleration"}]},
    });
    let read =
        configuration::read(&configured(json!([{"plugins": set, "percentageOfNodesToScore": 40}]))).unwrap();
    let profile = &read.profiles[0];
    assert_eq!(profile.scheduler_name, "default-scheduler");
    assert_eq!(profile.percentage_of_nodes_to_score, 40);
    assert!(
        !profile.filters_with(PluginId::NodeAffinity) && !profile.filters_with(PluginId::TaintToleration)
    );
    assert!(profile.filters_with(PluginId::NodeResourcesFit));
    assert!(profile.scores_with(PluginId::ImageLocality) && !profile.scores_with(PluginId::TaintToleration));
    assert_eq!(profile.weight(PluginId::ImageLocality), 5);
    assert_eq!(profile.weight(PluginId::TaintToleration), 7);
    assert_eq!(profile.plugins.score, [PluginId::ImageLocality, PluginId::NodeResourcesFit]);
    assert_eq!(read.not_simulated, Vec::<String>::new());

    let mut cluster = cluster(2);
    let taint = json!({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}});
    for name in ["node-1", "node-2"] {
        cluster.request(Request::patch(&kinds::NODE, "", name, PatchType::Merge, taint.clone()));
    }
    cluster.act(Act::ConfigureScheduler(configured(json!([{"plugins": set}]))));
    let pod = create(&mut cluster, "web", "", "100m");
    run(&mut cluster, 1);
    let decision = decision(&cluster, &pod);
    let Verdict::Feasible { scores, .. } = &decision.nodes[0].verdict else { panic!("{decision:?}") };
    let plugins: Vec<PluginId> = scores.iter().map(|s| s.plugin).collect();
    assert_eq!(plugins, [PluginId::ImageLocality, PluginId::NodeResourcesFit]);
}

#[test]
fn added_affinity_is_the_scheduler_s_own_wish() {
    let terms = json!({"nodeSelectorTerms": [{"matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}]}]});
    let args = json!({"addedAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}});
    let profiles = json!([{"schedulerName": "default-scheduler"},
        {"schedulerName": "team-a", "pluginConfig": [{"name": "NodeAffinity", "args": args}]}]);
    let mut cluster = cluster(2);
    cluster.act(Act::ConfigureScheduler(configured(profiles)));
    let pod = create(&mut cluster, "web", "team-a", "100m");
    run(&mut cluster, 1);
    let refused = decision(&cluster, &pod);
    assert!(
        refused.message.contains("2 node(s) didn't match scheduler-enforced node affinity"),
        "{}",
        refused.message
    );
    let Verdict::RuledOut { fixes, .. } = &refused.nodes[0].verdict else { panic!() };
    assert!(
        matches!(fixes.as_slice(), [Fix::LabelNode { key, value, wish: Wish::Added, .. }] if key == "team" && value == "a")
    );
    // A label that only the scheduler wishes for wakes no pod: it is tried in the next round.
    let label = json!({"metadata": {"labels": {"team": "a"}}});
    cluster.request(Request::patch(&kinds::NODE, "", "node-2", PatchType::Merge, label));
    run(&mut cluster, 5);
    assert_eq!(decision(&cluster, &pod).attempt, 1);
    run(&mut cluster, 330);
    assert_eq!(node(&decision(&cluster, &pod)), "node-2");
}

#[test]
fn what_is_read_and_has_no_effect_is_named() {
    let configuration = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
        "parallelism": 4, "clientConnection": {"qps": 5}, "extenders": [{"urlPrefix": "http://one"}],
        "profiles": [{"pluginConfig": [{"name": "DynamicResources", "args": {"filterTimeout": "3s"}}],
            "plugins": {"preBind": {"disabled": [{"name": "VolumeBinding"}]}}}]});
    let read = configuration::read(&configuration).unwrap();
    assert_eq!(
        read.not_simulated,
        [
            "clientConnection",
            "extenders",
            "parallelism",
            "profiles[0].pluginConfig[0].args.filterTimeout",
            "profiles[0].plugins.preBind.disabled: VolumeBinding",
        ]
    );
}

#[test]
fn a_file_with_a_key_twice_or_without_a_kind_is_refused() {
    let value = json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration", "foo": 1});
    let double = ["line 4: key \"foo\" already set in map"];
    assert_eq!(
        configuration::read_file(&value, "", &double).unwrap_err(),
        "strict decoding error: yaml: unmarshal errors:\n  line 4: key \"foo\" already set in map, unknown field \"foo\""
    );
    let nothing = configuration::read_file(&json!({"a": 1}), "a: 1\n", &[]).unwrap_err();
    assert_eq!(nothing, "Object 'Kind' is missing in 'a: 1\n'");
    let list = configuration::read(&json!([])).unwrap_err();
    assert!(
        list.starts_with("couldn't get version/kind; json parse error: json: cannot unmarshal array"),
        "{list}"
    );
}

#[test]
fn pods_back_off_as_configured() {
    let mut cluster = cluster(1);
    let set = json!({"preFilter": {"disabled": [{"name": "NodeResourcesFit"}]}});
    let mut settings = configured(json!([{"plugins": set}]));
    settings["podInitialBackoffSeconds"] = json!(4);
    settings["podMaxBackoffSeconds"] = json!(5);
    cluster.act(Act::ConfigureScheduler(settings));
    let pod = create(&mut cluster, "web", "", "100m");
    for (seconds, attempts) in [(3, 1), (3, 2), (3, 2), (4, 3), (6, 4)] {
        run(&mut cluster, seconds);
        assert_eq!(decision(&cluster, &pod).attempt, attempts, "at {:?}", cluster.sim_now());
    }
}

#[test]
fn filters_run_where_the_profile_says() {
    let set = json!({"preFilter": {"disabled": [{"name": "NodeResourcesFit"}]}, "postFilter": {"disabled": [{"name": "*"}]}});
    let mut cluster = cluster(2);
    cluster.act(Act::ConfigureScheduler(configured(json!([{"plugins": set}]))));
    let pod = create(&mut cluster, "web", "", "100m");
    run(&mut cluster, 1);
    let failed = decision(&cluster, &pod);
    assert_eq!(
        failed.message,
        "running \"NodeResourcesFit\" filter plugin: error reading \"PreFilterNodeResourcesFit\" from cycleState: not found"
    );
    let set = json!({"postFilter": {"disabled": [{"name": "*"}]}, "preScore": {"disabled": [{"name": "TaintToleration"}]}});
    cluster.act(Act::ConfigureScheduler(configured(json!([{"plugins": set}]))));
    let big = create(&mut cluster, "big", "", "100");
    run(&mut cluster, 1);
    assert_eq!(decision(&cluster, &big).message, "0/2 nodes are available: 2 Insufficient cpu.");
    let small = create(&mut cluster, "small", "", "100m");
    run(&mut cluster, 1);
    assert_eq!(
        decision(&cluster, &small).message,
        "running Score plugins: plugin \"TaintToleration\" failed with: failed to read \"PreScoreTaintToleration\" from cycleState: not found"
    );
}

#[test]
fn resources_may_be_ignored_or_count_by_a_shape() {
    let fit = json!({"ignoredResourceGroups": ["example.com"], "scoringStrategy": {"type": "RequestedToCapacityRatio",
        "resources": [{"name": "cpu", "weight": 2}, {"name": "memory"}, {"name": "example.com/gpu"}],
        "requestedToCapacityRatio": {"shape": [{"utilization": 0, "score": 0}, {"utilization": 100, "score": 10}]}}});
    let mut cluster = cluster(2);
    cluster.act(Act::ConfigureScheduler(configured(
        json!([{"pluginConfig": [{"name": "NodeResourcesFit", "args": fit}]}]),
    )));
    let requests = json!({"cpu": "1", "memory": "1Gi", "example.com/gpu": "2"});
    let container = json!({"name": "c", "image": "nginx", "resources": {"requests": requests, "limits": {"example.com/gpu": "2"}}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "gpu"}, "spec": {"containers": [container]}});
    let pod = cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
    run(&mut cluster, 1);
    let decision = decision(&cluster, &pod);
    for verdict in &decision.nodes {
        let formula = formula(&decision, verdict, PluginId::NodeResourcesFit).unwrap();
        let Verdict::Feasible { scores, .. } = &verdict.verdict else { panic!("{decision:?}") };
        let score = scores.iter().find(|score| score.plugin == PluginId::NodeResourcesFit).unwrap();
        assert_eq!(formula.result(), score.raw);
        assert!(score.raw > 0 && matches!(&formula, Formula::Allocated { parts, .. } if parts.len() == 2));
    }
}

#[test]
fn constraints_that_pods_have_by_default_may_rule_nodes_out() {
    let constraints = json!([{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule"}]);
    let args = json!({"defaultingType": "List", "defaultConstraints": constraints});
    let mut cluster = cluster(2);
    cluster.act(Act::ConfigureScheduler(configured(
        json!([{"pluginConfig": [{"name": "PodTopologySpread", "args": args}]}]),
    )));
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    cluster.request(Request::create(&kinds::SERVICE, "default", service)).into_object().unwrap();
    cluster.request(Request::patch(
        &kinds::NODE,
        "",
        "node-2",
        PatchType::Merge,
        json!({"spec": {"unschedulable": true}}),
    ));
    let mut pods = Vec::new();
    for name in ["one", "two"] {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
        pods.push(cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap());
    }
    run(&mut cluster, 1);
    assert_eq!(node(&decision(&cluster, &pods[0])), "node-1");
    let refused = decision(&cluster, &pods[1]);
    assert!(
        refused.message.contains("1 node(s) didn't match pod topology spread constraints"),
        "{}",
        refused.message
    );
}
