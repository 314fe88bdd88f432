//! Pods as their controllers would have made them, for workloads that were there before the lab began.

use super::daemon_set::aim;
use super::deployment::TEMPLATE_HASH;
use super::history;
use super::pod_control::PodTemplate;
use super::pod_template_hash::compute_hash;
use podlab_api::{Body, Object, kinds};
use std::sync::Arc;

/// What the pods of one DaemonSet or Deployment have in common.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    workload: Arc<Object>,
    template: PodTemplate,
    hash: String,
}

impl Standing {
    /// Reads a stored workload; `None` where its template cannot be read.
    pub(crate) fn of(workload: Arc<Object>) -> Option<Standing> {
        let hash = if *workload.kind == kinds::DAEMON_SET {
            history::hash(&history::patch(&workload), 0)
        } else {
            compute_hash(workload.field("spec")?.get("template")?, None)
        };
        Some(Standing { template: PodTemplate::of(&workload)?, workload, hash })
    }

    /// A pod that runs on `node`. A Deployment's is adopted by its ReplicaSet, which comes later.
    pub(crate) fn pod(&self, node: &str) -> Object {
        let mut pod = self.template.pod(&self.workload);
        if *self.workload.kind == kinds::DAEMON_SET {
            aim(&mut pod, node, &self.workload, &self.hash);
        } else {
            pod.metadata.owner_references = None;
            pod.metadata.generate_name = Some(format!("{}-{}-", self.workload.name(), self.hash));
            let labels = pod.metadata.labels.get_or_insert_default();
            labels.insert(TEMPLATE_HASH.to_owned(), self.hash.clone());
        }
        if let Body::Pod { node_name, .. } = &mut pod.body {
            *node_name = Some(node.into());
        }
        pod
    }
}
