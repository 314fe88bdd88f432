//! Lines of kubectl, as a real API server 1.37 answered a real kubectl.

use super::Machine;
use podlab_api::Door;
use podlab_cluster::{Cluster, Settings};
use serde_json::Value;

pub struct Lab {
    pub cluster: Cluster,
}

impl Lab {
    pub fn new() -> Lab {
        Lab { cluster: Cluster::new(Settings::default()) }
    }

    /// What a command said on both streams, and its exit code.
    pub fn kubectl(&mut self, arguments: &[&str], input: Option<&str>) -> (String, String, i32) {
        let stdin = input.map(|text| text.as_bytes().to_vec());
        let mut machine = Machine { stdin, ..Machine::default() };
        let env = super::kubeconfig(&mut machine);
        let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
        let code = super::run(&mut self.cluster, &mut machine, &arguments, env);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(machine.stdout), text(machine.stderr), code)
    }

    pub fn out(&mut self, line: &str) -> String {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        self.kubectl(&arguments, None).0
    }
}

/// Plays recorded lines, one after the other in one cluster.
pub fn replay(records: &str) {
    let mut lab = Lab::new();
    let mut failures = Vec::new();
    for line in records.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let arguments: Vec<&str> =
            record["args"].as_array().unwrap().iter().flat_map(Value::as_str).collect();
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        let wanted = (text("out"), text("err"), record["code"].as_i64().unwrap() as i32);
        let (out, err, code) = lab.kubectl(&arguments, record["in"].as_str());
        let got = (normal(&out), normal(&err), code);
        let after = lab.cluster.now().as_second() + record["after"].as_i64().unwrap_or(0);
        lab.cluster.run_until(podlab_sim::SimTime::from_secs(after), || true);
        if got != wanted {
            failures.push(format!("$ {arguments:?} {}\ngot {got:?}\nnot {wanted:?}", record["in"]));
        }
    }
    assert!(failures.is_empty(), "{} differ\n{}", failures.len(), failures.join("\n\n"));
}

/// A text with instants, ages, uids and versions written as the recordings have them.
fn normal(text: &str) -> String {
    // A pattern's 0 stands for any digit, its x for any hexadecimal one.
    let matches = |at: &str, pattern: &str| {
        at.len() >= pattern.len()
            && pattern.bytes().zip(at.bytes()).all(|(p, b)| match p {
                b'0' => b.is_ascii_digit(),
                b'x' => b.is_ascii_hexdigit(),
                _ => p == b,
            })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = &rest[digits..];
        if matches(rest, "0000-00-00T00:00:00Z") {
            out.push_str("<time>");
            rest = &rest["0000-00-00T00:00:00Z".len()..];
        } else if matches(rest, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
            out.push_str("<uid>");
            rest = &rest["xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx".len()..];
        } else if digits > 0 && {
            let before = out.trim_end_matches([' ', '"', ':']);
            before.ends_with("resourceVersion") || before.ends_with("Resource Version")
        } {
            out.push_str("<rv>");
            rest = after;
        } else if digits > 0
            && out.ends_with(' ')
            && after.strip_prefix('s').is_some_and(|end| end.is_empty() || end.starts_with([' ', '\n']))
        {
            out.push_str("<age>");
            rest = &after[1..];
            if rest.starts_with(' ') {
                out.push(' ');
                rest = rest.trim_start_matches(' ');
            }
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}
