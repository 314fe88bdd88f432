//! All that happens in a lab while a script runs, as text: two histories of one script must be equal, wherever and in
//! whatever turns they were made.

use super::lab::Lab;
use podlab_cluster::Settings;
use podlab_cluster::cluster::Act;
use podlab_sim::SimTime;
use serde::Deserialize;
use std::fmt::Write as _;
use std::time::Duration;

/// What a script may ask of a lab.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Step {
    /// Writes a file.
    File {
        /// Its name.
        name: String,
        /// Its text.
        text: String,
    },
    /// Sends a line in the terminal.
    Line(String),
    /// Lets virtual seconds pass.
    Pass(u64),
    /// Does something to the machines.
    Act(Act),
    /// Takes the last action back.
    Undo,
    /// Shows the lab as it was so many seconds after its beginning, asks this line there, and returns.
    Look {
        /// Seconds after the lab's beginning.
        at: u64,
        /// Words of a kubectl line that reads.
        ask: Vec<String>,
    },
}

#[derive(Clone, Debug, Deserialize)]
struct Script {
    /// What draws depend on.
    seed: u64,
    steps: Vec<Step>,
}

/// A history that is being written down.
struct Writer {
    text: String,
    /// Everything up to this resource version is written.
    written: u64,
}

impl Writer {
    fn line(&mut self, at: SimTime, what: &str) {
        let _ = writeln!(self.text, "{} {what}", at.as_nanos());
    }

    /// Writes every change since the last call: version, kind of change and the object whole.
    fn changes(&mut self, lab: &Lab) {
        let at = lab.live().sim_now();
        let store = lab.live().world().api.store();
        match store.history().since(self.written) {
            Some(changes) => {
                for change in changes {
                    let (version, object) = (change.resource_version, change.object.to_value());
                    let _ = writeln!(self.text, "{version} {} {object}", change.change.as_str());
                }
            }
            None => self.line(at, "some changes are forgotten already"),
        }
        self.written = store.resource_version();
    }

    /// What the last line of the terminal has said.
    fn said(&mut self, lab: &Lab) {
        let Some(entry) = lab.terminal.entries().last() else { return };
        let text: String = entry.output.iter().map(|piece| piece.text.as_str()).collect();
        self.line(lab.live().sim_now(), &format!("$ {} {:?} {text:?}", entry.line, entry.code));
    }
}

/// Carries out a script and writes down every change of every object with its resource version, and what each line in
/// the terminal said.
///
/// `turn` is after how many events the cluster is interrupted and goes on; 0 for never. The history must not depend
/// on it.
///
/// # Errors
/// Where the script cannot be read, in the reader's words.
pub fn history(script: &str, turn: u32) -> Result<String, String> {
    watched_history(script, turn, &mut |_| ())
}

/// As [`history`]; `watch` sees the lab after each step and, while time passes, wherever the cluster is interrupted.
///
/// # Errors
/// Where the script cannot be read, in the reader's words.
pub fn watched_history(script: &str, turn: u32, watch: &mut dyn FnMut(&Lab)) -> Result<String, String> {
    let document = podlab_yaml::parse_documents(script).documents.into_iter().next();
    let document = document.ok_or_else(|| "the script is no YAML".to_owned())?;
    let script: Script = serde_json::from_value(document.value).map_err(|error| error.to_string())?;
    let mut lab = Lab::new("history", Settings { seed: script.seed, ..Settings::default() });
    let begun = lab.live().sim_now();
    let mut writer = Writer { text: String::new(), written: 0 };
    let mut events = 0u32;
    let mut keep_going = || {
        events = events.wrapping_add(1);
        turn == 0 || !events.is_multiple_of(turn)
    };
    writer.changes(&lab);
    for step in script.steps {
        match step {
            Step::File { name, text } => lab.files.write(&name, &text),
            Step::Line(line) => {
                lab.enter(&line);
                writer.said(&lab);
            }
            Step::Pass(seconds) => {
                for _ in 0..seconds {
                    let until = lab.live().sim_now() + Duration::from_secs(1);
                    while !lab.jump(until, &mut keep_going) {
                        watch(&lab);
                    }
                    writer.changes(&lab);
                }
                writer.said(&lab);
            }
            Step::Act(act) => lab.act_on_machine("act", act),
            Step::Undo => {
                // The versions after the undone action are given out again.
                let undone = lab.undo();
                let version = lab.live().world().api.store().resource_version();
                writer.line(lab.live().sim_now(), &format!("undone: {undone}, at version {version}"));
                writer.written = writer.written.min(version);
            }
            Step::Look { at, ask } => {
                lab.look_at(begun + Duration::from_secs(at));
                let words: Vec<&str> = ask.iter().map(String::as_str).collect();
                let answer = lab.ask(&words);
                writer.line(lab.shown().sim_now(), &format!("{} {:?}", answer.line, answer.text()));
                lab.return_to_now();
            }
        }
        writer.changes(&lab);
        watch(&lab);
    }
    Ok(writer.text)
}

#[cfg(test)]
mod tests {
    use super::history;

    const SCRIPT: &str = "seed: 7
steps:
- line: kubectl run web --image=nginx
- pass: 20
- look: {at: 5, ask: [get, pods]}
- undo
- act: {StopKubelet: node01}
- line: kubectl get pods
";

    #[test]
    fn a_history_has_the_changes_and_the_words_and_does_not_depend_on_turns() {
        let whole = history(SCRIPT, 0).unwrap();
        assert!(whole.contains("pod/web created"), "{whole}");
        assert!(whole.contains("\"phase\":\"Running\""));
        assert!(whole.contains("undone: true"));
        assert!(whole.contains("No resources found in default namespace."));
        assert_eq!(whole, history(SCRIPT, 3).unwrap());
        assert_ne!(whole, history(&SCRIPT.replace("seed: 7", "seed: 8"), 0).unwrap());
        assert!(history("steps: 3", 0).is_err());
    }
}
