//! `kubectl version`, `api-resources`, `api-versions`, `cluster-info`, `auth`, `completion`, `options`.

use super::discovery_table::OTHERS;
use crate::cx::{Cx, Flow, done};
use crate::error::{Error, Result, message, usage};
use crate::flags::Parsed;
use crate::print::tabwriter::TabWriter;
use podlab_api::{kinds, server_version};
use serde_json::{Value, json};

/// The release that podlab is.
pub(crate) const VERSION: &str = "v1.37.1";
const KUSTOMIZE: &str = "v5.8.1";

pub(crate) fn version(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if parsed.args.len() > 1 {
        return message(format!("extra arguments: [{}]", parsed.args.join(" ")));
    }
    let output = parsed.str("output").to_owned();
    if !["", "yaml", "json"].contains(&output.as_str()) {
        return message("--output must be 'yaml' or 'json'");
    }
    let client_only = parsed.bool("client");
    let server = !client_only && cx.config.has_server();
    // Only a server emulates versions.
    let client = server_version::INFO
        .iter()
        .filter(|(name, _)| !name.starts_with("emulation") && !name.starts_with("minCompatibility"))
        .copied()
        .collect::<Vec<_>>();
    match output.as_str() {
        "json" => {
            let block = |key: &str, info: &[(&str, &str)]| {
                let fields: Vec<String> =
                    info.iter().map(|(name, value)| format!("    {name:?}: {value:?}")).collect();
                format!("  {key:?}: {{\n{}\n  }}", fields.join(",\n"))
            };
            let mut parts =
                vec![block("clientVersion", &client), format!("  \"kustomizeVersion\": {KUSTOMIZE:?}")];
            if server {
                parts.push(block("serverVersion", &server_version::INFO));
            }
            cx.out(&format!("{{\n{}\n}}\n", parts.join(",\n")));
        }
        "yaml" => {
            let info = |info: &[(&str, &str)]| -> Value {
                info.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect()
            };
            let mut full = json!({"clientVersion": info(&client), "kustomizeVersion": KUSTOMIZE});
            if server {
                full["serverVersion"] = info(&server_version::INFO);
            }
            cx.out(&podlab_yaml::to_yaml(&full));
        }
        _ => {
            cx.outln(&format!("Client Version: {VERSION}"));
            cx.outln(&format!("Kustomize Version: {KUSTOMIZE}"));
            if server {
                cx.outln(&format!("Server Version: {VERSION}"));
            }
        }
    }
    if !client_only {
        cx.discover(0)?;
    }
    done()
}

struct Resource {
    name: String,
    short: String,
    api_version: String,
    namespaced: bool,
    kind: String,
    verbs: &'static str,
    categories: String,
}

const CUSTOM_VERBS: &str = "delete,deletecollection,get,list,patch,create,update,watch";

fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(g, _)| g)
}

/// Everything discovery lists, by group, then name: podlab's kinds, those that only answer, and what custom resource
/// definitions add.
fn all(cx: &mut Cx<'_>) -> Vec<Resource> {
    const VERBS: &str = "create,delete,deletecollection,get,list,patch,update,watch";
    let mut out: Vec<Resource> = kinds::ALL
        .iter()
        .map(|k| Resource {
            name: k.plural.to_owned(),
            short: k.short_names.join(","),
            api_version: k.api_version().into_owned(),
            namespaced: k.namespaced,
            kind: k.kind.to_owned(),
            verbs: VERBS,
            categories: k.categories.join(","),
        })
        .collect();
    for (name, short, api_version, namespaced, kind) in OTHERS {
        if out.iter().any(|r| r.name == *name && r.api_version == *api_version) {
            continue;
        }
        let verbs = match *kind {
            "Binding" => "create",
            "ComponentStatus" => "get,list",
            k if k.ends_with("Review") => "create",
            _ => VERBS,
        };
        out.push(Resource {
            name: (*name).to_owned(),
            short: (*short).to_owned(),
            api_version: (*api_version).to_owned(),
            namespaced: *namespaced,
            kind: (*kind).to_owned(),
            verbs,
            categories: String::new(),
        });
    }
    // Of several versions the preferred one is shown.
    let mut seen: Vec<&podlab_api::Kind> = Vec::new();
    for kind in cx.defined() {
        if !seen.contains(&kind) {
            seen.push(kind);
            out.push(Resource {
                name: kind.plural.to_owned(),
                short: kind.short_names.join(","),
                api_version: kind.api_version().into_owned(),
                namespaced: kind.namespaced,
                kind: kind.kind.to_owned(),
                verbs: CUSTOM_VERBS,
                categories: kind.categories.join(","),
            });
        }
    }
    out.sort_by(|a, b| {
        (group(&a.api_version), &a.api_version, &a.name).cmp(&(
            group(&b.api_version),
            &b.api_version,
            &b.name,
        ))
    });
    out
}

/// Group, plural and whether it lives in a namespace, of what only discovery knows, by plural or short name with or
/// without its group.
pub(crate) fn served(cx: &mut Cx<'_>, word: &str) -> Option<(String, String, bool)> {
    let (name, of) = word.split_once('.').map_or((word, None), |(name, of)| (name, Some(of)));
    let all = all(cx);
    let found = all.iter().find(|r| {
        let named = r.name == name || r.kind.to_lowercase() == name || r.short.split(',').any(|s| s == name);
        named && of.is_none_or(|of| group(&r.api_version) == of)
    })?;
    Some((group(&found.api_version).to_owned(), found.name.clone(), found.namespaced))
}

pub(crate) fn api_resources(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if !parsed.args.is_empty() {
        return usage(&parsed.path, format!("unexpected arguments: [{}]", parsed.args.join(" ")));
    }
    let output = parsed.str("output").to_owned();
    if !["", "wide", "name"].contains(&output.as_str()) {
        return message(format!("--output {output} is not available"));
    }
    let sort = parsed.str("sort-by").to_owned();
    if !["", "name", "kind"].contains(&sort.as_str()) {
        return message("--sort-by accepts only name or kind");
    }
    cx.discover(1)?;
    let mut shown = all(cx);
    if parsed.changed("api-group") {
        shown.retain(|r| group(&r.api_version) == parsed.str("api-group"));
    }
    if parsed.changed("namespaced") {
        shown.retain(|r| r.namespaced == parsed.bool("namespaced"));
    }
    let verbs = parsed.list("verbs");
    shown.retain(|r| verbs.iter().all(|v| r.verbs.split(',').any(|own| own == v)));
    let categories = parsed.list("categories");
    shown.retain(|r| categories.iter().all(|c| r.categories.split(',').any(|own| own == c)));
    match sort.as_str() {
        "name" => shown.sort_by(|a, b| a.name.cmp(&b.name)),
        "kind" => shown.sort_by(|a, b| a.kind.cmp(&b.kind)),
        _ => {}
    }
    let mut table = TabWriter::table();
    if output != "name" && !parsed.bool("no-headers") {
        table.write("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND");
        table.write(if output == "wide" { "\tVERBS\tCATEGORIES\n" } else { "\n" });
    }
    for r in &shown {
        if output == "name" {
            let group = group(&r.api_version);
            let name = if group.is_empty() { r.name.clone() } else { format!("{}.{group}", r.name) };
            table.write(&format!("{name}\n"));
            continue;
        }
        table.write(&format!("{}\t{}\t{}\t{}\t{}", r.name, r.short, r.api_version, r.namespaced, r.kind));
        if output == "wide" {
            table.write(&format!("\t{}\t{}", r.verbs, r.categories));
        }
        table.write("\n");
    }
    let text = table.flush();
    cx.out(&text);
    done()
}

pub(crate) fn api_versions(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    if !parsed.args.is_empty() {
        return usage(&parsed.path, format!("unexpected arguments: [{}]", parsed.args.join(" ")));
    }
    if !cx.config.has_server() {
        cx.memcache(1);
        return message(
            "couldn't get available api versions from server: Get \"http://localhost:8080/api?timeout=32s\": dial tcp 127.0.0.1:8080: connect: connection refused",
        );
    }
    let mut versions: Vec<String> = all(cx).into_iter().map(|r| r.api_version).collect();
    // `api-resources` lists a kind in its preferred version alone.
    versions.extend(podlab_api::versions::VERSIONS.iter().map(podlab_api::versions::Version::api_version));
    versions.extend(cx.defined().into_iter().map(|kind| kind.api_version().into_owned()));
    versions.sort();
    versions.dedup();
    for version in versions {
        cx.outln(&version);
    }
    done()
}

pub(crate) fn cluster_info(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let _ = parsed;
    if !cx.config.has_server() {
        cx.outln("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
    }
    cx.discover(5)?;
    let server = cx.config.server().to_owned();
    let (green, yellow, end) =
        if cx.io.is_terminal() { ("\u{1b}[0;32m", "\u{1b}[0;33m", "\u{1b}[0m") } else { ("", "", "") };
    cx.outln(&format!("{green}Kubernetes control plane{end} is running at {yellow}{server}{end}"));
    let mut services = cx.select(&kinds::SERVICE, "kube-system", "kubernetes.io/cluster-service=true")?;
    services.sort_by(|a, b| crate::value::name(a).cmp(crate::value::name(b)));
    for service in services {
        let label = crate::value::text(&service, &["metadata", "labels", "kubernetes.io/name"]);
        let name = crate::value::name(&service);
        let shown = if label.is_empty() { name } else { label };
        cx.outln(&format!(
            "{green}{shown}{end} is running at {yellow}{server}/api/v1/namespaces/kube-system/services/{name}:dns/proxy{end}"
        ));
    }
    cx.outln("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.");
    done()
}

pub(crate) fn completion(_cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    match parsed.args.as_slice() {
        [] => usage(&parsed.path, "Shell not specified."),
        [shell] if ["bash", "zsh", "fish", "powershell"].contains(&shell.as_str()) => {
            Err(Error::Message(format!(
                "podlab does not simulate 'kubectl completion {shell}': the terminal completes by itself"
            )))
        }
        [shell] => usage(&parsed.path, format!("Unsupported shell type {shell:?}.")),
        _ => usage(&parsed.path, "Too many arguments. Expected only the shell type."),
    }
}

pub(crate) fn options(cx: &mut Cx<'_>, _parsed: &Parsed) -> Result<Flow> {
    cx.out(&crate::help::global());
    done()
}
