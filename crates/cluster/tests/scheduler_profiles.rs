//! Several schedulers by name, each with its own profile, from a KubeSchedulerConfiguration.

use podlab_api::door::PatchType;
use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::cluster::Act;
use podlab_cluster::scheduler::configuration;
use podlab_cluster::scheduler::decision::{Decision, Fix, Outcome, Verdict, Wish};
use podlab_cluster::scheduler::framework::PluginId;
use podlab_cluster::scheduler::profile::ScoringStrategy;
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
    assert_eq!((scoring.strategy, scoring.resource_weights), (ScoringStrategy::MostAllocated, [3, 0]));
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
    assert_eq!(plugins, [PluginId::NodeResourcesFit, PluginId::ImageLocality]);
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
fn what_a_scheduler_would_not_start_with_is_refused() {
    let refused = |profiles: Value| configuration::read(&configured(profiles)).unwrap_err();
    assert_eq!(
        refused(json!([{"plugin": {}}])),
        "strict decoding error: unknown field \"profiles[0].plugin\""
    );
    assert_eq!(
        refused(json!([{"percentageOfNodesToScore": 101}])),
        "profiles[0].percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100]"
    );
    assert_eq!(
        refused(json!([{"schedulerName": "a"}, {"schedulerName": "a"}])),
        "profiles[1].schedulerName: Duplicate value: \"profiles[0].schedulerName\""
    );
    assert_eq!(refused(json!([{"schedulerName": "a"}, {}])), "profiles[1].schedulerName: Required value");
    let strategy = json!({"scoringStrategy": {"type": "Most"}});
    assert_eq!(
        refused(json!([{"pluginConfig": [{"name": "NodeResourcesFit", "args": strategy}]}])),
        "profiles[0].pluginConfig[0].args.scoringStrategy.type: Unsupported value: \"Most\": supported values: \"LeastAllocated\", \"MostAllocated\", \"RequestedToCapacityRatio\""
    );
    let unknown = json!([{"plugins": {"score": {"enabled": [{"name": "Mine"}]}}}]);
    assert!(refused(unknown).ends_with("ScorePlugin \"Mine\" does not exist"));
    let partly =
        json!([{"pluginConfig": [{"name": "PodTopologySpread", "args": {"defaultingType": "List"}}]}]);
    let read = configuration::read(&configured(partly)).unwrap();
    assert_eq!(read.not_simulated, ["profiles[0].pluginConfig[0].args"]);
}
