//! What the profiles of `kubectl debug` do to a pod.
//!
//! Source: k8s.io/kubectl/pkg/cmd/debug/profiles.go (v1.37).

use crate::flags::Parsed;
use crate::value::{at, remove, slot, text};
use serde_json::{Value, json};

/// The profiles.
pub(crate) const ALL: [&str; 6] = ["legacy", "general", "baseline", "restricted", "netadmin", "sysadmin"];

/// How something is debugged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Ephemeral,
    Copy,
    Node,
}

/// The container of a name, of whatever sort.
pub(crate) fn container<'a>(pod: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let spec = pod.get_mut("spec")?.as_object_mut()?;
    spec.iter_mut()
        .filter(|(key, _)| matches!(key.as_str(), "containers" | "initContainers" | "ephemeralContainers"))
        .filter_map(|(_, all)| all.as_array_mut())
        .flatten()
        .find(|container| text(container, &["name"]) == name)
}

pub(crate) fn apply(pod: &mut Value, name: &str, style: Style, parsed: &Parsed) {
    let profile = parsed.str("profile");
    if style == Style::Copy {
        let keep = |flag: &str| parsed.bool(flag);
        let legacy = profile == "legacy";
        if legacy || !keep("keep-labels") {
            remove(pod, &["metadata"], "labels");
        }
        if !legacy {
            if !keep("keep-annotations") {
                remove(pod, &["metadata"], "annotations");
            }
            let probes = [
                ("keep-liveness", "livenessProbe"),
                ("keep-readiness", "readinessProbe"),
                ("keep-startup", "startupProbe"),
            ];
            for one in slot(pod, &["spec", "containers"]).as_array_mut().into_iter().flatten() {
                for (flag, probe) in probes {
                    if !keep(flag) {
                        remove(one, &[], probe);
                    }
                }
            }
            if !keep("keep-init-containers") {
                remove(pod, &["spec"], "initContainers");
            }
            if at(pod, &["spec", "shareProcessNamespace"]).is_null() {
                pod["spec"]["shareProcessNamespace"] = true.into();
            }
        }
    }
    if style == Style::Node && matches!(profile, "legacy" | "general" | "sysadmin") {
        mount_root(pod, name);
    }
    if style == Style::Node && matches!(profile, "legacy" | "general" | "netadmin" | "sysadmin") {
        for key in ["hostNetwork", "hostPID", "hostIPC"] {
            pod["spec"][key] = true.into();
        }
    }
    let Some(container) = container(pod, name) else { return };
    match profile {
        "general" if style == Style::Node => drop(remove(container, &[], "securityContext")),
        "general" => add_capabilities(container, &["SYS_PTRACE"]),
        "baseline" => drop(remove(container, &[], "securityContext")),
        "restricted" => {
            container["securityContext"] = json!({
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": true,
                "seccompProfile": {"type": "RuntimeDefault"},
            });
        }
        "netadmin" => add_capabilities(container, &["NET_ADMIN", "NET_RAW"]),
        "sysadmin" => slot(container, &["securityContext"])["privileged"] = true.into(),
        _ => {}
    }
}

fn mount_root(pod: &mut Value, name: &str) {
    let push = |list: &mut Value, item: Value| match list.as_array_mut() {
        Some(all) => all.push(item),
        None => *list = json!([item]),
    };
    push(slot(pod, &["spec", "volumes"]), json!({"name": "host-root", "hostPath": {"path": "/"}}));
    if let Some(container) = container(pod, name) {
        let mount = json!({"name": "host-root", "mountPath": "/host"});
        push(slot(container, &["volumeMounts"]), mount);
    }
}

fn add_capabilities(container: &mut Value, names: &[&str]) {
    let all = slot(container, &["securityContext", "capabilities", "add"]);
    let mut list = all.as_array().cloned().unwrap_or_default();
    list.extend(names.iter().map(|name| json!(name)));
    *all = Value::Array(list);
}
