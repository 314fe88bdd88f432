//! The server that stands in for an image outside the catalogue. It says so in its log and in its answers.
//!
//! As it answers every HTTP request, so it says of every service that it serves, when it is asked over gRPC.

use super::text;
use podlab_shell::{Ctx, Health, HttpRequest, HttpResponse, OnSignal, Program, Signal, Step, Wait};

/// Ports on which such images usually listen.
const PORTS: [u16; 7] = [80, 3000, 5000, 8000, 8080, 9090, 50051];

#[derive(Clone, Debug)]
struct Generic {
    port: Option<u16>,
    started: bool,
}

pub(super) fn generic() -> Box<dyn Program> {
    Box::new(Generic { port: None, started: false })
}

impl Program for Generic {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.started {
            self.started = true;
            self.port = ctx.core.env_var("PORT").and_then(|p| p.parse().ok());
            ctx.out(
                "podlab does not know this image: simulated as a server that answers every HTTP request\n",
            );
        }
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        24 << 20
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        super::ends_well(signal)
    }

    fn listening(&self) -> Vec<u16> {
        match (self.started, self.port) {
            (false, _) => Vec::new(),
            (true, Some(port)) => vec![port],
            (true, None) => PORTS.to_vec(),
        }
    }

    fn repeatable(&self) -> bool {
        true
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        ctx.out(format!("{} {} 200\n", request.method, request.path));
        let body = format!("simulated by podlab: {}\n", ctx.host.hostname());
        Some(text(200, "OK", "text/plain; charset=utf-8", body))
    }

    fn health(&mut self, _: &mut Ctx<'_>, _: u16, _: &str) -> Option<Health> {
        Some(Health::Serving)
    }
}
