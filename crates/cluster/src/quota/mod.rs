//! Quota: what each kind of object counts for, shared by the admission plugin and the controller.
//!
//! Source: staging/src/k8s.io/apiserver/pkg/quota/v1 and pkg/quota/v1/evaluator/core (v1.37). One file a kind
//! that counts for more than its number.

mod persistent_volume_claims;
mod pods;
mod services;

pub(crate) use pods::{charges_pod, constraints, is_terminating};
pub(crate) use services::charged_type;

use crate::store::Store;
use k8s_openapi::api::core::v1::ScopedResourceSelectorRequirement;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as QuantityText;
use podlab_api::quantity::Format;
use podlab_api::resources::{ResourceList, add_resource_list, resource_list};
use podlab_api::{Kind, Object, Quantity, kinds};
use podlab_sim::SimTime;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A ResourceQuota, read.
#[derive(Clone, Debug)]
pub(crate) struct Quota {
    pub name: String,
    /// `spec.hard`.
    pub wanted: ResourceList,
    /// `status.hard`: what is enforced.
    pub hard: ResourceList,
    /// `status.used`.
    pub used: ResourceList,
    /// Whether the controller has written the status.
    pub known: bool,
    scopes: Vec<ScopedResourceSelectorRequirement>,
}

impl Quota {
    pub(crate) fn read(object: &Object) -> Quota {
        let list = |part: &str, field: &str| {
            let list = object.field(part).and_then(|p| p.get(field)).cloned();
            let list: Option<BTreeMap<String, QuantityText>> =
                list.and_then(|l| serde_json::from_value(l).ok());
            resource_list(list.as_ref())
        };
        let spec = object.field("spec");
        let plain = spec.and_then(|s| s.get("scopes")).and_then(Value::as_array).into_iter().flatten();
        let mut scopes: Vec<_> = plain
            .filter_map(|scope| {
                Some(ScopedResourceSelectorRequirement {
                    scope_name: scope.as_str()?.to_owned(),
                    operator: "Exists".to_owned(),
                    values: None,
                })
            })
            .collect();
        let selector = spec.and_then(|s| s.get("scopeSelector")).and_then(|s| s.get("matchExpressions"));
        if let Some(selector) = selector {
            let read: Vec<_> = serde_json::from_value(selector.clone()).unwrap_or_default();
            scopes.extend(read);
        }
        let status = object.field("status");
        Quota {
            name: object.name().to_owned(),
            wanted: list("spec", "hard"),
            hard: list("status", "hard"),
            used: list("status", "used"),
            known: status.is_some_and(|s| s.get("hard").is_some() && s.get("used").is_some()),
            scopes,
        }
    }

    /// Whether what an object counts for is held against this quota.
    pub(crate) fn matches(&self, object: &Object) -> bool {
        self.hard.keys().any(|name| counts(object.kind, name)) && self.in_scope(object)
    }

    fn in_scope(&self, object: &Object) -> bool {
        self.scopes.iter().all(|scope| match object.kind {
            kind if *kind == kinds::POD => pods::in_scope(scope, object),
            kind if *kind == kinds::PERSISTENT_VOLUME_CLAIM => {
                persistent_volume_claims::in_scope(scope, object)
            }
            _ => false,
        })
    }
}

/// The status of a quota as it is written.
pub(crate) fn status(hard: &ResourceList, used: &ResourceList) -> Value {
    let text = |list: &ResourceList| -> Value {
        let text = |(name, quantity): (&String, &Quantity)| (name.clone(), quantity.to_string().into());
        Value::Object(list.iter().map(text).collect())
    };
    Value::Object(Map::from_iter([("hard".to_owned(), text(hard)), ("used".to_owned(), text(used))]))
}

/// The name under which the objects of a kind are counted.
///
/// Source: generic/evaluator.go `ObjectCountQuotaResourceNameFor`.
fn count_name(kind: &Kind) -> String {
    format!("count/{}", kind.group_resource())
}

/// The name under which some kinds were counted before every kind could be.
///
/// Source: evaluator/core/registry.go `legacyObjectCountAliases`.
fn is_alias(kind: &Kind, name: &str) -> bool {
    kind.group.is_empty()
        && kind.plural == name
        && matches!(name, "configmaps" | "resourcequotas" | "replicationcontrollers" | "secrets")
}

/// Whether objects of a kind are counted at all.
///
/// Source: pkg/quota/v1/install/registry.go `ignoredResources`.
pub(crate) fn is_quotable(kind: &Kind) -> bool {
    kind.namespaced && *kind != kinds::EVENT
}

/// Whether objects of a kind count for a resource of a quota.
pub(crate) fn counts(kind: &Kind, name: &str) -> bool {
    match kind {
        kind if *kind == kinds::POD => pods::counts(name),
        kind if *kind == kinds::SERVICE => services::counts(name),
        kind if *kind == kinds::PERSISTENT_VOLUME_CLAIM => persistent_volume_claims::counts(name),
        kind => name == count_name(kind) || is_alias(kind, name),
    }
}

/// What an object counts for.
pub(crate) fn usage(object: &Object, now: SimTime) -> ResourceList {
    let kind = object.kind;
    match kind {
        kind if *kind == kinds::POD => pods::usage(object, now),
        kind if *kind == kinds::SERVICE => services::usage(object),
        kind if *kind == kinds::PERSISTENT_VOLUME_CLAIM => persistent_volume_claims::usage(object),
        kind => {
            let mut list = ResourceList::from([(count_name(kind), count(1))]);
            if is_alias(kind, kind.plural) {
                list.insert(kind.plural.to_owned(), count(1));
            }
            list
        }
    }
}

/// What all objects of a namespace that are in a quota's scope count for, of what it limits.
///
/// `defined` are the kinds that somebody has defined.
///
/// Source: quota/v1/resources.go `CalculateUsage`.
pub(crate) fn total_usage(
    store: &Store,
    defined: &[&'static Kind],
    namespace: &str,
    quota: &Quota,
    now: SimTime,
) -> ResourceList {
    let mut total = ResourceList::new();
    let mut defined = defined.to_vec();
    // All versions of a kind are the same objects.
    defined.dedup();
    for kind in kinds::ALL.iter().chain(&defined).filter(|kind| is_quotable(kind)) {
        let mut of_kind = ResourceList::new();
        for name in quota.wanted.keys().filter(|name| counts(kind, name)) {
            of_kind.insert(name.clone(), count(0));
        }
        if of_kind.is_empty() {
            continue;
        }
        for object in store.list_namespace(kind, namespace).filter(|object| quota.in_scope(object)) {
            add_resource_list(&mut of_kind, &usage(object, now));
        }
        add_resource_list(&mut total, &of_kind);
    }
    total.retain(|name, _| quota.wanted.contains_key(name));
    total
}

/// A number of objects as a quantity.
fn count(number: i64) -> Quantity {
    Quantity::new(number, Format::DecimalSi)
}
