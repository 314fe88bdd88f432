//! What a plugin answers.

use super::plugin::PluginId;
use std::borrow::Cow;

/// A text that says why a node does not fit, in Kubernetes' words.
pub type Reason = Cow<'static, str>;

/// How a plugin judged a pod or a node.
///
/// Source: k8s.io/kube-scheduler/framework/interface.go `Code` (v1.37).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It fits.
    Success,
    /// Something went wrong; the pod is tried again after a back-off.
    Error,
    /// It does not fit, but might if pods were evicted.
    Unschedulable,
    /// It does not fit, and evicting pods would not help.
    UnschedulableAndUnresolvable,
}

/// Why a plugin did not accept a pod or a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How it judged; never [`Code::Success`].
    pub code: Code,
    /// Its reasons, at least one.
    pub reasons: Vec<Reason>,
    /// Which plugin judged; `None` for the framework itself.
    pub plugin: Option<PluginId>,
}

impl Status {
    /// One that evicting pods might change.
    pub fn unschedulable(plugin: PluginId, reason: impl Into<Reason>) -> Status {
        Status { code: Code::Unschedulable, reasons: vec![reason.into()], plugin: Some(plugin) }
    }

    /// One that evicting pods would not change.
    pub fn unresolvable(plugin: PluginId, reason: impl Into<Reason>) -> Status {
        Status {
            code: Code::UnschedulableAndUnresolvable,
            reasons: vec![reason.into()],
            plugin: Some(plugin),
        }
    }

    /// A failure of the plugin itself.
    pub fn error(plugin: PluginId, reason: impl Into<Reason>) -> Status {
        Status { code: Code::Error, reasons: vec![reason.into()], plugin: Some(plugin) }
    }

    /// Whether it says that the pod does not fit, as opposed to a failure.
    pub fn is_rejected(&self) -> bool {
        matches!(self.code, Code::Unschedulable | Code::UnschedulableAndUnresolvable)
    }

    /// The reasons in one text.
    pub fn message(&self) -> String {
        self.reasons.join(", ")
    }
}
