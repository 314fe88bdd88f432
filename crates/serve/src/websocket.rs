//! From an HTTP request to a WebSocket, with the subprotocol that both sides know.
//!
//! Source: k8s.io/streaming/pkg/httpstream/wsstream/conn.go (v1.37).

use crate::body::ReplyBody;
use crate::reply::{self, Reply};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, UPGRADE};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use podlab_api::Status;
use std::borrow::Cow;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// A WebSocket to a client.
pub(crate) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The largest message that is read.
const LARGEST: usize = 1 << 20;

/// A client that wants a WebSocket.
pub(crate) struct Handshake {
    upgrade: OnUpgrade,
    key: String,
    /// The subprotocol that is spoken; empty where the client names none.
    pub protocol: Cow<'static, str>,
}

/// The words that a header lists.
fn words(headers: &HeaderMap, name: hyper::header::HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty())
}

/// Whether a header lists a word.
fn lists(headers: &HeaderMap, name: hyper::header::HeaderName, word: &str) -> bool {
    words(headers, name).any(|part| part.eq_ignore_ascii_case(word))
}

/// Whether a client asks for a WebSocket.
pub(crate) fn wanted(headers: &HeaderMap) -> bool {
    lists(headers, UPGRADE, "websocket") && lists(headers, CONNECTION, "upgrade")
}

/// The subprotocols that a client speaks. A page cannot set headers and says who it is by one of them, which is none.
///
/// Source: k8s.io/apiserver/pkg/authentication/request/websocket/protocol.go (v1.37).
pub(crate) fn protocols(headers: &HeaderMap) -> Vec<String> {
    let spoken = words(headers, SEC_WEBSOCKET_PROTOCOL);
    spoken
        .filter(|name| !name.starts_with("base64url.bearer.authorization.k8s.io."))
        .map(str::to_owned)
        .collect()
}

/// Reads a request for a WebSocket; `known` are the subprotocols in the order in which the server likes them.
///
/// # Errors
/// 400 where none is asked for, SPDY among that, or no subprotocol is known.
pub(crate) fn handshake(
    request: &mut Request<Incoming>,
    known: &[&'static str],
) -> Result<Handshake, Status> {
    let headers = request.headers();
    if lists(headers, UPGRADE, "SPDY/3.1") {
        return Err(Status::bad_request(
            "unable to upgrade: podlab does not speak SPDY; use a client that speaks WebSocket (kubectl 1.31 or later)",
        ));
    }
    if !wanted(headers) || !headers.contains_key(SEC_WEBSOCKET_KEY) {
        return Err(Status::bad_request("Upgrade request required"));
    }
    let asked = protocols(headers);
    let protocol = known.iter().copied().find(|name| asked.iter().any(|a| a.eq_ignore_ascii_case(name)));
    let protocol = match (protocol, !asked.is_empty()) {
        (Some(protocol), _) => protocol,
        (None, false) => "",
        (None, true) => {
            return Err(Status::bad_request(format!(
                "unable to upgrade: none of the subprotocols is known, the server knows: {}",
                known.join(", ")
            )));
        }
    };
    Handshake::of(request, protocol.into()).ok_or_else(|| Status::bad_request("Upgrade request required"))
}

impl Handshake {
    /// Takes the connection of a request; `None` where it holds no key.
    pub(crate) fn of(request: &mut Request<Incoming>, protocol: Cow<'static, str>) -> Option<Handshake> {
        let key = request.headers().get(SEC_WEBSOCKET_KEY)?.to_str().ok()?.to_owned();
        Some(Handshake { upgrade: hyper::upgrade::on(request), key, protocol })
    }

    /// The answer that switches protocols, and what becomes the socket once it is sent.
    pub(crate) fn accept(self) -> (Reply, impl Future<Output = Option<Socket>>) {
        let mut reply = Response::new(ReplyBody::full(""));
        *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        reply::set(&mut reply, UPGRADE, "websocket");
        reply::set(&mut reply, CONNECTION, "Upgrade");
        reply::set(&mut reply, SEC_WEBSOCKET_ACCEPT, &derive_accept_key(self.key.as_bytes()));
        if !self.protocol.is_empty() {
            reply::set(&mut reply, SEC_WEBSOCKET_PROTOCOL, &self.protocol);
        }
        let socket = async move {
            let upgraded = self.upgrade.await.ok()?;
            let config =
                WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
            Some(WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await)
        };
        (reply, socket)
    }
}
