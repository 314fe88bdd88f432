//! Warnings: what the API server accepts and does not like.
//!
//! Source: WarningsOnCreate and WarningsOnUpdate of pkg/registry/*/*/strategy.go, pkg/api/pod/warnings.go (v1.37).

use super::content::{is_dns1123_label, is_valid_label_value};
use super::definition;
use super::field::Path;
use super::ip;
use super::resources::quantity;
use crate::go_text::quote;
use crate::schema::tree::{Fields, at, has, int, list, map, text};
use serde_json::Value;
use std::fmt;

/// The warning that every request for a deprecated resource gets.
///
/// Source: APILifecycleDeprecated in k8s.io/api/core/v1/zz_generated.prerelease-lifecycle.go (v1.37).
pub fn deprecation_warning(api_version: &str, kind: &str) -> Option<&'static str> {
    match (api_version, kind) {
        ("v1", "Endpoints") => {
            Some("v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice")
        }
        ("v1", "ComponentStatus") => Some("v1 ComponentStatus is deprecated in v1.19+"),
        _ => None,
    }
}

/// Warnings about a new object that passed validation, in the order in which they are sent.
pub fn warnings_on_create(api_version: &str, kind: &str, object: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    let template = Path::new("spec.template");
    let name = text(object, "metadata.name");
    let mut name_warning = |used: &str| {
        let messages = is_dns1123_label(name);
        if !messages.is_empty() {
            warnings.push(format!(
                "metadata.name: this is used in {used}, which can result in surprising behavior; a DNS label is recommended: [{}]",
                messages.join(" ")
            ));
        }
    };
    match (api_version, kind) {
        ("v1", "Pod") => name_warning("the Pod's hostname"),
        ("apps/v1", "Deployment" | "ReplicaSet")
        | ("batch/v1", "Job" | "CronJob")
        | ("v1", "ReplicationController") => name_warning("Pod names and hostnames"),
        _ => {}
    }
    match (api_version, kind) {
        ("v1", "Pod") => pod(&mut warnings, object, &Path::root()),
        ("apps/v1", "Deployment" | "ReplicaSet" | "DaemonSet") | ("v1", "ReplicationController") => {
            pod(&mut warnings, at(object, "spec.template"), &template);
        }
        ("apps/v1", "StatefulSet") => stateful_set(&mut warnings, object, &template),
        ("batch/v1", "Job") => job(&mut warnings, at(object, "spec"), &Path::new("spec")),
        ("batch/v1", "CronJob") => {
            job(&mut warnings, at(object, "spec.jobTemplate.spec"), &Path::new("spec.jobTemplate.spec"));
        }
        ("discovery.k8s.io/v1", "EndpointSlice") if text(object, "addressType") == "FQDN" => {
            warnings.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
        }
        ("networking.k8s.io/v1", "Ingress") => {
            if map(object, "metadata.annotations").contains_key("kubernetes.io/ingress.class")
                && at(object, "spec.ingressClassName").is_null()
            {
                warnings.push(
                    "annotation \"kubernetes.io/ingress.class\" is deprecated, please use 'spec.ingressClassName' instead"
                        .to_owned(),
                );
            }
        }
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => {
            warnings.extend(definition::warnings(object, None));
        }
        _ => both(&mut warnings, api_version, kind, object),
    }
    warnings
}

/// Warnings about a change that passed validation. Pods get none; workloads only where their spec changed.
pub fn warnings_on_update(api_version: &str, kind: &str, new: &Value, old: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    let changed = at(new, "spec") != at(old, "spec");
    match (api_version, kind) {
        ("v1", "Pod") | ("networking.k8s.io/v1", "Ingress") => {}
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => {
            warnings.extend(definition::warnings(new, Some(old)));
        }
        ("apps/v1", _) | ("batch/v1", _) | ("v1", "ReplicationController") => {
            if changed {
                let mut all = warnings_on_create(api_version, kind, new);
                all.retain(|w| !w.starts_with("metadata.name: "));
                warnings = all;
            }
        }
        _ => both(&mut warnings, api_version, kind, new),
    }
    warnings
}

fn both(warnings: &mut Vec<String>, api_version: &str, kind: &str, object: &Value) {
    match (api_version, kind) {
        ("v1", "Service") => service(warnings, object),
        ("v1", "PersistentVolume") => volume(warnings, object),
        ("v1", "PersistentVolumeClaim") => {
            const BETA: &str = "volume.beta.kubernetes.io/storage-class";
            if map(object, "metadata.annotations").contains_key(BETA) {
                warnings.push(format!(
                    "metadata.annotations[{BETA}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
                ));
            }
            claim(warnings, at(object, "spec"), &Path::new("spec"));
        }
        ("v1", "Secret") if text(object, "type") == "kubernetes.io/tls" => {
            warnings.extend(key_pair_problem(object));
        }
        ("v1", "Endpoints") => endpoints(warnings, object),
        ("v1", "Node") => {
            if has(object, "spec.configSource") {
                warnings.push("spec.configSource: the feature is removed".to_owned());
            }
            if !text(object, "spec.externalID").is_empty() {
                warnings.push(
                    "spec.externalID: this field is deprecated, and is unused by Kubernetes".to_owned(),
                );
            }
        }
        ("v1", "ResourceQuota") => resource_quota(warnings, object),
        _ => {}
    }
}

/// What Go's crypto/tls says of a certificate and key before it looks into them.
///
/// Only texts without PEM are told; whether a key fits its certificate is not checked here.
fn key_pair_problem(secret: &Value) -> Option<String> {
    let bytes = |key: &str| {
        let encoded = map(secret, "data").get(key).and_then(Value::as_str).unwrap_or("");
        crate::schema::decode_base64(encoded).unwrap_or_default()
    };
    let has_pem = |key: &str| String::from_utf8_lossy(&bytes(key)).contains("-----BEGIN ");
    let missing = if !has_pem("tls.crt") {
        "certificate"
    } else if !has_pem("tls.key") {
        "key"
    } else {
        return None;
    };
    Some(format!("tls: failed to find any PEM data in {missing} input"))
}

fn node_label(key: &str) -> Option<&'static str> {
    Some(match key {
        "beta.kubernetes.io/arch" => r#"deprecated since v1.14; use "kubernetes.io/arch" instead"#,
        "beta.kubernetes.io/os" => r#"deprecated since v1.14; use "kubernetes.io/os" instead"#,
        "failure-domain.beta.kubernetes.io/region" => {
            r#"deprecated since v1.17; use "topology.kubernetes.io/region" instead"#
        }
        "failure-domain.beta.kubernetes.io/zone" => {
            r#"deprecated since v1.17; use "topology.kubernetes.io/zone" instead"#
        }
        "beta.kubernetes.io/instance-type" => {
            r#"deprecated since v1.17; use "node.kubernetes.io/instance-type" instead"#
        }
        "app.kubernetes.io/created-by" => "deprecated since v1.9",
        "scheduler.alpha.kubernetes.io/preferAvoidPods" => {
            "deprecated since v1.22; use Taints and Tolerations instead"
        }
        "node-role.kubernetes.io/master" => r#"use "node-role.kubernetes.io/control-plane" instead"#,
        _ => return None,
    })
}

fn node_selector_term(warnings: &mut Vec<String>, term: &Value, check_values: bool, path: &Path) {
    for (i, expression) in list(term, "matchExpressions").iter().enumerate() {
        let expressions = path.child("matchExpressions");
        let path = expressions.index(i);
        let key = text(expression, "key");
        if let Some(message) = node_label(key) {
            warnings.push(format!("{}: {key} is {message}", path.child("key")));
        }
        for (j, value) in list(expression, "values").iter().filter_map(Value::as_str).enumerate() {
            for message in is_valid_label_value(value).into_iter().filter(|_| check_values) {
                warnings.push(format!("{}: {value} is invalid, {message}", path.child("values").index(j)));
            }
        }
    }
}

/// A pod or a pod template.
fn pod(warnings: &mut Vec<String>, object: &Value, root: &Path) {
    let spec = &Fields::of(at(object, "spec"));
    let path = root.child("spec");
    for key in spec.map("nodeSelector").keys() {
        if let Some(message) = node_label(key) {
            warnings.push(format!("{}: {message}", path.child("nodeSelector").key(key)));
        }
    }
    let affinity = path.child("affinity.nodeAffinity");
    let node = at(spec.at("affinity"), "nodeAffinity");
    let required = affinity.child("requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    let terms = list(node, "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    for (i, term) in terms.iter().enumerate() {
        node_selector_term(warnings, term, false, &required.index(i));
    }
    let preferred = affinity.child("preferredDuringSchedulingIgnoredDuringExecution");
    for (i, term) in list(node, "preferredDuringSchedulingIgnoredDuringExecution").iter().enumerate() {
        let item = preferred.index(i);
        node_selector_term(warnings, at(term, "preference"), true, &item.child("preference"));
    }
    for (i, constraint) in spec.list("topologySpreadConstraints").iter().enumerate() {
        let constraints = path.child("topologySpreadConstraints");
        let item = constraints.index(i);
        let key = text(constraint, "topologyKey");
        if let Some(message) = node_label(key) {
            warnings.push(format!("{}: {key} is {message}", item.child("topologyKey")));
        }
        null_selector(warnings, constraint, &item);
    }
    annotations(warnings, object, root);
    volumes(warnings, spec, &path);
    for (field, key, word) in [("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")] {
        let items = spec.list(field);
        for (i, item) in items.iter().enumerate() {
            let value = text(item, key);
            if items.iter().take(i).any(|other| text(other, key) == value) {
                let items_path = path.child(field);
                let item_path = items_path.index(i);
                warnings.push(format!("{}: duplicate {word} {}", item_path.child(key), quote(value)));
            }
        }
    }
    for (i, secret) in spec.list("imagePullSecrets").iter().enumerate() {
        if text(secret, "name").is_empty() {
            let secrets = path.child("imagePullSecrets");
            let item = secrets.index(i);
            warnings.push(format!("{}: invalid empty name \"\"", item.child("name")));
        }
    }
    for name in ["memory", "ephemeral-storage"] {
        fractional(warnings, spec.map("overhead").get(name), &path.child("overhead").key(name));
    }
    containers(warnings, object, spec, root, &path);
    ports(warnings, spec, &path);
    if spec.int("terminationGracePeriodSeconds").is_some_and(|g| g < 0) {
        warnings.push(format!(
            "{}: must be >= 0; negative values are invalid and will be treated as 1",
            path.child("terminationGracePeriodSeconds")
        ));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let terms = at(spec.at("affinity"), kind);
        let affinity = path.child("affinity");
        let kind_path = affinity.child(kind);
        let required = kind_path.child("requiredDuringSchedulingIgnoredDuringExecution");
        for (i, term) in list(terms, "requiredDuringSchedulingIgnoredDuringExecution").iter().enumerate() {
            null_selector(warnings, term, &required.index(i));
        }
        let preferred = kind_path.child("preferredDuringSchedulingIgnoredDuringExecution");
        for (i, term) in list(terms, "preferredDuringSchedulingIgnoredDuringExecution").iter().enumerate() {
            let item = preferred.index(i);
            null_selector(warnings, at(term, "podAffinityTerm"), &item.child("podAffinityTerm"));
        }
    }
    for (i, server) in list(spec.at("dnsConfig"), "nameservers").iter().filter_map(Value::as_str).enumerate()
    {
        ip_warning(warnings, server, &path.child("dnsConfig.nameservers").index(i));
    }
    for (i, alias) in spec.list("hostAliases").iter().enumerate() {
        let aliases = path.child("hostAliases");
        let item = aliases.index(i);
        ip_warning(warnings, text(alias, "ip"), &item.child("ip"));
    }
}

fn null_selector(warnings: &mut Vec<String>, term: &Value, path: &Path) {
    if !has(term, "labelSelector") {
        let path = path.child("labelSelector");
        warnings.push(format!("{path}: a null labelSelector results in matching no pod"));
    }
}

fn annotations(warnings: &mut Vec<String>, object: &Value, root: &Path) {
    let path = root.child("metadata.annotations");
    let given = map(object, "metadata.annotations");
    for (key, message) in [
        (
            "scheduler.alpha.kubernetes.io/critical-pod",
            r#"non-functional in v1.16+; use the "priorityClassName" field instead"#,
        ),
        (
            "security.alpha.kubernetes.io/sysctls",
            r#"non-functional in v1.11+; use the "sysctls" field instead"#,
        ),
        (
            "security.alpha.kubernetes.io/unsafe-sysctls",
            r#"non-functional in v1.11+; use the "sysctls" field instead"#,
        ),
    ] {
        if given.contains_key(key) {
            warnings.push(format!("{}: {message}", path.key(key)));
        }
    }
}

fn volumes(warnings: &mut Vec<String>, spec: &Fields<'_>, path: &Path) {
    const DEPRECATED: [(&str, &str, &str); 10] = [
        ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
        ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
        ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
        ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        ("ephemeral", "", ""),
        ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ];
    let all = spec.list("volumes");
    for (i, volume) in all.iter().enumerate() {
        let is_told = |name: &String| DEPRECATED.iter().any(|(field, ..)| field == name);
        if !volume.as_object().is_some_and(|volume| volume.keys().any(is_told)) {
            continue;
        }
        let volumes_path = path.child("volumes");
        let path = volumes_path.index(i);
        for (field, told, message) in DEPRECATED {
            if !has(volume, field) {
                continue;
            }
            if field == "ephemeral" {
                let template = path.child("ephemeral.volumeClaimTemplate.spec");
                claim(warnings, at(volume, "ephemeral.volumeClaimTemplate.spec"), &template);
            } else {
                warnings.push(format!("{}: {message}", path.child(told)));
            }
        }
    }
    for volume in all {
        overlapping_paths(warnings, volume);
    }
}

/// Whether one path is the other or below it.
fn overlap(one: &str, other: &str) -> bool {
    let below = |path: &str, dir: &str| {
        path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    !one.is_empty() && !other.is_empty() && (below(one, other) || below(other, one))
}

/// Files of a volume that lie in each other's way.
fn overlapping_paths(warnings: &mut Vec<String>, volume: &Value) {
    const SOURCES: [&str; 4] = ["configMap", "secret", "downwardAPI", "projected"];
    let volume = Fields::of(volume);
    if !SOURCES.iter().any(|source| volume.has(source)) {
        return;
    }
    let paths = |items: &[Value], source: &str| -> Vec<(String, String)> {
        items.iter().map(|i| (text(i, "path").to_owned(), source.to_owned())).collect()
    };
    let mut told = |what: &str, found: Vec<(String, String)>| {
        let shown = |(path, source): &(String, String)| {
            if source.is_empty() { quote(path) } else { format!("{} ({source})", quote(path)) }
        };
        let found: Vec<(String, String)> =
            found.into_iter().map(|(path, source)| (path.trim_end_matches('/').to_owned(), source)).collect();
        for (i, entry) in found.iter().enumerate() {
            for other in found.iter().take(i).filter(|other| overlap(&entry.0, &other.0)) {
                let name = quote(volume.text("name"));
                warnings.push(format!(
                    "volume {name} ({what}): overlapping paths: {} with {}",
                    shown(entry),
                    shown(other)
                ));
            }
        }
    };
    if volume.has("configMap") {
        let what = format!("ConfigMap {}", quote(text(volume.at("configMap"), "name")));
        told(&what, paths(list(volume.at("configMap"), "items"), ""));
    }
    if volume.has("secret") {
        let what = format!("Secret {}", quote(text(volume.at("secret"), "secretName")));
        told(&what, paths(list(volume.at("secret"), "items"), ""));
    }
    told("DownwardAPI", paths(list(volume.at("downwardAPI"), "items"), ""));
    if volume.has("projected") {
        let mut all = Vec::new();
        for source in list(volume.at("projected"), "sources") {
            for (field, word) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
                let part = at(source, field);
                if list(part, "items").is_empty() {
                    continue;
                }
                all.extend(paths(list(part, "items"), &format!("{word} {}", quote(text(part, "name")))));
            }
            all.extend(paths(list(source, "downwardAPI.items"), "DownwardAPI"));
            if has(source, "serviceAccountToken") {
                all.push((
                    text(source, "serviceAccountToken.path").to_owned(),
                    "ServiceAccountToken".to_owned(),
                ));
            }
        }
        told("Projected", all);
    }
}

fn fractional(warnings: &mut Vec<String>, value: Option<&Value>, path: &Path) {
    if let Some(value) = value.map(quantity)
        && value.milli_value() % 1000 != 0
    {
        let shown = quote(&value.to_string());
        warnings.push(format!("{path}: fractional byte value {shown} is invalid, must be an integer"));
    }
}

/// The container lists in the order in which Kubernetes visits them.
const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

fn containers(warnings: &mut Vec<String>, object: &Value, spec: &Fields<'_>, root: &Path, path: &Path) {
    let notes = map(object, "metadata.annotations");
    let notes_path = root.child("metadata.annotations");
    let seccomp = r#"non-functional in v1.27+; use the "seccompProfile" field instead"#;
    const POD_SECCOMP: &str = "seccomp.security.alpha.kubernetes.io/pod";
    if !has(spec.at("securityContext"), "seccompProfile") && notes.contains_key(POD_SECCOMP) {
        warnings.push(format!("{}: {seccomp}", notes_path.key(POD_SECCOMP)));
    }
    for list_name in LISTS {
        let list_path = path.child(list_name);
        for (i, container) in spec.list(list_name).iter().map(Fields::of).enumerate() {
            let path = list_path.index(i);
            if !notes.is_empty() && !has(container.at("securityContext"), "seccompProfile") {
                let name = container.text("name");
                let key = format!("container.seccomp.security.alpha.kubernetes.io/{name}");
                if notes.contains_key(&key) {
                    warnings.push(format!("{}: {seccomp}", notes_path.key(&key)));
                }
            }
            let (resources, resources_path) = (container.at("resources"), path.child("resources"));
            let amounts = ["limits", "requests"].map(|what| (what, map(resources, what)));
            for name in ["memory", "ephemeral-storage"] {
                for (what, amounts) in amounts {
                    fractional(warnings, amounts.get(name), &resources_path.child(what).key(name));
                }
            }
            let env = container.list("env");
            for (j, var) in env.iter().enumerate() {
                let name = text(var, "name");
                if !env.iter().take(j).any(|v| text(v, "name") == name) {
                    continue;
                }
                let reference = format!("$({name})");
                let value = text(var, "value");
                let hides = has(var, "valueFrom") || value == reference || !value.contains(&reference);
                if hides {
                    warnings.push(format!(
                        "{}: hides previous definition of {}, which may be dropped when using apply",
                        path.child("env").index(j),
                        quote(name)
                    ));
                }
            }
        }
    }
}

/// Where a port stands: made a text only for a warning.
struct Place<'a> {
    path: &'a Path<'a>,
    list_name: &'static str,
    container: usize,
    port: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { path, list_name, container, port } = *self;
        write!(f, "{path}.{list_name}[{container}].ports[{port}]")
    }
}

fn ports(warnings: &mut Vec<String>, spec: &Fields<'_>, path: &Path) {
    let mut all: Vec<(Place, &Value)> = Vec::new();
    for list_name in LISTS {
        for (i, container) in spec.list(list_name).iter().enumerate() {
            for (j, port) in list(container, "ports").iter().enumerate() {
                all.push((Place { path, list_name, container: i, port: j }, port));
            }
        }
    }
    let host_port = |p: &Value| int(p, "hostPort").unwrap_or(0);
    for (i, (place, port)) in all.iter().enumerate() {
        let host_ip = text(port, "hostIP");
        if !host_ip.is_empty() && host_port(port) == 0 {
            warnings.push(format!(
                "{place}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{} HostIP:{host_ip}}}",
                text(port, "name"),
                int(port, "containerPort").unwrap_or(0),
                text(port, "protocol")
            ));
        }
        for (other_place, other) in all.iter().take(i) {
            let same = at(other, "containerPort") == at(port, "containerPort")
                && text(other, "protocol") == text(port, "protocol");
            if !same {
                continue;
            }
            let other_ip = text(other, "hostIP");
            let what = if host_ip == other_ip && host_port(port) == host_port(other) {
                "duplicate"
            } else if host_port(port) == 0 || host_port(other) == 0 {
                "overlapping"
            } else if host_port(port) == host_port(other) && host_ip.is_empty() != other_ip.is_empty() {
                "dangerously ambiguous"
            } else {
                continue;
            };
            warnings.push(format!("{place}: {what} port definition with {other_place}"));
        }
    }
    for (i, (place, port)) in all.iter().enumerate() {
        let name = text(port, "name");
        let other = all.iter().take(i).find(|(_, p)| text(p, "name") == name);
        if let Some((other, _)) = other.filter(|_| !name.is_empty()) {
            warnings.push(format!(
                "{place}: duplicate port name {} with {other}, services and probes that select ports by name will use {other}",
                quote(name)
            ));
        }
    }
}

fn stateful_set(warnings: &mut Vec<String>, object: &Value, template: &Path) {
    pod(warnings, at(object, "spec.template"), template);
    for (i, item) in list(object, "spec.volumeClaimTemplates").iter().enumerate() {
        claim(warnings, at(item, "spec"), &Path::new("spec.volumeClaimTemplates").index(i));
    }
    if int(object, "spec.revisionHistoryLimit").is_some_and(|l| l < 0) {
        warnings.push(
            "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
                .to_owned(),
        );
    }
}

fn job(warnings: &mut Vec<String>, spec: &Value, path: &Path) {
    let many =
        int(spec, "completions").unwrap_or(0) > 100_000 && int(spec, "parallelism").unwrap_or(0) > 10_000;
    if text(spec, "completionMode") == "Indexed" && many {
        warnings.push(format!(
            "{path}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail"
        ));
    }
    pod(warnings, at(spec, "template"), &path.child("template"));
}

fn claim(warnings: &mut Vec<String>, spec: &Value, path: &Path) {
    for what in ["requests", "limits"] {
        let resources = path.child("resources");
        let list_path = resources.child(what);
        fractional(warnings, map(at(spec, "resources"), what).get("storage"), &list_path.key("storage"));
    }
}

fn volume(warnings: &mut Vec<String>, object: &Value) {
    const CLASS: &str = "volume.beta.kubernetes.io/storage-class";
    let notes = map(object, "metadata.annotations");
    if notes.contains_key(CLASS) {
        warnings.push(format!(
            "metadata.annotations[{CLASS}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
    let spec = at(object, "spec");
    let path = Path::new("spec");
    if text(spec, "persistentVolumeReclaimPolicy") == "Recycle" {
        warnings.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."
                .to_owned(),
        );
    }
    for (i, term) in list(spec, "nodeAffinity.required.nodeSelectorTerms").iter().enumerate() {
        let terms = path.child("nodeAffinity.required.nodeSelectorTerms");
        node_selector_term(warnings, term, false, &terms.index(i));
    }
    for (field, told, message) in [
        ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
        ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
        ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
        ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
        ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
        ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
    ] {
        if has(spec, field) {
            warnings.push(format!("{}: {message}", path.child(told)));
        }
    }
}

pub(super) fn ip_warning(warnings: &mut Vec<String>, value: &str, path: &Path) {
    if let Some(canonical) = ip::preferred_form(value) {
        warnings.push(format!(
            "{path}: IPv6 address {} should be in RFC 5952 canonical format ({})",
            quote(value),
            quote(&canonical)
        ));
    }
}

fn endpoints(warnings: &mut Vec<String>, object: &Value) {
    for (i, subset) in list(object, "subsets").iter().enumerate() {
        for field in ["addresses", "notReadyAddresses"] {
            for (j, address) in list(subset, field).iter().enumerate() {
                let subsets = Path::new("subsets");
                let item = subsets.index(i);
                let addresses = item.child(field);
                let path = addresses.index(j);
                ip_warning(warnings, text(address, "ip"), &path.child("ip"));
            }
        }
    }
}

fn service(warnings: &mut Vec<String>, object: &Value) {
    const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
    let spec = at(object, "spec");
    let path = Path::new("spec");
    let kind = text(spec, "type");
    if map(object, "metadata.annotations").contains_key(HINTS) {
        warnings.push(format!(
            "annotation {HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
        ));
    }
    for (i, ip) in list(spec, "clusterIPs").iter().filter_map(Value::as_str).enumerate() {
        ip_warning(warnings, ip, &path.child("clusterIPs").index(i));
    }
    let headless = kind == "ClusterIP" && text(spec, "clusterIP") == "None";
    let external = list(spec, "externalIPs");
    if headless {
        for (present, field) in [
            (!text(spec, "loadBalancerIP").is_empty(), "loadBalancerIP"),
            (!external.is_empty(), "externalIPs"),
            (text(spec, "sessionAffinity") != "None", "SessionAffinity"),
        ] {
            if present {
                warnings.push(format!("spec.{field} is ignored for headless services"));
            }
        }
    }
    for (i, ip) in external.iter().filter_map(Value::as_str).enumerate() {
        ip_warning(warnings, ip, &path.child("externalIPs").index(i));
    }
    if !external.is_empty() && !headless && kind != "ExternalName" {
        warnings.push(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters".to_owned(),
        );
    }
    if kind == "ExternalName" && !external.is_empty() {
        warnings.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".to_owned());
    }
    if kind != "ExternalName" && !text(spec, "externalName").is_empty() {
        warnings.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".to_owned());
    }
    if text(spec, "trafficDistribution") == "PreferClose" {
        warnings.push(
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"".to_owned(),
        );
    }
}

fn resource_quota(warnings: &mut Vec<String>, object: &Value) {
    let hard = map(object, "spec.hard");
    for name in ["cpu", "memory", "storage", "ephemeral-storage"] {
        let (requests, limits) = (format!("requests.{name}"), format!("limits.{name}"));
        let request = match hard.get(&requests) {
            Some(value) => Some((requests.as_str(), value)),
            None if matches!(name, "cpu" | "memory") => hard.get(name).map(|v| (name, v)),
            None => None,
        };
        if let (Some((key, request)), Some(limit)) = (request, hard.get(&limits)) {
            let (request, limit) = (quantity(request), quantity(limit));
            if request > limit {
                warnings
                    .push(format!("ResourceQuota {key} ({request}) should be less than {limits} ({limit})"));
            }
        }
    }
}
