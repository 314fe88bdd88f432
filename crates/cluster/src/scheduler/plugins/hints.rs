//! What the queueing hints of several plugins ask of an event.

use super::volume_binding::claims_of;
use crate::scheduler::framework::{EventObjects, PodInfo};
use k8s_openapi::api::core::v1::PodSpec;
use podlab_api::Object;

/// Whether a node that `blocks` the pod no longer does so, or a new one does not.
pub(super) fn node_no_longer(objects: EventObjects<'_>, blocks: impl Fn(&Object) -> bool) -> bool {
    objects.old.is_none_or(&blocks) && objects.new.is_some_and(|new| !blocks(new))
}

/// Whether a pod that changed or went held what the pod waits for; true where nothing is known of it.
pub(super) fn pod_held(objects: EventObjects<'_>, held: impl Fn(&Object, &PodSpec) -> bool) -> bool {
    let Some(old) = objects.old else { return true };
    old.pod_spec().is_none_or(|spec| held(old, spec))
}

/// Whether the claim that came or changed is one of the pod's.
pub(super) fn is_claim_of(claim: &Object, pod: &PodInfo) -> bool {
    claim.namespace() == &*pod.key.namespace && claims_of(pod).iter().any(|(name, _)| name == claim.name())
}
