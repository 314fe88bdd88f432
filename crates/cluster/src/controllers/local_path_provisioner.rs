//! The provisioner behind the lab's default StorageClass: a directory on the node that the first pod was put on.
//!
//! It stands outside of Kubernetes, as in kind and k3s: it answers claims that the persistent volume controller has handed
//! to `rancher.io/local-path`, and takes released volumes away.
//!
//! Source: github.com/rancher/local-path-provisioner provisioner.go; sig-storage-lib-external-provisioner controller.go.

use super::ControllerEvent;
use super::persistent_volume::{SELECTED_NODE, STORAGE_PROVISIONER};
use super::queue::{Outcome, WorkQueue};
use super::values::{spec, status, text};
use crate::apiserver::DeleteOptions;
use crate::recorder::{EventRecorder, EventType, InvolvedObject};
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};
use podlab_sim::{SimDuration, SimTime};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The provisioner's name in StorageClasses.
pub(crate) const PROVISIONER: &str = "rancher.io/local-path";
/// Where its directories lie on a node.
const DIRECTORY: &str = "/var/local-path-provisioner";
/// On a volume: who made it, and for which node.
pub(super) const PROVISIONED_BY: &str = "pv.kubernetes.io/provisioned-by";
const FOR_NODE: &str = "local.path.provisioner/selected-node";
/// A helper pod makes or removes the directory.
const HELPER: SimDuration = SimDuration::from_secs(3);

#[derive(Clone, Debug)]
pub(super) struct LocalPathProvisioner {
    claims: WorkQueue,
    volumes: WorkQueue,
    /// When what has begun will be done.
    ready_at: BTreeMap<Key, SimTime>,
    recorder: EventRecorder,
}

impl Default for LocalPathProvisioner {
    fn default() -> LocalPathProvisioner {
        LocalPathProvisioner {
            claims: WorkQueue::new("provision", ControllerEvent::ProvisionLocalPath),
            volumes: WorkQueue::new("delete", ControllerEvent::DeleteLocalPath),
            ready_at: BTreeMap::new(),
            recorder: EventRecorder::new(PROVISIONER, ""),
        }
    }
}

fn is_asked_for(claim: &Object) -> bool {
    !claim.is_terminating()
        && claim.annotation(STORAGE_PROVISIONER) == Some(PROVISIONER)
        && text(spec(claim, "volumeName")).is_empty()
}

fn is_to_go(volume: &Object) -> bool {
    volume.annotation(PROVISIONED_BY) == Some(PROVISIONER)
        && text(spec(volume, "persistentVolumeReclaimPolicy")) == "Delete"
        && text(status(volume, "phase")) == "Released"
}

impl LocalPathProvisioner {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        if !cx.settings.profile.has_system_pods() || change.change == ChangeType::Deleted {
            return;
        }
        if *object.kind == kinds::PERSISTENT_VOLUME_CLAIM && is_asked_for(object) {
            self.claims.add(Key::of(object), cx);
        } else if *object.kind == kinds::PERSISTENT_VOLUME && is_to_go(object) {
            self.volumes.add(Key::of(object), cx);
        }
    }

    pub(super) fn sync_claim(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.claims.take(key, cx);
        let claim = cx.api.store().get_key(&kinds::PERSISTENT_VOLUME_CLAIM, key).cloned();
        let outcome = match claim.filter(|claim| is_asked_for(claim)) {
            Some(claim) => self.provision(key, &claim, cx),
            None => {
                self.ready_at.remove(key);
                Ok(None)
            }
        };
        self.claims.done(key, &outcome, cx);
    }

    pub(super) fn sync_volume(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.volumes.take(key, cx);
        let volume = cx.api.store().get_key(&kinds::PERSISTENT_VOLUME, key).cloned();
        let outcome: Outcome = match volume.filter(|volume| is_to_go(volume)) {
            Some(volume) => match self.wait(key, cx) {
                Some(at) => Ok(Some(at)),
                None => {
                    let name = volume.name();
                    let _ = cx.api.delete(&kinds::PERSISTENT_VOLUME, "", name, &DeleteOptions::default());
                    Ok(None)
                }
            },
            None => Ok(None),
        };
        self.volumes.done(key, &outcome, cx);
    }

    /// Until when the helper works; `None` once it is done.
    fn wait(&mut self, key: &Key, cx: &Cx<'_>) -> Option<SimTime> {
        let at = *self.ready_at.entry(key.clone()).or_insert(cx.now() + HELPER);
        if at > cx.now() {
            return Some(at);
        }
        self.ready_at.remove(key);
        None
    }

    fn provision(&mut self, key: &Key, claim: &Arc<Object>, cx: &mut Cx<'_>) -> Outcome {
        let about = InvolvedObject::of(claim);
        if !self.ready_at.contains_key(key) {
            let (namespace, name) = (claim.namespace(), claim.name());
            let text =
                format!("External provisioner is provisioning volume for claim \"{namespace}/{name}\"");
            self.recorder.event(cx.api, &about, EventType::Normal, "Provisioning", &text);
        }
        let class_name = text(spec(claim, "storageClassName"));
        let Some(node) = claim.annotation(SELECTED_NODE) else {
            // With immediate binding nobody has said where.
            let text = format!(
                "failed to provision volume with StorageClass {class_name:?}: configuration error, no node was specified"
            );
            self.recorder.event(cx.api, &about, EventType::Warning, "ProvisioningFailed", &text);
            return Ok(None);
        };
        if let Some(at) = self.wait(key, cx) {
            return Ok(Some(at));
        }
        let class = cx.api.store().get(&kinds::STORAGE_CLASS, "", class_name);
        let policy = class.and_then(|class| class.field("reclaimPolicy")).cloned();
        let name = format!("pvc-{}", claim.uid());
        let path = format!("{DIRECTORY}/{name}_{}_{}", claim.namespace(), claim.name());
        let requested = spec(claim, "resources").and_then(|resources| resources.pointer("/requests/storage"));
        let mut volume = json!({"apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {FOR_NODE: node, PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "accessModes": spec(claim, "accessModes"),
            "capacity": {"storage": requested},
            "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": claim.namespace(),
                "name": claim.name(), "uid": claim.uid(), "resourceVersion": claim.metadata.resource_version},
            "hostPath": {"path": path, "type": "DirectoryOrCreate"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
                {"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]}},
            "persistentVolumeReclaimPolicy": policy.unwrap_or_else(|| "Delete".into()),
            "storageClassName": class_name,
            "volumeMode": spec(claim, "volumeMode").cloned().unwrap_or_else(|| Value::from("Filesystem")),
        }});
        podlab_api::defaults::apply("v1", "PersistentVolume", &mut volume);
        let Ok(volume) = Object::from_value(volume) else { return Ok(None) };
        cx.api.create(volume)?;
        let text = format!("Successfully provisioned volume {name}");
        self.recorder.event(cx.api, &about, EventType::Normal, "ProvisioningSucceeded", &text);
        Ok(None)
    }
}
