//! ResourceQuota: a namespace has only so much of everything.
//!
//! Runs last, so that only what everything else lets pass is counted. What a request would use is worked out
//! first and charged when the object is written, since a dry run or a name that is taken costs nothing.
//!
//! Source: staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go `CheckRequest` (v1.37).

use crate::apiserver::ApiServer;
use crate::quota::{self, Quota};
use crate::store::Key;
use podlab_api::resources::{ResourceList, add_resource_list};
use podlab_api::{Body, Object, Quantity, Status, kinds};
use std::sync::Arc;

/// What a quota has used once the request is carried out.
#[derive(Debug)]
pub(in crate::apiserver) struct Charge {
    quota: Key,
    status: serde_json::Value,
}

/// Refuses what a quota of the namespace has no room for; gives what is to be charged else.
pub(super) fn validate(
    api: &ApiServer,
    object: &Object,
    old: Option<&Object>,
    subresource: Option<&str>,
) -> Result<Vec<Charge>, Status> {
    let mut charges = Vec::new();
    if !quota::is_quotable(object.kind) || !handles(object, old, subresource) {
        return Ok(charges);
    }
    let quotas: Vec<Quota> = api
        .store()
        .list_namespace(&kinds::RESOURCE_QUOTA, object.namespace())
        .map(|object| Quota::read(object))
        .filter(|quota| quota.matches(object))
        .collect();
    if quotas.is_empty() {
        return Ok(charges);
    }
    let forbidden = |why: String| Status::forbidden(object.kind, &super::refused_name(object), &why);
    for quota in &quotas {
        let restricted = quota.hard.keys().filter(|name| quota::counts(object.kind, name));
        if let Some(spec) = object.pod_spec()
            && let Some(why) = quota::constraints(restricted.clone(), spec)
        {
            return Err(forbidden(format!("failed quota: {}: {why}", quota.name)));
        }
        if restricted.clone().any(|name| !quota.used.contains_key(name)) {
            let names = restricted.map(String::as_str).collect::<Vec<_>>().join(",");
            return Err(forbidden(format!("status unknown for quota: {}, resources: {names}", quota.name)));
        }
    }
    let usage = quota::usage(object, api.now());
    let negative: Vec<&str> =
        usage.iter().filter(|(_, value)| value.signum() < 0).map(|(name, _)| name.as_str()).collect();
    if !negative.is_empty() {
        return Err(forbidden(format!("quota usage is negative for resource(s): {}", negative.join(","))));
    }
    for quota in &quotas {
        let mut requested = match old.filter(|old| quota.matches(old)) {
            Some(old) => more_than(&usage, &quota::usage(old, api.now())),
            None => usage.clone(),
        };
        requested.retain(|name, value| !value.is_zero() && quota.hard.contains_key(name));
        if requested.is_empty() {
            continue;
        }
        let mut used = quota.used.clone();
        add_resource_list(&mut used, &requested);
        let exceeded: Vec<&String> =
            requested.keys().filter(|name| used.get(*name) > quota.hard.get(*name)).collect();
        if !exceeded.is_empty() && subresource != Some("status") {
            return Err(forbidden(format!(
                "exceeded quota: {}, requested: {}, used: {}, limited: {}",
                quota.name,
                pretty_print(&requested, &exceeded),
                pretty_print(&quota.used, &exceeded),
                pretty_print(&quota.hard, &exceeded)
            )));
        }
        charges.push(Charge {
            quota: Key::new(object.namespace(), &quota.name),
            status: quota::status(&quota.hard, &used),
        });
    }
    Ok(charges)
}

/// Which requests can change what a quota counts.
fn handles(object: &Object, old: Option<&Object>, subresource: Option<&str>) -> bool {
    let Some(old) = old else { return subresource.is_none() };
    match object.kind {
        kind if *kind == kinds::POD => match subresource {
            None => quota::is_terminating(object) != quota::is_terminating(old),
            Some(subresource) => subresource == "resize",
        },
        kind if *kind == kinds::SERVICE => subresource.is_none(),
        kind if *kind == kinds::PERSISTENT_VOLUME_CLAIM => matches!(subresource, None | Some("status")),
        _ => false,
    }
}

/// What `new` has beyond `old`; nothing where it has less.
fn more_than(new: &ResourceList, old: &ResourceList) -> ResourceList {
    let mut result = new.clone();
    for (name, quantity) in &mut result {
        if let Some(before) = old.get(name) {
            quantity.sub(before);
        }
        if quantity.signum() < 0 {
            *quantity = Quantity::default();
        }
    }
    result
}

fn pretty_print(list: &ResourceList, names: &[&String]) -> String {
    let text = |name: &&String| list.get(*name).map(|quantity| format!("{name}={quantity}"));
    names.iter().filter_map(text).collect::<Vec<_>>().join(",")
}

/// Writes down what a request that is carried out has used.
pub(in crate::apiserver) fn charge(api: &mut ApiServer, charges: Vec<Charge>) {
    for charge in charges {
        let Some(quota) = api.store.get_key(&kinds::RESOURCE_QUOTA, &charge.quota) else { continue };
        let mut quota = (**quota).clone();
        if let Body::Tree(fields) = &mut quota.body {
            Arc::make_mut(fields).insert("status".to_owned(), charge.status);
        }
        api.store.put(quota);
    }
}
