//! VolumeBinding: claims must be bound, or be bindable where the pod goes.

use super::{hints, volume_fixes};
use crate::scheduler::fix::Fix;
use crate::scheduler::framework::{
    ActionType, ClusterEvent, CycleState, EventObjects, EventResource, FilterContext, NodeInfo, Plugin,
    PluginId, PodInfo, PreFilterResult, Status,
};
use crate::store::Store;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use podlab_api::selector::label_selector::label_selector_as_selector;
use podlab_api::selector::node::NodeSelector;
use podlab_api::{Object, Quantity, kinds};
use std::collections::BTreeMap;
use std::sync::Arc;

/// No volume can be bound on the node.
pub const ERR_REASON_BIND_CONFLICT: &str = "node(s) didn't find available persistent volumes to bind";
/// A bound volume cannot be used on the node.
pub const ERR_REASON_NODE_CONFLICT: &str = "node(s) didn't match PersistentVolume's node affinity";
/// A claim is bound to a volume that is gone.
pub const ERR_REASON_PV_NOT_EXIST: &str =
    "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
/// A claim that is not to wait for a pod is not bound yet.
pub const ERR_REASON_UNBOUND_IMMEDIATE: &str = "pod has unbound immediate PersistentVolumeClaims";

pub(super) const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
pub(super) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";
pub(super) const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// Rejects a pod whose claims are missing, ending or (where they do not wait for a pod) unbound, and nodes on
/// which a bound volume cannot be used or no volume be found for a waiting claim.
///
/// Runs: preFilter, filter, preScore, score. Result: unresolvable.
/// Source: pkg/scheduler/framework/plugins/volumebinding/{volume_binding,binder}.go (v1.37).
pub struct VolumeBinding;

/// A volume and the claim it could be bound to.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The volume's name.
    pub volume: String,
    /// The claim's name.
    pub claim: String,
    requested: i64,
    capacity: i64,
    class: String,
}

impl Binding {
    /// A claim of a class and the volume that was found for it.
    pub(super) fn of(claim: &PersistentVolumeClaim, volume: &PersistentVolume, class: String) -> Binding {
        Binding {
            volume: volume.metadata.name.clone().unwrap_or_default(),
            claim: claim.metadata.name.clone().unwrap_or_default(),
            requested: requested_storage(claim).value(),
            capacity: storage(volume.spec.as_ref().and_then(|s| s.capacity.as_ref())).value(),
            class,
        }
    }
}

/// The claims of a pod.
#[derive(Clone, Debug, Default)]
pub struct PodVolumeClaims {
    /// Bound to a volume.
    pub(super) bound: Vec<Arc<PersistentVolumeClaim>>,
    /// Bound once the pod has a node.
    pub(super) delayed: Vec<Arc<PersistentVolumeClaim>>,
    /// class → its volumes.
    pub(super) volumes: BTreeMap<String, Vec<Arc<PersistentVolume>>>,
}

/// Names of the claims that a pod uses, and whether each is made for it from a template.
pub fn claims_of(pod: &PodInfo) -> Vec<(String, bool)> {
    let volumes = pod.spec().volumes.iter().flatten();
    volumes
        .filter_map(|volume| match (&volume.persistent_volume_claim, &volume.ephemeral) {
            (Some(claim), _) => Some((claim.claim_name.clone(), false)),
            (None, Some(_)) => Some((format!("{}-{}", pod.key.name, volume.name), true)),
            _ => None,
        })
        .collect()
}

/// A claim.
pub fn claim_of<'a>(store: &'a Store, namespace: &str, name: &str) -> Option<&'a Arc<Object>> {
    store.get(&kinds::PERSISTENT_VOLUME_CLAIM, namespace, name)
}

/// The class a claim asks for, empty where it asks for none.
pub fn claim_class(claim: &Object) -> String {
    if let Some(class) = claim.annotation("volume.beta.kubernetes.io/storage-class") {
        return class.to_owned();
    }
    let class = claim.field("spec").and_then(|s| s.get("storageClassName"));
    class.and_then(|c| c.as_str()).unwrap_or("").to_owned()
}

pub(super) fn typed_class(claim: &PersistentVolumeClaim) -> String {
    let annotations = claim.metadata.annotations.as_ref();
    let beta = annotations.and_then(|a| a.get("volume.beta.kubernetes.io/storage-class"));
    let spec = claim.spec.as_ref().and_then(|s| s.storage_class_name.as_ref());
    beta.or(spec).cloned().unwrap_or_default()
}

fn storage(
    list: Option<&BTreeMap<String, k8s_openapi::apimachinery::pkg::api::resource::Quantity>>,
) -> Quantity {
    let text = list.and_then(|list| list.get("storage"));
    text.and_then(|q| Quantity::try_from(q).ok()).unwrap_or_default()
}

pub(super) fn requested_storage(claim: &PersistentVolumeClaim) -> Quantity {
    let resources = claim.spec.as_ref().and_then(|s| s.resources.as_ref());
    storage(resources.and_then(|r| r.requests.as_ref()))
}

/// Whether a volume can be used on a node, by its node affinity.
pub(super) fn usable_on(volume: &PersistentVolume, node: &NodeInfo) -> bool {
    let affinity = volume.spec.as_ref().and_then(|s| s.node_affinity.as_ref());
    match affinity.and_then(|a| a.required.as_ref()) {
        None => true,
        Some(required) => NodeSelector::parse(required).matches(node.labels(), "").unwrap_or(false),
    }
}

fn claimed_by(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let Some(reference) = volume.spec.as_ref().and_then(|s| s.claim_ref.as_ref()) else { return false };
    let uid = reference.uid.as_deref().unwrap_or("");
    reference.name == claim.metadata.name
        && reference.namespace == claim.metadata.namespace
        && (uid.is_empty() || claim.metadata.uid.as_deref() == Some(uid))
}

/// Source: component-helpers/storage/volume/pv_helpers.go `FindMatchingVolume` (v1.37).
pub(super) fn find_matching_volume<'a>(
    claim: &PersistentVolumeClaim,
    volumes: &'a [Arc<PersistentVolume>],
    node: &NodeInfo,
    chosen: &[Binding],
) -> Option<&'a Arc<PersistentVolume>> {
    let spec = claim.spec.as_ref()?;
    let requested = requested_storage(claim);
    let selector = spec.selector.as_ref().map(|s| label_selector_as_selector(Some(s)));
    let mode = |mode: &Option<String>| mode.as_deref().unwrap_or("Filesystem").to_owned();
    let mut smallest: Option<(&Arc<PersistentVolume>, Quantity)> = None;
    for volume in volumes {
        let Some(of_volume) = &volume.spec else { continue };
        let name = volume.metadata.name.as_deref().unwrap_or("");
        let bound_to_claim = claimed_by(volume, claim);
        let capacity = storage(of_volume.capacity.as_ref());
        if chosen.iter().any(|b| b.volume == name)
            || of_volume.claim_ref.is_some() && !bound_to_claim
            || capacity < requested
            || mode(&spec.volume_mode) != mode(&of_volume.volume_mode)
            || spec.volume_attributes_class_name.as_deref().unwrap_or("")
                != of_volume.volume_attributes_class_name.as_deref().unwrap_or("")
            || volume.metadata.deletion_timestamp.is_some()
        {
            continue;
        }
        let usable = usable_on(volume, node);
        if bound_to_claim {
            return usable.then_some(volume);
        }
        // A volume becomes Available at once; one that says nothing of it is new.
        let phase = volume.status.as_ref().and_then(|s| s.phase.as_deref()).unwrap_or("");
        let labels = volume.metadata.labels.clone().unwrap_or_default();
        let selected = match &selector {
            None => true,
            Some(Ok(selector)) => selector.matches(&labels),
            Some(Err(_)) => false,
        };
        let modes = of_volume.access_modes.as_deref().unwrap_or(&[]);
        let access = spec.access_modes.iter().flatten().all(|m| modes.contains(m));
        if !matches!(phase, "Available" | "Pending" | "")
            || !selected
            || of_volume.storage_class_name.as_deref().unwrap_or("") != typed_class(claim)
            || !usable
            || !access
        {
            continue;
        }
        if smallest.as_ref().is_none_or(|(_, size)| *size > capacity) {
            smallest = Some((volume, capacity));
        }
    }
    smallest.map(|(volume, _)| volume)
}

impl PodVolumeClaims {
    /// Whether nothing is left to bind.
    pub fn all_bound(&self) -> bool {
        self.delayed.is_empty()
    }

    /// What would be bound on a node, and the claims for which volumes would have to be made there.
    ///
    /// # Errors
    /// Why the pod's volumes cannot be had on the node.
    pub fn find(&self, store: &Store, node: &NodeInfo) -> Result<(Vec<Binding>, Vec<String>), Status> {
        let reject = |text: &'static str| Err(Status::unresolvable(PluginId::VolumeBinding, text));
        for claim in &self.bound {
            let name = claim.spec.as_ref().and_then(|s| s.volume_name.as_deref()).unwrap_or("");
            let volume = store.get(&kinds::PERSISTENT_VOLUME, "", name);
            let Some(volume) = volume.and_then(|o| o.decode::<PersistentVolume>().ok()) else {
                return reject(ERR_REASON_PV_NOT_EXIST);
            };
            if !usable_on(&volume, node) {
                return reject(ERR_REASON_NODE_CONFLICT);
            }
        }
        let mut bindings: Vec<Binding> = Vec::new();
        let mut to_provision = Vec::new();
        let mut claims: Vec<&Arc<PersistentVolumeClaim>> = Vec::new();
        for claim in &self.delayed {
            match claim.metadata.annotations.as_ref().and_then(|a| a.get(SELECTED_NODE)) {
                Some(selected) if selected.as_str() != node.name.as_ref() => {
                    return reject(ERR_REASON_BIND_CONFLICT);
                }
                Some(_) => to_provision.push(claim),
                None => claims.push(claim),
            }
        }
        claims.sort_by(|a, b| {
            requested_storage(a).partial_cmp(&requested_storage(b)).unwrap_or(std::cmp::Ordering::Equal)
        });
        for claim in claims {
            let class = typed_class(claim);
            let volumes = self.volumes.get(&class).map_or(&[][..], Vec::as_slice);
            match find_matching_volume(claim, volumes, node, &bindings) {
                Some(volume) => bindings.push(Binding::of(claim, volume, class)),
                None => to_provision.push(claim),
            }
        }
        let mut provisions = Vec::new();
        for claim in to_provision {
            let class = store.get(&kinds::STORAGE_CLASS, "", &typed_class(claim));
            let Some(class) = class.and_then(|o| o.decode::<StorageClass>().ok()) else {
                return reject(ERR_REASON_BIND_CONFLICT);
            };
            let terms = class.allowed_topologies.as_deref().unwrap_or(&[]);
            let allowed = terms.is_empty()
                || terms.iter().any(|term| {
                    term.match_label_expressions
                        .iter()
                        .flatten()
                        .all(|e| node.label(&e.key).is_some_and(|v| e.values.iter().any(|x| x == v)))
                });
            if class.provisioner.is_empty() || class.provisioner == NO_PROVISIONER || !allowed {
                return reject(ERR_REASON_BIND_CONFLICT);
            }
            provisions.push(claim.metadata.name.clone().unwrap_or_default());
        }
        Ok((bindings, provisions))
    }
}

fn check_claims(cx: &FilterContext<'_>, pod: &PodInfo, names: &[(String, bool)]) -> Result<(), String> {
    for (name, made_for_pod) in names {
        let Some(claim) = claim_of(cx.store, &pod.key.namespace, name) else {
            return Err(if *made_for_pod {
                format!(
                    "waiting for ephemeral volume controller to create the persistentvolumeclaim {name:?}"
                )
            } else {
                format!("persistentvolumeclaim {name:?} not found")
            });
        };
        let phase = claim.field("status").and_then(|s| s.get("phase")).and_then(|p| p.as_str());
        if phase == Some("Lost") {
            let volume = claim.field("spec").and_then(|s| s.get("volumeName")).and_then(|v| v.as_str());
            let volume = volume.unwrap_or("");
            return Err(format!(
                "persistentvolumeclaim {name:?} bound to non-existent persistentvolume {volume:?}"
            ));
        }
        if claim.is_terminating() {
            return Err(format!("persistentvolumeclaim {name:?} is being deleted"));
        }
        let own = || claim.metadata.owner_references.iter().flatten().any(|o| o.uid == pod.uid());
        if *made_for_pod && !own() {
            return Err(format!(
                "PVC {}/{name} was not created for pod {}/{} (pod is not owner)",
                pod.key.namespace, pod.key.namespace, pod.key.name
            ));
        }
    }
    Ok(())
}

impl Plugin for VolumeBinding {
    fn id(&self) -> PluginId {
        PluginId::VolumeBinding
    }

    fn points(&self) -> &'static [&'static str] {
        &["PreFilter", "Filter", "PreScore", "Score", "Reserve", "PreBind"]
    }

    fn filter_lacks(&self) -> Option<&'static str> {
        Some("not found")
    }

    fn events(&self) -> &'static [ClusterEvent] {
        const EVENTS: [ClusterEvent; 4] = [
            ClusterEvent::new(EventResource::StorageClass, ActionType::ADD.and(ActionType::UPDATE)),
            ClusterEvent::new(EventResource::PersistentVolumeClaim, ActionType::ADD.and(ActionType::UPDATE)),
            ClusterEvent::new(EventResource::PersistentVolume, ActionType::ADD.and(ActionType::UPDATE)),
            ClusterEvent::new(EventResource::Node, ActionType::ADD.and(ActionType::UPDATE_NODE_LABEL)),
        ];
        &EVENTS
    }

    fn hint(
        &self,
        _: &FilterContext<'_>,
        pod: &PodInfo,
        event: ClusterEvent,
        objects: EventObjects<'_>,
    ) -> bool {
        match (event.resource, objects.old, objects.new) {
            (EventResource::PersistentVolumeClaim, _, Some(new)) => hints::is_claim_of(new, pod),
            (EventResource::StorageClass, Some(old), Some(new)) => {
                old.field("allowedTopologies") != new.field("allowedTopologies")
            }
            _ => true,
        }
    }

    fn pre_filter(&self, cx: &FilterContext<'_>, pod: &PodInfo, state: &mut CycleState) -> PreFilterResult {
        if pod.spec().volumes.is_none() {
            return PreFilterResult::Skip;
        }
        let names = claims_of(pod);
        if names.is_empty() {
            return PreFilterResult::Skip;
        }
        let reject =
            |text: String| PreFilterResult::Reject(Status::unresolvable(PluginId::VolumeBinding, text));
        if let Err(text) = check_claims(cx, pod, &names) {
            return reject(text);
        }
        let mut claims = PodVolumeClaims::default();
        for (name, _) in &names {
            let Some(object) = claim_of(cx.store, &pod.key.namespace, name) else { continue };
            let Ok(claim) = object.decode::<PersistentVolumeClaim>() else { continue };
            let volume = claim.spec.as_ref().and_then(|s| s.volume_name.as_deref()).unwrap_or("");
            if !volume.is_empty() && object.annotation(BIND_COMPLETED).is_some() {
                claims.bound.push(Arc::new(claim));
                continue;
            }
            let class = cx.store.get(&kinds::STORAGE_CLASS, "", &typed_class(&claim));
            let mode = class.and_then(|c| c.field("volumeBindingMode")).and_then(|m| m.as_str());
            if volume.is_empty() && mode == Some("WaitForFirstConsumer") {
                claims.delayed.push(Arc::new(claim));
            } else {
                return reject(ERR_REASON_UNBOUND_IMMEDIATE.to_owned());
            }
        }
        for claim in &claims.delayed {
            let class = typed_class(claim);
            if !claims.volumes.contains_key(&class) {
                let volumes = cx.store.list(&kinds::PERSISTENT_VOLUME);
                let typed = volumes.filter_map(|o| o.decode::<PersistentVolume>().ok());
                let of_class = typed.filter(|v| {
                    let spec = v.spec.as_ref();
                    spec.and_then(|s| s.storage_class_name.as_deref()).unwrap_or("") == class
                });
                let of_class = of_class.map(Arc::new).collect();
                claims.volumes.insert(class.clone(), of_class);
            }
        }
        state.volume_claims = Some(claims);
        PreFilterResult::All
    }

    fn filter(
        &self,
        cx: &FilterContext<'_>,
        _: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Result<(), Status> {
        let Some(claims) = &state.volume_claims else { return Ok(()) };
        claims.find(cx.store, node).map(|_| ())
    }

    fn pre_score(&self, _: &FilterContext<'_>, _: &PodInfo, _: &mut CycleState, _: &[usize]) -> bool {
        true
    }

    fn score(&self, cx: &FilterContext<'_>, _: &PodInfo, state: &CycleState, node: &NodeInfo) -> i64 {
        let Some(claims) = state.volume_claims.as_ref().filter(|c| !c.all_bound()) else { return 0 };
        let Ok((bindings, _)) = claims.find(cx.store, node) else { return 0 };
        let mut classes: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for binding in &bindings {
            let sums = classes.entry(&binding.class).or_default();
            sums.0 = sums.0.saturating_add(binding.requested);
            sums.1 = sums.1.saturating_add(binding.capacity);
        }
        if classes.is_empty() {
            return 0;
        }
        // Source: scorer.go `buildScorerFunction` (v1.37).
        let of_class = |(requested, capacity): &(i64, i64)| cx.profile.volume_shape.of(*requested, *capacity);
        let sum: i64 = classes.values().map(of_class).sum();
        libm::round(sum as f64 / classes.len() as f64) as i64
    }

    fn explain(
        &self,
        cx: &FilterContext<'_>,
        pod: &PodInfo,
        state: &CycleState,
        node: &NodeInfo,
    ) -> Vec<Fix> {
        match &state.volume_claims {
            None => volume_fixes::before_any_node(cx, pod),
            Some(claims) => volume_fixes::on_node(cx, claims, node),
        }
    }
}
