//! Which nodes a DaemonSet's pods belong on, and how a pod is tied to its node.
//!
//! Source: pkg/controller/daemon/daemon_controller.go `nodeShouldRunDaemonPod`, pkg/controller/daemon/util (v1.37).

use super::super::history::HASH_LABEL;
use super::super::values::{int, spec, text};
use crate::scheduler::plugins::taint_toleration::tolerates;
use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Taint,
    Toleration,
};
use podlab_api::int_or_string::{Rounding, parse, scaled_value};
use podlab_api::selector::node::RequiredNodeAffinity;
use podlab_api::{Body, Object};
use serde_json::Value;
use std::sync::Arc;

const NAME_FIELD: &str = "metadata.name";
/// The annotation in which a DaemonSet's old count of templates lives on.
pub(in crate::controllers) const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";
const GENERATION_LABEL: &str = "pod-template-generation";

/// What a set's template says about nodes.
pub(super) struct Placement {
    node_name: String,
    tolerations: Vec<Toleration>,
    affinity: RequiredNodeAffinity,
    min_ready_seconds: i64,
    surge: Option<Value>,
    unavailable: Option<Value>,
}

impl Placement {
    /// `None` where the template cannot be read, which validation would have refused.
    pub(super) fn of(set: &Object) -> Option<Placement> {
        use serde::Deserialize;
        let mut template = PodSpec::deserialize(spec(set, "template")?.get("spec")?).ok()?;
        add_tolerations(&mut template);
        let strategy = spec(set, "updateStrategy");
        let rolling = strategy.filter(|s| text(s.get("type")) == "RollingUpdate");
        let limit = |field: &str| rolling?.get("rollingUpdate")?.get(field).cloned();
        Some(Placement {
            affinity: RequiredNodeAffinity::new(template.node_selector.as_ref(), template.affinity.as_ref()),
            node_name: template.node_name.unwrap_or_default(),
            tolerations: template.tolerations.unwrap_or_default(),
            min_ready_seconds: int(spec(set, "minReadySeconds")).unwrap_or(0),
            surge: limit("maxSurge"),
            unavailable: limit("maxUnavailable"),
        })
    }

    pub(super) fn min_ready_seconds(&self) -> i64 {
        self.min_ready_seconds
    }

    /// Whether a pod should run on a node, and whether one that does may go on.
    pub(super) fn on(&self, node: &Object) -> (bool, bool) {
        if !self.node_name.is_empty() && self.node_name != node.name() {
            return (false, false);
        }
        if !self.affinity.matches(node, node.name()).unwrap_or(false) {
            return (false, false);
        }
        let taints: &[Taint] = node.node_spec().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
        let kept_off = |effects: &[&str]| {
            let mut relevant = taints.iter().filter(|taint| effects.contains(&taint.effect.as_str()));
            relevant.any(|taint| !tolerates(&self.tolerations, taint))
        };
        if kept_off(&["NoExecute", "NoSchedule"]) {
            return (false, !kept_off(&["NoExecute"]));
        }
        (true, true)
    }

    pub(super) fn allows_surge(&self) -> bool {
        self.surge(1) > 0
    }

    /// How many pods may run beside the one they replace.
    pub(super) fn surge(&self, nodes: i64) -> i64 {
        scaled(self.surge.as_ref(), nodes)
    }

    /// How many nodes may be without a pod that is available.
    pub(super) fn unavailable(&self, nodes: i64) -> i64 {
        scaled(self.unavailable.as_ref(), nodes)
    }
}

fn scaled(value: Option<&Value>, total: i64) -> i64 {
    let value = match value {
        Some(Value::String(text)) => parse(text),
        Some(other) => parse(&other.to_string()),
        None => return 0,
    };
    scaled_value(&value, total, Rounding::Up).unwrap_or(0)
}

/// Source: daemonset_util.go `AddOrUpdateDaemonPodTolerations`.
fn add_tolerations(spec: &mut PodSpec) {
    let mut added = vec![
        ("node.kubernetes.io/not-ready", "NoExecute"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
        ("node.kubernetes.io/disk-pressure", "NoSchedule"),
        ("node.kubernetes.io/memory-pressure", "NoSchedule"),
        ("node.kubernetes.io/pid-pressure", "NoSchedule"),
        ("node.kubernetes.io/unschedulable", "NoSchedule"),
    ];
    if spec.host_network == Some(true) {
        added.push(("node.kubernetes.io/network-unavailable", "NoSchedule"));
    }
    let tolerations = spec.tolerations.get_or_insert_default();
    for (key, effect) in added {
        let toleration = Toleration {
            key: Some(key.to_owned()),
            operator: Some("Exists".to_owned()),
            effect: Some(effect.to_owned()),
            ..Toleration::default()
        };
        let same = |known: &Toleration| {
            known.key == toleration.key
                && known.operator == toleration.operator
                && known.effect == toleration.effect
                && known.value.as_deref().unwrap_or("").is_empty()
        };
        // One that is there already keeps its place.
        match tolerations.iter_mut().find(|known| same(known)) {
            Some(known) => *known = toleration,
            None => tolerations.push(toleration),
        }
    }
}

/// Ties a pod to a node, and marks what it was made from.
pub(in crate::controllers) fn aim(pod: &mut Object, node: &str, set: &Object, hash: &str) {
    let labels = pod.metadata.labels.get_or_insert_default();
    if let Some(generation) = set.annotation(TEMPLATE_GENERATION).and_then(|text| text.parse::<i64>().ok()) {
        labels.insert(GENERATION_LABEL.to_owned(), generation.to_string());
    }
    labels.insert(HASH_LABEL.to_owned(), hash.to_owned());
    let Body::Pod { spec, .. } = &mut pod.body else { return };
    let spec = Arc::make_mut(spec);
    add_tolerations(spec);
    let term = NodeSelectorTerm {
        match_fields: Some(vec![NodeSelectorRequirement {
            key: NAME_FIELD.to_owned(),
            operator: "In".to_owned(),
            values: Some(vec![node.to_owned()]),
        }]),
        ..NodeSelectorTerm::default()
    };
    let affinity = spec.affinity.get_or_insert_with(Affinity::default);
    let affinity = affinity.node_affinity.get_or_insert_with(NodeAffinity::default);
    affinity.required_during_scheduling_ignored_during_execution =
        Some(NodeSelector { node_selector_terms: vec![term] });
}

/// The node that a pod is on or meant for.
///
/// Source: daemonset_util.go `GetTargetNodeName`.
pub(super) fn target_node(pod: &Object) -> Option<&str> {
    if let Some(node) = pod.node_name() {
        return Some(node);
    }
    let affinity = pod.pod_spec()?.affinity.as_ref()?.node_affinity.as_ref()?;
    let terms = &affinity.required_during_scheduling_ignored_during_execution.as_ref()?.node_selector_terms;
    let mut fields = terms.iter().flat_map(|term| term.match_fields.iter().flatten());
    let named = fields.find(|field| field.key == NAME_FIELD && field.operator == "In")?;
    match named.values.as_deref() {
        Some([node]) => Some(node),
        _ => None,
    }
}

/// Whether a pod was made from the present template.
///
/// Source: daemonset_util.go `IsPodUpdated`.
pub(super) fn is_updated(pod: &Object, set: &Object, hash: &str) -> bool {
    let generation = set.annotation(TEMPLATE_GENERATION).filter(|text| text.parse::<i64>().is_ok());
    (!hash.is_empty() && pod.label(HASH_LABEL) == Some(hash))
        || (generation.is_some() && pod.label(GENERATION_LABEL) == generation)
}
