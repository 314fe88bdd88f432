//! Names and ordinals of a StatefulSet's pods, and the pods themselves.
//!
//! Source: pkg/controller/statefulset/stateful_set_utils.go (v1.37).

use super::super::pod_control::PodTemplate;
use super::super::pods;
use super::super::values::{int, spec, text};
use k8s_openapi::api::core::v1::{PersistentVolumeClaimVolumeSource, Volume};
use podlab_api::{Body, Object};
use podlab_sim::SimTime;
use serde_json::{Value, json};
use std::sync::Arc;

/// The label that says which revision a pod was made from; its value is the revision's name.
pub(super) const REVISION: &str = "controller-revision-hash";
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// The most replicas that are laid out; validation allows more than any cluster holds.
const MAX_REPLICAS: i64 = 100_000;

/// What stands before the ordinal in a pod's name, and the ordinal.
pub(super) fn parent_and_ordinal(name: &str) -> Option<(&str, i64)> {
    let (parent, ordinal) = name.rsplit_once('-')?;
    let digits = !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit());
    digits.then_some(())?;
    Some((parent, ordinal.parse::<i32>().map_or(-1, i64::from)))
}

/// The ordinal of a pod; -1 where it has none.
pub(super) fn ordinal(pod: &Object) -> i64 {
    parent_and_ordinal(pod.name()).map_or(-1, |(_, ordinal)| ordinal)
}

pub(super) fn start_ordinal(set: &Object) -> i64 {
    int(spec(set, "ordinals").and_then(|ordinals| ordinals.get("start"))).unwrap_or(0)
}

pub(super) fn replicas(set: &Object) -> i64 {
    int(spec(set, "replicas")).unwrap_or(1).clamp(0, MAX_REPLICAS)
}

pub(super) fn in_range(pod: &Object, set: &Object) -> bool {
    let start = start_ordinal(set);
    (start..start + replicas(set)).contains(&ordinal(pod))
}

pub(super) fn pod_name(set: &Object, ordinal: i64) -> String {
    format!("{}-{ordinal}", set.name())
}

/// The templates of claims, by name.
pub(super) fn claim_templates(set: &Object) -> impl Iterator<Item = (&str, &Value)> {
    let templates = spec(set, "volumeClaimTemplates").and_then(Value::as_array).into_iter().flatten();
    templates.map(|template| (text(template.pointer("/metadata/name")), template))
}

/// The name of the claim that a pod has of a template.
pub(super) fn claim_name(set: &Object, template: &str, ordinal: i64) -> String {
    format!("{template}-{}-{ordinal}", set.name())
}

pub(super) fn is_created(pod: &Object) -> bool {
    !pods::phase(pod).is_empty()
}

pub(super) fn is_running_and_ready(pod: &Object) -> bool {
    pods::phase(pod) == "Running" && pods::is_ready(pod)
}

pub(super) fn is_unavailable(pod: &Object, min_ready_seconds: i64, now: SimTime) -> bool {
    pod.is_terminating() || !pods::is_available(pod, min_ready_seconds, now)
}

pub(super) fn pod_revision(pod: &Object) -> &str {
    pod.label(REVISION).unwrap_or("")
}

pub(super) fn identity_matches(set: &Object, pod: &Object) -> bool {
    parent_and_ordinal(pod.name()).is_some_and(|(parent, ordinal)| {
        ordinal >= 0 && parent == set.name() && pod.name() == pod_name(set, ordinal)
    }) && pod.label(POD_NAME) == Some(pod.name())
}

pub(super) fn storage_matches(set: &Object, pod: &Object) -> bool {
    let ordinal = ordinal(pod);
    let volumes = pod.pod_spec().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
    ordinal >= 0
        && claim_templates(set).all(|(name, _)| {
            let volume = volumes.iter().find(|volume| volume.name == name);
            let source = volume.and_then(|volume| volume.persistent_volume_claim.as_ref());
            source.is_some_and(|source| source.claim_name == claim_name(set, name, ordinal))
        })
}

/// The labels that name a pod.
pub(super) fn update_identity(pod: &mut Object) {
    let (name, ordinal) = (pod.name().to_owned(), ordinal(pod));
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.insert(POD_NAME.to_owned(), name);
    labels.insert(POD_INDEX.to_owned(), ordinal.to_string());
}

/// Gives a pod the volumes of its claims, before those that its template has.
pub(super) fn update_storage(set: &Object, pod: &mut Object) {
    let ordinal = ordinal(pod);
    let own = claim_templates(set).map(|(name, _)| Volume {
        name: name.to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: claim_name(set, name, ordinal),
            read_only: None,
        }),
        ..Volume::default()
    });
    let mut volumes: Vec<Volume> = own.collect();
    if volumes.is_empty() {
        return;
    }
    if let Body::Pod { spec, .. } = &mut pod.body {
        let spec = Arc::make_mut(spec);
        let others = spec.volumes.take().unwrap_or_default();
        let is_own = |volume: &Volume| volumes.iter().any(|own| own.name == volume.name);
        let others: Vec<Volume> = others.into_iter().filter(|volume| !is_own(volume)).collect();
        volumes.extend(others);
        spec.volumes = Some(volumes);
    }
}

/// A pod that does not exist yet.
pub(super) fn new_pod(set: &Object, template: &PodTemplate, revision: &str, ordinal: i64) -> Object {
    let mut pod = template.pod(set);
    let name = pod_name(set, ordinal);
    pod.metadata.name = Some(name.clone());
    update_identity(&mut pod);
    if let Body::Pod { spec, .. } = &mut pod.body {
        let spec = Arc::make_mut(spec);
        spec.hostname = Some(name);
        let service = text(super::super::values::spec(set, "serviceName"));
        spec.subdomain = (!service.is_empty()).then(|| service.to_owned());
    }
    update_storage(set, &mut pod);
    pod.metadata.labels.get_or_insert_default().insert(REVISION.to_owned(), revision.to_owned());
    pod
}

/// The claim of a template that a pod has, as it is to be created.
pub(super) fn new_claim(set: &Object, name: &str, template: &Value, ordinal: i64) -> Value {
    let mut claim = template.clone();
    if let Some(fields) = claim.as_object_mut() {
        fields.remove("status");
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        metadata["name"] = claim_name(set, name, ordinal).into();
        metadata["namespace"] = set.namespace().into();
        let selector = spec(set, "selector").and_then(|selector| selector.get("matchLabels")).cloned();
        if let Some(Value::Object(selected)) = selector {
            match metadata.get_mut("labels").and_then(Value::as_object_mut) {
                Some(labels) => labels.extend(selected),
                None => metadata["labels"] = Value::Object(selected),
            }
        }
    }
    claim
}
