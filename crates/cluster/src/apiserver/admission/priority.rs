//! Priority: the number behind a pod's priority class.
//!
//! Source: plugin/pkg/admission/priority/admission.go (v1.37).

use crate::apiserver::ApiServer;
use podlab_api::{Body, Object, Status, kinds};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn admit_create(api: &ApiServer, object: &mut Object) -> Result<(), Status> {
    let name = super::refused_name(object);
    let Body::Pod { spec, .. } = &mut object.body else { return Ok(()) };
    let wanted = spec.priority_class_name.clone().filter(|n| !n.is_empty());
    let class = match &wanted {
        Some(class) => match api.store().get(&kinds::PRIORITY_CLASS, "", class) {
            Some(found) => Some(found),
            None => {
                let why = format!("no PriorityClass with name {class} was found");
                return Err(Status::forbidden(&kinds::POD, &name, &why));
            }
        },
        None => api
            .store()
            .list(&kinds::PRIORITY_CLASS)
            .filter(|c| c.field("globalDefault").and_then(Value::as_bool) == Some(true))
            .min_by_key(|c| c.field("value").and_then(Value::as_i64)),
    };
    let priority = class.and_then(|c| c.field("value")).and_then(Value::as_i64).unwrap_or(0);
    let priority = i32::try_from(priority).unwrap_or(0);
    let policy = class
        .and_then(|c| c.field("preemptionPolicy"))
        .and_then(Value::as_str)
        .unwrap_or("PreemptLowerPriority")
        .to_owned();
    let class_name = class.map(|c| c.name().to_owned());
    if let Some(given) = spec.priority
        && given != priority
    {
        let why = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission \
             controller computed {priority} from the given PriorityClass name"
        );
        return Err(Status::forbidden(&kinds::POD, &name, &why));
    }
    if let Some(given) = &spec.preemption_policy
        && *given != policy
    {
        let why = format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
             controller computed {policy} from the given PriorityClass name"
        );
        return Err(Status::forbidden(&kinds::POD, &name, &why));
    }
    let spec = Arc::make_mut(spec);
    spec.priority = Some(priority);
    spec.preemption_policy = Some(policy);
    if let Some(class_name) = class_name {
        spec.priority_class_name = Some(class_name);
    }
    Ok(())
}

/// A pod that is written without its priority keeps the one it was created with.
pub(super) fn admit_update(object: &mut Object, old: &Object) {
    let (Body::Pod { spec, .. }, Some(before)) = (&mut object.body, old.pod_spec()) else { return };
    if spec.priority.is_none() && before.priority.is_some() {
        Arc::make_mut(spec).priority = before.priority;
    }
    if spec.preemption_policy.is_none() && before.preemption_policy.is_some() {
        Arc::make_mut(spec).preemption_policy.clone_from(&before.preemption_policy);
    }
}

/// Only one class can be the default; `updated` is the name of the class that is changed, if it is no new one.
///
/// Source: `validatePriorityClass`.
pub(super) fn validate(api: &ApiServer, class: &Object, updated: Option<&str>) -> Result<(), Status> {
    let is_default = |o: &Object| o.field("globalDefault").and_then(Value::as_bool) == Some(true);
    if *class.kind != kinds::PRIORITY_CLASS || !is_default(class) {
        return Ok(());
    }
    let other = api.store().list(&kinds::PRIORITY_CLASS).find(|o| is_default(o) && Some(o.name()) != updated);
    match other {
        Some(other) => {
            let why = format!(
                "PriorityClass {} is already marked as default. Only one default can exist",
                other.name()
            );
            Err(Status::forbidden(class.kind, class.name(), &why))
        }
        None => Ok(()),
    }
}
