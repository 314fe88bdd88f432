//! A KubeSchedulerConfiguration among the learner's files. kubectl refuses it, as it is no object of the API: a real scheduler
//! reads it from its machine when it starts, so the line is `kube-scheduler --config=FILE`.

use super::Lab;
use super::files::File;
use super::lab::{Outcome, command_line};
use super::terminal::Piece;
use super::what_if::words;
use podlab_cluster::cluster::Act;
use podlab_cluster::scheduler::configuration::{self, KIND};
use podlab_sim::SimTime;
use serde_json::Value;

const FLAG: &str = "--config=";

/// The line that starts the scheduler with a file; `None` for another kind of file.
pub(super) fn line_for(file: &File) -> Option<String> {
    let value = podlab_yaml::parse_document(&file.text).ok()?.value;
    let is_one = value.get("kind").and_then(Value::as_str) == Some(KIND);
    let argument = format!("{FLAG}{}", file.name);
    // Quoted where the name asks for it, as in a line of kubectl.
    is_one.then(|| command_line(&[&argument]).replacen("kubectl", "kube-scheduler", 1))
}

/// A line of klog, as a program writes that ends with an error.
///
/// Source: k8s.io/component-base/cli/run.go, k8s.io/klog/v2 (v1.37).
fn command_failed(now: SimTime, error: &str) -> String {
    let at = podlab_api::time::time_nanos(now.as_nanos()).to_string();
    let part = |from: usize, to: usize| at.get(from..to).unwrap_or_default();
    let micros = now.as_nanos().rem_euclid(1_000_000_000) / 1000;
    format!(
        "E{}{} {}.{micros:06}       1 run.go:72] \"command failed\" err={error:?}\n",
        part(5, 7),
        part(8, 10),
        part(11, 19)
    )
}

impl Lab {
    /// Carries a line out that starts the scheduler; `false` for any other line.
    pub(super) fn run_scheduler(&mut self, line: &str) -> bool {
        let words = words(line);
        let name = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["kube-scheduler", flag] => flag.strip_prefix(FLAG).map(str::to_owned),
            ["kube-scheduler", "--config", name] => Some((*name).to_owned()),
            _ => None,
        };
        let Some(name) = name else { return false };
        let outcome = self.start_scheduler(line, &name);
        let at = self.live().sim_now().as_nanos();
        self.terminal.said(&outcome.line, at, &outcome.output, outcome.code);
        self.touch();
        true
    }

    fn start_scheduler(&mut self, line: &str, name: &str) -> Outcome {
        let now = self.live().sim_now();
        let read = match self.files.read(name) {
            None => Err(format!("open {name}: no such file or directory")),
            Some(text) => podlab_yaml::parse_document(text).map_err(|e| e.to_string()).and_then(|document| {
                let double: Vec<&str> = document.duplicates.iter().map(|key| key.text.as_str()).collect();
                Ok((configuration::read_file(&document.value, text, &double)?, document.value))
            }),
        };
        let (text, error) = match read {
            Err(error) => (command_failed(now, &error), true),
            Ok((read, value)) => {
                self.act_on_machine(line, Act::ConfigureScheduler(value));
                let names: Vec<&str> = read.profiles.iter().map(|p| p.scheduler_name.as_str()).collect();
                let mut text = format!("podlab: the scheduler runs anew and serves {}\n", names.join(", "));
                for field in &read.not_simulated {
                    text.push_str("podlab: kept but not simulated: ");
                    text.push_str(field);
                    text.push('\n');
                }
                (text, false)
            }
        };
        Outcome { line: line.to_owned(), output: vec![Piece { error, text }], code: Some(i32::from(error)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKING: &str = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles:\n- schedulerName: default-scheduler\n- schedulerName: packing\n  pluginConfig:\n  - name: NodeResourcesFit\n    args:\n      scoringStrategy: {type: MostAllocated}\n";

    #[test]
    fn a_scheduler_starts_with_a_file_and_kubectl_refuses_it() {
        let mut lab = Lab::default();
        lab.edit(PACKING);
        let refused = lab.apply();
        assert!(
            refused.errors().contains("no matches for kind \"KubeSchedulerConfiguration\""),
            "{refused:?}"
        );
        assert_eq!(lab.terminal.take_proposal().as_deref(), Some("kube-scheduler --config=pod.yaml"));
        let said = |lab: &mut Lab, line: &str| {
            lab.enter(line);
            let entry = lab.terminal.entries().last().unwrap();
            (entry.output.iter().map(|p| p.text.as_str()).collect::<String>(), entry.code)
        };
        let serves = |lab: &Lab| lab.live().world().scheduler.profile("packing").is_some();
        let (text, code) = said(&mut lab, "kube-scheduler --config=pod.yaml");
        assert_eq!(text, "podlab: the scheduler runs anew and serves default-scheduler, packing\n");
        assert_eq!(code, Some(0));
        assert!(serves(&lab));
        let mut again = Lab::restore(lab.save());
        again.finish_replay();
        assert!(serves(&again), "a saved lab keeps it");
        assert!(lab.undo());
        assert!(!serves(&lab));
        lab.edit(&PACKING.replace("MostAllocated", "Most"));
        let (text, code) = said(&mut lab, "kube-scheduler --config pod.yaml");
        assert!(
            text.starts_with("E0101 10:00:00.") && text.contains("1 run.go:72] \"command failed\" err="),
            "{text}"
        );
        assert!(text.contains("Unsupported value: \\\"Most\\\""), "{text}");
        assert_eq!(code, Some(1));
        assert!(!serves(&lab));
    }
}
