//! `pause`: waits for a signal and says which one it was.
//!
//! Source: test/images/agnhost/pause/pause.go (Kubernetes v1.37).

use podlab_shell::{Ctx, OnSignal, Program, Signal, Step, Wait};

#[derive(Clone, Debug, Default)]
struct Pause {
    started: bool,
    /// The signal that came, in Go's words, and the code that it ends with.
    told: Option<(&'static str, i32)>,
}

pub(super) fn pause() -> Box<dyn Program> {
    Box::new(Pause::default())
}

impl Program for Pause {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.started {
            self.started = true;
            ctx.out("Paused\nSignals registered\n");
        }
        let Some((signal, code)) = self.told else { return Step::Block(Wait::signal()) };
        let line = format!("exiting because of signal {signal:?}\n");
        let path = ctx.core.env_var("TERMINATION_MESSAGE_PATH").filter(|path| !path.is_empty());
        let path = path.unwrap_or("/dev/termination-log").to_owned();
        // As in the real one, what cannot be written is not told.
        let _ = ctx.write_file(&path, line.as_bytes(), false);
        ctx.out(line);
        Step::Exit(code)
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        10 << 20
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        match signal {
            Signal::INT => self.told = Some(("interrupt", 1)),
            Signal::TERM => self.told = Some(("terminated", 2)),
            _ => return OnSignal::Default,
        }
        OnSignal::Handled
    }
}
