//! Trying changes on a copy of the cluster: what the scheduler would say then, before anything is applied.

use super::inspect::manifest;
use super::lab::{Outcome, command_line};
use super::remedy::{Change, Does, Way};
use super::{Files, Lab, Terminal};
use podlab_api::Object;
use podlab_cluster::Cluster;
use podlab_cluster::scheduler::decision::{Decision, Outcome as Came, Verdict};
use podlab_cluster::scheduler::what_if;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a copy goes on after a change, so that its controllers take part.
const SETTLES: Duration = Duration::from_secs(5);
/// How long a line that waits (a deletion) is waited for.
const WAITS: Duration = Duration::from_secs(60);

/// What is tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial {
    /// The pod's manifest as it was changed; `None` while it is as it was.
    pub pod: Option<String>,
    /// Changes of the cluster, carried out in this order.
    pub changes: Vec<Change>,
}

impl Trial {
    /// Whether nothing is tried.
    pub fn is_empty(&self) -> bool {
        *self == Trial::default()
    }

    /// The manifest of a pod as it is tried; as it is where what was written cannot be read.
    pub fn manifest(&self, pod: &Object) -> Value {
        let written = self.pod.as_deref().and_then(|text| podlab_yaml::parse_document(text).ok());
        written.map_or_else(|| manifest(pod), |document| document.value)
    }

    /// Tries a way too; `false` for one that is no change of manifests.
    pub fn add(&mut self, way: &Way) -> bool {
        match &way.does {
            Does::Pod(manifest) => self.pod = Some(podlab_yaml::to_yaml(manifest)),
            Does::Cluster(changes) => {
                let new = changes.iter().filter(|c| !self.changes.contains(c)).cloned().collect::<Vec<_>>();
                self.changes.extend(new);
            }
            Does::AddNode => return false,
        }
        true
    }
}

/// What would come of it.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// What the scheduler would decide now, without the changes.
    pub before: Option<Decision>,
    /// What it would decide with them.
    pub after: Option<Decision>,
    /// In kubectl's words, what was refused: by the place of the change, or of the pod behind them.
    pub refused: Vec<(usize, String)>,
    /// The lines that do the same for real.
    pub lines: Vec<String>,
    /// The files that these lines read.
    pub files: Vec<(String, String)>,
    /// What the pod belongs to, `ReplicaSet web-5d4f`: it makes a pod of its own in the place of one that is changed by
    /// hand.
    pub owner: Option<String>,
}

/// What a node would say before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'a> {
    /// Its name.
    pub node: &'a str,
    /// Before; `None` where nothing was told of it.
    pub before: Option<&'a Verdict>,
    /// After.
    pub after: Option<&'a Verdict>,
}

impl Tried {
    /// The verdicts side by side, in the order of the nodes' names.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let (before, after) = (by_name(self.before.as_ref()), by_name(self.after.as_ref()));
        let names: BTreeSet<&str> = before.keys().chain(after.keys()).copied().collect();
        let row = |node| Row { node, before: before.get(node).copied(), after: after.get(node).copied() };
        names.into_iter().map(row).collect()
    }

    /// The node it would go to.
    pub fn goes_to(&self) -> Option<&str> {
        match &self.after.as_ref()?.outcome {
            Came::Bound { node } | Came::WaitingForVolumes { node, .. } => Some(node),
            _ => None,
        }
    }
}

fn by_name(decision: Option<&Decision>) -> BTreeMap<&str, &Verdict> {
    decision.iter().flat_map(|d| &d.nodes).map(|n| (&*n.node, &n.verdict)).collect()
}

impl Lab {
    /// Tries changes on a copy of the cluster that is shown. `keep_going` is asked while time passes in the copy.
    pub fn try_out(&self, pod: &Object, trial: &Trial, keep_going: &mut dyn FnMut() -> bool) -> Tried {
        let as_it_is = podlab_yaml::to_yaml(&manifest(pod));
        let mut tried = Tried { owner: owner(pod), ..Tried::default() };
        let mut copy = self.shown().aside();
        tried.before = as_stored(&mut copy, &as_it_is, pod).ok().and_then(|pod| what_if(copy.world(), &pod));
        let mut files = self.files.clone();
        for (index, change) in trial.changes.iter().enumerate() {
            let outcome = carry_out(&mut copy, change, &mut files, keep_going);
            if !outcome.ok() {
                tried.refused.push((index, outcome.errors()));
                continue;
            }
            tried.add_line(change, &mut files);
        }
        if !trial.changes.is_empty() {
            let until = copy.sim_now() + SETTLES;
            copy.run_until(until, &mut *keep_going);
        }
        let text = trial.pod.as_deref().unwrap_or(&as_it_is);
        match as_stored(&mut copy, text, pod) {
            Ok(stored) => tried.after = what_if(copy.world(), &stored),
            Err(text) => tried.refused.push((trial.changes.len(), text)),
        }
        if let Some(text) = trial.pod.as_ref().filter(|_| tried.refused.is_empty()) {
            tried.add_pod_line(&mut copy, pod, text, &files);
        }
        tried
    }
}

impl Tried {
    fn add_line(&mut self, change: &Change, files: &mut Files) {
        match change {
            Change::Kubectl(_) => self.lines.push(change.text()),
            Change::Create(manifest) => {
                let text = |at: &str| manifest.pointer(at).and_then(Value::as_str).unwrap_or_default();
                let name = text("/metadata/name");
                let claim = text("/kind") == "PersistentVolumeClaim";
                let stem = if claim { format!("pvc-{name}") } else { name.to_owned() };
                let written = podlab_yaml::to_yaml(manifest);
                let file = files.name_for(&stem, &written);
                files.write(&file, &written);
                self.lines.push(command_line(&["apply", "-f", &file]));
                self.files.push((file, written));
            }
        }
    }

    /// The line for the changed pod: applied where the API server takes the change, else put in the old one's place.
    fn add_pod_line(&mut self, copy: &mut Cluster, pod: &Object, text: &str, files: &Files) {
        let file = files.name_for(pod.name(), text);
        let dry_run = ["apply", "--dry-run=server", "-f", "-"];
        let line = if run(copy, &dry_run, text, &mut Files::default(), &mut || true).ok() {
            command_line(&["apply", "-f", &file])
        } else {
            command_line(&["replace", "--force", "-f", &file])
        };
        self.lines.push(line);
        self.files.push((file, text.to_owned()));
    }
}

fn owner(pod: &Object) -> Option<String> {
    let owner = pod.metadata.owner_references.iter().flatten().find(|o| o.controller == Some(true))?;
    Some(format!("{} {}", owner.kind, owner.name))
}

/// Runs kubectl on a copy until it ends, or time is up.
fn run(
    copy: &mut Cluster,
    words: &[&str],
    stdin: &str,
    files: &mut Files,
    keep_going: &mut dyn FnMut() -> bool,
) -> Outcome {
    let mut terminal = Terminal::default();
    terminal.note("", 0);
    let words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    terminal.start(&words, Some(stdin), copy, files);
    let until = copy.sim_now() + WAITS;
    while terminal.is_running() && copy.sim_now() < until && keep_going() {
        let next = copy.sim_now() + Duration::from_secs(1);
        copy.run_until(next, &mut *keep_going);
        terminal.poll(copy, files);
    }
    super::lab::outcome(&terminal, command_line(&words.iter().map(String::as_str).collect::<Vec<_>>()))
}

fn carry_out(
    copy: &mut Cluster,
    change: &Change,
    files: &mut Files,
    keep_going: &mut dyn FnMut() -> bool,
) -> Outcome {
    match change {
        Change::Kubectl(words) => {
            run(copy, &words.iter().map(String::as_str).collect::<Vec<_>>(), "", files, keep_going)
        }
        Change::Create(manifest) => {
            run(copy, &["apply", "-f", "-"], &manifest.to_string(), files, keep_going)
        }
    }
}

/// The pod as the API server would store it, with its defaults.
///
/// The one that exists stays in the copy, so the text is asked about under another name.
fn as_stored(copy: &mut Cluster, text: &str, pod: &Object) -> Result<Object, String> {
    const OTHER: &str = "-what-if";
    let other = format!("{}{OTHER}", pod.name());
    let named = podlab_yaml::parse_document(text).ok().map(|d| d.value).and_then(|mut value| {
        value.get_mut("metadata")?.as_object_mut()?.insert("name".to_owned(), Value::from(other.as_str()));
        value.as_object()?;
        Some(value.to_string())
    });
    let words = ["create", "--dry-run=server", "-o", "json", "-f", "-", "-n", pod.namespace()];
    let outcome = run(copy, &words, named.as_deref().unwrap_or(text), &mut Files::default(), &mut || true);
    if !outcome.ok() {
        return Err(outcome.errors().replace(&other, pod.name()));
    }
    let value = podlab_yaml::parse_json(&outcome.text()).map_err(|e| e.to_string())?;
    let mut stored = Object::from_value(value).map_err(|e| e.to_string())?;
    if stored.kind.kind != "Pod" {
        return Err(format!("{} is no Pod", stored.kind.kind));
    }
    stored.metadata.name.clone_from(&pod.metadata.name);
    stored.metadata.uid.clone_from(&pod.metadata.uid);
    stored.metadata.owner_references.clone_from(&pod.metadata.owner_references);
    Ok(stored)
}

/// The words of a line, with quotes as a shell takes them.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_falls_into_words() {
        assert_eq!(words("label node a  x=1"), ["label", "node", "a", "x=1"]);
        assert_eq!(
            words("patch node a -p '{\"a\": \"b c\"}' ''"),
            ["patch", "node", "a", "-p", "{\"a\": \"b c\"}", ""]
        );
    }
}
