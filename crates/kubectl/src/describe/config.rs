//! Namespaces, ConfigMaps, Secrets, ServiceAccounts, quotas and limit ranges.

use super::{Out, or};
use crate::cx::Cx;
use crate::error::Result;
use crate::value::{at, list, name, plain, text};
use podlab_api::kinds;
use serde_json::Value;

pub(super) fn config_map(out: &mut Out, object: &Value) {
    out.head(object);
    out.line(0, "");
    out.line(0, "Data");
    out.line(0, "====");
    for (key, value) in at(object, &["data"]).as_object().into_iter().flatten() {
        out.line(0, format!("{key}:\n----"));
        out.line(0, value.as_str().unwrap_or(""));
        out.line(0, "");
    }
    out.line(0, "");
    out.line(0, "BinaryData");
    out.line(0, "====");
    for (key, value) in at(object, &["binaryData"]).as_object().into_iter().flatten() {
        out.line(0, format!("{key}: {} bytes", decoded_len(value.as_str().unwrap_or(""))));
    }
    out.line(0, "");
}

fn decoded_len(base64: &str) -> usize {
    let digits = base64.bytes().filter(|b| b.is_ascii_alphanumeric() || *b == b'+' || *b == b'/').count();
    digits * 3 / 4
}

pub(super) fn secret(out: &mut Out, object: &Value) {
    out.head(object);
    out.line(0, format!("\nType:\t{}", text(object, &["type"])));
    out.line(0, "\nData\n====");
    let token = text(object, &["type"]) == "kubernetes.io/service-account-token";
    for (key, value) in at(object, &["data"]).as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or("");
        if token && key == "token" {
            out.line(0, format!("{key}:\t<token>"));
        } else {
            out.line(0, format!("{key}:\t{} bytes", decoded_len(value)));
        }
    }
}

pub(super) fn service_account(out: &mut Out, object: &Value) {
    out.head(object);
    let names: Vec<String> =
        list(object, &["imagePullSecrets"]).iter().map(|s| text(s, &["name"]).to_owned()).collect();
    out.many("Image pull secrets", &names);
    let secrets: Vec<String> =
        list(object, &["secrets"]).iter().map(|s| text(s, &["name"]).to_owned()).collect();
    if !secrets.is_empty() {
        out.many("Mountable secrets", &secrets);
    }
}

fn rows(object: &Value) -> Vec<[String; 7]> {
    let mut out = Vec::new();
    for limit in list(object, &["spec", "limits"]) {
        let fields = ["min", "max", "defaultRequest", "default", "maxLimitRequestRatio"];
        let mut resources: Vec<&String> = Vec::new();
        for field in fields {
            for key in at(limit, &[field]).as_object().into_iter().flatten().map(|(k, _)| k) {
                if !resources.contains(&key) {
                    resources.push(key);
                }
            }
        }
        resources.sort();
        for resource in resources {
            let cell = |field: &str| {
                let shown = plain(at(limit, &[field, resource]));
                or(&shown, "-").to_owned()
            };
            out.push([
                text(limit, &["type"]).to_owned(),
                resource.clone(),
                cell("min"),
                cell("max"),
                cell("defaultRequest"),
                cell("default"),
                cell("maxLimitRequestRatio"),
            ]);
        }
    }
    out
}

const LIMIT_HEAD: [&str; 2] = [
    "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio",
    "----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
];

pub(super) fn limit_range(out: &mut Out, object: &Value) {
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", crate::value::namespace(object)));
    for head in LIMIT_HEAD {
        out.line(0, head);
    }
    for row in rows(object) {
        out.line(0, row.join("\t"));
    }
}

fn scopes(out: &mut Out, level: usize, object: &Value) {
    let all: Vec<&str> = list(object, &["spec", "scopes"]).iter().filter_map(Value::as_str).collect();
    if all.is_empty() {
        return;
    }
    let mut sorted = all.clone();
    sorted.sort_unstable();
    out.line(level, format!("Scopes:\t{}", sorted.join(", ")));
    for scope in sorted {
        let help = match scope {
            "Terminating" => {
                "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before being actively terminated by the system."
            }
            "NotTerminating" => {
                "Matches all pods that do not have an active deadline. These pods usually include long running pods whose container command is not expected to terminate."
            }
            "BestEffort" => {
                "Matches all pods that do not have resource requirements set. These pods have a best effort quality of service."
            }
            "NotBestEffort" => {
                "Matches all pods that have at least one resource requirement set. These pods have a burstable or guaranteed quality of service."
            }
            _ => continue,
        };
        out.line(level, format!("* {help}"));
    }
}

fn usage(object: &Value) -> Vec<String> {
    at(object, &["status", "hard"])
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, hard)| {
            let used = plain(at(object, &["status", "used", key]));
            format!("{key}\t{}\t{}", or(&used, "0"), plain(hard))
        })
        .collect()
}

pub(super) fn quota(out: &mut Out, object: &Value) {
    out.line(0, format!("Name:\t{}", name(object)));
    out.line(0, format!("Namespace:\t{}", crate::value::namespace(object)));
    let scoped: Vec<&str> = list(object, &["spec", "scopes"]).iter().filter_map(Value::as_str).collect();
    if !scoped.is_empty() {
        scopes_of_quota(out, object);
    }
    out.line(0, "Resource\tUsed\tHard");
    out.line(0, "--------\t----\t----");
    for row in usage(object) {
        out.line(0, row);
    }
}

fn scopes_of_quota(out: &mut Out, object: &Value) {
    let mut writer = Out::new(out.now);
    scopes(&mut writer, 0, object);
    for line in writer.finish().lines() {
        match line.strip_prefix("* ") {
            Some(help) => out.line(0, format!(" * {help}")),
            None => out.line(0, line.replacen(":  ", ":\t", 1)),
        }
    }
}

pub(super) fn namespace(cx: &mut Cx<'_>, out: &mut Out, object: &Value) -> Result<()> {
    out.line(0, format!("Name:\t{}", name(object)));
    out.marks(object);
    out.line(0, format!("Status:\t{}", text(object, &["status", "phase"])));
    let conditions = list(object, &["status", "conditions"]);
    if !conditions.is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus\tLastTransitionTime\tReason\tMessage");
        out.line(1, "----\t------\t------------------\t------\t-------");
        for c in conditions {
            out.line(
                1,
                format!(
                    "{}\t{}\t{}\t{}\t{}",
                    text(c, &["type"]),
                    text(c, &["status"]),
                    super::time(text(c, &["lastTransitionTime"])),
                    text(c, &["reason"]),
                    text(c, &["message"])
                ),
            );
        }
    }
    let quotas = cx.select(&kinds::RESOURCE_QUOTA, name(object), "")?;
    if quotas.is_empty() {
        out.line(0, "\nNo resource quota.");
    } else {
        out.line(0, "\nResource Quotas");
        for quota in &quotas {
            out.line(1, format!("Name:\t{}", name(quota)));
            scopes(out, 1, quota);
            out.line(1, "Resource\tUsed\tHard");
            out.line(1, "--------\t---\t---");
            for row in usage(quota) {
                out.line(1, row);
            }
        }
    }
    let ranges = cx.select(&kinds::LIMIT_RANGE, name(object), "")?;
    if ranges.is_empty() {
        out.line(0, "\nNo LimitRange resource.");
    } else {
        out.line(0, "\nResource Limits");
        for head in LIMIT_HEAD {
            out.line(0, format!(" {head}"));
        }
        for range in &ranges {
            for row in rows(range) {
                out.line(0, format!(" {}", row.join("\t")));
            }
        }
    }
    Ok(())
}
