//! podlab's kubectl against a cluster.

use podlab_cluster::Cluster;

use super::report::Outcome;

/// What a command line left behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Output {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) rc: i64,
}

/// Runs a command line without `kubectl` in front of it.
///
/// # Errors
/// An outcome where the command line can't even be run.
pub(super) fn run(_cluster: &mut Cluster, arguments: &[&str], _stdin: &str) -> Result<Output, Outcome> {
    Err(Outcome::Failed {
        expected: format!("the output of kubectl {}", arguments.join(" ")),
        got: "kubectl is not built yet".to_owned(),
    })
}
