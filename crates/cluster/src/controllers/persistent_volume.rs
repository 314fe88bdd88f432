//! persistentvolume-binder-controller: binds claims to volumes, and says what becomes of a volume whose claim is gone.
//!
//! There are no drivers here, so no volume is made or emptied; a claim that wants one waits and is told for what.
//!
//! Source: pkg/controller/volume/persistentvolume/pv_controller.go, index.go,
//! pkg/volume/util/... `FindMatchingVolume` (v1.37).

mod matching;

use super::ControllerEvent;
use super::local_path_provisioner::PROVISIONED_BY;
use super::pods::{claims, node_name};
use super::queue::{Outcome, WorkQueue};
use super::values::{fields_mut, spec, status, text};
use crate::apiserver::DeleteOptions;
use crate::apiserver::registry::UpdateError;
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::store::{Change, Key};
use crate::world::Cx;
use matching::{class_of, find_best_match, is_bound_to};
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};
use podlab_sim::SimDuration;
use serde_json::{Value, json};
use std::sync::Arc;

/// The controller's name.
pub(super) const NAME: &str = "persistentvolume-binder-controller";

const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// On a claim: who is to make a volume for it.
pub(super) const STORAGE_PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
const BETA_STORAGE_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
pub(super) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// How often a claim that has no volume is looked at again.
///
/// Source: pkg/controller/apis/config/v1alpha1 `PVClaimBinderSyncPeriod`.
const SYNC_PERIOD: SimDuration = SimDuration::from_secs(15);

#[derive(Clone, Debug)]
pub(super) struct PersistentVolumeController {
    claims: WorkQueue,
    volumes: WorkQueue,
    recorder: EventRecorder,
}

impl Default for PersistentVolumeController {
    fn default() -> PersistentVolumeController {
        PersistentVolumeController {
            claims: WorkQueue::new("claims", ControllerEvent::Claim),
            volumes: WorkQueue::new("volumes", ControllerEvent::Volume),
            recorder: EventRecorder::new("persistentvolume-controller", ""),
        }
    }
}

fn is_unbound(claim: &Object) -> bool {
    claim.annotation(BIND_COMPLETED).is_none() && !claim.is_terminating()
}

impl PersistentVolumeController {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        let gone = change.change == ChangeType::Deleted;
        if *object.kind == kinds::PERSISTENT_VOLUME_CLAIM {
            if !gone {
                self.claims.add(Key::of(object), cx);
            } else {
                self.claims.forget(&Key::of(object), cx);
            }
            let volume = text(spec(object, "volumeName"));
            if !volume.is_empty() {
                self.volumes.add(Key::new("", volume), cx);
            }
        } else if *object.kind == kinds::PERSISTENT_VOLUME {
            if !gone {
                self.volumes.add(Key::of(object), cx);
            } else {
                self.volumes.forget(&Key::of(object), cx);
            }
            let claims = cx.api.store().list(&kinds::PERSISTENT_VOLUME_CLAIM);
            let waiting: Vec<Key> = claims
                .filter(|claim| is_unbound(claim) || text(spec(claim, "volumeName")) == object.name())
                .map(|claim| Key::of(claim))
                .collect();
            for key in waiting {
                self.claims.add(key, cx);
            }
        } else if *object.kind == kinds::STORAGE_CLASS && !gone {
            let claims = cx.api.store().list(&kinds::PERSISTENT_VOLUME_CLAIM);
            let waiting: Vec<Key> = claims
                .filter(|claim| is_unbound(claim) && class_of(claim) == object.name())
                .map(|claim| Key::of(claim))
                .collect();
            for key in waiting {
                self.claims.add(key, cx);
            }
        }
    }

    pub(super) fn sync_claim(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.claims.take(key, cx);
        let found = cx.api.store().get_key(&kinds::PERSISTENT_VOLUME_CLAIM, key).cloned();
        let outcome = match found {
            Some(claim) if claim.annotation(BIND_COMPLETED).is_some() => self.bound_claim(&claim, cx),
            Some(claim) if is_unbound(&claim) => self.unbound_claim(&claim, cx),
            _ => Ok(None),
        };
        self.claims.done(key, &outcome, cx);
    }

    pub(super) fn sync_volume(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.volumes.take(key, cx);
        let found = cx.api.store().get_key(&kinds::PERSISTENT_VOLUME, key).cloned();
        let outcome = match found {
            Some(volume) => self.volume(&volume, cx),
            None => Ok(None),
        };
        self.volumes.done(key, &outcome, cx);
    }

    fn event(&mut self, about: &Arc<Object>, kind: EventType, reason: &str, message: &str, cx: &mut Cx<'_>) {
        self.recorder.event(cx.api, &InvolvedObject::of(about), kind, reason, message);
    }

    /// A claim that has lost its volume says so.
    fn bound_claim(&mut self, claim: &Arc<Object>, cx: &mut Cx<'_>) -> Outcome {
        let name = text(spec(claim, "volumeName"));
        let volume = cx.api.store().get(&kinds::PERSISTENT_VOLUME, "", name).cloned();
        if let Some(volume) = volume {
            if is_bound_to(&volume, claim) && text(status(claim, "phase")) != "Bound" {
                return bind(&volume, claim, cx);
            }
            return Ok(None);
        }
        if text(status(claim, "phase")) != "Lost" && !claim.is_terminating() {
            set_phase(claim, "Lost", cx)?;
            let message = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
            self.event(claim, EventType::Warning, "ClaimLost", message, cx);
        }
        Ok(None)
    }

    fn unbound_claim(&mut self, claim: &Arc<Object>, cx: &mut Cx<'_>) -> Outcome {
        let again = Ok(Some(cx.now() + SYNC_PERIOD));
        let wanted = text(spec(claim, "volumeName"));
        if !wanted.is_empty() {
            let volume = cx.api.store().get(&kinds::PERSISTENT_VOLUME, "", wanted).cloned();
            let Some(volume) = volume else { return again };
            let free = spec(&volume, "claimRef").is_none_or(Value::is_null);
            if free || is_bound_to(&volume, claim) {
                return bind(&volume, claim, cx);
            }
            let message = format!("volume {wanted:?} already bound to a different claim.");
            self.event(claim, EventType::Warning, "FailedBinding", &message, cx);
            return again;
        }
        let class_name = class_of(claim).to_owned();
        let class = cx.api.store().get(&kinds::STORAGE_CLASS, "", &class_name).cloned();
        let mode = class.as_ref().and_then(|class| class.field("volumeBindingMode")).and_then(Value::as_str);
        let delayed = mode == Some("WaitForFirstConsumer") && claim.annotation(SELECTED_NODE).is_none();
        let volumes = cx.api.store().list(&kinds::PERSISTENT_VOLUME);
        if let Some(volume) = find_best_match(volumes, claim, delayed) {
            return bind(&volume, claim, cx);
        }
        let (kind, reason, message) = match class {
            Some(_) if delayed => match waiting_pod(claim, cx) {
                Some(pod) => (
                    EventType::Normal,
                    "WaitForPodScheduled",
                    format!("waiting for pod {pod} to be scheduled"),
                ),
                None => (
                    EventType::Normal,
                    "WaitForFirstConsumer",
                    "waiting for first consumer to be created before binding".to_owned(),
                ),
            },
            Some(class) => {
                let provisioner = class.field("provisioner").and_then(Value::as_str).unwrap_or_default();
                if provisioner.starts_with("kubernetes.io/") {
                    let message = format!("no volume plugin matched name: {provisioner}");
                    (EventType::Warning, "ProvisioningFailed", message)
                } else {
                    set_provisioner(claim, provisioner, cx)?;
                    let message = format!(
                        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or \
                         manually by the system administrator. If volume creation is delayed, please verify that the \
                         provisioner is running and correctly registered."
                    );
                    (EventType::Normal, "ExternalProvisioning", message)
                }
            }
            None if class_name.is_empty() => (
                EventType::Normal,
                "FailedBinding",
                "no persistent volumes available for this claim and no storage class is set".to_owned(),
            ),
            None => (
                EventType::Warning,
                "ProvisioningFailed",
                format!("storageclass.storage.k8s.io {class_name:?} not found"),
            ),
        };
        self.event(claim, kind, reason, &message, cx);
        again
    }

    fn volume(&mut self, volume: &Arc<Object>, cx: &mut Cx<'_>) -> Outcome {
        let reference = spec(volume, "claimRef").filter(|reference| reference.is_object());
        let uid = reference.map_or("", |reference| text(reference.get("uid")));
        let phase = text(status(volume, "phase"));
        if uid.is_empty() {
            return if phase == "Available" { Ok(None) } else { set_phase(volume, "Available", cx) };
        }
        let field = |name: &str| reference.map_or("", |reference| text(reference.get(name)));
        let claim =
            cx.api.store().get(&kinds::PERSISTENT_VOLUME_CLAIM, field("namespace"), field("name")).cloned();
        if let Some(claim) = claim.filter(|claim| claim.uid() == uid) {
            if text(spec(&claim, "volumeName")) == volume.name() {
                return if phase == "Bound" { Ok(None) } else { set_phase(volume, "Bound", cx) };
            }
            self.claims.add(Key::of(&claim), cx);
            return Ok(None);
        }
        if matches!(phase, "Released" | "Failed") || volume.is_terminating() {
            return Ok(None);
        }
        set_phase(volume, "Released", cx)?;
        if text(spec(volume, "persistentVolumeReclaimPolicy")) != "Delete" {
            return Ok(None);
        }
        // Who made it takes it away.
        if volume.annotation(PROVISIONED_BY).is_some_and(|by| !by.starts_with("kubernetes.io/")) {
            return Ok(None);
        }
        let path = spec(volume, "hostPath").map(|host| text(host.get("path")).to_owned());
        let why = match path {
            Some(path) if path.starts_with("/tmp/") => {
                let _ =
                    cx.api.delete(&kinds::PERSISTENT_VOLUME, "", volume.name(), &DeleteOptions::default());
                return Ok(None);
            }
            Some(path) => format!("host_path deleter only supports /tmp/.+ but received provided {path}"),
            None => format!(
                "error getting deleter volume plugin for volume {:?}: no deletable volume plugin matched",
                volume.name()
            ),
        };
        set_phase(volume, "Failed", cx)?;
        self.event(volume, EventType::Warning, "VolumeFailedDelete", &why, cx);
        Ok(None)
    }
}

/// Source: pv_controller.go `setClaimProvisioner`.
fn set_provisioner(
    claim: &Object,
    provisioner: &str,
    cx: &mut Cx<'_>,
) -> Result<(), super::queue::SyncError> {
    if claim.annotation(STORAGE_PROVISIONER) == Some(provisioner) {
        return Ok(());
    }
    let claims = &kinds::PERSISTENT_VOLUME_CLAIM;
    modified(cx.api.modify(claims, claim.namespace(), claim.name(), None, |object| {
        let annotations = object.metadata.annotations.get_or_insert_default();
        for key in [BETA_STORAGE_PROVISIONER, STORAGE_PROVISIONER] {
            annotations.insert(key.to_owned(), provisioner.to_owned());
        }
    }))
}

/// A pod without a node that uses a claim.
fn waiting_pod(claim: &Object, cx: &Cx<'_>) -> Option<String> {
    let mut pods = cx.api.store().list_namespace(&kinds::POD, claim.namespace());
    let uses = |pod: &&Arc<Object>| node_name(pod).is_empty() && claims(pod).any(|name| name == claim.name());
    pods.find(uses).map(|pod| pod.name().to_owned())
}

fn modified(result: Result<Arc<Object>, UpdateError>) -> Result<(), super::queue::SyncError> {
    match result {
        Err(UpdateError::Refused(status)) => Err((*status).into()),
        _ => Ok(()),
    }
}

fn set_phase(object: &Object, phase: &str, cx: &mut Cx<'_>) -> Outcome {
    let now = super::values::timestamp(cx.now());
    let result = cx.api.modify(object.kind, object.namespace(), object.name(), Some("status"), |object| {
        let volume = *object.kind == kinds::PERSISTENT_VOLUME;
        let status = fields_mut(object).map(|fields| fields.entry("status").or_insert_with(|| json!({})));
        if let Some(status) = status.and_then(Value::as_object_mut) {
            status.insert("phase".to_owned(), phase.into());
            if volume {
                status.insert("lastPhaseTransitionTime".to_owned(), now);
            }
        }
    });
    modified(result).map(|()| None)
}

fn annotate(object: &mut Object, key: &str) {
    object.metadata.annotations.get_or_insert_default().insert(key.to_owned(), "yes".to_owned());
}

/// Binds the two to each other, in four writes: the volume, its status, the claim, its status.
fn bind(volume: &Object, claim: &Object, cx: &mut Cx<'_>) -> Outcome {
    let reference = json!({"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": claim.namespace(),
        "name": claim.name(), "uid": claim.uid(), "resourceVersion": claim.metadata.resource_version});
    if !is_bound_to(volume, claim) || text(spec(volume, "claimRef").and_then(|r| r.get("uid"))).is_empty() {
        let preset = spec(volume, "claimRef").is_some_and(Value::is_object);
        modified(cx.api.modify(&kinds::PERSISTENT_VOLUME, "", volume.name(), None, |object| {
            if !preset {
                annotate(object, BOUND_BY_CONTROLLER);
            }
            super::values::set_spec(object, "claimRef", reference);
        }))?;
    }
    if text(status(volume, "phase")) != "Bound" {
        set_phase(volume, "Bound", cx)?;
    }
    let claims = &kinds::PERSISTENT_VOLUME_CLAIM;
    let chosen = text(spec(claim, "volumeName")).is_empty();
    if chosen || claim.annotation(BIND_COMPLETED).is_none() {
        modified(cx.api.modify(claims, claim.namespace(), claim.name(), None, |object| {
            if chosen {
                annotate(object, BOUND_BY_CONTROLLER);
                super::values::set_spec(object, "volumeName", volume.name().into());
            }
            annotate(object, BIND_COMPLETED);
        }))?;
    }
    let of_volume = |field: &str| spec(volume, field).cloned().unwrap_or_default();
    let (modes, capacity) = (of_volume("accessModes"), of_volume("capacity"));
    modified(cx.api.modify(claims, claim.namespace(), claim.name(), Some("status"), |object| {
        let status = fields_mut(object).map(|fields| fields.entry("status").or_insert_with(|| json!({})));
        if let Some(status) = status.and_then(Value::as_object_mut) {
            status.insert("phase".to_owned(), "Bound".into());
            status.insert("accessModes".to_owned(), modes);
            status.insert("capacity".to_owned(), capacity);
        }
    }))?;
    Ok(None)
}
