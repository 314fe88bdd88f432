//! The terminal's bash: one shell that lives as long as the lab, over the learner's files, on virtual time. kubectl is
//! one of its programs.

use super::files::Files;
use podlab_api::Door;
use podlab_kubectl::{DoorCall, Kubectl, Wait};
use podlab_shell::{
    Ctx, DnsAnswer, FileSystem, Host, HttpRequest, HttpResponse, Kind, Machine, NetError, Next, Pid, Program,
    Prompt, Spawn, Stdin, Step, Stream, Volume, Volumes, debian,
};
use podlab_sim::{SimTime, splitmix64};
use std::any::Any;
use std::collections::BTreeMap;

/// The folder that holds the learner's files.
const FOLDER: &str = "/root";
/// The sink of the terminal.
const SINK: u32 = 1;
/// Steps that one call of [`Shell::run`] may take.
const BUDGET: u32 = 50_000;
/// How many of them are taken before the caller is asked: a step of kubectl may read or write an object.
const TURN: u32 = 4;
/// So many turns later its output is looked at.
const LOOK: u32 = 16;
/// So many bytes written end a call.
const FLOOD: usize = 256 << 10;
/// What a login shell's start-up files would say.
const START_UP: &str = "alias k=kubectl\n";

/// A file that an editor was called for.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    number: u32,
    /// Absolute path.
    pub(super) path: String,
    /// What it holds; what it is to hold once `closed`.
    pub(super) text: String,
    /// Whether the page shows it.
    pub(super) shown: bool,
    /// How it was left: `true` where the text is to be kept.
    pub(super) closed: Option<bool>,
}

impl Edit {
    /// The name of its tab.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is one of the learner's files, and not one that a program made to be edited.
    pub(super) fn is_own(&self) -> bool {
        self.path.strip_prefix(FOLDER).and_then(|p| p.strip_prefix('/')).is_some_and(|p| !p.contains('/'))
    }
}

/// What the machine has told of itself.
#[derive(Clone, Debug, Default)]
struct Told {
    written: Vec<(bool, Vec<u8>)>,
    draws: u64,
    shell: Pid,
    prompt: Option<Prompt>,
    edits: Vec<Edit>,
    edited: u32,
}

/// The world as the machine reaches it in one run.
struct Outside<'a> {
    told: &'a mut Told,
    door: &'a mut dyn Door,
    now: SimTime,
}

/// What an [`Editor`] asks: to open a file, then whether it was closed.
enum EditCall {
    Open { path: String, text: String, number: u32 },
    Closed { number: u32, text: Option<String>, done: bool },
}

impl Volumes for Outside<'_> {
    fn volume(&self, _id: &str) -> Option<&Volume> {
        None
    }

    fn volume_mut(&mut self, _id: &str) -> Option<&mut Volume> {
        None
    }
}

impl Host for Outside<'_> {
    fn now(&self) -> SimTime {
        self.now
    }

    fn output(&mut self, _id: u32, stream: Stream, bytes: &[u8]) {
        self.told.written.push((stream == Stream::Stderr, bytes.to_vec()));
    }

    fn hostname(&self) -> String {
        "controlplane".to_owned()
    }

    fn program(&mut self, name: &str, _argv: &[String]) -> Option<Box<dyn Program>> {
        match name {
            "kubectl" => Some(Box::new(Kubectl::default())),
            "editor" => Some(Box::new(Editor::default())),
            _ => None,
        }
    }

    fn call(&mut self, call: &mut dyn Any) {
        if let Some(call) = call.downcast_mut::<DoorCall>() {
            call.answer(self.door);
        } else if let Some(call) = call.downcast_mut::<EditCall>() {
            self.told.edit(call);
        }
    }

    fn prompted(&mut self, shell: Pid, prompt: Option<Prompt>) {
        if shell == self.told.shell {
            self.told.prompt = prompt;
        }
    }

    fn http(&mut self, request: &HttpRequest) -> Result<HttpResponse, NetError> {
        // Nothing but the machine itself is near: `kubectl port-forward` brings pods there.
        match request.host.as_str() {
            "localhost" | "127.0.0.1" | "::1" => Err(NetError::Own(request.port)),
            host if host.parse::<std::net::IpAddr>().is_ok() => Err(NetError::Unreachable),
            _ => Err(NetError::NameNotFound),
        }
    }

    fn connect(&mut self, host: &str, port: u16, _udp: bool) -> Result<(), NetError> {
        match host {
            "localhost" | "127.0.0.1" | "::1" => Err(NetError::Own(port)),
            _ => Err(NetError::Unreachable),
        }
    }

    fn resolve(&mut self, name: &str) -> Result<DnsAnswer, NetError> {
        match name {
            "localhost" => Ok(DnsAnswer { name: name.to_owned(), addresses: vec!["127.0.0.1".to_owned()] }),
            _ => Err(NetError::NameNotFound),
        }
    }

    fn random(&mut self) -> u64 {
        self.told.draws += 1;
        splitmix64(self.told.draws ^ u64::try_from(self.now.as_nanos()).unwrap_or(0))
    }
}

impl Told {
    fn edit(&mut self, call: &mut EditCall) {
        match call {
            EditCall::Open { path, text, number } => {
                self.edited += 1;
                *number = self.edited;
                let (path, text) = (std::mem::take(path), std::mem::take(text));
                self.edits.push(Edit { number: *number, path, text, shown: false, closed: None });
            }
            EditCall::Closed { number, text, done } => {
                let Some(index) = self.edits.iter().position(|e| e.number == *number) else {
                    *done = true;
                    return;
                };
                if let Some(keep) = self.edits.get(index).and_then(|e| e.closed) {
                    let edit = self.edits.remove(index);
                    *text = keep.then_some(edit.text);
                    *done = true;
                }
            }
        }
    }
}

/// `vi`, `vim`, `nano`: the file is shown in the page's editor, and the program ends when it is closed there.
#[derive(Clone, Debug, Default)]
struct Editor {
    path: String,
    number: u32,
}

impl Program for Editor {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if self.number == 0 {
            let mut files = ctx.core.argv.iter().skip(1).filter(|a| !a.starts_with(['-', '+']));
            let Some(file) = files.next_back().cloned() else {
                return Step::Exit(ctx.fail(1, "name the file to edit"));
            };
            if ctx.is_dir(&file) {
                return Step::Exit(ctx.fail(1, format!("{file} is a directory")));
            }
            self.path = ctx.absolute(&file);
            let text = ctx.read_file(&file).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let mut call = EditCall::Open { path: self.path.clone(), text, number: 0 };
            ctx.host.call(&mut call);
            let EditCall::Open { number: number @ 1.., .. } = call else {
                return Step::Exit(ctx.fail(1, "no editor here"));
            };
            self.number = number;
        }
        let mut call = EditCall::Closed { number: self.number, text: None, done: false };
        ctx.host.call(&mut call);
        match call {
            EditCall::Closed { text, done: true, .. } => {
                let failed = text.and_then(|text| ctx.write_file(&self.path, text.as_bytes(), false).err());
                match failed {
                    Some(error) => Step::Exit(ctx.fail(1, format!("{}: {error}", self.path))),
                    None => Step::Exit(0),
                }
            }
            _ => Step::Block(podlab_shell::Wait { outside: true, ..podlab_shell::Wait::default() }),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

/// The shell. Nothing of it is made before the first line.
#[derive(Clone, Debug, Default)]
pub(super) struct Shell {
    machine: Option<Machine>,
    told: Told,
    until: Option<SimTime>,
    /// The learner's files as the machine has them.
    mirror: BTreeMap<String, String>,
}

fn sim_now(door: &dyn Door) -> SimTime {
    SimTime::from_nanos(i64::try_from(door.now().as_nanosecond()).unwrap_or(0))
}

fn root(now: SimTime) -> Volume {
    let mut root = debian(now);
    let mut program = |path: &str, name: &str| {
        let _ = root.put(path, Kind::Program(name.into()), 0o755, now);
    };
    program("usr/bin/kubectl", "kubectl");
    program("usr/bin/curl", "tool:curl");
    program("usr/bin/jq", "tool:jq");
    for name in ["editor", "nano", "vi", "vim"] {
        program(&format!("usr/bin/{name}"), "editor");
    }
    root
}

impl Shell {
    /// The machine with its shell, made where there is none or the last one ended.
    fn machine(&mut self, door: &mut dyn Door) -> &mut Machine {
        let now = sim_now(door);
        let ended = self.machine.as_ref().is_some_and(|m| !m.is_running());
        if ended || self.machine.is_none() {
            let fs = match self.machine.take() {
                Some(ended) => ended.fs().clone(),
                None => FileSystem::new(root(now)),
            };
            let mut machine = Machine::new(fs);
            let mut spawn =
                Spawn { cwd: FOLDER.to_owned(), stdin: Stdin::Screen, ..Spawn::new(&["bash"], SINK) };
            // The page draws the prompt.
            for (name, value) in [
                ("USER", "root"),
                ("SHELL", "/bin/bash"),
                ("TERM", "xterm-256color"),
                ("PS1", ""),
                ("PS2", ""),
            ] {
                spawn.env.push((name.to_owned(), value.to_owned()));
            }
            self.told.prompt = None;
            let mut outside = Outside { told: &mut self.told, door, now };
            if let Ok(pid) = machine.spawn(&mut outside, spawn) {
                self.told.shell = pid;
            }
            machine.input(SINK, START_UP.as_bytes());
            self.machine = Some(machine);
        }
        self.machine.get_or_insert_with(|| Machine::new(FileSystem::new(Volume::new(now, ""))))
    }

    /// Gives it a line (or, while a command runs, input for that).
    pub(super) fn enter(&mut self, line: &str, door: &mut dyn Door) {
        let machine = self.machine(door);
        machine.input(SINK, format!("{line}\n").as_bytes());
        self.told.prompt = None;
    }

    /// Runs up to now as long as `keep_going` says so; answers the exit code once the line has ended.
    pub(super) fn run(&mut self, door: &mut dyn Door, keep_going: &mut dyn FnMut() -> bool) -> Option<i32> {
        let now = sim_now(door);
        let Some(machine) = &mut self.machine else { return Some(127) };
        let mut outside = Outside { told: &mut self.told, door, now };
        machine.stir();
        // What floods the screen gets a smaller turn: only its end is kept.
        let mut next = Next::Now;
        for turn in 1..=BUDGET / TURN {
            next = machine.run(&mut outside, TURN).next;
            let written = || outside.told.written.iter().map(|(_, bytes)| bytes.len()).sum::<usize>();
            if next != Next::Now || turn.is_multiple_of(LOOK) && written() > FLOOD || !keep_going() {
                break;
            }
        }
        self.until = match next {
            Next::At(at) => Some(at),
            Next::Now | Next::Never => None,
        };
        if let Some(exit) = machine.exit_of(self.told.shell) {
            return Some(exit.code());
        }
        self.told.prompt.filter(|p| !p.more && next != Next::Now).map(|p| p.status)
    }

    /// Takes what has been written since: whether to standard error, and the bytes.
    pub(super) fn take_output(&mut self) -> Vec<(bool, Vec<u8>)> {
        std::mem::take(&mut self.told.written)
    }

    /// Takes back lines that were typed and that nothing has read.
    pub(super) fn take_input(&mut self) -> Vec<u8> {
        self.machine.as_mut().map(|m| m.take_input(SINK)).unwrap_or_default()
    }

    /// What it waits for.
    pub(super) fn wait(&self) -> Option<Wait> {
        let machine = self.machine.as_ref()?;
        let until = self.until.map(|at| podlab_api::time::time_nanos(at.as_nanos()));
        Some(Wait {
            until,
            change: machine.waits_outside(),
            input: machine.wants_input(SINK),
            ..Wait::default()
        })
    }

    /// Whether something runs in the background.
    pub(super) fn has_jobs(&self) -> bool {
        let shell = self.told.shell;
        self.machine.as_ref().is_some_and(|m| m.has_process(shell) && m.has_others(shell))
    }

    /// Ctrl C.
    pub(super) fn interrupt(&mut self) {
        if let Some(machine) = &mut self.machine {
            machine.take_input(SINK);
            machine.interrupt(SINK);
            self.told.prompt = None;
        }
    }

    /// Ctrl D.
    pub(super) fn end_input(&mut self) {
        if let Some(machine) = &mut self.machine {
            machine.end_of_file(SINK);
        }
    }

    /// The files that editors were called for, to be looked at.
    pub(super) fn open_edits(&self) -> &[Edit] {
        &self.told.edits
    }

    /// The files that editors were called for.
    pub(super) fn edits(&mut self) -> &mut Vec<Edit> {
        &mut self.told.edits
    }

    /// Brings what the page has changed to the machine: the learner's files, and files by their path.
    pub(super) fn put_files(
        &mut self,
        files: &Files,
        paths: &BTreeMap<String, Vec<u8>>,
        door: &mut dyn Door,
    ) {
        let now = sim_now(door);
        self.machine(door);
        let Some(machine) = &mut self.machine else { return };
        let root = &mut machine.fs_mut().root;
        for (path, bytes) in paths {
            if root.read_path(path).is_none_or(|before| *before != *bytes) {
                let _ = root.put_file(path, bytes, 0o600, now);
            }
        }
        let mirror = &mut self.mirror;
        for file in files.all() {
            if mirror.get(&file.name) == Some(&file.text) {
                continue;
            }
            let _ = root.put_file(&format!("{FOLDER}/{}", file.name), file.text.as_bytes(), 0o644, now);
            mirror.insert(file.name.clone(), file.text.clone());
        }
        let folder = root.lookup(FOLDER);
        mirror.retain(|name, _| {
            let kept = files.read(name).is_some();
            if let (false, Some(folder)) = (kept, folder) {
                let _ = root.remove(folder, name, now);
            }
            kept
        });
    }

    /// Brings what programs have changed to the page.
    pub(super) fn take_files(&mut self, files: &mut Files, paths: &mut BTreeMap<String, Vec<u8>>) {
        let Some(machine) = &self.machine else { return };
        let root = &machine.fs().root;
        for (path, bytes) in paths.iter_mut() {
            if let Some(now) = root.read_path(path).filter(|now| **now != *bytes) {
                bytes.clone_from(&now);
            }
        }
        let folder = root.lookup(FOLDER).and_then(|ino| root.get(ino)).map(|inode| &inode.kind);
        let Some(Kind::Dir(entries)) = folder else { return };
        for name in entries.keys().filter(|n| !n.starts_with('.')) {
            let Some(bytes) = root.read_path(&format!("{FOLDER}/{name}")) else { continue };
            if self.mirror.get(name.as_str()).is_some_and(|text| text.as_bytes() == bytes.as_slice()) {
                continue;
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            files.write(name, &text);
            self.mirror.insert(name.to_string(), text);
        }
        let gone: Vec<String> =
            self.mirror.keys().filter(|name| !entries.contains_key(name.as_str())).cloned().collect();
        for name in gone {
            self.mirror.remove(&name);
            if let Some(index) = files.all().iter().position(|f| f.name == name) {
                files.remove(index);
            }
        }
    }
}
