//! DefaultBinder: writes the decision into the pod.

use crate::scheduler::framework::{Plugin, PluginId};

/// Binds a pod by the API server's `binding` subresource.
///
/// Runs: bind.
/// Source: pkg/scheduler/framework/plugins/defaultbinder/default_binder.go (v1.37).
pub struct DefaultBinder;

impl Plugin for DefaultBinder {
    fn id(&self) -> PluginId {
        PluginId::DefaultBinder
    }

    fn points(&self) -> &'static [&'static str] {
        &["Bind"]
    }
}
