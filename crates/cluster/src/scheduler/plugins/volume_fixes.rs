//! What would give a pod its volumes.

use super::node_affinity::lacking_least;
use super::volume_binding::{
    BIND_COMPLETED, Binding, NO_PROVISIONER, PodVolumeClaims, SELECTED_NODE, claim_of, claims_of,
    find_matching_volume, requested_storage, typed_class, usable_on,
};
use crate::scheduler::fix::{ClaimWants, Fix, Wish, labels_for};
use crate::scheduler::framework::{FilterContext, NodeInfo, PodInfo};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use podlab_api::kinds;
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::selector::node::NodeSelector;

const HOSTNAME: &str = "kubernetes.io/hostname";

/// The claims of a pod that are not there.
pub fn missing_claims(cx: &FilterContext<'_>, pod: &PodInfo) -> Vec<Fix> {
    let missing =
        claims_of(pod).into_iter().filter(|(name, _)| claim_of(cx.store, &pod.key.namespace, name).is_none());
    let fix = |(claim, made_for_pod)| {
        if made_for_pod { Fix::WaitForClaim { claim, node: None } } else { Fix::CreateClaim { claim } }
    };
    missing.map(fix).collect()
}

/// What is wrong with a pod's claims whatever the node.
pub fn before_any_node(cx: &FilterContext<'_>, pod: &PodInfo) -> Vec<Fix> {
    let mut fixes = missing_claims(cx, pod);
    for (name, _) in claims_of(pod) {
        let Some(object) = claim_of(cx.store, &pod.key.namespace, &name) else { continue };
        let Ok(claim) = object.decode::<PersistentVolumeClaim>() else { continue };
        let volume = claim.spec.as_ref().and_then(|s| s.volume_name.clone()).unwrap_or_default();
        let lost = claim.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Lost");
        if lost || object.is_terminating() {
            fixes.push(recreate(&claim, (!object.is_terminating()).then_some(volume)));
        } else if volume.is_empty() && !waits_for_pod(cx, &claim) {
            fixes.push(provide(cx, &claim));
        } else if !volume.is_empty() && object.annotation(BIND_COMPLETED).is_none() {
            fixes.push(Fix::WaitForClaim { claim: name, node: None });
        }
    }
    fixes
}

/// The same, with claims that are bound to volumes that are gone.
pub fn without_volumes(cx: &FilterContext<'_>, pod: &PodInfo) -> Vec<Fix> {
    let mut fixes = before_any_node(cx, pod);
    for (name, _) in claims_of(pod) {
        let claim = claim_of(cx.store, &pod.key.namespace, &name);
        let Some(claim) = claim.and_then(|o| o.decode::<PersistentVolumeClaim>().ok()) else { continue };
        let volume = claim.spec.as_ref().and_then(|s| s.volume_name.clone()).unwrap_or_default();
        let told = fixes.iter().any(|fix| matches!(fix, Fix::RecreateClaim { claim, .. } if *claim == name));
        if !told && !volume.is_empty() && cx.store.get(&kinds::PERSISTENT_VOLUME, "", &volume).is_none() {
            fixes.push(recreate(&claim, Some(volume)));
        }
    }
    fixes
}

/// What keeps a pod's volumes from a node.
pub fn on_node(cx: &FilterContext<'_>, claims: &PodVolumeClaims, node: &NodeInfo) -> Vec<Fix> {
    let mut fixes = Vec::new();
    for claim in &claims.bound {
        let claim_name = claim.metadata.name.clone().unwrap_or_default();
        let name = claim.spec.as_ref().and_then(|s| s.volume_name.clone()).unwrap_or_default();
        let volume = cx.store.get(&kinds::PERSISTENT_VOLUME, "", &name);
        match volume.and_then(|o| o.decode::<PersistentVolume>().ok()) {
            None => fixes.push(recreate(claim, Some(name))),
            Some(volume) if !usable_on(&volume, node) => fixes.extend(elsewhere(&claim_name, &volume, node)),
            Some(_) => {}
        }
    }
    let mut chosen: Vec<Binding> = Vec::new();
    for claim in &claims.delayed {
        let name = claim.metadata.name.clone().unwrap_or_default();
        let selected = claim.metadata.annotations.as_ref().and_then(|a| a.get(SELECTED_NODE));
        if let Some(selected) = selected
            && selected.as_str() != &*node.name
        {
            fixes.push(Fix::WaitForClaim { claim: name, node: Some(selected.clone()) });
            continue;
        }
        let class = typed_class(claim);
        let volumes = claims.volumes.get(&class).map_or(&[][..], Vec::as_slice);
        if let Some(volume) = find_matching_volume(claim, volumes, node, &chosen) {
            chosen.push(Binding::of(claim, volume, class));
        } else {
            fixes.extend(unprovided(cx, claim, node));
        }
    }
    fixes
}

/// Whether a claim is bound only once a pod uses it.
fn waits_for_pod(cx: &FilterContext<'_>, claim: &PersistentVolumeClaim) -> bool {
    let class = cx.store.get(&kinds::STORAGE_CLASS, "", &typed_class(claim));
    let mode = class.and_then(|c| c.field("volumeBindingMode")).and_then(|m| m.as_str());
    mode == Some("WaitForFirstConsumer")
}

/// A claim for which no volume is there and none would be made on a node.
fn unprovided(cx: &FilterContext<'_>, claim: &PersistentVolumeClaim, node: &NodeInfo) -> Vec<Fix> {
    let class = cx.store.get(&kinds::STORAGE_CLASS, "", &typed_class(claim));
    let class = class.and_then(|o| o.decode::<StorageClass>().ok());
    let Some(class) = class.filter(|c| !c.provisioner.is_empty() && c.provisioner != NO_PROVISIONER) else {
        return vec![provide(cx, claim)];
    };
    // The class makes volumes, but for other nodes.
    let term = class.allowed_topologies.iter().flatten().next();
    let expressions = term.iter().flat_map(|t| t.match_label_expressions.iter().flatten());
    let fails = expressions.filter(|e| node.label(&e.key).is_none_or(|v| !e.values.iter().any(|x| x == v)));
    let fix = |e: &k8s_openapi::api::core::v1::TopologySelectorLabelRequirement| Fix::LabelNode {
        key: e.key.clone(),
        value: e.values.first().cloned().unwrap_or_default(),
        current: node.label(&e.key).map(str::to_owned),
        requirement: format!("{} in ({})", e.key, e.values.join(",")),
        wish: Wish::Volume,
    };
    fails.map(fix).collect()
}

fn provide(cx: &FilterContext<'_>, claim: &PersistentVolumeClaim) -> Fix {
    let wants = wants(claim);
    let class = &wants.class;
    let no_class = !class.is_empty() && cx.store.get(&kinds::STORAGE_CLASS, "", class).is_none();
    Fix::ProvideVolume { claim: claim.metadata.name.clone().unwrap_or_default(), wants, no_class }
}

fn recreate(claim: &PersistentVolumeClaim, volume: Option<String>) -> Fix {
    let name = claim.metadata.name.clone().unwrap_or_default();
    Fix::RecreateClaim { claim: name, volume, wants: wants(claim) }
}

fn wants(claim: &PersistentVolumeClaim) -> ClaimWants {
    let spec = claim.spec.as_ref();
    let selector = spec.and_then(|s| s.selector.as_ref());
    let selector = selector.and_then(|s| label_selector_as_selector(Some(s)).ok());
    ClaimWants {
        class: typed_class(claim),
        storage: requested_storage(claim).to_string(),
        access_modes: spec.and_then(|s| s.access_modes.clone()).unwrap_or_default(),
        volume_mode: spec.and_then(|s| s.volume_mode.clone()).unwrap_or_else(|| "Filesystem".to_owned()),
        labels: labels_for(&selector),
    }
}

/// What a node lacks to use a volume. A host's name is no label to change: the volume lies on that host.
fn elsewhere(claim: &str, volume: &PersistentVolume, node: &NodeInfo) -> Vec<Fix> {
    let affinity = volume.spec.as_ref().and_then(|s| s.node_affinity.as_ref());
    let Some(required) = affinity.and_then(|a| a.required.as_ref()) else { return Vec::new() };
    let fixes = lacking_least(&NodeSelector::parse(required), node, Wish::Volume).into_iter();
    fixes
        .map(|fix| match fix {
            Fix::LabelNode { key, requirement, .. } if key == HOSTNAME => Fix::VolumeElsewhere {
                claim: claim.to_owned(),
                volume: volume.metadata.name.clone().unwrap_or_default(),
                requirement,
            },
            other => other,
        })
        .collect()
}
