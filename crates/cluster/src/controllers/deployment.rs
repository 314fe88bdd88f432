//! deployment-controller: rolls ReplicaSets out, one after the other or in place of each other.
//!
//! Source: pkg/controller/deployment/deployment_controller.go (v1.37).

mod progress;
mod recreate;
mod replica_sets;
mod rollback;
mod rolling;
mod sync;
mod util;

use super::ControllerEvent;
use super::controller_ref::{claim, concerned, controller_key, selector_of};
use super::queue::{Outcome, SyncError, WorkQueue};
use super::replica_set::replica_set_of;
use super::values::{flag, spec, text};
use crate::latency;
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};
use std::sync::Arc;
pub(super) use util::TEMPLATE_HASH;

/// The controller's name.
pub(super) const NAME: &str = "deployment-controller";

/// How often a Deployment that fails is tried again.
///
/// Source: deployment_controller.go `maxRetries`.
const MAX_RETRIES: u32 = 15;

#[derive(Clone, Debug)]
pub(super) struct DeploymentController {
    queue: WorkQueue,
    recorder: EventRecorder,
}

impl Default for DeploymentController {
    fn default() -> DeploymentController {
        DeploymentController {
            queue: WorkQueue::with_latency("deployment", ControllerEvent::Deployment, latency::DEPLOYMENT),
            recorder: EventRecorder::new(NAME, ""),
        }
    }
}

/// One look at one Deployment.
struct Sync<'a, 'b> {
    /// As it was read, and then as this sync has changed it: annotations and status.
    deployment: Object,
    /// What its events are about.
    about: InvolvedObject,
    recorder: &'a mut EventRecorder,
    cx: &'a mut Cx<'b>,
}

impl DeploymentController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        match object.kind {
            kind if *kind == kinds::DEPLOYMENT => {
                if change.change == ChangeType::Deleted {
                    self.queue.forget(&Key::of(object), cx);
                } else {
                    self.queue.add(Key::of(object), cx);
                }
            }
            kind if *kind == kinds::REPLICA_SET => {
                for key in concerned(change, &kinds::DEPLOYMENT, cx) {
                    self.queue.add(key, cx);
                }
            }
            kind if *kind == kinds::POD && change.change == ChangeType::Deleted => {
                // A Deployment that replaces all pods at once waits for the last of them to go.
                let Some(set) = replica_set_of(object, cx) else { return };
                let Some(key) = controller_key(&set, &kinds::DEPLOYMENT, cx) else { return };
                let deployment = cx.api.store().get_key(&kinds::DEPLOYMENT, &key);
                if deployment.is_some_and(|deployment| util::strategy(deployment) == "Recreate") {
                    self.queue.add(key, cx);
                }
            }
            _ => {}
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queue.take(key, cx);
        let mut outcome = match cx.api.store().get_key(&kinds::DEPLOYMENT, key).cloned() {
            Some(deployment) => {
                let about = InvolvedObject::of(&deployment);
                let deployment = (*deployment).clone();
                Sync { deployment, about, recorder: &mut self.recorder, cx: &mut *cx }.run()
            }
            None => Ok(None),
        };
        if outcome.is_err() && self.queue.failures(key) >= MAX_RETRIES {
            outcome = Ok(None);
        }
        self.queue.done(key, &outcome, cx);
    }
}

impl Sync<'_, '_> {
    fn run(&mut self) -> Outcome {
        let Some(selector) = selector_of(&self.deployment) else { return Ok(None) };
        if selector.is_empty() {
            let message = "This deployment is selecting all pods. A non-empty selector is required.";
            self.event(EventType::Warning, "SelectingAll", message);
            return Ok(None);
        }
        let namespace = self.deployment.namespace();
        let all = self.cx.api.store().list_namespace(&kinds::REPLICA_SET, namespace).cloned().collect();
        let owner = Arc::new(self.deployment.clone());
        let sets = claim(&owner, all, &|set| selector.matches(set), None, self.cx)?;
        let sets = util::by_creation(sets);
        if self.deployment.is_terminating() {
            self.sync_status_only(&sets)?;
            return Ok(None);
        }
        self.check_paused_conditions()?;
        if flag(spec(&self.deployment, "paused")) {
            self.sync_scale(&sets)?;
            return Ok(None);
        }
        if rollback::rollback_to(&self.deployment).is_some() {
            self.rollback(&sets)?;
            return Ok(None);
        }
        if self.is_scaling_event(&sets)? {
            self.sync_scale(&sets)?;
            return Ok(None);
        }
        match util::strategy(&self.deployment) {
            "Recreate" => self.rollout_recreate(&sets),
            "RollingUpdate" => self.rollout_rolling(&sets),
            _ => Err(SyncError::AGAIN),
        }
    }

    fn event(&mut self, kind: EventType, reason: &str, message: &str) {
        self.recorder.event(self.cx.api, &self.about, kind, reason, message);
    }

    /// Writes status and annotations over the version that this sync read; a second write in one sync conflicts with
    /// the first, as it does with the real controller, and the Deployment is looked at again.
    fn update_status(&mut self) -> Result<(), SyncError> {
        self.cx.api.update_status(self.deployment.clone())?;
        Ok(())
    }

    fn name(&self) -> &str {
        self.deployment.name()
    }

    /// The word for a Deployment or its newest ReplicaSet in messages of progress.
    fn subject(&self, newest: Option<&Arc<Object>>) -> String {
        match newest {
            Some(set) => format!("ReplicaSet {:?}", set.name()),
            None => format!("Deployment {:?}", self.name()),
        }
    }

    fn annotation_text(object: &Object, key: &str) -> String {
        object.annotation(key).unwrap_or("").to_owned()
    }

    fn template(&self) -> &serde_json::Value {
        spec(&self.deployment, "template").unwrap_or(&serde_json::Value::Null)
    }

    fn strategy_text(&self) -> &str {
        text(spec(&self.deployment, "strategy").and_then(|strategy| strategy.get("type")))
    }
}
