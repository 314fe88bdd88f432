//! Tests of what a sync has to do.

use super::pod_actions::{PodActions, ProbeResults, compute_pod_actions};
use super::pod_cache::{RuntimePodStatus, Sandbox};
use super::prober::ProbeResult;
use crate::runtime::{ContainerId, ContainerState, ContainerStatus};
use k8s_openapi::api::core::v1::PodSpec;
use podlab_sim::SimTime;
use serde_json::{Value, json};

/// Which container's liveness and startup probes failed or passed.
#[derive(Default)]
struct Probes {
    liveness: Option<&'static str>,
    started: Option<&'static str>,
}

impl ProbeResults for Probes {
    fn liveness(&self, id: &ContainerId) -> Option<ProbeResult> {
        (self.liveness == Some(&**id)).then_some(ProbeResult::Failure)
    }
    fn startup(&self, id: &ContainerId) -> Option<ProbeResult> {
        (self.started == Some(&**id)).then_some(ProbeResult::Success)
    }
}

fn spec(value: Value) -> PodSpec {
    serde_json::from_value(value).unwrap()
}

/// `name:running` or `name:<exit code>`, newest first.
fn status(containers: &[&str]) -> RuntimePodStatus {
    let containers = containers
        .iter()
        .map(|text| {
            let (name, state) = text.split_once(':').unwrap();
            let running = state == "running";
            ContainerStatus {
                id: name.into(),
                name: name.to_owned(),
                attempt: 0,
                state: if running { ContainerState::Running } else { ContainerState::Exited },
                created_at: SimTime::from_secs(1),
                started_at: None,
                finished_at: None,
                exit_code: state.parse().unwrap_or(0),
                reason: "",
                message: String::new(),
                image: "i".to_owned(),
                image_ref: String::new(),
            }
        })
        .collect();
    RuntimePodStatus { sandboxes: vec![Sandbox { id: "s".into(), ready: true, ip: None }], containers }
}

fn plan(pod: Value, seen: &[&str], probes: &Probes) -> PodActions {
    compute_pod_actions(&spec(pod), false, &status(seen), probes)
}

fn two(policy: &str) -> Value {
    json!({"restartPolicy": policy, "containers": [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]})
}

#[test]
fn ended_containers_start_again_as_the_policy_says() {
    let none = Probes::default();
    for (policy, seen, start, kill_pod) in [
        ("Always", ["a:0", "b:running"], vec![0], false),
        ("OnFailure", ["a:0", "b:running"], vec![], false),
        ("OnFailure", ["a:1", "b:0"], vec![0], false),
        ("OnFailure", ["a:0", "b:0"], vec![], true),
        ("Never", ["a:1", "b:0"], vec![], true),
    ] {
        let actions = plan(two(policy), &seen, &none);
        assert_eq!((actions.containers_to_start, actions.kill_pod), (start, kill_pod), "{policy} {seen:?}");
    }
}

#[test]
fn a_failed_liveness_probe_kills_and_restarts_in_one_plan() {
    let probes = Probes { liveness: Some("a"), ..Probes::default() };
    let actions = plan(two("Always"), &["a:running", "b:running"], &probes);
    assert_eq!(actions.containers_to_start, [0]);
    assert_eq!(actions.containers_to_kill[0].message, "Container a failed liveness probe, will be restarted");
    let actions = plan(two("Never"), &["a:running", "b:running"], &probes);
    assert!(actions.containers_to_start.is_empty());
    assert_eq!(actions.containers_to_kill[0].message, "Container a failed liveness probe");
}

#[test]
fn init_containers_come_one_after_the_other_and_sidecars_stay() {
    let pod = json!({"restartPolicy": "Always", "containers": [{"name": "main", "image": "i"}],
        "initContainers": [{"name": "i1", "image": "i"},
            {"name": "side", "image": "i", "restartPolicy": "Always", "startupProbe": {"exec": {"command": ["x"]}}},
            {"name": "i2", "image": "i"}]});
    let waiting = Probes::default();
    let started = Probes { started: Some("side"), ..Probes::default() };
    for (seen, probes, init, own) in [
        (vec![], &waiting, vec![0], vec![]),
        (vec!["i1:running"], &waiting, vec![], vec![]),
        (vec!["i1:0"], &waiting, vec![1], vec![]),
        (vec!["i1:3"], &waiting, vec![0], vec![]),
        (vec!["side:running", "i1:0"], &waiting, vec![], vec![]),
        (vec!["side:running", "i1:0"], &started, vec![2], vec![]),
        (vec!["i2:0", "side:running", "i1:0"], &started, vec![], vec![0]),
        (vec!["main:running", "i2:0", "side:1", "i1:0"], &started, vec![1], vec![]),
    ] {
        let actions = plan(pod.clone(), &seen, probes);
        assert_eq!((actions.init_containers_to_start, actions.containers_to_start), (init, own), "{seen:?}");
    }
}

#[test]
fn a_pod_without_a_sandbox_begins_at_the_beginning() {
    let actions =
        compute_pod_actions(&spec(two("Always")), false, &RuntimePodStatus::default(), &Probes::default());
    assert!(actions.create_sandbox && actions.kill_pod);
    assert_eq!(actions.containers_to_start, [0, 1]);
}

#[test]
fn rules_of_a_container_go_before_its_policy() {
    let pod = json!({"restartPolicy": "Never", "containers": [{"name": "a", "image": "i", "restartPolicy": "Never",
        "restartPolicyRules": [{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]}]});
    assert_eq!(plan(pod.clone(), &["a:42"], &Probes::default()).containers_to_start, [0]);
    assert!(plan(pod, &["a:1"], &Probes::default()).kill_pod);
}
