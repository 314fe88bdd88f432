//! The sub-commands that answer HTTP requests, and the one that answers gRPC's health service.
//!
//! Source: test/images/agnhost/{grpc-health-checking,liveness,netexec,porter,serve-hostname,test-webserver} (Kubernetes
//! v1.37).

use super::flags::Flags;
use crate::runtime::servers::{header, path_of, reason, text};
use podlab_api::duration::go_duration;
use podlab_shell::{Ctx, Health, HttpRequest, HttpResponse, NetError, OnSignal, Program, Signal, Step, Wait};
use podlab_sim::{SimDuration, SimTime};
use serde_json::{Map, Value, json};

const PLAIN: &str = "text/plain; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
/// How long a shutting down `serve-hostname` waits for its pod's end.
const AWAIT_DELETION: SimDuration = SimDuration::from_secs(60);
/// How long `/slow` takes.
const SLOW: SimDuration = SimDuration::from_secs(5);
/// Most requests that one `/dial` makes.
const MOST_TRIES: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    GrpcHealthChecking,
    Liveness,
    Netexec,
    Porter,
    ServeHostname,
    TestWebserver,
}

#[derive(Clone, Debug)]
struct Web {
    command: Command,
    flags: Flags,
    began: Option<SimTime>,
    /// It has begun to listen.
    started: bool,
    /// The ports that it listens on, with what `porter` says on each.
    ports: Vec<(u16, String)>,
    /// What `grpc-health-checking` was last told to be, over HTTP.
    told_to_serve: Option<bool>,
    /// TERM has come.
    told_to_end: bool,
    /// When it ends for that.
    ends: Option<SimTime>,
}

/// The server of a sub-command; `None` where it is none.
pub(super) fn server(command: &str, flags: Flags) -> Option<Box<dyn Program>> {
    let command = match command {
        "grpc-health-checking" => Command::GrpcHealthChecking,
        "liveness" => Command::Liveness,
        "netexec" => Command::Netexec,
        "porter" => Command::Porter,
        "serve-hostname" => Command::ServeHostname,
        "test-webserver" => Command::TestWebserver,
        _ => return None,
    };
    Some(Box::new(Web {
        command,
        flags,
        began: None,
        started: false,
        ports: Vec::new(),
        told_to_serve: None,
        told_to_end: false,
        ends: None,
    }))
}

impl Web {
    /// How long it takes to listen.
    fn start_delay(&self) -> SimDuration {
        let seconds = self.flags.number("start-delay").unwrap_or(0);
        SimDuration::from_secs(seconds.clamp(0, 86_400).unsigned_abs())
    }

    /// Begins to listen.
    fn start(&mut self, ctx: &mut Ctx<'_>) {
        let port = match self.command {
            Command::GrpcHealthChecking => {
                let (http, grpc) = (self.flags.port("http-port", 8080), self.flags.port("port", 5000));
                log(ctx, &format!("Http server starting to listen on :{http}"));
                log(ctx, &format!("gRPC server starting to listen on :{grpc}"));
                self.ports = vec![(http, String::new()), (grpc, String::new())];
                return;
            }
            Command::Liveness => 8080,
            Command::Netexec => self.flags.port("http-port", 8080),
            Command::ServeHostname => self.flags.port("port", 9376),
            Command::TestWebserver => self.flags.port("port", 80),
            Command::Porter => {
                self.ports = served(ctx);
                return;
            }
        };
        self.ports.push((port, String::new()));
        match self.command {
            Command::Netexec => log(ctx, &format!("Started HTTP server on port {port}")),
            Command::ServeHostname => log(ctx, &format!("Serving on port {port}.")),
            _ => {}
        }
    }

    fn netexec(&self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> HttpResponse {
        let form = |key: &str| form_value(request, key);
        match path_of(request) {
            "/clientip" => {
                log(ctx, "GET /clientip");
                text(200, "OK", PLAIN, remote_address(request))
            }
            "/serverport" => {
                log(ctx, "GET /serverport");
                text(200, "OK", PLAIN, self.flags.port("http-port", 8080).to_string())
            }
            "/echo" => {
                let (msg, code) = (form("msg"), form("code"));
                log(ctx, &format!("GET /echo?msg={msg}&code={code}"));
                match code.parse::<u16>() {
                    Ok(code) => text(code, reason(code), PLAIN, msg),
                    Err(_) if code.is_empty() => text(200, "OK", PLAIN, msg),
                    Err(_) => {
                        let said = format!("argument 'code' must be an integer or empty, got {code:?}\n");
                        text(200, "OK", PLAIN, said)
                    }
                }
            }
            "/envvar" => {
                let name = form("var");
                if name.is_empty() {
                    return text(400, reason(400), PLAIN, "'var' query parameter is required\n");
                }
                log(ctx, &format!("GET /envvar?var={name}"));
                match ctx.core.env_var(&name) {
                    Some(value) => text(200, "OK", PLAIN, value),
                    None => text(500, reason(500), PLAIN, format!("env var {name:?} is not set\n")),
                }
            }
            "/header" => {
                let key = form("key");
                if !key.is_empty() {
                    log(ctx, &format!("GET /header?key={key}"));
                    return text(200, "OK", PLAIN, header(request, &key).unwrap_or(""));
                }
                log(ctx, "GET /header");
                let all: Map<String, Value> =
                    request.headers.iter().map(|(name, value)| (canonical(name), json!([value]))).collect();
                text(200, "OK", PLAIN, Value::Object(all).to_string())
            }
            "/healthz" => {
                log(ctx, "GET /healthz");
                text(200, "OK", PLAIN, "")
            }
            "/readyz" => {
                log(ctx, "GET /readyz");
                match self.told_to_end {
                    true => text(503, reason(503), PLAIN, "shutting down"),
                    false => text(200, "OK", PLAIN, "ok"),
                }
            }
            path @ ("/hostname" | "/hostName") => {
                log(ctx, &format!("GET {path}"));
                text(200, "OK", PLAIN, ctx.host.hostname())
            }
            "/redirect" => {
                let (location, code) = (form("location"), form("code"));
                log(ctx, &format!("{} /redirect?msg={location}&code={code}", request.method));
                redirect(&location, code.parse().unwrap_or(302))
            }
            "/dial" => dial(ctx, request),
            "/slow" => {
                let mut answer = text(200, "OK", PLAIN, "ok\n");
                answer.delay = SLOW;
                answer
            }
            "/exit" | "/shell" | "/shutdown" | "/upload" => {
                text(501, "Not Implemented", PLAIN, "this endpoint is not simulated\n")
            }
            _ => {
                log(ctx, "GET /");
                let now = podlab_api::time::time_nanos(ctx.now().as_nanos());
                let now = now.strftime("%Y-%m-%d %H:%M:%S.%N +0000 UTC").to_string();
                text(200, "OK", PLAIN, format!("NOW: {now}"))
            }
        }
    }

    fn liveness(&self, ctx: &Ctx<'_>, request: &HttpRequest) -> HttpResponse {
        let age = ctx.now().since(self.began.unwrap_or_default());
        match path_of(request) {
            "/started" => text(200, "OK", PLAIN, format!("{}s", age.as_secs_f64())),
            "/healthz" if age > SimDuration::from_secs(10) => {
                text(500, reason(500), PLAIN, format!("error: {}", age.as_secs_f64()))
            }
            "/healthz" => text(200, "OK", PLAIN, "ok"),
            "/redirect" => redirect(&form_value(request, "loc"), 302),
            _ => not_found(),
        }
    }
}

impl Web {
    /// Whether it counts as well from now on.
    fn told_to_serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> HttpResponse {
        let serves = match path_of(request) {
            "/make-serving" => true,
            "/make-not-serving" => false,
            _ => return not_found(),
        };
        log(ctx, if serves { "Mark as healthy" } else { "Mark as unhealthy" });
        self.told_to_serve = Some(serves);
        let age = ctx.now().since(self.began.unwrap_or_default()).as_nanos();
        text(200, "OK", PLAIN, go_duration(i64::try_from(age).unwrap_or(i64::MAX)))
    }
}

impl Program for Web {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let now = ctx.now();
        let listens_at = *self.began.get_or_insert(now) + self.start_delay();
        if !self.told_to_end && now < listens_at {
            return Step::Block(Wait::until(listens_at));
        }
        if !self.started {
            self.started = true;
            self.start(ctx);
        }
        if !self.told_to_end {
            return Step::Block(Wait::signal());
        }
        let ends = match self.ends {
            Some(ends) => ends,
            None => {
                let wait = if self.command == Command::ServeHostname {
                    log(ctx, "Shutting down after receiving signal: terminated.");
                    log(ctx, "Awaiting pod deletion.");
                    AWAIT_DELETION
                } else {
                    let seconds = self.flags.number("delay-shutdown").unwrap_or(0).clamp(0, 86_400);
                    if seconds > 0 {
                        log(ctx, &format!("Sleeping {seconds} seconds before terminating..."));
                    }
                    SimDuration::from_secs(seconds.unsigned_abs())
                };
                *self.ends.insert(now + wait)
            }
        };
        match now >= ends {
            true => Step::Exit(0),
            false => Step::Block(Wait::until(ends)),
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        10 << 20
    }

    fn on_signal(&mut self, signal: Signal) -> OnSignal {
        match (self.command, signal) {
            (Command::Netexec | Command::ServeHostname, Signal::TERM) => {
                self.told_to_end = true;
                OnSignal::Handled
            }
            _ => OnSignal::Default,
        }
    }

    fn listening(&self) -> Vec<u16> {
        self.ports.iter().map(|(port, _)| *port).collect()
    }

    fn repeatable(&self) -> bool {
        self.command == Command::TestWebserver
    }

    fn serve(&mut self, ctx: &mut Ctx<'_>, request: &HttpRequest) -> Option<HttpResponse> {
        Some(match self.command {
            Command::Netexec => self.netexec(ctx, request),
            // The port of the other protocol has no answer to this one.
            Command::GrpcHealthChecking if request.port == self.flags.port("port", 5000) => return None,
            Command::GrpcHealthChecking => self.told_to_serve(ctx, request),
            Command::Liveness => self.liveness(ctx, request),
            Command::TestWebserver => file(ctx, request),
            Command::ServeHostname => {
                log(ctx, &format!("HTTP request from {}", remote_address(request)));
                text(200, "OK", PLAIN, ctx.host.hostname())
            }
            Command::Porter => {
                let said = self.ports.iter().find(|(port, _)| *port == request.port);
                let said = said.or(self.ports.first()).map(|(_, said)| said.clone()).unwrap_or_default();
                if self.flags.truth("json-response", false) {
                    let body = format!("{{\"Method\":{},\"Body\":{}}}", json!(request.method), json!(said));
                    return Some(text(200, "OK", "application/json", body));
                }
                text(200, "OK", sniffed(&said), said)
            }
        })
    }

    fn health(&mut self, ctx: &mut Ctx<'_>, port: u16, service: &str) -> Option<Health> {
        if self.command != Command::GrpcHealthChecking || port != self.flags.port("port", 5000) {
            return None;
        }
        let began = self.began.unwrap_or_default();
        let at = podlab_api::time::time_nanos(began.as_nanos()).strftime("%Y-%m-%d %H:%M:%S.%9f +0000 UTC");
        log(ctx, &format!("Serving the Check request for health check, started at {at}"));
        if service != self.flags.text("service").unwrap_or("") {
            return Some(Health::Refused { code: "NotFound", message: "unknown service".to_owned() });
        }
        let age = ctx.now().since(began);
        let over = self.flags.number("delay-unhealthy-sec").and_then(|seconds| u64::try_from(seconds).ok());
        let over = over.is_some_and(|seconds| age >= SimDuration::from_secs(seconds));
        // What it was told wins only where that is to be unwell.
        Some(if self.told_to_serve == Some(false) || over { Health::NotServing } else { Health::Serving })
    }
}

/// What `porter`'s environment asks it to say, by port.
fn served(ctx: &Ctx<'_>) -> Vec<(u16, String)> {
    let port = |name: &str| {
        let prefixes = ["SERVE_PORT_", "SERVE_TCP_PORT_", "SERVE_TLS_PORT_"];
        prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)?.parse().ok())
    };
    ctx.core.env.iter().filter_map(|(name, value)| Some((port(name)?, value.clone()))).collect()
}

/// Asks another server so many times, and says what was answered.
fn dial(ctx: &mut Ctx<'_>, request: &HttpRequest) -> HttpResponse {
    let form = |key: &str| form_value(request, key);
    let (host, port, asked) = (form("host"), form("port"), form("request"));
    let (protocol, tries) = (form("protocol"), form("tries"));
    log(ctx, &format!("GET /dial?host={host}&protocol={protocol}&port={port}&request={asked}&tries={tries}"));
    let bad = |said: String| text(400, reason(400), PLAIN, format!("{said}\n"));
    let times = match tries.parse::<usize>() {
        Ok(times) => times.min(MOST_TRIES),
        Err(_) if tries.is_empty() => 1,
        Err(_) => {
            let why = format!("strconv.Atoi: parsing {tries:?}: invalid syntax");
            return bad(format!("tries parameter is invalid. {why}"));
        }
    };
    if asked.is_empty() {
        return bad("request parameter not specified. <nil>".to_owned());
    }
    match protocol.to_ascii_lowercase().as_str() {
        "" | "http" => {}
        "udp" | "sctp" => {
            return text(501, "Not Implemented", PLAIN, "datagrams are not simulated\n");
        }
        _ => return bad(format!("unsupported protocol. {protocol}")),
    }
    let Ok(number) = port.parse::<u16>() else {
        return bad(format!("host and/or port param are invalid. lookup tcp/{port}: unknown port"));
    };
    let inner = HttpRequest {
        method: "GET".to_owned(),
        scheme: "http".to_owned(),
        path: format!("/{asked}"),
        headers: vec![
            ("Host".to_owned(), format!("{host}:{port}")),
            ("User-Agent".to_owned(), "Go-http-client/1.1".to_owned()),
        ],
        host: host.clone(),
        port: number,
        body: Vec::new(),
        client: None,
    };
    let (mut responses, mut errors) = (Vec::new(), Vec::new());
    let mut took = SimDuration::from_millis(1);
    for _ in 0..times {
        match ctx.http(&inner) {
            Ok(answer) => {
                took += answer.delay;
                responses.push(String::from_utf8_lossy(&answer.body).into_owned());
            }
            Err(error) => {
                let url = format!("http://{host}:{port}/{asked}");
                let why = match error {
                    NetError::ConnectionRefused | NetError::Own(_) => {
                        format!("dial tcp {host}:{port}: connect: connection refused")
                    }
                    NetError::Unreachable => format!("dial tcp {host}:{port}: connect: no route to host"),
                    NetError::NameNotFound => format!("dial tcp: lookup {host}: no such host"),
                    NetError::NoAnswer => {
                        took += SimDuration::from_secs(5);
                        "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
                            .to_owned()
                    }
                    NetError::Reset | NetError::Tls => "EOF".to_owned(),
                };
                errors.push(format!("Get {url:?}: {why}"));
            }
        }
    }
    let mut output = Map::new();
    if !errors.is_empty() {
        output.insert("errors".to_owned(), json!(errors));
    }
    if responses.last().is_some_and(|last| !last.is_empty()) {
        output.insert("responses".to_owned(), json!(responses));
    }
    let mut answer = text(200, "OK", PLAIN, Value::Object(output).to_string());
    answer.delay = took;
    answer
}

/// A file of the container, or the names in a folder, as Go's file server shows them.
fn file(ctx: &mut Ctx<'_>, request: &HttpRequest) -> HttpResponse {
    let wanted = path_of(request);
    // Dots that would climb are dropped.
    let clean: Vec<&str> =
        wanted.split('/').filter(|part| !part.is_empty() && *part != "." && *part != "..").collect();
    let path = format!("/{}", clean.join("/"));
    if ctx.is_dir(&path) {
        if !wanted.ends_with('/') {
            return redirect(&format!("{}/", clean.last().unwrap_or(&"")), 301);
        }
        let names = ctx.list(&path).unwrap_or_default();
        let mut page =
            "<!doctype html>\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n".to_owned();
        for name in names {
            let inside = format!("{}/{name}", path.trim_end_matches('/'));
            let slash = if ctx.is_dir(&inside) { "/" } else { "" };
            page.push_str(&format!("<a href=\"{name}{slash}\">{name}{slash}</a>\n"));
        }
        page.push_str("</pre>\n");
        return text(200, "OK", HTML, page);
    }
    match ctx.read_file(&path) {
        Ok(bytes) => {
            let kind = match path.rsplit('.').next() {
                Some("html" | "htm") => HTML,
                Some("json") => "application/json",
                Some("css") => "text/css; charset=utf-8",
                _ if std::str::from_utf8(&bytes).is_ok() => PLAIN,
                _ => "application/octet-stream",
            };
            let mut answer = text(200, "OK", kind, bytes);
            answer.headers.push(("Cache-Control".to_owned(), "private".to_owned()));
            answer
        }
        Err(podlab_shell::Errno::PermissionDenied) => text(403, reason(403), PLAIN, "403 Forbidden\n"),
        Err(_) => not_found(),
    }
}

fn not_found() -> HttpResponse {
    text(404, reason(404), PLAIN, "404 page not found\n")
}

/// Source: Go, net/http `Redirect`.
fn redirect(location: &str, code: u16) -> HttpResponse {
    let body = format!("<a href=\"{location}\">{}</a>.\n\n", reason(code));
    let mut answer = text(code, reason(code), HTML, body);
    answer.headers.push(("Location".to_owned(), location.to_owned()));
    answer
}

/// What Go takes an answer for whose handler does not say it.
///
/// Source: Go, net/http `DetectContentType`.
fn sniffed(body: &str) -> &'static str {
    const TAGS: [&str; 17] = [
        "<!DOCTYPE HTML",
        "<HTML",
        "<HEAD",
        "<SCRIPT",
        "<IFRAME",
        "<H1",
        "<DIV",
        "<FONT",
        "<TABLE",
        "<A",
        "<STYLE",
        "<TITLE",
        "<B",
        "<BODY",
        "<BR",
        "<P",
        "<!--",
    ];
    let start = body.trim_start().as_bytes();
    let is = |tag: &&str| {
        let begins = start.get(..tag.len()).is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes()));
        begins && matches!(start.get(tag.len()), Some(b' ' | b'>'))
    };
    if TAGS.iter().any(is) { HTML } else { PLAIN }
}

/// Where a request comes from, as Go's `RemoteAddr`. Connections have no port of their own here.
fn remote_address(request: &HttpRequest) -> String {
    format!("{}:40000", request.client_address())
}

/// A header's name as Go keeps it: `X-Forwarded-For`.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters.map(|c| c.to_ascii_lowercase())).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}

/// What the query of a request says of a key; nothing where it does not name it.
fn form_value(request: &HttpRequest, key: &str) -> String {
    let query = request.path.split_once('?').map_or("", |(_, query)| query);
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(name, _)| unescape(name) == key).map(|(_, value)| unescape(value)).unwrap_or_default()
}

/// Source: Go, net/url `QueryUnescape`.
fn unescape(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = after;
        match (byte, escaped) {
            (b'+', _) => out.push(b' '),
            (b'%', Some(value)) => {
                out.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A line as Go's `log` writes it.
fn log(ctx: &mut Ctx<'_>, line: &str) {
    let at = podlab_api::time::time_nanos(ctx.now().as_nanos()).strftime("%Y/%m/%d %H:%M:%S").to_string();
    ctx.err(format!("{at} {line}\n"));
}
