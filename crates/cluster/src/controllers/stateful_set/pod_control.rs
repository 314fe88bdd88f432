//! Making, changing and deleting a StatefulSet's pods and their claims, with events.
//!
//! Source: pkg/controller/statefulset/stateful_pod_control.go (v1.37).

use super::super::queue::SyncError;
use super::StatefulSetController;
use super::claims::{self, Retention};
use super::utils::{
    claim_name, claim_templates, identity_matches, new_claim, ordinal, storage_matches, update_identity,
    update_storage,
};
use crate::apiserver::DeleteOptions;
use crate::recorder::{EventType, InvolvedObject};
use crate::world::Cx;
use podlab_api::{Object, Status, kinds};
use std::sync::Arc;

type Done = Result<(), SyncError>;

/// `Create` of `create`.
fn title(verb: &str) -> String {
    let mut letters = verb.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

impl StatefulSetController {
    fn event(&mut self, set: &Arc<Object>, kind: EventType, reason: &str, message: &str, cx: &mut Cx<'_>) {
        self.recorder.event(cx.api, &InvolvedObject::of(set), kind, reason, message);
    }

    /// Tells of what was done to a pod, or why it could not be done.
    fn pod_event(
        &mut self,
        verb: &str,
        set: &Arc<Object>,
        pod: &Object,
        error: Option<&str>,
        cx: &mut Cx<'_>,
    ) {
        let verb = title(verb);
        let what = format!("{verb} Pod {} in StatefulSet {}", pod.name(), set.name());
        match error {
            None => {
                let message = format!("{what} successful");
                self.event(set, EventType::Normal, &format!("Successful{verb}"), &message, cx);
            }
            Some(error) => {
                let message = format!("{what} failed error: {error}");
                self.event(set, EventType::Warning, &format!("Failed{verb}"), &message, cx);
            }
        }
    }

    pub(super) fn create_pod(&mut self, set: &Arc<Object>, pod: &Arc<Object>, cx: &mut Cx<'_>) -> Done {
        if let Err(error) = self.create_claims(set, pod, cx) {
            self.pod_event("create", set, pod, Some(&error), cx);
            return Err(SyncError::AGAIN);
        }
        let created = cx.api.create((**pod).clone());
        if let Err(refused) = &created
            && refused.reason == "AlreadyExists"
        {
            return Err(SyncError::AGAIN);
        }
        self.update_claims(set, pod, cx)?;
        match created {
            Ok(_) => {
                self.pod_event("create", set, pod, None, cx);
                Ok(())
            }
            Err(refused) => {
                self.pod_event("create", set, pod, Some(&refused.message), cx);
                Err(refused.into())
            }
        }
    }

    pub(super) fn delete_pod(&mut self, set: &Arc<Object>, pod: &Object, cx: &mut Cx<'_>) -> Done {
        match cx.api.delete(&kinds::POD, pod.namespace(), pod.name(), &DeleteOptions::default()) {
            Err(refused) if !refused.is_not_found() => {
                self.pod_event("delete", set, pod, Some(&refused.message), cx);
                Err(refused.into())
            }
            _ => {
                self.pod_event("delete", set, pod, None, cx);
                Ok(())
            }
        }
    }

    /// Gives a pod back its names and volumes, where somebody has taken them away.
    pub(super) fn update_pod(&mut self, set: &Arc<Object>, pod: &Arc<Object>, cx: &mut Cx<'_>) -> Done {
        let mut changed = (**pod).clone();
        let mut consistent = true;
        if !identity_matches(set, pod) {
            update_identity(&mut changed);
            consistent = false;
        }
        if !storage_matches(set, pod) {
            update_storage(set, &mut changed);
            consistent = false;
            if let Err(error) = self.create_claims(set, pod, cx) {
                self.pod_event("update", set, pod, Some(&error), cx);
                return Err(SyncError::AGAIN);
            }
        }
        if !self.claims_match(set, pod, cx) {
            self.update_claims(set, pod, cx)?;
            consistent = false;
        }
        if consistent {
            return Ok(());
        }
        match cx.api.update(changed) {
            Ok(_) => {
                self.pod_event("update", set, pod, None, cx);
                Ok(())
            }
            Err(refused) => {
                self.pod_event("update", set, pod, Some(&refused.message), cx);
                Err(refused.into())
            }
        }
    }

    /// Makes the claims of a pod that are missing.
    ///
    /// # Errors
    /// Why one could not be made, in the words of the event.
    pub(super) fn create_claims(
        &mut self,
        set: &Arc<Object>,
        pod: &Object,
        cx: &mut Cx<'_>,
    ) -> Result<(), String> {
        let ordinal = ordinal(pod);
        let mut errors = Vec::new();
        for (template_name, template) in claim_templates(set) {
            let name = claim_name(set, template_name, ordinal);
            match cx.api.store().get(&kinds::PERSISTENT_VOLUME_CLAIM, set.namespace(), &name) {
                Some(claim) if claim.is_terminating() => errors.push(format!("pvc {name} is being deleted")),
                Some(_) => {}
                None => {
                    let claim = new_claim(set, template_name, template, ordinal);
                    let made: Result<Arc<Object>, Status> =
                        cx.api.create_tree(&kinds::PERSISTENT_VOLUME_CLAIM, claim);
                    let what = format!("Pod {} in StatefulSet {}", pod.name(), set.name());
                    match made {
                        Ok(_) => {
                            let message = format!("Create Claim {name} {what} success");
                            self.event(set, EventType::Normal, "SuccessfulCreate", &message, cx);
                        }
                        Err(refused) => {
                            let message =
                                format!("Create Claim {name} for {what} failed error: {}", refused.message);
                            self.event(set, EventType::Warning, "FailedCreate", &message, cx);
                            errors.push(format!("failed to create PVC {name}: {}", refused.message));
                        }
                    }
                }
            }
        }
        match errors.as_slice() {
            [] => Ok(()),
            [one] => Err(one.clone()),
            many => Err(format!("[{}]", many.join(", "))),
        }
    }

    fn claims_of(&self, set: &Object, pod: &Object, cx: &Cx<'_>) -> Vec<Arc<Object>> {
        let ordinal = ordinal(pod);
        let names = claim_templates(set).map(|(name, _)| claim_name(set, name, ordinal));
        let store = cx.api.store();
        names
            .filter_map(|name| store.get(&kinds::PERSISTENT_VOLUME_CLAIM, set.namespace(), &name).cloned())
            .collect()
    }

    pub(super) fn claims_match(&self, set: &Object, pod: &Object, cx: &Cx<'_>) -> bool {
        self.claims_of(set, pod, cx).iter().all(|claim| claims::is_up_to_date(claim, set, pod))
    }

    pub(super) fn update_claims(&mut self, set: &Arc<Object>, pod: &Object, cx: &mut Cx<'_>) -> Done {
        for claim in self.claims_of(set, pod, cx) {
            if claims::has_unexpected_controller(&claim, set, pod) {
                let message = format!(
                    "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, \
                     the retention policy is ignored for this claim",
                    claim.name()
                );
                self.event(set, EventType::Warning, "ConflictingController", &message, cx);
            }
            if !claims::is_up_to_date(&claim, set, pod) {
                let mut changed = (*claim).clone();
                claims::set_owners(&mut changed, set, pod);
                cx.api.update(changed)?;
            }
        }
        Ok(())
    }

    /// Whether a claim still belongs to an earlier pod of this name, and so is going.
    pub(super) fn claim_is_stale(&self, set: &Object, pod: &Object, cx: &Cx<'_>) -> bool {
        Retention::of(set).when_scaled
            && self.claims_of(set, pod, cx).iter().any(|claim| claims::has_stale_owner(claim, pod))
    }
}
