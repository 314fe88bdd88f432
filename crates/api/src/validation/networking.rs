//! Ingress, IngressClass, NetworkPolicy.
//!
//! Source: pkg/apis/networking/validation/validation.go (v1.37).

use super::content;
use super::field::{FieldError, Path};
use super::meta::{self, name_is_dns_label, name_is_dns_subdomain};
use super::{Errors, invalid_each, invalid_number, ip, required, supported};
use crate::schema::tree::{at, has, int, list, map, text};
use serde_json::Value;

pub(crate) fn validate_ingress(errors: &mut Errors, ingress: &Value, is_new: bool) {
    let spec = at(ingress, "spec");
    let path = Path::new("spec");
    let rules = list(spec, "rules");
    if rules.is_empty() && !has(spec, "defaultBackend") {
        let detail = "either `defaultBackend` or `rules` must be specified";
        errors.push(FieldError::invalid(&path, Value::Null, detail));
    }
    if has(spec, "defaultBackend") {
        validate_backend(errors, at(spec, "defaultBackend"), &path.child("defaultBackend"));
    }
    for (i, rule) in rules.iter().enumerate() {
        let rules_path = path.child("rules");
        let path = rules_path.index(i);
        let host = text(rule, "host");
        let host_path = path.child("host");
        if !host.is_empty() {
            let mut ignored = Errors::new();
            if ip::parse_ip(&mut ignored, &host_path, host).is_some() {
                let detail = "must be a DNS name, not an IP address";
                errors.push(FieldError::invalid(&host_path, host, detail));
            }
            invalid_each(errors, &host_path, host, host_messages(host));
        }
        if has(rule, "http") {
            let http = path.child("http");
            let paths = list(rule, "http.paths");
            let paths_path = http.child("paths");
            if paths.is_empty() {
                errors.push(FieldError::required(&paths_path, ""));
            }
            for (j, item) in paths.iter().enumerate() {
                validate_path(errors, item, &paths_path.index(j));
            }
        }
    }
    for (i, tls) in list(spec, "tls").iter().enumerate() {
        let tls_path = path.child("tls");
        let path = tls_path.index(i);
        for (j, host) in list(tls, "hosts").iter().filter_map(Value::as_str).enumerate() {
            invalid_each(errors, &path.child("hosts").index(j), host, host_messages(host));
        }
        let secret = text(tls, "secretName");
        if !secret.is_empty() {
            invalid_each(errors, &path.child("secretName"), secret, name_is_dns_subdomain(secret, false));
        }
    }
    if has(spec, "ingressClassName") {
        let class = text(spec, "ingressClassName");
        let class_path = path.child("ingressClassName");
        invalid_each(errors, &class_path, class, name_is_dns_subdomain(class, false));
        const ANNOTATION: &str = "kubernetes.io/ingress.class";
        let annotation = map(ingress, "metadata.annotations").get(ANNOTATION).and_then(Value::as_str);
        if let Some(value) = annotation.filter(|v| is_new && *v != class) {
            let path = Path::new("annotations");
            let detail = "must match `ingressClassName` when both are specified";
            errors.push(FieldError::invalid(&path.child(ANNOTATION), value, detail));
        }
    }
}

fn host_messages(host: &str) -> Vec<String> {
    if host.contains('*') {
        content::is_wildcard_dns1123_subdomain(host)
    } else {
        content::is_dns1123_subdomain(host)
    }
}

fn validate_path(errors: &mut Errors, item: &Value, path: &Path) {
    if !has(item, "pathType") {
        errors.push(FieldError::required(&path.child("pathType"), "pathType must be specified"));
        return;
    }
    let target = text(item, "path");
    let target_path = path.child("path");
    let kind = text(item, "pathType");
    let absolute = target.starts_with('/');
    match kind {
        "Exact" | "Prefix" => {
            if !absolute {
                errors.push(FieldError::invalid(&target_path, target, "must be an absolute path"));
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] {
                if target.contains(part) {
                    let detail = format!("must not contain '{part}'");
                    errors.push(FieldError::invalid(&target_path, target, detail));
                }
            }
            for end in ["/..", "/."] {
                if target.ends_with(end) {
                    let detail = format!("cannot end with '{end}'");
                    errors.push(FieldError::invalid(&target_path, target, detail));
                }
            }
        }
        "ImplementationSpecific" => {
            if !target.is_empty() && !absolute {
                errors.push(FieldError::invalid(&target_path, target, "must be an absolute path"));
            }
        }
        _ => {
            let kinds = ["Exact", "ImplementationSpecific", "Prefix"];
            errors.push(FieldError::not_supported(&path.child("pathType"), kind, &kinds));
        }
    }
    validate_backend(errors, at(item, "backend"), &path.child("backend"));
}

fn validate_backend(errors: &mut Errors, backend: &Value, path: &Path) {
    match (has(backend, "resource"), has(backend, "service")) {
        (true, true) => {
            let detail = "cannot set both resource and service backends";
            errors.push(FieldError::invalid(path, "", detail));
        }
        (true, false) => {
            validate_object_reference(errors, at(backend, "resource"), &path.child("resource"));
        }
        (false, true) => {
            let name = text(backend, "service.name");
            let name_path = path.child("service.name");
            if required(errors, &name_path, name) {
                invalid_each(errors, &name_path, name, name_is_dns_label(name, false));
            }
            let port = text(backend, "service.port.name");
            let number = int(backend, "service.port.number").unwrap_or(0);
            match (port.is_empty(), number) {
                (false, 0) => {
                    let path = path.child("service.port.name");
                    invalid_each(errors, &path, port, content::is_valid_port_name(port));
                }
                (false, _) => {
                    let detail = "cannot set both port name & port number";
                    errors.push(FieldError::invalid(path, "", detail));
                }
                (true, 0) => errors.push(FieldError::required(path, "port name or number is required")),
                (true, _) => {
                    let path = path.child("service.port.number");
                    invalid_number(errors, &path, number, content::is_valid_port_num(number));
                }
            }
        }
        (false, false) => {
            errors.push(FieldError::invalid(path, "", "resource or service backend is required"));
        }
    }
}

fn validate_object_reference(errors: &mut Errors, reference: &Value, path: &Path) {
    if has(reference, "apiGroup") {
        let group = text(reference, "apiGroup");
        invalid_each(errors, &path.child("apiGroup"), group, content::is_dns1123_subdomain(group));
    }
    for field in ["kind", "name"] {
        let value = text(reference, field);
        if required(errors, &path.child(field), value) {
            invalid_each(errors, &path.child(field), value, content::is_path_segment_name(value));
        }
    }
}

pub(crate) fn validate_ingress_class(errors: &mut Errors, class: &Value) {
    let path = Path::new("spec");
    let controller = text(class, "spec.controller");
    let controller_path = path.child("controller");
    if controller.len() > 250 {
        errors.push(FieldError::too_long(&controller_path, 250));
    }
    super::domain::validate_domain_prefixed_path(errors, controller, &controller_path);
    let parameters = at(class, "spec.parameters");
    if parameters.is_null() {
        return;
    }
    let path = path.child("parameters");
    validate_object_reference(errors, parameters, &path);
    let scope = text(parameters, "scope");
    let namespace_path = path.child("namespace");
    match (scope, at(parameters, "namespace").as_str()) {
        ("Namespace", None) => {
            let detail = "`parameters.scope` is set to 'Namespace'";
            errors.push(FieldError::required(&namespace_path, detail));
        }
        ("Namespace", Some(namespace)) => {
            invalid_each(errors, &namespace_path, namespace, name_is_dns_label(namespace, false));
        }
        ("Cluster", Some(_)) => {
            let detail = "`parameters.scope` is set to 'Cluster'";
            errors.push(FieldError::forbidden(&namespace_path, detail));
        }
        ("Cluster", None) => {}
        _ => supported(errors, &path.child("scope"), scope, &["Cluster", "Namespace"]),
    }
}

pub(crate) fn validate_network_policy(errors: &mut Errors, policy: &Value) {
    let spec = at(policy, "spec");
    let path = Path::new("spec");
    meta::validate_label_selector(errors, at(spec, "podSelector"), &path.child("podSelector"));
    for (direction, peers) in [("ingress", "from"), ("egress", "to")] {
        for (i, rule) in list(spec, direction).iter().enumerate() {
            let rules = path.child(direction);
            let path = rules.index(i);
            for (j, port) in list(rule, "ports").iter().enumerate() {
                validate_policy_port(errors, port, &path.child("ports").index(j));
            }
            for (j, peer) in list(rule, peers).iter().enumerate() {
                validate_policy_peer(errors, peer, &path.child(peers).index(j));
            }
        }
    }
    let types = list(spec, "policyTypes");
    let types_path = path.child("policyTypes");
    if types.len() > 2 {
        let detail = "may not specify more than two policyTypes";
        errors.push(FieldError::invalid(&types_path, types.to_vec(), detail));
        return;
    }
    for (i, kind) in types.iter().filter_map(Value::as_str).enumerate() {
        supported(errors, &types_path.index(i), kind, &["Ingress", "Egress"]);
    }
}

fn validate_policy_port(errors: &mut Errors, port: &Value, path: &Path) {
    if has(port, "protocol") {
        supported(errors, &path.child("protocol"), text(port, "protocol"), &["TCP", "UDP", "SCTP"]);
    }
    let end = int(port, "endPort");
    let end_path = path.child("endPort");
    match at(port, "port") {
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or(0);
            invalid_number(errors, &path.child("port"), number, content::is_valid_port_num(number));
            if let Some(end) = end {
                if end < number {
                    let detail = "must be greater than or equal to `port`";
                    errors.push(FieldError::invalid(&end_path, end, detail));
                }
                invalid_number(errors, &end_path, end, content::is_valid_port_num(end));
            }
        }
        Value::String(name) => {
            if let Some(end) = end {
                let detail = "may not be specified when `port` is non-numeric";
                errors.push(FieldError::invalid(&end_path, end, detail));
            }
            invalid_each(errors, &path.child("port"), name, content::is_valid_port_name(name));
        }
        _ => {
            if let Some(end) = end {
                let detail = "may not be specified when `port` is not specified";
                errors.push(FieldError::invalid(&end_path, end, detail));
            }
        }
    }
}

fn validate_policy_peer(errors: &mut Errors, peer: &Value, path: &Path) {
    let mut count = 0;
    for field in ["podSelector", "namespaceSelector"] {
        if has(peer, field) {
            count += 1;
            meta::validate_label_selector(errors, at(peer, field), &path.child(field));
        }
    }
    if has(peer, "ipBlock") {
        count += 1;
        validate_ip_block(errors, at(peer, "ipBlock"), &path.child("ipBlock"));
    }
    if count == 0 {
        errors.push(FieldError::required(path, "must specify a peer"));
    } else if count > 1 && has(peer, "ipBlock") {
        errors.push(FieldError::forbidden(path, "may not specify both ipBlock and another peer"));
    }
}

fn validate_ip_block(errors: &mut Errors, block: &Value, path: &Path) {
    let cidr = text(block, "cidr");
    if !required(errors, &path.child("cidr"), cidr) {
        return;
    }
    let Some(network) = ip::validate_cidr_legacy(errors, &path.child("cidr"), cidr) else { return };
    for (i, except) in list(block, "except").iter().filter_map(Value::as_str).enumerate() {
        let excepts = path.child("except");
        let path = excepts.index(i);
        let Some((ip, bits)) = ip::validate_cidr_legacy(errors, &path, except) else { continue };
        if !ip::cidr_contains(network, ip) || network.1 >= bits {
            errors.push(FieldError::invalid(&path, except, "must be a strict subset of `cidr`"));
        }
    }
}
