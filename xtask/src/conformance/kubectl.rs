//! podlab's kubectl against a cluster.

use podlab_cluster::Cluster;
use podlab_kubectl::config::default_kubeconfig;
use podlab_kubectl::{DirEntry, Env, FileError, Invocation, Io, Stdin, Step, Wait};
use podlab_sim::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::lab;
use super::report::Outcome;

/// What a command line left behind.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Output {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) rc: i64,
}

/// Files by path, standard streams, environment variables.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    /// Path → content; relative paths are those of the working directory.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) env: BTreeMap<String, String>,
    stdin: Option<Vec<u8>>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

const HOME: &str = "/root";

impl Machine {
    /// A machine whose kubectl knows no cluster.
    pub(super) fn without_cluster() -> Self {
        let env = BTreeMap::from([("HOME".to_owned(), HOME.to_owned())]);
        Self { env, ..Self::default() }
    }

    /// A machine whose kubectl knows the cluster.
    pub(super) fn with_cluster() -> Self {
        let mut machine = Self::without_cluster();
        machine.files.insert(format!("{HOME}/.kube/config"), default_kubeconfig().into_bytes());
        machine
    }
}

impl Machine {
    /// A machine whose kubectl knows the cluster and is at home in a namespace, without being told so on the line.
    pub(super) fn in_namespace(namespace: &str) -> Self {
        let mut machine = Self::with_cluster();
        for config in machine.files.values_mut() {
            let text = String::from_utf8_lossy(config);
            let Ok(mut parsed) = podlab_yaml::parse_document(&text).map(|document| document.value) else {
                continue;
            };
            if let Some(context) = parsed.pointer_mut("/contexts/0/context") {
                context["namespace"] = namespace.into();
            }
            *config = podlab_yaml::to_yaml(&parsed).into_bytes();
        }
        machine
    }
}

/// A path without `.` and `..`; the working directory is the empty path.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let root = if path.starts_with('/') { "/" } else { "" };
    format!("{root}{}", parts.join("/"))
}

impl Machine {
    fn inside<'a>(&'a self, directory: &str) -> impl Iterator<Item = &'a str> {
        let prefix = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        self.files.keys().filter_map(move |path| path.strip_prefix(prefix.as_str()))
    }
}

impl Io for Machine {
    fn stdout(&mut self, bytes: &[u8]) {
        self.stdout.extend_from_slice(bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.stderr.extend_from_slice(bytes);
    }

    fn stdin(&mut self) -> Stdin {
        self.stdin.take().map_or(Stdin::End, Stdin::Data)
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        let path = clean(path);
        match self.files.get(&path) {
            Some(content) => Ok(content.clone()),
            None if path.is_empty() || self.inside(&path).next().is_some() => Err(FileError::IsDirectory),
            None => Err(FileError::NotFound),
        }
    }

    fn write_file(&mut self, path: &str, content: &[u8]) -> Result<(), FileError> {
        self.files.insert(clean(path), content.to_vec());
        Ok(())
    }

    // The editor of the recordings leaves every file as it is.
    fn spawn(&mut self, argv: &[String]) -> Result<u32, FileError> {
        if argv.first().is_some_and(|program| program == "vi") { Ok(1) } else { Err(FileError::NotFound) }
    }

    fn ended(&mut self, _child: u32) -> Option<i32> {
        Some(0)
    }

    fn working_directory(&self) -> String {
        "<cwd>".to_owned()
    }

    fn read_dir(&mut self, path: &str) -> Result<Vec<DirEntry>, FileError> {
        let path = clean(path);
        if self.files.contains_key(&path) {
            return Err(FileError::NotDirectory);
        }
        let entries: BTreeSet<(String, bool)> = self
            .inside(&path)
            .filter(|inner| !inner.starts_with('/'))
            .map(|inner| match inner.split_once('/') {
                Some((directory, _)) => (directory.to_owned(), true),
                None => (inner.to_owned(), false),
            })
            .collect();
        if entries.is_empty() && !path.is_empty() {
            return Err(FileError::NotFound);
        }
        Ok(entries.into_iter().map(|(name, is_dir)| DirEntry { name, is_dir }).collect())
    }
}

/// A command line that runs, or waits for something.
pub(super) struct Session {
    invocation: Invocation,
    machine: Machine,
    rc: Option<i64>,
}

/// Steps after which a command line that never waits counts as hung.
const MAX_STEPS: usize = 100_000;

impl Session {
    /// Begins a command line without `kubectl` in front of it.
    pub(super) fn start(arguments: &[String], stdin: &str) -> Self {
        Self::on(Machine::with_cluster(), arguments, stdin)
    }

    /// Begins a command line on a machine.
    pub(super) fn on(mut machine: Machine, arguments: &[String], stdin: &str) -> Self {
        machine.stdin = (!stdin.is_empty()).then(|| stdin.as_bytes().to_vec());
        let env = Env { vars: machine.env.clone() };
        Self { invocation: podlab_kubectl::run(arguments, env), machine, rc: None }
    }

    /// Goes on as far as it can at the present instant; returns whether it has ended.
    pub(super) fn advance(&mut self, cluster: &mut Cluster) -> bool {
        matches!(self.step(cluster), Step::Done(_))
    }

    fn step(&mut self, cluster: &mut Cluster) -> Step {
        if let Some(rc) = self.rc {
            return Step::Done(i32::try_from(rc).unwrap_or(1));
        }
        for _ in 0..MAX_STEPS {
            match self.invocation.step(cluster, &mut self.machine) {
                Step::Yield => {}
                Step::Done(code) => {
                    self.rc = Some(i64::from(code));
                    return Step::Done(code);
                }
                step @ Step::Wait(_) => return step,
            }
        }
        self.machine.stderr(b"[conformance: the command line does not end]");
        self.rc = Some(-1);
        Step::Done(-1)
    }

    /// What it wrote, and how it ended; `rc` is -1 while it runs.
    pub(super) fn output(&self) -> Output {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output {
            stdout: text(&self.machine.stdout),
            stderr: text(&self.machine.stderr),
            rc: self.rc.unwrap_or(-1),
        }
    }

    /// The machine it ran on, with the files it wrote.
    pub(super) fn into_machine(self) -> Machine {
        Machine { stdin: None, stdout: Vec::new(), stderr: Vec::new(), ..self.machine }
    }

    /// Runs to the end, letting virtual time pass where it waits, for two minutes at most.
    pub(super) fn finish(self, cluster: &mut Cluster) -> (Output, Machine) {
        self.finish_with(cluster, |_| {})
    }

    /// As [`Session::finish`], with something that acts on the cluster whenever the command line waits.
    pub(super) fn finish_with(
        mut self,
        cluster: &mut Cluster,
        attend: impl Fn(&mut Cluster),
    ) -> (Output, Machine) {
        let patience = cluster.sim_now() + Duration::from_secs(120);
        while let Step::Wait(Wait { until, .. }) = self.step(cluster) {
            let wake =
                until.and_then(|until| i64::try_from(until.as_nanosecond()).ok()).map(SimTime::from_nanos);
            let next = wake.unwrap_or(patience).min(patience);
            if cluster.sim_now() >= patience {
                break;
            }
            attend(cluster);
            // One event, then another look.
            cluster.run_until(next.max(cluster.sim_now() + Duration::from_millis(1)), || false);
        }
        (self.output(), self.machine)
    }
}

/// Runs a command line without `kubectl` in front of it to its end, on a cluster where what is deleted goes.
///
/// # Errors
/// An outcome where the command line can't even be run.
pub(super) fn run(cluster: &mut Cluster, arguments: &[&str], stdin: &str) -> Result<Output, Outcome> {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Ok(Session::start(&arguments, stdin).finish_with(cluster, lab::finish_deletions).0)
}
