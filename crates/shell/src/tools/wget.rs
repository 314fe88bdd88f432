//! `wget`.

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
                    NetError::NameNotFound => format!("bad address '{}'", self.url.authority),
                    NetError::ConnectionRefused | NetError::Own(_) => {
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
        if let Some(wait) = pause(ctx, &mut self.until) {
            return wait;
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
