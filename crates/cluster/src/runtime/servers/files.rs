//! nginx, httpd and Python's http.server: they show files.

use super::{header, log_time, path_of, reason, text};
use podlab_shell::{Ctx, HttpRequest, HttpResponse, OnSignal, Program, Signal, Step, Wait};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavour {
    Nginx,
    Httpd,
    Python,
}

#[derive(Clone, Debug)]
struct FileServer {
    flavour: Flavour,
    root: String,
    port: u16,
    started: bool,
    /// How often it has asked for its port and not got it.
    tries: u32,
    /// What is wrong with the arguments; said, then the end.
    refusal: Option<String>,
}

pub(super) fn nginx(args: &[String]) -> Box<dyn Program> {
    let mut refusal = None;
    let mut words = args.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-g" | "-c" | "-p" | "-e" => {
                words.next();
            }
            "-v" | "-V" => refusal = Some("nginx version: nginx/1.27.5".to_owned()),
            "-t" => {
                refusal =
                    Some("nginx: configuration file /etc/nginx/nginx.conf test is successful".to_owned())
            }
            "-s" => refusal = Some(String::new()),
            other => refusal = Some(format!("nginx: invalid option: {other:?}")),
        }
    }
    Box::new(FileServer {
        flavour: Flavour::Nginx,
        root: "/usr/share/nginx/html".to_owned(),
        port: 80,
        started: false,
        tries: 0,
        refusal,
    })
}

pub(super) fn httpd() -> Box<dyn Program> {
    Box::new(FileServer {
        flavour: Flavour::Httpd,
        root: "/usr/local/apache2/htdocs".to_owned(),
        port: 80,
        started: false,
        tries: 0,
        refusal: None,
    })
}

pub(super) fn python_http_server(args: &[String]) -> Box<dyn Program> {
    let port = args.iter().find_map(|a| a.parse().ok()).unwrap_or(8000);
    Box::new(FileServer {
        flavour: Flavour::Python,
        root: ".".to_owned(),
        port,
        started: false,
        tries: 0,
        refusal: None,
    })
}

/// How often nginx asks for a port, and how long it waits in between.
///
/// Source: nginx's src/core/ngx_connection.c `ngx_open_listening_sockets`.
const TRIES: u32 = 5;
const NEXT_TRY: Duration = Duration::from_millis(500);

impl FileServer {
    /// The port is somebody else's, or was when it was last asked for: what the server makes of that; `None` once it has it.
    fn ask_again(&mut self, ctx: &mut Ctx<'_>) -> Option<Step> {
        let port = self.port;
        let now = podlab_api::time::time_nanos(ctx.now().as_nanos());
        match self.flavour {
            Flavour::Nginx => {
                let at = now.strftime("%Y/%m/%d %H:%M:%S").to_string();
                let fails = |ctx: &mut Ctx<'_>, text: &str| {
                    ctx.err(format!("{at} [emerg] 1#1: {text}\nnginx: [emerg] {text}\n"));
                };
                if self.tries == TRIES {
                    fails(ctx, "still could not bind()");
                    return Some(Step::Exit(1));
                }
                if !ctx.port_in_use(port) {
                    return None;
                }
                self.tries += 1;
                fails(ctx, &format!("bind() to 0.0.0.0:{port} failed (98: Address already in use)"));
                ctx.err(format!("{at} [notice] 1#1: try again to bind() after 500ms\n"));
                return Some(Step::Block(Wait::until(ctx.now() + NEXT_TRY)));
            }
            Flavour::Httpd => ctx.err(format!(
                "(98)Address already in use: AH00072: make_sock: could not bind to address 0.0.0.0:{port}\n\
                 no listening sockets available, shutting down\nAH00015: Unable to open logs\n"
            )),
            Flavour::Python => ctx.err("OSError: [Errno 98] Address already in use\n"),
        }
        Some(Step::Exit(1))
    }

    fn announce(&self, ctx: &mut Ctx<'_>) {
        match self.flavour {
            Flavour::Nginx => {
                let at = podlab_api::time::time_nanos(ctx.now().as_nanos())
                    .strftime("%Y/%m/%d %H:%M:%S")
                    .to_string();
                ctx.err(format!(
                    "{at} [notice] 1#1: using the \"epoll\" event method\n\
                     {at} [notice] 1#1: nginx/1.27.5\n{at} [notice] 1#1: start worker processes\n\
                     {at} [notice] 1#1: start worker process 29\n"
                ));
            }
            Flavour::Httpd => {
                let now = podlab_api::time::time_nanos(ctx.now().as_nanos());
                let at = now.strftime("%a %b %d %H:%M:%S.000000 %Y").to_string();
                ctx.err(format!(
                    "[{at}] [mpm_event:notice] [pid 1:tid 1] AH00489: Apache/2.4.65 (Unix) configured -- resuming normal operations\n\
                     [{at}] [core:notice] [pid 1:tid 1] AH00094: Command line: 'httpd -D FOREGROUND'\n"
                ));
            }
            Flavour::Python => {
                let port = self.port;
                ctx.out(format!("Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...\n"));
            }
        }
    }
}

impl Program for FileServer {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if let Some(text) = self.refusal.take() {
            if !text.is_empty() {
                ctx.err(format!("{text}\n"));
            }
            return Step::Exit(i32::from(text.contains("invalid")));
        }
        if !self.started {
            if (self.tries > 0 || ctx.port_in_use(self.port))
                && let Some(step) = self.ask_again(ctx)
            {
                return step;
            }
            self.started = true;
            if self.flavour == Flavour::Python {
                self.root = ctx.absolute(".");
            }
            self.announce(ctx);
        }
        Step::Block(Wait::signal())
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        match self.flavour {
            Flavour::Nginx => 4 << 20,
            Flavour::Httpd => 8 << 20,
            Flavour::Python => 12 << 20,
        }
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        match (self.flavour, signal) {
            (Flavour::Nginx, Signal::TERM | Signal::INT | Signal::QUIT) => OnSignal::Exit(0),
            // WINCH is httpd's graceful stop.
            (Flavour::Httpd, Signal::TERM | Signal::INT | Signal(28)) => OnSignal::Exit(0),
            (Flavour::Nginx | Flavour::Httpd, Signal::HUP | Signal(10)) => OnSignal::Handled,
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
        let wanted = path_of(request);
        // Dots that would climb out of the folder are dropped, as servers do.
        let clean: Vec<&str> =
            wanted.split('/').filter(|p| !p.is_empty() && *p != "." && *p != "..").collect();
        let mut path = format!("{}/{}", self.root, clean.join("/"));
        let mut status = 200;
        if !ctx.exists(&path) {
            status = 404;
        } else if ctx.is_dir(&path) {
            let index = format!("{}/index.html", path.trim_end_matches('/'));
            if ctx.exists(&index) {
                path = index;
            } else {
                status = if self.flavour == Flavour::Nginx { 403 } else { 404 };
            }
        }
        let name = match self.flavour {
            Flavour::Nginx => "nginx/1.27.5",
            Flavour::Httpd => "Apache/2.4.65 (Unix)",
            Flavour::Python => "SimpleHTTP/0.6 Python/3.13.7",
        };
        let body = if status == 200 {
            match ctx.read_file(&path) {
                Ok(body) => body,
                Err(_) => {
                    status = 403;
                    Vec::new()
                }
            }
        } else {
            Vec::new()
        };
        let body = if status == 200 {
            body
        } else {
            format!(
                "<html>\r\n<head><title>{status} {0}</title></head>\r\n<body>\r\n<center><h1>{status} {0}</h1></center>\r\n\
                 <hr><center>{name}</center>\r\n</body>\r\n</html>\r\n",
                reason(status)
            )
            .into_bytes()
        };
        let kind = match path.rsplit('.').next() {
            Some("json") if status == 200 => "application/json",
            Some("txt") if status == 200 => "text/plain",
            Some("css") if status == 200 => "text/css",
            _ => "text/html",
        };
        let size = body.len();
        let agent = header(request, "User-Agent").unwrap_or("-");
        let at = log_time(ctx);
        ctx.out(format!(
            "{} - - [{at}] \"{} {} HTTP/1.1\" {status} {size} \"-\" \"{agent}\"\n",
            request.client_address(),
            request.method,
            request.path
        ));
        let mut answer = text(status, reason(status), kind, body);
        answer.headers.insert(0, ("Server".to_owned(), name.to_owned()));
        if request.method == "HEAD" {
            answer.body.clear();
        }
        Some(answer)
    }
}
