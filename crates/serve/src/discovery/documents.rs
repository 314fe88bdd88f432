//! The documents of discovery: a group at a time, or all at once.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/discovery, k8s.io/apimachinery/pkg/apis/meta/v1/types.go (v1.37).

use super::resources::{Served, Subresource};
use base64::Engine;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// `/api`: the versions of the core group.
pub(crate) fn api_versions(address: &str) -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]})
}

/// The groups but the core one, with their versions, in order.
fn versions(served: &[Served]) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for one in served {
        match found.last_mut().filter(|(group, _)| *group == one.group) {
            Some((_, versions)) if versions.contains(&one.version.as_str()) => {}
            Some((_, versions)) => versions.push(&one.version),
            None => found.push((&one.group, vec![&one.version])),
        }
    }
    found
}

fn group_body(name: &str, versions: &[&str]) -> Map<String, Value> {
    let version = |version: &str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let mut body = Map::new();
    body.insert("name".to_owned(), name.into());
    body.insert("versions".to_owned(), versions.iter().map(|v| version(v)).collect());
    body.insert("preferredVersion".to_owned(), versions.first().map_or(Value::Null, |v| version(v)));
    body
}

/// `/apis`: the other groups.
pub(crate) fn groups(served: &[Served]) -> Value {
    let groups: Vec<Value> = versions(served)
        .into_iter()
        .filter(|(group, _)| !group.is_empty())
        .map(|(group, versions)| Value::Object(group_body(group, &versions)))
        .collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`; `None` for a group that is not served.
pub(crate) fn group(served: &[Served], name: &str) -> Option<Value> {
    let (name, versions) = versions(served).into_iter().find(|(group, _)| *group == name)?;
    let mut body = group_body(name, &versions);
    body.insert("kind".to_owned(), "APIGroup".into());
    body.insert("apiVersion".to_owned(), "v1".into());
    Some(Value::Object(body))
}

/// `/api/v1`, `/apis/GROUP/VERSION`; `None` for a version that is not served.
pub(crate) fn resource_list(served: &[Served], group: &str, version: &str) -> Option<Value> {
    let mut resources = Vec::new();
    for one in served.iter().filter(|one| one.group == group && one.version == version) {
        let mut entry = json!({"name": one.plural, "singularName": one.singular, "namespaced": one.namespaced,
            "kind": one.kind, "verbs": one.verbs});
        if !one.short_names.is_empty() {
            entry["shortNames"] = json!(one.short_names);
        }
        if !one.categories.is_empty() {
            entry["categories"] = json!(one.categories);
        }
        if one.stored {
            entry["storageVersionHash"] = storage_version_hash(one).into();
        }
        resources.push(entry);
        for sub in &one.subresources {
            let mut entry = json!({"name": format!("{}/{}", one.plural, sub.name), "singularName": "",
                "namespaced": one.namespaced, "kind": sub.kind, "verbs": sub.verbs});
            if let Some((group, version)) = sub.group_version {
                entry["group"] = group.into();
                entry["version"] = version.into();
            }
            resources.push(entry);
        }
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    (!resources.is_empty()).then(|| {
        let mut list =
            json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": resources});
        if !group.is_empty() {
            list["apiVersion"] = "v1".into();
        }
        list
    })
}

/// Source: k8s.io/apiserver/pkg/endpoints/discovery/storageversionhash.go (v1.37).
fn storage_version_hash(one: &Served) -> String {
    let (group, version) = one.kept_as.unwrap_or((&one.group, &one.version));
    let text = format!("{group}/{version}/{}", one.kind);
    let digest = Sha256::digest(text.as_bytes());
    base64::engine::general_purpose::STANDARD.encode(digest.get(..8).unwrap_or_default())
}

/// Discovery of the core group, or of all others, in one document.
pub(crate) fn aggregated(served: &[Served], core: bool) -> Value {
    let mut items = Vec::new();
    for (group, versions) in versions(served).into_iter().filter(|(group, _)| group.is_empty() == core) {
        let of_version = |version: &&str| {
            let resources: Vec<Value> = served
                .iter()
                .filter(|one| one.group == group && one.version == **version)
                .map(aggregated_resource)
                .collect();
            json!({"version": version, "resources": resources, "freshness": "Current"})
        };
        let metadata = if core { json!({}) } else { json!({"name": group}) };
        items.push(
            json!({"metadata": metadata, "versions": versions.iter().map(of_version).collect::<Vec<_>>()}),
        );
    }
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn response_kind(group_version: Option<(&str, &str)>, kind: &str) -> Value {
    let (group, version) = group_version.unwrap_or_default();
    json!({"group": group, "version": version, "kind": kind})
}

fn aggregated_resource(one: &Served) -> Value {
    let mut entry = json!({"resource": one.plural, "responseKind": response_kind(None, &one.kind),
        "scope": if one.namespaced { "Namespaced" } else { "Cluster" }, "singularResource": one.singular,
        "verbs": one.verbs});
    if !one.short_names.is_empty() {
        entry["shortNames"] = json!(one.short_names);
    }
    if !one.categories.is_empty() {
        entry["categories"] = json!(one.categories);
    }
    if !one.subresources.is_empty() {
        let subresource = |sub: &Subresource| {
            json!({"subresource": sub.name, "responseKind": response_kind(sub.group_version, &sub.kind),
                "verbs": sub.verbs})
        };
        entry["subresources"] = one.subresources.iter().map(subresource).collect();
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::super::served;
    use super::{aggregated, group, groups, resource_list};

    #[test]
    fn groups_stand_in_the_real_servers_order() {
        let all = groups(&served());
        let names: Vec<_> =
            all["groups"].as_array().unwrap().iter().map(|g| g["name"].as_str().unwrap()).collect();
        assert_eq!(names[..2], ["apiregistration.k8s.io", "apps"]);
        assert_eq!(names.last(), Some(&"metrics.k8s.io"));
        assert_eq!(group(&served(), "apps").unwrap()["preferredVersion"]["groupVersion"], "apps/v1");
        assert!(group(&served(), "nothing").is_none());
    }

    #[test]
    fn resources_have_their_subresources_and_hashes() {
        let list = resource_list(&served(), "", "v1").unwrap();
        let entry = |name: &str| {
            list["resources"].as_array().unwrap().iter().find(|r| r["name"] == name).cloned().unwrap()
        };
        assert_eq!(entry("configmaps")["storageVersionHash"], "qFsyl6wFWjQ=");
        assert_eq!(entry("pods/eviction")["group"], "policy");
        assert_eq!(entry("services/proxy")["kind"], "ServiceProxyOptions");
        assert_eq!(entry("namespaces")["verbs"].as_array().unwrap().len(), 7);
        let core = aggregated(&served(), true);
        assert_eq!(core["items"].as_array().unwrap().len(), 1);
    }
}
