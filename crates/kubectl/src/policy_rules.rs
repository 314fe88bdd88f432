//! Rules of roles as lines of a table: one a resource, with its verbs gathered.
//!
//! Source: k8s.io/kubectl/pkg/util/rbac/rbac.go, pkg/describe/describe.go `CombineResourceGroup` (v1.37).

use crate::value::{list, plain};
use serde_json::Value;

/// A rule of at most one group, one resource and one name.
#[derive(Clone, Debug, Default)]
struct Single {
    verbs: Vec<String>,
    group: Option<String>,
    resource: Option<String>,
    name: Option<String>,
    url: Option<String>,
}

impl Single {
    /// As Go's `String` of the type has it, which is what they are sorted by.
    fn text(&self) -> String {
        let one = |value: &Option<String>| value.clone().unwrap_or_default();
        format!(
            "&PolicyRule{{Verbs:[{}],APIGroups:[{}],Resources:[{}],ResourceNames:[{}],NonResourceURLs:[{}],}}",
            self.verbs.join(" "),
            one(&self.group),
            one(&self.resource),
            one(&self.name),
            one(&self.url)
        )
    }

    fn row(&self) -> String {
        let one = |value: &Option<String>| value.clone().unwrap_or_default();
        let resource = one(&self.resource);
        let (main, sub) = match resource.split_once('/') {
            Some((main, sub)) => (main, format!("/{sub}")),
            None => (resource.as_str(), String::new()),
        };
        let group = self.group.as_deref().filter(|group| !group.is_empty() && self.resource.is_some());
        let shown = group.map_or_else(|| format!("{main}{sub}"), |group| format!("{main}.{group}{sub}"));
        format!("{shown}\t[{}]\t[{}]\t[{}]", one(&self.url), one(&self.name), self.verbs.join(" "))
    }
}

/// The lines of rules, tabs between: resources, non-resource URLs, resource names, verbs.
pub(crate) fn rows(rules: &[Value]) -> Vec<String> {
    let mut all: Vec<Single> = Vec::new();
    for rule in rules {
        let texts = |key: &str| -> Vec<String> { list(rule, &[key]).iter().map(plain).collect() };
        let names: Vec<Option<String>> = match texts("resourceNames") {
            none if none.is_empty() => vec![None],
            names => names.into_iter().map(Some).collect(),
        };
        for group in texts("apiGroups") {
            for resource in texts("resources") {
                for verb in texts("verbs") {
                    for name in &names {
                        let single = Single {
                            group: Some(group.clone()),
                            resource: Some(resource.clone()),
                            name: name.clone(),
                            ..Single::default()
                        };
                        gather(&mut all, single, &verb);
                    }
                }
            }
        }
        for url in texts("nonResourceURLs") {
            for verb in texts("verbs") {
                all.push(Single { verbs: vec![verb], url: Some(url.clone()), ..Single::default() });
            }
        }
    }
    all.sort_by_cached_key(Single::text);
    all.iter().map(Single::row).collect()
}

/// Adds a verb to the rule of the same resource and name, or the rule.
fn gather(all: &mut Vec<Single>, single: Single, verb: &str) {
    let same = all.iter_mut().find(|known| {
        known.url.is_none()
            && known.group == single.group
            && known.resource == single.resource
            && known.name == single.name
    });
    match same {
        Some(known) if known.verbs.iter().any(|own| own == verb) => {}
        Some(known) => known.verbs.push(verb.to_owned()),
        None => all.push(Single { verbs: vec![verb.to_owned()], ..single }),
    }
}
