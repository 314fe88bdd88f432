//! Pods and pod templates: containers, volumes, tolerations.

use super::{Out, ago, controller, or, selector, time};
use crate::value::{at, int, list, name, namespace, plain, text};
use podlab_api::quantity::Quantity;
use serde_json::Value;

pub(super) fn pod(out: &mut Out, pod: &Value) {
    let (spec, status) = (at(pod, &["spec"]), at(pod, &["status"]));
    out.line(0, format!("Name:\t{}", name(pod)));
    out.line(0, format!("Namespace:\t{}", namespace(pod)));
    if let Some(priority) = at(spec, &["priority"]).as_i64() {
        out.line(0, format!("Priority:\t{priority}"));
    }
    for (title, field) in [
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ] {
        if !text(spec, &[field]).is_empty() {
            out.line(0, format!("{title}:\t{}", text(spec, &[field])));
        }
    }
    match text(spec, &["nodeName"]) {
        "" => out.line(0, "Node:\t<none>"),
        node => out.line(0, format!("Node:\t{node}/{}", text(status, &["hostIP"]))),
    }
    if !text(status, &["startTime"]).is_empty() {
        out.line(0, format!("Start Time:\t{}", time(text(status, &["startTime"]))));
    }
    out.marks(pod);
    let phase = text(status, &["phase"]);
    let deleted = text(pod, &["metadata", "deletionTimestamp"]);
    if !deleted.is_empty() && phase != "Succeeded" && phase != "Failed" {
        out.line(0, format!("Status:\tTerminating (lasts {})", ago(deleted, out.now)));
        let grace = int(pod, &["metadata", "deletionGracePeriodSeconds"]);
        out.line(0, format!("Termination Grace Period:\t{grace}s"));
    } else {
        out.line(0, format!("Status:\t{phase}"));
    }
    for (title, field) in [("Reason", "reason"), ("Message", "message")] {
        if !text(status, &[field]).is_empty() {
            out.line(0, format!("{title}:\t{}", text(status, &[field])));
        }
    }
    seccomp(out, 0, at(spec, &["securityContext"]));
    out.line(0, format!("IP:\t{}", text(status, &["podIP"])));
    let ips = list(status, &["podIPs"]);
    if ips.is_empty() {
        out.line(0, "IPs:\t<none>");
    } else {
        out.line(0, "IPs:");
        for ip in ips {
            out.line(1, format!("IP:\t{}", text(ip, &["ip"])));
        }
    }
    if let Some(owner) = controller(pod) {
        out.line(0, format!("Controlled By:\t{owner}"));
    }
    if !text(status, &["nominatedNodeName"]).is_empty() {
        out.line(0, format!("NominatedNodeName:\t{}", text(status, &["nominatedNodeName"])));
    }
    if at(spec, &["resources"]).as_object().is_some_and(|m| !m.is_empty()) {
        out.line(0, "Resources:");
        resources(out, 1, at(spec, &["resources"]));
    }
    if !list(spec, &["initContainers"]).is_empty() {
        containers(
            out,
            "Init Containers",
            list(spec, &["initContainers"]),
            list(status, &["initContainerStatuses"]),
            Some(pod),
            "",
        );
    }
    containers(
        out,
        "Containers",
        list(spec, &["containers"]),
        list(status, &["containerStatuses"]),
        Some(pod),
        "",
    );
    if !list(spec, &["ephemeralContainers"]).is_empty() {
        containers(
            out,
            "Ephemeral Containers",
            list(spec, &["ephemeralContainers"]),
            list(status, &["ephemeralContainerStatuses"]),
            Some(pod),
            "",
        );
    }
    let gates = list(spec, &["readinessGates"]);
    if !gates.is_empty() {
        out.line(0, "Readiness Gates:");
        out.line(1, "Type\tStatus");
        for gate in gates {
            let kind = text(gate, &["conditionType"]);
            let found = list(status, &["conditions"]).iter().find(|c| text(c, &["type"]) == kind);
            let state = found.map_or("<none>", |c| text(c, &["status"]));
            out.line(1, format!("{kind} \t{state} "));
        }
    }
    let conditions = list(status, &["conditions"]);
    if !conditions.is_empty() {
        out.line(0, "Conditions:");
        out.line(1, "Type\tStatus");
        for condition in conditions {
            out.line(1, format!("{} \t{} ", text(condition, &["type"]), text(condition, &["status"])));
        }
    }
    volumes(out, list(spec, &["volumes"]), "");
    out.line(0, format!("QoS Class:\t{}", text(status, &["qosClass"])));
    out.labels("Node-Selectors", at(spec, &["nodeSelector"]));
    tolerations(out, "Tolerations", list(spec, &["tolerations"]));
    spread(out, list(spec, &["topologySpreadConstraints"]), "");
}

/// The template of pods that a workload makes.
pub(super) fn template(out: &mut Out, template: &Value) {
    out.line(0, "Pod Template:");
    if !template.is_object() {
        out.line(1, "<unset>");
        return;
    }
    out.labels("  Labels", at(template, &["metadata", "labels"]));
    if at(template, &["metadata", "annotations"]).as_object().is_some_and(|m| !m.is_empty()) {
        out.annotations("  Annotations", at(template, &["metadata", "annotations"]));
    }
    let spec = at(template, &["spec"]);
    if !text(spec, &["serviceAccountName"]).is_empty() {
        out.line(0, format!("  Service Account:\t{}", text(spec, &["serviceAccountName"])));
    }
    if !list(spec, &["initContainers"]).is_empty() {
        containers(out, "Init Containers", list(spec, &["initContainers"]), &[], None, "  ");
    }
    containers(out, "Containers", list(spec, &["containers"]), &[], None, "  ");
    volumes(out, list(spec, &["volumes"]), "  ");
    spread(out, list(spec, &["topologySpreadConstraints"]), "  ");
    if !text(spec, &["priorityClassName"]).is_empty() {
        out.line(0, format!("  Priority Class Name:\t{}", text(spec, &["priorityClassName"])));
    }
    out.labels("  Node-Selectors", at(spec, &["nodeSelector"]));
    tolerations(out, "  Tolerations", list(spec, &["tolerations"]));
}

fn seccomp(out: &mut Out, level: usize, context: &Value) {
    let profile = at(context, &["seccompProfile"]);
    if profile.is_object() {
        out.line(level, format!("SeccompProfile:\t{}", text(profile, &["type"])));
        if text(profile, &["type"]) == "Localhost" {
            out.line(level, format!("LocalhostProfile:\t{}", text(profile, &["localhostProfile"])));
        }
    }
}

fn resources(out: &mut Out, level: usize, resources: &Value) {
    for (title, field) in [("Limits", "limits"), ("Requests", "requests")] {
        let amounts = at(resources, &[field]);
        if let Some(map) = amounts.as_object().filter(|m| !m.is_empty()) {
            out.line(level, format!("{title}:"));
            for (key, amount) in map {
                out.line(level + 1, format!("{key}:\t{}", plain(amount)));
            }
        }
    }
}

fn ports(container: &Value, field: &str) -> String {
    let all: Vec<String> = list(container, &["ports"])
        .iter()
        .map(|p| {
            let own = text(p, &["name"]);
            let mark = if own.is_empty() { String::new() } else { format!(" ({own})") };
            format!("{}/{}{mark}", int(p, &[field]), or(text(p, &["protocol"]), "TCP"))
        })
        .collect();
    all.join(", ")
}

fn containers(
    out: &mut Out,
    label: &str,
    all: &[Value],
    statuses: &[Value],
    pod: Option<&Value>,
    space: &str,
) {
    let none = if all.is_empty() { " <none>" } else { "" };
    out.line(0, format!("{space}{label}:{none}"));
    let indent = if space.is_empty() { "" } else { " " };
    for container in all {
        let own = text(container, &["name"]);
        let status = statuses.iter().find(|s| text(s, &["name"]) == own);
        out.line(1, format!("{indent}{own}:"));
        if let Some(status) = status {
            out.line(2, format!("Container ID:\t{}", text(status, &["containerID"])));
        }
        out.line(2, format!("Image:\t{}", text(container, &["image"])));
        if let Some(status) = status {
            out.line(2, format!("Image ID:\t{}", text(status, &["imageID"])));
        }
        for (title, field) in [("Port", "containerPort"), ("Host Port", "hostPort")] {
            let shown = ports(container, field);
            let s = if shown.contains(',') { "s" } else { "" };
            out.line(2, format!("{title}{s}:\t{}", or(&shown, "<none>")));
        }
        seccomp(out, 2, at(container, &["securityContext"]));
        for (title, field) in [("Command", "command"), ("Args", "args")] {
            let words = list(container, &[field]);
            if !words.is_empty() {
                out.line(2, format!("{title}:"));
                for word in words {
                    for line in word.as_str().unwrap_or("").split('\n') {
                        out.line(3, line);
                    }
                }
            }
        }
        if let Some(status) = status {
            state(out, "State", at(status, &["state"]));
            let last = at(status, &["lastState"]);
            if at(last, &["terminated"]).is_object() {
                state(out, "Last State", last);
            }
            let ready = at(status, &["ready"]).as_bool().unwrap_or(false);
            out.line(2, format!("Ready:\t{}", if ready { "True" } else { "False" }));
            out.line(2, format!("Restart Count:\t{}", int(status, &["restartCount"])));
        }
        resources(out, 2, at(container, &["resources"]));
        for (title, field) in
            [("Liveness", "livenessProbe"), ("Readiness", "readinessProbe"), ("Startup", "startupProbe")]
        {
            if at(container, &[field]).is_object() {
                out.line(2, format!("{title}:\t{}", probe(at(container, &[field]))));
            }
        }
        environment(out, container, pod);
        mounts(out, container);
    }
}

fn state(out: &mut Out, title: &str, state: &Value) {
    if let Some(running) = state.get("running").filter(|v| v.is_object()) {
        out.line(2, format!("{title}:\tRunning"));
        out.line(3, format!("Started:\t{}", time(text(running, &["startedAt"]))));
    } else if let Some(end) = state.get("terminated").filter(|v| v.is_object()) {
        out.line(2, format!("{title}:\tTerminated"));
        for (title, field) in [("Reason", "reason"), ("Message", "message")] {
            if !text(end, &[field]).is_empty() {
                out.line(3, format!("{title}:\t{}", text(end, &[field])));
            }
        }
        out.line(3, format!("Exit Code:\t{}", int(end, &["exitCode"])));
        if int(end, &["signal"]) > 0 {
            out.line(3, format!("Signal:\t{}", int(end, &["signal"])));
        }
        let at = |field: &str| match text(end, &[field]) {
            "" => "Mon, 01 Jan 0001 00:00:00 +0000".to_owned(),
            then => time(then),
        };
        out.line(3, format!("Started:\t{}", at("startedAt")));
        out.line(3, format!("Finished:\t{}", at("finishedAt")));
    } else {
        out.line(2, format!("{title}:\tWaiting"));
        let reason = text(state, &["waiting", "reason"]);
        if !reason.is_empty() {
            out.line(3, format!("Reason:\t{reason}"));
        }
    }
}

/// A probe in one line.
pub(super) fn probe(probe: &Value) -> String {
    let attributes = format!(
        "delay={}s timeout={}s period={}s successThreshold={} failureThreshold={}",
        int(probe, &["initialDelaySeconds"]),
        int(probe, &["timeoutSeconds"]),
        int(probe, &["periodSeconds"]),
        int(probe, &["successThreshold"]),
        int(probe, &["failureThreshold"])
    );
    if let Some(exec) = probe.get("exec").filter(|v| v.is_object()) {
        let words: Vec<&str> = list(exec, &["command"]).iter().filter_map(Value::as_str).collect();
        return format!("exec [{}] {attributes}", words.join(" "));
    }
    if let Some(http) = probe.get("httpGet").filter(|v| v.is_object()) {
        let path = text(http, &["path"]);
        let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
        return format!(
            "http-get {}://{}:{}{slash}{path} {attributes}",
            or(text(http, &["scheme"]), "HTTP").to_lowercase(),
            text(http, &["host"]),
            plain(at(http, &["port"]))
        );
    }
    if let Some(tcp) = probe.get("tcpSocket").filter(|v| v.is_object()) {
        return format!("tcp-socket {}:{} {attributes}", text(tcp, &["host"]), plain(at(tcp, &["port"])));
    }
    if let Some(grpc) = probe.get("grpc").filter(|v| v.is_object()) {
        return format!("grpc <pod>:{} {} {attributes}", int(grpc, &["port"]), text(grpc, &["service"]));
    }
    format!("unknown {attributes}")
}

fn optional(source: &Value) -> bool {
    at(source, &["optional"]).as_bool().unwrap_or(false)
}

fn environment(out: &mut Out, container: &Value, pod: Option<&Value>) {
    let from = list(container, &["envFrom"]);
    if !from.is_empty() {
        out.line(2, "Environment Variables from:");
        for source in from {
            let (kind, reference) = match source.get("configMapRef").filter(|v| v.is_object()) {
                Some(reference) => ("ConfigMap", reference),
                None => ("Secret", at(source, &["secretRef"])),
            };
            let prefix = text(source, &["prefix"]);
            let with = if prefix.is_empty() { String::new() } else { format!(" with prefix '{prefix}'") };
            out.line(
                3,
                format!("{}\t{kind}{with}\tOptional: {}", text(reference, &["name"]), optional(reference)),
            );
        }
    }
    let env = list(container, &["env"]);
    if env.is_empty() {
        out.line(2, "Environment:\t<none>");
        return;
    }
    out.line(2, "Environment:");
    for variable in env {
        let own = text(variable, &["name"]);
        let source = at(variable, &["valueFrom"]);
        if let Some(field) = source.get("fieldRef").filter(|v| v.is_object()) {
            let path = text(field, &["fieldPath"]);
            let value = pod.map(|p| field_value(p, path)).unwrap_or_default();
            let version = or(text(field, &["apiVersion"]), "v1");
            out.line(3, format!("{own}:\t{value} ({version}:{path})"));
        } else if let Some(field) = source.get("resourceFieldRef").filter(|v| v.is_object()) {
            let resource = text(field, &["resource"]);
            out.line(3, format!("{own}:\t{} ({resource})", resource_value(container, field)));
        } else if let Some(secret) = source.get("secretKeyRef").filter(|v| v.is_object()) {
            out.line(
                3,
                format!(
                    "{own}:\t<set to the key '{}' in secret '{}'>\tOptional: {}",
                    text(secret, &["key"]),
                    text(secret, &["name"]),
                    optional(secret)
                ),
            );
        } else if let Some(map) = source.get("configMapKeyRef").filter(|v| v.is_object()) {
            out.line(
                3,
                format!(
                    "{own}:\t<set to the key '{}' of config map '{}'>\tOptional: {}",
                    text(map, &["key"]),
                    text(map, &["name"]),
                    optional(map)
                ),
            );
        } else {
            for (i, line) in text(variable, &["value"]).split('\n').enumerate() {
                out.line(3, if i == 0 { format!("{own}:\t{line}") } else { format!("\t{line}") });
            }
        }
    }
}

/// The fields of metadata that describe looks up; all others are left empty.
fn field_value(pod: &Value, path: &str) -> String {
    match path {
        "metadata.name" => name(pod).to_owned(),
        "metadata.namespace" => namespace(pod).to_owned(),
        "metadata.uid" => text(pod, &["metadata", "uid"]).to_owned(),
        _ => {
            let Some((field, key)) = path.strip_suffix("']").and_then(|p| p.split_once("['")) else {
                return String::new();
            };
            match field {
                "metadata.labels" => text(pod, &["metadata", "labels", key]).to_owned(),
                "metadata.annotations" => text(pod, &["metadata", "annotations", key]).to_owned(),
                _ => String::new(),
            }
        }
    }
}

fn resource_value(container: &Value, field: &Value) -> String {
    let resource = text(field, &["resource"]);
    let (group, key) = resource.split_once('.').unwrap_or((resource, ""));
    let amount = plain(at(container, &["resources", group, key]));
    let divisor = plain(at(field, &["divisor"]));
    let parse = |text: &str| Quantity::parse(text).ok();
    let Some(amount) = parse(&amount) else {
        return if group == "limits" { "node allocatable".to_owned() } else { "0".to_owned() };
    };
    let divisor = parse(&divisor).filter(|d| !d.is_zero());
    let result = if key == "cpu" {
        let by = divisor.map_or(1000, |d| d.milli_value()).max(1);
        amount.milli_value().div_euclid(by) + i64::from(amount.milli_value().rem_euclid(by) != 0)
    } else {
        let by = divisor.map_or(1, |d| d.value()).max(1);
        amount.value().div_euclid(by) + i64::from(amount.value().rem_euclid(by) != 0)
    };
    result.to_string()
}

fn mounts(out: &mut Out, container: &Value) {
    let mut all: Vec<&Value> = list(container, &["volumeMounts"]).iter().collect();
    all.sort_by(|a, b| text(a, &["mountPath"]).cmp(text(b, &["mountPath"])));
    if all.is_empty() {
        out.line(2, "Mounts:\t<none>");
    } else {
        out.line(2, "Mounts:");
    }
    for mount in all {
        let mut flags = if at(mount, &["readOnly"]).as_bool() == Some(true) { "ro" } else { "rw" }.to_owned();
        if !text(mount, &["subPath"]).is_empty() {
            flags.push_str(&format!(",path={:?}", text(mount, &["subPath"])));
        }
        out.line(3, format!("{} from {} ({flags})", text(mount, &["mountPath"]), text(mount, &["name"])));
    }
    let devices = list(container, &["volumeDevices"]);
    if !devices.is_empty() {
        out.line(2, "Devices:");
        for device in devices {
            out.line(3, format!("{} from {}", text(device, &["devicePath"]), text(device, &["name"])));
        }
    }
}

fn volumes(out: &mut Out, all: &[Value], space: &str) {
    if all.is_empty() {
        out.line(0, format!("{space}Volumes:\t<none>"));
        return;
    }
    out.line(0, format!("{space}Volumes:"));
    let indent = if space.is_empty() { "" } else { " " };
    for volume in all {
        out.line(1, format!("{indent}{}:", text(volume, &["name"])));
        source(out, volume);
    }
}

/// Where a volume's content comes from; persistent volumes have the same sources.
pub(super) fn source(out: &mut Out, volume: &Value) {
    let is = |key: &str| volume.get(key).filter(|v| v.is_object());
    let read_only = |v: &Value| at(v, &["readOnly"]).as_bool().unwrap_or(false);
    if let Some(v) = is("hostPath") {
        out.line(2, "Type:\tHostPath (bare host directory volume)");
        out.line(2, format!("Path:\t{}", text(v, &["path"])));
        out.line(2, format!("HostPathType:\t{}", v.get("type").and_then(Value::as_str).unwrap_or("<none>")));
    } else if let Some(v) = is("emptyDir") {
        out.line(2, "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)");
        out.line(2, format!("Medium:\t{}", text(v, &["medium"])));
        let size = plain(at(v, &["sizeLimit"]));
        out.line(2, format!("SizeLimit:\t{}", or(&size, "<unset>")));
    } else if let Some(v) = is("secret") {
        out.line(2, "Type:\tSecret (a volume populated by a Secret)");
        out.line(2, format!("SecretName:\t{}", text(v, &["secretName"])));
        out.line(2, format!("Optional:\t{}", optional(v)));
    } else if let Some(v) = is("configMap") {
        out.line(2, "Type:\tConfigMap (a volume populated by a ConfigMap)");
        out.line(2, format!("Name:\t{}", text(v, &["name"])));
        out.line(2, format!("Optional:\t{}", optional(v)));
    } else if let Some(v) = is("persistentVolumeClaim") {
        out.line(
            2,
            "Type:\tPersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        );
        out.line(2, format!("ClaimName:\t{}", text(v, &["claimName"])));
        out.line(2, format!("ReadOnly:\t{}", read_only(v)));
    } else if let Some(v) = is("downwardAPI") {
        out.line(2, "Type:\tDownwardAPI (a volume populated by information about the pod)");
        out.line(2, "Items:");
        for item in list(v, &["items"]) {
            let from = match text(item, &["fieldRef", "fieldPath"]) {
                "" => text(item, &["resourceFieldRef", "resource"]),
                path => path,
            };
            out.line(3, format!("{from} -> {}", text(item, &["path"])));
        }
    } else if let Some(v) = is("nfs") {
        out.line(2, "Type:\tNFS (an NFS mount that lasts the lifetime of a pod)");
        out.line(2, format!("Server:\t{}", text(v, &["server"])));
        out.line(2, format!("Path:\t{}", text(v, &["path"])));
        out.line(2, format!("ReadOnly:\t{}", read_only(v)));
    } else if let Some(v) = is("csi") {
        out.line(2, "Type:\tCSI (a Container Storage Interface (CSI) volume source)");
        out.line(2, format!("Driver:\t{}", text(v, &["driver"])));
        out.line(2, format!("FSType:\t{}", text(v, &["fsType"])));
        if volume.get("accessModes").is_some() || v.get("volumeHandle").is_some() {
            out.line(2, format!("VolumeHandle:\t{}", text(v, &["volumeHandle"])));
        }
        out.line(2, format!("ReadOnly:\t{}", read_only(v)));
        attributes(out, at(v, &["volumeAttributes"]));
    } else if let Some(v) = is("local") {
        out.line(2, "Type:\tLocalVolume (a persistent volume backed by local storage on a node)");
        out.line(2, format!("Path:\t{}", text(v, &["path"])));
    } else if let Some(v) = is("projected") {
        out.line(2, "Type:\tProjected (a volume that contains injected data from multiple sources)");
        for part in list(v, &["sources"]) {
            if let Some(secret) = part.get("secret").filter(|s| s.is_object()) {
                out.line(2, format!("SecretName:\t{}", text(secret, &["name"])));
                out.line(2, format!("Optional:\t{}", optional(secret)));
            } else if part.get("downwardAPI").is_some_and(Value::is_object) {
                out.line(2, "DownwardAPI:\ttrue");
            } else if let Some(map) = part.get("configMap").filter(|s| s.is_object()) {
                out.line(2, format!("ConfigMapName:\t{}", text(map, &["name"])));
                out.line(2, format!("Optional:\t{}", optional(map)));
            } else if let Some(token) = part.get("serviceAccountToken").filter(|s| s.is_object()) {
                out.line(2, format!("TokenExpirationSeconds:\t{}", int(token, &["expirationSeconds"])));
            }
        }
    } else if let Some(v) = is("image") {
        out.line(2, "Type:\tImage (a container image or OCI artifact)");
        out.line(2, format!("Reference:\t{}", text(v, &["reference"])));
        out.line(2, format!("PullPolicy:\t{}", text(v, &["pullPolicy"])));
    } else {
        out.line(1, "<unknown>");
    }
}

fn attributes(out: &mut Out, map: &Value) {
    let entries: Vec<String> = map
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("")))
        .collect();
    if entries.is_empty() {
        out.line(2, "VolumeAttributes:\t<none>");
    }
    for (i, entry) in entries.iter().enumerate() {
        out.line(2, if i == 0 { format!("VolumeAttributes:\t{entry}") } else { format!("\t{entry}") });
    }
}

/// One toleration a line.
fn tolerations(out: &mut Out, title: &str, all: &[Value]) {
    let mut sorted: Vec<&Value> = all.iter().collect();
    sorted.sort_by(|a, b| text(a, &["key"]).cmp(text(b, &["key"])));
    let texts: Vec<String> = sorted
        .into_iter()
        .map(|t| {
            let mut shown = text(t, &["key"]).to_owned();
            if !text(t, &["value"]).is_empty() {
                shown.push_str(&format!("={}", text(t, &["value"])));
            }
            if !text(t, &["effect"]).is_empty() {
                shown.push_str(&format!(":{}", text(t, &["effect"])));
            }
            if text(t, &["operator"]) == "Exists" && text(t, &["value"]).is_empty() {
                shown.push_str(if shown.is_empty() { "op=Exists" } else { " op=Exists" });
            }
            if let Some(seconds) = at(t, &["tolerationSeconds"]).as_i64() {
                shown.push_str(&format!(" for {seconds}s"));
            }
            shown
        })
        .collect();
    out.many(title, &texts);
}

fn spread(out: &mut Out, all: &[Value], space: &str) {
    if all.is_empty() {
        return;
    }
    let mut sorted: Vec<&Value> = all.iter().collect();
    sorted.sort_by(|a, b| text(a, &["topologyKey"]).cmp(text(b, &["topologyKey"])));
    let texts: Vec<String> = sorted
        .iter()
        .map(|c| {
            let mut shown = format!(
                "{}:{} when max skew {} is exceeded",
                text(c, &["topologyKey"]),
                text(c, &["whenUnsatisfiable"]),
                int(c, &["maxSkew"])
            );
            if at(c, &["labelSelector"]).is_object() {
                shown.push_str(&format!(" for selector {}", selector(at(c, &["labelSelector"]))));
            }
            shown
        })
        .collect();
    out.many(&format!("{space}Topology Spread Constraints"), &texts);
}
