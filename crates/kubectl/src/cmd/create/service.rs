//! `kubectl create service`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/create/create_service.go (v1.37).

use super::{finish, name};
use crate::cx::{Cx, Flow};
use crate::error::{Result, message};
use crate::flags::Parsed;
use podlab_api::kinds;
use podlab_api::selector::content::dns1123_subdomain_errors;
use serde_json::{Value, json};

fn port_number(text: &str) -> Result<i64> {
    match text.parse::<u64>() {
        Ok(n) if n <= 65535 => i64::try_from(n).map_or(Ok(0), Ok),
        Ok(_) => message(format!("strconv.ParseUint: parsing {text:?}: value out of range")),
        Err(_) => message(format!("strconv.ParseUint: parsing {text:?}: invalid syntax")),
    }
}

fn port(spec: &str) -> Result<(i64, Value)> {
    let mut parts = spec.split(':');
    let number = port_number(parts.next().unwrap_or(""))?;
    let Some(target) = parts.next() else { return Ok((number, number.into())) };
    let target = match target.parse::<i64>() {
        Ok(n) if (1..=65535).contains(&n) => n.into(),
        Ok(_) => return message("must be between 1 and 65535, inclusive"),
        Err(_) => target.into(),
    };
    Ok((number, target))
}

pub(super) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let kind = match parsed.path.rsplit(' ').next().unwrap_or("") {
        "nodeport" => "NodePort",
        "loadbalancer" => "LoadBalancer",
        "externalname" => "ExternalName",
        _ => "ClusterIP",
    };
    let tcp = parsed.list("tcp");
    let cluster_ip = parsed.str("clusterip");
    let external = parsed.str("external-name");
    if cluster_ip != "None" && tcp.is_empty() && kind != "ExternalName" {
        return message("at least one tcp port specifier must be provided");
    }
    if kind == "ExternalName" && !dns1123_subdomain_errors(external).is_empty() {
        return message(format!("invalid service external name {external}"));
    }
    let mut ports: Vec<Value> = Vec::new();
    for spec in &tcp {
        let (number, target) = port(spec)?;
        let mut entry =
            json!({"name": spec.replace(':', "-"), "port": number, "protocol": "TCP", "targetPort": target});
        let node_port = parsed.int("node-port");
        if node_port != 0 {
            entry["nodePort"] = node_port.into();
        }
        ports.push(entry);
    }
    let mut spec = json!({"selector": {"app": name}, "type": kind});
    if !ports.is_empty() {
        spec["ports"] = ports.into();
    }
    if !external.is_empty() {
        spec["externalName"] = external.into();
    }
    if !cluster_ip.is_empty() {
        spec["clusterIP"] = cluster_ip.into();
    }
    let object = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "labels": {"app": name}},
        "spec": spec, "status": {"loadBalancer": {}}});
    finish(cx, parsed, &kinds::SERVICE, object, &format!("failed to create {kind} service: "))
}
