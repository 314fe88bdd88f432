//! Running the processes of containers.

use super::cri::{ContainerId, Notice};
use super::host::{ContainerHost, Written};
use super::{Runtime, RuntimeEvent};
use crate::event::Event;
use crate::world::Cx;
use podlab_shell::{Exit, Next};
use podlab_sim::{SimDuration, SimTime};

/// Steps that one turn of a container may take, so that no event takes long.
const BUDGET: u32 = 4_000;
/// The pause after a turn that used its budget up. The shell itself holds endless loops to a rate.
const NEXT_TURN: SimDuration = SimDuration::from_millis(1);

impl Runtime {
    /// Lets a container's processes run until all of them wait, and notes who has ended.
    pub(super) fn run_container(&mut self, id: &ContainerId, cx: &mut Cx<'_>) {
        let Some(container) = self.containers.get_mut(id) else { return };
        if !container.is_running() {
            return;
        }
        container.mark_cpu(cx.now());
        let limit = container.config.memory_limit;
        let Some(init) = container.init else { return };
        let Some(mut machine) = container.machine.take() else { return };
        let progress = self.with_host(id, cx, |host| machine.run(host, BUDGET));
        let mut ended = None;
        if let Some(exit) = machine.exit_of(init) {
            ended = Some(exit);
        } else if limit.is_some_and(|limit| machine.memory_bytes() > limit) {
            // The kernel kills the biggest process of the group, which in these containers is all of it.
            machine.kill_all();
            ended = Some(Exit::Signal(podlab_shell::Signal::KILL));
            if let Some(container) = self.containers.get_mut(id) {
                container.oom_killed = true;
            }
        }
        let Some(container) = self.containers.get_mut(id) else { return };
        let mut finished = Vec::new();
        for (token, exec) in container.execs.iter_mut().filter(|(_, e)| e.exit.is_none()) {
            let exit = machine.reap(exec.pid).or(ended.map(|_| Exit::Signal(podlab_shell::Signal::KILL)));
            if let Some(exit) = exit {
                exec.exit = Some((exit.code(), cx.now()));
                finished.push((*token, exec.notify, exec.forgotten));
            }
        }
        container.execs.retain(|_, e| !(e.forgotten && e.exit.is_some()));
        container.machine = Some(machine);
        let counts = ended.is_some() || container.uses() != container.counted || !container.writes.is_empty();
        let sandbox = container.sandbox.clone();
        for (token, notify, forgotten) in finished {
            if forgotten {
                self.execs.remove(&token);
            } else if notify && let Some(sandbox) = self.sandboxes.get(&sandbox) {
                let notice = Notice::ExecFinished {
                    node: sandbox.config.node.clone(),
                    pod_uid: sandbox.config.pod_uid.clone(),
                    token,
                };
                self.notify(notice, cx);
            }
        }
        match (ended, progress.next) {
            (Some(exit), _) => self.container_ended(id, exit.code(), cx),
            (None, Next::Now) => self.wake_at(id, cx.now() + NEXT_TURN, cx),
            (None, Next::At(at)) => self.wake_at(id, at, cx),
            (None, Next::Never) => {}
        }
        if counts {
            self.count_use(id, cx);
        }
    }

    /// Plans the container's next turn, unless an earlier one is planned.
    pub(super) fn wake_at(&mut self, id: &ContainerId, at: SimTime, cx: &mut Cx<'_>) {
        let Some(container) = self.containers.get_mut(id) else { return };
        let at = at.max(cx.now());
        if let Some(slot) = container.wake {
            if slot.at <= at {
                return;
            }
            cx.agenda.cancel(slot);
        }
        container.wake = Some(cx.at(at, Event::Runtime(RuntimeEvent::Run(id.clone()))));
    }

    /// Calls `act` with the view that a container has of the world, then hands out what was written. Known answers
    /// are forgotten, since anything may have changed.
    pub(super) fn with_host<R>(
        &mut self,
        id: &ContainerId,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut ContainerHost<'_>) -> R,
    ) -> R {
        self.changed(id);
        let (result, written) = self.hosted(id, cx, act);
        self.hand_out(written, cx.now());
        result
    }

    /// As [`Runtime::with_host`], but gives what was written instead of handing it out, and forgets nothing.
    pub(super) fn hosted<R>(
        &mut self,
        id: &ContainerId,
        cx: &mut Cx<'_>,
        act: impl FnOnce(&mut ContainerHost<'_>) -> R,
    ) -> (R, Vec<Written>) {
        let (now, seed) = (cx.now(), cx.settings.seed);
        let mut host = ContainerHost::new(self, id, cx.api, now, seed, 0);
        let result = act(&mut host);
        (result, host.finish())
    }

    /// Puts what processes wrote into logs and to those who run commands.
    pub(super) fn hand_out(&mut self, written: Vec<Written>, now: SimTime) {
        for (owner, sink, stream, bytes) in written {
            let Some(container) = self.containers.get_mut(&owner) else { continue };
            if sink == 0 {
                container.log.write(now, stream, &bytes);
            } else if let Some(exec) = container.execs.get_mut(&super::ExecToken(u64::from(sink))) {
                exec.write(stream, &bytes);
            }
        }
    }
}
