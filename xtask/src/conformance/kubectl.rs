//! podlab's kubectl against a cluster.

use podlab_cluster::Cluster;

use super::lab;
use super::report::Outcome;

/// What a command line left behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Output {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) rc: i64,
}

/// A command line that runs, or waits for something.
pub(super) struct Session {
    arguments: Vec<String>,
    stdin: String,
    output: Output,
}

impl Session {
    /// Reads a command line without `kubectl` in front of it.
    pub(super) fn start(arguments: &[String], stdin: &str) -> Self {
        Self { arguments: arguments.to_vec(), stdin: stdin.to_owned(), output: Output::default() }
    }

    /// Goes on as far as it can at the present instant; returns whether it has ended.
    pub(super) fn advance(&mut self, cluster: &mut Cluster) -> bool {
        // Until there is a kubectl, what is applied is at least created.
        if self.arguments.iter().any(|argument| argument == "apply") {
            let namespace = self.arguments.get(1).cloned().unwrap_or_default();
            for document in lab::documents(&self.stdin) {
                for item in document.get("items").and_then(serde_json::Value::as_array).into_iter().flatten()
                {
                    let mut item = item.clone();
                    item["metadata"]["namespace"] = namespace.clone().into();
                    lab::create(cluster, &item);
                }
            }
        }
        self.output.stderr = "kubectl is not built yet".to_owned();
        self.output.rc = 1;
        true
    }

    /// What it wrote, and how it ended.
    pub(super) fn output(&self) -> Output {
        self.output.clone()
    }
}

/// Runs a command line without `kubectl` in front of it to its end.
///
/// # Errors
/// An outcome where the command line can't even be run.
pub(super) fn run(_cluster: &mut Cluster, arguments: &[&str], _stdin: &str) -> Result<Output, Outcome> {
    Err(Outcome::Failed {
        expected: format!("the output of kubectl {}", arguments.join(" ")),
        got: "kubectl is not built yet".to_owned(),
    })
}
