//! `tables/plugin_*.json`: the tables of Kubernetes 1.23 for the scheduler's plugins.
//!
//! What has changed since then is accounted for here, each with its reason; the recordings of 1.37 are the judge. Where
//! 1.37 scores otherwise, the scores are those of its own tests ([`SCORES_OF_1_37`]): the README calls the newer right.

use anyhow::Result;
use podlab_api::Object;
use podlab_api::selector::node::{NodeSelector, PreferredSchedulingTerms};
use podlab_cluster::scheduler::cache::Cache;
use podlab_cluster::scheduler::framework::{
    Code, CycleState, FilterContext, Plugin, PluginId, PodInfo, PreFilterResult, Status,
};
use podlab_cluster::scheduler::plugins::registry;
use podlab_cluster::scheduler::profile::{Profile, ResourceName, ScoringStrategy, Shape};
use podlab_cluster::store::Store;
use podlab_sim::SimTime;
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

const NOT_IN_1_37: &str = "tests the plugin without its earlier extension points, which 1.37 never does";
/// Scores of upstream's own tests of 1.37 (`podtopologyspread/scoring_test.go`, `noderesources/balanced_allocation_test.go`)
/// where they differ from the table's: constraints round otherwise, and the balance counts by how much a pod changes it,
/// but not for a pod that requests nothing.
const SCORES_OF_1_37: [(PluginId, &str, &[i64]); 21] = [
    (PluginId::PodTopologySpread, "one constraint on node, all 4 nodes are candidates", &[20, 60, 100, 0]),
    (
        PluginId::PodTopologySpread,
        "one constraint on node, all 4 nodes are candidates, maxSkew=2",
        &[33, 66, 100, 16],
    ),
    (
        PluginId::PodTopologySpread,
        "one constraint on node, all 4 nodes are candidates, maxSkew=3",
        &[44, 66, 77, 100],
    ),
    (
        PluginId::PodTopologySpread,
        "system defaulting, nodes don't have zone, pods match service",
        &[44, 66, 77, 100],
    ),
    (PluginId::PodTopologySpread, "one constraint on node, 3 out of 4 nodes are candidates", &[33, 83, 100]),
    (
        PluginId::PodTopologySpread,
        "one constraint on node, 3 out of 4 nodes are candidates, one node doesn't match topology key",
        &[16, 0, 100],
    ),
    (PluginId::PodTopologySpread, "one constraint on zone, 3 out of 4 nodes are candidates", &[75, 75, 100]),
    (
        PluginId::PodTopologySpread,
        "two Constraints on zone and node, 2 out of 4 nodes are candidates",
        &[100, 63],
    ),
    (
        PluginId::PodTopologySpread,
        "two Constraints on zone and node, with different labelSelectors",
        &[60, 20, 100, 60],
    ),
    (
        PluginId::PodTopologySpread,
        "two Constraints on zone and node, with different labelSelectors, some nodes have 0 pods",
        &[100, 60, 40, 0],
    ),
    (
        PluginId::PodTopologySpread,
        "two Constraints on zone and node, with different labelSelectors, 3 out of 4 nodes are candidates",
        &[50, 25, 100],
    ),
    (PluginId::PodTopologySpread, "existing pods in a different namespace do not count", &[100, 33]),
    (PluginId::NodeResourcesBalancedAllocation, "nothing scheduled, nothing requested", &[0, 0]),
    (
        PluginId::NodeResourcesBalancedAllocation,
        "nothing scheduled, resources requested, differently sized machines",
        &[68, 75],
    ),
    (
        PluginId::NodeResourcesBalancedAllocation,
        "no resources requested, pods without container scheduled",
        &[0, 0],
    ),
    (
        PluginId::NodeResourcesBalancedAllocation,
        "no resources requested, pods with container scheduled",
        &[0, 0],
    ),
    (
        PluginId::NodeResourcesBalancedAllocation,
        "no resources requested, pods scheduled with resources",
        &[0, 0],
    ),
    (
        PluginId::NodeResourcesBalancedAllocation,
        "resources requested, pods scheduled with resources",
        &[73, 74],
    ),
    (
        PluginId::NodeResourcesBalancedAllocation,
        "resources requested, pods scheduled with resources, differently sized machines",
        &[73, 70],
    ),
    (
        PluginId::NodeResourcesBalancedAllocation,
        "zero node resources, pods scheduled with resources",
        &[0, 0],
    ),
    (PluginId::NodeResourcesBalancedAllocation, "requested resources at node capacity", &[62, 62]),
];

const OTHER_PROFILE: &str = "tests a configuration of the scheduler that podlab does not offer";

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    super::read(
        recording,
        &[
            ("TestGetContainerPorts", Use::Skip("tests a helper that 1.37 does not have")),
            ("TestNodeAffinity", Use::Compare(node_affinity)),
            ("TestNodeAffinityPriority", Use::Compare(|row| score(row, PluginId::NodeAffinity))),
            ("TestNodeName", Use::Compare(|row| single(row, PluginId::NodeName))),
            ("TestNodePorts", Use::Compare(|row| single(row, PluginId::NodePorts))),
            ("TestNodeUnschedulable", Use::Compare(|row| single(row, PluginId::NodeUnschedulable))),
            ("TestTaintTolerationFilter", Use::Compare(|row| single(row, PluginId::TaintToleration))),
            ("TestTaintTolerationScore", Use::Compare(|row| score(row, PluginId::TaintToleration))),
            (
                "balanced_allocation.TestNodeResourcesBalancedAllocation",
                Use::Compare(|row| score(row, PluginId::NodeResourcesBalancedAllocation)),
            ),
            (
                "filtering.TestMultipleConstraints",
                Use::Compare(|row| codes(row, PluginId::PodTopologySpread)),
            ),
            (
                "filtering.TestRequiredAffinityMultipleNodes",
                Use::Compare(|row| many(row, PluginId::InterPodAffinity)),
            ),
            (
                "filtering.TestRequiredAffinitySingleNode",
                Use::Compare(|row| single(row, PluginId::InterPodAffinity)),
            ),
            ("filtering.TestSingleConstraint", Use::Compare(|row| codes(row, PluginId::PodTopologySpread))),
            ("fit.TestEnoughRequests.enoughPodsTests", Use::Compare(|row| fit(row, 10, 20, 32))),
            ("fit.TestFitScore", Use::Compare(|row| score(row, PluginId::NodeResourcesFit))),
            ("fit.TestNotEnoughRequests.notEnoughPodsTests", Use::Compare(|row| fit(row, 10, 20, 1))),
            ("fit.TestStorageRequests.storagePodsTests", Use::Compare(|row| fit(row, 10, 20, 32))),
            (
                "least_allocated.TestLeastAllocatedScoringStrategy",
                Use::Compare(|row| score(row, PluginId::NodeResourcesFit)),
            ),
            (
                "scoring.TestPodTopologySpreadScore",
                Use::Compare(|row| score(row, PluginId::PodTopologySpread)),
            ),
            ("scoring.TestPreferredAffinity", Use::Compare(|row| score(row, PluginId::InterPodAffinity))),
            (
                "scoring.TestPreferredAffinityWithHardPodAffinitySymmetricWeight",
                Use::Compare(|row| score(row, PluginId::InterPodAffinity)),
            ),
        ],
    )
}

/// Nodes with pods on them, one pod to be judged.
struct Scene {
    cache: Cache,
    store: Store,
    profile: Profile,
    pod: PodInfo,
    /// Names of the nodes in the order of the row.
    nodes: Vec<String>,
}

fn object(kind: &str, value: &Value, name: &str) -> Option<Object> {
    let mut fields = value.as_object().cloned().unwrap_or_default();
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    if metadata.get("name").and_then(Value::as_str).unwrap_or("").is_empty() {
        metadata["name"] = name.into();
    }
    if metadata.get("deletionTimestamp").is_some_and(|at| !at.is_null()) {
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    }
    if kind == "Pod" {
        metadata["uid"] = name.into();
        let spec = fields.entry("spec").or_insert_with(|| json!({}));
        if let Some(spec) = spec.as_object_mut() {
            spec.entry("containers").or_insert_with(|| json!([]));
            for list in ["containers", "initContainers"] {
                for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                    complete_container(container);
                }
            }
            texts(spec.get_mut("overhead"));
        }
    }
    if let Some(status) = fields.get_mut("status") {
        texts(status.get_mut("allocatable"));
        texts(status.get_mut("capacity"));
    }
    fields.insert("kind".to_owned(), kind.into());
    fields.insert("apiVersion".to_owned(), "v1".into());
    Object::from_value(Value::Object(fields)).ok()
}

fn complete_container(container: &mut Value) {
    if let Some(map) = container.as_object_mut() {
        map.entry("name").or_insert_with(|| "c".into());
        for port in map.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(port) = port.as_object_mut() {
                port.entry("containerPort").or_insert_with(|| 0.into());
            }
        }
        if let Some(resources) = map.get_mut("resources") {
            texts(resources.get_mut("requests"));
            texts(resources.get_mut("limits"));
        }
    }
}

/// Quantities stand as numbers in places.
fn texts(list: Option<&mut Value>) {
    for (_, quantity) in list.and_then(Value::as_object_mut).into_iter().flatten() {
        if !quantity.is_string() {
            *quantity = quantity.to_string().into();
        }
    }
}

impl Scene {
    fn new(pod: &Value, nodes: &[Value], pods: &[Value]) -> Option<Scene> {
        let mut cache = Cache::default();
        let mut names = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            let node = object("Node", node, &format!("node-{index}"))?;
            names.push(node.name().to_owned());
            cache.set_node(&Arc::new(node));
        }
        for (index, other) in pods.iter().enumerate() {
            let other = object("Pod", other, &format!("other-{index}"))?;
            cache.set_pod(Arc::new(PodInfo::new(Arc::new(other))?));
        }
        let pod = PodInfo::new(Arc::new(object("Pod", pod, "incoming")?))?;
        let mut store = Store::default();
        // The namespaces that the tests of affinity set up.
        for namespace in ["subteam1.team1", "subteam2.team1", "subteam1.team2", "subteam2.team2"] {
            let team = namespace.split('.').nth(1).unwrap_or_default();
            let value = json!({"metadata": {"name": namespace, "labels": {"team": team}}});
            store.put(object("Namespace", &value, namespace)?);
        }
        Some(Scene { cache, store, profile: Profile::default(), pod, nodes: names })
    }

    fn cx(&self) -> FilterContext<'_> {
        FilterContext { cache: &self.cache, store: &self.store, profile: &self.profile, now: SimTime::START }
    }

    /// What a plugin says of each node.
    fn filter(&self, plugin: &dyn Plugin) -> Vec<Result<(), Status>> {
        let cx = self.cx();
        let mut state = CycleState::default();
        let pre = plugin.pre_filter(&cx, &self.pod, &mut state);
        let each = |name: &String| match (&pre, self.cache.node_by_name(name)) {
            (PreFilterResult::Skip, _) | (_, None) => Ok(()),
            (PreFilterResult::Reject(status), _) => Err(status.clone()),
            (_, Some(node)) => plugin.filter(&cx, &self.pod, &state, node),
        };
        self.nodes.iter().map(each).collect()
    }

    /// Node → score.
    fn score(&self, plugin: &dyn Plugin, feasible: &[String]) -> Value {
        let cx = self.cx();
        let mut state = CycleState::default();
        let slots: Vec<usize> = feasible.iter().filter_map(|name| self.cache.slot(name)).collect();
        let mut scores = vec![0; slots.len()];
        if plugin.pre_score(&cx, &self.pod, &mut state, &slots) {
            for (score, slot) in scores.iter_mut().zip(&slots) {
                *score = self.cache.node(*slot).map_or(0, |n| plugin.score(&cx, &self.pod, &state, n));
            }
            plugin.normalize(&state, &slots, &mut scores);
        }
        let pair = |(name, score): (&String, i64)| json!({"Name": name, "Score": score});
        feasible.iter().zip(scores).map(pair).collect()
    }
}

fn status(result: &Result<(), Status>) -> Value {
    match result {
        Ok(()) => Value::Null,
        Err(status) => {
            let code = match status.code {
                Code::Unschedulable => "Unschedulable",
                Code::UnschedulableAndUnresolvable => "UnschedulableAndUnresolvable",
                _ => "Error",
            };
            json!({"code": code, "reasons": status.reasons})
        }
    }
}

/// 1.23's words in those of 1.37: terms of affinity stand alone now, and taints are not named.
fn today(expected: &Value) -> Value {
    let mut expected = expected.clone();
    if let Some(reasons) = expected.get_mut("reasons").and_then(Value::as_array_mut) {
        let text = |reason: &Value| reason.as_str().unwrap_or_default().to_owned();
        if reasons.iter().any(|r| text(r).contains("had taint")) {
            *reasons = vec!["node(s) had untolerated taint(s)".into()];
        }
        reasons.retain(|r| text(r) != "node(s) didn't match pod affinity/anti-affinity rules");
    }
    expected
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn incomplete() -> Outcome {
    Outcome::Failed { expected: "the row's input to decode".to_owned(), got: "it does not".to_owned() }
}

fn plugin(id: PluginId) -> Option<&'static dyn Plugin> {
    registry::by_id(id)
}

/// One node, alone or as a list of the pods on it.
fn single(row: &Row<'_>, id: PluginId) -> Outcome {
    let node = match row.field("node") {
        Value::Null => json!({"metadata": {"name": "m1"}}),
        node => node.clone(),
    };
    let name = node.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("node-0").to_owned();
    let mut pods = list(row.field("pods")).to_vec();
    pods.extend(list(row.field("nodeInfo").get("pods").unwrap_or(&Value::Null)).iter().cloned());
    for pod in &mut pods {
        if pod.pointer("/spec/nodeName").and_then(Value::as_str).unwrap_or("").is_empty() {
            pod["spec"]["nodeName"] = name.clone().into();
        }
    }
    let mut pod = row.field("pod").clone();
    if id != PluginId::NodeName
        && let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.remove("nodeName");
    }
    let (Some(scene), Some(plugin)) = (Scene::new(&pod, &[node], &pods), plugin(id)) else {
        return incomplete();
    };
    let mut got = scene.filter(plugin).first().map_or(Value::Null, status);
    let want = today(row.field("wantStatus"));
    // The table holds only the part of a long text that it looks for.
    let part = |value: &Value| value.pointer("/reasons/0").and_then(Value::as_str).unwrap_or("").to_owned();
    if part(&want).starts_with("Invalid value") && part(&got).contains(&part(&want)) {
        got["reasons"] = want["reasons"].clone();
    }
    Outcome::same(&want, &got)
}

fn node_affinity(row: &Row<'_>) -> Outcome {
    if row.flag("disablePreFilter") {
        return Outcome::Skipped(NOT_IN_1_37.to_owned());
    }
    let name = Some(row.text("nodeName")).filter(|n| !n.is_empty()).unwrap_or("node-0");
    let node = json!({"metadata": {"name": name, "labels": row.field("labels")}});
    let (Some(mut scene), Some(plugin)) =
        (Scene::new(row.field("pod"), &[node], &[]), plugin(PluginId::NodeAffinity))
    else {
        return incomplete();
    };
    add_affinity(row, &mut scene.profile);
    Outcome::same(row.field("wantStatus"), &scene.filter(plugin).first().map_or(Value::Null, status))
}

/// What the scheduler's configuration asks of every pod.
fn add_affinity(row: &Row<'_>, profile: &mut Profile) {
    let Some(added) = row.field("args").get("AddedAffinity") else { return };
    let required = added.get("requiredDuringSchedulingIgnoredDuringExecution").cloned();
    let preferred = added.get("preferredDuringSchedulingIgnoredDuringExecution").cloned();
    let required = required.and_then(|required| serde_json::from_value(required).ok());
    let preferred: Option<Vec<_>> = preferred.and_then(|preferred| serde_json::from_value(preferred).ok());
    profile.added_node_selector = required.as_ref().map(NodeSelector::parse);
    profile.added_preferred = preferred.and_then(|terms| PreferredSchedulingTerms::parse(&terms).ok());
}

fn scene_of(row: &Row<'_>) -> Option<Scene> {
    let first = |names: [&str; 2]| {
        names.into_iter().map(|n| row.field(n)).find(|v| !v.is_null()).cloned().unwrap_or_default()
    };
    let pods = first(["pods", "existingPods"]);
    let mut nodes = list(row.field("nodes")).to_vec();
    let failed = list(row.field("failedNodes")).to_vec();
    nodes.extend(failed);
    // A pod to be scored names the node it would be on in some old tables.
    let mut pod = first(["pod", "requestedPod"]);
    if let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("nodeName");
    }
    let mut scene = Scene::new(&pod, &nodes, list(&pods))?;
    for object in list(row.field("objs")) {
        let mut object = object.clone();
        if object.get("kind").is_none() {
            // Go's type of the row's only such objects.
            object["apiVersion"] = "v1".into();
            object["kind"] = "Service".into();
        }
        if let Ok(object) = Object::from_value(object) {
            scene.store.put(object);
        }
    }
    add_affinity(row, &mut scene.profile);
    if let Some(weight) = row.field("hardPodAffinityWeight").as_i64() {
        scene.profile.hard_pod_affinity_weight = weight;
    }
    Some(scene)
}

fn many(row: &Row<'_>, id: PluginId) -> Outcome {
    let (Some(scene), Some(plugin)) = (scene_of(row), plugin(id)) else { return incomplete() };
    let got: Vec<Value> = scene.filter(plugin).iter().map(status).collect();
    let want = match row.field("wantStatuses") {
        Value::Null => vec![Value::Null; got.len()],
        want => list(want).iter().map(today).collect(),
    };
    Outcome::same(&Value::Array(want), &Value::Array(got))
}

/// Node → code.
fn codes(row: &Row<'_>, id: PluginId) -> Outcome {
    let (Some(scene), Some(plugin)) = (scene_of(row), plugin(id)) else { return incomplete() };
    let results = scene.filter(plugin);
    let code = |result: &Result<(), Status>| match status(result) {
        Value::Null => json!("Success"),
        status => status["code"].clone(),
    };
    let got: Map<String, Value> = scene.nodes.iter().cloned().zip(results.iter().map(code)).collect();
    Outcome::same(row.field("wantStatusCode"), &Value::Object(got))
}

/// Arguments of the plugins that count resources, by the names of Go's fields.
fn configure(row: &Row<'_>, profile: &mut Profile) {
    let strategy = row.field("nodeResourcesFitArgs").get("ScoringStrategy").cloned().unwrap_or_default();
    let name = |resource: &Value| ResourceName::new(resource["Name"].as_str().unwrap_or_default());
    let resources =
        if strategy["Resources"].is_null() { row.field("resources") } else { &strategy["Resources"] };
    let weighed = |resource: &Value| (name(resource), resource["Weight"].as_i64().unwrap_or(1));
    if !list(resources).is_empty() {
        profile.fit.resources = list(resources).iter().map(weighed).collect();
    }
    let kind = strategy["Type"].to_string();
    if kind.contains("Most") {
        profile.fit.strategy = ScoringStrategy::MostAllocated;
    } else if kind.contains("Ratio") {
        profile.fit.strategy = ScoringStrategy::RequestedToCapacityRatio;
        let point = |point: &Value| {
            let of = |field: &str| point[field].as_i64().unwrap_or(0);
            (of("Utilization"), of("Score") * 10)
        };
        let points = list(&strategy["RequestedToCapacityRatio"]["Shape"]).iter().map(point).collect();
        profile.fit.shape = Shape { points };
    }
    let args = row.field("args");
    if let Some(resources) = args.get("Resources") {
        profile.balanced = list(resources).iter().map(name).collect();
    }
    let texts = |field: &str| -> Vec<String> {
        let all = args.get(field).map(list).unwrap_or_default();
        all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    profile.fit.ignored_resources = texts("IgnoredResources");
    profile.fit.ignored_resource_groups = texts("IgnoredResourceGroups");
}

fn score(row: &Row<'_>, id: PluginId) -> Outcome {
    if row.flag("disablePreScore") {
        return Outcome::Skipped(NOT_IN_1_37.to_owned());
    }
    if row.text("name").starts_with("invalid") {
        return Outcome::Skipped("validation refuses such a pod".to_owned());
    }
    let configured = row.text("name").starts_with("Resources not set");
    if !row.field("wantErrs").is_null() || configured {
        return Outcome::Skipped(OTHER_PROFILE.to_owned());
    }
    let (Some(mut scene), Some(plugin)) = (scene_of(row), plugin(id)) else { return incomplete() };
    configure(row, &mut scene.profile);
    let want = ["expectedList", "expectedPriorities", "expectedScores", "want"]
        .into_iter()
        .map(|name| row.field(name))
        .find(|value| !value.is_null());
    let feasible: Vec<String> = scene.nodes.iter().take(list(row.field("nodes")).len()).cloned().collect();
    let newer = SCORES_OF_1_37.iter().find(|(plugin, name, _)| *plugin == id && *name == row.text("name"));
    let want = match newer {
        Some((_, _, scores)) => {
            feasible.iter().zip(*scores).map(|(name, score)| json!({"Name": name, "Score": score})).collect()
        }
        None => want.cloned().unwrap_or_default(),
    };
    Outcome::same(&want, &scene.score(plugin, &feasible))
}

/// A node with so much CPU in thousandths, memory and room for pods, as the tests make it.
fn fit(row: &Row<'_>, milli_cpu: i64, memory: i64, pods: i64) -> Outcome {
    if !row.field("features").is_null() {
        return Outcome::Skipped(OTHER_PROFILE.to_owned());
    }
    let node = json!({"metadata": {"name": "node"}, "status": {"allocatable": {
        "cpu": format!("{milli_cpu}m"), "memory": memory.to_string(), "pods": pods.to_string(),
        "ephemeral-storage": "20", "example.com/aaa": "5", "hugepages-2Mi": "5"}}});
    let mut others = list(row.field("nodeInfo").get("pods").unwrap_or(&Value::Null)).to_vec();
    for other in &mut others {
        other["spec"]["nodeName"] = "node".into();
    }
    let (Some(mut scene), Some(plugin)) =
        (Scene::new(row.field("pod"), &[node], &others), plugin(PluginId::NodeResourcesFit))
    else {
        return incomplete();
    };
    configure(row, &mut scene.profile);
    let got = scene.filter(plugin).first().map_or(Value::Null, status);
    let mut want = row.field("wantStatus").clone();
    // Since then: what even the empty node has not is unresolvable.
    let unresolvable = got["code"] == json!("UnschedulableAndUnresolvable");
    if unresolvable && want["code"] == json!("Unschedulable") {
        want["code"] = got["code"].clone();
    }
    Outcome::same(&want, &got)
}
