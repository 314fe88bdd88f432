//! `wget`, `curl`, `nslookup`, `nc`, `ping`.

use super::lines::deferred;
use super::{finish, options};
use crate::context::{Ctx, Read};
use crate::host::{HttpRequest, HttpResponse, NetError};
use crate::process::{Family, Program, Step, Wait};
use podlab_sim::SimTime;
use std::time::Duration;

/// How long Linux tries to connect before it gives up (`tcp_syn_retries` 6), in seconds.
const CONNECT_TIMEOUT: f64 = 135.0;
/// Most redirects followed.
const MAX_REDIRECTS: u32 = 20;

/// `http://user@host:port/path` in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    pub scheme: String,
    pub host: String,
    pub port: u16,
    pub path: String,
}

pub(crate) fn parse_url(text: &str) -> Option<Url> {
    let (scheme, rest) = match text.split_once("://") {
        Some((s, r)) => (s.to_ascii_lowercase(), r),
        None => ("http".to_owned(), text),
    };
    let default = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return None,
    };
    let split = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(split);
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let (host, port) = if let Some(v6) = authority.strip_prefix('[') {
        let (h, p) = v6.split_once(']')?;
        (h, p.strip_prefix(':'))
    } else {
        match authority.split_once(':') {
            Some((h, p)) => (h, Some(p)),
            None => (authority, None),
        }
    };
    let port = match port {
        None | Some("") => default,
        Some(p) => p.parse().ok()?,
    };
    if host.is_empty() {
        return None;
    }
    let path = path.split('#').next().unwrap_or_default();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Some(Url { scheme, host: host.to_owned(), port, path })
}

fn ask(
    ctx: &mut Ctx<'_>,
    url: &Url,
    method: &str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
) -> Result<HttpResponse, NetError> {
    let request = HttpRequest {
        method: method.to_owned(),
        scheme: url.scheme.clone(),
        host: url.host.clone(),
        port: url.port,
        path: url.path.clone(),
        headers,
        body,
    };
    // What listens in this very machine is asked through the host as well: it knows all listeners.
    ctx.host.http(&request)
}

fn host_header(u: &Url) -> String {
    let default = if u.scheme == "https" { 443 } else { 80 };
    if u.port == default { u.host.clone() } else { format!("{}:{}", u.host, u.port) }
}

fn address(ctx: &mut Ctx<'_>, host: &str) -> String {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return host.to_owned();
    }
    ctx.host.resolve(host).ok().and_then(|a| a.addresses.first().cloned()).unwrap_or_default()
}

// wget

#[derive(Clone, Debug)]
struct Wget {
    url: Url,
    output: Option<String>,
    quiet: bool,
    spider: bool,
    show_headers: bool,
    timeout: Option<f64>,
    tries: u32,
    method: String,
    body: Vec<u8>,
    headers: Vec<(String, String)>,
    redirects: u32,
    until: Option<SimTime>,
    answer: Option<Result<HttpResponse, NetError>>,
}

pub(super) fn wget(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let long = [
            ("quiet", 'q'),
            ("output-document", 'O'),
            ("timeout", 'T'),
            ("spider", 's'),
            ("server-response", 'S'),
            ("tries", 't'),
            ("header", 'h'),
            ("post-data", 'd'),
            ("no-check-certificate", 'n'),
            ("user-agent", 'U'),
            ("no-verbose", 'v'),
            ("directory-prefix", 'P'),
            ("continue", 'c'),
        ];
        let o = options(ctx, args, "qO:T:sSt:h:d:nU:P:cvY:", &long)?;
        let Some(text) = o.operands.first().cloned() else {
            let t = if ctx.is_busybox() {
                super::busybox_usage("wget")
            } else {
                "wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n"
                    .to_owned()
            };
            ctx.err(t);
            return Err(1);
        };
        let Some(url) = parse_url(&text) else {
            return Err(ctx.fail(1, format!("not an http or ftp url: {text}")));
        };
        let mut headers = vec![
            ("Host".to_owned(), host_header(&url)),
            ("User-Agent".to_owned(), o.value('U').unwrap_or("Wget").to_owned()),
        ];
        for h in o.values('h') {
            if let Some((n, v)) = h.split_once(':') {
                headers.push((n.trim().to_owned(), v.trim().to_owned()));
            }
        }
        let body = o.value('d').unwrap_or_default().as_bytes().to_vec();
        let method = if o.has('s') {
            "HEAD"
        } else if o.has('d') {
            "POST"
        } else {
            "GET"
        };
        Ok(Box::new(Wget {
            url,
            output: o.value('O').map(str::to_owned),
            quiet: o.has('q'),
            spider: o.has('s'),
            show_headers: o.has('S'),
            timeout: o.value('T').and_then(|t| t.parse().ok()),
            tries: o.value('t').and_then(|t| t.parse().ok()).unwrap_or(1),
            method: method.to_owned(),
            body,
            headers,
            redirects: 0,
            until: None,
            answer: None,
        }))
    })
}

impl Wget {
    fn finish(&mut self, ctx: &mut Ctx<'_>, answer: Result<HttpResponse, NetError>) -> Step {
        let host = self.url.host.clone();
        let at = address(ctx, &host);
        let response = match answer {
            Ok(r) => r,
            Err(e) => {
                let text = match e {
                    NetError::NameNotFound => format!("bad address '{host}'"),
                    NetError::ConnectionRefused => {
                        format!("can't connect to remote host ({at}): Connection refused")
                    }
                    NetError::Unreachable => format!("can't connect to remote host ({at}): No route to host"),
                    NetError::NoAnswer if self.timeout.is_some() => "download timed out".to_owned(),
                    NetError::NoAnswer => format!("can't connect to remote host ({at}): Operation timed out"),
                    NetError::Reset => "error getting response".to_owned(),
                    NetError::Tls => "error getting response: Connection reset by peer".to_owned(),
                };
                return Step::Exit(ctx.fail(1, text));
            }
        };
        if self.show_headers {
            let mut text = format!("  HTTP/1.1 {} {}\n", response.status, response.reason);
            for (n, v) in &response.headers {
                text.push_str(&format!("  {n}: {v}\n"));
            }
            ctx.err(text);
        }
        match response.status {
            301 | 302 | 303 | 307 | 308 => {
                let to = response
                    .headers
                    .iter()
                    .find(|(n, _)| n.eq_ignore_ascii_case("location"))
                    .map(|(_, v)| v.clone());
                self.redirects += 1;
                if self.redirects > MAX_REDIRECTS {
                    return Step::Exit(ctx.fail(1, "too many redirections"));
                }
                if let Some(u) = to.and_then(|t| {
                    if t.starts_with('/') { Some(Url { path: t, ..self.url.clone() }) } else { parse_url(&t) }
                }) {
                    self.url = u;
                    let h = host_header(&self.url);
                    if let Some(first) = self.headers.first_mut() {
                        first.1 = h;
                    }
                    return Step::Ran;
                }
            }
            200..=299 => {}
            s => {
                return Step::Exit(
                    ctx.fail(1, format!("server returned error: HTTP/1.1 {s} {}", response.reason)),
                );
            }
        }
        if self.spider {
            if !self.quiet {
                ctx.err("remote file exists\n");
            }
            return Step::Exit(0);
        }
        let name = match &self.output {
            Some(o) => o.clone(),
            None => {
                let last = self
                    .url
                    .path
                    .split('?')
                    .next()
                    .unwrap_or_default()
                    .rsplit('/')
                    .next()
                    .unwrap_or_default();
                if last.is_empty() { "index.html".to_owned() } else { last.to_owned() }
            }
        };
        let len = response.body.len();
        if name == "-" {
            if !self.quiet {
                ctx.err("writing to stdout\n");
            }
            ctx.out(&response.body);
        } else {
            if self.output.is_none() && ctx.exists(&name) {
                return Step::Exit(ctx.fail(1, format!("can't open '{name}': File exists")));
            }
            if !self.quiet {
                ctx.err(format!("saving to '{name}'\n"));
            }
            if let Err(e) = ctx.write_file(&name, &response.body, false) {
                return Step::Exit(ctx.fail(1, format!("can't open '{name}': {e}")));
            }
        }
        if !self.quiet {
            let short: String = name.chars().take(20).collect();
            let bar = format!("{short:<20} 100% |{}| {len:>5}  0:00:00 ETA\n", "*".repeat(32));
            ctx.err(bar);
            let end =
                if name == "-" { "written to stdout\n".to_owned() } else { format!("'{name}' saved\n") };
            ctx.err(end);
        }
        Step::Exit(finish(ctx, 0))
    }
}

impl Program for Wget {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if let Some(until) = self.until {
            if ctx.now() < until {
                return Step::Block(Wait::until(until));
            }
            self.until = None;
        }
        if let Some(answer) = self.answer.take() {
            if matches!(answer, Err(NetError::NoAnswer)) && self.tries > 1 && !ctx.is_busybox() {
                self.tries -= 1;
            }
            return self.finish(ctx, answer);
        }
        if !self.quiet {
            let at = address(ctx, &self.url.host);
            if !at.is_empty() {
                let host = host_header(&self.url);
                let port = self.url.port;
                let shown = if at.contains(':') { format!("[{at}]:{port}") } else { format!("{at}:{port}") };
                ctx.err(format!("Connecting to {host} ({shown})\n"));
            }
        }
        let answer = ask(ctx, &self.url, &self.method, self.headers.clone(), self.body.clone());
        let delay = match &answer {
            Ok(r) => match self.timeout {
                Some(t) if r.delay.as_secs_f64() > t => {
                    self.answer = Some(Err(NetError::NoAnswer));
                    self.until = Some(ctx.now() + seconds(t));
                    return Step::Ran;
                }
                _ => r.delay,
            },
            Err(NetError::NoAnswer) => seconds(self.timeout.unwrap_or(CONNECT_TIMEOUT)),
            Err(_) => Duration::ZERO,
        };
        self.until = (delay > Duration::ZERO).then(|| ctx.now() + delay);
        self.answer = Some(answer);
        Step::Ran
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

fn seconds(s: f64) -> Duration {
    Duration::from_secs_f64(s.clamp(0.0, 1e8))
}

// curl

#[derive(Clone, Debug)]
struct Curl {
    urls: Vec<String>,
    url: Option<Url>,
    silent: bool,
    show_error: bool,
    fail: bool,
    head: bool,
    include: bool,
    verbose: bool,
    follow: bool,
    output: Option<String>,
    remote_name: bool,
    write_out: Option<String>,
    method: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    connect_timeout: Option<f64>,
    max_time: Option<f64>,
    retries: u32,
    redirects: u32,
    started: SimTime,
    until: Option<SimTime>,
    answer: Option<Result<HttpResponse, NetError>>,
    code: i32,
}

pub(super) fn curl(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let long = [
            ("silent", 's'),
            ("show-error", 'S'),
            ("fail", 'f'),
            ("head", 'I'),
            ("include", 'i'),
            ("verbose", 'v'),
            ("location", 'L'),
            ("output", 'o'),
            ("remote-name", 'O'),
            ("write-out", 'w'),
            ("request", 'X'),
            ("header", 'H'),
            ("data", 'd'),
            ("data-raw", 'd'),
            ("data-binary", 'd'),
            ("insecure", 'k'),
            ("connect-timeout", 'c'),
            ("max-time", 'm'),
            ("user-agent", 'A'),
            ("user", 'u'),
            ("retry", 'r'),
            ("retry-delay", 'D'),
            ("retry-connrefused", 'n'),
            ("ipv4", '4'),
            ("ipv6", '6'),
            ("http1.1", 'n'),
            ("compressed", 'n'),
            ("cacert", 'C'),
            ("cert", 'E'),
            ("key", 'K'),
            ("get", 'G'),
            ("no-progress-meter", 's'),
            ("resolve", 'R'),
            ("version", 'V'),
            ("noproxy", 'R'),
            ("url", 'U'),
        ];
        let o = match options(ctx, args, "sSfIivLo:Ow:X:H:d:kc:m:A:u:r:D:n46C:E:K:GR:VU:gN", &long) {
            Ok(o) => o,
            Err(_) => {
                ctx.err("curl: try 'curl --help' or 'curl --manual' for more information\n");
                return Err(2);
            }
        };
        if o.has('V') {
            ctx.out("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.17\n");
            return Err(0);
        }
        let mut urls = o.values('U');
        urls.extend(o.operands.iter().cloned());
        if urls.is_empty() {
            ctx.err("curl: try 'curl --help' or 'curl --manual' for more information\n");
            return Err(2);
        }
        let mut headers = Vec::new();
        for h in o.values('H') {
            if let Some((n, v)) = h.split_once(':') {
                headers.push((n.trim().to_owned(), v.trim().to_owned()));
            }
        }
        let data: Vec<String> = o.values('d');
        let mut body = None;
        if !data.is_empty() {
            let mut parts = Vec::new();
            for d in data {
                match d.strip_prefix('@') {
                    Some(f) => parts.push(ctx.read_file(f).unwrap_or_default()),
                    None => parts.push(d.into_bytes()),
                }
            }
            body = Some(parts.join(&b'&'));
        }
        let secs = |c: char| o.value(c).and_then(|t| t.parse::<f64>().ok());
        urls.reverse();
        Ok(Box::new(Curl {
            urls,
            url: None,
            silent: o.has('s'),
            show_error: o.has('S'),
            fail: o.has('f'),
            head: o.has('I'),
            include: o.has('i'),
            verbose: o.has('v'),
            follow: o.has('L'),
            output: o.value('o').map(str::to_owned),
            remote_name: o.has('O'),
            write_out: o.value('w').map(str::to_owned),
            method: o.value('X').map(str::to_owned),
            headers,
            body,
            connect_timeout: secs('c'),
            max_time: secs('m'),
            retries: o.value('r').and_then(|r| r.parse().ok()).unwrap_or(0),
            redirects: 0,
            started: ctx.now(),
            until: None,
            answer: None,
            code: 0,
        }))
    })
}

impl Curl {
    fn error(&mut self, ctx: &mut Ctx<'_>, code: i32, text: &str) {
        self.code = code;
        if !self.silent || self.show_error {
            ctx.err(format!("curl: ({code}) {text}\n"));
        }
    }

    fn method(&self) -> String {
        match &self.method {
            Some(m) => m.clone(),
            None if self.head => "HEAD".to_owned(),
            None if self.body.is_some() => "POST".to_owned(),
            None => "GET".to_owned(),
        }
    }

    fn request(&mut self, ctx: &mut Ctx<'_>, url: &Url) {
        let mut headers = vec![
            ("Host".to_owned(), host_header(url)),
            ("User-Agent".to_owned(), "curl/7.88.1".to_owned()),
            ("Accept".to_owned(), "*/*".to_owned()),
        ];
        for (n, v) in &self.headers {
            match headers.iter_mut().find(|(h, _)| h.eq_ignore_ascii_case(n)) {
                Some(h) => h.1 = v.clone(),
                None => headers.push((n.clone(), v.clone())),
            }
        }
        if self.verbose {
            let at = address(ctx, &url.host);
            let mut text = format!("*   Trying {at}:{}...\n", url.port);
            text.push_str(&format!(
                "* Connected to {} ({at}) port {} (#0)\n> {} {} HTTP/1.1\n",
                url.host,
                url.port,
                self.method(),
                url.path
            ));
            for (n, v) in &headers {
                text.push_str(&format!("> {n}: {v}\n"));
            }
            text.push_str("> \n");
            ctx.err(text);
        }
        let answer = ask(ctx, url, &self.method(), headers, self.body.clone().unwrap_or_default());
        let limit = match (self.connect_timeout, self.max_time) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let delay = match &answer {
            Ok(r) => match self.max_time {
                Some(m) if r.delay.as_secs_f64() > m => {
                    self.until = Some(ctx.now() + seconds(m));
                    self.answer = Some(Err(NetError::NoAnswer));
                    return;
                }
                _ => r.delay,
            },
            Err(NetError::NoAnswer) => seconds(limit.unwrap_or(CONNECT_TIMEOUT)),
            Err(_) => Duration::ZERO,
        };
        self.until = (delay > Duration::ZERO).then(|| ctx.now() + delay);
        self.answer = Some(answer);
    }

    fn write_out(&self, ctx: &mut Ctx<'_>, response: Option<&HttpResponse>, url: &Url) {
        let Some(format) = &self.write_out else { return };
        let total = ctx.now().since(self.started).as_secs_f64();
        let body = response.map_or(0, |r| r.body.len());
        let text = format
            .replace("%{http_code}", &format!("{:03}", response.map_or(0, |r| r.status)))
            .replace("%{response_code}", &format!("{:03}", response.map_or(0, |r| r.status)))
            .replace("%{time_total}", &format!("{total:.6}"))
            .replace("%{time_connect}", "0.000200")
            .replace("%{size_download}", &body.to_string())
            .replace("%{url_effective}", &format!("{}://{}{}", url.scheme, host_header(url), url.path))
            .replace("%{remote_ip}", &address(ctx, &url.host))
            .replace("%%", "%");
        let (bytes, _) = super::escapes(&text, true);
        ctx.out(bytes);
    }

    fn answered(&mut self, ctx: &mut Ctx<'_>, url: Url, answer: Result<HttpResponse, NetError>) {
        let (host, port) = (url.host.clone(), url.port);
        let millis = ctx.now().since(self.started).as_millis();
        let response = match answer {
            Ok(r) => r,
            Err(e) => {
                if self.retries > 0 && matches!(e, NetError::NoAnswer) {
                    self.retries -= 1;
                    self.url = Some(url);
                    return;
                }
                self.write_out(ctx, None, &url);
                match e {
                    NetError::NameNotFound => self.error(ctx, 6, &format!("Could not resolve host: {host}")),
                    NetError::ConnectionRefused => self.error(
                        ctx,
                        7,
                        &format!("Failed to connect to {host} port {port} after {millis} ms: Couldn't connect to server"),
                    ),
                    NetError::Unreachable => self.error(
                        ctx,
                        7,
                        &format!("Failed to connect to {host} port {port} after {millis} ms: No route to host"),
                    ),
                    NetError::NoAnswer if self.connect_timeout.is_some() || self.max_time.is_some() => {
                        let text = if self.connect_timeout.is_some() {
                            format!("Failed to connect to {host} port {port} after {millis} ms: Timeout was reached")
                        } else {
                            format!("Connection timed out after {millis} milliseconds")
                        };
                        self.error(ctx, 28, &text);
                    }
                    NetError::NoAnswer => self.error(
                        ctx,
                        28,
                        &format!("Failed to connect to {host} port {port} after {millis} ms: Couldn't connect to server"),
                    ),
                    NetError::Reset => self.error(ctx, 52, "Empty reply from server"),
                    NetError::Tls => self.error(ctx, 35, "OpenSSL/3.0.17: error:0A00010B:SSL routines::wrong version number"),
                }
                return;
            }
        };
        let location =
            response.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case("location")).map(|(_, v)| v.clone());
        let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, response.reason);
        for (n, v) in &response.headers {
            head.push_str(&format!("{n}: {v}\r\n"));
        }
        head.push_str("\r\n");
        if self.verbose {
            let text: String = head.lines().map(|l| format!("< {}\n", l.trim_end())).collect();
            ctx.err(text);
        }
        let mut out = Vec::new();
        if self.head || self.include {
            out.extend_from_slice(head.as_bytes());
        }
        if self.follow && (300..400).contains(&response.status) {
            self.redirects += 1;
            if self.redirects > MAX_REDIRECTS {
                self.error(ctx, 47, "Maximum (50) redirects followed");
                return;
            }
            let next = location.and_then(|t| {
                if t.starts_with('/') { Some(Url { path: t, ..url.clone() }) } else { parse_url(&t) }
            });
            if let Some(u) = next {
                if self.head || self.include {
                    ctx.out(out);
                }
                self.url = Some(u);
                return;
            }
        }
        if self.fail && response.status >= 400 {
            self.write_out(ctx, Some(&response), &url);
            self.error(ctx, 22, &format!("The requested URL returned error: {}", response.status));
            return;
        }
        if !self.head {
            out.extend_from_slice(&response.body);
        }
        let name = match (&self.output, self.remote_name) {
            (Some(o), _) if o != "-" => Some(o.clone()),
            (_, true) => Some(super::base(url.path.split('?').next().unwrap_or_default()).to_owned()),
            _ => None,
        };
        match name {
            Some(n) => {
                let tty_free = !self.silent;
                if let Err(e) = ctx.write_file(&n, &out, false) {
                    ctx.err(format!("Warning: Failed to open the file {n}: {e}\n"));
                    self.error(ctx, 23, "Failure writing output to destination");
                    return;
                }
                if tty_free {
                    self.progress(ctx, response.body.len());
                }
            }
            None => {
                // The progress meter shows where the output is no terminal.
                if !self.silent && !ctx.is_tty(1) {
                    self.progress(ctx, response.body.len());
                }
                ctx.out(out);
            }
        }
        self.write_out(ctx, Some(&response), &url);
    }

    fn progress(&self, ctx: &mut Ctx<'_>, n: usize) {
        let text = format!(
            "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\r100 {n:>5}  100 {n:>5}    0     0  {:>5}      0 --:--:-- --:--:-- --:--:-- {:>5}\n",
            n.saturating_mul(100).min(99_999),
            n.saturating_mul(100).min(99_999)
        );
        ctx.err(text);
    }
}

impl Program for Curl {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if let Some(until) = self.until {
            if ctx.now() < until {
                return Step::Block(Wait::until(until));
            }
            self.until = None;
        }
        if let Some(answer) = self.answer.take() {
            if let Some(url) = self.url.take() {
                self.answered(ctx, url, answer);
            }
            return Step::Ran;
        }
        if let Some(url) = self.url.clone() {
            self.request(ctx, &url);
            return Step::Ran;
        }
        let Some(text) = self.urls.pop() else { return Step::Exit(finish(ctx, self.code)) };
        self.started = ctx.now();
        match parse_url(&text) {
            Some(url) => self.url = Some(url),
            None => match text.split_once("://") {
                Some((s, _)) if s != "http" && s != "https" => {
                    self.error(ctx, 1, &format!("Protocol \"{s}\" not supported or disabled in libcurl"));
                }
                _ => self.error(ctx, 3, "URL using bad/illegal format or missing URL"),
            },
        }
        Step::Ran
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn memory_bytes(&self) -> u64 {
        8 << 20
    }
}

// nslookup

pub(super) fn nslookup(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let names: Vec<&String> = args.iter().skip(1).filter(|a| !a.starts_with('-')).collect();
    let Some(name) = names.first() else {
        ctx.err(super::busybox_usage("nslookup"));
        return 1;
    };
    let server = names.get(1).map_or_else(|| ctx.host.name_server(), |s| (*s).clone());
    let busybox = ctx.is_busybox();
    let mut text = if busybox {
        format!("Server:\t\t{server}\nAddress:\t{server}:53\n\n")
    } else {
        format!("Server:\t\t{server}\nAddress:\t{server}#53\n\n")
    };
    match ctx.host.resolve(name) {
        Ok(a) => {
            for address in &a.addresses {
                text.push_str(&format!("Name:\t{}\nAddress: {address}\n", a.name));
            }
            text.push('\n');
            ctx.out(text);
            0
        }
        Err(NetError::NoAnswer) => {
            ctx.out(";; connection timed out; no servers could be reached\n\n");
            1
        }
        Err(_) => {
            text.push_str(&format!("** server can't find {name}: NXDOMAIN\n\n"));
            ctx.out(text);
            1
        }
    }
}

// nc

#[derive(Clone, Debug)]
struct Nc {
    host: String,
    port: u16,
    udp: bool,
    zero: bool,
    verbose: bool,
    timeout: Option<f64>,
    listen: bool,
    until: Option<SimTime>,
    result: Option<Result<(), NetError>>,
    sent: Vec<u8>,
    connected: bool,
}

pub(super) fn nc(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "zvw:ulp:nke:46Nq:", &[])?;
        let listen = o.has('l');
        let port_text = if listen {
            o.value('p').or_else(|| o.operands.last().map(String::as_str))
        } else {
            o.operands.get(1).map(String::as_str)
        };
        let Some(port) = port_text.and_then(|p| p.parse::<u16>().ok()) else {
            let t = match port_text {
                Some(p) => format!("nc: bad port '{p}'\n"),
                None => super::busybox_usage("nc"),
            };
            ctx.err(t);
            return Err(1);
        };
        Ok(Box::new(Nc {
            host: o.operands.first().cloned().unwrap_or_default(),
            port,
            udp: o.has('u'),
            zero: o.has('z'),
            verbose: o.has('v'),
            timeout: o.value('w').and_then(|w| w.parse().ok()),
            listen,
            until: None,
            result: None,
            sent: Vec::new(),
            connected: false,
        }))
    })
}

impl Program for Nc {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if self.listen {
            return Step::Block(Wait::signal());
        }
        if let Some(until) = self.until {
            if ctx.now() < until {
                return Step::Block(Wait::until(until));
            }
            self.until = None;
        }
        if self.connected {
            return match ctx.read(0, 1 << 14) {
                Read::Blocked => Step::Block(Wait::readable(0)),
                Read::Data(d) => {
                    if self.sent.len() < 1 << 16 {
                        self.sent.extend(d);
                    }
                    Step::Ran
                }
                _ => self.talk(ctx),
            };
        }
        let (host, port) = (self.host.clone(), self.port);
        match self.result.take() {
            None => {
                let r = ctx.host.connect(&host, port, self.udp);
                if matches!(r, Err(NetError::NoAnswer)) {
                    self.until = Some(ctx.now() + seconds(self.timeout.unwrap_or(CONNECT_TIMEOUT)));
                }
                self.result = Some(r);
                Step::Ran
            }
            Some(Ok(())) => {
                if self.verbose {
                    let at = address(ctx, &host);
                    let text = if ctx.is_busybox() {
                        format!("{host} ({at}:{port}) open\n")
                    } else {
                        format!("Connection to {host} ({at}) {port} port [tcp/*] succeeded!\n")
                    };
                    ctx.err(text);
                }
                if self.zero {
                    return Step::Exit(0);
                }
                self.connected = true;
                Step::Ran
            }
            Some(Err(e)) => {
                let at = address(ctx, &host);
                let why = match e {
                    NetError::ConnectionRefused => "Connection refused",
                    NetError::Unreachable => "No route to host",
                    NetError::Reset => "Connection reset by peer",
                    _ => "timed out",
                };
                let text = match (ctx.is_busybox(), e) {
                    (true, NetError::NameNotFound) => format!("nc: bad address '{host}'\n"),
                    (true, NetError::NoAnswer) => "nc: timed out\n".to_owned(),
                    (true, _) => format!("nc: {host} ({at}:{port}): {why}\n"),
                    (false, NetError::NameNotFound) => format!(
                        "nc: getaddrinfo for host \"{host}\" port {port}: Name or service not known\n"
                    ),
                    (false, _) => format!(
                        "nc: connect to {host} ({at}) port {port} (tcp) failed: {}\n",
                        if why == "timed out" { "Connection timed out" } else { why }
                    ),
                };
                if self.verbose || ctx.is_busybox() {
                    ctx.err(text);
                }
                Step::Exit(1)
            }
        }
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn listening(&self) -> Vec<u16> {
        if self.listen { vec![self.port] } else { Vec::new() }
    }
}

impl Nc {
    /// An HTTP request typed into `nc` is answered; other protocols have nobody behind them here.
    fn talk(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let text = String::from_utf8_lossy(&self.sent).into_owned();
        let mut first = text.lines().next().unwrap_or_default().split(' ');
        let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        if matches!(method, "GET" | "HEAD" | "POST") && path.starts_with('/') {
            let url = Url {
                scheme: "http".to_owned(),
                host: self.host.clone(),
                port: self.port,
                path: path.to_owned(),
            };
            if let Ok(r) = ask(ctx, &url, method, vec![("Host".to_owned(), host_header(&url))], Vec::new()) {
                let mut out = format!("HTTP/1.1 {} {}\r\n", r.status, r.reason);
                for (n, v) in &r.headers {
                    out.push_str(&format!("{n}: {v}\r\n"));
                }
                out.push_str("\r\n");
                ctx.out(out);
                if method != "HEAD" {
                    ctx.out(&r.body);
                }
            }
        }
        Step::Exit(0)
    }
}

// ping

#[derive(Clone, Debug)]
struct Ping {
    host: String,
    address: String,
    count: Option<u32>,
    interval: f64,
    wait: Option<f64>,
    sent: u32,
    received: u32,
    times: Vec<f64>,
    until: Option<SimTime>,
    end: Option<SimTime>,
    stop: bool,
}

pub(super) fn ping(args: &[String], _: Family) -> Box<dyn Program> {
    deferred(args, |ctx, args| {
        let o = options(ctx, args, "c:i:W:w:qs:46nI:t:", &[])?;
        let Some(host) = o.operands.first().cloned() else {
            ctx.err(super::busybox_usage("ping"));
            return Err(1);
        };
        let at = address(ctx, &host);
        if at.is_empty() {
            let text = if ctx.is_busybox() {
                format!("bad address '{host}'")
            } else {
                format!("{host}: Name or service not known")
            };
            return Err(ctx.fail(if ctx.is_busybox() { 1 } else { 2 }, text));
        }
        let secs = |c: char| o.value(c).and_then(|t| t.parse::<f64>().ok());
        let text = if ctx.is_busybox() {
            format!("PING {host} ({at}): 56 data bytes\n")
        } else {
            format!("PING {host} ({at}) 56(84) bytes of data.\n")
        };
        ctx.out(text);
        Ok(Box::new(Ping {
            host,
            address: at,
            count: o.value('c').and_then(|c| c.parse().ok()),
            interval: secs('i').unwrap_or(1.0),
            wait: secs('W'),
            sent: 0,
            received: 0,
            times: Vec::new(),
            until: None,
            end: secs('w').map(|w| ctx.now() + seconds(w)),
            stop: false,
        }))
    })
}

impl Ping {
    fn summary(&self, ctx: &mut Ctx<'_>) -> i32 {
        let lost = (self.sent - self.received) * 100 / self.sent.max(1);
        let mut text = format!("\n--- {} ping statistics ---\n", self.host);
        if ctx.is_busybox() {
            text.push_str(&format!(
                "{} packets transmitted, {} packets received, {lost}% packet loss\n",
                self.sent, self.received
            ));
        } else {
            text.push_str(&format!(
                "{} packets transmitted, {} received, {lost}% packet loss, time {}ms\n",
                self.sent,
                self.received,
                self.sent.saturating_sub(1) * 1000
            ));
        }
        if !self.times.is_empty() {
            let min = self.times.iter().copied().fold(f64::MAX, f64::min);
            let max = self.times.iter().copied().fold(0.0, f64::max);
            #[allow(clippy::cast_precision_loss)]
            let avg = self.times.iter().sum::<f64>() / self.times.len() as f64;
            if ctx.is_busybox() {
                text.push_str(&format!("round-trip min/avg/max = {min:.3}/{avg:.3}/{max:.3} ms\n"));
            } else {
                text.push_str(&format!("rtt min/avg/max/mdev = {min:.3}/{avg:.3}/{max:.3}/0.000 ms\n"));
            }
        }
        ctx.out(text);
        i32::from(self.received == 0)
    }
}

impl Program for Ping {
    fn step(&mut self, ctx: &mut Ctx<'_>) -> Step {
        if self.stop || self.end.is_some_and(|e| ctx.now() >= e) {
            let code = self.summary(ctx);
            return Step::Exit(code);
        }
        if let Some(until) = self.until {
            if ctx.now() < until {
                return Step::Block(Wait::until(until));
            }
            self.until = None;
        }
        if self.count.is_some_and(|c| self.sent >= c) {
            let code = self.summary(ctx);
            return Step::Exit(code);
        }
        let n = self.sent;
        self.sent += 1;
        let answer = ctx.host.ping(&self.address.clone());
        let last = self.count == Some(self.sent);
        let mut pause = self.interval;
        match answer {
            Ok(rtt) => {
                self.received += 1;
                let ms = rtt.as_secs_f64() * 1000.0;
                if self.times.len() < 100_000 {
                    self.times.push(ms);
                }
                let text = if ctx.is_busybox() {
                    format!("64 bytes from {}: seq={n} ttl=64 time={ms:.3} ms\n", self.address)
                } else {
                    format!("64 bytes from {}: icmp_seq={} ttl=64 time={ms:.3} ms\n", self.address, n + 1)
                };
                ctx.out(text);
                if last {
                    pause = 0.0;
                }
            }
            Err(_) if last => pause = self.wait.unwrap_or(10.0),
            Err(_) => {}
        }
        self.until = (pause > 0.0).then(|| ctx.now() + seconds(pause));
        Step::Ran
    }

    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn on_signal(&mut self, signal: crate::Signal) -> crate::OnSignal {
        if signal == crate::Signal::INT {
            self.stop = true;
            return crate::OnSignal::Handled;
        }
        crate::OnSignal::Default
    }
}
