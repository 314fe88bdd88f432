//! Static pods: manifests in a directory of the node, and their mirrors in the API.
//!
//! Source: pkg/kubelet/config/file.go, common.go, pkg/kubelet/pod/mirror_client.go (v1.37).

use super::{Kubelets, PodIx, WorkType, pod_worker, status_manager, terminate};
use crate::apiserver::DeleteOptions;
use crate::runtime::Runtime;
use crate::world::Cx;
use podlab_api::{Body, Object, kinds};
use podlab_sim::Draw;
use serde_json::Value;
use std::sync::Arc;

/// Marks a mirror; its value is the static pod's uid.
pub(crate) const MIRROR: &str = "kubernetes.io/config.mirror";

/// Whether a pod of the API only mirrors a static one.
pub(crate) fn is_mirror(pod: &Object) -> bool {
    pod.annotation(MIRROR).is_some()
}

impl Kubelets {
    /// Puts a manifest into a node's directory, or takes it away.
    pub(super) fn set_static_pod(
        &mut self,
        node: &str,
        file: &str,
        manifest: Option<&Value>,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) {
        let Some(index) = self.node_index.get(node).copied() else { return };
        let old = self.nodes.get_mut(index).and_then(|n| Arc::make_mut(n).static_pods.remove(file));
        if let Some(ix) = old {
            self.with_pod(ix, runtime, cx, |env, w| {
                let name = w.pod.name().to_owned();
                let namespace = w.pod.namespace().to_owned();
                w.deleted = true;
                terminate(env, w);
                let options = DeleteOptions { grace_period_seconds: Some(0), ..Default::default() };
                let _ = env.cx.api.delete(&kinds::POD, &namespace, &name, &options);
            });
        }
        let Some(manifest) = manifest else { return };
        // The kubelet fills in defaults by itself: no API server has seen the file.
        let mut defaulted = manifest.clone();
        podlab_api::defaults::apply("v1", "Pod", &mut defaulted);
        let Ok(mut pod) = Object::from_value(defaulted) else { return };
        let hash =
            Draw::keyed(cx.settings.seed, "static-pod", &format!("{node}/{file}/{manifest}"), 0).hex(32);
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

    /// A static pod's mirror has changed: what is asked of the mirror does not reach the pod. One that is deleted is made
    /// anew.
    ///
    /// Source: pkg/kubelet/kubelet.go `tryReconcileMirrorPods` (v1.37).
    pub(super) fn on_mirror_changed(
        &mut self,
        ix: PodIx,
        stored: Option<Arc<Object>>,
        runtime: &mut Runtime,
        cx: &mut Cx<'_>,
    ) {
        let Some(worker) = self.pods.get(&ix) else { return };
        let same = worker.pod.uid().to_owned();
        if let Some(stored) = stored {
            if stored.is_terminating() {
                let options = DeleteOptions { grace_period_seconds: Some(0), ..Default::default() };
                let _ = cx.api.delete(&kinds::POD, stored.namespace(), stored.name(), &options);
            } else if stored.uid() == same {
                self.with_pod(ix, runtime, cx, |_, w| w.set_pod(stored));
            }
            return;
        }
        let mut mirror = (*worker.pod).clone();
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
            w.set_pod(stored);
            w.status_written = false;
            status_manager::write(env, w);
        });
    }
}
