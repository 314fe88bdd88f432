//! bash and its tools in the terminal, over the learner's files, on virtual time.

use super::files::Files;
use podlab_kubectl::Wait;
use podlab_shell::{FileSystem, Host, Machine, Next, Pid, Spawn, Stdin, Stream, Volume, Volumes, debian};
use podlab_sim::{SimTime, splitmix64};

/// The folder that holds the learner's files.
const FOLDER: &str = "/root";
/// The sink of the one process.
const SINK: u32 = 1;
/// Steps that one call of [`ShellRun::run`] may take.
const BUDGET: u32 = 50_000;
/// How many of them are taken before its output is looked at.
const TURN: u32 = 64;
/// So many bytes written end a call.
const FLOOD: usize = 256 << 10;

/// What the machine asks of the world.
#[derive(Clone, Debug)]
struct World {
    now: SimTime,
    written: Vec<(bool, Vec<u8>)>,
    draws: u64,
}

impl Volumes for World {
    fn volume(&self, _id: &str) -> Option<&Volume> {
        None
    }

    fn volume_mut(&mut self, _id: &str) -> Option<&mut Volume> {
        None
    }
}

impl Host for World {
    fn now(&self) -> SimTime {
        self.now
    }

    fn output(&mut self, _id: u32, stream: Stream, bytes: &[u8]) {
        self.written.push((stream == Stream::Stderr, bytes.to_vec()));
    }

    fn hostname(&self) -> String {
        "controlplane".to_owned()
    }

    fn random(&mut self) -> u64 {
        self.draws += 1;
        splitmix64(self.draws ^ u64::try_from(self.now.as_nanos()).unwrap_or(0))
    }
}

/// A text that bash runs.
#[derive(Clone, Debug)]
pub(super) struct ShellRun {
    machine: Machine,
    world: World,
    pid: Option<Pid>,
    until: Option<SimTime>,
    reads: bool,
}

impl ShellRun {
    /// Starts bash. Without `stdin` it reads what is typed. `now`: nanoseconds of virtual time.
    pub(super) fn new(text: &str, stdin: Option<&[u8]>, files: &Files, now: i64) -> ShellRun {
        let now = SimTime::from_nanos(now);
        let mut root = debian(now);
        for file in files.all() {
            let _ = root.put_file(&format!("{FOLDER}/{}", file.name), file.text.as_bytes(), 0o644, now);
        }
        let mut world = World { now, written: Vec::new(), draws: 0 };
        let mut machine = Machine::new(FileSystem::new(root));
        let spawn =
            Spawn { cwd: FOLDER.to_owned(), stdin: Stdin::Pipe, ..Spawn::new(&["bash", "-c", text], SINK) };
        let pid = machine.spawn(&mut world, spawn).ok();
        if let Some(stdin) = stdin {
            machine.input(SINK, stdin);
            machine.close_input(SINK);
        }
        ShellRun { machine, world, pid, until: None, reads: false }
    }

    /// Runs up to `now` (nanoseconds of virtual time); answers the exit code once it has ended. The learner's files are
    /// what the program has made of them then.
    pub(super) fn run(&mut self, now: i64, files: &mut Files) -> Option<i32> {
        let Some(pid) = self.pid else { return Some(127) };
        self.world.now = SimTime::from_nanos(now).max(self.world.now);
        // What floods the screen gets a smaller turn: only its end is kept.
        let mut progress = self.machine.run(&mut self.world, TURN);
        for _ in 1..BUDGET / TURN {
            let written: usize = self.world.written.iter().map(|(_, bytes)| bytes.len()).sum();
            if !matches!(progress.next, Next::Now) || written > FLOOD {
                break;
            }
            progress = self.machine.run(&mut self.world, TURN);
        }
        self.until = match progress.next {
            Next::At(at) => Some(at),
            Next::Now | Next::Never => None,
        };
        self.reads = self.machine.wants_input(SINK);
        let code = self.machine.exit_of(pid)?.code();
        self.keep_files(files);
        Some(code)
    }

    /// Takes what has been written since: whether to standard error, and the bytes.
    pub(super) fn take_output(&mut self) -> Vec<(bool, Vec<u8>)> {
        std::mem::take(&mut self.world.written)
    }

    /// What it waits for.
    pub(super) fn wait(&self) -> Option<Wait> {
        let until = self.until.map(|at| podlab_api::time::time_nanos(at.as_nanos()));
        Some(Wait { until, change: false, input: self.reads })
    }

    /// What is typed.
    pub(super) fn input(&mut self, bytes: &[u8]) {
        self.machine.input(SINK, bytes);
    }

    /// Ctrl D.
    pub(super) fn close_input(&mut self) {
        self.machine.close_input(SINK);
    }

    /// Ctrl C: the line is given up at once, whatever its programs wait for.
    pub(super) fn interrupt(&mut self, files: &mut Files) {
        self.keep_files(files);
        self.pid = None;
    }

    fn keep_files(&self, files: &mut Files) {
        let Some(volume) = self.machine.fs().volume(&self.world, 0) else { return };
        let Some(folder) = volume.lookup(FOLDER) else { return };
        let Some(podlab_shell::Kind::Dir(entries)) = volume.get(folder).map(|i| &i.kind) else { return };
        for name in entries.keys().filter(|n| !n.starts_with('.')) {
            if let Some(bytes) = volume.read_path(&format!("{FOLDER}/{name}")) {
                let text = String::from_utf8_lossy(&bytes);
                if files.read(name) != Some(&*text) {
                    files.write(name, &text);
                }
            }
        }
        let gone: Vec<String> = files
            .all()
            .iter()
            .map(|f| f.name.clone())
            .filter(|name| !entries.contains_key(name.as_str()))
            .collect();
        for name in gone {
            if let Some(index) = files.all().iter().position(|f| f.name == name) {
                files.remove(index);
            }
        }
    }
}
