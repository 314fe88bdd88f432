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
    pub protocol: &'static str,
}

/// Whether a header lists a word.
fn lists(headers: &HeaderMap, name: hyper::header::HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(word))
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
    let key = headers.get(SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok()).map(str::to_owned);
    let (true, true, Some(key)) =
        (lists(headers, UPGRADE, "websocket"), lists(headers, CONNECTION, "upgrade"), key)
    else {
        return Err(Status::bad_request("Upgrade request required"));
    };
    let asks = headers.contains_key(SEC_WEBSOCKET_PROTOCOL);
    let protocol = known.iter().copied().find(|name| lists(headers, SEC_WEBSOCKET_PROTOCOL, name));
    let protocol = match (protocol, asks) {
        (Some(protocol), _) => protocol,
        (None, false) => "",
        (None, true) => {
            return Err(Status::bad_request(format!(
                "unable to upgrade: none of the subprotocols is known, the server knows: {}",
                known.join(", ")
            )));
        }
    };
    Ok(Handshake { upgrade: hyper::upgrade::on(request), key, protocol })
}

impl Handshake {
    /// The answer that switches protocols, and what becomes the socket once it is sent.
    pub(crate) fn accept(self) -> (Reply, impl Future<Output = Option<Socket>>) {
        let mut reply = Response::new(ReplyBody::full(""));
        *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        reply::set(&mut reply, UPGRADE, "websocket");
        reply::set(&mut reply, CONNECTION, "Upgrade");
        reply::set(&mut reply, SEC_WEBSOCKET_ACCEPT, &derive_accept_key(self.key.as_bytes()));
        if !self.protocol.is_empty() {
            reply::set(&mut reply, SEC_WEBSOCKET_PROTOCOL, self.protocol);
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
