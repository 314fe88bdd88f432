//! Binding the claims of a pod before the pod itself.
//!
//! Source: pkg/scheduler/framework/plugins/volumebinding/binder.go `AssumePodVolumes`, `BindPodVolumes` (v1.37).

use super::framework::{PluginSet, PodInfo};
use super::plugins::volume_binding::{Binding, claim_of, claims_of};
use super::schedule_one::Failure;
use super::scheduling_queue::QueuedPodInfo;
use super::{Scheduler, SchedulerEvent, write_status};
use crate::store::Key;
use crate::world::Cx;
use podlab_api::{Body, Object, kinds};
use podlab_sim::Slot;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// A pod that has a node and waits for volumes to be made there.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    queued: QueuedPodInfo,
    node: Arc<str>,
    timeout: Slot,
}

fn annotate(object: &mut Object, key: &str, value: &str) {
    object.metadata.annotations.get_or_insert_default().insert(key.to_owned(), value.to_owned());
}

fn part<'a>(object: &'a mut Object, name: &str) -> Option<&'a mut Map<String, Value>> {
    let Body::Tree(map) = &mut object.body else { return None };
    Arc::make_mut(map).entry(name).or_insert_with(|| json!({})).as_object_mut()
}

/// Binds a volume to a claim: the scheduler's part, and that of the persistent volume controller, which would
/// do the rest at once.
fn bind_claim(namespace: &str, binding: &Binding, cx: &mut Cx<'_>) {
    let Some(claim) = claim_of(cx.api.store(), namespace, &binding.claim).cloned() else { return };
    let Some(volume) = cx.api.store().get(&kinds::PERSISTENT_VOLUME, "", &binding.volume).cloned() else {
        return;
    };
    let of_volume = |field: &str| volume.field("spec").and_then(|s| s.get(field)).cloned();
    let (modes, capacity) = (of_volume("accessModes"), of_volume("capacity"));
    let reference = json!({"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": namespace,
        "name": binding.claim, "uid": claim.uid(), "resourceVersion": claim.metadata.resource_version});
    // Whoever deletes the objects meanwhile has the last word.
    let _ = cx.api.modify(&kinds::PERSISTENT_VOLUME, "", &binding.volume, None, |object| {
        annotate(object, BOUND_BY_CONTROLLER, "yes");
        if let Some(spec) = part(object, "spec") {
            spec.insert("claimRef".to_owned(), reference);
        }
    });
    let _ = cx.api.modify(&kinds::PERSISTENT_VOLUME, "", &binding.volume, Some("status"), |object| {
        if let Some(status) = part(object, "status") {
            status.insert("phase".to_owned(), "Bound".into());
        }
    });
    let claims = &kinds::PERSISTENT_VOLUME_CLAIM;
    let _ = cx.api.modify(claims, namespace, &binding.claim, None, |object| {
        annotate(object, BIND_COMPLETED, "yes");
        annotate(object, BOUND_BY_CONTROLLER, "yes");
        if let Some(spec) = part(object, "spec") {
            spec.insert("volumeName".to_owned(), binding.volume.as_str().into());
        }
    });
    let _ = cx.api.modify(claims, namespace, &binding.claim, Some("status"), |object| {
        if let Some(status) = part(object, "status") {
            status.insert("phase".to_owned(), "Bound".into());
            status.insert("accessModes".to_owned(), modes.unwrap_or_default());
            status.insert("capacity".to_owned(), capacity.unwrap_or_default());
        }
    });
}

fn all_bound(pod: &PodInfo, cx: &Cx<'_>) -> bool {
    claims_of(pod).iter().all(|(name, _)| {
        claim_of(cx.api.store(), &pod.key.namespace, name)
            .is_some_and(|claim| claim.annotation(BIND_COMPLETED).is_some())
    })
}

impl Scheduler {
    /// Binds what can be bound at once; says whether the pod may be bound now. If not it is taken over, to wait
    /// for the volumes of the claims in `provisions`.
    pub(super) fn pre_bind_volumes(
        &mut self,
        queued: &QueuedPodInfo,
        node: &Arc<str>,
        bindings: &[Binding],
        provisions: &[String],
        bind_timeout: Duration,
        cx: &mut Cx<'_>,
    ) -> bool {
        let pod = &queued.pod;
        let namespace = pod.key.namespace.clone();
        for binding in bindings {
            bind_claim(&namespace, binding, cx);
        }
        if provisions.is_empty() {
            return true;
        }
        for claim in provisions {
            let claims = &kinds::PERSISTENT_VOLUME_CLAIM;
            let _ = cx.api.modify(claims, &namespace, claim, None, |object| {
                annotate(object, SELECTED_NODE, node);
            });
        }
        write_status(&pod.key, None, Some(&**node), cx);
        let mut assumed = (*pod.object).clone();
        if let Body::Pod { node_name, .. } = &mut assumed.body {
            *node_name = Some((**node).into());
        }
        if let Some(assumed) = pod.updated(Arc::new(assumed)) {
            self.cache.set_pod(Arc::new(assumed));
        }
        let event = crate::Event::Scheduler(SchedulerEvent::VolumeBindingTimeout(pod.key.clone()));
        let timeout = cx.after(bind_timeout, event);
        let waiting = Waiting { queued: queued.clone(), node: node.clone(), timeout };
        self.waiting.insert(pod.uid().to_owned(), waiting);
        false
    }

    /// Whether a pod has a node and waits for volumes.
    pub(super) fn is_waiting(&self, uid: &str) -> bool {
        self.waiting.contains_key(uid)
    }

    /// A pod waits no more, because it is gone or bound; gives the place on its node back.
    pub(super) fn forget_waiting(&mut self, uid: &str, cx: &mut Cx<'_>) -> bool {
        let Some(waiting) = self.waiting.remove(uid) else { return false };
        cx.agenda.cancel(waiting.timeout);
        self.cache.remove_pod(uid);
        true
    }

    /// Binds the pods whose volumes are there.
    pub(super) fn look_at_waiting_bindings(&mut self, cx: &mut Cx<'_>) {
        let ready: Vec<Waiting> =
            self.waiting.values().filter(|w| all_bound(&w.queued.pod, cx)).cloned().collect();
        for waiting in ready {
            self.forget_waiting(waiting.queued.pod.uid(), cx);
            self.bind(waiting.queued, &waiting.node, cx);
        }
    }

    /// The volumes did not come in time: the pod is scheduled anew.
    pub(super) fn volume_binding_timed_out(&mut self, key: &Key, cx: &mut Cx<'_>) {
        let found = self.waiting.values().find(|w| *w.queued.pod.key == *key).cloned();
        let Some(waiting) = found else { return };
        self.forget_waiting(waiting.queued.pod.uid(), cx);
        let failure = Failure {
            message: "running PreBind plugin \"VolumeBinding\": binding volumes: context deadline exceeded"
                .to_owned(),
            plugins: PluginSet::default(),
            rejected: false,
            preemption: None,
            clears_nomination: true,
        };
        self.handle_scheduling_failure(waiting.queued, failure, cx);
    }
}
