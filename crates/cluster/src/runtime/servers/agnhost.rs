//! Kubernetes' test image: `pause`, `netexec`, `liveness`, `serve-hostname` and other sub-commands.

use super::{path_of, reason, text};
use podlab_shell::{Ctx, HttpRequest, HttpResponse, OnSignal, Program, Signal, Step, Wait};
use podlab_sim::{SimDuration, SimTime};

#[derive(Clone, Debug)]
struct Agnhost {
    command: String,
    port: u16,
    start_delay: SimDuration,
    began: Option<SimTime>,
    listening: bool,
}

pub(super) fn agnhost(args: &[String]) -> Box<dyn Program> {
    let command = args.first().cloned().unwrap_or_else(|| "pause".to_owned());
    let mut port = if command == "serve-hostname" { 9376 } else { 8080 };
    let mut start_delay = SimDuration::ZERO;
    for arg in args.iter().skip(1) {
        let number = |prefix: &str| arg.strip_prefix(prefix).and_then(|v| v.parse::<u64>().ok());
        if let Some(p) = number("--http-port=").or(number("--port=")) {
            port = u16::try_from(p).unwrap_or(port);
        }
        if let Some(seconds) = number("--start-delay=") {
            start_delay = SimDuration::from_secs(seconds.min(86_400));
        }
    }
    Box::new(Agnhost { command, port, start_delay, began: None, listening: false })
}

impl Program for Agnhost {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let now = ctx.now();
        let began = *self.began.get_or_insert(now);
        match self.command.as_str() {
            "pause" => return Step::Block(Wait::signal()),
            "netexec" | "liveness" | "serve-hostname" | "test-webserver" => {}
            other => {
                let line =
                    format!("Error: unknown command {other:?} for \"app\"\nRun 'app --help' for usage.\n");
                ctx.err(line);
                return Step::Exit(1);
            }
        }
        if now < began + self.start_delay {
            return Step::Block(Wait::until(began + self.start_delay));
        }
        if !self.listening {
            self.listening = true;
            if self.command == "netexec" {
                ctx.err(format!("Started HTTP server on port {}\n", self.port));
            }
        }
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        10 << 20
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        match (self.command.as_str(), signal) {
            ("pause", Signal::TERM | Signal::INT) => OnSignal::Exit(0),
            _ => OnSignal::Default,
        }
    }

    fn listening(&self) -> Vec<u16> {
        if self.listening { vec![self.port] } else { Vec::new() }
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        let age = ctx.now().since(self.began.unwrap_or_default());
        let plain = "text/plain; charset=utf-8";
        if self.command == "serve-hostname" {
            return Some(text(200, "OK", plain, ctx.host.hostname()));
        }
        Some(match (path_of(request), self.command.as_str()) {
            // Healthy for ten seconds: the example of the Kubernetes docs.
            ("/healthz", "liveness") if age > SimDuration::from_secs(10) => {
                text(500, reason(500), plain, format!("error: {}", age.as_secs_f64()))
            }
            ("/healthz", _) => text(200, "OK", plain, "ok"),
            ("/hostname" | "/hostName", _) => text(200, "OK", plain, ctx.host.hostname()),
            ("/redirect", _) => {
                let mut answer = text(302, reason(302), plain, "");
                answer.headers.push(("Location".to_owned(), "/".to_owned()));
                answer
            }
            ("/slow", _) => {
                let mut answer = text(200, "OK", plain, "ok\n");
                answer.delay = SimDuration::from_secs(5);
                answer
            }
            _ => {
                let now = podlab_api::time::time_nanos(ctx.now().as_nanos());
                text(200, "OK", plain, format!("NOW: {} UTC\n", now.strftime("%Y-%m-%d %H:%M:%S +0000")))
            }
        })
    }
}
