//! Resources that the real server serves beside podlab's own kinds: listed by discovery, not simulated.
//!
//! Source: recording cluster/tables.jsonl `cmd/api-resources`.

use podlab_api::kinds;

/// Plural, short names, apiVersion, whether namespaced, kind.
pub(super) static OTHERS: &[(&str, &str, &str, bool, &str)] = &[
    ("bindings", "", "v1", true, "Binding"),
    ("componentstatuses", "cs", "v1", false, "ComponentStatus"),
    ("selfsubjectreviews", "", "authentication.k8s.io/v1", false, "SelfSubjectReview"),
    ("tokenreviews", "", "authentication.k8s.io/v1", false, "TokenReview"),
    ("localsubjectaccessreviews", "", "authorization.k8s.io/v1", true, "LocalSubjectAccessReview"),
    ("selfsubjectaccessreviews", "", "authorization.k8s.io/v1", false, "SelfSubjectAccessReview"),
    ("selfsubjectrulesreviews", "", "authorization.k8s.io/v1", false, "SelfSubjectRulesReview"),
    ("subjectaccessreviews", "", "authorization.k8s.io/v1", false, "SubjectAccessReview"),
    ("events", "ev", "events.k8s.io/v1", true, "Event"),
];

/// The resources with a short name: plural and group.
pub(crate) fn with_short_name(word: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = kinds::ALL.iter().filter(move |k| k.short_names.contains(&word)).map(|k| (k.plural, k.group));
    let others = OTHERS
        .iter()
        .filter(move |(_, short, ..)| *short == word)
        .map(|(plural, _, version, ..)| (*plural, version.split_once('/').map_or("", |(group, _)| group)));
    own.chain(others)
}
