//! What is particular to pods: graceful deletion and binding.
//!
//! Source: pkg/registry/core/pod/strategy.go `CheckGracefulDelete`, storage/storage.go `BindingREST` (v1.37).

use super::registry::{UpdateError, bump_generation};
use super::{ApiServer, DeleteOptions};
use crate::store::Key;
use k8s_openapi::api::core::v1::{PodCondition, PodStatus};
use podlab_api::time::{time, unix_seconds};
use podlab_api::{Body, Object, Status, kinds};
use std::sync::Arc;

impl ApiServer {
    pub(super) fn delete_pod(
        &mut self,
        old: &Arc<Object>,
        options: &DeleteOptions,
    ) -> Result<Arc<Object>, Status> {
        let key = Key::of(old);
        let not_found = || Status::not_found(&kinds::POD, &key.name);
        let (Some(spec), Some(status)) = (old.pod_spec(), old.pod_status()) else { return Err(not_found()) };
        let wish = spec.termination_grace_period_seconds.unwrap_or(30);
        let mut grace = options.grace_period_seconds.unwrap_or(wish);
        if grace < 0 {
            grace = 1;
        }
        let ended = matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
        if old.node_name().is_none() || ended {
            grace = 0;
        }
        let finalizers = !old.metadata.finalizers.as_deref().unwrap_or(&[]).is_empty();
        let now = self.now.as_secs();
        let mut object = (**old).clone();
        match &old.metadata.deletion_timestamp {
            Some(began) => {
                // A second deletion may shorten the time that is left, never lengthen it.
                let before = old.metadata.deletion_grace_period_seconds.unwrap_or(0);
                if (grace > 0 && (before == 0 || grace >= before)) || (before == 0 && finalizers) {
                    return Ok(old.clone());
                }
                let asked_at = unix_seconds(began) - before;
                object.metadata.deletion_timestamp = Some(time((asked_at + grace).max(now)));
            }
            None => {
                object.metadata.deletion_timestamp = Some(time(now + grace));
                bump_generation(&mut object);
            }
        }
        object.metadata.deletion_grace_period_seconds = Some(grace);
        let stored = self.store.put(object);
        if grace == 0 && !finalizers {
            // Watchers see the deletion marked first, then done.
            return self.finish_delete(&kinds::POD, &key).ok_or_else(not_found);
        }
        Ok(stored)
    }

    /// The pod, if it can be given a node.
    pub(super) fn bindable(&self, namespace: &str, name: &str) -> Result<&Arc<Object>, Status> {
        let Some(old) = self.store.get(&kinds::POD, namespace, name) else {
            return Err(Status::not_found(&kinds::POD, name));
        };
        let Some(spec) = old.pod_spec() else { return Err(Status::not_found(&kinds::POD, name)) };
        if old.is_terminating() {
            let why = format!("pod {name} is being deleted, cannot be assigned to a host");
            return Err(Status::conflict(&kinds::POD, name, &why));
        }
        if let Some(host) = old.node_name() {
            let why = format!("pod {name} is already assigned to node {host:?}");
            return Err(Status::conflict(&kinds::POD, name, &why));
        }
        if !spec.scheduling_gates.as_deref().unwrap_or(&[]).is_empty() {
            let why = format!("pod {name} has non-empty .spec.schedulingGates");
            return Err(Status::conflict(&kinds::POD, name, &why));
        }
        Ok(old)
    }

    /// Writes the scheduler's decision into a pod.
    ///
    /// # Errors
    /// The pod is gone, is being deleted, or is bound already.
    pub fn bind(&mut self, namespace: &str, name: &str, node: &str) -> Result<Arc<Object>, Status> {
        let old = self.bindable(namespace, name)?;
        let mut object = (**old).clone();
        let now = time(self.now.as_secs());
        if let Body::Pod { node_name, status, .. } = &mut object.body {
            *node_name = Some(node.into());
            let status = Arc::make_mut(status);
            let scheduled = PodCondition {
                type_: "PodScheduled".to_owned(),
                status: "True".to_owned(),
                last_transition_time: Some(now),
                ..PodCondition::default()
            };
            let conditions = status.conditions.get_or_insert_with(Vec::new);
            match conditions.iter_mut().find(|c| c.type_ == "PodScheduled") {
                Some(condition) if condition.status == "True" => {}
                Some(condition) => *condition = scheduled,
                None => conditions.push(scheduled),
            }
            status.nominated_node_name = None;
        }
        Ok(self.store.put(object))
    }

    /// Changes a pod's status in place.
    ///
    /// # Errors
    /// The pod is gone, or the API server refuses the change.
    pub fn modify_pod_status(
        &mut self,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut PodStatus),
    ) -> Result<Arc<Object>, UpdateError> {
        let old = self.store.get(&kinds::POD, namespace, name);
        let Some(before) = old.and_then(|pod| pod.pod_status()) else { return Err(UpdateError::NotFound) };
        let mut status = PodStatus::clone(before);
        change(&mut status);
        self.set_pod_status(namespace, name, Arc::new(status))
    }

    /// Replaces a pod's status.
    ///
    /// # Errors
    /// The pod is gone, or the API server refuses the change.
    pub fn set_pod_status(
        &mut self,
        namespace: &str,
        name: &str,
        status: Arc<PodStatus>,
    ) -> Result<Arc<Object>, UpdateError> {
        let old = self.store.get(&kinds::POD, namespace, name).cloned();
        let Some(old) = old else { return Err(UpdateError::NotFound) };
        let Body::Pod { spec, node_name, status: before } = &old.body else {
            return Err(UpdateError::NotFound);
        };
        if old.is_terminating() {
            // A write may be what its deletion waits for.
            return self.modify(&kinds::POD, namespace, name, Some("status"), |object| {
                if let Body::Pod { status: held, .. } = &mut object.body {
                    *held = status;
                }
            });
        }
        // Nothing but the status can differ: what a general update would compare is known to be the same.
        if status == *before {
            return Ok(old.clone());
        }
        let body = Body::Pod { spec: spec.clone(), node_name: node_name.clone(), status };
        let managed = old.managed.clone();
        Ok(self.store.put(Object { kind: old.kind, metadata: old.metadata.clone(), body, managed }))
    }
}
