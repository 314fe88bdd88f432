//! ControllerRevisions: what StatefulSets and DaemonSets keep of their earlier templates.
//!
//! Source: pkg/controller/history/controller_history.go (v1.37).

use super::controller_ref::{claim, controller_of};
use super::pod_template_hash::{fnv1, safe_encode};
use super::queue::SyncError;
use super::values::int;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::selector::Selector;
use podlab_api::time::unix_seconds;
use podlab_api::{Body, Kind, Object, ObjectMeta, kinds};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The label that tells revisions, and the pods made from them, apart.
pub(super) const HASH_LABEL: &str = "controller-revision-hash";

/// The number of a revision.
pub(super) fn revision(history: &Object) -> i64 {
    int(history.field("revision")).unwrap_or(0)
}

/// What is kept of a template: a patch that puts it back.
pub(super) fn patch(workload: &Object) -> Value {
    let mut template =
        workload.field("spec").and_then(|spec| spec.get("template")).cloned().unwrap_or_else(|| json!({}));
    if let Some(template) = template.as_object_mut() {
        template.insert("$patch".to_owned(), "replace".into());
    }
    json!({"spec": {"template": template}})
}

/// Whether a revision holds this patch.
pub(super) fn holds(history: &Object, patch: &Value) -> bool {
    history.field("data") == Some(patch)
}

/// The hash of a patch as Go writes it.
///
/// Source: `HashControllerRevision`.
pub(super) fn hash(patch: &Value, collision_count: i64) -> String {
    // Keys are sorted already. Go escapes what a browser could take for a tag, which stands in strings alone.
    let text = patch.to_string();
    let mut bytes = Vec::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                bytes.extend(format!("\\u{:04x}", u32::from(letter)).bytes());
            }
            _ => bytes.extend(letter.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes.extend(collision_count.to_string().bytes());
    safe_encode(&fnv1(&bytes).to_string())
}

/// The name of a revision.
pub(super) fn revision_name(owner: &str, hash: &str) -> String {
    let owner: String = owner.chars().take(223).collect();
    format!("{owner}-{hash}")
}

/// A new revision, to be created. Its label of the hash is what `owner`'s kind looks for.
pub(super) fn new_revision(
    owner: &Object,
    (label, hash): (&str, &str),
    labels: BTreeMap<String, String>,
    annotations: Option<BTreeMap<String, String>>,
    data: Value,
    revision: i64,
) -> Object {
    let mut labels = labels;
    labels.insert(label.to_owned(), hash.to_owned());
    let fields = [("data".to_owned(), data), ("revision".to_owned(), revision.into())];
    Object {
        kind: &kinds::CONTROLLER_REVISION,
        metadata: ObjectMeta {
            name: Some(revision_name(owner.name(), hash)),
            namespace: Some(owner.namespace().to_owned()),
            labels: Some(labels),
            annotations,
            owner_references: Some(vec![super::controller_ref::new_controller_ref(owner)]),
            ..ObjectMeta::default()
        },
        body: Body::Tree(Arc::new(fields.into_iter().collect())),
        managed: None,
    }
}

/// The labels of a workload's template.
pub(super) fn template_labels(workload: &Object) -> BTreeMap<String, String> {
    let labels = workload.field("spec").and_then(|spec| spec.pointer("/template/metadata/labels"));
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    labels.map(|(key, value)| (key.clone(), value.as_str().unwrap_or("").to_owned())).collect()
}

/// All revisions that belong to a workload, oldest first, after adoption and release.
pub(super) fn claim_revisions(
    owner: &Arc<Object>,
    selector: &Selector,
    cx: &mut Cx<'_>,
) -> Result<Vec<Arc<Object>>, SyncError> {
    let all =
        cx.api.store().list_namespace(&kinds::CONTROLLER_REVISION, owner.namespace()).cloned().collect();
    let mut claimed = claim(owner, all, &|history| selector.matches(history), None, cx)?;
    sort(&mut claimed);
    Ok(claimed)
}

/// Oldest first.
pub(super) fn sort(histories: &mut [Arc<Object>]) {
    let created = |history: &Object| history.metadata.creation_timestamp.as_ref().map_or(0, unix_seconds);
    histories.sort_by(|a, b| {
        revision(a)
            .cmp(&revision(b))
            .then_with(|| created(a).cmp(&created(b)))
            .then_with(|| a.name().cmp(b.name()))
    });
}

/// Gives a revision a new number.
pub(super) fn renumber(history: &Arc<Object>, to: i64, cx: &mut Cx<'_>) -> Result<Arc<Object>, SyncError> {
    if revision(history) == to {
        return Ok(history.clone());
    }
    let mut changed = (**history).clone();
    if let Some(fields) = super::values::fields_mut(&mut changed) {
        fields.insert("revision".to_owned(), to.into());
    }
    Ok(cx.api.update(changed)?)
}

/// The workloads of a kind that a change of a revision concerns. A new one that has an owner was made by it.
pub(super) fn concerned(change: &Change, kind: &'static Kind, cx: &Cx<'_>) -> Vec<Key> {
    if change.change == ChangeType::Added && controller_of(&change.object).is_some() {
        return Vec::new();
    }
    super::controller_ref::concerned(change, kind, cx)
}
