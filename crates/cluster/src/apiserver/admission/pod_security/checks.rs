//! The Pod Security Standards, check by check.
//!
//! Source: k8s.io/pod-security-admission/policy/check_*.go (v1.37).

use serde_json::Value;
use std::collections::BTreeSet;

/// What is forbidden, and where: (reason, detail).
pub(super) type Finding = (String, String);

/// A pod as the checks see it.
struct Pod<'a> {
    annotations: &'a Value,
    spec: &'a Value,
    containers: Vec<&'a Value>,
    /// The minor release whose form of the checks counts.
    minor: u32,
}

type Run = fn(&Pod<'_>) -> Option<Finding>;

/// A check: its name, the release that brought it, and itself.
type Check = (&'static str, u32, Run);

/// By name, as they are told.
const BASELINE: &[Check] = &[
    ("appArmorProfile", 0, app_armor_profile),
    ("capabilities_baseline", 0, capabilities_baseline),
    ("hostNamespaces", 0, host_namespaces),
    ("hostPathVolumes", 0, host_path_volumes),
    ("hostPorts", 0, host_ports),
    ("hostProbesAndHostLifecycle", 34, host_probes),
    ("privileged", 0, privileged),
    ("procMount", 0, proc_mount_baseline),
    ("seLinuxOptions", 0, se_linux_options),
    ("seccompProfile_baseline", 0, seccomp_baseline),
    ("sysctls", 0, sysctls),
    ("windowsHostProcess", 0, windows_host_process),
];

/// By name; each may stand for a weaker one of the baseline.
const RESTRICTED: &[(Check, Option<&str>)] = &[
    (("allowPrivilegeEscalation", 8, allow_privilege_escalation), None),
    (("capabilities_restricted", 22, capabilities_restricted), Some("capabilities_baseline")),
    (("procMount_restricted", 35, proc_mount), Some("procMount")),
    (("restrictedVolumes", 0, restricted_volumes), Some("hostPathVolumes")),
    (("runAsNonRoot", 0, run_as_non_root), None),
    (("runAsUser", 23, run_as_user), None),
    (("seccompProfile_restricted", 19, seccomp_restricted), Some("seccompProfile_baseline")),
];

/// What the baseline or the restricted level forbids in a pod, in the form of release 1.`minor`.
pub(super) fn run(restricted: bool, minor: u32, annotations: &Value, spec: &Value) -> Vec<Finding> {
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let containers = lists.iter().flat_map(|list| items(spec, list)).collect();
    let pod = Pod { annotations, spec, containers, minor };
    let stricter = || RESTRICTED.iter().filter(|((_, since, _), _)| restricted && *since <= minor);
    let baseline = BASELINE
        .iter()
        .filter(|(name, since, _)| *since <= minor && !stricter().any(|(_, weaker)| *weaker == Some(*name)));
    baseline.chain(stricter().map(|(check, _)| check)).filter_map(|(_, _, check)| check(&pod)).collect()
}

fn items<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or("")
}

fn flag(value: &Value, path: &str) -> Option<bool> {
    value.pointer(path).and_then(Value::as_bool)
}

fn quoted<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    names.into_iter().map(|name| format!("\"{}\"", name.as_ref())).collect::<Vec<_>>().join(", ")
}

fn plural<'a>(one: &'a str, more: &'a str, count: usize) -> &'a str {
    if count == 1 { one } else { more }
}

/// `container "a"`, `containers "a", "b"`.
fn named(containers: &[&str]) -> String {
    format!("{} {}", plural("container", "containers", containers.len()), quoted(containers))
}

fn finding(reason: &str, detail: String) -> Option<Finding> {
    Some((reason.to_owned(), detail))
}

impl<'a> Pod<'a> {
    fn is_windows(&self) -> bool {
        self.minor >= 25 && text(self.spec, "/os/name") == "windows"
    }

    /// Since 1.35 a pod in a user namespace of its own may be root in it.
    fn is_relaxed(&self) -> bool {
        self.minor >= 35 && flag(self.spec, "/hostUsers") == Some(false)
    }

    /// The names of the containers that something holds for.
    fn which(&self, holds: impl Fn(&Value) -> bool) -> Vec<&'a str> {
        self.containers.iter().filter(|c| holds(c)).map(|c| text(c, "/name")).collect()
    }

    /// `pod and container "a"`, of the pod's security context and the containers'; empty where none is bad.
    fn setters(&self, bad: impl Fn(&Value) -> bool) -> String {
        let mut setters = Vec::new();
        if self.spec.get("securityContext").is_some_and(&bad) {
            setters.push("pod".to_owned());
        }
        let containers = self.which(|c| c.get("securityContext").is_some_and(&bad));
        if !containers.is_empty() {
            setters.push(named(&containers));
        }
        setters.join(" and ")
    }

    /// Values of a field in all security contexts that are not allowed.
    fn values(&self, path: &str, allowed: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let contexts = std::iter::once(self.spec).chain(self.containers.iter().copied());
        let found = contexts.filter_map(|c| c.get("securityContext")?.pointer(path)?.as_str());
        found.filter(|value| !allowed(value)).map(str::to_owned).collect()
    }
}

fn app_armor_profile(pod: &Pod<'_>) -> Option<Finding> {
    const PATH: &str = "/appArmorProfile/type";
    let allowed = |value: &str| matches!(value, "RuntimeDefault" | "Localhost");
    let mut setters =
        pod.setters(|c| c.pointer(PATH).and_then(Value::as_str).is_some_and(|value| !allowed(value)));
    let mut values: Vec<String> = pod.values(PATH, allowed).into_iter().collect();
    let mut annotations = BTreeSet::new();
    for (key, value) in pod.annotations.as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or("");
        let fine = value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
        if key.starts_with("container.apparmor.security.beta.kubernetes.io/") && !fine {
            annotations.insert(format!("{key}={value:?}"));
        }
    }
    if !annotations.is_empty() {
        if !setters.is_empty() {
            setters.push_str(" and ");
        }
        setters.push_str(plural("annotation", "annotations", annotations.len()));
        values.extend(annotations);
    }
    if setters.is_empty() {
        return None;
    }
    let reason = plural("forbidden AppArmor profile", "forbidden AppArmor profiles", values.len());
    finding(reason, format!("{setters} must not set AppArmor profile type to {}", quoted(&values)))
}

fn added(container: &Value) -> impl Iterator<Item = &str> {
    let list = container.pointer("/securityContext/capabilities/add").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

fn capabilities_baseline(pod: &Pod<'_>) -> Option<Finding> {
    const ALLOWED: [&str; 13] = [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ];
    let bad = pod.which(|c| added(c).any(|one| !ALLOWED.contains(&one)));
    if bad.is_empty() {
        return None;
    }
    let all = pod.containers.iter().flat_map(|c| added(c));
    let others: BTreeSet<&str> = all.filter(|one| !ALLOWED.contains(one)).collect();
    let detail =
        format!("{} must not include {} in securityContext.capabilities.add", named(&bad), quoted(others));
    finding("non-default capabilities", detail)
}

fn capabilities_restricted(pod: &Pod<'_>) -> Option<Finding> {
    if pod.is_windows() {
        return None;
    }
    let drops_all = |c: &Value| {
        let list = c.pointer("/securityContext/capabilities/drop").and_then(Value::as_array);
        list.into_iter().flatten().any(|one| one == "ALL")
    };
    let mut details = Vec::new();
    let missing = pod.which(|c| !drops_all(c));
    if !missing.is_empty() {
        details.push(format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", named(&missing)));
    }
    let forbidden = |one: &&str| *one != "NET_BIND_SERVICE";
    let adding = pod.which(|c| added(c).any(|one| forbidden(&one)));
    if !adding.is_empty() {
        let others: BTreeSet<&str> = pod.containers.iter().flat_map(|c| added(c)).filter(forbidden).collect();
        details.push(format!(
            "{} must not include {} in securityContext.capabilities.add",
            named(&adding),
            quoted(others)
        ));
    }
    if details.is_empty() { None } else { finding("unrestricted capabilities", details.join("; ")) }
}

fn host_namespaces(pod: &Pod<'_>) -> Option<Finding> {
    let set: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .iter()
        .filter(|field| pod.spec.get(**field) == Some(&Value::Bool(true)))
        .map(|field| format!("{field}=true"))
        .collect();
    if set.is_empty() { None } else { finding("host namespaces", set.join(", ")) }
}

fn host_path_volumes(pod: &Pod<'_>) -> Option<Finding> {
    let bad: Vec<&str> = items(pod.spec, "volumes")
        .iter()
        .filter(|volume| volume.get("hostPath").is_some())
        .map(|volume| text(volume, "/name"))
        .collect();
    if bad.is_empty() {
        return None;
    }
    finding("hostPath volumes", format!("{} {}", plural("volume", "volumes", bad.len()), quoted(&bad)))
}

fn host_ports(pod: &Pod<'_>) -> Option<Finding> {
    fn ports(container: &Value) -> impl Iterator<Item = String> {
        let ports = items(container, "ports").iter().filter_map(|port| port.get("hostPort")?.as_i64());
        ports.filter(|port| *port != 0).map(|port| port.to_string())
    }
    let bad = pod.which(|c| ports(c).next().is_some());
    if bad.is_empty() {
        return None;
    }
    // In the order of their texts.
    let all: BTreeSet<String> = pod.containers.iter().flat_map(|c| ports(c)).collect();
    let list = all.iter().cloned().collect::<Vec<_>>().join(", ");
    let detail = format!(
        "{} {} {} {list}",
        named(&bad),
        plural("uses", "use", bad.len()),
        plural("hostPort", "hostPorts", all.len())
    );
    finding("hostPort", detail)
}

fn host_probes(pod: &Pod<'_>) -> Option<Finding> {
    fn hosts(container: &Value) -> impl Iterator<Item = &str> {
        let handlers = [
            "/livenessProbe",
            "/readinessProbe",
            "/startupProbe",
            "/lifecycle/postStart",
            "/lifecycle/preStop",
        ];
        let found = handlers.into_iter().filter_map(|path| container.pointer(path));
        found
            .flat_map(|handler| [text(handler, "/httpGet/host"), text(handler, "/tcpSocket/host")])
            .filter(|host| !host.is_empty())
    }
    let bad: BTreeSet<&str> = pod.which(|c| hosts(c).next().is_some()).into_iter().collect();
    if bad.is_empty() {
        return None;
    }
    let all: BTreeSet<&str> = pod.containers.iter().flat_map(|c| hosts(c)).collect();
    let bad: Vec<&str> = bad.into_iter().collect();
    let detail = format!(
        "{} {} {} {}",
        named(&bad),
        plural("uses", "use", bad.len()),
        plural("probe or lifecycle host", "probe or lifecycle hosts", all.len()),
        quoted(all)
    );
    finding("probe or lifecycle host", detail)
}

fn privileged(pod: &Pod<'_>) -> Option<Finding> {
    let bad = pod.which(|c| flag(c, "/securityContext/privileged") == Some(true));
    if bad.is_empty() {
        return None;
    }
    finding("privileged", format!("{} must not set securityContext.privileged=true", named(&bad)))
}

fn proc_mount(pod: &Pod<'_>) -> Option<Finding> {
    let mount = |c: &Value| {
        Some(text(c, "/securityContext/procMount").to_owned()).filter(|m| !m.is_empty() && m != "Default")
    };
    let bad = pod.which(|c| mount(c).is_some());
    if bad.is_empty() {
        return None;
    }
    let all: BTreeSet<String> = pod.containers.iter().filter_map(|c| mount(c)).collect();
    finding("procMount", format!("{} must not set securityContext.procMount to {}", named(&bad), quoted(all)))
}

fn proc_mount_baseline(pod: &Pod<'_>) -> Option<Finding> {
    if pod.is_relaxed() { None } else { proc_mount(pod) }
}

fn se_linux_options(pod: &Pod<'_>) -> Option<Finding> {
    let minor = pod.minor;
    let fine = move |ty: &str| {
        matches!(ty, "" | "container_t" | "container_init_t" | "container_kvm_t")
            || minor >= 31 && ty == "container_engine_t"
    };
    let set = |c: &Value, field: &str| !text(c, &format!("/seLinuxOptions/{field}")).is_empty();
    let setters = pod.setters(|c| !fine(text(c, "/seLinuxOptions/type")) || set(c, "user") || set(c, "role"));
    if setters.is_empty() {
        return None;
    }
    let types = pod.values("/seLinuxOptions/type", fine);
    let any = |field: &str| !pod.values(&format!("/seLinuxOptions/{field}"), str::is_empty).is_empty();
    let mut data = Vec::new();
    if !types.is_empty() {
        data.push(format!("{} {}", plural("type", "types", types.len()), quoted(&types)));
    }
    if any("user") {
        data.push("user may not be set".to_owned());
    }
    if any("role") {
        data.push("role may not be set".to_owned());
    }
    finding(
        "seLinuxOptions",
        format!("{setters} set forbidden securityContext.seLinuxOptions: {}", data.join("; ")),
    )
}

const SECCOMP: &str = "/seccompProfile/type";

fn allows_seccomp(value: &str) -> bool {
    matches!(value, "Localhost" | "RuntimeDefault")
}

/// A profile that somebody names and that is not allowed.
fn bad_seccomp(pod: &Pod<'_>) -> Option<Finding> {
    let setters = pod
        .setters(|c| c.pointer(SECCOMP).and_then(Value::as_str).is_some_and(|value| !allows_seccomp(value)));
    if setters.is_empty() {
        return None;
    }
    let values = pod.values(SECCOMP, allows_seccomp);
    finding(
        "seccompProfile",
        format!("{setters} must not set securityContext.seccompProfile.type to {}", quoted(values)),
    )
}

fn seccomp_baseline(pod: &Pod<'_>) -> Option<Finding> {
    if pod.minor >= 19 {
        return bad_seccomp(pod);
    }
    let allowed = |value: &str| {
        matches!(value, "runtime/default" | "docker/default") || value.starts_with("localhost/")
    };
    let mut forbidden = BTreeSet::new();
    let names = pod
        .containers
        .iter()
        .map(|c| format!("container.seccomp.security.alpha.kubernetes.io/{}", text(c, "/name")));
    for key in std::iter::once("seccomp.security.alpha.kubernetes.io/pod".to_owned()).chain(names) {
        if let Some(value) = pod.annotations.get(&key).and_then(Value::as_str).filter(|value| !allowed(value))
        {
            forbidden.insert(format!("{key}={value:?}"));
        }
    }
    if forbidden.is_empty() {
        return None;
    }
    let list = forbidden.iter().cloned().collect::<Vec<_>>().join(", ");
    finding(
        "seccompProfile",
        format!("forbidden {} {list}", plural("annotation", "annotations", forbidden.len())),
    )
}

fn seccomp_restricted(pod: &Pod<'_>) -> Option<Finding> {
    if pod.is_windows() {
        return None;
    }
    if let Some(found) = bad_seccomp(pod) {
        return Some(found);
    }
    if pod.spec.get("securityContext").and_then(|c| c.pointer(SECCOMP)).is_some() {
        return None;
    }
    let silent = pod.which(|c| c.get("securityContext").and_then(|c| c.pointer(SECCOMP)).is_none());
    if silent.is_empty() {
        return None;
    }
    finding(
        "seccompProfile",
        format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            named(&silent)
        ),
    )
}

/// Names of kernel parameters that are each pod's own, with the release that allowed them.
const SYSCTLS: [(&str, u32); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
    ("net.ipv4.tcp_notsent_lowat", 37),
];

fn sysctls(pod: &Pod<'_>) -> Option<Finding> {
    let allowed = |name: &str| SYSCTLS.iter().any(|(known, since)| *known == name && *since <= pod.minor);
    let set = pod.spec.get("securityContext").map_or(&[][..], |context| items(context, "sysctls"));
    let bad: Vec<&str> = set.iter().map(|one| text(one, "/name")).filter(|name| !allowed(name)).collect();
    if bad.is_empty() { None } else { finding("forbidden sysctls", bad.join(", ")) }
}

fn windows_host_process(pod: &Pod<'_>) -> Option<Finding> {
    let setters = pod.setters(|c| flag(c, "/windowsOptions/hostProcess") == Some(true));
    if setters.is_empty() {
        return None;
    }
    finding("hostProcess", format!("{setters} must not set securityContext.windowsOptions.hostProcess=true"))
}

fn allow_privilege_escalation(pod: &Pod<'_>) -> Option<Finding> {
    if pod.is_windows() {
        return None;
    }
    let bad = pod.which(|c| flag(c, "/securityContext/allowPrivilegeEscalation") != Some(false));
    if bad.is_empty() {
        return None;
    }
    finding(
        "allowPrivilegeEscalation != false",
        format!("{} must set securityContext.allowPrivilegeEscalation=false", named(&bad)),
    )
}

fn restricted_volumes(pod: &Pod<'_>) -> Option<Finding> {
    const ALLOWED: [&str; 9] = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    let kind = |volume: &Value| {
        let fields = volume.as_object().into_iter().flatten();
        fields.map(|(key, _)| key.clone()).find(|key| key != "name").unwrap_or_else(|| "unknown".to_owned())
    };
    let bad: Vec<(&str, String)> = items(pod.spec, "volumes")
        .iter()
        .map(|volume| (text(volume, "/name"), kind(volume)))
        .filter(|(_, kind)| !ALLOWED.contains(&kind.as_str()))
        .collect();
    if bad.is_empty() {
        return None;
    }
    let kinds: BTreeSet<&String> = bad.iter().map(|(_, kind)| kind).collect();
    let detail = format!(
        "{} {} {} {} {}",
        plural("volume", "volumes", bad.len()),
        quoted(bad.iter().map(|(name, _)| name)),
        plural("uses", "use", bad.len()),
        plural("restricted volume type", "restricted volume types", kinds.len()),
        quoted(kinds)
    );
    finding("restricted volume types", detail)
}

fn run_as_non_root(pod: &Pod<'_>) -> Option<Finding> {
    if pod.is_relaxed() {
        return None;
    }
    const REASON: &str = "runAsNonRoot != true";
    let setters = pod.setters(|c| flag(c, "/runAsNonRoot") == Some(false));
    if !setters.is_empty() {
        return finding(REASON, format!("{setters} must not set securityContext.runAsNonRoot=false"));
    }
    if flag(pod.spec, "/securityContext/runAsNonRoot") == Some(true) {
        return None;
    }
    let silent = pod.which(|c| flag(c, "/securityContext/runAsNonRoot").is_none());
    if silent.is_empty() {
        return None;
    }
    finding(REASON, format!("pod or {} must set securityContext.runAsNonRoot=true", named(&silent)))
}

fn run_as_user(pod: &Pod<'_>) -> Option<Finding> {
    if pod.is_relaxed() {
        return None;
    }
    let setters = pod.setters(|c| c.get("runAsUser").and_then(Value::as_i64) == Some(0));
    if setters.is_empty() {
        return None;
    }
    finding("runAsUser=0", format!("{setters} must not set runAsUser=0"))
}
