//! Pods and pod specs.
//!
//! Source: pkg/apis/core/validation/validation.go ValidatePodCreate, ValidatePodSpec (v1.37).

use super::container::{PodContext, check_host_ports, validate_common, validate_restart_policy};
use super::content::{self, is_dns1123_label, is_qualified_name};
use super::field::{BadValue, FieldError, Path};
use super::meta::{self, name_is_dns_subdomain, non_negative};
use super::probe::{ProbeType, validate_lifecycle, validate_probe};
use super::resources::{quantity, validate_requirements};
use super::{Errors, affinity, invalid_each, ip, required, required_supported, security, volume};
use crate::schema::tree::{Fields, at, has, int, list, map, text};
use serde_json::Value;

/// The container lists of a pod spec, in the order in which Kubernetes visits them.
const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// A new pod.
pub(crate) fn validate_create(errors: &mut Errors, pod: &Value) {
    validate_metadata_and_spec(errors, pod);
    let path = Path::new("spec");
    if !list(pod, "spec.ephemeralContainers").is_empty() {
        errors.push(FieldError::forbidden(&path.child("ephemeralContainers"), "cannot be set on create"));
    }
    if !text(pod, "spec.nodeName").is_empty() && !list(pod, "spec.schedulingGates").is_empty() {
        let detail = "cannot be set until all schedulingGates have been cleared";
        errors.push(FieldError::forbidden(&path.child("nodeName"), detail));
    }
}

/// What holds for a pod when it is made and whenever it is changed.
pub(crate) fn validate_metadata_and_spec(errors: &mut Errors, pod: &Value) {
    let meta_path = Path::new("metadata");
    meta::validate_object_meta(errors, pod, true, name_is_dns_subdomain, &meta_path);
    meta::validate_kube_finalizers(errors, pod, &meta_path);
    validate_special_annotations(errors, pod, &meta_path.child("annotations"));
    let path = Path::new("spec");
    let spec = &Fields::of(at(pod, "spec"));
    validate_spec(errors, spec, at(pod, "metadata"), true, &path);
    if spec.text("serviceAccountName").is_empty() {
        for (i, volume) in spec.list("volumes").iter().enumerate() {
            for (j, source) in list(volume, "projected.sources").iter().enumerate() {
                if has(source, "serviceAccountToken") {
                    let (volumes, detail) =
                        (path.child("volumes"), "must not be specified when serviceAccountName is not set");
                    let item = volumes.index(i);
                    let sources = item.child("projected.sources");
                    let path = sources.index(j);
                    errors.push(FieldError::forbidden(&path.child("serviceAccountToken"), detail));
                }
            }
        }
    }
    if let Some(grace) = spec.int("terminationGracePeriodSeconds") {
        non_negative(errors, grace, &path.child("terminationGracePeriodSeconds"));
    }
    for name in ["containers", "initContainers"] {
        for (i, container) in spec.list(name).iter().enumerate() {
            only_for_pod(errors, container, &path.child(name).index(i));
        }
    }
}

fn only_for_pod(errors: &mut Errors, container: &Value, path: &Path) {
    let image = text(container, "image");
    if image.trim() != image {
        let detail = "must not have leading or trailing whitespace";
        errors.push(FieldError::invalid(&path.child("image"), image, detail));
    }
}

/// Annotations that mean something to Kubernetes, of a pod or a template.
pub(crate) fn validate_special_annotations(errors: &mut Errors, pod: &Value, path: &Path) {
    const MIRROR: &str = "kubernetes.io/config.mirror";
    const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
    let annotations = map(pod, "metadata.annotations");
    if let Some(value) = annotations.get(MIRROR).filter(|_| text(pod, "spec.nodeName").is_empty()) {
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        errors.push(FieldError::invalid(&path.key(MIRROR), value.clone(), detail));
    }
    if let Some(cost) = annotations.get(DELETION_COST).and_then(Value::as_str) {
        let zeros = cost.starts_with('+') || cost.starts_with('0') && cost.len() > 1;
        if zeros || cost.parse::<i32>().is_err() {
            let path = path.key(DELETION_COST);
            errors.push(FieldError::invalid(&path, cost, "must be a 32bit integer"));
        }
    }
}

/// A pod spec; `metadata` of the pod, null for a template; `is_pod` where it is no template.
pub(crate) fn validate_spec(
    errors: &mut Errors,
    spec: &Fields<'_>,
    metadata: &Value,
    is_pod: bool,
    path: &Path,
) {
    let grace = spec.int("terminationGracePeriodSeconds");
    if grace.is_none() {
        errors.push(FieldError::required(&path.child("terminationGracePeriodSeconds"), ""));
    }
    let volumes = volume::validate_volumes(
        errors,
        spec.list("volumes"),
        text(metadata, "name"),
        &path.child("volumes"),
    );
    let ctx = PodContext {
        volumes,
        claim_names: spec.list("resourceClaims").iter().map(|c| text(c, "name")).collect(),
        restart_policy: spec.text("restartPolicy"),
        host_users: spec.at("hostUsers") != &Value::Bool(false),
        os: spec.at("os"),
        grace,
    };
    validate_resource_claims(errors, spec.list("resourceClaims"), &path.child("resourceClaims"));
    validate_containers(errors, spec.list("containers"), &ctx, &path.child("containers"));
    validate_init_containers(errors, spec, &ctx, &path.child("initContainers"));
    validate_ephemeral_containers(errors, spec, &ctx, &path.child("ephemeralContainers"));
    validate_pod_resources(errors, spec, &ctx, path);
    validate_host_network(errors, spec, is_pod, path);
    let restart_policies = ["Always", "OnFailure", "Never"];
    required_supported(errors, &path.child("restartPolicy"), spec.text("restartPolicy"), &restart_policies);
    let dns_policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    required_supported(errors, &path.child("dnsPolicy"), spec.text("dnsPolicy"), &dns_policies);
    meta::validate_labels(errors, spec.map("nodeSelector"), &path.child("nodeSelector"));
    security::validate_pod_security_context(errors, spec, &path.child("securityContext"));
    if spec.flag("shareProcessNamespace") && spec.flag("hostPID") {
        let detail = "ShareProcessNamespace and HostPID cannot both be enabled";
        errors.push(FieldError::invalid(&path.child("shareProcessNamespace"), true, detail));
    }
    affinity::validate_affinity(errors, spec.at("affinity"), &path.child("affinity"));
    validate_dns_config(errors, spec, &path.child("dnsConfig"));
    validate_gates(errors, spec, path);
    let constraints = spec.list("topologySpreadConstraints");
    affinity::validate_topology_spread(errors, constraints, &path.child("topologySpreadConstraints"));
    validate_host_process(errors, spec, path);
    validate_host_users(errors, spec, &ctx, path);
    validate_hostname_override(errors, spec, path);
    validate_names(errors, spec, path);
    validate_os(errors, spec, path);
    validate_file_key_volumes(errors, spec, path);
}

fn validate_resource_claims(errors: &mut Errors, claims: &[Value], path: &Path) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, claim) in claims.iter().enumerate() {
        let path = path.index(i);
        let name = text(claim, "name");
        if name.is_empty() {
            errors.push(FieldError::required(&path.child("name"), ""));
        } else if seen.contains(&name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        } else {
            invalid_each(errors, &path.child("name"), name, is_dns1123_label(name));
            seen.push(name);
        }
        let shown = || BadValue::Json(super::go_json::internal_json("core.PodResourceClaim", claim));
        let detail = match (has(claim, "resourceClaimName"), has(claim, "resourceClaimTemplateName")) {
            (true, true) => {
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
            }
            (false, false) => "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`",
            _ => "",
        };
        if !detail.is_empty() {
            errors.push(FieldError::invalid(&path, shown(), detail));
        }
        for field in ["resourceClaimName", "resourceClaimTemplateName"] {
            if has(claim, field) {
                let value = text(claim, field);
                invalid_each(errors, &path.child(field), value, name_is_dns_subdomain(value, false));
            }
        }
    }
}

fn validate_probes(errors: &mut Errors, container: &Fields<'_>, ctx: &PodContext, path: &Path) {
    if container.has("lifecycle") {
        let lifecycle = container.at("lifecycle");
        validate_lifecycle(errors, lifecycle, ctx.os, ctx.grace, &path.child("lifecycle"));
    }
    let kinds = [
        ("livenessProbe", ProbeType::Liveness),
        ("readinessProbe", ProbeType::Readiness),
        ("startupProbe", ProbeType::Startup),
    ];
    for (name, kind) in kinds {
        validate_probe(errors, container.at(name), kind, ctx.grace, &path.child(name));
    }
}

fn validate_containers(errors: &mut Errors, containers: &[Value], ctx: &PodContext, path: &Path) {
    if containers.is_empty() {
        errors.push(FieldError::required(path, ""));
        return;
    }
    let mut names: Vec<&str> = Vec::new();
    for (i, container) in containers.iter().map(Fields::of).enumerate() {
        let (path, container) = (path.index(i), &container);
        validate_common(errors, container, ctx, &path);
        let name = container.text("name");
        if names.contains(&name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        } else {
            names.push(name);
        }
        validate_probes(errors, container, ctx, &path);
        validate_restart_policy(errors, container, &path);
    }
    check_host_ports(errors, containers.iter(), path);
}

fn validate_init_containers(errors: &mut Errors, spec: &Fields<'_>, ctx: &PodContext, path: &Path) {
    let mut names: Vec<&str> = spec.list("containers").iter().map(|c| text(c, "name")).collect();
    for (i, container) in spec.list("initContainers").iter().map(Fields::of).enumerate() {
        let (item, container) = (path.index(i), &container);
        validate_common(errors, container, ctx, &item);
        validate_restart_policy(errors, container, &item);
        let name = container.text("name");
        if names.contains(&name) {
            errors.push(FieldError::duplicate(&item.child("name"), name));
        } else if !name.is_empty() {
            names.push(name);
        }
        check_host_ports(errors, std::iter::once(container.value), path);
        if container.text("restartPolicy") == "Always" {
            validate_probes(errors, container, ctx, &item);
            continue;
        }
        for field in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
            if container.has(field) {
                let detail = "may not be set for init containers without restartPolicy=Always";
                errors.push(FieldError::forbidden(&item.child(field), detail));
            }
        }
        for (j, policy) in container.list("resizePolicy").iter().enumerate() {
            let restart = text(policy, "restartPolicy");
            if restart == "RestartContainer" {
                let policies = item.child("resizePolicy");
                let policy_path = policies.index(j);
                let detail = "must not be set to 'RestartContainer' for non-sidecar initContainers";
                errors.push(FieldError::invalid(&policy_path.child("restartPolicy"), restart, detail));
            }
        }
    }
}

pub(crate) fn validate_ephemeral_containers(
    errors: &mut Errors,
    spec: &Fields<'_>,
    ctx: &PodContext,
    path: &Path,
) {
    let others: Vec<&str> =
        spec.list("containers").iter().chain(spec.list("initContainers")).map(|c| text(c, "name")).collect();
    let mut names = others.clone();
    for (i, container) in spec.list("ephemeralContainers").iter().map(Fields::of).enumerate() {
        let (path, container) = (path.index(i), &container);
        validate_common(errors, container, ctx, &path);
        only_for_pod(errors, container.value, &path);
        let name = container.text("name");
        if names.contains(&name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        } else {
            names.push(name);
        }
        let target = container.text("targetContainerName");
        if !target.is_empty() && !others.contains(&target) {
            errors.push(FieldError::not_found(&path.child("targetContainerName"), target));
        }
        for field in [
            "ports",
            "resources",
            "resizePolicy",
            "restartPolicy",
            "restartPolicyRules",
            "livenessProbe",
            "readinessProbe",
            "startupProbe",
            "lifecycle",
        ] {
            let value = container.at(field);
            if !value.is_null() && value.as_object().is_none_or(|m| !m.is_empty()) {
                let detail = "cannot be set for an Ephemeral Container";
                errors.push(FieldError::forbidden(&path.child(field), detail));
            }
        }
        for (j, mount) in container.list("volumeMounts").iter().enumerate() {
            for field in ["subPath", "subPathExpr"] {
                if !text(mount, field).is_empty() {
                    let mounts = path.child("volumeMounts");
                    let mount_path = mounts.index(j);
                    let detail = "cannot be set for an Ephemeral Container";
                    errors.push(FieldError::forbidden(&mount_path.child(field), detail));
                }
            }
        }
    }
}

fn validate_pod_resources(errors: &mut Errors, spec: &Fields<'_>, ctx: &PodContext, path: &Path) {
    let resources = spec.at("resources");
    if resources.is_null() {
        return;
    }
    let path = path.child("resources");
    if text(spec.at("os"), "name") == "windows" {
        errors.push(FieldError::forbidden(&path, "may not be set for a windows pod"));
        return;
    }
    if has(resources, "claims") {
        let detail = "claims may not be set for Resources at pod-level";
        errors.push(FieldError::forbidden(&path.child("claims"), detail));
    }
    validate_requirements(errors, resources, true, &ctx.claim_names, &path);
    let requests_path = path.child("requests");
    for (name, sum) in crate::defaults::aggregate(spec.value, "requests") {
        if let Some(own) = map(resources, "requests").get(&name).map(quantity).filter(|own| sum > *own) {
            let detail = format!("must be greater than or equal to aggregate container requests of {sum}");
            errors.push(FieldError::invalid(&requests_path.key(&name), own.to_string(), detail));
        }
    }
    for (i, container) in spec.list("containers").iter().enumerate() {
        for (name, limit) in map(at(container, "resources"), "limits") {
            let limit = quantity(limit);
            if let Some(own) = map(resources, "limits").get(name).map(quantity).filter(|own| limit > *own) {
                let containers = path.child("containers");
                let item = containers.index(i);
                let keyed = item.key(name);
                let detail = format!("must be less than or equal to pod limits of {own}");
                errors.push(FieldError::invalid(&keyed.child("limits"), limit.to_string(), detail));
            }
        }
    }
}

fn validate_host_network(errors: &mut Errors, spec: &Fields<'_>, is_pod: bool, path: &Path) {
    if !spec.flag("hostNetwork") {
        return;
    }
    for (i, container) in spec.list("containers").iter().enumerate() {
        for (j, port) in list(container, "ports").iter().enumerate() {
            let (host, own) = (int(port, "hostPort").unwrap_or(0), int(port, "containerPort").unwrap_or(0));
            if (is_pod || host != 0) && host != own {
                let containers = path.child("containers");
                let item = containers.index(i);
                let ports = item.child("ports");
                let port_path = ports.index(j);
                let detail = "must match `containerPort` when `hostNetwork` is true";
                errors.push(FieldError::invalid(&port_path.child("hostPort"), host, detail));
            }
        }
    }
}

fn validate_dns_config(errors: &mut Errors, spec: &Fields<'_>, path: &Path) {
    let config = spec.at("dnsConfig");
    let servers = list(config, "nameservers");
    let servers_path = path.child("nameservers");
    if spec.text("dnsPolicy") == "None" {
        if config.is_null() {
            let detail = "must provide `dnsConfig` when `dnsPolicy` is None";
            errors.push(FieldError::required(path, detail));
            return;
        }
        if servers.is_empty() {
            let detail = "must provide at least one DNS nameserver when `dnsPolicy` is None";
            errors.push(FieldError::required(&servers_path, detail));
            return;
        }
    }
    if servers.len() > 3 {
        let detail = "must not have more than 3 nameservers";
        errors.push(FieldError::invalid(&servers_path, at(config, "nameservers").clone(), detail));
    }
    for (i, server) in servers.iter().filter_map(Value::as_str).enumerate() {
        ip::validate_ip_legacy(errors, &servers_path.index(i), server, &[]);
    }
    let searches: Vec<&str> = list(config, "searches").iter().filter_map(Value::as_str).collect();
    let searches_path = path.child("searches");
    let shown = || at(config, "searches").clone();
    if searches.len() > 32 {
        let detail = "must not have more than 32 search paths";
        errors.push(FieldError::invalid(&searches_path, shown(), detail));
    }
    if searches.join(" ").len() > 2048 {
        let detail = "must not have more than 2048 characters (including spaces) in the search list";
        errors.push(FieldError::invalid(&searches_path, shown(), detail));
    }
    for (i, search) in searches.iter().enumerate().filter(|(_, s)| **s != ".") {
        let search = search.strip_suffix('.').unwrap_or(search);
        let messages = content::is_dns1123_subdomain_with_underscore(search);
        invalid_each(errors, &searches_path.index(i), search, messages);
    }
    for (i, option) in list(config, "options").iter().enumerate() {
        if text(option, "name").is_empty() {
            errors.push(FieldError::required(&path.child("options").index(i), "must not be empty"));
        }
    }
}

fn validate_gates(errors: &mut Errors, spec: &Fields<'_>, path: &Path) {
    for (i, gate) in spec.list("readinessGates").iter().enumerate() {
        let condition = text(gate, "conditionType");
        let gates = path.child("readinessGates");
        let gate_path = gates.index(i);
        invalid_each(errors, &gate_path.child("conditionType"), condition, is_qualified_name(condition));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (i, gate) in spec.list("schedulingGates").iter().enumerate() {
        let gates = path.child("schedulingGates");
        let gate_path = gates.index(i);
        let name = text(gate, "name");
        invalid_each(errors, &gate_path, name, is_qualified_name(name));
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(&gate_path, name));
        }
        seen.push(name);
    }
}

/// Calls `visit` for each container of all lists with its path.
fn visit_containers(spec: &Fields<'_>, path: &Path, mut visit: impl FnMut(&Value, &Path)) {
    for name in LISTS {
        let list_path = path.child(name);
        for (i, container) in spec.list(name).iter().enumerate() {
            visit(container, &list_path.index(i));
        }
    }
}

fn validate_host_process(errors: &mut Errors, spec: &Fields<'_>, path: &Path) {
    let of = |v: &Value| at(v, "securityContext.windowsOptions.hostProcess").as_bool();
    let pod = of(spec.value);
    let (mut all, mut host) = (0, 0);
    visit_containers(spec, path, |container, path| {
        all += 1;
        let own = of(container);
        if let (Some(pod), Some(own)) = (pod, own)
            && pod != own
        {
            let path = path.child("securityContext.windowsOptions.hostProcess");
            let detail = format!("pod hostProcess value must be identical if both are specified, was {pod}");
            errors.push(FieldError::invalid(&path, own, detail));
        }
        if own.or(pod) == Some(true) {
            host += 1;
        }
    });
    if host == 0 {
        return;
    }
    if host != all {
        let detail =
            "If pod contains any hostProcess containers then all containers must be HostProcess containers";
        errors.push(FieldError::invalid(path, "", detail));
    }
    if !spec.flag("hostNetwork") {
        let detail = "hostNetwork must be true if pod contains any hostProcess containers";
        errors.push(FieldError::invalid(&path.child("hostNetwork"), false, detail));
    }
}

fn validate_host_users(errors: &mut Errors, spec: &Fields<'_>, ctx: &PodContext, path: &Path) {
    if ctx.host_users {
        return;
    }
    for (field, told) in [("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")] {
        if spec.flag(field) {
            errors.push(FieldError::forbidden(&path.child(told), "when `hostUsers` is false"));
        }
    }
    visit_containers(spec, path, |container, path| {
        if !list(container, "volumeDevices").is_empty() {
            errors.push(FieldError::forbidden(&path.child("volumeDevices"), "when `hostUsers` is false"));
        }
    });
}

fn validate_hostname_override(errors: &mut Errors, spec: &Fields<'_>, path: &Path) {
    let Some(name) = spec.at("hostnameOverride").as_str() else { return };
    let path = path.child("hostnameOverride");
    if spec.flag("setHostnameAsFQDN") {
        let detail = "may not be specified when setHostnameAsFQDN is true";
        errors.push(FieldError::forbidden(&path, detail));
    }
    if spec.flag("hostNetwork") {
        errors.push(FieldError::forbidden(&path, "may not be specified when hostNetwork is true"));
    }
    if name.len() > 64 {
        errors.push(FieldError::too_long(&path, 64));
    }
    invalid_each(errors, &path, name, content::is_dns1123_subdomain(name));
}

fn validate_names(errors: &mut Errors, spec: &Fields<'_>, path: &Path) {
    let subdomain = |errors: &mut Errors, field: &str| {
        let name = spec.text(field);
        if !name.is_empty() {
            invalid_each(errors, &path.child(field), name, name_is_dns_subdomain(name, false));
        }
    };
    subdomain(errors, "serviceAccountName");
    subdomain(errors, "nodeName");
    if let Some(deadline) = spec.int("activeDeadlineSeconds") {
        let most = i64::from(i32::MAX);
        let messages = content::is_in_range(deadline, 1, most);
        super::invalid_number(errors, &path.child("activeDeadlineSeconds"), deadline, messages);
    }
    for field in ["hostname", "subdomain"] {
        let name = spec.text(field);
        if !name.is_empty() {
            invalid_each(errors, &path.child(field), name, is_dns1123_label(name));
        }
    }
    affinity::validate_tolerations(errors, spec.list("tolerations"), &path.child("tolerations"));
    for (i, alias) in spec.list("hostAliases").iter().enumerate() {
        let aliases = path.child("hostAliases");
        let path = aliases.index(i);
        ip::validate_ip_legacy(errors, &path.child("ip"), text(alias, "ip"), &[]);
        for (j, name) in list(alias, "hostnames").iter().filter_map(Value::as_str).enumerate() {
            invalid_each(
                errors,
                &path.child("hostnames").index(j),
                name,
                content::is_dns1123_subdomain(name),
            );
        }
    }
    subdomain(errors, "priorityClassName");
    if spec.has("runtimeClassName") {
        let name = spec.text("runtimeClassName");
        invalid_each(errors, &path.child("runtimeClassName"), name, name_is_dns_subdomain(name, false));
    }
    if spec.has("preemptionPolicy") {
        let policy = spec.text("preemptionPolicy");
        required_supported(
            errors,
            &path.child("preemptionPolicy"),
            policy,
            &["PreemptLowerPriority", "Never"],
        );
    }
    if spec.has("overhead") {
        let requirements = serde_json::json!({"limits": spec.at("overhead")});
        validate_requirements(errors, &requirements, false, &[], &path.child("overhead"));
    }
}

fn validate_os(errors: &mut Errors, spec: &Fields<'_>, path: &Path) {
    if !spec.has("os") {
        return;
    }
    let os_path = path.child("os");
    let name = text(spec.at("os"), "name");
    if !required(errors, &os_path.child("name"), name) {
        return;
    }
    if name == "linux" {
        let detail = "windows options cannot be set for a linux pod";
        if has(spec.at("securityContext"), "windowsOptions") {
            errors.push(FieldError::forbidden(&path.child("securityContext.windowsOptions"), detail));
        }
        visit_containers(spec, path, |container, path| {
            if has(container, "securityContext.windowsOptions") {
                let path = path.child("securityContext.windowsOptions");
                errors.push(FieldError::forbidden(&path, detail));
            }
        });
    } else if name == "windows" {
        validate_windows(errors, spec, path);
    } else {
        errors.push(FieldError::not_supported(&os_path, name, &["linux", "windows"]));
    }
}

fn validate_windows(errors: &mut Errors, spec: &Fields<'_>, path: &Path) {
    const OF_POD: [&str; 11] = [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "fsGroup",
        "fsGroupChangePolicy",
        "sysctls",
        "runAsUser",
        "runAsGroup",
        "supplementalGroups",
        "supplementalGroupsPolicy",
        "seLinuxChangePolicy",
    ];
    const OF_CONTAINER: [&str; 10] = [
        "appArmorProfile",
        "seLinuxOptions",
        "seccompProfile",
        "capabilities",
        "readOnlyRootFilesystem",
        "privileged",
        "allowPrivilegeEscalation",
        "procMount",
        "runAsUser",
        "runAsGroup",
    ];
    let detail = "cannot be set for a windows pod";
    let context = path.child("securityContext");
    for field in OF_POD {
        if has(spec.at("securityContext"), field) {
            errors.push(FieldError::forbidden(&context.child(field), detail));
        }
    }
    if spec.has("hostUsers") {
        errors.push(FieldError::forbidden(&path.child("hostUsers"), detail));
    }
    for field in ["hostPID", "hostIPC"] {
        if spec.flag(field) {
            errors.push(FieldError::forbidden(&path.child(field), detail));
        }
    }
    if spec.has("shareProcessNamespace") {
        errors.push(FieldError::forbidden(&path.child("shareProcessNamespace"), detail));
    }
    visit_containers(spec, path, |container, path| {
        let context = path.child("securityContext");
        for field in OF_CONTAINER {
            if has(at(container, "securityContext"), field) {
                errors.push(FieldError::forbidden(&context.child(field), detail));
            }
        }
    });
}

fn validate_file_key_volumes(errors: &mut Errors, spec: &Fields<'_>, path: &Path) {
    visit_containers(spec, path, |container, path| {
        for (i, var) in list(container, "env").iter().enumerate() {
            if !has(var, "valueFrom.fileKeyRef") {
                continue;
            }
            let name = text(var, "valueFrom.fileKeyRef.volumeName");
            let env = path.child("env");
            let item = env.index(i);
            let path = item.child("valueFrom.fileKeyRef.volumeName");
            match spec.list("volumes").iter().find(|v| text(v, "name") == name) {
                None => errors.push(FieldError::not_found(&path, name)),
                Some(volume) if !has(volume, "emptyDir") => {
                    let detail = "referenced volume must be of type emptyDir";
                    errors.push(FieldError::invalid(&path, name, detail));
                }
                Some(_) => {}
            }
        }
    });
}
