//! The revisions of a DaemonSet's template.
//!
//! Source: pkg/controller/daemon/update.go `constructHistory`, `cleanupHistory`, `snapshot` (v1.37).

use super::super::history::{
    HASH_LABEL, claim_revisions, holds, new_revision, patch, renumber, revision, sort, template_labels,
};
use super::super::pod_template_hash::compute_hash;
use super::super::queue::SyncError;
use super::super::values::{int, set_status, spec, status};
use super::DaemonSetController;
use crate::apiserver::DeleteOptions;
use crate::world::Cx;
use podlab_api::selector::Selector;
use podlab_api::{Object, kinds};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

type Revisions = Vec<Arc<Object>>;

impl DaemonSetController {
    /// The revision of the present template, made if there is none, and all others.
    pub(super) fn construct_history(
        &self,
        set: &Arc<Object>,
        selector: &Selector,
        cx: &mut Cx<'_>,
    ) -> Result<(Arc<Object>, Revisions), SyncError> {
        let wanted = patch(set);
        let (mut current, mut old) = (Revisions::new(), Revisions::new());
        for mut history in claim_revisions(set, selector, cx)? {
            if history.label(HASH_LABEL).is_none() {
                let mut changed = (*history).clone();
                let name = changed.name().to_owned();
                changed.metadata.labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), name);
                history = cx.api.update(changed)?;
            }
            if holds(&history, &wanted) { current.push(history) } else { old.push(history) }
        }
        let number = old.iter().map(|history| revision(history)).max().unwrap_or(0).max(0) + 1;
        if current.is_empty() {
            return Ok((self.snapshot(set, wanted, number, cx)?, old));
        }
        let kept = self.keep_one(set, &current, cx)?;
        if revision(&kept) < number {
            renumber(&kept, number, cx)?;
        }
        Ok((kept, old))
    }

    fn snapshot(
        &self,
        set: &Arc<Object>,
        wanted: Value,
        number: i64,
        cx: &mut Cx<'_>,
    ) -> Result<Arc<Object>, SyncError> {
        let template = spec(set, "template").unwrap_or(&Value::Null);
        let hash = compute_hash(template, int(status(set, "collisionCount")));
        let annotations = set.metadata.annotations.clone();
        let mut history =
            new_revision(set, (HASH_LABEL, &hash), template_labels(set), annotations, wanted.clone(), number);
        let name = format!("{}-{hash}", set.name());
        history.metadata.name = Some(name.clone());
        match cx.api.create(history) {
            Ok(created) => Ok(created),
            Err(refused) if refused.reason == "AlreadyExists" => {
                let found = cx.api.store().get(&kinds::CONTROLLER_REVISION, set.namespace(), &name).cloned();
                if let Some(found) = found.filter(|found| holds(found, &wanted)) {
                    return Ok(found);
                }
                let mut status = set.field("status").cloned().unwrap_or_else(|| json!({}));
                if let Some(status) = status.as_object_mut() {
                    let count = int(status.get("collisionCount")).unwrap_or(0) + 1;
                    status.insert("collisionCount".to_owned(), count.into());
                }
                set_status(set, status, cx)?;
                Err(refused.into())
            }
            Err(refused) => Err(refused.into()),
        }
    }

    /// Of several revisions with one template, the latest stays, and the pods are relabelled.
    fn keep_one(
        &self,
        set: &Arc<Object>,
        current: &Revisions,
        cx: &mut Cx<'_>,
    ) -> Result<Arc<Object>, SyncError> {
        let mut sorted = current.clone();
        sort(&mut sorted);
        let Some(kept) = sorted.pop() else { return Err(SyncError::AGAIN) };
        if sorted.is_empty() {
            return Ok(kept);
        }
        let hash = kept.label(HASH_LABEL).unwrap_or("").to_owned();
        for pod in self.claimed(set, cx)? {
            if pod.label(HASH_LABEL) != Some(&hash) {
                let _ = cx.api.modify(&kinds::POD, pod.namespace(), pod.name(), None, |pod| {
                    pod.metadata.labels.get_or_insert_default().insert(HASH_LABEL.to_owned(), hash.clone());
                });
            }
        }
        for history in &sorted {
            delete(history, cx)?;
        }
        Ok(kept)
    }

    /// Deletes the oldest revisions beyond the limit of which no pod is left.
    pub(super) fn cleanup_history(
        &self,
        set: &Arc<Object>,
        old: &[Arc<Object>],
        cx: &mut Cx<'_>,
    ) -> Result<(), SyncError> {
        let limit = int(spec(set, "revisionHistoryLimit")).unwrap_or(10);
        let mut excess = old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        if excess == 0 {
            return Ok(());
        }
        let on_node = self.pods_by_node(set, true, cx)?;
        let live: BTreeSet<&str> =
            on_node.values().flatten().filter_map(|pod| pod.label(HASH_LABEL)).collect();
        let mut old = old.to_vec();
        sort(&mut old);
        for history in &old {
            if excess == 0 {
                break;
            }
            if history.label(HASH_LABEL).is_some_and(|hash| live.contains(hash)) {
                continue;
            }
            delete(history, cx)?;
            excess -= 1;
        }
        Ok(())
    }
}

fn delete(history: &Object, cx: &mut Cx<'_>) -> Result<(), SyncError> {
    let options = DeleteOptions::default();
    cx.api.delete(&kinds::CONTROLLER_REVISION, history.namespace(), history.name(), &options)?;
    Ok(())
}
