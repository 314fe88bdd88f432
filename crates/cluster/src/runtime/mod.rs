//! The container runtime of every node, and the network between pods.

mod cri;

pub use cri::{
    ContainerConfig, ContainerId, ContainerState, ContainerStatus, ExecOutcome, ExecState, ExecToken,
    ImageStatus, MountConfig, Notice, PullOutcome, SandboxConfig, SandboxId, VolumeFile, VolumeId,
};

use crate::kubelet::KubeletEvent;
use crate::observe::Upcoming;
use crate::world::Cx;
use podlab_sim::{SimDuration, SimTime};

/// What the runtime plans.
#[derive(Clone, Debug)]
pub enum RuntimeEvent {
    /// The processes of a container have something to do.
    Run(ContainerId),
}

/// All containers of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Runtime {}

impl Runtime {
    /// Carries out what was planned.
    pub fn handle(&mut self, event: RuntimeEvent, cx: &mut Cx<'_>) {
        let _ = (event, cx);
    }

    /// What a planned event means to a person; `None` where it means nothing.
    pub fn upcoming(&self, at: SimTime, event: &RuntimeEvent) -> Option<Upcoming> {
        let _ = (at, event);
        None
    }

    /// The image on a node; `None` where it is not there.
    pub fn image_status(&self, node: &str, image: &str) -> Option<ImageStatus> {
        let _ = (node, image);
        None
    }

    /// What pulling an image to a node will come to.
    pub fn pull_image(&self, node: &str, image: &str) -> PullOutcome {
        let _ = node;
        PullOutcome {
            takes: SimDuration::from_millis(1500),
            result: Ok(ImageStatus { image_ref: image.to_owned(), size: 0, uid: 0, username: None }),
        }
    }

    /// The image is on the node from now on.
    pub fn finish_pull(&mut self, node: &str, image: &str) {
        let _ = (node, image);
    }

    /// Makes a sandbox with its network; ready at once (the caller lets `latency::SANDBOX` pass).
    pub fn run_pod_sandbox(&mut self, config: SandboxConfig, cx: &mut Cx<'_>) -> SandboxId {
        let _ = (config, cx);
        "0".into()
    }

    /// The sandbox's address; the node's own under `hostNetwork`.
    pub fn sandbox_ip(&self, id: &SandboxId) -> Option<String> {
        let _ = id;
        None
    }

    /// Ends a sandbox: its containers are killed, its address is free.
    pub fn stop_pod_sandbox(&mut self, id: &SandboxId, cx: &mut Cx<'_>) {
        let _ = (id, cx);
    }

    /// Forgets a stopped sandbox and all its containers.
    pub fn remove_pod_sandbox(&mut self, id: &SandboxId) {
        let _ = id;
    }

    /// Makes a container.
    ///
    /// # Errors
    /// The runtime's text.
    pub fn create_container(
        &mut self,
        sandbox: &SandboxId,
        config: ContainerConfig,
        cx: &mut Cx<'_>,
    ) -> Result<ContainerId, String> {
        let _ = (sandbox, config, cx);
        Ok("0".into())
    }

    /// Starts a container.
    ///
    /// # Errors
    /// The runtime's text; the container is then Exited with reason `StartError`.
    pub fn start_container(&mut self, id: &ContainerId, cx: &mut Cx<'_>) -> Result<(), String> {
        let _ = (id, cx);
        Ok(())
    }

    /// Sends a signal to the main process: TERM, or the image's stop signal.
    pub fn terminate(&mut self, id: &ContainerId, cx: &mut Cx<'_>) {
        let _ = (id, cx);
    }

    /// Kills all processes of the container.
    pub fn kill(&mut self, id: &ContainerId, cx: &mut Cx<'_>) {
        let _ = (id, cx);
    }

    /// Forgets a container and its log.
    pub fn remove_container(&mut self, id: &ContainerId) {
        let _ = id;
    }

    /// What is known of a container.
    pub fn container_status(&self, id: &ContainerId) -> Option<ContainerStatus> {
        let _ = id;
        None
    }

    /// The content of the termination message file, at most 4096 bytes; empty where there is none.
    pub fn termination_message(&self, id: &ContainerId) -> String {
        let _ = id;
        String::new()
    }

    /// The end of the log, at most `lines` lines and `bytes` bytes (for FallbackToLogsOnError).
    pub fn log_tail(&self, id: &ContainerId, lines: usize, bytes: usize) -> String {
        let _ = (id, lines, bytes);
        String::new()
    }

    /// Runs a command in a container and waits for it.
    pub fn exec_sync(&mut self, id: &ContainerId, command: &[String], cx: &mut Cx<'_>) -> ExecState {
        let _ = (id, command, cx);
        ExecState::Failed(String::new())
    }

    /// Takes the result of a command that has ended.
    pub fn exec_result(&mut self, token: ExecToken) -> Option<ExecOutcome> {
        let _ = token;
        None
    }

    /// Gives up on a command: it runs on, its result is thrown away.
    pub fn exec_forget(&mut self, token: ExecToken) {
        let _ = token;
    }

    /// An HTTP request from the node to an address: probes and hooks.
    ///
    /// # Errors
    /// Go's text of the network error (`dial tcp 10.244.0.5:80: connect: connection refused`), ready to be put
    /// behind `Get "http://…": `.
    pub fn http_get(&mut self, request: &HttpGet, cx: &mut Cx<'_>) -> Result<HttpAnswer, String> {
        let _ = (request, cx);
        Err(String::new())
    }

    /// Whether something listens on a TCP port.
    ///
    /// # Errors
    /// Go's text of the network error (`dial tcp 10.244.0.5:80: connect: connection refused`).
    pub fn tcp_connect(&self, host: &str, port: u16, cx: &Cx<'_>) -> Result<(), String> {
        let _ = (host, port, cx);
        Err(String::new())
    }

    /// Makes an empty volume, or leaves the one that is there. `medium` is `""` or `Memory`.
    pub fn ensure_volume(&mut self, id: &VolumeId, cx: &Cx<'_>) {
        let _ = (id, cx);
    }

    /// Replaces all files of a volume at once, as the kubelet's atomic writer does for ConfigMaps, Secrets,
    /// downward API and projected volumes.
    pub fn write_volume(&mut self, id: &VolumeId, files: &[VolumeFile], cx: &Cx<'_>) {
        let _ = (id, files, cx);
    }

    /// The kind of thing at a path of a volume: `None` where there is nothing, else whether it is a directory.
    pub fn volume_path(&self, id: &VolumeId, path: &str) -> Option<bool> {
        let _ = (id, path);
        None
    }

    /// Makes a directory in a volume.
    pub fn make_volume_dir(&mut self, id: &VolumeId, path: &str, cx: &Cx<'_>) {
        let _ = (id, path, cx);
    }

    /// Forgets a volume.
    pub fn remove_volume(&mut self, id: &VolumeId) {
        let _ = id;
    }

    /// The volume that stands for a node's own disk: hostPath mounts are its `sub_path`s.
    pub fn host_volume(&mut self, node: &str, cx: &Cx<'_>) -> VolumeId {
        let _ = cx;
        format!("host/{node}").into()
    }

    /// Tells a kubelet.
    #[allow(dead_code)]
    fn notify(&self, notice: Notice, cx: &mut Cx<'_>) {
        cx.after(SimDuration::ZERO, crate::event::Event::Kubelet(KubeletEvent::Runtime(notice)));
    }
}

/// A GET request of a probe or hook.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpGet {
    /// `http` or `https`.
    pub scheme: String,
    /// Address or name.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query.
    pub path: String,
    /// Header fields in order, `User-Agent` and `Accept` among them.
    pub headers: Vec<(String, String)>,
}

/// The answer to a GET request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u16,
    /// Body, at most 10 KiB.
    pub body: Vec<u8>,
    /// How long the server took; a probe compares it with its timeout.
    pub took: SimDuration,
}
