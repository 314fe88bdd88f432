//! Security contexts of pods and containers.
//!
//! Source: pkg/apis/core/validation/validation.go ValidateSecurityContext,
//! validatePodSpecSecurityContext (v1.37).

use super::field::{BadValue, FieldError, Path};
use super::volume::local_descending_path;
use super::{Errors, content, invalid_each, invalid_number, supported};
use crate::schema::tree::{Fields, at, flag, has, int, list, text};
use serde_json::Value;

pub(crate) fn validate_security_context(errors: &mut Errors, context: &Value, host_users: bool, path: &Path) {
    if context.is_null() {
        return;
    }
    ids(errors, context, &["runAsUser", "runAsGroup"], path);
    if has(context, "procMount") {
        let mount = text(context, "procMount");
        supported(errors, &path.child("procMount"), mount, &["Default", "Unmasked"]);
        if host_users && mount == "Unmasked" {
            let detail = "`hostUsers` must be false to use `Unmasked`";
            errors.push(FieldError::invalid(&path.child("procMount"), mount, detail));
        }
    }
    seccomp_profile(errors, at(context, "seccompProfile"), &path.child("seccompProfile"));
    if at(context, "allowPrivilegeEscalation") == &Value::Bool(false) {
        let shown = || BadValue::Json(super::go_json::internal_json("core.SecurityContext", context));
        if flag(context, "privileged") {
            let detail = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true";
            errors.push(FieldError::invalid(path, shown(), detail));
        }
        for capability in list(context, "capabilities.add") {
            if capability.as_str() == Some("CAP_SYS_ADMIN") {
                let detail =
                    "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN";
                errors.push(FieldError::invalid(path, shown(), detail));
            }
        }
    }
    windows_options(errors, at(context, "windowsOptions"), &path.child("windowsOptions"));
    app_armor_profile(errors, at(context, "appArmorProfile"), &path.child("appArmorProfile"));
}

fn ids(errors: &mut Errors, context: &Value, names: &[&str], path: &Path) {
    for name in names {
        if let Some(id) = int(context, name) {
            invalid_number(errors, &path.child(name), id, content::is_valid_id(id));
        }
    }
}

pub(crate) fn validate_pod_security_context(errors: &mut Errors, spec: &Fields<'_>, path: &Path) {
    let context = spec.at("securityContext");
    if context.is_null() {
        return;
    }
    ids(errors, context, &["fsGroup", "runAsUser", "runAsGroup"], path);
    for (i, group) in list(context, "supplementalGroups").iter().filter_map(Value::as_i64).enumerate() {
        let path = path.child("supplementalGroups");
        invalid_number(errors, &path.index(i), group, content::is_valid_id(group));
    }
    sysctls(errors, spec, list(context, "sysctls"), &path.child("sysctls"));
    if has(context, "fsGroupChangePolicy") {
        let policy = text(context, "fsGroupChangePolicy");
        supported(errors, &path.child("fsGroupChangePolicy"), policy, &["Always", "OnRootMismatch"]);
    }
    seccomp_profile(errors, at(context, "seccompProfile"), &path.child("seccompProfile"));
    windows_options(errors, at(context, "windowsOptions"), &path.child("windowsOptions"));
    app_armor_profile(errors, at(context, "appArmorProfile"), &path.child("appArmorProfile"));
    if has(context, "supplementalGroupsPolicy") {
        let policy = text(context, "supplementalGroupsPolicy");
        supported(errors, &path.child("supplementalGroupsPolicy"), policy, &["Merge", "Strict"]);
    }
    if has(context, "seLinuxChangePolicy") {
        let policy = text(context, "seLinuxChangePolicy");
        supported(errors, &path.child("seLinuxChangePolicy"), policy, &["MountOption", "Recursive"]);
    }
}

const SYSCTL_REGEX: &str = r"^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$";

fn is_valid_sysctl_name(name: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let fits = |segment: &str| {
        let bytes = segment.as_bytes();
        match (bytes.first(), bytes.last()) {
            (Some(first), Some(last)) => {
                word(*first) && word(*last) && bytes.iter().all(|b| word(*b) || matches!(b, b'-' | b'_'))
            }
            _ => false,
        }
    };
    name.len() <= 253 && name.split(['.', '/']).all(fits)
}

fn sysctls(errors: &mut Errors, spec: &Fields<'_>, sysctls: &[Value], path: &Path) {
    let mut seen: Vec<&str> = Vec::new();
    for (i, sysctl) in sysctls.iter().enumerate() {
        let item = path.index(i);
        let path = item.child("name");
        let name = text(sysctl, "name");
        if name.is_empty() {
            errors.push(FieldError::required(&path, ""));
        } else if !is_valid_sysctl_name(name) {
            let detail = format!("must have at most 253 characters and match regex {SYSCTL_REGEX}");
            errors.push(FieldError::invalid(&path, name, detail));
        } else if seen.contains(&name) {
            errors.push(FieldError::duplicate(&path, name));
        }
        let dotted = name.replace('/', ".");
        let ipc =
            ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."].iter().any(|p| dotted.starts_with(p));
        if spec.flag("hostNetwork") && dotted.starts_with("net.") {
            let detail = "may not be specified when 'hostNetwork' is true";
            errors.push(FieldError::invalid(&path, name, detail));
        } else if spec.flag("hostIPC") && ipc {
            let detail = "may not be specified when 'hostIPC' is true";
            errors.push(FieldError::invalid(&path, name, detail));
        }
        seen.push(name);
    }
}

fn seccomp_profile(errors: &mut Errors, profile: &Value, path: &Path) {
    if profile.is_null() {
        return;
    }
    let kind = text(profile, "type");
    if kind.is_empty() {
        let detail = "type is required when seccompProfile is set";
        errors.push(FieldError::required(&path.child("type"), detail));
    } else {
        supported(errors, &path.child("type"), kind, &["Localhost", "RuntimeDefault", "Unconfined"]);
    }
    let local_path = path.child("localhostProfile");
    match (kind, has(profile, "localhostProfile")) {
        ("Localhost", true) => local_descending_path(errors, text(profile, "localhostProfile"), &local_path),
        ("Localhost", false) => {
            errors.push(FieldError::required(&local_path, "must be set when seccomp type is Localhost"));
        }
        (_, true) => {
            let shown = super::go_json::internal_json("core.SeccompProfile", profile);
            let detail = "can only be set when seccomp type is Localhost";
            errors.push(FieldError::invalid(&local_path, BadValue::Json(shown), detail));
        }
        (_, false) => {}
    }
}

fn app_armor_profile(errors: &mut Errors, profile: &Value, path: &Path) {
    if profile.is_null() {
        return;
    }
    let local_path = path.child("localhostProfile");
    let local = at(profile, "localhostProfile").as_str();
    match text(profile, "type") {
        "Localhost" => match local {
            None => {
                errors.push(FieldError::required(&local_path, "must be set when AppArmor type is Localhost"))
            }
            Some(name) => {
                if name.trim() != name {
                    errors.push(FieldError::invalid(&local_path, name, "must not be padded with whitespace"));
                } else if name.is_empty() {
                    let detail = "must be set when AppArmor type is Localhost";
                    errors.push(FieldError::required(&local_path, detail));
                }
                if name.len() > 4095 {
                    errors.push(FieldError::too_long(&local_path, 4095));
                }
            }
        },
        "RuntimeDefault" | "Unconfined" => {
            if let Some(name) = local {
                let detail = "can only be set when AppArmor type is Localhost";
                errors.push(FieldError::invalid(&local_path, name, detail));
            }
        }
        "" => {
            let detail = "type is required when appArmorProfile is set";
            errors.push(FieldError::required(&path.child("type"), detail));
        }
        other => {
            let values = ["Localhost", "RuntimeDefault", "Unconfined"];
            errors.push(FieldError::not_supported(&path.child("type"), other, &values));
        }
    }
}

fn windows_options(errors: &mut Errors, options: &Value, path: &Path) {
    if let Some(name) = at(options, "gmsaCredentialSpecName").as_str() {
        invalid_each(
            errors,
            &path.child("gmsaCredentialSpecName"),
            name,
            content::is_dns1123_subdomain(name),
        );
    }
    if let Some(spec) = at(options, "gmsaCredentialSpec").as_str() {
        let path = path.child("gmsaCredentialSpec");
        if spec.is_empty() {
            errors.push(FieldError::invalid(&path, spec, "gmsaCredentialSpec cannot be an empty string"));
        } else if spec.len() > 64 * 1024 {
            errors.push(FieldError::invalid(&path, spec, "gmsaCredentialSpec size must be under 64 KiB"));
        }
    }
    if let Some(name) = at(options, "runAsUserName").as_str() {
        let path = path.child("runAsUserName");
        let mut problem = |detail: &str| errors.push(FieldError::invalid(&path, name, detail));
        let parts: Vec<&str> = name.split('\\').collect();
        if name.is_empty() {
            problem("runAsUserName cannot be an empty string");
        } else if name.chars().any(|c| c.is_ascii_control()) {
            problem("runAsUserName cannot contain control characters");
        } else if parts.len() > 2 {
            problem("runAsUserName cannot contain more than one backslash");
        } else {
            let user = parts.last().copied().unwrap_or("");
            if user.is_empty() {
                problem("runAsUserName's User cannot be empty");
            } else if user.len() > 104 {
                problem("runAsUserName's User length must not be longer than 104 characters");
            }
            if !user.is_empty() && user.bytes().all(|b| b == b'.' || b == b' ') {
                problem("runAsUserName's User cannot contain only periods or spaces");
            }
            if user.contains(['"', '/', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '@', '[', ']']) {
                problem(r#"runAsUserName's User cannot contain the following characters: "/\:;|=,+*?<>@[]"#);
            }
        }
    }
}
