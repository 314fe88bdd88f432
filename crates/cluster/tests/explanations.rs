//! What is told of the scheduler's decisions: it agrees with what kubectl shows, and its numbers with its scores.

use podlab_api::door::PatchType;
use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::scheduler::decision::{Decision, Fix, Outcome, Verdict};
use podlab_cluster::scheduler::scoring::{Formula, formula};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn cluster(nodes: usize) -> Cluster {
    Cluster::new(Settings::workers(nodes, Profile::Scheduling))
}

fn run(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.sim_now() + Duration::from_secs(seconds);
    assert!(cluster.run_until(until, || true));
}

fn create(cluster: &mut Cluster, name: &str, labels: Value, spec: Value) -> Arc<Object> {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    pod["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap()
}

fn patch_node(cluster: &mut Cluster, name: &str, patch: Value) {
    cluster.request(Request::patch(&kinds::NODE, "", name, PatchType::Merge, patch)).into_object().unwrap();
}

fn asking(cpu: &str, memory: &str) -> Value {
    let requests = json!({"cpu": cpu, "memory": memory});
    json!({"containers": [{"name": "c", "image": "nginx", "resources": {"requests": requests}}]})
}

fn decisions(cluster: &Cluster, pod: &Object) -> Vec<Arc<Decision>> {
    cluster.world().scheduler.decisions(pod.uid()).cloned().collect()
}

/// The text of the FailedScheduling events about a pod, oldest first.
fn said(cluster: &Cluster, pod: &Object) -> Vec<String> {
    let text = |o: &Object, field: &str| o.field(field).and_then(Value::as_str).unwrap_or("").to_owned();
    let store = cluster.world().api.store();
    let about = |e: &&Arc<Object>| {
        let regarding = e.field("involvedObject").or_else(|| e.field("regarding"));
        regarding.and_then(|r| r.get("uid")).and_then(Value::as_str) == Some(pod.uid())
    };
    let mut events: Vec<_> = store.list(&kinds::EVENT).filter(about).collect();
    events.sort_by_key(|e| text(e, "eventTime"));
    events
        .into_iter()
        .filter(|e| text(e, "reason") == "FailedScheduling")
        .map(|e| text(e, "message"))
        .collect()
}

#[test]
fn every_attempt_says_what_its_event_says() {
    let mut cluster = cluster(3);
    patch_node(&mut cluster, "node-1", json!({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}));
    patch_node(&mut cluster, "node-2", json!({"spec": {"unschedulable": true}}));
    let pod = create(&mut cluster, "web", json!({}), asking("3", "1Gi"));
    run(&mut cluster, 2);
    patch_node(&mut cluster, "node-1", json!({"spec": {"taints": null}}));
    run(&mut cluster, 400);
    let decisions = decisions(&cluster, &pod);
    assert!(decisions.len() >= 2, "{}", decisions.len());
    let mut messages: Vec<&str> = decisions.iter().map(|d| d.message.as_str()).collect();
    messages.dedup();
    // Alike ones are one event with a count, or another event once the first series has ended.
    let mut said = said(&cluster, &pod);
    said.dedup();
    assert_eq!(said, messages);
    for decision in &decisions {
        // Each reason stands in the message with the number of nodes that it ruled out.
        for (reason, count) in &decision.reasons {
            assert!(decision.message.contains(&format!("{count} {reason}")), "{} {reason}", decision.message);
            let told = decision.nodes.iter().filter(|n| match &n.verdict {
                Verdict::RuledOut { reasons, .. } => reasons.contains(reason),
                Verdict::Feasible { .. } => false,
            });
            assert_eq!(told.count(), *count);
        }
    }
    let status = cluster.world().api.store().get(&kinds::POD, "default", "web").unwrap();
    let conditions = status.pod_status().unwrap().conditions.clone().unwrap();
    assert_eq!(conditions[0].message.as_deref(), messages.last().copied());
}

#[test]
fn what_stands_behind_the_first_filter_is_told_too() {
    let mut cluster = cluster(1);
    patch_node(&mut cluster, "node-1", json!({"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}));
    let pod = create(&mut cluster, "web", json!({}), asking("3", "1Gi"));
    run(&mut cluster, 1);
    let decision = decisions(&cluster, &pod).pop().unwrap();
    assert!(
        decision.message.contains("1 node(s) had untolerated taint(s)") && !decision.message.contains("cpu")
    );
    let Verdict::RuledOut { fixes, beyond, .. } = &decision.nodes[0].verdict else { panic!() };
    assert!(matches!(fixes.as_slice(), [Fix::TolerateTaint { .. }]));
    assert_eq!(beyond.len(), 1);
    assert_eq!(beyond[0].reasons, ["Insufficient cpu"]);
    assert!(matches!(beyond[0].fixes.as_slice(), [Fix::LowerRequest { requested: 3000, free: 2000, .. }]));
}

#[test]
fn nodes_that_the_pod_does_not_name_are_told() {
    let mut cluster = cluster(2);
    let fields = json!({"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-2"]}]}]});
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": fields}});
    patch_node(&mut cluster, "node-2", json!({"spec": {"unschedulable": true}}));
    let pod = create(&mut cluster, "web", json!({}), json!({"affinity": affinity}));
    run(&mut cluster, 1);
    let decision = decisions(&cluster, &pod).pop().unwrap();
    let first = decision.nodes.iter().find(|n| &*n.node == "node-1").unwrap();
    let Verdict::RuledOut { reasons, fixes, .. } = &first.verdict else { panic!() };
    assert_eq!(reasons, &["node(s) didn't satisfy plugin(s) [NodeAffinity]"]);
    assert_eq!(fixes, &[Fix::NameNode { wanted: vec!["node-2".to_owned()] }]);
}

/// Every score is what its formula comes to.
fn check_formulas(decision: &Decision) -> Vec<Formula> {
    let mut formulas = Vec::new();
    for node in &decision.nodes {
        let Verdict::Feasible { scores, total, .. } = &node.verdict else { continue };
        for score in scores.iter() {
            let formula = formula(decision, node, score.plugin).unwrap();
            assert_eq!(formula.result(), score.normalized, "{} {formula:?}", score.plugin.name());
            let weight = decision.scoring.as_ref().unwrap().weight(score.plugin);
            assert_eq!(score.normalized * weight, score.weighted);
            formulas.push(formula);
        }
        assert_eq!(scores.iter().map(|s| s.weighted).sum::<i64>(), *total);
    }
    formulas
}

#[test]
fn a_formula_comes_to_its_score() {
    let mut cluster = cluster(4);
    for (node, zone) in [("node-1", "a"), ("node-2", "a"), ("node-3", "b")] {
        let labels =
            json!({"topology.kubernetes.io/zone": zone, "disk": if zone == "a" { "ssd" } else { "hdd" }});
        patch_node(&mut cluster, node, json!({"metadata": {"labels": labels}}));
    }
    let soft =
        json!([{"key": "a", "effect": "PreferNoSchedule"}, {"key": "b", "effect": "PreferNoSchedule"}]);
    patch_node(&mut cluster, "node-2", json!({"spec": {"taints": soft}}));
    let images = json!([{"names": ["nginx:latest"], "sizeBytes": 300_000_000}]);
    let mut status =
        Request::patch(&kinds::NODE, "", "node-3", PatchType::Merge, json!({"status": {"images": images}}));
    status.subresource = Some("status".into());
    cluster.request(status).into_object().unwrap();
    let mut seen = Vec::new();
    for index in 0..12u32 {
        let cpu = format!("{}m", 50 + 37 * index);
        let memory = format!("{}Mi", 64 + 23 * index);
        let mut spec = asking(&cpu, &memory);
        let name = format!("p{index}");
        let labels = json!({"app": if index % 2 == 0 { "web" } else { "db" }});
        if index % 3 == 1 {
            spec["topologySpreadConstraints"] = json!([
                {"maxSkew": 2, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"app": "web"}}},
                {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": {"app": "web"}}},
            ]);
        }
        if index % 3 == 2 {
            let prefers = json!([{"weight": 30, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}},
                {"weight": 20, "preference": {"matchExpressions": [{"key": "disk", "operator": "Exists"}]}}]);
            let near = json!([{"weight": 60, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}}]);
            spec["affinity"] = json!({
                "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": prefers},
                "podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": near},
            });
        }
        let pod = create(&mut cluster, &name, labels, spec);
        run(&mut cluster, 1);
        let decision = decisions(&cluster, &pod).pop().unwrap();
        assert!(matches!(decision.outcome, Outcome::Bound { .. }));
        seen.extend(check_formulas(&decision));
    }
    let has = |is: fn(&Formula) -> bool| seen.iter().any(is);
    assert!(has(|f| matches!(f, Formula::Allocated { parts, .. } if parts.len() == 2)));
    assert!(has(|f| matches!(f, Formula::Balanced { .. })));
    assert!(has(|f| matches!(f, Formula::Images { size, least, .. } if size > least)));
    assert!(has(|f| matches!(f, Formula::Share { raw: 2, less_is_better: true, .. })));
    assert!(has(|f| matches!(f, Formula::Share { raw: 50, less_is_better: false, .. })));
    assert!(has(|f| matches!(f, Formula::Spread { raw, .. } if *raw > 0)));
    assert!(has(|f| matches!(f, Formula::Spread { left_out: true, .. })));
    assert!(has(|f| matches!(f, Formula::Range { most, least, .. } if most > least)));
}

#[test]
fn room_that_is_kept_for_another_pod_is_told() {
    let mut cluster = cluster(1);
    let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000});
    cluster.request(Request::create(&kinds::PRIORITY_CLASS, "", class)).into_object().unwrap();
    let mut low = asking("1500m", "64Mi");
    low["terminationGracePeriodSeconds"] = json!(30);
    create(&mut cluster, "low", json!({}), low);
    run(&mut cluster, 1);
    // The victim goes on for its grace period, as nothing runs it here; room is kept meanwhile.
    let mut high = asking("1800m", "64Mi");
    high["priorityClassName"] = json!("high");
    let high = create(&mut cluster, "high", json!({}), high);
    let mut second = asking("300m", "64Mi");
    second["priorityClassName"] = json!("high");
    let second = create(&mut cluster, "second", json!({}), second);
    run(&mut cluster, 1);
    let first = decisions(&cluster, &high).into_iter().next().unwrap();
    let Outcome::Unschedulable { nominated: Some(node), victims, .. } = &first.outcome else {
        panic!("{first:?}")
    };
    assert_eq!((&**node, victims.len()), ("node-1", 1));
    for decision in decisions(&cluster, &second) {
        for node in &decision.nodes {
            if let Verdict::RuledOut { fixes, .. } = &node.verdict {
                assert!(
                    matches!(fixes.as_slice(), [Fix::FreeResource { short_by, .. }] if *short_by > 0),
                    "{fixes:?}"
                );
            }
        }
    }
}
