//! What is served: the kinds of the registry, the reviews, which are only answered, and metrics.
//!
//! Source: api/discovery (v1.37) for the order of groups, verbs and the kinds of subresources.

use podlab_api::versions::VERSIONS;
use podlab_api::{Kind, kinds};

const ALL_VERBS: &[&str] =
    &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// The order in which the real server lists the verbs of kinds that definitions make.
const CUSTOM_VERBS: &[&str] =
    &["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const NAMESPACE_VERBS: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];
const READ: &[&str] = &["get", "list"];

/// The groups in the order in which the real server lists them; one that is not here comes after them.
const GROUP_ORDER: [&str; 24] = [
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "resource.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "storagemigration.k8s.io",
    "lifecycle.k8s.io",
    "metrics.k8s.io",
];

/// A resource that is served.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub group: String,
    pub version: String,
    pub plural: String,
    pub singular: String,
    pub kind: String,
    pub namespaced: bool,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    pub verbs: &'static [&'static str],
    pub subresources: Vec<Subresource>,
    /// Whether objects are stored.
    pub stored: bool,
    /// Group and version in which they are kept, where these are others.
    pub kept_as: Option<(&'static str, &'static str)>,
    /// What defines it, for a kind that somebody has defined.
    pub definition: Option<&'static podlab_api::custom::Definition>,
}

/// A subresource that is served.
#[derive(Clone, Debug)]
pub(crate) struct Subresource {
    pub name: &'static str,
    /// Group and version of its kind where they are not the resource's own.
    pub group_version: Option<(&'static str, &'static str)>,
    pub kind: String,
    pub verbs: &'static [&'static str],
}

/// As [`served`], with the kinds that definitions make.
pub(crate) fn served_with(defined: &[&'static Kind]) -> Vec<Served> {
    let mut all = served();
    all.extend(defined.iter().map(|kind| of_kind(kind)));
    all
}

/// Every resource, in discovery's order: by group, then name.
pub(crate) fn served() -> Vec<Served> {
    let mut all: Vec<Served> = kinds::ALL.iter().map(|kind| of_kind(kind)).collect();
    all.extend(VERSIONS.iter().map(|version| Served {
        group: version.group.to_owned(),
        version: version.version.to_owned(),
        kept_as: Some((version.kind.group, version.kind.version)),
        ..of_kind(version.kind)
    }));
    for (group, plural, singular, kind, namespaced, verbs) in OTHERS {
        let version = if group == "metrics.k8s.io" { "v1beta1" } else { "v1" };
        if all.iter().any(|one| one.group == group && one.plural == plural) {
            continue;
        }
        all.push(Served {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: plural.to_owned(),
            singular: singular.to_owned(),
            kind: kind.to_owned(),
            namespaced,
            short_names: if kind == "ComponentStatus" { vec!["cs".to_owned()] } else { Vec::new() },
            categories: Vec::new(),
            verbs,
            subresources: Vec::new(),
            stored: false,
            kept_as: None,
            definition: None,
        });
    }
    let place = |group: &str| GROUP_ORDER.iter().position(|known| *known == group).unwrap_or(usize::MAX);
    // The newest version of a group comes first.
    let key = |one: &Served| {
        let version = std::cmp::Reverse(one.version.clone());
        (place(&one.group), one.group.clone(), version, one.plural.clone())
    };
    all.sort_by_cached_key(key);
    all
}

/// Group, plural, singular, kind, whether namespaced, verbs.
type Other = (&'static str, &'static str, &'static str, &'static str, bool, &'static [&'static str]);

/// What is answered and not stored.
const OTHERS: [Other; 10] = [
    ("", "bindings", "binding", "Binding", true, CREATE),
    ("", "componentstatuses", "componentstatus", "ComponentStatus", false, READ),
    ("authentication.k8s.io", "selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview", false, CREATE),
    ("authentication.k8s.io", "tokenreviews", "tokenreview", "TokenReview", false, CREATE),
    (
        "authorization.k8s.io",
        "localsubjectaccessreviews",
        "localsubjectaccessreview",
        "LocalSubjectAccessReview",
        true,
        CREATE,
    ),
    (
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "selfsubjectaccessreview",
        "SelfSubjectAccessReview",
        false,
        CREATE,
    ),
    (
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "selfsubjectrulesreview",
        "SelfSubjectRulesReview",
        false,
        CREATE,
    ),
    (
        "authorization.k8s.io",
        "subjectaccessreviews",
        "subjectaccessreview",
        "SubjectAccessReview",
        false,
        CREATE,
    ),
    ("metrics.k8s.io", "nodes", "", "NodeMetrics", false, READ),
    ("metrics.k8s.io", "pods", "", "PodMetrics", true, READ),
];

fn of_kind(kind: &Kind) -> Served {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut subresources: Vec<Subresource> =
        kind.subresources.iter().map(|name| subresource(kind, name)).collect();
    subresources.sort_by_key(|one| one.name);
    Served {
        group: kind.group.to_owned(),
        version: kind.version.to_owned(),
        plural: kind.plural.to_owned(),
        singular: kind.singular.to_owned(),
        kind: kind.kind.to_owned(),
        namespaced: kind.namespaced,
        short_names: owned(kind.short_names),
        categories: owned(kind.categories),
        verbs: match kind {
            kind if *kind == kinds::NAMESPACE => NAMESPACE_VERBS,
            kind if kind.is_custom() => CUSTOM_VERBS,
            _ => ALL_VERBS,
        },
        definition: kind.definition(),
        subresources,
        stored: true,
        kept_as: None,
    }
}

fn subresource(kind: &Kind, name: &'static str) -> Subresource {
    const WRITE: &[&str] = &["get", "patch", "update"];
    const CONNECT: &[&str] = &["create", "get"];
    let own = kind.kind.to_owned();
    let (group_version, kind, verbs): (_, String, &[&str]) = match name {
        "finalize" => (None, own, &["update"]),
        "log" => (None, own, &["get"]),
        "scale" => (Some(("autoscaling", "v1")), "Scale".to_owned(), WRITE),
        "eviction" => (Some(("policy", "v1")), "Eviction".to_owned(), CREATE),
        "token" => (Some(("authentication.k8s.io", "v1")), "TokenRequest".to_owned(), CREATE),
        "binding" => (None, "Binding".to_owned(), CREATE),
        "exec" => (None, "PodExecOptions".to_owned(), CONNECT),
        "attach" => (None, "PodAttachOptions".to_owned(), CONNECT),
        "portforward" => (None, "PodPortForwardOptions".to_owned(), CONNECT),
        "proxy" => (None, format!("{own}ProxyOptions"), &["create", "delete", "get", "patch", "update"]),
        _ => (None, own, WRITE),
    };
    Subresource { name, group_version, kind, verbs }
}
