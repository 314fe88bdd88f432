//! A KubeSchedulerConfiguration in the editor: applying it starts the scheduler again with it. kubectl would not take it, a
//! real scheduler reads such a file from its own machine.

use super::Lab;
use super::lab::Outcome;
use super::terminal::Piece;
use podlab_cluster::cluster::Act;
use podlab_cluster::scheduler::configuration::{self, KIND};
use serde_json::Value;

/// The configuration in a text, if it is one.
fn configuration(text: &str) -> Option<Value> {
    let value = podlab_yaml::parse_document(text).ok()?.value;
    (value.get("kind").and_then(Value::as_str) == Some(KIND)).then_some(value)
}

/// What the scheduler would say to a text, empty where it would start; `None` for a text that is no configuration.
pub(super) fn check(text: &str) -> Option<String> {
    let value = configuration(text)?;
    Some(configuration::read(&value).err().map_or_else(String::new, |error| format!("error: {error}\n")))
}

impl Lab {
    /// Starts the scheduler again with the file in the editor; `None` where that is no configuration.
    pub(super) fn configure_scheduler(&mut self) -> Option<Outcome> {
        let file = self.files.active();
        let value = configuration(&file.text)?;
        let line = format!("kube-scheduler --config={}", file.name);
        let said = configuration::read(&value);
        let (text, error) = match &said {
            Err(error) => (format!("error: {error}\n"), true),
            Ok(read) => {
                let names: Vec<&str> = read.profiles.iter().map(|p| p.scheduler_name.as_str()).collect();
                let mut text = format!("podlab: the scheduler runs anew and serves {}\n", names.join(", "));
                for field in &read.not_simulated {
                    text.push_str(&format!("podlab: kept but not simulated: {field}\n"));
                }
                (text, false)
            }
        };
        if said.is_ok() {
            self.act_on_machine(&line, Act::ConfigureScheduler(value));
        }
        let at = self.live().sim_now().as_nanos();
        let code = Some(i32::from(error));
        let output = vec![Piece { error, text }];
        if !self.terminal.is_running() {
            self.terminal.said(&line, at, &output, code);
        }
        Some(Outcome { line, output, code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKING: &str = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles:\n- schedulerName: default-scheduler\n- schedulerName: packing\n  pluginConfig:\n  - name: NodeResourcesFit\n    args:\n      scoringStrategy: {type: MostAllocated}\n";

    #[test]
    fn a_configuration_is_applied_and_taken_back() {
        let mut lab = Lab::default();
        lab.edit(PACKING);
        assert_eq!(lab.findings(), []);
        let outcome = lab.apply();
        assert_eq!(outcome.line, "kube-scheduler --config=pod.yaml");
        assert_eq!(outcome.text(), "podlab: the scheduler runs anew and serves default-scheduler, packing\n");
        let serves = |lab: &Lab| lab.live().world().scheduler.profile("packing").is_some();
        assert!(serves(&lab));
        let restored = {
            let mut lab = Lab::restore(lab.save());
            lab.finish_replay();
            serves(&lab)
        };
        assert!(restored, "a saved lab keeps it");
        assert!(lab.undo());
        assert!(!serves(&lab));
        lab.edit(&PACKING.replace("MostAllocated", "Most"));
        let found = lab.findings();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].message.contains("Unsupported value: \"Most\""), "{found:?}");
        assert!(!lab.apply().ok() && !serves(&lab));
    }
}
