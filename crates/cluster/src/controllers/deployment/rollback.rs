//! The annotation that asks for an earlier revision, which clients of the oldest API still write.
//!
//! Source: pkg/controller/deployment/rollback.go (v1.37).

use super::super::queue::SyncError;
use super::super::values::{set_spec, spec};
use super::Sync;
use super::util::{self, NOT_COPIED, Sets, TEMPLATE_HASH};
use crate::recorder::EventType;
use podlab_api::Object;
use serde_json::Value;

pub(super) const ROLLBACK_TO: &str = "deprecated.deployment.rollback.to";

/// The revision that is asked for; 0 is the one before the present.
pub(super) fn rollback_to(deployment: &Object) -> Option<i64> {
    deployment.annotation(ROLLBACK_TO)?.parse().ok()
}

impl Sync<'_, '_> {
    pub(super) fn rollback(&mut self, sets: &Sets) -> Result<(), SyncError> {
        let all = self.replicas(sets, true)?.all();
        let mut wanted = rollback_to(&self.deployment).unwrap_or(0);
        if wanted == 0 {
            let mut known: Vec<i64> = all.iter().filter_map(|set| util::revision(set)).collect();
            known.sort_unstable();
            known.pop();
            wanted = known.pop().unwrap_or(0);
            if wanted == 0 {
                let message = "Unable to find last revision.";
                self.event(EventType::Warning, "DeploymentRollbackRevisionNotFound", message);
                return self.clear_rollback();
            }
        }
        let Some(set) = all.iter().find(|set| util::revision(set) == Some(wanted)) else {
            let message = "Unable to find the revision to rollback to.";
            self.event(EventType::Warning, "DeploymentRollbackRevisionNotFound", message);
            return self.clear_rollback();
        };
        let mut template = spec(set, "template").cloned().unwrap_or(Value::Null);
        if util::equal_ignoring_hash(&template, self.template()) {
            let name = self.name();
            let message =
                format!("The rollback revision contains the same template as current deployment {name:?}");
            self.event(EventType::Warning, "DeploymentRollbackTemplateUnchanged", &message);
            return self.clear_rollback();
        }
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.remove(TEMPLATE_HASH);
        }
        set_spec(&mut self.deployment, "template", template);
        let annotations = self.deployment.metadata.annotations.get_or_insert_default();
        annotations.retain(|key, _| NOT_COPIED.contains(&key.as_str()));
        for (key, value) in set.metadata.annotations.iter().flatten() {
            if !NOT_COPIED.contains(&key.as_str()) {
                annotations.insert(key.clone(), value.clone());
            }
        }
        self.clear_rollback()?;
        let message = format!("Rolled back deployment {:?} to revision {wanted}", self.name());
        self.event(EventType::Normal, "DeploymentRollback", &message);
        Ok(())
    }

    fn clear_rollback(&mut self) -> Result<(), SyncError> {
        if let Some(annotations) = &mut self.deployment.metadata.annotations {
            annotations.remove(ROLLBACK_TO);
        }
        self.cx.api.update(self.deployment.clone())?;
        Ok(())
    }
}
