//! Making pods from a template and deleting them, with the events that tell of it.
//!
//! Source: pkg/controller/controller_utils.go `RealPodControl` (v1.37).

use super::controller_ref::new_controller_ref;
use super::queue::is_namespace_terminating;
use crate::apiserver::DeleteOptions;
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::world::Cx;
use podlab_api::{Body, Object, ObjectMeta, Status, kinds};
use serde_json::{Value, json};
use std::sync::Arc;

/// The longest name that may be put before a pod's suffix.
const MAX_PREFIX: usize = 253;

/// A pod template, read once for all the pods that a sync makes.
#[derive(Clone, Debug)]
pub(super) struct PodTemplate {
    meta: ObjectMeta,
    body: Body,
}

impl PodTemplate {
    /// Reads `spec.template` of a workload, with the defaults that a pod gets.
    pub(super) fn of(workload: &Object) -> Option<PodTemplate> {
        PodTemplate::read(workload.field("spec")?.get("template")?)
    }

    pub(super) fn read(template: &Value) -> Option<PodTemplate> {
        let mut pod = json!({"metadata": template.get("metadata").cloned().unwrap_or(json!({})),
            "spec": template.get("spec").cloned().unwrap_or(json!({}))});
        podlab_api::defaults::apply("v1", "Pod", &mut pod);
        let Value::Object(fields) = pod else { return None };
        let object = Object::from_fields(&kinds::POD, fields).ok()?;
        let body = object.body;
        let meta = ObjectMeta {
            labels: object.metadata.labels,
            annotations: object.metadata.annotations,
            finalizers: object.metadata.finalizers,
            ..ObjectMeta::default()
        };
        Some(PodTemplate { meta, body })
    }

    /// A pod of this template that belongs to `owner`, its name yet to be drawn.
    pub(super) fn pod(&self, owner: &Object) -> Object {
        let mut prefix = format!("{}-", owner.name());
        if prefix.len() > MAX_PREFIX {
            owner.name().clone_into(&mut prefix);
        }
        let mut metadata = self.meta.clone();
        metadata.generate_name = Some(prefix);
        metadata.namespace = Some(owner.namespace().to_owned());
        metadata.owner_references = Some(vec![new_controller_ref(owner)]);
        Object { kind: &kinds::POD, metadata, body: self.body.clone(), managed: None }
    }
}

/// Creates a pod, and tells of it in an event of its owner.
///
/// # Errors
/// What the API server answers; there is an event of that as well, unless the namespace is going.
pub(super) fn create_pod(
    pod: Object,
    owner: &Arc<Object>,
    recorder: &mut EventRecorder,
    cx: &mut Cx<'_>,
) -> Result<Arc<Object>, Status> {
    if pod.metadata.labels.as_ref().is_none_or(|labels| labels.is_empty()) {
        return Err(Status::internal_error("unable to create pods, no labels"));
    }
    let about = InvolvedObject::of(owner);
    match cx.api.create(pod) {
        Ok(pod) => {
            let message = format!("Created pod: {}", pod.name());
            recorder.event(cx.api, &about, EventType::Normal, "SuccessfulCreate", &message);
            Ok(pod)
        }
        Err(status) => {
            if !is_namespace_terminating(&status) {
                let message = format!("Error creating: {}", status.message);
                recorder.event(cx.api, &about, EventType::Warning, "FailedCreate", &message);
            }
            Err(status)
        }
    }
}

/// Deletes a pod, and tells of it in an event of its owner.
///
/// # Errors
/// What the API server answers, in the words of the real controllers.
pub(super) fn delete_pod(
    name: &str,
    owner: &Arc<Object>,
    recorder: &mut EventRecorder,
    cx: &mut Cx<'_>,
) -> Result<(), Status> {
    let about = InvolvedObject::of(owner);
    match cx.api.delete(&kinds::POD, owner.namespace(), name, &DeleteOptions::default()) {
        Ok(_) => {
            let message = format!("Deleted pod: {name}");
            recorder.event(cx.api, &about, EventType::Normal, "SuccessfulDelete", &message);
            Ok(())
        }
        Err(status) if status.is_not_found() => Err(status),
        Err(mut status) => {
            let message = format!("Error deleting: {}", status.message);
            recorder.event(cx.api, &about, EventType::Warning, "FailedDelete", &message);
            status.message = format!("unable to delete pods: {}", status.message);
            Err(status)
        }
    }
}

/// Calls `act` up to `count` times in batches of 1, 2, 4, …; after a batch in which one failed no further one
/// begins. Gives how many went well, and the first failure.
///
/// Source: pkg/controller/replicaset/replica_set.go `slowStartBatch`.
pub(super) fn slow_start_batch(
    count: usize,
    mut act: impl FnMut(usize) -> Result<(), Status>,
) -> (usize, Option<Status>) {
    let (mut done, mut successes, mut size) = (0, 0, 1);
    while done < count {
        let batch = size.min(count - done);
        let mut failure = None;
        for at in done..done + batch {
            match act(at) {
                Ok(()) => successes += 1,
                Err(status) => {
                    failure.get_or_insert(status);
                }
            }
        }
        if failure.is_some() {
            return (successes, failure);
        }
        done += batch;
        size *= 2;
    }
    (successes, None)
}
