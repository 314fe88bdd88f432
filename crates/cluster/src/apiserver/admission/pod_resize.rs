//! PodResize: nothing is resized beyond what its node has at all.
//!
//! Source: plugin/pkg/admission/podresize/admission.go (v1.37).

use crate::apiserver::ApiServer;
use podlab_api::resources::{PodResourcesOptions, pod_requests, resource_list};
use podlab_api::{Object, Quantity, Status, StatusCause, kinds};

pub(super) fn validate(api: &ApiServer, object: &Object, old: &Object) -> Result<(), Status> {
    let Some(spec) = object.pod_spec() else { return Ok(()) };
    let node = object.node_name().unwrap_or("");
    if node.is_empty() || old.pod_spec() == Some(spec) {
        return Ok(());
    }
    let forbidden = |why: &str| Status::forbidden(&kinds::POD, object.name(), why);
    let because = |why: &str, reason: &str| {
        let mut status = forbidden(why);
        if let Some(details) = &mut status.details {
            let [message, field] = [String::new(), String::new()];
            details.causes.push(StatusCause { reason: reason.to_owned(), message, field });
        }
        status
    };
    let Some(node) = api.store().get(&kinds::NODE, "", node) else {
        return Err(forbidden(&format!("node {node:?} not found")));
    };
    if let Some(os) = node.label("kubernetes.io/os").filter(|os| *os != "linux") {
        let text = format!("pod resize is only supported on linux nodes, node {:?} is {os:?}", node.name());
        return Err(because(&text, "UnsupportedPlatform"));
    }
    let allocatable = resource_list(node.node_status().and_then(|status| status.allocatable.as_ref()));
    let requests = pod_requests(spec, None, &PodResourcesOptions::default());
    let mut short = Vec::new();
    for name in ["cpu", "memory"] {
        let amount = |quantity: &Quantity| match name {
            "cpu" => quantity.milli_value(),
            _ => quantity.value(),
        };
        let [wanted, has] = [&requests, &allocatable].map(|list| list.get(name).map_or(0, amount));
        if wanted > has {
            short.push(format!("{name}, requested: {wanted}, allocatable: {has}"));
        }
    }
    match short.as_slice() {
        [] => Ok(()),
        short => {
            let text = format!("node didn't have enough allocatable resources: {}", short.join("; "));
            Err(because(&text, "NodeCapacity"))
        }
    }
}
