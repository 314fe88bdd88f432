//! One HTTP exchange with a port of a pod: the cluster's network carries nothing else.

use crate::host::Host;
use crate::refuse::stopped;
use podlab_api::door::{ResponseBody, UserInfo, Verb};
use podlab_api::{Door, Request, Status, kinds};
use serde_json::{Value, json};
use std::time::Duration;

/// The longest head and body that are read.
const LONGEST_HEAD: usize = 64 << 10;
const LONGEST_BODY: usize = 1 << 20;

/// A server's slowness is kept up to this.
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// A request to a server in a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct HttpRequest {
    pub method: String,
    /// With the query.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A server's answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpAnswer {
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Where a server is.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    pub namespace: String,
    pub pod: String,
    pub port: u16,
    /// Who asks.
    pub user: Option<Box<UserInfo>>,
    /// As whom they want to be taken.
    pub impersonate: Option<Box<UserInfo>>,
}

/// Sends a request and waits as long as the server takes.
///
/// # Errors
/// No such pod, or nothing listens there.
pub(crate) async fn exchange(
    host: &Host,
    backend: &Backend,
    request: HttpRequest,
) -> Result<HttpAnswer, Status> {
    let body = json!({"port": backend.port, "method": request.method, "path": request.path,
        "headers": request.headers, "body": String::from_utf8_lossy(&request.body)});
    let mut asked = Request::new(Verb::Create, &kinds::POD)
        .namespace(&backend.namespace)
        .name(&backend.pod)
        .subresource("portforward")
        .body(body);
    asked.options.user.clone_from(&backend.user);
    asked.options.impersonate.clone_from(&backend.impersonate);
    let response = host.act(move |cluster| cluster.request(asked)).await.ok_or_else(stopped)?;
    let value = match response.body {
        ResponseBody::Value(value) => value,
        ResponseBody::Status(status) => return Err(*status),
        _ => return Err(Status::internal_error("the answer is no exchange")),
    };
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let delay = Duration::from_nanos(value.get("delay").and_then(Value::as_u64).unwrap_or(0));
    tokio::time::sleep(delay.min(LONGEST_DELAY)).await;
    Ok(HttpAnswer {
        status: value
            .get("status")
            .and_then(Value::as_u64)
            .and_then(|code| u16::try_from(code).ok())
            .unwrap_or(502),
        reason: text("reason"),
        headers: value
            .get("headers")
            .cloned()
            .and_then(|h| serde_json::from_value(h).ok())
            .unwrap_or_default(),
        body: text("body").into_bytes(),
    })
}

/// What bytes of a connection hold so far.
#[derive(Debug, PartialEq)]
pub(crate) enum Parsed {
    /// A request, and how many bytes it took.
    Request(Box<HttpRequest>, usize),
    /// The beginning of one.
    More,
    /// Something else.
    NotHttp,
}

/// Reads a request from the beginning of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        let line = bytes.split(|b| *b == b'\r').next().unwrap_or_default();
        let odd = line.iter().take(8).any(|b| !(b.is_ascii_uppercase() || matches!(b, b' ' | b'/')));
        return if bytes.len() > LONGEST_HEAD || odd { Parsed::NotHttp } else { Parsed::More };
    };
    let Some(head) = bytes.get(..end).and_then(|head| std::str::from_utf8(head).ok()) else {
        return Parsed::NotHttp;
    };
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or("").split(' ');
    let (Some(method), Some(path), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Parsed::NotHttp;
    };
    if !version.starts_with("HTTP/1.") {
        return Parsed::NotHttp;
    }
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let header = |wanted: &str| {
        headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
    };
    let length = header("content-length").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0);
    if length > LONGEST_BODY || header("transfer-encoding").is_some() {
        return Parsed::NotHttp;
    }
    let Some(body) = bytes.get(end + 4..end + 4 + length) else { return Parsed::More };
    let request = HttpRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        body: body.to_vec(),
        headers: headers.clone(),
    };
    Parsed::Request(Box::new(request), end + 4 + length)
}

impl HttpAnswer {
    /// The answer as it goes over a connection.
    pub(crate) fn to_bytes(&self, head_only: bool) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {} {}\r\n", self.status, self.reason).into_bytes();
        let mut sized = false;
        for (name, value) in &self.headers {
            if name.eq_ignore_ascii_case("transfer-encoding") {
                continue;
            }
            sized |= name.eq_ignore_ascii_case("content-length");
            out.extend(format!("{name}: {value}\r\n").bytes());
        }
        if !sized {
            out.extend(format!("Content-Length: {}\r\n", self.body.len()).bytes());
        }
        out.extend(b"\r\n");
        if !head_only {
            out.extend(&self.body);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Parsed, parse};

    #[test]
    fn requests_are_read_from_a_connections_bytes() {
        let bytes = b"POST /a?b HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\nhiGET";
        let Parsed::Request(request, taken) = parse(bytes) else { panic!() };
        assert_eq!(
            (request.method.as_str(), request.path.as_str(), taken),
            ("POST", "/a?b", bytes.len() - 3)
        );
        assert_eq!(request.body, b"hi");
        assert_eq!(parse(b"GET / HT"), Parsed::More);
        assert_eq!(parse(b"\x16\x03\x01"), Parsed::NotHttp);
        assert_eq!(parse(b"PING\r\n\r\n\r\n"), Parsed::NotHttp);
    }
}
