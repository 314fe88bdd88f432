//! `kubectl create role`, `clusterrole`, `rolebinding`, `clusterrolebinding`.

use super::{finish, name};
use crate::cx::{Cx, Flow};
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::resource;
use podlab_api::kinds;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const VERBS: [&str; 15] = [
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "approve",
    "sign",
    "escalate",
];
const MORE_VERBS: [&str; 1] = ["impersonate"];
const URL_VERBS: [&str; 8] = ["*", "get", "post", "put", "delete", "patch", "head", "options"];

fn unique(list: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in list {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

fn verbs(parsed: &Parsed) -> Vec<String> {
    let all = parsed.list("verb");
    if all.iter().any(|v| v == "*") { vec!["*".to_owned()] } else { unique(all) }
}

fn warn(cx: &mut Cx<'_>, verbs: &[String]) {
    for verb in verbs {
        if !VERBS.contains(&verb.as_str()) && !MORE_VERBS.contains(&verb.as_str()) {
            cx.errln(&format!("Warning: '{verb}' is not a standard resource verb"));
        }
    }
}

/// The group and plural of a resource, which some verbs have of their own.
///
/// Source: k8s.io/kubectl/pkg/cmd/create/create_role.go `validateResource` (v1.37).
fn known(cx: &mut Cx<'_>, word: &str, verbs: &[String]) -> Result<(String, String)> {
    let (name, group) = word.split_once('.').unwrap_or((word, ""));
    let mapping = resource::mapping(cx, word);
    let (group, plural) = match &mapping {
        Ok(kind) => (kind.group, kind.plural),
        Err(_) => (group, name),
    };
    let mut special = false;
    for verb in verbs {
        let own: &[(&str, &str)] = match verb.as_str() {
            "use" => &[("policy", "podsecuritypolicies"), ("extensions", "podsecuritypolicies")],
            "bind" | "escalate" => &[(GROUP, "roles"), (GROUP, "clusterroles")],
            "impersonate" => &[
                ("", "users"),
                ("", "serviceaccounts"),
                ("", "groups"),
                ("authentication.k8s.io", "userextras"),
            ],
            _ => continue,
        };
        if !own.contains(&(group, plural)) {
            return message(format!("can not perform '{verb}' on '{plural}' in group '{group}'"));
        }
        special = true;
    }
    let found = (group.to_owned(), plural.to_owned());
    if special { Ok(found) } else { mapping.map(|_| found) }
}

/// Rules by API group, in order of the groups.
fn rules(cx: &mut Cx<'_>, parsed: &Parsed, verbs: &[String], names: &[String]) -> Result<Vec<Value>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for word in parsed.list("resource") {
        let (main, sub) = match word.split_once('/') {
            Some((main, sub)) => (main, format!("/{sub}")),
            None => (word.as_str(), String::new()),
        };
        let (plain, group) = main.split_once('.').unwrap_or((main, ""));
        if plain.is_empty() {
            return message("resource must be specified if apiGroup/subresource specified");
        }
        let (group, plural) =
            if plain == "*" { (group.to_owned(), plain.to_owned()) } else { known(cx, main, verbs)? };
        groups.entry(group).or_default().push(format!("{plural}{sub}"));
        if word == "*" {
            break;
        }
    }
    Ok(groups
        .into_iter()
        .map(|(group, resources)| {
            let mut rule = json!({"apiGroups": [group], "resources": resources, "verbs": verbs});
            if !names.is_empty() {
                rule["resourceNames"] = names.into();
            }
            rule
        })
        .collect())
}

pub(super) fn role(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let verbs = verbs(parsed);
    if verbs.is_empty() {
        return message("at least one verb must be specified");
    }
    warn(cx, &verbs);
    if parsed.list("resource").is_empty() {
        return message("at least one resource must be specified");
    }
    let rules = rules(cx, parsed, &verbs, &unique(parsed.list("resource-name")))?;
    let object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules});
    finish(cx, parsed, &kinds::ROLE, object, "")
}

pub(super) fn cluster_role(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let verbs = verbs(parsed);
    let urls = parsed.list("non-resource-url");
    let resources = parsed.list("resource");
    let aggregation = parsed.str("aggregation-rule");
    let mut object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name}});
    if !aggregation.is_empty() {
        if !urls.is_empty() || !verbs.is_empty() || !resources.is_empty() || parsed.changed("resource-name") {
            return message(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
            );
        }
        let labels: serde_json::Map<String, Value> = aggregation
            .split(',')
            .filter_map(|p| p.split_once('=').map(|(k, v)| (k.to_owned(), v.into())))
            .collect();
        object["aggregationRule"] = json!({"clusterRoleSelectors": [{"matchLabels": labels}]});
        object["rules"] = Value::Null;
        return finish(cx, parsed, &kinds::CLUSTER_ROLE, object, "");
    }
    if verbs.is_empty() {
        return message("at least one verb must be specified");
    }
    if resources.is_empty() && urls.is_empty() {
        return message("one of resource or nonResourceURL must be specified");
    }
    let mut all = Vec::new();
    if !resources.is_empty() {
        warn(cx, &verbs);
        all = rules(cx, parsed, &verbs, &unique(parsed.list("resource-name")))?;
    }
    if !urls.is_empty() {
        if let Some(verb) = verbs.iter().find(|v| !URL_VERBS.contains(&v.as_str())) {
            return message(format!("invalid verb: '{verb}' for nonResourceURL"));
        }
        for url in urls.iter().filter(|u| *u != "*") {
            if !url.starts_with('/') {
                return message("nonResourceURL should start with /");
            }
            if url.trim_end_matches('*').contains('*') {
                return message("nonResourceURL only supports wildcard matches when '*' is at the end");
            }
        }
        all.push(json!({"nonResourceURLs": urls, "verbs": verbs}));
    }
    object["rules"] = all.into();
    finish(cx, parsed, &kinds::CLUSTER_ROLE, object, "")
}

const GROUP: &str = "rbac.authorization.k8s.io";

fn subjects(parsed: &Parsed) -> Result<Vec<Value>> {
    let mut out: Vec<Value> = Vec::new();
    for user in parsed.list("user") {
        out.push(json!({"apiGroup": GROUP, "kind": "User", "name": user}));
    }
    for group in parsed.list("group") {
        out.push(json!({"apiGroup": GROUP, "kind": "Group", "name": group}));
    }
    for account in parsed.list("serviceaccount") {
        match account.split(':').collect::<Vec<_>>().as_slice() {
            [namespace, name] if !namespace.is_empty() && !name.is_empty() => {
                out.push(json!({"kind": "ServiceAccount", "name": name, "namespace": namespace}));
            }
            _ => return message("serviceaccount must be <namespace>:<name>"),
        }
    }
    Ok(out)
}

pub(super) fn role_binding(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let (cluster_role, role) = (parsed.str("clusterrole"), parsed.str("role"));
    if cluster_role.is_empty() == role.is_empty() {
        return message("exactly one of clusterrole or role must be specified");
    }
    let (kind, target) = if role.is_empty() { ("ClusterRole", cluster_role) } else { ("Role", role) };
    let mut object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": target}});
    let subjects = subjects(parsed)?;
    if !subjects.is_empty() {
        object["subjects"] = subjects.into();
    }
    finish(cx, parsed, &kinds::ROLE_BINDING, object, "failed to create rolebinding: ")
}

pub(super) fn cluster_role_binding(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let mut object = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": parsed.str("clusterrole")}});
    let subjects = subjects(parsed)?;
    if !subjects.is_empty() {
        object["subjects"] = subjects.into();
    }
    finish(cx, parsed, &kinds::CLUSTER_ROLE_BINDING, object, "failed to create clusterrolebinding: ")
}
