//! The terminal: lines typed, what came of them, and the command that still runs.

use super::files::Files;
use super::line::{self, Joint, Stage, What};
use super::shell_run::ShellRun;
use podlab_api::Door;
use podlab_kubectl::{DirEntry, Env, FileError, Invocation, Io, Stdin, Step, Wait};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How many entries are kept.
const ENTRIES: usize = 400;
/// How many bytes of output one entry keeps, from its end.
const OUTPUT: usize = 256 << 10;
/// How many bytes are kept between the commands of a line.
const CAUGHT: usize = 16 << 20;
/// The longest line that is taken.
const LINE: usize = 64 << 10;

/// A line and its output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was typed: nanoseconds of virtual time since the Unix epoch.
    pub at: i64,
    /// The line.
    pub line: String,
    /// Output and errors in the order in which they came.
    pub output: Vec<Piece>,
    /// Its exit code; `None` while it runs.
    pub code: Option<i32>,
}

/// A piece of output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    /// Whether it came on standard error.
    pub error: bool,
    /// Its text.
    pub text: String,
}

/// Where kubectl finds its configuration: the home folder is the superuser's, as in exam labs.
const HOME: &str = "/root";
const CONFIG: &str = "/root/.kube/config";

/// The terminal.
#[derive(Clone, Debug)]
pub struct Terminal {
    entries: Vec<Entry>,
    /// Files that kubectl keeps and the editor does not show: its configuration.
    hidden: BTreeMap<String, Vec<u8>>,
    /// Context and namespace that the configuration names; made when it is written, read at every drawing.
    context: (String, String),
    running: Option<Running>,
    /// What of the line has not begun yet.
    stages: VecDeque<Stage>,
    /// What the running command writes for the next one or a file, instead of to the screen.
    caught: Option<Vec<u8>>,
    /// Where that goes.
    catches_for: Option<Stage>,
    /// What has been typed for the running command.
    input: VecDeque<Vec<u8>>,
    interrupted: bool,
    /// Whether the end of what is typed for the running command has come.
    ended: bool,
    /// A line that the page puts before the learner, to be sent or changed.
    proposal: Option<String>,
    /// Grows with every change, so that views know when to draw.
    revision: u64,
}

#[derive(Clone, Debug)]
enum Program {
    Kubectl(Box<Invocation>),
    Shell(Box<ShellRun>),
}

#[derive(Clone, Debug)]
struct Running {
    program: Program,
    wait: Option<Wait>,
    /// What it reads: given text and then the end, or the keyboard.
    stdin: Option<Vec<u8>>,
}

/// The context and the namespace that a configuration of kubectl's names.
fn context(config: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(config);
    let value = podlab_yaml::parse_document(&text).map(|d| d.value).unwrap_or_default();
    let name = value.get("current-context").and_then(|v| v.as_str()).unwrap_or_default();
    let contexts = value.get("contexts").and_then(|v| v.as_array());
    let namespace = contexts
        .into_iter()
        .flatten()
        .find(|c| c.get("name").and_then(|v| v.as_str()) == Some(name))
        .and_then(|c| c.pointer("/context/namespace")?.as_str())
        .filter(|ns| !ns.is_empty())
        .unwrap_or("default");
    (name.to_owned(), namespace.to_owned())
}

impl Default for Terminal {
    fn default() -> Terminal {
        let config = podlab_kubectl::config::default_kubeconfig().into_bytes();
        Terminal {
            entries: Vec::new(),
            context: context(&config),
            hidden: BTreeMap::from([(CONFIG.to_owned(), config)]),
            running: None,
            stages: VecDeque::new(),
            caught: None,
            catches_for: None,
            input: VecDeque::new(),
            interrupted: false,
            ended: false,
            proposal: None,
            revision: 0,
        }
    }
}

impl Terminal {
    /// Lines and their output, oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Puts entries in place, from a saved session.
    pub fn set_entries(&mut self, entries: Vec<Entry>) {
        self.entries = entries;
        self.revision += 1;
    }

    /// Whether a command runs.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Whether the running command waits for input.
    pub fn wants_input(&self) -> bool {
        self.running.as_ref().and_then(|r| r.wait).is_some_and(|w| w.input)
    }

    /// Grows with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Forgets what is on screen.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.revision += 1;
    }

    /// Starts a line. While a command runs, the line is its input.
    pub fn enter(&mut self, line: &str, door: &mut dyn Door, files: &mut Files) {
        let line: String = line.chars().take(LINE).collect();
        if self.running.is_some() {
            self.print(false, &format!("{line}\n"));
            self.input.push_back(format!("{line}\n").into_bytes());
            self.poll(door, files);
            return;
        }
        let at = i64::try_from(door.now().as_nanosecond()).unwrap_or(0);
        self.entries.push(Entry { at, line: line.clone(), ..Entry::default() });
        let excess = self.entries.len().saturating_sub(ENTRIES);
        self.entries.drain(..excess);
        self.revision += 1;
        match line.trim() {
            "" => return self.finish(0),
            "clear" => return self.clear(),
            "help" => {
                self.print(
                    false,
                    "kubectl (or k), bash and its tools, clear. Files of the editor are in this folder.\n",
                );
                return self.finish(0);
            }
            _ => {}
        }
        match line::parse(&line) {
            Ok(stages) => {
                self.stages = stages.into();
                self.go_on(0, door, files);
            }
            Err(text) => {
                self.print(true, &text);
                self.finish(2);
            }
        }
    }

    /// Starts what comes next in the line, after a stage that ended with `code`.
    fn go_on(&mut self, mut code: i32, door: &mut dyn Door, files: &mut Files) {
        let mut piped = None;
        loop {
            if let Some(stage) = self.catches_for.take() {
                let bytes = self.caught.take().unwrap_or_default();
                match &stage.to {
                    Some((name, append)) => {
                        let mut text = String::from_utf8_lossy(&bytes).into_owned();
                        if *append && let Some(before) = files.read(name) {
                            text.insert_str(0, before);
                        }
                        files.write(name.trim_start_matches("./"), &text);
                        piped = stage.piped.then(Vec::new);
                    }
                    None => piped = Some(bytes),
                }
            }
            let Some(stage) = self.stages.pop_front() else { return self.finish(code) };
            let skipped = match stage.joint {
                Joint::And => code != 0,
                Joint::Or => code == 0,
                Joint::Then | Joint::Pipe => false,
            };
            if skipped {
                // The whole pipeline is passed over.
                while self.stages.front().is_some_and(|s| s.joint == Joint::Pipe) {
                    self.stages.pop_front();
                }
                continue;
            }
            let stdin = piped.take();
            if stage.piped || stage.to.is_some() {
                self.caught = Some(Vec::new());
                self.catches_for = Some(stage.clone());
            }
            self.interrupted = false;
            self.ended = false;
            self.input.clear();
            let program = match stage.what {
                What::Kubectl(args) => {
                    let env = Env { vars: BTreeMap::from([("HOME".to_owned(), HOME.to_owned())]) };
                    Program::Kubectl(Box::new(podlab_kubectl::run(&args, env)))
                }
                What::Shell(text) => {
                    let now = i64::try_from(door.now().as_nanosecond()).unwrap_or(0);
                    Program::Shell(Box::new(ShellRun::new(&text, stdin.as_deref(), files, now)))
                }
            };
            self.running = Some(Running { program, wait: None, stdin });
            match self.step_running(door, files) {
                Some(ended) => code = ended,
                None => return,
            }
        }
    }

    /// Runs kubectl with the words after its name. `stdin` is given text; without it the keyboard is read.
    pub fn start(&mut self, args: &[String], stdin: Option<&str>, door: &mut dyn Door, files: &mut Files) {
        let env = Env { vars: BTreeMap::from([("HOME".to_owned(), HOME.to_owned())]) };
        self.interrupted = false;
        self.ended = false;
        self.input.clear();
        self.stages.clear();
        let program = Program::Kubectl(Box::new(podlab_kubectl::run(args, env)));
        self.running =
            Some(Running { program, wait: None, stdin: stdin.map(|text| text.as_bytes().to_vec()) });
        self.poll(door, files);
    }

    /// Adds a line that the page typed for the learner.
    pub fn note(&mut self, line: &str, at: i64) {
        self.entries.push(Entry { at, line: line.to_owned(), ..Entry::default() });
        self.revision += 1;
    }

    /// Lets the running command go on; call it whenever time has passed or the cluster has changed.
    pub fn poll(&mut self, door: &mut dyn Door, files: &mut Files) {
        if let Some(code) = self.step_running(door, files) {
            self.go_on(code, door, files);
        }
    }

    /// Lets the running command go on; answers its code once it has ended.
    fn step_running(&mut self, door: &mut dyn Door, files: &mut Files) -> Option<i32> {
        let mut running = self.running.take()?;
        if let Program::Shell(shell) = &mut running.program {
            while let Some(bytes) = self.input.pop_front() {
                shell.input(&bytes);
            }
            if self.ended {
                shell.close_input();
            }
            if std::mem::take(&mut self.interrupted) {
                shell.interrupt(files);
                self.caught = None;
                self.catches_for = None;
                return Some(130);
            }
            let now = i64::try_from(door.now().as_nanosecond()).unwrap_or(0);
            let ended = shell.run(now, files);
            for (error, bytes) in shell.take_output() {
                self.write(error, &bytes);
            }
            running.wait = shell.wait();
            if ended.is_none() {
                self.running = Some(running);
            }
            return ended;
        }
        // A command that only yields is given a few turns a frame.
        for _ in 0..64 {
            let Program::Kubectl(invocation) = &mut running.program else { break };
            let mut io = TerminalIo { terminal: self, files, stdin: &mut running.stdin };
            match invocation.step(door, &mut io) {
                Step::Done(code) => return Some(code),
                Step::Yield => running.wait = None,
                Step::Wait(wait) => {
                    running.wait = Some(wait);
                    break;
                }
            }
        }
        self.running = Some(running);
        None
    }

    /// Output of the running command: to the screen, or to what reads it.
    fn write(&mut self, error: bool, bytes: &[u8]) {
        match &mut self.caught {
            Some(caught) if !error => {
                if caught.len() < CAUGHT {
                    caught.extend_from_slice(bytes);
                }
            }
            _ => self.print(error, &String::from_utf8_lossy(bytes)),
        }
    }

    /// Ctrl C.
    pub fn interrupt(&mut self, door: &mut dyn Door, files: &mut Files) {
        if self.running.is_none() {
            return;
        }
        self.interrupted = true;
        self.stages.clear();
        self.print(false, "^C\n");
        self.poll(door, files);
        if self.interrupted && self.running.take().is_some() {
            // The command did not ask: the signal ends it, and with it the line.
            self.stages.clear();
            self.caught = None;
            self.catches_for = None;
            self.finish(130);
        }
        self.interrupted = false;
    }

    /// Ctrl D: nothing more is typed for the running command.
    pub fn end_input(&mut self, door: &mut dyn Door, files: &mut Files) {
        self.ended = true;
        self.poll(door, files);
    }

    /// Puts a line before the learner, to be sent or changed.
    pub fn propose(&mut self, line: &str) {
        self.proposal = Some(line.to_owned());
        self.revision += 1;
    }

    /// Takes the line that was put before the learner.
    pub fn take_proposal(&mut self) -> Option<String> {
        self.proposal.take()
    }

    /// What the running command waits for; `None` where none runs or it waits for nothing.
    pub fn wait(&self) -> Option<Wait> {
        self.running.as_ref()?.wait
    }

    /// The context and the namespace that kubectl's configuration names.
    pub fn context(&self) -> (&str, &str) {
        (&self.context.0, &self.context.1)
    }

    fn print(&mut self, error: bool, text: &str) {
        let Some(entry) = self.entries.last_mut() else { return };
        match entry.output.last_mut() {
            Some(piece) if piece.error == error => piece.text.push_str(text),
            _ => entry.output.push(Piece { error, text: text.to_owned() }),
        }
        if let Some(piece) = entry.output.last_mut().filter(|p| p.text.len() > OUTPUT) {
            let from = piece.text.len() - OUTPUT / 2;
            let from = piece.text[..].char_indices().map(|(i, _)| i).find(|i| *i >= from).unwrap_or(0);
            piece.text.drain(..from);
        }
        self.revision += 1;
    }

    fn finish(&mut self, code: i32) {
        if let Some(entry) = self.entries.last_mut() {
            entry.code = Some(code);
        }
        self.running = None;
        self.revision += 1;
    }
}

struct TerminalIo<'a> {
    terminal: &'a mut Terminal,
    files: &'a mut Files,
    stdin: &'a mut Option<Vec<u8>>,
}

impl Io for TerminalIo<'_> {
    fn stdout(&mut self, bytes: &[u8]) {
        self.terminal.write(false, bytes);
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.terminal.write(true, bytes);
    }

    fn stdin(&mut self) -> Stdin {
        match self.stdin {
            Some(text) if text.is_empty() => Stdin::End,
            Some(text) => Stdin::Data(std::mem::take(text)),
            None => match self.terminal.input.pop_front() {
                Some(bytes) => Stdin::Data(bytes),
                None if self.terminal.ended => Stdin::End,
                None => Stdin::Pending,
            },
        }
    }

    fn is_terminal(&self) -> bool {
        self.stdin.is_none() && self.terminal.caught.is_none()
    }

    fn interrupted(&mut self) -> bool {
        std::mem::take(&mut self.terminal.interrupted)
    }

    fn read_file(&mut self, path: &str) -> Result<Vec<u8>, FileError> {
        let name = path.trim_start_matches("./");
        if let Some(text) = self.files.read(name) {
            return Ok(text.as_bytes().to_vec());
        }
        if matches!(name, "" | "." | "/") {
            return Err(FileError::IsDirectory);
        }
        self.terminal.hidden.get(path).cloned().ok_or(FileError::NotFound)
    }

    fn write_file(&mut self, path: &str, content: &[u8]) -> Result<(), FileError> {
        let name = path.trim_start_matches("./");
        if name.contains('/') {
            if path == CONFIG {
                self.terminal.context = context(content);
            }
            self.terminal.hidden.insert(path.to_owned(), content.to_vec());
        } else {
            self.files.write(name, &String::from_utf8_lossy(content));
        }
        Ok(())
    }

    fn read_dir(&mut self, path: &str) -> Result<Vec<DirEntry>, FileError> {
        match path.trim_end_matches('/') {
            "" | "." => {
                let mut entries: Vec<DirEntry> = self
                    .files
                    .all()
                    .iter()
                    .map(|f| DirEntry { name: f.name.clone(), is_dir: false })
                    .collect();
                entries.sort_by(|a, b| a.name.cmp(&b.name));
                Ok(entries)
            }
            name if self.files.read(name).is_some() => Err(FileError::NotDirectory),
            _ => Err(FileError::NotFound),
        }
    }
}

/// Splits a line into words as a shell does for quotes and backslashes. What else a shell would do is refused
/// by name.
///
/// # Errors
/// The text to show.
pub fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => word.push(c),
                        None => {
                            return Err("bash: unexpected EOF while looking for matching `''\n".to_owned());
                        }
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some('"') => break,
                        Some('\\') => match chars.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                            Some('\n') => {}
                            Some(c) => word.extend(['\\', c]),
                            None => {}
                        },
                        Some(c) => word.push(c),
                        None => {
                            return Err("bash: unexpected EOF while looking for matching `\"'\n".to_owned());
                        }
                    }
                }
            }
            '\\' => match chars.next() {
                Some('\n') | None => {}
                Some(c) => word.get_or_insert_default().push(c),
            },
            '#' if word.is_none() => break,
            '|' | '>' | '<' | ';' | '&' | '`' => {
                return Err(format!("podlab: this terminal does not simulate the shell's {c:?} yet\n"));
            }
            '$' if chars.peek() == Some(&'(') => {
                return Err("podlab: this terminal does not simulate the shell's \"$(\" yet\n".to_owned());
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        let words = |line: &str| split(line).unwrap();
        assert_eq!(
            words("kubectl get po -l 'app in (a, b)'  # all"),
            ["kubectl", "get", "po", "-l", "app in (a, b)"]
        );
        assert_eq!(
            words(r#"k run x -- sh -c "echo \"hi\" \$A""#),
            ["k", "run", "x", "--", "sh", "-c", "echo \"hi\" $A"]
        );
        assert!(words("").is_empty());
        assert!(split("echo 'a").is_err());
        assert!(split("kubectl get po | wc").is_err());
        assert!(split("kubectl get po &").is_err());
    }
}
