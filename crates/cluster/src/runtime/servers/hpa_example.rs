//! hpa-example: a page whose every request computes for a while, made to be autoscaled.

use super::text;
use podlab_shell::{Ctx, HttpRequest, HttpResponse, OnSignal, Program, Signal, Step, Wait};
use podlab_sim::SimDuration;

/// What a request takes: the sum of a million square roots in PHP.
const REQUEST: SimDuration = SimDuration::from_millis(40);

#[derive(Clone, Debug)]
struct HpaExample {
    started: bool,
}

pub(super) fn hpa_example() -> Box<dyn Program> {
    Box::new(HpaExample { started: false })
}

impl Program for HpaExample {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.started {
            self.started = true;
            let line =
                "AH00558: apache2: Could not reliably determine the server's fully qualified domain name";
            ctx.err(format!("{line}. Set the 'ServerName' directive globally to suppress this message\n"));
        }
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        11 << 20
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        super::ends_well(signal)
    }

    fn listening(&self) -> Vec<u16> {
        if self.started { vec![80] } else { Vec::new() }
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        ctx.spend(REQUEST);
        let time = super::log_time(ctx);
        ctx.out(format!(
            "- - - [{time}] \"{} {} HTTP/1.1\" 200 178 \"-\" \"-\"\n",
            request.method, request.path
        ));
        let mut answer = text(200, "OK", "text/html; charset=UTF-8", "OK!");
        answer.delay = REQUEST;
        Some(answer)
    }
}
