//! Commands run in a container from outside: probes, hooks, `kubectl exec`.

use super::Runtime;
use super::container::Exec;
use super::cri::{ContainerId, ExecOutcome, ExecState, ExecToken};
use super::lifecycle::{credentials, exec_error};
use super::servers::Bundle;
use crate::world::Cx;
use podlab_shell::{Spawn, Stdin, Stream};

/// A probe's output is cut here.
///
/// Source: pkg/kubelet/prober/prober.go `maxProbeMessageLength` (v1.37).
const PROBE_OUTPUT: usize = 10 << 10;

/// What was written, stream by stream, in order.
pub type Written = Vec<(Stream, Vec<u8>)>;

impl Runtime {
    /// Runs a command in a container and waits for it.
    pub fn exec_sync(&mut self, id: &ContainerId, command: &[String], cx: &mut Cx<'_>) -> ExecState {
        match self.start_exec(id, command, Stdin::Null, true, cx) {
            Err(text) => ExecState::Failed(text),
            Ok(token) => match self.exec_done(token) {
                Some(outcome) => ExecState::Done(outcome),
                None => ExecState::Running(token),
            },
        }
    }

    /// Starts a command whose streams somebody reads.
    ///
    /// # Errors
    /// The runtime's text.
    pub fn exec_start(
        &mut self,
        id: &ContainerId,
        command: &[String],
        stdin: Stdin,
        cx: &mut Cx<'_>,
    ) -> Result<ExecToken, String> {
        self.start_exec(id, command, stdin, false, cx)
    }

    fn start_exec(
        &mut self,
        id: &ContainerId,
        command: &[String],
        stdin: Stdin,
        notify: bool,
        cx: &mut Cx<'_>,
    ) -> Result<ExecToken, String> {
        let Some(container) = self.containers.get_mut(id).filter(|c| c.is_running()) else {
            return Err(format!("container not running ({id})"));
        };
        let sandbox = self.sandboxes.get(&container.sandbox);
        let hostname = sandbox.map(|s| s.config.hostname.clone()).unwrap_or_default();
        // Sink 0 is the container's own output.
        self.next_exec = (self.next_exec + 1) & 0xffff_ffff;
        let token = ExecToken(self.next_exec);
        let config = &container.config;
        let spawn = Spawn {
            argv: command.to_vec(),
            env: Bundle::environment(&container.image, config, &hostname),
            cwd: config.working_dir.clone().unwrap_or_else(|| container.image.workdir.to_owned()),
            who: credentials(container),
            stdin,
            sink: u32::try_from(token.0).unwrap_or(u32::MAX),
        };
        container.execs.insert(token, Exec { notify: false, ..Exec::default() });
        self.execs.insert(token, id.clone());
        let now = cx.now();
        let container = self.containers.get_mut(id);
        let Some(mut machine) = container.and_then(|container| {
            container.mark_cpu(now);
            container.machine.take()
        }) else {
            return Err("the container is busy".to_owned());
        };
        let started = self.with_host(id, cx, |host| machine.spawn(host, spawn));
        if let Some(container) = self.containers.get_mut(id) {
            container.machine = Some(machine);
            match started {
                Ok(pid) => {
                    if let Some(exec) = container.execs.get_mut(&token) {
                        exec.pid = pid;
                    }
                    self.run_container(id, cx);
                    if let Some(exec) = self.containers.get_mut(id).and_then(|c| c.execs.get_mut(&token)) {
                        exec.notify = notify;
                    }
                    Ok(token)
                }
                Err(error) => {
                    container.execs.remove(&token);
                    self.execs.remove(&token);
                    let name = command.first().map(String::as_str).unwrap_or("");
                    Err(format!(
                        "OCI runtime exec failed: exec failed: unable to start container process: {}: unknown",
                        exec_error(error, name)
                    ))
                }
            }
        } else {
            Err("the container is gone".to_owned())
        }
    }

    fn exec_done(&mut self, token: ExecToken) -> Option<ExecOutcome> {
        let id = self.execs.get(&token)?;
        let container = self.containers.get_mut(id)?;
        let (exit_code, finished_at) = container.execs.get(&token)?.exit?;
        let exec = container.execs.remove(&token)?;
        self.execs.remove(&token);
        let mut output: Vec<u8> = exec.output.into_iter().flat_map(|(_, bytes)| bytes).collect();
        output.truncate(PROBE_OUTPUT);
        Some(ExecOutcome { exit_code, output, finished_at })
    }

    /// Takes the result of a command that has ended; `None` while it runs or where it is unknown.
    pub fn exec_result(&mut self, token: ExecToken) -> Option<ExecOutcome> {
        self.exec_done(token)
    }

    /// Gives up on a command: it runs on, its result is thrown away.
    pub fn exec_forget(&mut self, token: ExecToken) {
        let Some(container) = self.execs.get(&token).and_then(|id| self.containers.get_mut(id)) else {
            return;
        };
        match container.execs.get_mut(&token) {
            Some(exec) if exec.exit.is_none() => exec.forgotten = true,
            _ => {
                container.execs.remove(&token);
                self.execs.remove(&token);
            }
        }
    }

    /// What a command has written since it was last asked, stream by stream, and its exit code if it has ended.
    pub fn exec_read(&mut self, token: ExecToken) -> Option<(Written, Option<i32>)> {
        let container = self.execs.get(&token).and_then(|id| self.containers.get_mut(id))?;
        let exec = container.execs.get_mut(&token)?;
        Some((std::mem::take(&mut exec.output), exec.exit.map(|(code, _)| code)))
    }

    /// Gives bytes to a command's standard input.
    pub fn exec_input(&mut self, token: ExecToken, bytes: &[u8], cx: &mut Cx<'_>) {
        self.on_exec(token, cx, |machine, sink| machine.input(sink, bytes));
    }

    /// Ends a command's standard input.
    pub fn exec_eof(&mut self, token: ExecToken, cx: &mut Cx<'_>) {
        self.on_exec(token, cx, |machine, sink| machine.close_input(sink));
    }

    /// Ctrl C at a command's terminal.
    pub fn exec_interrupt(&mut self, token: ExecToken, cx: &mut Cx<'_>) {
        self.on_exec(token, cx, |machine, sink| machine.interrupt(sink));
    }

    fn on_exec(
        &mut self,
        token: ExecToken,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut podlab_shell::Machine, u32),
    ) {
        let Some(id) = self.execs.get(&token).cloned() else { return };
        let sink = u32::try_from(token.0).unwrap_or(u32::MAX);
        if let Some(machine) = self.containers.get_mut(&id).and_then(|c| c.machine.as_mut()) {
            act(machine, sink);
            self.wake_at(&id, cx.now(), cx);
        }
    }

    /// Gives bytes to the main process's standard input (`kubectl attach -i`).
    pub fn attach_input(&mut self, id: &ContainerId, bytes: &[u8], cx: &mut Cx<'_>) {
        if let Some(machine) = self.containers.get_mut(id).and_then(|c| c.machine.as_mut()) {
            machine.input(0, bytes);
            self.wake_at(id, cx.now(), cx);
        }
    }
}
