//! Static pods: manifests in a directory of the node, and their mirrors in the API.
//!
//! Source: pkg/kubelet/config/file.go, common.go, pkg/kubelet/pod/mirror_client.go (v1.37).

use super::pod_worker::{self, Env, PodWorker};
use super::{KubeletEvent, Kubelets, PodIx, WorkType, status_manager, terminate};
use crate::apiserver::DeleteOptions;
use crate::latency;
use crate::runtime::Runtime;
use crate::world::Cx;
use podlab_api::{Body, Object, kinds};
use podlab_sim::{Draw, SimTime};
use serde_json::Value;
use std::sync::Arc;

/// Marks a mirror; its value is the static pod's uid.
pub(crate) const MIRROR: &str = "kubernetes.io/config.mirror";

/// Whether a pod of the API only mirrors a static one.
pub(crate) fn is_mirror(pod: &Object) -> bool {
    pod.annotation(MIRROR).is_some()
}

/// What has become of a static pod's mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mirror {
    /// It is there.
    Present,
    /// Somebody has asked for its end: the next sync makes another one.
    Terminating,
    /// It has gone; the sync that this calls for still knows the old one.
    JustGone,
    /// The next sync makes another one.
    Gone,
}

/// Whether the status manager knows nothing more of a static pod, so that its mirror stays as it is.
///
/// Source: pkg/kubelet/kubelet_pods.go `HandlePodCleanups`, `RemoveOrphanedStatuses` (v1.37); one whose file has changed shares
/// its full name, and so its mirror, with the next.
pub(super) fn is_forgotten(env: &Env<'_, '_>, w: &PodWorker) -> bool {
    let replaced = || env.node.waiting_static_pods.values().any(|(_, before)| *before == env.ix);
    w.removed.is_some_and(|at| replaced() || env.cx.now() >= env.node.next_housekeeping(at))
}

/// A sync looks whether the mirror is as it should be.
///
/// Source: pkg/kubelet/kubelet.go `tryReconcileMirrorPods` (v1.37).
pub(super) fn look_at_mirror(env: &mut Env<'_, '_>, w: &mut PodWorker) {
    match w.mirror {
        Mirror::Present => {}
        Mirror::JustGone => w.mirror = Mirror::Gone,
        Mirror::Terminating | Mirror::Gone => {
            env.cx.after(std::time::Duration::ZERO, KubeletEvent::Mirror { pod: env.ix }.into());
        }
    }
}

/// A static pod whose file has gone has ended: the next housekeeping takes its mirror away.
pub(super) fn leave(env: &mut Env<'_, '_>) {
    let at = env.node.next_housekeeping(env.cx.now());
    env.cx.at(at, KubeletEvent::Mirror { pod: env.ix }.into());
}

fn delete_now(cx: &mut Cx<'_>, namespace: &str, name: &str) {
    let options = DeleteOptions { grace_period_seconds: Some(0), ..Default::default() };
    let _ = cx.api.delete(&kinds::POD, namespace, name, &options);
}

impl Kubelets {
    /// Puts a manifest into a node's directory, changes it or takes it away.
    pub(super) fn set_static_pod(
        &mut self,
        node: &str,
        file: &str,
        manifest: Option<&Value>,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) {
        let Some(index) = self.node_index.get(node).copied() else { return };
        let Some(kubelet) = self.nodes.get_mut(index).map(Arc::make_mut) else { return };
        let now = cx.now();
        if kubelet.running {
            self.set_file(index, file, manifest, now, runtime, cx);
        } else {
            kubelet.changed_files.insert(file.to_owned(), (now, manifest.cloned().map(Arc::new)));
        }
    }

    /// A kubelet that runs sees a file that changed at some instant.
    pub(super) fn set_file(
        &mut self,
        index: usize,
        file: &str,
        manifest: Option<&Value>,
        at: SimTime,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) {
        let Some(kubelet) = self.nodes.get_mut(index).map(Arc::make_mut) else { return };
        let node = &*kubelet.name.clone();
        let waiting = kubelet.waiting_static_pods.remove(file);
        let old = kubelet.static_pods.remove(file);
        let before = match (old, waiting) {
            (Some(ix), _) => {
                if let Some(manifest) = manifest
                    && let Some(w) = self.pods.get(&ix)
                    && w.pod.annotation(MIRROR) == Some(&*hash(cx.settings.seed, node, file, manifest))
                {
                    kubelet.static_pods.insert(file.to_owned(), ix);
                    return;
                }
                Some(ix)
            }
            (None, Some((_, before))) => Some(before).filter(|ix| self.pods.contains_key(ix)),
            (None, None) => None,
        };
        let Some(before) = before else {
            if let Some(manifest) = manifest {
                self.start_static_pod(index, file, manifest, runtime, cx);
            }
            return;
        };
        if let (Some(manifest), Some(kubelet)) = (manifest, self.nodes.get_mut(index).map(Arc::make_mut)) {
            // Two pods of one full name don't run side by side: the next one looks every 10 to 15 s whether it may begin.
            kubelet.waiting_static_pods.insert(file.to_owned(), (Arc::new(manifest.clone()), before));
        }
        self.with_pod(before, runtime, cx, |env, w| {
            if w.removed.is_none() {
                w.removed = Some(at);
                terminate(env, w);
            }
        });
        if manifest.is_some() {
            self.wait_for_static_pod(index, file, cx);
        }
    }

    fn wait_for_static_pod(&mut self, index: usize, file: &str, cx: &mut Cx<'_>) {
        let Some(kubelet) = self.nodes.get(index) else { return };
        let now = cx.now();
        let part = cx.draw("static-pod", &format!("{}/{file}", kubelet.name), now.as_nanos() as u64).unit();
        let wait = pod_worker::BACK_OFF_PERIOD + pod_worker::BACK_OFF_PERIOD.mul_f64(part * 0.5);
        let at = kubelet.next_sync_tick(now + wait);
        cx.at(at, KubeletEvent::StaticPod { node: index as u32, file: file.into() }.into());
    }

    /// The pod before may have ended by now.
    ///
    /// Source: pkg/kubelet/pod_workers.go `allowPodStart`, `allowStaticPodStart` (v1.37).
    pub(super) fn start_waiting_static_pod(
        &mut self,
        index: usize,
        file: &str,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) {
        let Some(kubelet) = self.nodes.get_mut(index).map(Arc::make_mut) else { return };
        let Some((manifest, before)) = kubelet.waiting_static_pods.get(file).cloned() else { return };
        if self.pods.get(&before).is_some_and(|w| w.work != WorkType::Finished) {
            return self.wait_for_static_pod(index, file, cx);
        }
        kubelet.waiting_static_pods.remove(file);
        if let Some(worker) = self.pods.get_mut(&before) {
            let w = Arc::make_mut(worker);
            w.deleted = true;
            let (namespace, name) = (w.pod.namespace().to_owned(), w.pod.name().to_owned());
            delete_now(cx, &namespace, &name);
        }
        self.start_static_pod(index, file, &manifest, runtime, cx);
    }

    fn start_static_pod(
        &mut self,
        index: usize,
        file: &str,
        manifest: &Value,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) {
        let Some(node) = self.nodes.get(index).map(|kubelet| kubelet.name.clone()) else { return };
        let node = &*node;
        // The kubelet fills in defaults by itself: no API server has seen the file.
        let mut defaulted = manifest.clone();
        podlab_api::defaults::apply("v1", "Pod", &mut defaulted);
        let Ok(mut pod) = Object::from_value(defaulted) else { return };
        let hash = hash(cx.settings.seed, node, file, manifest);
        let name = format!("{}-{node}", pod.name());
        pod.metadata.name = Some(name);
        if pod.namespace().is_empty() {
            pod.metadata.namespace = Some("default".to_owned());
        }
        let annotations = pod.metadata.annotations.get_or_insert_default();
        annotations.insert("kubernetes.io/config.hash".to_owned(), hash.clone());
        annotations.insert(MIRROR.to_owned(), hash.clone());
        annotations.insert(
            "kubernetes.io/config.seen".to_owned(),
            podlab_api::time::time_nanos(cx.now().as_nanos()).to_string(),
        );
        annotations.insert("kubernetes.io/config.source".to_owned(), "file".to_owned());
        if let Body::Pod { spec, node_name, .. } = &mut pod.body {
            *node_name = Some(node.into());
            let spec = Arc::make_mut(spec);
            spec.tolerations.get_or_insert_default().push(k8s_openapi::api::core::v1::Toleration {
                operator: Some("Exists".to_owned()),
                effect: Some("NoExecute".to_owned()),
                ..Default::default()
            });
        }
        if let Some(owner) = cx.api.store().get(&kinds::NODE, "", node) {
            pod.metadata.owner_references = Some(vec![podlab_api::OwnerReference {
                api_version: "v1".to_owned(),
                kind: "Node".to_owned(),
                name: node.to_owned(),
                uid: owner.uid().to_owned(),
                controller: Some(true),
                block_owner_deletion: None,
            }]);
        }
        let Ok(stored) = cx.api.create(pod) else { return };
        let ix = self.next_pod;
        self.next_pod += 1;
        let requests = super::admission::requests_of(&stored);
        let mut w = pod_worker::PodWorker::new(index, stored, requests);
        w.is_static = true;
        debug_assert_eq!(w.work, WorkType::Sync);
        self.keep_worker(ix, Arc::new(w));
        if let Some(node) = self.nodes.get_mut(index) {
            Arc::make_mut(node).static_pods.insert(file.to_owned(), ix);
        }
        self.with_pod(ix, runtime, cx, pod_worker::update_pod);
    }

    /// A static pod's mirror has changed: what is asked of the mirror does not reach the pod, and only its going is news to
    /// the pod's worker.
    ///
    /// Source: pkg/kubelet/kubelet.go `HandlePodUpdates`, which passes over pods without allocated resources, as mirrors are, and
    /// `HandlePodRemoves` (v1.37).
    pub(super) fn on_mirror_changed(
        &mut self,
        ix: PodIx,
        uid: &str,
        stored: Option<Arc<Object>>,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) {
        self.with_pod(ix, runtime, cx, |env, w| {
            if w.pod.uid() != uid || w.removed.is_some() {
                return;
            }
            match stored {
                Some(stored) if stored.is_terminating() => w.mirror = Mirror::Terminating,
                Some(stored) => w.set_pod(stored),
                None => {
                    w.mirror = Mirror::JustGone;
                    w.quiet = None;
                    pod_worker::update_pod(env, w);
                }
            }
            w.quiet = None;
        });
    }

    /// Takes the mirror of a pod away that has ended, or makes another one in its place.
    pub(super) fn reconcile_mirror(&mut self, ix: PodIx, runtime: &mut Runtime, cx: &mut Cx<'_>) {
        let Some(worker) = self.pods.get_mut(&ix) else { return };
        let w = Arc::make_mut(worker);
        let (namespace, name) = (w.pod.namespace().to_owned(), w.pod.name().to_owned());
        if w.removed.is_some() {
            let kubelet = self.nodes.get(w.node);
            let is_replaced =
                kubelet.is_some_and(|n| n.waiting_static_pods.values().any(|(_, before)| *before == ix));
            if w.work != WorkType::Finished || w.deleted || is_replaced {
                return;
            }
            w.deleted = true;
            let (node, uid) = (w.node, w.uid.clone());
            delete_now(cx, &namespace, &name);
            let key = (namespace.as_str().into(), name.as_str().into());
            cx.after(latency::WATCH, KubeletEvent::PodChanged { node: node as u32, key, uid }.into());
            return;
        }
        if w.mirror == Mirror::Terminating {
            delete_now(cx, &namespace, &name);
        }
        w.mirror = Mirror::Gone;
        let mut mirror = (*w.pod).clone();
        mirror.metadata.uid = None;
        mirror.metadata.resource_version = None;
        mirror.metadata.creation_timestamp = None;
        mirror.metadata.deletion_timestamp = None;
        mirror.metadata.deletion_grace_period_seconds = None;
        if let Body::Pod { status, .. } = &mut mirror.body {
            *status = Arc::default();
        }
        let Ok(stored) = cx.api.create(mirror) else { return };
        // Its worker goes by both uids: what the runtime tells names the first.
        self.by_uid.insert(stored.uid().into(), ix);
        self.with_pod(ix, runtime, cx, |env, w| {
            w.mirror = Mirror::Present;
            w.set_pod(stored);
            w.status_written = false;
            status_manager::write(env, w);
        });
    }
}

/// What a static pod is known by: made of its file and the node.
fn hash(seed: u64, node: &str, file: &str, manifest: &Value) -> String {
    Draw::keyed(seed, "static-pod", &format!("{node}/{file}/{manifest}"), 0).hex(32)
}
