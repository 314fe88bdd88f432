//! Which ReplicaSet is the Deployment's newest; making it, and keeping revisions.
//!
//! Source: pkg/controller/deployment/sync.go `getNewReplicaSet` (v1.37).

use super::super::controller_ref::{is_controlled_by, new_controller_ref};
use super::super::pod_template_hash::compute_hash;
use super::super::queue::{SyncError, is_namespace_terminating};
use super::super::values::{fields_mut, int, set_spec, spec, status};
use super::Sync;
use super::util::{
    self, DESIRED_REPLICAS, MAX_REPLICAS, NOT_COPIED, REVISION, REVISION_HISTORY, Sets, TEMPLATE_HASH,
};
use crate::recorder::EventType;
use podlab_api::{Object, kinds};
use serde_json::{Value, json};
use std::sync::Arc;

/// How long the list of a ReplicaSet's earlier revisions may grow, in characters.
const MAX_REVISION_HISTORY: usize = 2000;

/// The newest ReplicaSet, if there is one, and all others, oldest first.
pub(super) struct Replicas {
    pub(super) newest: Option<Arc<Object>>,
    pub(super) old: Sets,
}

impl Replicas {
    /// All of them; the newest comes last.
    pub(super) fn all(&self) -> Sets {
        self.old.iter().chain(&self.newest).cloned().collect()
    }
}

impl Sync<'_, '_> {
    /// Finds the newest ReplicaSet, or makes it if `create`, and brings revisions up to date.
    pub(super) fn replicas(&mut self, sets: &Sets, create: bool) -> Result<Replicas, SyncError> {
        let same = |set: &&Arc<Object>| {
            spec(set, "template").is_some_and(|template| util::equal_ignoring_hash(template, self.template()))
        };
        let newest = sets.iter().find(same).cloned();
        let is_newest = |set: &Object| newest.as_ref().is_some_and(|newest| newest.uid() == set.uid());
        let old: Sets = sets.iter().filter(|set| !is_newest(set)).cloned().collect();
        let revision = old.iter().filter_map(|set| util::revision(set)).max().unwrap_or(0).max(0) + 1;
        let newest = match newest {
            Some(set) => Some(self.found(&set, revision)?),
            None if create => self.make(&old, revision)?,
            None => None,
        };
        Ok(Replicas { newest, old })
    }

    /// Brings annotations of the newest ReplicaSet up to date, and the Deployment's with them.
    fn found(&mut self, set: &Arc<Object>, revision: i64) -> Result<Arc<Object>, SyncError> {
        let mut changed = (**set).clone();
        let annotated = self.annotate(&mut changed, revision, true);
        let min_ready = |object: &Object| int(spec(object, "minReadySeconds")).unwrap_or(0);
        if annotated || min_ready(set) != min_ready(&self.deployment) {
            set_spec(&mut changed, "minReadySeconds", min_ready(&self.deployment).into());
            if min_ready(&self.deployment) == 0
                && let Some(spec) = fields_mut(&mut changed).and_then(|f| f.get_mut("spec")?.as_object_mut())
            {
                spec.remove("minReadySeconds");
            }
            return Ok(self.cx.api.update(changed)?);
        }
        let mut needs_update = self.set_revision(&Self::annotation_text(set, REVISION));
        let mut status = util::status_of(&self.deployment);
        if util::progress_deadline(&self.deployment).is_some()
            && util::condition(&status, "Progressing").is_none()
        {
            let message = format!("Found new replica set {:?}", set.name());
            let now = self.cx.now();
            util::set_condition(
                &mut status,
                util::new_condition("Progressing", "True", "FoundNewReplicaSet", &message, now),
            );
            self.put_status(status);
            needs_update = true;
        }
        if needs_update {
            self.update_status()?;
        }
        Ok(set.clone())
    }

    fn make(&mut self, old: &Sets, revision: i64) -> Result<Option<Arc<Object>>, SyncError> {
        let hash = compute_hash(self.template(), int(status(&self.deployment, "collisionCount")));
        let mut object = self.new_set(&hash);
        let count = self.new_replicas(old, 0);
        set_spec(&mut object, "replicas", count.into());
        self.annotate(&mut object, revision, false);
        let name = object.name().to_owned();
        let (created, existed) = match self.cx.api.create(object) {
            Ok(created) => (created, false),
            Err(refused) if refused.reason == "AlreadyExists" => {
                let namespace = self.deployment.namespace();
                let Some(found) = self.cx.api.store().get(&kinds::REPLICA_SET, namespace, &name).cloned()
                else {
                    return Err(refused.into());
                };
                let alike = spec(&found, "template")
                    .is_some_and(|template| util::equal_ignoring_hash(template, self.template()));
                if !is_controlled_by(&found, self.deployment.uid()) || !alike {
                    let mut status = util::status_of(&self.deployment);
                    let count = int(status.get("collisionCount")).unwrap_or(0) + 1;
                    status.insert("collisionCount".to_owned(), count.into());
                    self.put_status(status);
                    let _ = self.update_status();
                    return Err(refused.into());
                }
                (found, true)
            }
            Err(refused) if is_namespace_terminating(&refused) => return Err(refused.into()),
            Err(refused) => {
                let message = format!("Failed to create new replica set {name:?}: {}", refused.message);
                if util::progress_deadline(&self.deployment).is_some() {
                    self.progressing("False", "ReplicaSetCreateError", &message);
                    let _ = self.update_status();
                }
                self.event(EventType::Warning, "ReplicaSetCreateError", &message);
                return Err(refused.into());
            }
        };
        if !existed && count > 0 {
            let message = format!("Scaled up replica set {name} from 0 to {count}");
            self.event(EventType::Normal, "ScalingReplicaSet", &message);
        }
        let mut needs_update = self.set_revision(&revision.to_string());
        if !existed && util::progress_deadline(&self.deployment).is_some() {
            self.progressing("True", "NewReplicaSetCreated", &format!("Created new replica set {name:?}"));
            needs_update = true;
        }
        if needs_update {
            self.update_status()?;
        }
        Ok(Some(created))
    }

    /// A ReplicaSet of the present template.
    fn new_set(&self, hash: &str) -> Object {
        let mut template = self.template().clone();
        let labels = template
            .as_object_mut()
            .map(|template| template.entry("metadata").or_insert_with(|| json!({})))
            .and_then(Value::as_object_mut)
            .map(|metadata| metadata.entry("labels").or_insert_with(|| json!({})))
            .and_then(Value::as_object_mut);
        let labels = labels.map(|labels| {
            labels.insert(TEMPLATE_HASH.to_owned(), hash.into());
            let pairs =
                labels.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap_or("").to_owned()));
            pairs.collect()
        });
        let mut selector = spec(&self.deployment, "selector").cloned().unwrap_or_else(|| json!({}));
        if let Some(selector) = selector.as_object_mut() {
            let labels = selector.entry("matchLabels").or_insert_with(|| json!({}));
            if let Some(labels) = labels.as_object_mut() {
                labels.insert(TEMPLATE_HASH.to_owned(), hash.into());
            }
        }
        let mut fields = json!({"replicas": 0, "selector": selector, "template": template});
        if let (Some(fields), Some(min_ready @ 1..)) =
            (fields.as_object_mut(), int(spec(&self.deployment, "minReadySeconds")))
        {
            fields.insert("minReadySeconds".to_owned(), min_ready.into());
        }
        // Source: `generateReplicaSetName`: the whole fits a DNS subdomain.
        let room = 253usize.saturating_sub(hash.len() + 1);
        let base: String = self.name().chars().take(room).collect();
        Object {
            kind: &kinds::REPLICA_SET,
            metadata: podlab_api::ObjectMeta {
                name: Some(format!("{base}-{hash}")),
                namespace: Some(self.deployment.namespace().to_owned()),
                labels,
                owner_references: Some(vec![new_controller_ref(&self.deployment)]),
                ..Default::default()
            },
            body: podlab_api::Body::Tree(Arc::new([("spec".to_owned(), fields)].into_iter().collect())),
            managed: None,
        }
    }

    /// How many replicas the newest ReplicaSet should have, of which it has `present`.
    ///
    /// Source: `NewRSNewReplicas`.
    pub(super) fn new_replicas(&self, all: &[Arc<Object>], present: i64) -> i64 {
        let wanted = util::replicas(&self.deployment);
        if self.strategy_text() != "RollingUpdate" {
            return wanted;
        }
        // Not through the fence posts: a surge of 0 stays 0 either way.
        let most = wanted + util::fenceposts(&self.deployment).0;
        let count = util::sum(all, util::replicas);
        if count >= most {
            return present;
        }
        present + (most - count).min(wanted - present)
    }

    /// Copies the Deployment's annotations and notes the revision; says whether anything changed.
    ///
    /// Source: `SetNewReplicaSetAnnotations`.
    fn annotate(&self, set: &mut Object, revision: i64, exists: bool) -> bool {
        let mut changed = false;
        let annotations = set.metadata.annotations.get_or_insert_default();
        for (key, value) in self.deployment.metadata.annotations.iter().flatten() {
            if !NOT_COPIED.contains(&key.as_str()) && annotations.get(key) != Some(value) {
                annotations.insert(key.clone(), value.clone());
                changed = true;
            }
        }
        let before = annotations.get(REVISION).cloned();
        let number = match before.as_deref() {
            None | Some("") => 0,
            Some(text) => match text.parse::<i64>() {
                Ok(number) => number,
                Err(_) => return false,
            },
        };
        if number < revision {
            annotations.insert(REVISION.to_owned(), revision.to_string());
            changed = true;
            if let Some(before) = before {
                let history = annotations.get(REVISION_HISTORY).cloned().unwrap_or_default();
                if let Some(history) = longer_history(&history, &before) {
                    annotations.insert(REVISION_HISTORY.to_owned(), history);
                }
            }
        }
        if !exists {
            changed |= self.annotate_replicas(set);
        }
        changed
    }

    /// Notes on a ReplicaSet what the Deployment asks for.
    pub(super) fn annotate_replicas(&self, set: &mut Object) -> bool {
        let wanted = util::replicas(&self.deployment);
        let most = wanted + util::max_surge(&self.deployment);
        let annotations = set.metadata.annotations.get_or_insert_default();
        let mut changed = false;
        for (key, number) in [(DESIRED_REPLICAS, wanted), (MAX_REPLICAS, most)] {
            let text = number.to_string();
            changed |= annotations.insert(key.to_owned(), text.clone()) != Some(text);
        }
        changed
    }

    fn set_revision(&mut self, revision: &str) -> bool {
        let annotations = self.deployment.metadata.annotations.get_or_insert_default();
        if annotations.get(REVISION).is_some_and(|known| known == revision) {
            return false;
        }
        annotations.insert(REVISION.to_owned(), revision.to_owned());
        true
    }

    /// Sets the condition Progressing.
    pub(super) fn progressing(&mut self, status: &str, reason: &str, message: &str) {
        let condition = util::new_condition("Progressing", status, reason, message, self.cx.now());
        let mut status = util::status_of(&self.deployment);
        util::set_condition(&mut status, condition);
        self.put_status(status);
    }

    pub(super) fn put_status(&mut self, status: serde_json::Map<String, Value>) {
        if let Some(fields) = fields_mut(&mut self.deployment) {
            fields.insert("status".to_owned(), Value::Object(status));
        }
    }
}

/// The revisions that a ReplicaSet has served, with a further one; the first are dropped where the list grows too
/// long. `None` where even that does not help.
fn longer_history(history: &str, revision: &str) -> Option<String> {
    if history.is_empty() {
        return Some(revision.to_owned());
    }
    let mut known: Vec<&str> = history.split(',').collect();
    let mut length = history.len() + revision.len() + 1;
    while length > MAX_REVISION_HISTORY && !known.is_empty() {
        length -= known.remove(0).len() + 1;
    }
    if length > MAX_REVISION_HISTORY {
        return None;
    }
    known.push(revision);
    Some(known.join(","))
}
