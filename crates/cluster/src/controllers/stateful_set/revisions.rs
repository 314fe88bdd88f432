//! The revisions of a StatefulSet's template.
//!
//! Source: pkg/controller/statefulset/stateful_set_control.go `getStatefulSetRevisions`, `truncateHistory` (v1.37).

use super::super::history::{
    hash, holds, new_revision, patch, renumber, revision, revision_name, sort, template_labels,
};
use super::super::pod_control::PodTemplate;
use super::super::queue::SyncError;
use super::super::values::{int, spec, status, text};
use super::utils::pod_revision;
use crate::apiserver::DeleteOptions;
use crate::world::Cx;
use podlab_api::{Object, kinds};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The label that tells the hash of a revision's patch.
const HASH: &str = "controller.kubernetes.io/hash";

/// The revision that pods have, the one they are to have, and how many collisions of names there were.
pub(super) struct Revisions {
    pub(super) current: Arc<Object>,
    pub(super) update: Arc<Object>,
    pub(super) collisions: i64,
}

/// Finds or makes the revisions of a set.
pub(super) fn find(
    set: &Arc<Object>,
    known: &mut [Arc<Object>],
    cx: &mut Cx<'_>,
) -> Result<Revisions, SyncError> {
    sort(known);
    let mut collisions = int(status(set, "collisionCount")).unwrap_or(0);
    let wanted = patch(set);
    let next = known.last().map_or(1, |latest| revision(latest) + 1);
    let equal = known.iter().rev().find(|known| holds(known, &wanted)).cloned();
    let update = match (equal, known.last()) {
        (Some(_), Some(latest)) if holds(latest, &wanted) => latest.clone(),
        // An earlier template is wanted again: its revision becomes the latest.
        (Some(earlier), _) => renumber(&earlier, next, cx)?,
        (None, _) => loop {
            let label = hash(&wanted, collisions);
            let annotations = set.metadata.annotations.clone();
            let made =
                new_revision(set, (HASH, &label), template_labels(set), annotations, wanted.clone(), next);
            match cx.api.create(made) {
                Ok(created) => break created,
                Err(refused) if refused.reason == "AlreadyExists" => {
                    let name = revision_name(set.name(), &label);
                    let store = cx.api.store();
                    let found = store.get(&kinds::CONTROLLER_REVISION, set.namespace(), &name).cloned();
                    match found {
                        Some(found) if holds(&found, &wanted) => break found,
                        _ => collisions += 1,
                    }
                }
                Err(refused) => return Err(refused.into()),
            }
        },
    };
    let current = text(status(set, "currentRevision"));
    let current = known.iter().find(|known| known.name() == current).cloned();
    Ok(Revisions { current: current.unwrap_or_else(|| update.clone()), update, collisions })
}

/// The template that a revision keeps.
pub(super) fn template(history: &Object) -> Option<PodTemplate> {
    let mut template = history.field("data")?.pointer("/spec/template")?.clone();
    template.as_object_mut()?.remove("$patch");
    PodTemplate::read(&template)
}

/// Deletes the oldest revisions beyond the limit that nothing uses.
pub(super) fn truncate(
    set: &Arc<Object>,
    pods: &[Arc<Object>],
    known: &[Arc<Object>],
    revisions: &Revisions,
    cx: &mut Cx<'_>,
) -> Result<(), SyncError> {
    let mut live: BTreeSet<&str> = pods.iter().map(|pod| pod_revision(pod)).collect();
    live.extend([revisions.current.name(), revisions.update.name()]);
    let unused: Vec<&Arc<Object>> = known.iter().filter(|known| !live.contains(known.name())).collect();
    let limit = int(spec(set, "revisionHistoryLimit")).unwrap_or(10);
    let Ok(limit) = usize::try_from(limit) else { return Ok(()) };
    for history in unused.iter().take(unused.len().saturating_sub(limit)) {
        let options = DeleteOptions::default();
        cx.api.delete(&kinds::CONTROLLER_REVISION, history.namespace(), history.name(), &options)?;
    }
    Ok(())
}
