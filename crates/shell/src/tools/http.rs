//! What tools that speak over the network share: URLs, asking them, host names.

use crate::context::Ctx;
use crate::host::{HttpRequest, HttpResponse, NetError};
use crate::process::{Step, Wait};
use podlab_sim::SimTime;
use std::time::Duration;

/// How long Linux tries to connect before it gives up (`tcp_syn_retries` 6), in seconds.
pub(super) const CONNECT_TIMEOUT: f64 = 135.0;
/// Most redirects followed.
pub(super) const MAX_REDIRECTS: u32 = 20;

/// `http://user@host:port/path` in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub scheme: String,
    pub host: String,
    /// Host and port as they were written.
    pub authority: String,
    pub port: u16,
    pub path: String,
}

pub(super) fn parse_url(text: &str) -> Option<Url> {
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
    Some(Url { scheme, host: host.to_owned(), authority: authority.to_owned(), port, path })
}

pub(super) fn ask(
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
        client: None,
    };
    ctx.http(&request)
}

pub(super) fn host_header(u: &Url) -> String {
    let default = if u.scheme == "https" { 443 } else { 80 };
    if u.port == default { u.host.clone() } else { format!("{}:{}", u.host, u.port) }
}

pub(super) fn address(ctx: &mut Ctx<'_>, host: &str) -> String {
    if host.parse::<std::net::IpAddr>().is_ok() {
        return host.to_owned();
    }
    if host == "localhost" {
        return "127.0.0.1".to_owned();
    }
    ctx.host.resolve(host).ok().and_then(|a| a.addresses.first().cloned()).unwrap_or_default()
}

/// Blocks until an instant that was set, once it is over forgets it.
pub(super) fn pause(ctx: &Ctx<'_>, until: &mut Option<SimTime>) -> Option<Step> {
    match *until {
        Some(at) if ctx.now() < at => Some(Step::Block(Wait::until(at))),
        _ => {
            *until = None;
            None
        }
    }
}

pub(super) fn seconds(s: f64) -> Duration {
    Duration::from_secs_f64(s.clamp(0.0, 1e8))
}
