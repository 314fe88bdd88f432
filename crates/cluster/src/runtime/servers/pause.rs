//! Does nothing until it is told to end.

use podlab_shell::{Ctx, OnSignal, Program, Signal, Step, Wait};

#[derive(Clone, Debug)]
struct Pause;

pub(super) fn pause() -> Box<dyn Program> {
    Box::new(Pause)
}

impl Program for Pause {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let _ = ctx;
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(Pause)
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        match signal {
            Signal::TERM | Signal::INT => OnSignal::Exit(0),
            _ => OnSignal::Default,
        }
    }
}
