//! `nslookup`, `nc`, `ping`.

use super::dig;
use super::http::{CONNECT_TIMEOUT, Url, address, ask, host_header, pause, seconds};
use super::lines::deferred;
use super::options;
use crate::context::{Ctx, Read};
use crate::host::{DnsData, DnsRecord, DnsType, NetError};
use crate::process::{Family, Program, Step, Wait};
use podlab_sim::SimTime;

// nslookup

/// `nslookup [-type=TYPE] NAME [SERVER]`; of an address its names are asked.
pub(super) fn nslookup(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let names: Vec<&String> = args.iter().skip(1).filter(|a| !a.starts_with('-')).collect();
    let Some(name) = names.first() else {
        ctx.err(super::busybox_usage("nslookup"));
        return 1;
    };
    let kind = args.iter().skip(1).rev().find_map(|a| {
        ["-type=", "-t=", "-querytype=", "-q="].iter().find_map(|option| a.strip_prefix(option))
    });
    let kind = kind.map_or(DnsType::A, dig::type_of);
    let (asked, kind) = match name.parse::<std::net::Ipv4Addr>() {
        Ok(_) if kind == DnsType::A => (dig::reverse(name), DnsType::Ptr),
        _ => ((*name).clone(), kind),
    };
    let server = names.get(1).map_or_else(|| ctx.host.name_server(), |s| (*s).clone());
    let busybox = ctx.is_busybox();
    let (mark, dot) = if busybox { (':', "") } else { ('#', ".") };
    let mut text = format!("Server:\t\t{server}\nAddress:\t{server}{mark}53\n\n");
    match ctx.host.query(&asked, kind, kind != DnsType::Ptr) {
        Ok(reply) => {
            for DnsRecord { name, data } in &reply.answers {
                text.push_str(&match data {
                    DnsData::A(address) => format!("Name:\t{name}\nAddress: {address}\n"),
                    DnsData::Cname(other) => format!("{name}\tcanonical name = {other}{dot}\n"),
                    DnsData::Ptr(other) => format!("{name}\tname = {other}{dot}\n"),
                    DnsData::Srv { weight, port, target } => {
                        format!("{name}\tservice = 0 {weight} {port} {target}{dot}\n")
                    }
                });
            }
            if reply.answers.is_empty() {
                text.push_str(&format!("*** Can't find {asked}: No answer\n"));
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
            text.push_str(&format!("** server can't find {asked}: NXDOMAIN\n\n"));
            ctx.out(text);
            1
        }
    }
}

// getent

/// `getent hosts NAME…`: addresses from `/etc/hosts`, else from the name server.
pub(super) fn getent(ctx: &mut Ctx<'_>, args: &[String]) -> i32 {
    let (database, keys) = (args.get(1).map_or("", String::as_str), args.get(2..).unwrap_or_default());
    if !matches!(database, "hosts" | "ahosts") {
        ctx.err(format!("Unknown database: {database}\n"));
        return 1;
    }
    let file = String::from_utf8_lossy(&ctx.read_file("/etc/hosts").unwrap_or_default()).into_owned();
    let mut code = 0;
    for key in keys {
        let of_file = file.lines().find_map(|line| {
            let mut words = line.split('#').next().unwrap_or("").split_whitespace();
            let address = words.next()?;
            let names: Vec<&str> = words.collect();
            names.contains(&key.as_str()).then(|| format!("{address:<15} {}\n", names.join(" ")))
        });
        let found = of_file.or_else(|| {
            let answer = ctx.host.resolve(key).ok()?;
            Some(answer.addresses.iter().map(|address| format!("{address:<15} {}\n", answer.name)).collect())
        });
        match found {
            Some(text) => ctx.out(text),
            None => code = 2,
        }
    }
    code
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
        let o = options(ctx, args, "tzvw:ulp:nke:46Nq:", &[])?;
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
        if let Some(wait) = pause(ctx, &mut self.until) {
            return wait;
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
                let r = ctx.connect(&host, port, self.udp);
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
                    NetError::ConnectionRefused | NetError::Own(_) => "Connection refused",
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
    /// Whether there is an HTTP server at the other end.
    fn answers_http(&self, ctx: &mut Ctx<'_>) -> bool {
        let url = Url {
            scheme: "http".to_owned(),
            host: self.host.clone(),
            authority: String::new(),
            port: self.port,
            path: "/".to_owned(),
        };
        ask(ctx, &url, "HEAD", vec![("Host".to_owned(), host_header(&url))], Vec::new()).is_ok()
    }

    /// An HTTP request typed into `nc` is answered; other protocols have nobody behind them here.
    fn talk(&mut self, ctx: &mut Ctx<'_>) -> Step {
        let text = String::from_utf8_lossy(&self.sent).into_owned();
        let mut first = text.lines().next().unwrap_or_default().split(' ');
        let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
        if matches!(method, "GET" | "HEAD" | "POST") && path.starts_with('/') {
            let url = Url {
                scheme: "http".to_owned(),
                host: self.host.clone(),
                authority: String::new(),
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
        } else if !self.udp && !text.trim().is_empty() && self.answers_http(ctx) {
            // What a server in Go says to words that are no request.
            ctx.out(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n\
                 400 Bad Request",
            );
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
        if let Some(wait) = pause(ctx, &mut self.until) {
            return wait;
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
