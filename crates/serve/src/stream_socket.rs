//! Watches and logs over a WebSocket: what goes out as lines or bytes elsewhere is a message each here.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/watch.go `HandleWS`, k8s.io/streaming/pkg/httpstream/wsstream/stream.go
//! and golang.org/x/net/websocket for what a handshake must hold (v1.37).

use crate::body::ReplyBody;
use crate::reply::{self, Reply};
use crate::websocket::{Handshake, Socket, protocols, wanted};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, ORIGIN};
use hyper::{Request, StatusCode};
use tokio::sync::mpsc::Receiver;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

/// A log's message holds no more than this.
const PIECE: usize = 2048;

/// What is told over the socket.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// The events of a watch.
    Events,
    /// The bytes of a log.
    Log,
}

/// A client's wish to be told over a WebSocket.
pub(crate) enum Wish {
    /// It has none.
    None,
    /// It asks rightly.
    Socket(Handshake, Content),
    /// It asks for what cannot be: answered with a status alone.
    Refused(StatusCode),
}

/// Reads from a request whether a WebSocket is wanted.
pub(crate) fn wish(request: &mut Request<Incoming>, content: Content) -> Wish {
    let headers = request.headers();
    if !wanted(headers) {
        return Wish::None;
    }
    let asked = protocols(headers);
    let protocol = match (content, asked.as_slice()) {
        // A watch takes no notice of the subprotocol, but wants to know where a page comes from.
        (Content::Events, _) if !headers.contains_key(ORIGIN) => return Wish::Refused(StatusCode::FORBIDDEN),
        (_, []) => String::new(),
        (Content::Events, [one]) => one.clone(),
        (Content::Events, _) => return Wish::Refused(StatusCode::BAD_REQUEST),
        (Content::Log, asked) => {
            let known = |name: &&String| matches!(name.as_str(), "binary.k8s.io" | "base64.binary.k8s.io");
            match asked.iter().find(known) {
                Some(name) => name.clone(),
                None => return Wish::Refused(StatusCode::FORBIDDEN),
            }
        }
    };
    match Handshake::of(request, protocol.into()) {
        Some(handshake) => Wish::Socket(handshake, content),
        None => Wish::Refused(StatusCode::BAD_REQUEST),
    }
}

/// Sends over the socket what the reply would send as its body; a refusal stays one.
pub(crate) fn carry(wish: Wish, reply: Reply) -> Reply {
    let (handshake, content) = match wish {
        Wish::None => return reply,
        Wish::Socket(handshake, content) if reply.status().is_success() => (handshake, content),
        Wish::Socket(..) => return reply,
        Wish::Refused(code) => {
            let mut refused = Reply::new(ReplyBody::full(""));
            *refused.status_mut() = code;
            return refused;
        }
    };
    let media_type = reply.headers().get(CONTENT_TYPE).cloned();
    let is_protobuf =
        media_type.as_ref().is_some_and(|media_type| media_type.as_bytes().starts_with(b"application/vnd"));
    let form = match (content, is_protobuf, handshake.protocol.contains("base64")) {
        (Content::Events, false, _) => Form::Lines,
        (Content::Events, true, _) => Form::Frames,
        (Content::Log, _, false) => Form::Bytes,
        (Content::Log, _, true) => Form::Base64,
    };
    let body = reply.into_body();
    let (mut accepted, socket) = handshake.accept();
    if let (Content::Events, Some(Ok(media_type))) = (content, media_type.as_ref().map(|m| m.to_str())) {
        reply::set(&mut accepted, CONTENT_TYPE, media_type);
    }
    tokio::spawn(async move {
        if let (Some(socket), ReplyBody::Chunks(chunks)) = (socket.await, body) {
            send(socket, chunks, form).await;
        }
    });
    accepted
}

/// How chunks become messages.
#[derive(Clone, Copy)]
enum Form {
    /// A line of JSON is a message of text.
    Lines,
    /// A frame of protobuf, without its length, is a message of bytes.
    Frames,
    /// As they are.
    Bytes,
    /// As text.
    Base64,
}

async fn send(socket: Socket, mut chunks: Receiver<Bytes>, form: Form) {
    let (mut out, mut input) = socket.split();
    let first = match form {
        Form::Bytes => Some(Message::binary(Bytes::new())),
        Form::Base64 => Some(Message::text("")),
        Form::Lines | Form::Frames => None,
    };
    if let Some(first) = first
        && out.send(first).await.is_err()
    {
        return;
    }
    loop {
        tokio::select! {
            chunk = chunks.recv() => {
                let Some(chunk) = chunk else { break };
                for message in messages(&chunk, form) {
                    if out.send(message).await.is_err() {
                        return;
                    }
                }
            }
            // Nothing is expected from the client but its end.
            said = input.next() => if !matches!(said, Some(Ok(Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_)))) {
                return;
            }
        }
    }
    let _ = out.close().await;
}

/// The messages of a chunk, which holds whole events.
fn messages(chunk: &Bytes, form: Form) -> Vec<Message> {
    match form {
        Form::Lines => {
            let lines = chunk.split_inclusive(|byte| *byte == b'\n');
            let texts = lines.filter_map(|line| Utf8Bytes::try_from(chunk.slice_ref(line)).ok());
            texts.map(Message::Text).collect()
        }
        Form::Frames => {
            let mut found = Vec::new();
            let mut rest: &[u8] = chunk;
            while let Some((length, after)) = rest.split_first_chunk::<4>() {
                let Ok(length) = usize::try_from(u32::from_be_bytes(*length)) else { break };
                let Some((frame, after)) = after.split_at_checked(length) else { break };
                found.push(Message::Binary(chunk.slice_ref(frame)));
                rest = after;
            }
            found
        }
        Form::Bytes => chunk.chunks(PIECE).map(|piece| Message::Binary(chunk.slice_ref(piece))).collect(),
        Form::Base64 => chunk.chunks(PIECE).map(|piece| Message::text(STANDARD.encode(piece))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, messages};
    use hyper::body::Bytes;
    use tokio_tungstenite::tungstenite::Message;

    #[test]
    fn a_message_is_a_line_a_frame_or_a_piece() {
        let lines = messages(&Bytes::from_static(b"{\"a\":1}\n{\"b\":2}\n"), Form::Lines);
        assert_eq!(lines, [Message::text("{\"a\":1}\n"), Message::text("{\"b\":2}\n")]);
        let frames = messages(&Bytes::from_static(b"\0\0\0\x02ab\0\0\0\x01c"), Form::Frames);
        assert_eq!(frames, [Message::binary(&b"ab"[..]), Message::binary(&b"c"[..])]);
        let pieces = messages(&Bytes::from(vec![b'x'; 3000]), Form::Bytes);
        assert_eq!(pieces.iter().map(Message::len).collect::<Vec<_>>(), [2048, 952]);
        assert_eq!(messages(&Bytes::from_static(b"hi\n"), Form::Base64), [Message::text("aGkK")]);
    }
}
