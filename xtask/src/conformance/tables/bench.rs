//! A kubectl, a cluster that holds a few objects, and a line to run: what the tables of kubectl's own tests need.

use podlab_api::Object;
use podlab_cluster::{Cluster, Profile};
use podlab_sim::SimTime;
use serde_json::Value;

use crate::conformance::kubectl::{Machine, Output, Session};
use crate::conformance::lab;
use crate::conformance::report::Outcome;

/// An arbitrary moment after every object was made.
const NOW: i64 = 1_800_000_000;

/// What one row is tried on.
pub(super) struct Bench {
    pub(super) cluster: Cluster,
    machine: Machine,
}

impl Bench {
    /// A cluster that holds exactly these objects, whatever validation would say of them.
    pub(super) fn new(objects: &[Value]) -> Self {
        let mut cluster = lab::empty(Profile::Api);
        let objects = objects.iter().filter_map(|object| Object::from_value(object.clone()).ok()).collect();
        cluster.restore(objects, SimTime::from_secs(NOW));
        Self { cluster, machine: Machine::with_cluster() }
    }

    /// A cluster in which these objects were created; one that is refused is not there.
    pub(super) fn created(objects: &[Value]) -> Self {
        let mut bench = Self::new(&[]);
        for object in objects {
            lab::create(&mut bench.cluster, object);
        }
        bench
    }

    pub(super) fn file(&mut self, path: &str, content: &str) {
        self.machine.files.insert(path.to_owned(), content.as_bytes().to_vec());
    }

    /// Runs a command line without `kubectl` in front of it.
    pub(super) fn run<'a>(&mut self, arguments: impl IntoIterator<Item = &'a str>) -> Output {
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        Session::on(self.machine.clone(), &arguments, "").finish(&mut self.cluster).0
    }

    /// An object as it is now.
    pub(super) fn live(&mut self, object: &Value) -> Value {
        lab::live(&mut self.cluster, object).unwrap_or_default()
    }
}

/// Whether a command was refused, as the row says.
pub(super) fn refused(expected: bool, output: &Output) -> Outcome {
    let word = |refused: bool| if refused { "refused" } else { "accepted" };
    let got = output.rc != 0;
    if got == expected {
        return Outcome::Passed;
    }
    Outcome::equal(word(expected), format!("{}: {}{}", word(got), output.stdout, output.stderr))
}

/// Passed where the error output holds a text.
pub(super) fn says(expected: &str, output: &Output) -> Outcome {
    if output.stderr.contains(expected) { Outcome::Passed } else { Outcome::equal(expected, &*output.stderr) }
}

/// The texts of a list.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}
