//! Priority: the number behind a pod's priority class.
//!
//! Source: plugin/pkg/admission/priority/admission.go (v1.37).

use crate::apiserver::ApiServer;
use podlab_api::{Body, Object, Status, kinds};
use serde_json::Value;
use std::sync::Arc;

pub(super) fn admit_create(api: &ApiServer, object: &mut Object) -> Result<(), Status> {
    let name = object.name().to_owned();
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
        let why = "the integer value of priority must not be provided in pod spec; priority admission \
                   controller computed "
            .to_owned()
            + &format!("{priority} from the given PriorityClass name");
        return Err(Status::forbidden(&kinds::POD, &name, &why));
    }
    if let Some(given) = &spec.preemption_policy
        && *given != policy
    {
        let why = "the string value of PreemptionPolicy must not be provided in pod spec; priority admission \
                   controller computed "
            .to_owned() + &format!("{policy} from the given PriorityClass name");
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
