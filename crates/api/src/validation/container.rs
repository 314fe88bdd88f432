//! Containers: ports, environment, mounts, restart rules.
//!
//! Source: pkg/apis/core/validation/validation.go validateContainerCommon and around it (v1.37).

use super::content::{self, is_dns1123_label};
use super::field::{FieldError, Path};
use super::meta::name_is_dns_subdomain;
use super::resources::{quantity, validate_requirements};
use super::volume::{Volumes, local_descending_path, no_backsteps};
use super::{Errors, invalid_each, invalid_number, required, required_supported, supported};
use crate::schema::tree::{Fields, at, flag, has, int, list, text};
use serde_json::Value;

/// What all containers of a pod are checked against.
pub(crate) struct PodContext<'a> {
    pub(crate) volumes: Volumes<'a>,
    pub(crate) claim_names: Vec<&'a str>,
    pub(crate) restart_policy: &'a str,
    pub(crate) host_users: bool,
    pub(crate) os: &'a Value,
    pub(crate) grace: Option<i64>,
}

/// The rules that hold for containers of all three lists.
pub(crate) fn validate_common(errors: &mut Errors, container: &Fields<'_>, ctx: &PodContext, path: &Path) {
    let name = container.text("name");
    if required(errors, &path.child("name"), name) {
        invalid_each(errors, &path.child("name"), name, is_dns1123_label(name));
    }
    required(errors, &path.child("image"), container.text("image"));
    required_supported(
        errors,
        &path.child("terminationMessagePolicy"),
        container.text("terminationMessagePolicy"),
        &["File", "FallbackToLogsOnError"],
    );
    validate_ports(errors, container.list("ports"), &path.child("ports"));
    validate_env(errors, container.list("env"), &path.child("env"));
    validate_env_from(errors, container.list("envFrom"), &path.child("envFrom"));
    validate_mounts(errors, container, ctx, &path.child("volumeMounts"));
    validate_devices(errors, container, ctx, &path.child("volumeDevices"));
    let policy = container.text("imagePullPolicy");
    required_supported(errors, &path.child("imagePullPolicy"), policy, &["Always", "IfNotPresent", "Never"]);
    let resources = container.at("resources");
    validate_requirements(errors, resources, false, &ctx.claim_names, &path.child("resources"));
    validate_resize_policy(
        errors,
        container.list("resizePolicy"),
        ctx.restart_policy,
        &path.child("resizePolicy"),
    );
    super::security::validate_security_context(
        errors,
        container.at("securityContext"),
        ctx.host_users,
        &path.child("securityContext"),
    );
}

fn validate_ports(errors: &mut Errors, ports: &[Value], path: &Path) {
    let mut names: Vec<&str> = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        let path = path.index(i);
        let name = text(port, "name");
        if !name.is_empty() {
            let messages = content::is_valid_port_name(name);
            if !messages.is_empty() {
                invalid_each(errors, &path.child("name"), name, messages);
            } else if names.contains(&name) {
                errors.push(FieldError::duplicate(&path.child("name"), name));
            } else {
                names.push(name);
            }
        }
        let number = int(port, "containerPort").unwrap_or(0);
        if number == 0 {
            errors.push(FieldError::required(&path.child("containerPort"), ""));
        } else {
            invalid_number(errors, &path.child("containerPort"), number, content::is_valid_port_num(number));
        }
        let host = int(port, "hostPort").unwrap_or(0);
        if host != 0 {
            invalid_number(errors, &path.child("hostPort"), host, content::is_valid_port_num(host));
        }
        required_supported(errors, &path.child("protocol"), text(port, "protocol"), &["SCTP", "TCP", "UDP"]);
    }
}

fn validate_env(errors: &mut Errors, vars: &[Value], path: &Path) {
    for (i, var) in vars.iter().enumerate() {
        let path = path.index(i);
        let name = text(var, "name");
        if required(errors, &path.child("name"), name) {
            invalid_each(errors, &path.child("name"), name, content::is_relaxed_env_var_name(name));
        }
        validate_value_from(errors, var, &path.child("valueFrom"));
    }
}

fn validate_value_from(errors: &mut Errors, var: &Value, path: &Path) {
    let source = at(var, "valueFrom");
    if source.is_null() {
        return;
    }
    let mut count = 0;
    if has(source, "fieldRef") {
        count += 1;
        object_field_selector(errors, at(source, "fieldRef"), false, &path.child("fieldRef"));
    }
    if has(source, "resourceFieldRef") {
        count += 1;
        let path = path.child("resourceFieldRef");
        resource_field_selector(errors, at(source, "resourceFieldRef"), false, &path);
    }
    for kind in ["configMapKeyRef", "secretKeyRef"] {
        if has(source, kind) {
            count += 1;
            let selector = at(source, kind);
            let path = path.child(kind);
            let (name, key) = (text(selector, "name"), text(selector, "key"));
            invalid_each(errors, &path.child("name"), name, name_is_dns_subdomain(name, false));
            if required(errors, &path.child("key"), key) {
                invalid_each(errors, &path.child("key"), key, content::is_config_map_key(key));
            }
        }
    }
    if has(source, "fileKeyRef") {
        count += 1;
        file_key_selector(errors, at(source, "fileKeyRef"), &path.child("fileKeyRef"));
    }
    let detail = if count == 0 {
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
    } else if !text(var, "value").is_empty() {
        "may not be specified when `value` is not empty"
    } else if count > 1 {
        "may not have more than one field specified at a time"
    } else {
        return;
    };
    errors.push(FieldError::invalid(path, "", detail));
}

fn file_key_selector(errors: &mut Errors, selector: &Value, path: &Path) {
    let (key, volume, file) = (text(selector, "key"), text(selector, "volumeName"), text(selector, "path"));
    if required(errors, &path.child("key"), key) {
        invalid_each(errors, &path.child("key"), key, content::is_relaxed_env_var_name(key));
    }
    if required(errors, &path.child("volumeName"), volume) {
        invalid_each(errors, &path.child("volumeName"), volume, is_dns1123_label(volume));
    }
    if required(errors, &path.child("path"), file) {
        no_backsteps(errors, file, &path.child("path"));
    }
}

/// Splits `metadata.labels['a']`.
fn split_subscript(path: &str) -> Option<(&str, &str)> {
    let (field, subscript) = path.strip_suffix("']")?.split_once("['")?;
    (!field.is_empty()).then_some((field, subscript))
}

/// A field of the pod itself; `in_volume` allows labels and annotations as a whole.
pub(crate) fn object_field_selector(errors: &mut Errors, selector: &Value, in_volume: bool, path: &Path) {
    const KNOWN: [&str; 14] = [
        "metadata.annotations",
        "metadata.labels",
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.serviceAccountName",
        "spec.schedulerName",
        "status.phase",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    const IN_ENV: [&str; 9] = [
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    ];
    const IN_VOLUME: [&str; 5] =
        ["metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"];
    let version = text(selector, "apiVersion");
    let field_path = text(selector, "fieldPath");
    if !required(errors, &path.child("apiVersion"), version)
        || !required(errors, &path.child("fieldPath"), field_path)
    {
        return;
    }
    let subscripted = split_subscript(field_path);
    let problem = if version != "v1" {
        Some(format!("unsupported pod version: {version}"))
    } else {
        match subscripted {
            Some(("metadata.annotations" | "metadata.labels", _)) => None,
            Some(_) => Some(format!("field label does not support subscript: {field_path}")),
            None if KNOWN.contains(&field_path) || field_path == "spec.host" => None,
            None => Some(format!("field label not supported: {field_path}")),
        }
    };
    if let Some(problem) = problem {
        let detail = format!("error converting fieldPath: {problem}");
        errors.push(FieldError::invalid(&path.child("fieldPath"), field_path, detail));
        return;
    }
    match subscripted {
        Some((field, subscript)) => {
            let key =
                if field == "metadata.annotations" { subscript.to_lowercase() } else { subscript.to_owned() };
            invalid_each(errors, path, &key, content::is_qualified_name(&key));
        }
        None => {
            let allowed: &[&str] = if in_volume { &IN_VOLUME } else { &IN_ENV };
            let field_path = if field_path == "spec.host" { "spec.nodeName" } else { field_path };
            supported(errors, &path.child("fieldPath"), field_path, allowed);
        }
    }
}

/// A request or limit of a container; in volumes the container must be named.
pub(crate) fn resource_field_selector(errors: &mut Errors, selector: &Value, in_volume: bool, path: &Path) {
    const KNOWN: [&str; 6] = [
        "limits.cpu",
        "limits.ephemeral-storage",
        "limits.memory",
        "requests.cpu",
        "requests.ephemeral-storage",
        "requests.memory",
    ];
    let resource = text(selector, "resource");
    let huge = resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-");
    if in_volume && text(selector, "containerName").is_empty() {
        errors.push(FieldError::required(&path.child("containerName"), ""));
    } else if required(errors, &path.child("resource"), resource) && !huge {
        supported(errors, &path.child("resource"), resource, &KNOWN);
    }
    let divisor = quantity(at(selector, "divisor"));
    if divisor.is_zero() {
        return;
    }
    let divisor = divisor.to_string();
    let sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];
    let in_sizes = sizes.contains(&divisor.as_str());
    let told = |what: &str| {
        format!(
            "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the {what} resource"
        )
    };
    let detail = match resource {
        "limits.cpu" | "requests.cpu" if divisor != "1" && divisor != "1m" => {
            "only divisor's values 1m and 1 are supported with the cpu resource".to_owned()
        }
        "limits.memory" | "requests.memory" if !in_sizes => told("memory"),
        "limits.ephemeral-storage" | "requests.ephemeral-storage" if !in_sizes => {
            told("local ephemeral storage")
        }
        _ if huge && !in_sizes => told("hugepages"),
        _ => return,
    };
    errors.push(FieldError::invalid(&path.child("divisor"), resource, detail));
}

fn validate_env_from(errors: &mut Errors, sources: &[Value], path: &Path) {
    for (i, source) in sources.iter().enumerate() {
        let item = path.index(i);
        let prefix = text(source, "prefix");
        if !prefix.is_empty() {
            invalid_each(errors, &item.child("prefix"), prefix, content::is_relaxed_env_var_name(prefix));
        }
        let mut count = 0;
        for kind in ["configMapRef", "secretRef"] {
            if has(source, kind) {
                count += 1;
                let reference = item.child(kind);
                let name_path = reference.child("name");
                let name = text(at(source, kind), "name");
                if required(errors, &name_path, name) {
                    invalid_each(errors, &name_path, name, name_is_dns_subdomain(name, true));
                }
            }
        }
        if count == 0 {
            errors.push(FieldError::invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"));
        } else if count > 1 {
            let detail = "may not have more than one field specified at a time";
            errors.push(FieldError::invalid(path, "", detail));
        }
    }
}

fn validate_mounts(errors: &mut Errors, container: &Fields<'_>, ctx: &PodContext, path: &Path) {
    let devices = container.list("volumeDevices");
    let mut seen: Vec<&str> = Vec::new();
    for (i, mount) in container.list("volumeMounts").iter().enumerate() {
        let item = path.index(i);
        let (name, target) = (text(mount, "name"), text(mount, "mountPath"));
        required(errors, &item.child("name"), name);
        if !ctx.volumes.contains_key(name) {
            errors.push(FieldError::not_found(&item.child("name"), name));
        }
        required(errors, &item.child("mountPath"), target);
        if seen.contains(&target) {
            errors.push(FieldError::invalid(&item.child("mountPath"), target, "must be unique"));
        }
        seen.push(target);
        if devices.iter().any(|d| text(d, "name") == name) {
            let detail = "must not already exist in volumeDevices";
            errors.push(FieldError::invalid(&item.child("name"), name, detail));
        }
        if devices.iter().any(|d| text(d, "devicePath") == target) {
            let detail = "must not already exist as a path in volumeDevices";
            errors.push(FieldError::invalid(&item.child("mountPath"), target, detail));
        }
        let (sub_path, expression) = (text(mount, "subPath"), text(mount, "subPathExpr"));
        if !sub_path.is_empty() {
            local_descending_path(errors, sub_path, &path.child("subPath"));
        }
        if !expression.is_empty() {
            if !sub_path.is_empty() {
                let detail = "subPathExpr and subPath are mutually exclusive";
                errors.push(FieldError::invalid(&item.child("subPathExpr"), expression, detail));
            }
            local_descending_path(errors, expression, &path.child("subPathExpr"));
        }
        if has(mount, "mountPropagation") {
            let propagation = text(mount, "mountPropagation");
            let path = path.child("mountPropagation");
            supported(errors, &path, propagation, &["Bidirectional", "HostToContainer", "None"]);
            if propagation == "Bidirectional" && !flag(container.at("securityContext"), "privileged") {
                let detail = "Bidirectional mount propagation is available only to privileged containers";
                errors.push(FieldError::forbidden(&path, detail));
            }
        }
        validate_recursive_read_only(errors, mount, &path.child("recursiveReadOnly"));
    }
}

fn validate_recursive_read_only(errors: &mut Errors, mount: &Value, path: &Path) {
    if !has(mount, "recursiveReadOnly") {
        return;
    }
    let mode = text(mount, "recursiveReadOnly");
    if matches!(mode, "Enabled" | "IfPossible") {
        if !flag(mount, "readOnly") {
            errors.push(FieldError::forbidden(path, "may only be specified when readOnly is true"));
        }
        if has(mount, "mountPropagation") && text(mount, "mountPropagation") != "None" {
            let detail = "may only be specified when mountPropagation is None or not specified";
            errors.push(FieldError::forbidden(path, detail));
        }
    } else {
        supported(errors, path, mode, &["Disabled", "Enabled", "IfPossible"]);
    }
}

fn validate_devices(errors: &mut Errors, container: &Fields<'_>, ctx: &PodContext, path: &Path) {
    let mounts = container.list("volumeMounts");
    let (mut paths, mut names): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for (i, device) in container.list("volumeDevices").iter().enumerate() {
        let item = path.index(i);
        let (name, target) = (text(device, "name"), text(device, "devicePath"));
        let (name_path, target_path) = (item.child("name"), item.child("devicePath"));
        required(errors, &name_path, name);
        if names.contains(&name) {
            errors.push(FieldError::invalid(&name_path, name, "must be unique"));
        }
        match ctx.volumes.get(name) {
            Some(volume) if !has(volume, "persistentVolumeClaim") && !has(volume, "ephemeral") => {
                let detail =
                    "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
                errors.push(FieldError::invalid(&name_path, name, detail));
            }
            Some(_) => {}
            None => errors.push(FieldError::not_found(&name_path, name)),
        }
        required(errors, &target_path, target);
        if paths.contains(&target) {
            errors.push(FieldError::invalid(&target_path, target, "must be unique"));
        }
        if target.split('/').any(|part| part == "..") {
            errors.push(FieldError::invalid(&target_path, target, "can not contain backsteps ('..')"));
        } else {
            paths.push(target);
        }
        if mounts.iter().any(|m| text(m, "name") == name) {
            errors.push(FieldError::invalid(&name_path, name, "must not already exist in volumeMounts"));
        }
        if mounts.iter().any(|m| text(m, "mountPath") == target) {
            let detail = "must not already exist as a path in volumeMounts";
            errors.push(FieldError::invalid(&target_path, target, detail));
        }
        if !name.is_empty() {
            names.push(name);
        }
    }
}

fn validate_resize_policy(errors: &mut Errors, policies: &[Value], restart_policy: &str, path: &Path) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, policy) in policies.iter().enumerate() {
        let (name, restart) = (text(policy, "resourceName"), text(policy, "restartPolicy"));
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(&path.index(i), name));
        }
        seen.push(name);
        required_supported(errors, path, name, &["cpu", "memory"]);
        required_supported(errors, path, restart, &["NotRequired", "RestartContainer"]);
        if restart_policy == "Never" && restart != "NotRequired" {
            let detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'";
            errors.push(FieldError::invalid(path, restart, detail));
        }
    }
}

/// A container's own restart policy and its rules.
pub(crate) fn validate_restart_policy(errors: &mut Errors, container: &Fields<'_>, path: &Path) {
    let rules = container.list("restartPolicyRules");
    if !container.has("restartPolicy") {
        if rules.is_empty() {
            return;
        }
        let detail = "must specify restartPolicy when restart rules are used";
        errors.push(FieldError::required(&path.child("restartPolicy"), detail));
    } else {
        let policy = container.text("restartPolicy");
        supported(errors, &path.child("restartPolicy"), policy, &["Always", "Never", "OnFailure"]);
    }
    let rules_path = path.child("restartPolicyRules");
    if rules.len() > 20 {
        errors.push(FieldError::too_many(&rules_path, rules.len(), 20));
    }
    for (i, rule) in rules.iter().enumerate() {
        let path = rules_path.index(i);
        supported(errors, &path.child("action"), text(rule, "action"), &["Restart", "RestartAllContainers"]);
        let codes = path.child("exitCodes");
        if has(rule, "exitCodes") {
            supported(errors, &codes.child("operator"), text(rule, "exitCodes.operator"), &["In", "NotIn"]);
            let values = list(rule, "exitCodes.values").len();
            if values > 255 {
                errors.push(FieldError::too_many(&codes.child("values"), values, 255));
            }
        } else {
            errors.push(FieldError::required(&codes, "must be specified"));
        }
    }
}

/// Host ports that are asked for twice.
pub(crate) fn check_host_ports<'a>(
    errors: &mut Errors,
    containers: impl Iterator<Item = &'a Value>,
    path: &Path,
) {
    let mut seen: Vec<String> = Vec::new();
    for (i, container) in containers.enumerate() {
        let container_path = path.index(i);
        let ports = container_path.child("ports");
        for (j, port) in list(container, "ports").iter().enumerate() {
            let number = int(port, "hostPort").unwrap_or(0);
            if number == 0 {
                continue;
            }
            let key = format!("{}/{}/{number}", text(port, "protocol"), text(port, "hostIP"));
            if seen.contains(&key) {
                errors.push(FieldError::duplicate(&ports.index(j).child("hostPort"), key));
            } else {
                seen.push(key);
            }
        }
    }
}
