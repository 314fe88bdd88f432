//! `kubectl create ingress`.
//!
//! Source: k8s.io/kubectl/pkg/cmd/create/create_ingress.go (v1.37).

use super::{finish, name};
use crate::cx::{Cx, Flow};
use crate::error::{Result, message};
use crate::flags::Parsed;
use podlab_api::kinds;
use serde_json::{Map, Value, json};

/// `host/path=service:port[,tls[=secret]]`.
fn fits(rule: &str) -> bool {
    let (main, tls) = match rule.split_once(',') {
        Some((main, tls)) => (main, Some(tls)),
        None => (rule, None),
    };
    let tls_fits = tls.is_none_or(|t| {
        t == "tls"
            || t.strip_prefix("tls=")
                .is_some_and(|s| s.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'))
    });
    let Some((_, rest)) = main.split_once('/') else { return false };
    let Some((path, service)) = rest.split_once('=') else { return false };
    let Some((service, port)) = service.split_once(':') else { return false };
    tls_fits
        && !path.contains('=')
        && !service.is_empty()
        && !port.is_empty()
        && service.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && port.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn backend(spec: &str) -> Value {
    let (service, port) = spec.split_once(':').unwrap_or((spec, ""));
    let port = match port.parse::<i32>() {
        Ok(number) => json!({"number": number}),
        Err(_) => json!({"name": port}),
    };
    json!({"service": {"name": service, "port": port}})
}

pub(super) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let name = name(parsed)?;
    let rules = parsed.list("rule");
    let default = parsed.str("default-backend");
    if default.is_empty() && rules.is_empty() {
        return message(
            "not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a list of rules (which catch specific paths)",
        );
    }
    for rule in &rules {
        if !fits(rule) {
            return message(format!(
                "rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]"
            ));
        }
    }
    let mut annotations = Map::new();
    for annotation in parsed.list("annotation") {
        let Some((key, value)) = annotation.split_once('=') else {
            return message(format!(
                "annotation {annotation} is invalid and should be in format key=[value]"
            ));
        };
        annotations.insert(key.to_owned(), value.into());
    }
    if !default.is_empty() && default.split(':').count() != 2 {
        return message("default-backend should be in format servicename:serviceport");
    }
    let mut spec = json!({});
    if !parsed.str("class").is_empty() {
        spec["ingressClassName"] = parsed.str("class").into();
    }
    if !default.is_empty() {
        spec["defaultBackend"] = backend(default);
    }
    let tls = tls(&rules);
    if !tls.is_empty() {
        spec["tls"] = tls.into();
    }
    let hosts = hosts(&rules);
    if !hosts.is_empty() {
        spec["rules"] = hosts.into();
    }
    let mut meta = json!({"name": name});
    if !annotations.is_empty() {
        meta["annotations"] = Value::Object(annotations);
    }
    let object = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": spec,
        "status": {"loadBalancer": {}}});
    finish(cx, parsed, &kinds::INGRESS, object, "failed to create ingress: ")
}

fn tls(rules: &[String]) -> Vec<Value> {
    let mut out: Vec<(Vec<String>, String)> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for rule in rules {
        let Some((main, tls)) = rule.split_once(',') else { continue };
        let host = main.split('/').next().unwrap_or("");
        if seen.contains(&host) {
            continue;
        }
        seen.push(host);
        let secret = tls.split_once('=').map_or("", |(_, s)| s);
        match out.iter_mut().find(|(_, s)| s == secret) {
            Some((hosts, _)) => hosts.push(host.to_owned()),
            None => {
                let hosts = if host.is_empty() { Vec::new() } else { vec![host.to_owned()] };
                if !hosts.is_empty() || !secret.is_empty() {
                    out.push((hosts, secret.to_owned()));
                }
            }
        }
    }
    out.into_iter()
        .map(|(hosts, secret)| {
            let mut entry = json!({});
            if !hosts.is_empty() {
                entry["hosts"] = hosts.into();
            }
            if !secret.is_empty() {
                entry["secretName"] = secret.into();
            }
            entry
        })
        .collect()
}

fn hosts(rules: &[String]) -> Vec<Value> {
    let mut out: Vec<(String, Vec<Value>)> = Vec::new();
    for rule in rules {
        let main = rule.split(',').next().unwrap_or("");
        let (host, rest) = main.split_once('/').unwrap_or((main, ""));
        let (path, service) = rest.split_once('=').unwrap_or((rest, ""));
        let (path, kind) = match path.strip_suffix('*') {
            Some(prefix) => (prefix, "Prefix"),
            None => (path, "Exact"),
        };
        let entry = json!({"path": format!("/{path}"), "pathType": kind, "backend": backend(service)});
        match out.iter_mut().find(|(h, _)| h == host) {
            Some((_, paths)) => paths.push(entry),
            None => out.push((host.to_owned(), vec![entry])),
        }
    }
    out.into_iter()
        .map(|(host, paths)| {
            let mut rule = json!({"http": {"paths": paths}});
            if !host.is_empty() {
                rule["host"] = host.into();
            }
            rule
        })
        .collect()
}
