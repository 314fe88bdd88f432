//! Does nothing until it is told to end.

use podlab_shell::{Ctx, OnSignal, Program, Signal, Step, Wait};

/// What a part of the cluster itself takes while nobody asks anything of it: billionths of a CPU, and bytes.
const SYSTEM_CPU: u64 = 6_000_000;
const SYSTEM_MEMORY: u64 = 38 << 20;

#[derive(Clone, Debug)]
struct Pause {
    system: bool,
}

pub(super) fn pause() -> Box<dyn Program> {
    Box::new(Pause { system: false })
}

/// A part of the cluster itself (etcd, CoreDNS, kube-proxy, …), whose work is done outside of its container.
pub(super) fn system() -> Box<dyn Program> {
    Box::new(Pause { system: true })
}

impl Program for Pause {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let _ = ctx;
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        if self.system { SYSTEM_MEMORY } else { 700 << 10 }
    }

    fn background_cpu(&self) -> u64 {
        if self.system { SYSTEM_CPU } else { 0 }
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        super::ends_well(signal)
    }
}
