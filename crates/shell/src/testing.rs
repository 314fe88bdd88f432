//! A host in memory, for tests: `run(script)` and what it printed.

use crate::fs::{FileSystem, Volume, Volumes};
use crate::host::{DnsAnswer, Host, HttpRequest, HttpResponse, NetError, Stream};
use crate::machine::{Machine, Next, Spawn};
use crate::process::{Pid, Program};
use podlab_sim::{SimDuration, SimTime, splitmix64};
use std::collections::BTreeMap;

/// A world with volumes, one made-up web server and no other machines.
#[derive(Clone, Debug)]
pub struct TestHost {
    /// The virtual time.
    pub now: SimTime,
    /// What was written: (when, sink, stream, bytes).
    pub written: Vec<(SimTime, u32, Stream, Vec<u8>)>,
    /// Volumes by id.
    pub volumes: BTreeMap<String, Volume>,
    /// Answers by `host:port/path`, host and port as asked for.
    pub pages: BTreeMap<String, HttpResponse>,
    /// Addresses by name.
    pub names: BTreeMap<String, Vec<String>>,
    draws: u64,
}

impl Default for TestHost {
    fn default() -> Self {
        TestHost {
            now: SimTime::START,
            written: Vec::new(),
            volumes: BTreeMap::new(),
            pages: BTreeMap::new(),
            names: BTreeMap::from([("localhost".to_owned(), vec!["127.0.0.1".to_owned()])]),
            draws: 0,
        }
    }
}

impl TestHost {
    /// Everything written to one stream.
    pub fn text(&self, stream: Stream) -> String {
        let bytes: Vec<u8> =
            self.written.iter().filter(|w| w.2 == stream).flat_map(|w| w.3.iter().copied()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Volumes for TestHost {
    fn volume(&self, id: &str) -> Option<&Volume> {
        self.volumes.get(id)
    }
    fn volume_mut(&mut self, id: &str) -> Option<&mut Volume> {
        self.volumes.get_mut(id)
    }
}

impl Host for TestHost {
    fn now(&self) -> SimTime {
        self.now
    }
    fn output(&mut self, id: u32, stream: Stream, bytes: &[u8]) {
        self.written.push((self.now, id, stream, bytes.to_vec()));
    }
    fn hostname(&self) -> String {
        "box".to_owned()
    }
    fn http(&mut self, request: &HttpRequest) -> Result<HttpResponse, NetError> {
        let key = format!("{}:{}{}", request.host, request.port, request.path);
        self.pages.get(&key).cloned().ok_or(
            if self.names.contains_key(&request.host) || request.host.starts_with("10.") {
                NetError::ConnectionRefused
            } else {
                NetError::NameNotFound
            },
        )
    }
    fn connect(&mut self, host: &str, port: u16, _udp: bool) -> Result<(), NetError> {
        let prefix = format!("{host}:{port}/");
        if self.pages.keys().any(|k| k.starts_with(&prefix)) {
            Ok(())
        } else {
            Err(NetError::ConnectionRefused)
        }
    }
    fn resolve(&mut self, name: &str) -> Result<DnsAnswer, NetError> {
        let addresses = self.names.get(name).cloned().ok_or(NetError::NameNotFound)?;
        Ok(DnsAnswer { name: name.to_owned(), addresses })
    }
    fn program(&mut self, _name: &str, _argv: &[String]) -> Option<Box<dyn Program>> {
        None
    }
    fn random(&mut self) -> u64 {
        self.draws += 1;
        splitmix64(self.draws)
    }
}

/// What a script did.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit code; -1 where it did not end.
    pub code: i32,
    /// Virtual seconds it took.
    pub seconds: f64,
}

/// Runs `sh -c script` in a busybox image.
pub fn run(script: &str) -> Outcome {
    run_argv(crate::busybox(SimTime::START), &["sh", "-c", script])
}

/// Runs `sh -c script` in a Debian image (dash).
pub fn run_dash(script: &str) -> Outcome {
    run_argv(crate::debian(SimTime::START), &["dash", "-c", script])
}

/// Runs `bash -c script` in a Debian image.
pub fn run_bash(script: &str) -> Outcome {
    run_argv(crate::debian(SimTime::START), &["bash", "-c", script])
}

/// Runs a command in an image until it ends or an hour of virtual time is over.
pub fn run_argv(root: Volume, argv: &[&str]) -> Outcome {
    let mut host = TestHost::default();
    let mut machine = Machine::new(FileSystem::new(root));
    let Ok(pid) = machine.spawn(&mut host, Spawn::new(argv, 1)) else {
        return Outcome { stdout: String::new(), stderr: "not started".to_owned(), code: -1, seconds: 0.0 };
    };
    let code = run_to_end(&mut machine, &mut host, pid, SimDuration::from_secs(3600));
    Outcome {
        stdout: host.text(Stream::Stdout),
        stderr: host.text(Stream::Stderr),
        code,
        seconds: host.now.since(SimTime::START).as_secs_f64(),
    }
}

/// Runs a machine until `pid` ends; its code, or -1 after `limit` of virtual time or where it waits for ever.
pub fn run_to_end(machine: &mut Machine, host: &mut TestHost, pid: Pid, limit: SimDuration) -> i32 {
    let end = host.now + limit;
    loop {
        let progress = machine.run(host, 100_000);
        if let Some(exit) = machine.exit_of(pid) {
            return exit.code();
        }
        match progress.next {
            Next::Now => {}
            Next::At(at) if at <= end => host.now = at.max(host.now),
            _ => return -1,
        }
    }
}
