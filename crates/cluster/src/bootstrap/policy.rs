//! The roles and bindings of a new cluster: those that the API server brings, and kubeadm's.
//!
//! `policy.json` is what `kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A` of a real 1.37 cluster
//! shows, without what all of them share; the aggregated rules stand in it too.
//!
//! Source: plugin/pkg/auth/authorizer/rbac/bootstrappolicy, cmd/kubeadm/app/phases (v1.37).

use crate::apiserver::ApiServer;
use crate::settings::Settings;
use podlab_api::time::time;
use podlab_api::{Object, kinds};
use podlab_sim::Draw;
use serde_json::{Map, Value, json};
use std::sync::OnceLock;

const GROUP: &str = "rbac.authorization.k8s.io";

/// An object, and whether it is kubeadm's.
struct Entry {
    object: Object,
    kubeadm: bool,
}

/// The objects without uids and times: read once, since every cluster has the same.
fn entries() -> &'static [Entry] {
    static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
    ENTRIES.get_or_init(|| {
        let all: Vec<Map<String, Value>> =
            serde_json::from_str(include_str!("policy.json")).unwrap_or_default();
        all.into_iter().filter_map(entry).collect()
    })
}

fn entry(mut fields: Map<String, Value>) -> Option<Entry> {
    let kind = kinds::by_gvk("rbac.authorization.k8s.io/v1", fields.remove("kind")?.as_str()?)?;
    let kubeadm = fields.remove("by").is_some();
    let mut metadata = json!({"name": fields.remove("name")?});
    let map = metadata.as_object_mut()?;
    if let Some(namespace) = fields.remove("namespace") {
        map.insert("namespace".to_owned(), namespace);
    }
    let labels = fields.remove("labels");
    if !kubeadm {
        map.insert("annotations".to_owned(), json!({"rbac.authorization.kubernetes.io/autoupdate": "true"}));
        let mut all = json!({"kubernetes.io/bootstrapping": "rbac-defaults"});
        if let (Some(all), Some(Value::Object(more))) = (all.as_object_mut(), labels) {
            all.extend(more);
        }
        map.insert("labels".to_owned(), all);
    }
    if let Some(role) = fields.get_mut("roleRef").and_then(Value::as_object_mut) {
        role.insert("apiGroup".to_owned(), GROUP.into());
    }
    for subject in fields.get_mut("subjects").and_then(Value::as_array_mut).into_iter().flatten() {
        let account = subject.get("kind").and_then(Value::as_str) == Some("ServiceAccount");
        if let (false, Some(subject)) = (account, subject.as_object_mut()) {
            subject.insert("apiGroup".to_owned(), GROUP.into());
        }
    }
    fields.insert("metadata".to_owned(), metadata);
    Some(Entry { object: Object::from_fields(kind, fields).ok()?, kubeadm })
}

/// Puts them all into an empty store, as if they had been there before the first change.
pub(crate) fn put(api: &mut ApiServer, settings: &Settings) {
    let now = api.now();
    let all = settings.profile.has_system_pods();
    let mut draw = Draw::keyed(settings.seed, "bootstrap", "policy", 0);
    for entry in entries() {
        // The administrator is kubeadm's, everywhere.
        if entry.kubeadm && !all && entry.object.name() != "kubeadm:cluster-admins" {
            continue;
        }
        let mut object = entry.object.clone();
        object.metadata.uid = Some(draw.uuid());
        object.metadata.creation_timestamp = Some(time(now.as_secs()));
        api.store.restore(object);
    }
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn every_line_is_an_object() {
        assert_eq!(entries().len(), include_str!("policy.json").lines().count() - 2);
        let admin = entries().iter().find(|entry| entry.object.name() == "admin").map(|entry| &entry.object);
        let rules = admin.and_then(|admin| admin.field("rules")).and_then(|rules| rules.as_array());
        assert!(rules.is_some_and(|rules| rules.len() > 20));
    }
}
