//! `curl`.

use super::http::{
    CONNECT_TIMEOUT, MAX_REDIRECTS, Url, address, ask, host_header, parse_url, pause, seconds,
};
use super::lines::deferred;
use super::{finish, options};
use crate::context::Ctx;
use crate::host::{HttpResponse, NetError};
use crate::process::{Family, Program, Step};
use podlab_sim::SimTime;
use std::time::Duration;

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
        let o = match options(ctx, args, "qsSfIivLo:Ow:X:H:d:kc:m:A:u:r:D:n46C:E:K:GR:VU:gN", &long) {
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
                    NetError::ConnectionRefused | NetError::Own(_) => self.error(
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
        if let Some(wait) = pause(ctx, &mut self.until) {
            return wait;
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
