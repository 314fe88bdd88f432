//! The terminal: lines typed, what came of them, and the command that still runs.

use super::files::Files;
use super::shell_run::Shell;
use podlab_api::Door;
use podlab_kubectl::{DirEntry, Env, FileError, Invocation, Io, Stdin, Wait};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How many entries are kept.
const ENTRIES: usize = 400;
/// How many bytes of output one entry keeps, from its end.
const OUTPUT: usize = 256 << 10;
/// The longest line that is taken.
const LINE: usize = 64 << 10;
/// How many steps a command that waits for nothing does in a frame: a step reads or writes an object or two.
const STEPS: usize = 40;
/// How many of them it does at once, when it begins: files of a few objects are done then.
const FIRST_STEPS: usize = 16;
/// After so many turns such a command is left to the frames, whatever asked for it.
const TURNS: usize = 100_000;

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
    /// bash, in which lines run.
    shell: Shell,
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
    /// kubectl without a shell around it, for the page's buttons.
    Kubectl(Box<Invocation>),
    /// A line in the shell.
    Line,
}

#[derive(Clone, Debug)]
struct Running {
    program: Program,
    wait: Option<Wait>,
    /// What kubectl reads: given text and then the end, or the keyboard.
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
            shell: Shell::default(),
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
        if let Some(running) = &self.running {
            self.input.push_back(format!("{line}\n").into_bytes());
            if matches!(running.program, Program::Line) {
                self.input.clear();
                self.shell.enter(&line, door);
            }
            self.print(false, &format!("{line}\n"));
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
                    "kubectl (or k), bash and its tools, vi, clear. Files of the editor are in this folder.\n",
                );
                return self.finish(0);
            }
            _ => {}
        }
        self.shell.put_files(files, &self.hidden, door);
        self.shell.enter(&line, door);
        self.running = Some(Running { program: Program::Line, wait: None, stdin: None });
        self.poll(door, files);
    }

    /// The name of the file that a command has opened in the editor, if one waits for it to be saved.
    pub fn editing(&self) -> Option<String> {
        let edit = self.shell.open_edits().iter().find(|e| e.shown && e.closed.is_none())?;
        Some(edit.name().to_owned())
    }

    /// Ends the editing of the file in that tab: its text is kept, and the command that waits goes on.
    pub fn save_edit(&mut self, name: &str, door: &mut dyn Door, files: &mut Files) {
        let Some(edit) = self.shell.edits().iter_mut().find(|e| e.closed.is_none() && e.name() == name)
        else {
            return;
        };
        if let Some(text) = files.read(name) {
            text.clone_into(&mut edit.text);
        }
        edit.closed = Some(true);
        if !edit.is_own()
            && let Some(index) = files.all().iter().position(|f| f.name == name)
        {
            files.remove(index);
        }
        self.poll(door, files);
    }

    /// Shows the files that editors were called for, and notes which tabs were closed.
    fn tend_edits(&mut self, files: &mut Files) {
        let mut opened = Vec::new();
        for edit in self.shell.edits().iter_mut().filter(|e| e.closed.is_none()) {
            let name = edit.name().to_owned();
            if !edit.shown {
                edit.shown = true;
                opened.push(name.clone());
                files.write(&name, &edit.text);
                if let Some(index) = files.all().iter().position(|f| f.name == name) {
                    files.select(index);
                }
            } else if files.read(&name).is_none() {
                edit.closed = Some(false);
            }
        }
        for name in opened {
            self.print(
                true,
                &format!(
                    "podlab: {name} is open in the editor. Save there and the command goes on; closing the tab leaves it as it was.\n"
                ),
            );
        }
    }

    /// Runs kubectl with the words after its name, until it ends or waits. `stdin` is given text; without it the keyboard
    /// is read.
    pub fn start(&mut self, args: &[String], stdin: Option<&str>, door: &mut dyn Door, files: &mut Files) {
        self.begin(args, stdin, door, files);
        for _ in 0..TURNS {
            if self.running.as_ref().is_none_or(|running| running.wait.is_some()) {
                return;
            }
            self.poll(door, files);
        }
    }

    /// Begins to run kubectl as [`start`](Self::start) does; what takes long goes on when it is polled.
    pub fn begin(&mut self, args: &[String], stdin: Option<&str>, door: &mut dyn Door, files: &mut Files) {
        let env = Env { vars: BTreeMap::from([("HOME".to_owned(), HOME.to_owned())]) };
        self.interrupted = false;
        self.ended = false;
        self.input.clear();
        let program = Program::Kubectl(Box::new(podlab_kubectl::run(args, env)));
        self.running =
            Some(Running { program, wait: None, stdin: stdin.map(|text| text.as_bytes().to_vec()) });
        let mut steps = 0;
        self.poll_while(door, files, &mut || {
            steps += 1;
            steps < FIRST_STEPS
        });
    }

    /// Adds a line that the page typed for the learner.
    pub fn note(&mut self, line: &str, at: i64) {
        self.entries.push(Entry { at, line: line.to_owned(), ..Entry::default() });
        self.revision += 1;
    }

    /// Adds a line with what came of it, where no command ran.
    pub(super) fn said(&mut self, line: &str, at: i64, output: &[Piece], code: Option<i32>) {
        self.note(line, at);
        if let Some(entry) = self.entries.last_mut() {
            entry.output = output.to_vec();
            entry.code = code;
        }
    }

    /// Lets the running command go on; call it whenever time has passed or the cluster has changed.
    pub fn poll(&mut self, door: &mut dyn Door, files: &mut Files) {
        self.poll_while(door, files, &mut || true);
    }

    /// As [`poll`](Self::poll), as long as `keep_going` says so between the steps of a command that has much to do.
    pub fn poll_while(
        &mut self,
        door: &mut dyn Door,
        files: &mut Files,
        keep_going: &mut dyn FnMut() -> bool,
    ) {
        let Some(mut running) = self.running.take() else {
            // What runs in the background writes when it likes.
            if self.shell.has_jobs() {
                self.shell.run(door, keep_going);
                self.take_output();
            }
            return;
        };
        // A command that only yields is given a few turns a frame.
        for _ in 0..STEPS {
            let Program::Kubectl(invocation) = &mut running.program else {
                return self.poll_line(running, door, files, keep_going);
            };
            let mut io = TerminalIo { terminal: self, files, stdin: &mut running.stdin };
            match invocation.step(door, &mut io) {
                podlab_kubectl::Step::Done(code) => return self.finish(code),
                podlab_kubectl::Step::Yield => running.wait = None,
                podlab_kubectl::Step::Wait(wait) => {
                    running.wait = Some(wait);
                    break;
                }
            }
            if !keep_going() {
                break;
            }
        }
        self.running = Some(running);
    }

    /// Lets the line go on that runs in the shell.
    fn poll_line(
        &mut self,
        mut running: Running,
        door: &mut dyn Door,
        files: &mut Files,
        keep_going: &mut dyn FnMut() -> bool,
    ) {
        let mut ended = self.shell.run(door, keep_going);
        self.tend_edits(files);
        if self.shell.edits().iter().any(|e| e.closed.is_some()) {
            ended = self.shell.run(door, keep_going);
            self.tend_edits(files);
        }
        self.take_output();
        running.wait = self.shell.wait();
        let Some(code) = ended else {
            self.running = Some(running);
            return;
        };
        self.shell.take_files(files, &mut self.hidden);
        if let Some(config) = self.hidden.get(CONFIG) {
            self.context = context(config);
        }
        let left = self.shell.take_input();
        self.finish(code);
        // Lines typed ahead are lines of their own.
        for line in String::from_utf8_lossy(&left).lines() {
            self.enter(line, door, files);
        }
    }

    fn take_output(&mut self) {
        for (error, bytes) in self.shell.take_output() {
            self.print(error, &String::from_utf8_lossy(&bytes));
        }
    }

    /// Whether a command of a button has more to do and waits for nothing.
    pub fn is_busy(&self) -> bool {
        let yields = |r: &Running| r.wait.is_none() && matches!(r.program, Program::Kubectl(_));
        self.running.as_ref().is_some_and(yields)
    }

    /// Whether polling may bring something.
    pub fn is_active(&self) -> bool {
        self.running.is_some() || self.shell.has_jobs()
    }

    /// Ctrl C.
    pub fn interrupt(&mut self, door: &mut dyn Door, files: &mut Files) {
        let Some(running) = &self.running else { return };
        let line = matches!(running.program, Program::Line);
        self.print(false, "^C");
        if line {
            for edit in self.shell.edits().iter_mut() {
                edit.closed.get_or_insert(false);
                if let (false, Some(index)) =
                    (edit.is_own(), files.all().iter().position(|f| f.name == edit.name()))
                {
                    files.remove(index);
                }
            }
            self.shell.interrupt();
            self.shell.edits().clear();
            return self.poll(door, files);
        }
        self.interrupted = true;
        self.print(false, "\n");
        self.poll(door, files);
        if self.interrupted && self.running.take().is_some() {
            // The command did not ask: the signal ends it.
            self.finish(130);
        }
        self.interrupted = false;
    }

    /// Ctrl D: nothing more is typed for the running command.
    pub fn end_input(&mut self, door: &mut dyn Door, files: &mut Files) {
        let Some(running) = &self.running else { return };
        if matches!(running.program, Program::Line) {
            self.shell.end_input();
        }
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
        // What a program draws anew takes the place of what it drew before.
        let text = match text.rfind("\u{1b}[H\u{1b}[2J") {
            Some(at) => {
                entry.output.clear();
                text.get(at + 7..).unwrap_or_default()
            }
            None => text,
        };
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
        self.terminal.print(false, &String::from_utf8_lossy(bytes));
    }

    fn stderr(&mut self, bytes: &[u8]) {
        self.terminal.print(true, &String::from_utf8_lossy(bytes));
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
        self.stdin.is_none()
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
