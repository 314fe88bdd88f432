//! Nodes.

use super::{Out, ago, time};
use crate::cx::Cx;
use crate::error::Result;
use crate::value::{at, list, name, namespace, plain, text};
use k8s_openapi::api::core::v1::PodSpec;
use podlab_api::quantity::{Format, Quantity};
use podlab_api::resources::{PodResourcesOptions, pod_limits, pod_requests};
use podlab_api::{Request, kinds};
use serde_json::Value;
use std::collections::BTreeMap;

fn amounts(out: &mut Out, title: &str, map: &Value) {
    let Some(map) = map.as_object().filter(|m| !m.is_empty()) else { return };
    out.line(0, format!("{title}:"));
    for (key, amount) in map {
        out.line(1, format!("{key}:\t{}", plain(amount)));
    }
}

fn roles(object: &Value) -> String {
    let mut roles: Vec<&str> = at(object, &["metadata", "labels"])
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(k, v)| match k.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role).filter(|r| !r.is_empty()),
            None if k == "kubernetes.io/role" => v.as_str().filter(|r| !r.is_empty()),
            None => None,
        })
        .collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") }
}

pub(super) fn node(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    let (spec, status) = (at(object, &["spec"]), at(object, &["status"]));
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Roles:\t{}", roles(object)));
    out.marks(object);
    out.line(0, format!("CreationTimestamp:\t{}", time(text(object, &["metadata", "creationTimestamp"]))));
    let mut taints: Vec<(u8, String)> = list(spec, &["taints"])
        .iter()
        .map(|t| {
            let value = text(t, &["value"]);
            let effect = text(t, &["effect"]);
            let value = if value.is_empty() { String::new() } else { format!("={value}") };
            let order = match effect {
                "NoExecute" => 0,
                "NoSchedule" => 1,
                _ => 2,
            };
            (order, format!("{}{value}:{effect}", text(t, &["key"])))
        })
        .collect();
    taints.sort();
    out.many("Taints", &taints.into_iter().map(|(_, t)| t).collect::<Vec<_>>());
    out.line(0, format!("Unschedulable:\t{}", at(spec, &["unschedulable"]).as_bool().unwrap_or(false)));
    match cx.get(&kinds::LEASE, "kube-node-lease", name(object)) {
        Ok(lease) => {
            out.line(0, "Lease:");
            let holder = text(&lease, &["spec", "holderIdentity"]);
            out.line(1, format!("HolderIdentity:\t{}", super::or(holder, "<unset>")));
            let at = |field: &str| match text(&lease, &["spec", field]) {
                "" => "<unset>".to_owned(),
                then => time(then),
            };
            out.line(1, format!("AcquireTime:\t{}", at("acquireTime")));
            out.line(1, format!("RenewTime:\t{}", at("renewTime")));
        }
        Err(error) => out.line(0, format!("Lease:\tFailed to get lease: {}", error.text())),
    }
    let conditions = list(status, &["conditions"]);
    if !conditions.is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage");
        out.line(1, "----\t------\t-----------------\t------------------\t------\t-------");
        for c in conditions {
            out.line(
                1,
                format!(
                    "{} \t{} \t{} \t{} \t{} \t{}",
                    text(c, &["type"]),
                    text(c, &["status"]),
                    time(text(c, &["lastHeartbeatTime"])),
                    time(text(c, &["lastTransitionTime"])),
                    text(c, &["reason"]),
                    text(c, &["message"])
                ),
            );
        }
    }
    let addresses = list(status, &["addresses"]);
    out.line(0, "Addresses:");
    for address in addresses {
        out.line(1, format!("{}:\t{}", text(address, &["type"]), text(address, &["address"])));
    }
    amounts(out, "Capacity", at(status, &["capacity"]));
    amounts(out, "Allocatable", at(status, &["allocatable"]));
    out.line(0, "System Info:");
    for (title, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ] {
        out.line(1, format!("{title}:\t{}", text(status, &["nodeInfo", field])));
    }
    if !text(spec, &["podCIDR"]).is_empty() {
        out.line(0, format!("PodCIDR:\t{}", text(spec, &["podCIDR"])));
    }
    let cidrs: Vec<&str> = list(spec, &["podCIDRs"]).iter().filter_map(Value::as_str).collect();
    if !cidrs.is_empty() {
        out.line(0, format!("PodCIDRs:\t{}", cidrs.join(",")));
    }
    if !text(spec, &["providerID"]).is_empty() {
        out.line(0, format!("ProviderID:\t{}", text(spec, &["providerID"])));
    }
    let mut request = Request::list(&kinds::POD, "");
    request.options.field_selector =
        Some(format!("spec.nodeName={},status.phase!=Failed,status.phase!=Succeeded", name(object)));
    let pods: Vec<Value> = cx.list(request)?.items.iter().map(|o| o.to_value()).collect();
    load(out, &pods, status);
    Ok(())
}

type List = BTreeMap<String, Quantity>;

fn sums(pod: &Value) -> (List, List) {
    let spec: PodSpec = match serde_json::from_value(at(pod, &["spec"]).clone()) {
        Ok(spec) => spec,
        Err(_) => return (List::new(), List::new()),
    };
    let options = PodResourcesOptions::default();
    (
        pod_requests(&spec, None, &options).into_iter().collect(),
        pod_limits(&spec, None, &options).into_iter().collect(),
    )
}

fn percent(amount: &Quantity, total: Option<&Quantity>) -> i64 {
    match total {
        Some(total) if total.milli_value() > 0 => {
            let (a, t) = (amount.as_f64(), total.as_f64());
            (a / t * 100.0) as i64
        }
        _ => 0,
    }
}

/// What runs on a node, and how much of it that takes.
fn load(out: &mut Out, pods: &[Value], status: &Value) {
    let total: BTreeMap<String, Quantity> = at(status, &["allocatable"])
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(k, v)| Some((k.clone(), Quantity::parse(&plain(v)).ok()?)))
        .collect();
    let zero = |key: &str| {
        let format = if key == "cpu" { Format::DecimalSi } else { Format::BinarySi };
        Quantity::new(0, format)
    };
    out.line(0, format!("Non-terminated Pods:\t({} in total)", pods.len()));
    out.line(1, "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge");
    out.line(1, "---------\t----\t\t------------\t----------\t---------------\t-------------\t---");
    let (mut requests, mut limits) = (List::new(), List::new());
    for pod in pods {
        let (own_requests, own_limits) = sums(pod);
        let cell = |list: &List, key: &str| {
            let amount = list.get(key).cloned().unwrap_or_else(|| zero(key));
            format!("{amount} ({}%)", percent(&amount, total.get(key)))
        };
        out.line(
            1,
            format!(
                "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
                namespace(pod),
                name(pod),
                cell(&own_requests, "cpu"),
                cell(&own_limits, "cpu"),
                cell(&own_requests, "memory"),
                cell(&own_limits, "memory"),
                ago(text(pod, &["metadata", "creationTimestamp"]), out.now)
            ),
        );
        for (into, from) in [(&mut requests, own_requests), (&mut limits, own_limits)] {
            for (key, amount) in from {
                match into.get_mut(&key) {
                    Some(sum) => sum.add(&amount),
                    None => {
                        into.insert(key, amount);
                    }
                }
            }
        }
    }
    out.line(0, "Allocated resources:");
    out.line(1, "(Total limits may be over 100 percent, i.e., overcommitted.)");
    out.line(1, "Resource\tRequests\tLimits");
    out.line(1, "--------\t--------\t------");
    let cell = |list: &List, key: &str| {
        let amount = list.get(key).cloned().unwrap_or_else(|| zero(key));
        (amount.clone(), percent(&amount, total.get(key)))
    };
    for key in ["cpu", "memory", "ephemeral-storage"] {
        let ((r, rp), (l, lp)) = (cell(&requests, key), cell(&limits, key));
        out.line(1, format!("{key}\t{r} ({rp}%)\t{l} ({lp}%)"));
    }
    for key in total.keys() {
        if key.starts_with("hugepages-") {
            let ((r, rp), (l, lp)) = (cell(&requests, key), cell(&limits, key));
            out.line(1, format!("{key}\t{r} ({rp}%)\t{l} ({lp}%)"));
        } else if !["cpu", "memory", "ephemeral-storage", "pods"].contains(&key.as_str()) {
            let ((r, _), (l, _)) = (cell(&requests, key), cell(&limits, key));
            out.line(1, format!("{key}\t{r}\t{l}"));
        }
    }
}
