//! `exec` and `attach`: a container's streams over a WebSocket, a channel each.
//!
//! Source: k8s.io/cri-streaming/pkg/streaming/remotecommand/websocket.go, k8s.io/apimachinery/pkg/util/remotecommand
//! (v1.37).

use crate::host::Host;
use crate::refuse::stopped;
use crate::reply::Reply;
use crate::tty::{LineDiscipline, cooked};
use crate::websocket::{Handshake, Socket, handshake};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use podlab_api::door::{ResponseBody, StreamEnd, StreamId, StreamInput};
use podlab_api::{Door, Request, Status};
use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
/// Says that a channel is at its end, from v5 on.
const CLOSE: u8 = 255;

/// How a refusal of the runtime is known.
const EXEC_FAILED: &str = "error executing command in container";

const PROTOCOLS: [&str; 6] = [
    "v5.channel.k8s.io",
    "v4.channel.k8s.io",
    "v4.base64.channel.k8s.io",
    "channel.k8s.io",
    "base64.channel.k8s.io",
    "v3.channel.k8s.io",
];

/// Opens the streams; a task of its own carries what goes over them.
///
/// # Errors
/// What the API server would answer before it switches protocols.
pub(crate) async fn exec(
    host: &Host,
    asked: Request,
    mut request: hyper::Request<Incoming>,
) -> Result<Reply, Status> {
    let tty = asked.options.exec.tty;
    let wants_stdin = asked.options.exec.stdin;
    // A client that falls back to SPDY is to read the cluster's refusal rather than that of the protocol.
    let hands = handshake(&mut request, &PROTOCOLS);
    let response = host.act(move |cluster| cluster.request(asked)).await.ok_or_else(stopped)?;
    let opened = match response.body {
        ResponseBody::Stream(id) => Ok(id),
        // The runtime fails when the streams are already there: they carry its words.
        ResponseBody::Status(status) if status.message.contains(EXEC_FAILED) && hands.is_ok() => Err(status),
        ResponseBody::Status(status) => return Err(*status),
        _ => return Err(Status::internal_error("the answer is not a stream")),
    };
    let hands: Handshake = match hands {
        Ok(hands) => hands,
        Err(status) => {
            if let Ok(id) = opened {
                host.act(move |cluster| cluster.stream_close(id)).await;
            }
            return Err(status);
        }
    };
    let protocol = hands.protocol.clone();
    let (reply, socket) = hands.accept();
    let host = host.clone();
    tokio::spawn(async move {
        if let Some(socket) = socket.await {
            let session = Session {
                host: host.clone(),
                id: opened.as_ref().copied().unwrap_or(StreamId(0)),
                socket,
                base64: protocol.contains("base64"),
                // Before v4 the last word is plain text.
                plain_error: !protocol.starts_with("v4") && !protocol.starts_with("v5"),
                terminal: tty.then(LineDiscipline::default),
                wants_stdin,
            };
            match &opened {
                Ok(_) => session.run().await,
                Err(status) => session.end(&StreamEnd::Error((**status).clone())).await,
            };
        }
        if let Ok(id) = opened {
            // What still runs gets a hang-up.
            host.act(move |cluster| cluster.stream_close(id)).await;
        }
    });
    Ok(reply)
}

struct Session {
    host: Host,
    id: StreamId,
    socket: Socket,
    base64: bool,
    plain_error: bool,
    terminal: Option<LineDiscipline>,
    wants_stdin: bool,
}

impl Session {
    /// Sends bytes over a channel; `None` where the client is gone.
    async fn send(&mut self, channel: u8, bytes: &[u8]) -> Option<()> {
        let message = if self.base64 {
            Message::text(format!("{channel}{}", STANDARD.encode(bytes)))
        } else {
            Message::binary([&[channel], bytes].concat())
        };
        self.socket.send(message).await.ok()
    }

    async fn run(mut self) -> Option<()> {
        let mut changes = self.host.changes();
        // An empty message tells that the streams are there.
        self.send(STDOUT, &[]).await?;
        loop {
            changes.mark_unchanged();
            let id = self.id;
            let chunk = self.host.look(move |cluster| cluster.stream(id)).await?;
            let tty = self.terminal.is_some();
            let cook = |bytes: Vec<u8>| if tty { cooked(&bytes) } else { bytes };
            if !chunk.stdout.is_empty() {
                self.send(STDOUT, &cook(chunk.stdout)).await?;
            }
            if !chunk.stderr.is_empty() {
                // A terminal has one output.
                self.send(if tty { STDOUT } else { STDERR }, &cook(chunk.stderr)).await?;
            }
            if let Some(end) = chunk.end {
                return self.end(&end).await;
            }
            tokio::select! {
                changed = changes.changed() => changed.ok()?,
                message = self.socket.next() => match message?.ok()? {
                    Message::Binary(bytes) => self.message(&bytes).await?,
                    Message::Text(text) if self.base64 => {
                        let (channel, rest) = text.split_at_checked(1)?;
                        let mut bytes = vec![channel.parse().ok()?];
                        bytes.extend(STANDARD.decode(rest).ok()?);
                        self.message(&bytes).await?;
                    }
                    Message::Text(text) => self.message(text.as_bytes()).await?,
                    Message::Close(_) => return None,
                    _ => {}
                },
            }
        }
    }

    /// What a client sends: input, or the end of a channel. A terminal's size changes nothing here.
    async fn message(&mut self, bytes: &[u8]) -> Option<()> {
        let (&channel, rest) = bytes.split_first()?;
        let inputs = match (channel, &mut self.terminal) {
            (STDIN, _) if !self.wants_stdin => Vec::new(),
            (STDIN, None) if rest.is_empty() => Vec::new(),
            (STDIN, None) => vec![StreamInput::Stdin(rest.to_vec())],
            (STDIN, Some(terminal)) => {
                let typed = terminal.keys(rest);
                if !typed.echo.is_empty() {
                    self.send(STDOUT, &typed.echo).await?;
                }
                typed.input
            }
            (CLOSE, _) if rest.first() == Some(&STDIN) => vec![StreamInput::Eof],
            _ => Vec::new(),
        };
        let id = self.id;
        self.host
            .act(move |cluster| inputs.into_iter().for_each(|input| cluster.stream_write(id, input)))
            .await
    }

    /// The last word: how it ended.
    async fn end(mut self, end: &StreamEnd) -> Option<()> {
        let status = match end {
            StreamEnd::Exit(0) => json!({"metadata": {}, "status": "Success"}),
            StreamEnd::Exit(code) => {
                let text = format!("command terminated with non-zero exit code: exit status {code}");
                json!({"metadata": {}, "status": "Failure", "message": text, "reason": "NonZeroExitCode",
                    "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]}})
            }
            StreamEnd::Error(status) => status.to_value(),
        };
        if !self.plain_error {
            self.send(ERROR, status.to_string().as_bytes()).await?;
        } else if let Some(text) = status["message"].as_str() {
            self.send(ERROR, text.to_owned().as_bytes()).await?;
        }
        let normal = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
        self.socket.close(Some(normal)).await.ok()?;
        // The client's own close ends the conversation.
        while let Some(Ok(_)) = self.socket.next().await {}
        Some(())
    }
}
