//! What a Service counts for.
//!
//! Source: pkg/quota/v1/evaluator/core/services.go (v1.37).

use super::count;
use podlab_api::Object;
use podlab_api::resources::ResourceList;
use serde_json::Value;

const COUNT: &str = "count/services";

pub(super) fn counts(name: &str) -> bool {
    matches!(name, COUNT | "services" | "services.nodeports" | "services.loadbalancers")
}

fn type_of(service: &Object) -> &str {
    service.field("spec").and_then(|s| s.get("type")).and_then(Value::as_str).unwrap_or("")
}

/// The type, if it is one of those that count by themselves.
///
/// Source: `GetQuotaServiceType`.
pub(crate) fn charged_type(service: &Object) -> Option<&str> {
    Some(type_of(service)).filter(|kind| matches!(*kind, "NodePort" | "LoadBalancer"))
}

pub(super) fn usage(service: &Object) -> ResourceList {
    let spec = service.field("spec");
    let ports = spec.and_then(|s| s.get("ports")).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let (mut node_ports, mut load_balancers) = (0, 0);
    match type_of(service) {
        "NodePort" => node_ports = ports.len(),
        "LoadBalancer" => {
            load_balancers = 1;
            // Ports are not given out yet when the object is looked at: what counts is what will be.
            let allocates =
                spec.and_then(|s| s.get("allocateLoadBalancerNodePorts")).and_then(Value::as_bool);
            let given = |port: &&Value| port.get("nodePort").and_then(Value::as_i64).unwrap_or(0) != 0;
            node_ports =
                if allocates == Some(false) { ports.iter().filter(given).count() } else { ports.len() };
        }
        _ => {}
    }
    ResourceList::from([
        (COUNT.to_owned(), count(1)),
        ("services".to_owned(), count(1)),
        ("services.nodeports".to_owned(), count(i64::try_from(node_ports).unwrap_or(i64::MAX))),
        ("services.loadbalancers".to_owned(), count(load_balancers)),
    ])
}
