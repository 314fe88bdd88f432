//! Nodes: readiness, roles, addresses.

use super::{AGE, NAME, cells, col, wide};
use crate::Object;
use crate::table::Column;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;

pub(super) static COLUMNS: &[Column] = &[
    NAME,
    col("Status", "string"),
    col("Roles", "string"),
    AGE,
    col("Version", "string"),
    wide("Internal-IP", "string"),
    wide("External-IP", "string"),
    wide("OS-Image", "string"),
    wide("Kernel-Version", "string"),
    wide("Container-Runtime", "string"),
];

fn roles(object: &Object) -> String {
    let mut roles = BTreeSet::new();
    for (key, value) in object.metadata.labels.iter().flatten() {
        match key.strip_prefix("node-role.kubernetes.io/") {
            Some(role) if !role.is_empty() => {
                roles.insert(role);
            }
            None if key == "kubernetes.io/role" && !value.is_empty() => {
                roles.insert(value);
            }
            _ => {}
        }
    }
    if roles.is_empty() { "<none>".to_owned() } else { roles.into_iter().collect::<Vec<_>>().join(",") }
}

pub(super) fn row(object: &Object, now: Timestamp) -> Vec<Value> {
    let (Some(spec), Some(status)) = (object.node_spec(), object.node_status()) else {
        return vec![cells::name(object)];
    };
    let ready = status.conditions.iter().flatten().find(|c| c.type_ == "Ready");
    let mut state = match ready {
        Some(c) if c.status == "True" => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if spec.unschedulable == Some(true) {
        state.push_str(",SchedulingDisabled");
    }
    let address = |type_: &str| {
        let found = status.addresses.iter().flatten().find(|a| a.type_ == type_);
        found.map_or("<none>", |a| a.address.as_str()).to_owned()
    };
    let info = status.node_info.clone().unwrap_or_default();
    let kernel = match (info.kernel_version.as_str(), info.architecture.as_str()) {
        ("", _) => "<unknown>".to_owned(),
        (kernel, "") => kernel.to_owned(),
        (kernel, arch) => format!("{kernel} ({arch})"),
    };
    vec![
        cells::name(object),
        state.into(),
        roles(object).into(),
        cells::age(object, now),
        info.kubelet_version.into(),
        address("InternalIP").into(),
        address("ExternalIP").into(),
        cells::or(&info.os_image, "<unknown>").into(),
        kernel.into(),
        cells::or(&info.container_runtime_version, "<unknown>").into(),
    ]
}
