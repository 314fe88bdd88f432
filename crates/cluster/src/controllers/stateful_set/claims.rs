//! What becomes of a pod's claims: made with it, and deleted with it or its set where the policy says so.
//!
//! Source: pkg/controller/statefulset/stateful_set_utils.go and stateful_pod_control.go (v1.37).

use super::super::controller_ref::new_controller_ref;
use super::super::values::{spec, text};
use super::utils::{in_range, ordinal};
use podlab_api::{Object, OwnerReference};

/// Whether claims go with the set, and with a pod that is scaled away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Retention {
    pub(super) when_deleted: bool,
    pub(super) when_scaled: bool,
}

impl Retention {
    pub(super) fn of(set: &Object) -> Retention {
        let policy = spec(set, "persistentVolumeClaimRetentionPolicy");
        let deletes = |field: &str| text(policy.and_then(|policy| policy.get(field))) == "Delete";
        Retention { when_deleted: deletes("whenDeleted"), when_scaled: deletes("whenScaled") }
    }

    fn retains_all(self) -> bool {
        !self.when_deleted && !self.when_scaled
    }
}

fn owners(claim: &Object) -> impl Iterator<Item = &OwnerReference> {
    claim.metadata.owner_references.iter().flatten()
}

fn names(reference: &OwnerReference, object: &Object) -> bool {
    reference.api_version == object.kind.api_version()
        && reference.kind == object.kind.kind
        && reference.name == object.name()
}

fn has_owner(claim: &Object, owner: &Object) -> bool {
    owners(claim).any(|reference| reference.uid == owner.uid())
}

/// Whether a claim belongs to an earlier object of the same name.
pub(super) fn has_stale_owner(claim: &Object, owner: &Object) -> bool {
    owners(claim).find(|reference| names(reference, owner)).is_some_and(|found| found.uid != owner.uid())
}

/// Whether something else controls the claim.
pub(super) fn has_unexpected_controller(claim: &Object, set: &Object, pod: &Object) -> bool {
    if Retention::of(set).retains_all() {
        return false;
    }
    owners(claim).any(|reference| {
        if names(reference, set) {
            reference.uid != set.uid()
        } else if names(reference, pod) {
            reference.uid != pod.uid()
        } else {
            reference.controller == Some(true)
        }
    })
}

/// Whether the owners of a claim are those that the policy asks for.
pub(super) fn is_up_to_date(claim: &Object, set: &Object, pod: &Object) -> bool {
    if has_stale_owner(claim, set) || has_stale_owner(claim, pod) {
        // The claim will go with its owner, and is made anew then.
        return true;
    }
    let (by_set, by_pod) = (has_owner(claim, set), has_owner(claim, pod));
    if has_unexpected_controller(claim, set, pod) {
        return !(by_set || by_pod);
    }
    let mut ours = owners(claim).filter(|r| r.uid == set.uid() || r.uid == pod.uid());
    if ours.any(|reference| reference.controller != Some(true)) {
        return false;
    }
    (by_set, by_pod) == wanted(set, pod)
}

/// Whether set and pod should own the pod's claims.
fn wanted(set: &Object, pod: &Object) -> (bool, bool) {
    let policy = Retention::of(set);
    let scaled_away = policy.when_scaled && !(in_range(pod, set) && ordinal(pod) >= 0);
    (policy.when_deleted && !scaled_away, scaled_away)
}

/// Gives a claim the owners that the policy asks for.
pub(super) fn set_owners(claim: &mut Object, set: &Object, pod: &Object) {
    let unexpected = has_unexpected_controller(claim, set, pod);
    let mut references = claim.metadata.owner_references.take().unwrap_or_default();
    references.retain(|reference| !names(reference, set) && !names(reference, pod));
    if !unexpected {
        let (by_set, by_pod) = wanted(set, pod);
        references.extend(by_pod.then(|| new_controller_ref(pod)));
        references.extend(by_set.then(|| new_controller_ref(set)));
    }
    claim.metadata.owner_references = (!references.is_empty()).then_some(references);
}
