//! The Node.js server of many a course: it says who it is, and takes no notice of TERM.

use super::{reason, text};
use podlab_shell::{Ctx, HttpRequest, HttpResponse, Program, Step, Wait};

const PORT: u16 = 8080;

#[derive(Clone, Debug)]
struct Kubia {
    unhealthy: bool,
    requests: u32,
    started: bool,
}

pub(super) fn kubia(unhealthy: bool) -> Box<dyn Program> {
    Box::new(Kubia { unhealthy, requests: 0, started: false })
}

impl Program for Kubia {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.started {
            if ctx.port_in_use(PORT) {
                ctx.err(format!("Error: listen EADDRINUSE: address already in use :::{PORT}\n"));
                return Step::Exit(1);
            }
            self.started = true;
            ctx.out("Kubia server starting...\n");
        }
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        30 << 20
    }

    fn listening(&self) -> Vec<u16> {
        if self.started { vec![PORT] } else { Vec::new() }
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        self.requests = self.requests.saturating_add(1);
        let from = request.client_address().to_owned();
        ctx.out(format!("Received request from ::ffff:{from}\n"));
        if self.unhealthy && self.requests > 5 {
            return Some(text(500, reason(500), "text/plain", "I'm not well. Please restart me!"));
        }
        let name = ctx.host.hostname();
        Some(text(200, "OK", "text/plain", format!("You've hit {name}\n")))
    }
}
