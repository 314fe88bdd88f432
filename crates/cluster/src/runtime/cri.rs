//! The language between kubelet and runtime, after the Container Runtime Interface.
//!
//! Source: staging/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto (v1.37) for the names.

use podlab_sim::{SimDuration, SimTime};
use std::sync::Arc;

/// Names a pod sandbox: 64 hexadecimal digits.
pub type SandboxId = Arc<str>;
/// Names a container: 64 hexadecimal digits.
pub type ContainerId = Arc<str>;
/// Names a volume of a pod or a node's disk: whatever its maker chose.
pub type VolumeId = Arc<str>;

/// What a pod's sandbox is made from.
#[derive(Clone, Debug, Default)]
pub struct SandboxConfig {
    /// The node it is on.
    pub node: String,
    /// Uid of the pod.
    pub pod_uid: String,
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub name: String,
    /// The host name that containers see.
    pub hostname: String,
    /// What follows the host name in the full one; empty where it has none.
    pub domain: String,
    /// Whether the kernel's host name is the full one.
    pub hostname_as_fqdn: bool,
    /// Whether it shares the node's network.
    pub host_network: bool,
    /// Lines for `/etc/hosts`: address and names.
    pub host_aliases: Vec<(String, Vec<String>)>,
    /// `/etc/resolv.conf`, ready made.
    pub resolv_conf: String,
    /// Whether all containers see one process table.
    pub share_process_namespace: bool,
}

impl SandboxConfig {
    /// The host name that programs see.
    ///
    /// Source: pkg/kubelet/util/util.go `GetNodenameForKernel` (v1.37).
    pub fn kernel_hostname(&self) -> String {
        match self.domain.as_str() {
            domain if self.hostname_as_fqdn && !domain.is_empty() => format!("{}.{domain}", self.hostname),
            _ => self.hostname.clone(),
        }
    }
}

/// What a container is made from; everything is resolved, nothing refers to API objects.
#[derive(Clone, Debug, Default)]
pub struct ContainerConfig {
    /// Its name in the pod.
    pub name: String,
    /// How often it was made before.
    pub attempt: u32,
    /// The image as the pod names it.
    pub image: String,
    /// Replaces the image's entrypoint, where it is not empty.
    pub command: Vec<String>,
    /// Replaces the image's arguments, where it is not empty.
    pub args: Vec<String>,
    /// Where it starts; `None` for the image's own.
    pub working_dir: Option<String>,
    /// Environment in order.
    pub envs: Arc<Vec<(String, String)>>,
    /// What is mounted where.
    pub mounts: Vec<MountConfig>,
    /// User id; `None` for the image's own.
    pub run_as_user: Option<i64>,
    /// Group id; `None` for the image's own.
    pub run_as_group: Option<i64>,
    /// Supplementary groups, `fsGroup` among them.
    pub supplemental_groups: Vec<i64>,
    /// Whether its own files cannot be written.
    pub read_only_root: bool,
    /// Whether standard input stays open.
    pub stdin: bool,
    /// Whether it has a terminal.
    pub tty: bool,
    /// Memory limit in bytes.
    pub memory_limit: Option<u64>,
    /// CPU limit in thousandths of a CPU.
    pub cpu_limit: Option<u64>,
    /// How much sooner (up to 1000) or later (down to -1000) than others it is killed when its node has no memory left.
    pub oom_score_adj: i32,
    /// The file whose content becomes the termination message.
    pub termination_message_path: String,
}

/// One mount.
#[derive(Clone, Debug, PartialEq)]
pub struct MountConfig {
    /// Where in the container.
    pub container_path: String,
    /// What.
    pub volume: VolumeId,
    /// Which part of it; empty for all. The part must exist: see `Runtime::volume_path`.
    pub sub_path: String,
    /// Whether it cannot be written.
    pub read_only: bool,
}

/// A file to put into a volume.
#[derive(Clone, Debug, PartialEq)]
pub struct VolumeFile {
    /// Path in the volume, without a leading slash.
    pub path: String,
    /// Content.
    pub bytes: Arc<Vec<u8>>,
    /// Permission bits.
    pub mode: u32,
}

/// What is known of an image on a node.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageStatus {
    /// `docker.io/library/nginx@sha256:…`.
    pub image_ref: String,
    /// Size in bytes.
    pub size: u64,
    /// The user id it runs as.
    pub uid: i64,
    /// Whether the image names a user that is not a number.
    pub username: Option<String>,
}

/// What a pull will come to. The runtime decides it at once; the caller lets the time pass and then calls
/// `Runtime::finish_pull`.
#[derive(Clone, Debug, PartialEq)]
pub struct PullOutcome {
    /// How long it takes.
    pub takes: SimDuration,
    /// The image, or the text of the error.
    pub result: Result<std::sync::Arc<ImageStatus>, String>,
}

/// The state a container is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// Made, not started.
    Created,
    /// Its main process runs.
    Running,
    /// Its main process has ended, or could not be started.
    Exited,
}

/// What the runtime knows of a container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerStatus {
    /// Its id.
    pub id: ContainerId,
    /// Its name in the pod.
    pub name: String,
    /// How often it was made before.
    pub attempt: u32,
    /// State.
    pub state: ContainerState,
    /// When it was made.
    pub created_at: SimTime,
    /// When its main process started.
    pub started_at: Option<SimTime>,
    /// When its main process ended.
    pub finished_at: Option<SimTime>,
    /// Its exit code; 0 until it has ended.
    pub exit_code: i32,
    /// `Completed`, `Error`, `OOMKilled`, `StartError`; empty until it has ended.
    pub reason: &'static str,
    /// The runtime's own message (of a start that failed); empty otherwise.
    pub message: String,
    /// The image as the pod names it.
    pub image: String,
    /// `docker.io/library/nginx@sha256:…`.
    pub image_ref: String,
}

/// What a command in a container came to.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecOutcome {
    /// Its exit code.
    pub exit_code: i32,
    /// Standard output and standard error in the order in which they were written, at most 10 KiB.
    pub output: Vec<u8>,
    /// When it ended.
    pub finished_at: SimTime,
}

/// A command in a container.
#[derive(Clone, Debug, PartialEq)]
pub enum ExecState {
    /// It has ended.
    Done(ExecOutcome),
    /// It runs; a [`Notice::ExecFinished`] with this token follows.
    Running(ExecToken),
    /// It could not be started; the runtime's text.
    Failed(String),
}

/// Names a command that runs in a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExecToken(pub u64);

/// What the runtime tells a kubelet.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A container's main process has ended.
    ContainerDied {
        /// The node.
        node: String,
        /// Uid of the pod.
        pod_uid: String,
        /// The container.
        container: ContainerId,
    },
    /// A command has ended: ask `Runtime::exec_result`.
    ExecFinished {
        /// The node.
        node: String,
        /// Uid of the pod.
        pod_uid: String,
        /// The command.
        token: ExecToken,
    },
    /// A node's memory or disk has come to an eviction threshold.
    NodeLow {
        /// The node.
        node: Arc<str>,
    },
    /// The kernel has killed a process because its node had no memory left.
    SystemOom {
        /// The node.
        node: Arc<str>,
        /// Name of the process.
        process: String,
        /// Its id, as its container counts.
        pid: u64,
    },
}
