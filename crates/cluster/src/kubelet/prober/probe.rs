//! What a probe asks.
//!
//! Source: pkg/kubelet/prober/prober.go `runProbe`, pkg/probe (v1.37).

use crate::runtime::{HttpGet, Known};
use k8s_openapi::api::core::v1::{Container, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::sync::Arc;

/// What a probe asks, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// A GET request.
    Http {
        /// The request.
        request: Arc<HttpGet>,
        /// Whether it goes to the pod's own address.
        default_host: bool,
        /// What came of it before.
        known: Option<Arc<Known>>,
    },
    /// A TCP connection; `None` for the pod's own address.
    Tcp { host: Option<String>, port: u16 },
    /// gRPC health.
    Grpc {
        port: u16,
        /// Whose health is asked for; empty for the server as a whole.
        service: Arc<str>,
    },
    /// A command.
    Exec(Arc<[String]>),
    /// Something that cannot be asked; the error's text.
    Error(String),
}

/// A port by number, or by its name in the container.
///
/// # Errors
/// The kubelet's text.
pub(crate) fn resolve_port(port: &IntOrString, container: &Container) -> Result<u16, String> {
    let number = match port {
        IntOrString::Int(n) => i64::from(*n),
        IntOrString::String(name) => {
            let named = container.ports.iter().flatten().find(|p| p.name.as_deref() == Some(name));
            match named {
                Some(p) => i64::from(p.container_port),
                None => match name.parse::<i64>() {
                    Ok(n) => n,
                    Err(_) => return Err(format!("port {name:?} not found")),
                },
            }
        }
    };
    u16::try_from(number).ok().filter(|n| *n > 0).ok_or_else(|| format!("invalid port number: {number}"))
}

impl Ask {
    /// Reads a probe's handler.
    pub(crate) fn new(probe: &Probe, container: &Container) -> Ask {
        if let Some(exec) = &probe.exec {
            let command = exec.command.clone().unwrap_or_default();
            return Ask::Exec(command.into());
        }
        if let Some(http) = &probe.http_get {
            return match resolve_port(&http.port, container) {
                Ok(port) => {
                    let default_host = http.host.as_deref().unwrap_or("").is_empty();
                    let headers = headers(
                        http.http_headers.iter().flatten().map(|h| (h.name.as_str(), h.value.as_str())),
                        "kube-probe/1.37",
                    );
                    let path = http.path.clone().unwrap_or_else(|| "/".to_owned());
                    let path = if path.starts_with('/') { path } else { format!("/{path}") };
                    let request = Arc::new(HttpGet {
                        scheme: http.scheme.as_deref().unwrap_or("HTTP").to_ascii_lowercase(),
                        host: http.host.clone().unwrap_or_default(),
                        port,
                        path,
                        headers,
                    });
                    Ask::Http { request, default_host, known: None }
                }
                Err(text) => Ask::Error(text),
            };
        }
        if let Some(tcp) = &probe.tcp_socket {
            return match resolve_port(&tcp.port, container) {
                Ok(port) => Ask::Tcp { host: tcp.host.clone().filter(|h| !h.is_empty()), port },
                Err(text) => Ask::Error(text),
            };
        }
        if let Some(grpc) = &probe.grpc {
            let service = grpc.service.as_deref().unwrap_or("").into();
            return Ask::Grpc { port: u16::try_from(grpc.port).unwrap_or(0), service };
        }
        Ask::Error(format!("missing probe handler for {}", container.name))
    }
}

/// Header fields as the kubelet sends them: its own unless the pod sets them.
pub(crate) fn headers<'a>(
    own: impl Iterator<Item = (&'a str, &'a str)>,
    user_agent: &str,
) -> Vec<(String, String)> {
    let mut list: Vec<(String, String)> = own.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    for (name, value) in [("User-Agent", user_agent), ("Accept", "*/*")] {
        match list.iter().position(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(at) if list.get(at).is_some_and(|(_, v)| v.is_empty()) => {
                list.remove(at);
            }
            Some(_) => {}
            None => list.push((name.to_owned(), value.to_owned())),
        }
    }
    list
}
