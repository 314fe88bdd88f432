//! What the runtime is told of a sandbox and its containers.
//!
//! Source: pkg/kubelet/kuberuntime/kuberuntime_sandbox.go, kuberuntime_container.go
//! `generateContainerConfig` (v1.37).

use super::env_vars;
use super::pod_worker::{Env, PodWorker};
use super::volumes;
use crate::runtime::{self, ContainerConfig, ContainerState, MountConfig, Runtime, SandboxConfig};
use k8s_openapi::api::core::v1::{Container, LinuxContainerUser, PodSpec};
use podlab_api::resources::container_limit;

/// How much of a log becomes a termination message: lines and bytes.
const FALLBACK_LINES: usize = 80;
/// See [`FALLBACK_LINES`].
const FALLBACK_BYTES: usize = 2048;

/// The domain of the cluster's DNS names.
const CLUSTER_DOMAIN: &str = "cluster.local";
/// The address of the cluster's DNS service.
const CLUSTER_DNS: &str = "10.96.0.10";

/// The host name that a pod's containers see.
///
/// Source: pkg/kubelet/kubelet_pods.go `GeneratePodHostNameAndDomain` (v1.37).
pub(crate) fn pod_hostname(spec: &PodSpec, pod_name: &str) -> String {
    let wish = spec.hostname_override.as_deref().or(spec.hostname.as_deref()).unwrap_or("");
    let name = if wish.is_empty() { pod_name } else { wish };
    let cut: String = name.chars().take(63).collect();
    cut.trim_end_matches(['-', '.']).to_owned()
}

fn resolv_conf(spec: &PodSpec, namespace: &str) -> String {
    let policy = spec.dns_policy.as_deref().unwrap_or("ClusterFirst");
    let cluster_first =
        policy == "ClusterFirstWithHostNet" || policy == "ClusterFirst" && spec.host_network != Some(true);
    let in_namespace = [namespace, ".svc.", CLUSTER_DOMAIN].concat();
    let in_services = ["svc.", CLUSTER_DOMAIN].concat();
    let (mut nameservers, mut searches, mut options): (Vec<&str>, Vec<&str>, Vec<&str>) = Default::default();
    if cluster_first {
        nameservers.push(CLUSTER_DNS);
        searches.extend([in_namespace.as_str(), in_services.as_str(), CLUSTER_DOMAIN]);
        options.push("ndots:5");
    } else if policy != "None" {
        nameservers.push("8.8.8.8");
    }
    let own = spec.dns_config.as_ref();
    let list = own.and_then(|own| own.options.as_deref()).unwrap_or(&[]).iter();
    let own_options: Vec<String> = list
        .filter_map(|o| {
            let name = o.name.as_ref()?;
            Some(match &o.value {
                Some(value) => format!("{name}:{value}"),
                None => name.clone(),
            })
        })
        .collect();
    if let Some(own) = own {
        nameservers.extend(own.nameservers.iter().flatten().map(String::as_str));
        searches.extend(own.searches.iter().flatten().map(String::as_str));
        options.extend(own_options.iter().map(String::as_str));
    }
    let mut text = String::with_capacity(160);
    let mut line = |word: &str, items: &[&str]| {
        if !items.is_empty() {
            text.push_str(word);
            for item in items {
                text.push(' ');
                text.push_str(item);
            }
            text.push('\n');
        }
    };
    line("search", &searches);
    for server in nameservers {
        line("nameserver", &[server]);
    }
    line("options", &options);
    text
}

/// What a pod's sandbox is made from.
pub(crate) fn sandbox_config(env: &Env<'_, '_>, w: &PodWorker) -> SandboxConfig {
    let namespace = w.pod.namespace().to_owned();
    let Some(spec) = w.pod.pod_spec() else { return SandboxConfig::default() };
    let host_network = spec.host_network == Some(true);
    SandboxConfig {
        node: env.node.name.to_string(),
        pod_uid: w.uid.to_string(),
        name: w.pod.name().to_owned(),
        hostname: if host_network { env.node.name.to_string() } else { pod_hostname(spec, w.pod.name()) },
        domain: match spec.subdomain.as_deref() {
            // Source: pkg/kubelet/kubelet_pods.go `GeneratePodHostNameAndDomain` (v1.37).
            Some(subdomain) if !subdomain.is_empty() && !host_network && spec.hostname_override.is_none() => {
                format!("{subdomain}.{namespace}.svc.cluster.local")
            }
            _ => String::new(),
        },
        hostname_as_fqdn: spec.set_hostname_as_fqdn == Some(true),
        host_network,
        host_aliases: spec
            .host_aliases
            .iter()
            .flatten()
            .map(|a| (a.ip.clone(), a.hostnames.clone().unwrap_or_default()))
            .collect(),
        resolv_conf: resolv_conf(spec, &namespace),
        share_process_namespace: spec.share_process_namespace == Some(true),
        namespace,
    }
}

/// What a container is made from.
///
/// # Errors
/// The kubelet's text: the container's status becomes `CreateContainerConfigError`.
pub(crate) fn container_config(
    env: &mut Env<'_, '_>,
    w: &PodWorker,
    container: &Container,
    attempt: u32,
) -> Result<ContainerConfig, String> {
    let Some(spec) = w.pod.pod_spec() else { return Err("pod has no spec".to_owned()) };
    let envs = env_vars::make_environment_variables(env, w, container)?;
    let image = super::image_name::with_default_tag(container.image.as_deref().unwrap_or(""));
    let image_status = env.runtime.image_status(&env.node.name, &image);
    let own = container.security_context.as_ref();
    let pods = spec.security_context.as_ref();
    let run_as_user = own.and_then(|s| s.run_as_user).or_else(|| pods.and_then(|s| s.run_as_user));
    let run_as_group = own.and_then(|s| s.run_as_group).or_else(|| pods.and_then(|s| s.run_as_group));
    let non_root = own.and_then(|s| s.run_as_non_root).or_else(|| pods.and_then(|s| s.run_as_non_root));
    if non_root == Some(true) {
        verify_run_as_non_root(w, container, run_as_user, image_status.as_deref())?;
    }
    let mut groups: Vec<i64> = pods.and_then(|s| s.supplemental_groups.clone()).unwrap_or_default();
    groups.extend(pods.and_then(|s| s.fs_group));
    let mut mounts = Vec::new();
    for mount in container.volume_mounts.iter().flatten() {
        let (volume, base) = volumes::mount_source(env, w, &mount.name).ok_or_else(|| {
            format!("cannot find volume {:?} to mount into container {:?}", mount.name, container.name)
        })?;
        let mut part = mount.sub_path.clone().unwrap_or_default();
        if let Some(expression) = mount.sub_path_expr.as_deref().filter(|e| !e.is_empty()) {
            part = env_vars::expand(expression, &envs);
        }
        if part.starts_with('/') || part.split('/').any(|p| p == "..") {
            return Err(format!(
                "failed to prepare subPath for volumeMount {:?} of container {:?}",
                mount.name, container.name
            ));
        }
        let sub_path = [base.trim_matches('/'), part.trim_matches('/')]
            .into_iter()
            .filter(|p| !p.is_empty())
            .collect::<Vec<_>>()
            .join("/");
        if !part.is_empty() && env.runtime.volume_path(&volume, &sub_path).is_none() {
            env.runtime.make_volume_dir(&volume, &sub_path, env.cx);
        }
        mounts.push(MountConfig {
            container_path: env_vars::expand(&mount.mount_path, &envs),
            volume,
            sub_path,
            read_only: mount.read_only == Some(true),
        });
    }
    let expand_all = |list: &Option<Vec<String>>| {
        list.iter().flatten().map(|word| env_vars::expand(word, &envs)).collect()
    };
    Ok(ContainerConfig {
        name: container.name.clone(),
        attempt,
        image: container.image.clone().unwrap_or_default(),
        command: expand_all(&container.command),
        args: expand_all(&container.args),
        working_dir: container.working_dir.clone().filter(|d| !d.is_empty()),
        mounts,
        run_as_user,
        run_as_group,
        supplemental_groups: groups,
        read_only_root: own.and_then(|s| s.read_only_root_filesystem) == Some(true),
        stdin: container.stdin == Some(true),
        tty: container.tty == Some(true),
        memory_limit: container_limit(container, "memory")
            .and_then(|q| u64::try_from(q.value()).ok())
            .filter(|v| *v > 0),
        cpu_limit: container_limit(container, "cpu")
            .and_then(|q| u64::try_from(q.milli_value()).ok())
            .filter(|v| *v > 0),
        oom_score_adj: {
            let capacity = env.runtime.node_use(&env.node.name).map_or(0, |node| node.memory_capacity);
            let critical = super::pressure::is_critical(&w.pod, w.is_static);
            super::qos::oom_score_adjust(spec, container, critical, capacity)
        },
        termination_message_path: container
            .termination_message_path
            .clone()
            .unwrap_or_else(|| "/dev/termination-log".to_owned()),
        envs,
    })
}

/// Source: pkg/kubelet/kuberuntime/security_context.go `verifyRunAsNonRoot` (v1.37).
fn verify_run_as_non_root(
    w: &PodWorker,
    container: &Container,
    user: Option<i64>,
    image: Option<&runtime::ImageStatus>,
) -> Result<(), String> {
    let pod = format!("{:?}, container: {}", w.full_name(), container.name);
    if let Some(user) = user {
        if user == 0 {
            return Err(format!("container's runAsUser breaks non-root policy (pod: {pod})"));
        }
        return Ok(());
    }
    match image {
        Some(image) if image.username.as_deref().is_some_and(|u| !u.is_empty()) => Err(format!(
            "container has runAsNonRoot and image has non-numeric user ({}), cannot verify user is non-root (pod: {pod})",
            image.username.as_deref().unwrap_or("")
        )),
        Some(image) if image.uid == 0 => {
            Err(format!("container has runAsNonRoot and image will run as root (pod: {pod})"))
        }
        _ => Ok(()),
    }
}

/// What a container that has ended leaves to say.
///
/// Source: pkg/kubelet/kuberuntime/kuberuntime_container.go `getTerminationMessage` (v1.37).
pub(crate) fn termination_message(
    runtime: &Runtime,
    found: &runtime::ContainerStatus,
    container: &Container,
) -> String {
    let file = runtime.termination_message(&found.id);
    let mut message = if file.is_empty() { found.message.clone() } else { file };
    let fallback = container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError");
    if message.is_empty() && fallback && found.state == ContainerState::Exited && found.exit_code != 0 {
        message = runtime.log_tail(&found.id, FALLBACK_LINES, FALLBACK_BYTES);
    }
    message
}

/// The user that a container's first process runs as.
pub(crate) fn container_user(
    runtime: &Runtime,
    node: &str,
    spec: &PodSpec,
    found: &runtime::ContainerStatus,
    container: &Container,
) -> Option<LinuxContainerUser> {
    let image = runtime.image_status(node, &super::image_name::with_default_tag(&found.image));
    let own = container.security_context.as_ref();
    let pods = spec.security_context.as_ref();
    let uid = own
        .and_then(|s| s.run_as_user)
        .or_else(|| pods.and_then(|s| s.run_as_user))
        .or_else(|| image.map(|i| i.uid))
        .unwrap_or(0);
    let gid = own.and_then(|s| s.run_as_group).or_else(|| pods.and_then(|s| s.run_as_group)).unwrap_or(0);
    let mut groups = vec![gid];
    if uid == 0 && gid == 0 {
        // The groups that /etc/group gives root in most images.
        groups = vec![0];
    }
    for group in pods
        .and_then(|s| s.fs_group)
        .into_iter()
        .chain(pods.and_then(|s| s.supplemental_groups.clone()).unwrap_or_default())
    {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Some(LinuxContainerUser { uid, gid, supplemental_groups: Some(groups) })
}
