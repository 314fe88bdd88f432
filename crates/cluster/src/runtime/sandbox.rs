//! A pod's sandbox: what its containers share.

use super::cri::{ContainerId, SandboxConfig};
use podlab_sim::SimTime;
use std::sync::Arc;

/// A pod's sandbox.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    pub(crate) config: Arc<SandboxConfig>,
    /// Its address; `None` once it is stopped.
    pub(crate) ip: Option<String>,
    pub(crate) ready: bool,
    pub(crate) created_at: SimTime,
    pub(crate) containers: Vec<ContainerId>,
}
