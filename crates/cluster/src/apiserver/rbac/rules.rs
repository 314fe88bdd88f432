//! What one rule of a role allows, and what rules lack against others.
//!
//! Source: pkg/apis/rbac/v1/evaluation_helpers.go, pkg/registry/rbac/validation/policy_compact.go,
//! k8s.io/component-helpers/auth/rbac/validation/policy_comparator.go (v1.37).

use super::Attributes;
use podlab_api::go_text::quote;
use serde_json::Value;
use std::collections::BTreeMap;

/// A `PolicyRule`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule {
    pub verbs: Vec<String>,
    pub groups: Vec<String>,
    pub resources: Vec<String>,
    pub names: Vec<String>,
    pub urls: Vec<String>,
}

/// The texts of a list in a tree.
fn texts(value: &Value, key: &str) -> Vec<String> {
    let list = value.get(key).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn has(all: &[String], one: &str) -> bool {
    all.iter().any(|own| own == one)
}

fn has_all(all: &[String], wanted: &[String]) -> bool {
    wanted.iter().all(|one| has(all, one))
}

impl Rule {
    /// A rule as an object holds it.
    pub(super) fn of(value: &Value) -> Rule {
        Rule {
            verbs: texts(value, "verbs"),
            groups: texts(value, "apiGroups"),
            resources: texts(value, "resources"),
            names: texts(value, "resourceNames"),
            urls: texts(value, "nonResourceURLs"),
        }
    }

    /// The rules of a Role or ClusterRole.
    pub(super) fn all_of(role: &podlab_api::Object) -> Vec<Rule> {
        let rules = role.field("rules").and_then(Value::as_array);
        rules.into_iter().flatten().map(Rule::of).collect()
    }

    /// Everything on every resource, and on every path.
    pub(super) fn full_authority() -> Vec<Rule> {
        let star = || vec!["*".to_owned()];
        let resources = Rule { verbs: star(), groups: star(), resources: star(), ..Rule::default() };
        vec![resources, Rule { verbs: star(), urls: star(), ..Rule::default() }]
    }

    /// Whether it allows a request.
    pub(super) fn allows(&self, asked: &Attributes<'_>) -> bool {
        let verb = self.verbs.iter().any(|verb| verb == "*" || verb == asked.verb);
        if !verb {
            return false;
        }
        if let Some(path) = asked.path {
            return self.urls.iter().any(|url| url == "*" || covers_path(url, path));
        }
        let group = self.groups.iter().any(|group| group == "*" || group == asked.group);
        let name = self.names.is_empty() || has(&self.names, asked.name);
        group && name && self.resources.iter().any(|resource| matches_resource(resource, asked))
    }

    /// Taken apart: one verb, one group, one resource and at most one name each.
    fn broken_down(&self) -> Vec<Rule> {
        let one = |text: &String| vec![text.clone()];
        let mut out = Vec::new();
        for group in &self.groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    let bare = Rule {
                        verbs: one(verb),
                        groups: one(group),
                        resources: one(resource),
                        ..Rule::default()
                    };
                    if self.names.is_empty() {
                        out.push(bare);
                        continue;
                    }
                    out.extend(self.names.iter().map(|name| Rule { names: one(name), ..bare.clone() }));
                }
            }
        }
        for url in &self.urls {
            out.extend(self.verbs.iter().map(|verb| Rule {
                verbs: one(verb),
                urls: one(url),
                ..Rule::default()
            }));
        }
        out
    }

    /// Whether it allows all that a rule taken apart does.
    fn covers(&self, single: &Rule) -> bool {
        let within = |own: &[String], wanted: &[String]| has(own, "*") || has_all(own, wanted);
        let resources = within(&self.resources, &single.resources)
            || single.resources.iter().all(|wanted| {
                has(&self.resources, wanted)
                    || wanted
                        .split_once('/')
                        .is_some_and(|(_, sub)| has(&self.resources, &format!("*/{sub}")))
            });
        let names =
            self.names.is_empty() || (!single.names.is_empty() && has_all(&self.names, &single.names));
        let urls = single.urls.iter().all(|wanted| self.urls.iter().any(|own| covers_path(own, wanted)));
        within(&self.verbs, &single.verbs)
            && within(&self.groups, &single.groups)
            && resources
            && names
            && urls
    }

    /// As texts about escalation show it.
    fn compact_text(&self) -> String {
        let parts = [
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.urls),
            ("ResourceNames", &self.names),
            ("Verbs", &self.verbs),
        ];
        let said: Vec<String> = parts
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(name, values)| format!("{name}:{}", quoted(values)))
            .collect();
        format!("{{{}}}", said.join(", "))
    }
}

/// `["a" "b"]`, as Go's `%q` has a list.
pub(super) fn quoted(values: &[String]) -> String {
    let quoted: Vec<String> = values.iter().map(|value| quote(value)).collect();
    format!("[{}]", quoted.join(" "))
}

fn covers_path(own: &str, wanted: &str) -> bool {
    own == wanted || (own.ends_with('*') && wanted.starts_with(own.trim_end_matches('*')))
}

fn matches_resource(resource: &str, asked: &Attributes<'_>) -> bool {
    if resource == "*" {
        return true;
    }
    if asked.subresource.is_empty() {
        return resource == asked.resource;
    }
    resource
        .split_once('/')
        .is_some_and(|(main, sub)| sub == asked.subresource && (main == "*" || main == asked.resource))
}

/// What of `wanted` no rule of `owned` allows, as lines of text; empty where all is covered.
pub(super) fn lacking(owned: &[Rule], wanted: &[Rule]) -> Vec<String> {
    let singles = wanted.iter().flat_map(Rule::broken_down);
    let missing = singles.filter(|single| !owned.iter().any(|own| own.covers(single)));
    // Rules that differ in their verbs alone are said as one.
    let mut by_resource: BTreeMap<[Vec<String>; 3], Vec<String>> = BTreeMap::new();
    let mut said = Vec::new();
    for rule in missing {
        if rule.resources.is_empty() {
            said.push(rule.compact_text());
        } else {
            by_resource.entry([rule.groups, rule.resources, rule.names]).or_default().extend(rule.verbs);
        }
    }
    for ([groups, resources, names], verbs) in by_resource {
        said.push(Rule { verbs, groups, resources, names, urls: Vec::new() }.compact_text());
    }
    said.sort();
    said.dedup();
    said
}

#[cfg(test)]
mod tests {
    use super::{Rule, lacking};
    use crate::apiserver::rbac::Attributes;
    use podlab_api::door::UserInfo;
    use serde_json::json;

    fn asked<'a>(user: &'a UserInfo, verb: &'a str, resource: &'a str) -> Attributes<'a> {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        Attributes { verb, resource, subresource, ..Attributes::of(user) }
    }

    #[test]
    fn rules_match_as_documented() {
        let user = UserInfo::default();
        let allows =
            |rule: serde_json::Value, verb: &str, resource: &str, group: &str, name: &str, ns: &str| {
                let attributes = Attributes { group, name, namespace: ns, ..asked(&user, verb, resource) };
                Rule::of(&rule).allows(&attributes)
            };
        let pods = json!({"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods"]});
        assert!(allows(pods.clone(), "get", "pods", "", "x", "a"));
        assert!(!allows(pods.clone(), "watch", "pods", "", "", "a"));
        assert!(!allows(pods.clone(), "get", "pods/log", "", "x", "a"));
        assert!(!allows(pods, "get", "pods", "apps", "x", "a"));
        let sub = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*/scale", "pods/log"]});
        assert!(allows(sub.clone(), "update", "deployments/scale", "apps", "x", "a"));
        assert!(allows(sub.clone(), "get", "pods/log", "", "x", "a"));
        assert!(!allows(sub.clone(), "get", "pods", "", "x", "a"));
        assert!(!allows(sub, "get", "deployments/status", "apps", "x", "a"));
        let named =
            json!({"verbs": ["get"], "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["s"]});
        assert!(allows(named.clone(), "get", "secrets", "", "s", "a"));
        assert!(!allows(named, "get", "secrets", "", "", "a"));
        let paths = json!({"verbs": ["get"], "nonResourceURLs": ["/healthz", "/logs/*"]});
        let path = |path| Attributes { path: Some(path), ..asked(&user, "get", "") };
        assert!(Rule::of(&paths).allows(&path("/healthz")) && Rule::of(&paths).allows(&path("/logs/a")));
        assert!(!Rule::of(&paths).allows(&path("/logs")));
    }

    #[test]
    fn what_is_missing_is_said_verb_by_verb_and_resource_by_resource() {
        let own = [Rule::of(&json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods", "*/log"]}))];
        let wanted = [
            Rule::of(
                &json!({"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["pods", "pods/log"]}),
            ),
            Rule::of(&json!({"verbs": ["get"], "nonResourceURLs": ["/x"]})),
        ];
        assert_eq!(
            lacking(&own, &wanted),
            [
                r#"{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}"#,
                r#"{APIGroups:[""], Resources:["pods/log"], Verbs:["list" "watch"]}"#,
                r#"{NonResourceURLs:["/x"], Verbs:["get"]}"#
            ]
        );
        assert!(lacking(&Rule::full_authority(), &wanted).is_empty());
    }
}
