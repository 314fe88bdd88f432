//! `portforward`: connections to a pod's ports over a WebSocket, either SPDY in its messages or a pair of channels a port.
//!
//! Source: k8s.io/apimachinery/pkg/util/portforward, k8s.io/cri-streaming/pkg/streaming/portforward (v1.37).

use crate::exchange::{Backend, Parsed, exchange, parse};
use crate::host::Host;
use crate::query::Query;
use crate::refuse::stopped;
use crate::reply::Reply;
use crate::spdy::{Frame, Reader, Writer};
use crate::websocket::{Socket, handshake};
use futures_util::{SinkExt, StreamExt};
use hyper::body::Incoming;
use podlab_api::{Request, Status, kinds};
use std::collections::BTreeMap;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// SPDY in the messages: what kubectl speaks.
const TUNNEL: &str = "SPDY/3.1+portforward.k8s.io";
const PROTOCOLS: [&str; 3] = [TUNNEL, "v4.channel.k8s.io", "portforward.k8s.io"];

/// How many connections one client may have open.
const MOST: usize = 256;

/// What a connection's task has to say.
enum Said {
    /// Bytes for the client; an empty one is the end.
    Data(u32, Vec<u8>),
    /// Why it failed.
    Failed(u32, String),
}

/// Opens a port-forward; a task of its own carries the connections.
///
/// # Errors
/// No such pod, one that is on no node, or a handshake that is none.
pub(crate) async fn port_forward(
    host: &Host,
    asked: Request,
    query: &Query,
    mut request: hyper::Request<Incoming>,
) -> Result<Reply, Status> {
    let namespace = asked.namespace.clone().unwrap_or_default();
    let name = asked.name.clone().unwrap_or_default();
    let (pod_namespace, pod_name) = (namespace.clone(), name.clone());
    let pod = host
        .look(move |cluster| cluster.world().api.store().get(&kinds::POD, &pod_namespace, &pod_name).cloned())
        .await
        .ok_or_else(stopped)?
        .ok_or_else(|| Status::not_found(&kinds::POD, &name))?;
    let bound = pod.node_name().unwrap_or("");
    if bound.is_empty() {
        return Err(Status::bad_request(format!("pod {name} does not have a host assigned")));
    }
    let hands = handshake(&mut request, &PROTOCOLS)?;
    let ports: Vec<u16> =
        query.all("ports").flat_map(|text| text.split(',')).filter_map(|port| port.parse().ok()).collect();
    let tunnel = hands.protocol == TUNNEL;
    if !tunnel && ports.is_empty() {
        return Err(Status::bad_request("query parameter \"port\" is required"));
    }
    let backend = Backend {
        namespace,
        pod: name,
        port: 0,
        user: asked.options.user.clone(),
        impersonate: asked.options.impersonate.clone(),
    };
    let (reply, socket) = hands.accept();
    let host = host.clone();
    tokio::spawn(async move {
        let socket = socket.await?;
        let (said, heard) = mpsc::channel(64);
        let connections = Connections { host, backend, said, inputs: BTreeMap::new() };
        if tunnel {
            Tunnel {
                connections,
                socket,
                reader: Reader::new(),
                writer: Writer::new(),
                streams: BTreeMap::new(),
            }
            .run(heard)
            .await
        } else {
            channels(connections, socket, &ports, heard).await
        }
    });
    Ok(reply)
}

/// The connections that are open, each a task that gets bytes and says what the pod answers.
struct Connections {
    host: Host,
    backend: Backend,
    said: mpsc::Sender<Said>,
    inputs: BTreeMap<u32, mpsc::Sender<Vec<u8>>>,
}

impl Connections {
    fn open(&mut self, id: u32, port: u16) {
        if self.inputs.len() >= MOST {
            return;
        }
        let (sender, receiver) = mpsc::channel(64);
        self.inputs.insert(id, sender);
        let backend = Backend { port, ..self.backend.clone() };
        tokio::spawn(connection(self.host.clone(), backend, id, receiver, self.said.clone()));
    }

    async fn data(&mut self, id: u32, bytes: Vec<u8>) {
        if let Some(input) = self.inputs.get(&id) {
            let _ = input.send(bytes).await;
        }
    }

    fn close(&mut self, id: u32) {
        self.inputs.remove(&id);
    }
}

/// One connection: request after request, until a side ends it.
async fn connection(
    host: Host,
    backend: Backend,
    id: u32,
    mut input: mpsc::Receiver<Vec<u8>>,
    said: mpsc::Sender<Said>,
) {
    let mut buffer = Vec::new();
    'bytes: while let Some(bytes) = input.recv().await {
        buffer.extend(bytes);
        loop {
            let (request, taken) = match parse(&buffer) {
                Parsed::Request(request, taken) => (*request, taken),
                Parsed::More => continue 'bytes,
                Parsed::NotHttp => {
                    let text = format!(
                        "error forwarding port {} to pod {}: podlab carries nothing but HTTP here",
                        backend.port, backend.pod
                    );
                    let _ = said.send(Said::Failed(id, text)).await;
                    break 'bytes;
                }
            };
            buffer.drain(..taken);
            let head_only = request.method == "HEAD";
            let ends = request.headers.iter().any(|(name, value)| {
                name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close")
            });
            match exchange(&host, &backend, request).await {
                Ok(answer) => {
                    if said.send(Said::Data(id, answer.to_bytes(head_only))).await.is_err() || ends {
                        break 'bytes;
                    }
                }
                Err(status) => {
                    let why = status.message.trim_start_matches("Internal error occurred: ");
                    let text =
                        format!("error forwarding port {} to pod {}, uid : {why}", backend.port, backend.pod);
                    let _ = said.send(Said::Failed(id, text)).await;
                    break 'bytes;
                }
            }
            if buffer.is_empty() {
                continue 'bytes;
            }
        }
    }
    let _ = said.send(Said::Data(id, Vec::new())).await;
}

/// Two channels a port: bytes and errors. Each begins with the port's number.
async fn channels(
    mut connections: Connections,
    mut socket: Socket,
    ports: &[u16],
    mut heard: mpsc::Receiver<Said>,
) -> Option<()> {
    for (index, port) in ports.iter().enumerate().take(100) {
        let channel = u8::try_from(index * 2).ok()?;
        for channel in [channel, channel + 1] {
            let [low, high] = port.to_le_bytes();
            socket.send(Message::binary(vec![channel, low, high])).await.ok()?;
        }
        connections.open(u32::from(channel), *port);
    }
    loop {
        tokio::select! {
            said = heard.recv() => {
                let (channel, bytes) = match said? {
                    // The protocol has no word for the end of one channel.
                    Said::Data(_, bytes) if bytes.is_empty() => continue,
                    Said::Data(id, bytes) => (id, bytes),
                    Said::Failed(id, text) => (id + 1, text.into_bytes()),
                };
                let channel = u8::try_from(channel).ok()?;
                socket.send(Message::binary([&[channel], bytes.as_slice()].concat())).await.ok()?;
            }
            message = socket.next() => match message?.ok()? {
                Message::Binary(bytes) => {
                    let (channel, rest) = bytes.split_first()?;
                    connections.data(u32::from(*channel), rest.to_vec()).await;
                }
                Message::Close(_) => return None,
                _ => {}
            },
        }
    }
}

/// A stream of the tunnel.
struct Stream {
    /// A connection has two: for bytes and for errors.
    request: String,
    is_error: bool,
}

/// SPDY inside the messages of a WebSocket.
struct Tunnel {
    connections: Connections,
    socket: Socket,
    reader: Reader,
    writer: Writer,
    streams: BTreeMap<u32, Stream>,
}

impl Tunnel {
    async fn run(mut self, mut heard: mpsc::Receiver<Said>) -> Option<()> {
        loop {
            tokio::select! {
                said = heard.recv() => self.say(said?).await?,
                message = self.socket.next() => match message?.ok()? {
                    Message::Binary(bytes) => {
                        for frame in self.reader.feed(&bytes)? {
                            self.frame(frame).await?;
                        }
                    }
                    Message::Close(_) => return None,
                    _ => {}
                },
            }
        }
    }

    async fn send(&mut self, bytes: Vec<u8>) -> Option<()> {
        self.socket.send(Message::binary(bytes)).await.ok()
    }

    async fn frame(&mut self, frame: Frame) -> Option<()> {
        match frame {
            Frame::Open { stream, headers, .. } => {
                let header = |wanted: &str| {
                    let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                    found.map_or("", |(_, value)| value.as_str()).to_owned()
                };
                let is_error = header("streamtype") == "error";
                let port: u16 = header("port").parse().ok()?;
                if self.streams.len() >= 2 * MOST {
                    return None;
                }
                self.streams.insert(stream, Stream { request: header("requestid"), is_error });
                if !is_error {
                    self.connections.open(stream, port);
                }
                let reply = self.writer.reply(stream);
                self.send(reply).await?;
            }
            Frame::Data { stream, bytes, last } => {
                if !bytes.is_empty() {
                    self.connections.data(stream, bytes).await;
                }
                if last {
                    self.connections.close(stream);
                }
            }
            Frame::Reset { stream } => {
                self.connections.close(stream);
                self.streams.remove(&stream);
            }
            Frame::Ping(id) => self.send(Writer::ping(id)).await?,
            Frame::GoAway => return None,
        }
        Some(())
    }

    /// The stream for the errors of a connection.
    fn error_stream(&self, data: u32) -> Option<u32> {
        let request = &self.streams.get(&data)?.request;
        self.streams.iter().find(|(_, one)| one.is_error && one.request == *request).map(|(id, _)| *id)
    }

    async fn say(&mut self, said: Said) -> Option<()> {
        let (id, bytes) = match said {
            Said::Failed(id, text) => {
                if let Some(errors) = self.error_stream(id) {
                    self.send(Writer::data(errors, text.as_bytes(), true)).await?;
                    self.streams.remove(&errors);
                }
                return Some(());
            }
            Said::Data(id, bytes) => (id, bytes),
        };
        if !bytes.is_empty() {
            return self.send(Writer::data(id, &bytes, false)).await;
        }
        self.send(Writer::data(id, &[], true)).await?;
        if let Some(errors) = self.error_stream(id) {
            self.send(Writer::data(errors, &[], true)).await?;
            self.streams.remove(&errors);
        }
        self.connections.close(id);
        self.streams.remove(&id);
        Some(())
    }
}
