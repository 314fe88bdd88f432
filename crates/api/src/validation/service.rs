//! Services, Endpoints and EndpointSlices.
//!
//! Source: pkg/apis/core/validation/validation.go validateService, ValidateEndpoints;
//! pkg/apis/discovery/validation/validation.go (v1.37).

use super::content::{self, is_dns1123_label, is_qualified_name};
use super::field::{BadValue, FieldError, Path};
use super::go_json::internal_json;
use super::meta::{self, name_is_dns_label, name_is_dns_subdomain, validate_labels};
use super::probe::validate_port_num_or_name;
use super::{Errors, invalid_each, invalid_number, ip, required, required_supported, supported};
use crate::schema::tree::{at, has, int, list, map, text};
use serde_json::Value;
use std::net::IpAddr;

fn is_headless(service: &Value) -> bool {
    matches!(list(service, "spec.clusterIPs"), [one] if one == "None")
}

/// Whether traffic from outside the cluster can reach it.
fn is_externally_accessible(service: &Value) -> bool {
    match text(service, "spec.type") {
        "LoadBalancer" | "NodePort" => true,
        "ClusterIP" => !list(service, "spec.externalIPs").is_empty(),
        _ => false,
    }
}

fn needs_health_check(service: &Value) -> bool {
    text(service, "spec.type") == "LoadBalancer" && text(service, "spec.externalTrafficPolicy") == "Local"
}

pub(crate) fn validate_create(errors: &mut Errors, service: &Value) {
    let path = Path::new("metadata");
    meta::validate_object_meta(errors, service, true, name_is_dns_label, &path);
    meta::validate_kube_finalizers(errors, service, &path);
    validate(errors, service, None);
}

pub(crate) fn validate_update(errors: &mut Errors, service: &Value, old: &Value) {
    let path = Path::new("spec");
    let external = |s: &Value| text(s, "spec.type") == "ExternalName";
    let (headless, was_headless) = (is_headless(service), is_headless(old));
    if !external(service) && !external(old) {
        if !(headless && was_headless) {
            upgrade_downgrade(errors, service, old, "clusterIPs", &path);
        }
        if headless == was_headless && !headless {
            upgrade_downgrade(errors, service, old, "ipFamilies", &path);
        }
    }
    validate_load_balancer_class(errors, service, Some(old), &path);
    if needs_health_check(service)
        && needs_health_check(old)
        && at(service, "spec.healthCheckNodePort") != at(old, "spec.healthCheckNodePort")
    {
        errors.push(FieldError::forbidden(&path.child("healthCheckNodePort"), "field is immutable"));
    }
    validate(errors, service, Some(old));
}

/// Cluster IPs and families may gain or lose a second one, and never change the first.
fn upgrade_downgrade(errors: &mut Errors, service: &Value, old: &Value, field: &str, path: &Path) {
    let (new_list, old_list) = (list(at(service, "spec"), field), list(at(old, "spec"), field));
    let list_path = path.child(field);
    let shown = |name: &str| Value::from(list(at(service, "spec"), name).to_vec());
    let once = "may not change once set";
    match (new_list.len(), old_list.len()) {
        (a, b) if a == b => {
            for (i, (new, old)) in new_list.iter().zip(old_list).enumerate() {
                if new != old {
                    let i = if field == "clusterIPs" { i } else { 0 };
                    errors.push(FieldError::invalid(&list_path.index(i), shown(field), once));
                }
            }
        }
        (a, b) if a < b => {
            let first = list_path.index(0);
            if list(service, "spec.clusterIPs").is_empty() {
                let what = if field == "clusterIPs" { "clusterIP" } else { "ipFamily" };
                let value = if new_list.is_empty() { Value::Null } else { shown(field) };
                errors.push(FieldError::invalid(&first, value, format!("primary {what} can not be unset")));
            }
            if a > 0 && new_list.first() != old_list.first() {
                errors.push(FieldError::invalid(&first, shown("clusterIPs"), once));
            }
            if a == 1 && text(service, "spec.ipFamilyPolicy") != "SingleStack" {
                let what = if field == "clusterIPs" { "clusterIP" } else { "ipFamily" };
                errors.push(FieldError::invalid(
                    &path.child("ipFamilyPolicy"),
                    at(service, "spec.ipFamilyPolicy").clone(),
                    format!("must be set to 'SingleStack' when releasing the secondary {what}"),
                ));
            }
        }
        _ => {
            if !old_list.is_empty() && new_list.first() != old_list.first() {
                errors.push(FieldError::invalid(&list_path.index(0), shown("clusterIPs"), once));
            }
        }
    }
}

fn validate(errors: &mut Errors, service: &Value, old: Option<&Value>) {
    let spec = at(service, "spec");
    let path = Path::new("spec");
    let kind = text(spec, "type");
    let ports = list(spec, "ports");
    let ports_path = path.child("ports");
    let headless = is_headless(service);
    if ports.is_empty() && !headless && kind != "ExternalName" {
        errors.push(FieldError::required(&ports_path, ""));
    }
    validate_type(errors, service, kind, &path);
    let mut names: Vec<&str> = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        validate_port(errors, port, ports.len() > 1, &mut names, &ports_path.index(i));
    }
    validate_labels(errors, map(spec, "selector"), &path.child("selector"));
    let affinity = text(spec, "sessionAffinity");
    required_supported(errors, &path.child("sessionAffinity"), affinity, &["ClientIP", "None"]);
    if affinity == "ClientIP" {
        let config = path.child("sessionAffinityConfig.clientIP.timeoutSeconds");
        if let Some(seconds) = int(spec, "sessionAffinityConfig.clientIP.timeoutSeconds")
            && !(1..=86_400).contains(&seconds)
        {
            errors.push(FieldError::invalid(&config, seconds, "must be greater than 0 and less than 86400"));
        }
    } else if affinity == "None" && has(spec, "sessionAffinityConfig") {
        let detail = "must not be set when session affinity is None";
        errors.push(FieldError::forbidden(&path.child("sessionAffinityConfig"), detail));
    }
    if kind != "ExternalName" {
        validate_cluster_ips(errors, spec, headless, old, &path);
    }
    for (i, address) in list(spec, "externalIPs").iter().filter_map(Value::as_str).enumerate() {
        let externals = path.child("externalIPs");
        let path = externals.index(i);
        let before = errors.len();
        ip::validate_ip_legacy(errors, &path, address, &old_texts(old, "externalIPs"));
        if errors.len() == before {
            validate_endpoint_ip(errors, address, &path);
        }
    }
    let types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
    required_supported(errors, &path.child("type"), kind, &types);
    validate_port_numbers(errors, ports, kind, &ports_path);
    validate_source_ranges(errors, service, old, &path);
    if has(spec, "allocateLoadBalancerNodePorts") && kind != "LoadBalancer" {
        let detail = "may only be used when `type` is 'LoadBalancer'";
        errors.push(FieldError::forbidden(&path.child("allocateLoadBalancerNodePorts"), detail));
    }
    validate_load_balancer_class(errors, service, None, &path);
    validate_traffic_policies(errors, service, &path);
}

fn old_texts<'a>(old: Option<&'a Value>, field: &str) -> Vec<&'a str> {
    old.map(|o| list(at(o, "spec"), field).iter().filter_map(Value::as_str).collect()).unwrap_or_default()
}

fn validate_type(errors: &mut Errors, service: &Value, kind: &str, path: &Path) {
    match kind {
        "LoadBalancer" | "NodePort" if is_headless(service) => {
            let detail = format!("may not be set to 'None' for {kind} services");
            errors.push(FieldError::invalid(&path.child("clusterIPs").index(0), "None", detail));
        }
        "ExternalName" => {
            let spec = at(service, "spec");
            for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                let given = at(spec, field);
                if !given.is_null() && given.as_array().is_none_or(|l| !l.is_empty()) {
                    let detail = "may not be set for ExternalName services";
                    errors.push(FieldError::forbidden(&path.child(field), detail));
                }
            }
            let name = text(spec, "externalName");
            let name = name.strip_suffix('.').unwrap_or(name);
            let path = path.child("externalName");
            if required(errors, &path, name) {
                invalid_each(errors, &path, name, content::is_dns1123_subdomain(name));
            }
        }
        _ => {}
    }
}

fn validate_port<'a>(
    errors: &mut Errors,
    port: &'a Value,
    require_name: bool,
    names: &mut Vec<&'a str>,
    path: &Path,
) {
    let name = text(port, "name");
    if require_name && name.is_empty() {
        errors.push(FieldError::required(&path.child("name"), ""));
    } else if !name.is_empty() {
        invalid_each(errors, &path.child("name"), name, is_dns1123_label(name));
        if names.contains(&name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        } else {
            names.push(name);
        }
    }
    let number = int(port, "port").unwrap_or(0);
    invalid_number(errors, &path.child("port"), number, content::is_valid_port_num(number));
    required_supported(errors, &path.child("protocol"), text(port, "protocol"), &["SCTP", "TCP", "UDP"]);
    validate_port_num_or_name(errors, at(port, "targetPort"), &path.child("targetPort"));
    if has(port, "appProtocol") {
        let protocol = text(port, "appProtocol");
        invalid_each(errors, &path.child("appProtocol"), protocol, is_qualified_name(protocol));
    }
}

fn validate_port_numbers(errors: &mut Errors, ports: &[Value], kind: &str, path: &Path) {
    if kind == "ClusterIP" {
        for (i, _) in ports.iter().enumerate().filter(|(_, p)| int(p, "nodePort").unwrap_or(0) != 0) {
            let path = path.index(i);
            let detail = "may not be used when `type` is 'ClusterIP'";
            errors.push(FieldError::forbidden(&path.child("nodePort"), detail));
        }
    }
    let key = |port: &Value, field: &str| (text(port, "protocol").to_owned(), int(port, field).unwrap_or(0));
    for (i, port) in ports.iter().enumerate() {
        let node_port = key(port, "nodePort");
        if node_port.1 != 0 && ports.iter().take(i).any(|p| key(p, "nodePort") == node_port) {
            let path = path.index(i);
            errors.push(FieldError::duplicate(&path.child("nodePort"), node_port.1));
        }
    }
    for (i, port) in ports.iter().enumerate() {
        let number = key(port, "port");
        if ports.iter().take(i).any(|p| key(p, "port") == number) {
            let shown = serde_json::json!({"protocol": number.0, "port": number.1});
            let shown = BadValue::Json(internal_json("core.ServicePort", &shown));
            errors.push(FieldError::duplicate(&path.index(i), shown));
        }
    }
}

/// The rules for `clusterIPs`, `ipFamilies` and `ipFamilyPolicy` alone, which the allocator of addresses checks before
/// it begins.
///
/// Source: pkg/apis/core/validation/validation.go `ValidateServiceClusterIPsRelatedFields` (v1.37).
pub fn validate_service_cluster_ips(service: &Value, old: Option<&Value>) -> Vec<FieldError> {
    let mut errors = Errors::new();
    let path = Path::new("spec");
    validate_cluster_ips(&mut errors, at(service, "spec"), is_headless(service), old, &path);
    errors
}

fn validate_cluster_ips(errors: &mut Errors, spec: &Value, headless: bool, old: Option<&Value>, path: &Path) {
    let ips: Vec<&str> = list(spec, "clusterIPs").iter().filter_map(Value::as_str).collect();
    let ips_path = path.child("clusterIPs");
    let shown = || at(spec, "clusterIPs").clone();
    let one = text(spec, "clusterIP");
    match (one.is_empty(), ips.first()) {
        (false, None) => errors.push(FieldError::required(&ips_path, "")),
        (false, Some(first)) if *first != one => {
            errors.push(FieldError::invalid(&ips_path, shown(), "first value must match `clusterIP`"));
        }
        (true, Some(_)) => {
            let detail = "must be empty when `clusterIP` is not specified";
            errors.push(FieldError::invalid(&ips_path, shown(), detail));
        }
        _ => {}
    }
    let families: Vec<&str> = list(spec, "ipFamilies").iter().filter_map(Value::as_str).collect();
    for (i, family) in families.iter().enumerate() {
        let families_path = path.child("ipFamilies");
        let path = families_path.index(i);
        supported(errors, &path, family, &["IPv4", "IPv6"]);
        if families.iter().take(i).any(|f| f == family) {
            errors.push(FieldError::duplicate(&path, *family));
        }
    }
    if has(spec, "ipFamilyPolicy") {
        let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
        supported(errors, &path.child("ipFamilyPolicy"), text(spec, "ipFamilyPolicy"), &policies);
    }
    let mut broken = false;
    for (i, address) in ips.iter().enumerate() {
        if i == 0 && *address == "None" {
            if ips.len() > 1 {
                broken = true;
                let detail = "'None' must be the first and only value";
                errors.push(FieldError::invalid(&ips_path, shown(), detail));
            }
            continue;
        }
        let before = errors.len();
        ip::validate_ip_legacy(errors, &ips_path.index(i), address, &old_texts(old, "clusterIPs"));
        broken |= errors.len() != before;
    }
    if ips.len() > 2 {
        errors.push(FieldError::invalid(&ips_path, shown(), "may only hold up to 2 values"));
    }
    if broken {
        return;
    }
    let is_v6 = |s: &str| s.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6());
    if ips.len() > 1 && !(ips.iter().any(|i| is_v6(i)) && ips.iter().any(|i| !is_v6(i))) {
        let detail = "may specify no more than one IP for each IP family";
        errors.push(FieldError::invalid(&ips_path, shown(), detail));
    }
    if !headless {
        for (i, (address, family)) in ips.iter().zip(&families).enumerate() {
            if (*family == "IPv4") == is_v6(address) {
                let detail = format!("expected an {family} value as indicated by `ipFamilies[{i}]`");
                errors.push(FieldError::invalid(&ips_path.index(i), *address, detail));
            }
        }
    }
}

fn validate_source_ranges(errors: &mut Errors, service: &Value, old: Option<&Value>, path: &Path) {
    const ANNOTATION: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let is_balancer = text(service, "spec.type") == "LoadBalancer";
    let detail = "may only be used when `type` is 'LoadBalancer'";
    let ranges = list(service, "spec.loadBalancerSourceRanges");
    if !ranges.is_empty() {
        let path = path.child("LoadBalancerSourceRanges");
        if !is_balancer {
            errors.push(FieldError::forbidden(&path, detail));
        }
        let before = old_texts(old, "loadBalancerSourceRanges");
        for (i, range) in ranges.iter().filter_map(Value::as_str).map(str::trim).enumerate() {
            if !before.iter().any(|b| b.trim() == range) {
                ip::validate_cidr_legacy(errors, &path.index(i), range);
            }
        }
    } else if let Some(value) = map(service, "metadata.annotations").get(ANNOTATION).and_then(Value::as_str) {
        let annotations = Path::new("metadata.annotations");
        let path = annotations.key(ANNOTATION);
        if !is_balancer {
            errors.push(FieldError::forbidden(&path, detail));
        }
        for range in value.split(',').map(str::trim).filter(|r| !value.trim().is_empty() || !r.is_empty()) {
            ip::validate_cidr_legacy(errors, &path, range);
        }
    }
}

fn validate_load_balancer_class(errors: &mut Errors, service: &Value, old: Option<&Value>, path: &Path) {
    let is_balancer = |s: &Value| text(s, "spec.type") == "LoadBalancer";
    let class = at(service, "spec.loadBalancerClass");
    let path = path.child("loadBalancerClass");
    if let Some(old) = old
        && is_balancer(old)
        && is_balancer(service)
        && at(old, "spec.loadBalancerClass") != class
    {
        errors.push(FieldError::invalid(&path, class.clone(), "may not change once set"));
    }
    let Some(name) = class.as_str() else { return };
    if is_balancer(service) {
        invalid_each(errors, &path, name, is_qualified_name(name));
    } else {
        errors.push(FieldError::forbidden(&path, "may only be used when `type` is 'LoadBalancer'"));
    }
}

fn validate_traffic_policies(errors: &mut Errors, service: &Value, path: &Path) {
    let spec = at(service, "spec");
    let external = text(spec, "externalTrafficPolicy");
    let external_path = path.child("externalTrafficPolicy");
    if is_externally_accessible(service) {
        required_supported(errors, &external_path, external, &["Cluster", "Local"]);
    } else if !external.is_empty() {
        let detail = "may only be set for externally-accessible services";
        errors.push(FieldError::invalid(&external_path, external, detail));
    }
    let health = int(spec, "healthCheckNodePort").unwrap_or(0);
    let health_path = path.child("healthCheckNodePort");
    if needs_health_check(service) {
        // The allocator fills it in before validation, so that zero only ever comes with dry code paths.
        if health != 0 {
            invalid_number(errors, &health_path, health, content::is_valid_port_num(health));
        }
    } else if health != 0 {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.push(FieldError::invalid(&health_path, health, detail));
    }
    let internal_path = path.child("internalTrafficPolicy");
    if has(spec, "internalTrafficPolicy") {
        let internal = text(spec, "internalTrafficPolicy");
        supported(errors, &internal_path, internal, &["Cluster", "Local"]);
    } else if matches!(text(spec, "type"), "NodePort" | "LoadBalancer" | "ClusterIP") {
        errors.push(FieldError::required(&internal_path, ""));
    }
    if has(spec, "trafficDistribution") {
        let values = ["PreferClose", "PreferSameZone", "PreferSameNode"];
        supported(errors, &path.child("trafficDistribution"), text(spec, "trafficDistribution"), &values);
    }
}

/// An address that can stand in an endpoint.
pub(crate) fn validate_endpoint_ip(errors: &mut Errors, address: &str, path: &Path) {
    let mut ignored = Errors::new();
    let Some(ip) = ip::parse_ip(&mut ignored, path, address) else {
        errors.push(FieldError::invalid(path, address, "must be a valid IP address"));
        return;
    };
    let mut problem = |detail: String| errors.push(FieldError::invalid(path, address, detail));
    if ip.is_unspecified() {
        problem(format!("may not be unspecified ({address})"));
    }
    if ip.is_loopback() {
        problem("may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned());
    }
    let (link_local, link_local_multicast) = match ip {
        IpAddr::V4(v4) => (v4.is_link_local(), v4.octets().starts_with(&[224, 0, 0])),
        IpAddr::V6(v6) => (v6.is_unicast_link_local(), v6.segments().first() == Some(&0xff02)),
    };
    if link_local {
        problem("may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned());
    }
    if link_local_multicast {
        problem("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned());
    }
}

pub(crate) fn validate_endpoints(errors: &mut Errors, object: &Value, old: Option<&Value>) {
    if old.is_some_and(|o| at(o, "subsets") == at(object, "subsets")) {
        return;
    }
    for (i, subset) in list(object, "subsets").iter().enumerate() {
        let subsets = Path::new("subsets");
        let path = subsets.index(i);
        if list(subset, "addresses").is_empty() && list(subset, "notReadyAddresses").is_empty() {
            errors.push(FieldError::required(&path, "must specify `addresses` or `notReadyAddresses`"));
        }
        for name in ["addresses", "notReadyAddresses"] {
            for (j, address) in list(subset, name).iter().enumerate() {
                let addresses = path.child(name);
                let path = addresses.index(j);
                let ip = text(address, "ip");
                ip::validate_ip_legacy(errors, &path.child("ip"), ip, &[]);
                let host = text(address, "hostname");
                if !host.is_empty() {
                    invalid_each(errors, &path.child("hostname"), host, is_dns1123_label(host));
                }
                if has(address, "nodeName") {
                    let node = text(address, "nodeName");
                    invalid_each(errors, &path.child("nodeName"), node, name_is_dns_subdomain(node, false));
                }
                validate_endpoint_ip(errors, ip, &path.child("ip"));
            }
        }
        let ports = list(subset, "ports");
        for (j, port) in ports.iter().enumerate() {
            let ports_path = path.child("ports");
            let path = ports_path.index(j);
            let name = text(port, "name");
            if ports.len() > 1 && name.is_empty() {
                errors.push(FieldError::required(&path.child("name"), ""));
            } else if !name.is_empty() {
                invalid_each(errors, &path.child("name"), name, is_dns1123_label(name));
            }
            let number = int(port, "port").unwrap_or(0);
            invalid_number(errors, &path.child("port"), number, content::is_valid_port_num(number));
            let protocol = text(port, "protocol");
            required_supported(errors, &path.child("protocol"), protocol, &["SCTP", "TCP", "UDP"]);
            if has(port, "appProtocol") {
                let protocol = text(port, "appProtocol");
                invalid_each(errors, &path.child("appProtocol"), protocol, is_qualified_name(protocol));
            }
        }
    }
}

pub(crate) fn validate_endpoint_slice(errors: &mut Errors, slice: &Value, old: Option<&Value>) {
    let family = text(slice, "addressType");
    validate_slice_ports(errors, list(slice, "ports"), &Path::new("ports"));
    let endpoints = list(slice, "endpoints");
    let path = Path::new("endpoints");
    if old.is_none_or(|o| at(o, "endpoints") != at(slice, "endpoints")) {
        validate_slice_endpoints(errors, endpoints, family, &path);
    }
    // What generated validation says comes last.
    required_supported(errors, &Path::new("addressType"), family, &["FQDN", "IPv4", "IPv6"]);
    if let Some(old) = old {
        let of = |slice| Value::from(text(slice, "addressType"));
        meta::immutable(errors, &of(slice), &of(old), &Path::new("addressType"));
    }
    for (i, endpoint) in endpoints.iter().enumerate() {
        let (path, count) = (path.index(i), list(endpoint, "addresses").len());
        match count {
            0 => errors.push(FieldError::required(&path.child("addresses"), "")),
            1..=100 => {}
            count => errors.push(FieldError::too_many(&path.child("addresses"), count, 100)),
        }
    }
}

fn validate_slice_ports(errors: &mut Errors, ports: &[Value], path: &Path) {
    if ports.len() > 20_000 {
        errors.push(FieldError::too_many(path, ports.len(), 20_000));
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        let path = path.index(i);
        let name = text(port, "name");
        if !name.is_empty() {
            invalid_each(errors, &path.child("name"), name, is_dns1123_label(name));
        }
        if names.contains(&name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        }
        names.push(name);
        if has(port, "protocol") {
            supported(errors, &path.child("protocol"), text(port, "protocol"), &["SCTP", "TCP", "UDP"]);
        } else {
            errors.push(FieldError::required(&path.child("protocol"), ""));
        }
        if has(port, "appProtocol") {
            let protocol = text(port, "appProtocol");
            invalid_each(errors, &path.child("appProtocol"), protocol, is_qualified_name(protocol));
        }
    }
}

fn validate_slice_endpoints(errors: &mut Errors, endpoints: &[Value], family: &str, path: &Path) {
    if endpoints.len() > 1000 {
        errors.push(FieldError::too_many(path, endpoints.len(), 1000));
        return;
    }
    for (i, endpoint) in endpoints.iter().enumerate() {
        let path = path.index(i);
        let addresses = list(endpoint, "addresses");
        let addresses_path = path.child("addresses");
        for (j, address) in addresses.iter().filter_map(Value::as_str).enumerate() {
            validate_slice_address(errors, address, family, &addresses_path, j);
        }
        if has(endpoint, "nodeName") {
            let node = text(endpoint, "nodeName");
            invalid_each(errors, &path.child("nodeName"), node, name_is_dns_subdomain(node, false));
        }
        let topology = map(endpoint, "deprecatedTopology");
        if topology.len() > 16 {
            errors.push(FieldError::too_many(&path.child("deprecatedTopology"), topology.len(), 16));
        }
        validate_labels(errors, topology, &path.child("deprecatedTopology"));
        if has(endpoint, "hostname") {
            let host = text(endpoint, "hostname");
            invalid_each(errors, &path.child("hostname"), host, is_dns1123_label(host));
        }
        validate_slice_hints(errors, at(endpoint, "hints"), &path.child("hints"));
    }
}

fn validate_slice_address(errors: &mut Errors, address: &str, family: &str, path: &Path, index: usize) {
    let here = path.index(index);
    let before = errors.len();
    let is_v4 = match family {
        "IPv4" => {
            ip::validate_ip_legacy(errors, &here, address, &[]);
            true
        }
        "IPv6" => {
            ip::parse_ip(errors, &here, address);
            false
        }
        "FQDN" => {
            validate_fqdn(errors, address, &here);
            return;
        }
        _ => return,
    };
    if errors.len() > before {
        return;
    }
    if address.contains(':') == is_v4 {
        errors.push(FieldError::invalid(path, address, format!("must be an {family} address")));
    }
    validate_endpoint_ip(errors, address, &here);
}

fn validate_fqdn(errors: &mut Errors, name: &str, path: &Path) {
    if name.is_empty() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let messages = content::is_dns1123_subdomain(name);
    if !messages.is_empty() {
        errors.push(FieldError::invalid(path, name, messages.join(",")));
    } else if name.split('.').count() < 2 {
        let detail = "should be a domain with at least two segments separated by dots";
        errors.push(FieldError::invalid(path, name, detail));
    } else {
        for label in name.split('.') {
            let messages = is_dns1123_label(label);
            if !messages.is_empty() {
                errors.push(FieldError::invalid(path, label, messages.join(",")));
            }
        }
    }
}

fn validate_slice_hints(errors: &mut Errors, hints: &Value, path: &Path) {
    for (field, check) in [
        ("forZones", content::is_valid_label_value as fn(&str) -> Vec<String>),
        ("forNodes", |name| name_is_dns_subdomain(name, false)),
    ] {
        let path = path.child(field);
        let hints = list(hints, field);
        if hints.len() > 8 {
            errors.push(FieldError::too_many(&path, hints.len(), 8));
            return;
        }
        let mut names: Vec<&str> = Vec::new();
        for (i, hint) in hints.iter().enumerate() {
            let hint_path = path.index(i);
            let path = hint_path.child("name");
            let name = text(hint, "name");
            if names.contains(&name) {
                errors.push(FieldError::duplicate(&path, name));
            }
            names.push(name);
            invalid_each(errors, &path, name, check(name));
        }
    }
}
