//! Sandboxes and containers: made, started, ended, forgotten.

use super::container::Container;
use super::cri::{ContainerConfig, ContainerId, ContainerState, Notice, SandboxConfig, SandboxId};
use super::node_use::Counted;
use super::sandbox::Sandbox;
use super::servers::{Bundle, ImageRoot, OWN_FILES};
use super::{Runtime, images};
use crate::latency;
use crate::world::Cx;
use podlab_shell::{
    Content, Credentials, FileSystem, Ino, Kind, Machine, Mount, ROOT, Signal, Spawn, StartError, Stdin,
};
use std::sync::Arc;

/// Where the runtime's texts of a failed start begin.
///
/// Source: containerd's and runc's own words, as in recording cluster/kubelet.jsonl `command-not-found-never`.
const CREATE_FAILED: &str = "failed to create containerd task: failed to create shim task: OCI runtime create \
                             failed: runc create failed: unable to start container process: error during \
                             container init: ";

impl Runtime {
    /// Makes a sandbox with its network; ready at once (the caller lets `latency::SANDBOX` pass).
    pub fn run_pod_sandbox(&mut self, config: SandboxConfig, cx: &mut Cx<'_>) -> SandboxId {
        let id = self.new_id(cx, &config.pod_uid);
        let ip = if config.host_network {
            self.node_address(&config.node, cx)
        } else {
            Some(self.new_pod_address(&config.node, cx))
        };
        if let (Some(ip), false) = (&ip, config.host_network) {
            self.addresses.insert(ip.clone(), id.clone());
        }
        let config = Arc::new(config);
        let sandbox = Sandbox { config, ip, ready: true, created_at: cx.now(), containers: Vec::new() };
        self.sandboxes.insert(id.clone(), sandbox);
        id
    }

    /// The sandbox's address; the node's own under `hostNetwork`, `None` once it is stopped.
    pub fn sandbox_ip(&self, id: &SandboxId) -> Option<String> {
        self.sandboxes.get(id)?.ip.clone()
    }

    /// Ends a sandbox: its containers are killed, its address is free.
    pub fn stop_pod_sandbox(&mut self, id: &SandboxId, cx: &mut Cx<'_>) {
        let Some(sandbox) = self.sandboxes.get_mut(id) else { return };
        sandbox.ready = false;
        if let Some(ip) = sandbox.ip.take()
            && self.addresses.get(&ip) == Some(id)
        {
            self.addresses.remove(&ip);
        }
        let containers = sandbox.containers.clone();
        for container in &containers {
            self.kill(container, cx);
        }
    }

    /// Forgets a stopped sandbox and all its containers.
    pub fn remove_pod_sandbox(&mut self, id: &SandboxId) {
        let Some(sandbox) = self.sandboxes.remove(id) else { return };
        for id in &sandbox.containers {
            if let Some(container) = self.containers.remove(id) {
                self.nodes.count(container.node, container.counted, Counted::default());
            }
        }
    }

    /// Makes a container.
    ///
    /// # Errors
    /// The runtime's text.
    pub fn create_container(
        &mut self,
        sandbox_id: &SandboxId,
        config: ContainerConfig,
        cx: &mut Cx<'_>,
    ) -> Result<ContainerId, String> {
        let Some(sandbox) = self.sandboxes.get(sandbox_id).cloned() else {
            return Err(format!("failed to find sandbox id {sandbox_id:?}: not found"));
        };
        let resolved = self.resolve(&config.image)?;
        let (Some(image), Some(status)) = (&resolved.image, &resolved.status) else {
            return Err(format!("failed to get image {:?}: not found", config.image));
        };
        let id = self.new_id(cx, &format!("{}/{}", sandbox.config.pod_uid, config.name));
        let now = cx.now();
        let root = self.root_of(&resolved, image, now);
        let image_bytes = root.volume.used_bytes();
        let mut fs = FileSystem::new(root.volume.clone());
        fs.root_read_only = config.read_only_root;
        write_etc(&mut fs, &root.own_files, &sandbox, now);
        for mount in &config.mounts {
            let ino = match mount.sub_path.as_str() {
                "" => ROOT,
                part => match self.volumes.get(&mount.volume).and_then(|v| v.lookup(part)) {
                    Some(ino) => ino,
                    None => {
                        return Err(format!(
                            "{CREATE_FAILED}error mounting {part:?} to rootfs at {:?}: no such file or directory: unknown",
                            mount.container_path
                        ));
                    }
                },
            };
            if !mount.sub_path.is_empty()
                && let Some(volume) = self.volumes.get_mut(&mount.volume)
            {
                volume.hold(ino);
            }
            let is_file = ino != ROOT
                && self.volumes.get(&mount.volume).and_then(|v| v.get(ino)).is_some_and(|i| !i.is_dir());
            fs.mount(
                Mount {
                    path: mount.container_path.trim_end_matches('/').to_owned(),
                    volume: mount.volume.to_string(),
                    ino,
                    read_only: mount.read_only,
                },
                is_file,
                now,
            );
        }
        let (image, image_ref) = (image.clone(), status.image_ref.clone());
        let writable = config.mounts.iter().filter(|m| !m.read_only && self.volumes.can_grow(&m.volume));
        let writes = writable.map(|m| m.volume.clone()).collect();
        let container = Container {
            id: id.clone(),
            sandbox: sandbox_id.clone(),
            config: Arc::new(config),
            image,
            image_ref,
            state: ContainerState::Created,
            created_at: now,
            started_at: None,
            finished_at: None,
            exit_code: 0,
            reason: "",
            message: String::new(),
            machine: Some(Box::new(Machine::new(fs))),
            image_bytes,
            init: None,
            log: Default::default(),
            wake: None,
            oom_killed: false,
            cpu_marks: Default::default(),
            node: self.nodes.place(&sandbox.config.node),
            counted: Counted::default(),
            writes,
            epoch: 0,
            execs: Default::default(),
        };
        self.containers.insert(id.clone(), container);
        if let Some(sandbox) = self.sandboxes.get_mut(sandbox_id) {
            sandbox.containers.push(id.clone());
        }
        Ok(id)
    }

    /// Starts a container.
    ///
    /// # Errors
    /// The runtime's text; the container is then Exited with reason `StartError`.
    pub fn start_container(&mut self, id: &ContainerId, cx: &mut Cx<'_>) -> Result<(), String> {
        let now = cx.now();
        let Some(container) = self.containers.get_mut(id) else {
            return Err(format!("failed to find container {id:?}: not found"));
        };
        let sandbox = self.sandboxes.get(&container.sandbox);
        let hostname = sandbox.map(|s| s.config.kernel_hostname()).unwrap_or_default();
        let argv = container.argv();
        let config = &container.config;
        let spawn = Spawn {
            argv: argv.clone(),
            env: Bundle::environment(&container.image, config, &hostname),
            cwd: config.working_dir.clone().unwrap_or_else(|| container.image.workdir.to_owned()),
            who: credentials(container),
            stdin: match (config.stdin, config.tty) {
                (true, true) => Stdin::Terminal,
                (true, false) => Stdin::Pipe,
                (false, _) => Stdin::Null,
            },
            sink: 0,
        };
        container.mark_cpu(cx.now());
        let Some(mut machine) = container.machine.take() else {
            return Err("the container is busy".to_owned());
        };
        let started = self.with_host(id, cx, |host| machine.spawn(host, spawn));
        let Some(container) = self.containers.get_mut(id) else { return Ok(()) };
        container.machine = Some(machine);
        match started {
            Ok(pid) => {
                container.init = Some(pid);
                container.state = ContainerState::Running;
                container.started_at = Some(now);
                self.wake_at(id, now, cx);
                Ok(())
            }
            Err(error) => {
                let name = argv.first().cloned().unwrap_or_default();
                let text = start_error(error, &name);
                container.state = ContainerState::Exited;
                container.exit_code = 128;
                container.reason = "StartError";
                container.message = text.clone();
                // The runtime has no start to report, and leaves the zero of its clock.
                container.started_at = None;
                container.finished_at = Some(now);
                Err(text)
            }
        }
    }

    /// Sends the image's stop signal (TERM where it names none) to the main process.
    pub fn terminate(&mut self, id: &ContainerId, cx: &mut Cx<'_>) {
        let signal = self.containers.get(id).map_or(15, |c| c.image.stop_signal);
        self.signal(id, Signal(signal), cx);
    }

    /// Sends a signal to the main process, which as the first of its container does not get what it has no handler for: in its
    /// first moments it has none.
    pub fn signal(&mut self, id: &ContainerId, signal: Signal, cx: &mut Cx<'_>) {
        let now = cx.now();
        let began = self.containers.get(id).and_then(|c| c.started_at);
        if signal != Signal::KILL
            && began.is_some_and(|at| now < at + latency::DEAF)
            && began.is_some_and(|at| now < at + latency::DEAF.mul_f64(cx.draw("deaf", id, 0).unit()))
        {
            return;
        }
        if let Some(container) = self.containers.get_mut(id)
            && let (Some(machine), Some(init)) = (&mut container.machine, container.init)
        {
            machine.signal(init, signal);
            self.wake_at(id, now, cx);
        }
    }

    /// Kills all processes of the container; its end is reported as any other.
    pub fn kill(&mut self, id: &ContainerId, cx: &mut Cx<'_>) {
        let now = cx.now();
        let Some(container) = self.containers.get_mut(id) else { return };
        if !container.is_running() {
            return;
        }
        if let Some(machine) = &mut container.machine {
            machine.kill_all();
        }
        self.run_container(id, cx);
        debug_assert!(self.containers.get(id).is_none_or(|c| c.finished_at == Some(now)));
    }

    /// Sets what a running container may use: thousandths of a CPU and bytes; `None` for no limit.
    pub fn update_container_resources(&mut self, id: &ContainerId, cpu: Option<u64>, memory: Option<u64>) {
        if let Some(container) = self.containers.get_mut(id) {
            let config = Arc::make_mut(&mut container.config);
            config.cpu_limit = cpu;
            config.memory_limit = memory;
        }
    }

    /// The memory that a container uses, in bytes.
    pub fn container_memory(&self, id: &ContainerId) -> u64 {
        self.containers.get(id).map_or(0, |container| container.uses().memory)
    }

    /// The bytes that a container keeps on the node's disk: what it has written to its own files, and its log.
    pub fn container_disk(&self, id: &ContainerId) -> u64 {
        self.containers.get(id).map_or(0, |container| container.uses().disk)
    }

    /// Forgets a container and its log.
    pub fn remove_container(&mut self, id: &ContainerId) {
        let Some(container) = self.containers.remove(id) else { return };
        self.nodes.count(container.node, container.counted, Counted::default());
        if let Some(sandbox) = self.sandboxes.get_mut(&container.sandbox) {
            sandbox.containers.retain(|c| c != id);
        }
    }

    /// Notes the end of the main process and tells the kubelet.
    pub(super) fn container_ended(&mut self, id: &ContainerId, code: i32, cx: &mut Cx<'_>) {
        let now = cx.now();
        let Some(container) = self.containers.get_mut(id) else { return };
        container.state = ContainerState::Exited;
        container.finished_at = Some(now);
        container.exit_code = if container.oom_killed { 137 } else { code };
        container.reason = match (container.oom_killed, code) {
            (true, _) => "OOMKilled",
            (false, 0) => "Completed",
            _ => "Error",
        };
        if let Some(slot) = container.wake.take() {
            cx.agenda.cancel(slot);
        }
        let Some(sandbox) = self.sandboxes.get(&container.sandbox) else { return };
        let notice = Notice::ContainerDied {
            node: sandbox.config.node.clone(),
            pod_uid: sandbox.config.pod_uid.clone(),
            container: id.clone(),
        };
        self.notify(notice, cx);
    }
}

pub(super) fn credentials(container: &Container) -> Credentials {
    let config = &container.config;
    let number = |id: i64| u32::try_from(id).unwrap_or(0);
    let uid = number(config.run_as_user.unwrap_or(container.image.uid));
    let gid = config.run_as_group.map_or(if config.run_as_user.is_some() { 0 } else { uid }, number);
    let mut groups = vec![gid];
    groups.extend(config.supplemental_groups.iter().map(|g| number(*g)));
    Credentials { uid, gid, groups }
}

/// runc's text of why a command cannot be started.
pub(super) fn exec_error(error: StartError, name: &str) -> String {
    match error {
        StartError::NotFoundInPath => format!("exec: {name:?}: executable file not found in $PATH"),
        StartError::NoSuchFile => format!("exec: {name:?}: stat {name}: no such file or directory"),
        StartError::PermissionDenied => format!("exec: {name:?}: permission denied"),
        StartError::IsADirectory => format!("exec: {name:?}: is a directory"),
        StartError::ExecFormat => format!("exec {name}: exec format error"),
        StartError::Empty => "no command specified".to_owned(),
    }
}

fn start_error(error: StartError, name: &str) -> String {
    match error {
        StartError::Empty => {
            "failed to generate container spec: failed to generate spec: no command specified".to_owned()
        }
        error => format!("{CREATE_FAILED}{}: unknown", exec_error(error, name)),
    }
}

/// Writes the [`OWN_FILES`], as kubelet and runtime do; `known`: where those of them are that need not be looked for.
fn write_etc(
    fs: &mut FileSystem,
    known: &[Option<Ino>; OWN_FILES.len()],
    sandbox: &Sandbox,
    now: podlab_sim::SimTime,
) {
    let config = &sandbox.config;
    let mut hosts = String::from(
        "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n\
             fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n",
    );
    if let Some(ip) = &sandbox.ip {
        let names = match config.domain.as_str() {
            "" => config.hostname.clone(),
            domain => format!("{0}.{domain}\t{0}", config.hostname),
        };
        hosts.push_str(&format!("{ip}\t{names}\n"));
    }
    if !config.host_aliases.is_empty() {
        hosts.push_str("\n# Entries added by HostAliases.\n");
        for (ip, names) in &config.host_aliases {
            hosts.push_str(&format!("{ip}\t{}\n", names.join("\t")));
        }
    }
    let hostname = [&*config.kernel_hostname(), "\n"].concat();
    let texts = [hostname, hosts, config.resolv_conf.clone(), String::new()];
    for ((path, known), text) in OWN_FILES.into_iter().zip(known).zip(texts) {
        let content = Content::new(text);
        // A volume mounted there comes later and covers it.
        let _ = match known {
            Some(ino) => fs.root.rewrite(*ino, content, 0o644, now),
            None => fs.root.put(path, Kind::File(content), 0o644, now).map(|_| ()),
        };
    }
}

impl Runtime {
    /// The process ids of a node's containers are nobody's business; its address is.
    pub(super) fn node_address(&self, node: &str, cx: &Cx<'_>) -> Option<String> {
        cx.api.store().get(&podlab_api::kinds::NODE, "", node)?.internal_ip().map(str::to_owned)
    }

    fn new_pod_address(&mut self, node: &str, cx: &Cx<'_>) -> String {
        let cidr = cx
            .api
            .store()
            .get(&podlab_api::kinds::NODE, "", node)
            .and_then(|n| n.node_spec()?.pod_cidr.clone())
            .unwrap_or_else(|| "10.244.255.0/24".to_owned());
        let prefix = cidr.rsplit_once('.').map_or("10.244.255", |(p, _)| p).to_owned();
        let next = self.next_address.entry(node.to_owned()).or_insert(1);
        for _ in 0..254 {
            *next = if *next >= 254 { 2 } else { *next + 1 };
            let ip = format!("{prefix}.{next}");
            if !self.addresses.contains_key(&ip) {
                return ip;
            }
        }
        format!("{prefix}.255")
    }

    /// The image's files; containers of one image share what they do not change.
    fn root_of(
        &mut self,
        resolved: &images::Resolved,
        image: &images::Image,
        now: podlab_sim::SimTime,
    ) -> Arc<ImageRoot> {
        if let Some(root) = self.roots.get(&resolved.full) {
            return root.clone();
        }
        let root = Arc::new(ImageRoot::new(image, &resolved.reference, now));
        self.roots.insert(resolved.full.clone(), root.clone());
        root
    }
}
