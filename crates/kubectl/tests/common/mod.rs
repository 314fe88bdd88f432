//! What the tests share: a machine in memory, recordings, and what is left out of comparisons.
#![allow(dead_code)]

pub mod replay;

use podlab_api::{Door, Object};
use podlab_cluster::{Cluster, Profile, Settings};
use podlab_kubectl::{DirEntry, Env, FileError, Io, Stdin, Step};
use podlab_sim::SimTime;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Streams and files in memory.
#[derive(Default)]
pub struct Machine {
    pub files: BTreeMap<String, Vec<u8>>,
    pub stdin: Option<Vec<u8>>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub interrupted: bool,
}

/// The words of a line, quotes taken off.
pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
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

    fn interrupted(&mut self) -> bool {
        self.interrupted
    }

    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        let path = clean(path);
        if let Some(content) = self.files.get(&path) {
            return Ok(content.clone());
        }
        let prefix = format!("{path}/");
        if path.is_empty() || self.files.keys().any(|k| k.starts_with(&prefix)) {
            return Err(FileError::IsDirectory);
        }
        Err(FileError::NotFound)
    }

    fn write_file(&mut self, path: &str, content: &[u8]) -> Result<(), FileError> {
        self.files.insert(clean(path), content.to_vec());
        Ok(())
    }

    fn read_dir(&mut self, path: &str) -> Result<Vec<DirEntry>, FileError> {
        let path = clean(path);
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut out: Vec<DirEntry> = Vec::new();
        for key in self.files.keys() {
            if let Some(rest) = key.strip_prefix(&prefix) {
                let (name, is_dir) = match rest.split_once('/') {
                    Some((dir, _)) => (dir, true),
                    None => (rest, false),
                };
                if !out.iter().any(|e| e.name == name) {
                    out.push(DirEntry { name: name.to_owned(), is_dir });
                }
            }
        }
        if out.is_empty() { Err(FileError::NotFound) } else { Ok(out) }
    }
}

pub fn truth(file: &str) -> Option<String> {
    let dir = std::env::var("PODLAB_TRUTH")
        .map(PathBuf::from)
        .unwrap_or_else(|_| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/truth"));
    let text = std::fs::read_to_string(dir.join(file)).ok();
    if text.is_none() {
        println!("{file}: absent, skipped");
    }
    text
}

pub fn records(file: &str) -> Option<Vec<Value>> {
    Some(truth(file)?.lines().map(|l| serde_json::from_str(l).unwrap()).collect())
}

pub fn cluster(profile: Profile) -> Cluster {
    Cluster::forgetful(Settings { profile, nodes: Vec::new(), ..Settings::default() })
}

/// Objects as recorded, with placeholders where uids stood.
pub fn objects(values: &[Value]) -> Vec<Object> {
    values.iter().filter_map(|v| Object::from_value(v.clone()).map_err(|e| println!("{e}")).ok()).collect()
}

pub fn time(text: &str) -> SimTime {
    let at: k8s_openapi::jiff::Timestamp = text.parse().unwrap();
    SimTime::from_secs(at.as_second())
}

/// Runs a line to its end, for at most an hour of virtual time.
pub fn run(cluster: &mut Cluster, machine: &mut Machine, argv: &[String], env: Env) -> i32 {
    let mut invocation = podlab_kubectl::run(argv, env);
    let start = cluster.sim_now();
    for _ in 0..100_000 {
        match invocation.step(cluster, machine) {
            Step::Done(code) => return code,
            Step::Yield => {}
            Step::Wait(wait) => {
                let now = cluster.now();
                let mut to = now.as_second() + 1;
                if let Some(until) = wait.until {
                    to = to.min(until.as_second().max(now.as_second()) + 1);
                }
                cluster.run_until(SimTime::from_secs(to), || true);
                if to - start.as_secs() > 3600 {
                    machine.interrupted = true;
                }
            }
        }
    }
    -1
}

pub fn kubeconfig(machine: &mut Machine) -> Env {
    machine
        .files
        .insert("root/.kube/config".into(), podlab_kubectl::config::default_kubeconfig().into_bytes());
    Env { vars: BTreeMap::from([("HOME".to_owned(), "/root".to_owned())]) }
}

/// Counts, and keeps what differs for a reader (`PODLAB_FAILURES=folder`).
pub struct Tally {
    pub file: &'static str,
    pub passed: usize,
    pub failed: Vec<(String, String)>,
}

impl Tally {
    pub fn new(file: &'static str) -> Tally {
        Tally { file, passed: 0, failed: Vec::new() }
    }

    pub fn check(&mut self, name: &str, what: &str, pairs: &[(&str, String, String)]) {
        let wrong: Vec<_> = pairs.iter().filter(|(_, want, got)| want != got).collect();
        if wrong.is_empty() {
            self.passed += 1;
            return;
        }
        let mut text = format!("### {name} {what}\n");
        for (part, want, got) in wrong {
            text += &format!("--- want {part}\n{want}\n--- got\n{got}\n");
        }
        self.failed.push((name.to_owned(), text));
    }

    /// Compares what failed with the list of known failures, which only shrinks.
    ///
    /// `PODLAB_UPDATE=1` writes the list anew.
    pub fn finish(self) {
        let all = self.passed + self.failed.len();
        println!("{}: {} of {all}", self.file, self.passed);
        if let Ok(folder) = std::env::var("PODLAB_FAILURES") {
            let text: String = self.failed.iter().map(|(_, t)| t.as_str()).collect();
            std::fs::write(format!("{folder}/{}.txt", self.file), text).unwrap();
        }
        let path =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/known_failures/{}.txt", self.file));
        let mut failed: Vec<&str> = self.failed.iter().map(|(name, _)| name.as_str()).collect();
        failed.sort_unstable();
        failed.dedup();
        if std::env::var("PODLAB_UPDATE").is_ok() {
            std::fs::write(&path, failed.join("\n") + "\n").unwrap();
        }
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        let known: Vec<&str> = known.lines().collect();
        let better: Vec<&&str> = known.iter().filter(|k| !k.is_empty() && !failed.contains(k)).collect();
        let worse: Vec<&&str> = failed.iter().filter(|f| !known.contains(f)).collect();
        assert!(worse.is_empty(), "{}: these failed and are not known: {worse:?}", self.file);
        assert!(better.is_empty(), "{}: these pass and must leave the list: {better:?}", self.file);
    }
}

/// Instants as describe writes them become `<time>`.
pub fn times(text: &str) -> String {
    let mut out = String::new();
    let mut left = text;
    while let Some(at) = left.find(" +0000") {
        let start = at.checked_sub(25).filter(|s| left.is_char_boundary(*s));
        match start.map(|s| &left[s..at]) {
            Some(date) if date.as_bytes().get(3) == Some(&b',') => {
                out.push_str(&left[..at - 25]);
                out.push_str("<time>");
            }
            _ => out.push_str(&left[..at + 6]),
        }
        left = &left[at + 6..];
    }
    out + left
}

/// RFC 3339 instants become `<timestamp>`.
pub fn timestamps(text: &str) -> String {
    let mut out = String::new();
    let mut left = text;
    while let Some(c) = left.chars().next() {
        let end = left.find('Z').filter(|e| (19..=30).contains(e));
        if let Some(end) = end
            && left[..end].parse::<k8s_openapi::jiff::civil::DateTime>().is_ok()
            && left[..end].contains('T')
        {
            out.push_str("<timestamp>");
            left = &left[end + 1..];
            continue;
        }
        out.push(c);
        left = &left[c.len_utf8()..];
    }
    out
}

/// What differs from run to run.
pub fn mask(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let line = match line.get(..1) {
            Some("E" | "W") if line.get(1..5).is_some_and(|s| s.chars().all(|c| c.is_ascii_digit())) => {
                match line.find(".go:") {
                    Some(at) => {
                        let start = line[..at].rfind(' ').map_or(0, |p| p + 1);
                        format!("{}<ts> <pid> {}", &line[..1], &line[start..])
                    }
                    None => line.to_owned(),
                }
            }
            _ => line.to_owned(),
        };
        out.push_str(&line);
    }
    timestamps(&out)
}
