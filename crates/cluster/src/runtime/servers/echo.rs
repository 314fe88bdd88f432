//! hello-app and http-echo: one answer to everything.

use super::text;
use podlab_shell::{Ctx, HttpRequest, HttpResponse, OnSignal, Program, Signal, Step, Wait};

#[derive(Clone, Debug)]
struct Echo {
    port: u16,
    /// `None`: a greeting with the host name.
    body: Option<String>,
    started: bool,
    hello: String,
}

pub(super) fn hello_app() -> Box<dyn Program> {
    Box::new(Echo {
        port: 8080,
        body: None,
        started: false,
        hello: "Server listening on port 8080".to_owned(),
    })
}

pub(super) fn http_echo(args: &[String]) -> Box<dyn Program> {
    let mut port = 5678;
    let mut body = None;
    for (index, arg) in args.iter().enumerate() {
        let arg = arg.trim_start_matches('-');
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg, args.get(index + 1).cloned()),
        };
        match (name, value) {
            ("text", Some(text)) => body = Some(format!("{}\n", text.trim_matches('"'))),
            ("listen", Some(at)) => port = at.rsplit(':').next().and_then(|p| p.parse().ok()).unwrap_or(port),
            _ => {}
        }
    }
    let hello = format!("[INFO] server is listening on :{port}");
    Box::new(Echo {
        port,
        body: Some(body.unwrap_or_else(|| "hello-world\n".to_owned())),
        started: false,
        hello,
    })
}

impl Program for Echo {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if !self.started {
            self.started = true;
            let hello = format!("{}\n", self.hello);
            ctx.err(hello);
        }
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        6 << 20
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        match (&self.body, signal) {
            (Some(_), Signal::TERM | Signal::INT) => OnSignal::Exit(0),
            _ => OnSignal::Default,
        }
    }

    fn listening(&self) -> Vec<u16> {
        if self.started { vec![self.port] } else { Vec::new() }
    }

    fn repeatable(&self) -> bool {
        true
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        let body = match &self.body {
            Some(body) => body.clone(),
            None => {
                ctx.err(format!("Serving request: {}\n", request.path));
                format!("Hello, world!\nVersion: 1.0.0\nHostname: {}\n", ctx.host.hostname())
            }
        };
        Some(text(200, "OK", "text/plain; charset=utf-8", body))
    }
}
