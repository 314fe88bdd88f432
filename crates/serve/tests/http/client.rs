//! A server on a free port, and as much of an HTTP client as tests need.

use podlab_serve::{Options, Pace, Server};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server in a runtime of its own.
pub struct Lab {
    pub address: SocketAddr,
    _server: Server,
    _runtime: tokio::runtime::Runtime,
}

impl Lab {
    /// A cluster whose time jumps.
    pub fn start() -> Lab {
        let options = Options { port: 0, pace: Pace::Virtual, ..Options::default() };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let server = runtime.block_on(Server::start(&options)).unwrap();
        Lab { address: server.address(), _server: server, _runtime: runtime }
    }

    /// Sends a request and reads the whole answer.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.open(method, path, headers, body);
        let mut answer = stream.head();
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(chunk) = stream.chunk() {
                answer.body.extend(chunk);
            }
        } else {
            let length = answer.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            answer.body.resize(length, 0);
            stream.0.read_exact(&mut answer.body).unwrap();
        }
        answer
    }

    /// Sends a request whose answer goes on.
    pub fn open(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Stream {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let mut head =
            format!("{method} {path} HTTP/1.1\r\nHost: podlab\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        Stream(BufReader::new(stream))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub fn get_as(&self, path: &str, accept: &str) -> Answer {
        self.send("GET", path, &[("Accept", accept)], b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    pub fn patch(&self, path: &str, how: &str, body: &Value) -> Answer {
        let media_type = format!("application/{how}");
        self.send("PATCH", path, &[("Content-Type", &media_type)], body.to_string().as_bytes())
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub code: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// A connection whose answer goes on.
pub struct Stream(pub BufReader<TcpStream>);

impl Stream {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Reads status line and headers.
    pub fn head(&mut self) -> Answer {
        let code = self.line().split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        Answer { code, headers, body: Vec::new() }
    }

    /// Reads a chunk; nothing at the end.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let length = usize::from_str_radix(&self.line(), 16).ok().filter(|length| *length > 0)?;
        let mut chunk = vec![0; length + 2];
        self.0.read_exact(&mut chunk).unwrap();
        chunk.truncate(length);
        Some(chunk)
    }

    /// The watch events of the next chunk.
    pub fn events(&mut self) -> Vec<Value> {
        let chunk = self.chunk().unwrap_or_default();
        let text = String::from_utf8(chunk).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A WebSocket: messages up to 125 bytes in both directions are all that tests need.
pub struct Socket(Stream);

impl Lab {
    /// Opens a WebSocket; else gives the refusal.
    pub fn websocket(&self, path: &str, protocol: &str) -> Result<Socket, Answer> {
        self.websocket_from(path, protocol, &[("Origin", "http://localhost")])
    }

    /// As [`websocket`](Self::websocket), with headers of one's own.
    pub fn websocket_from(&self, path: &str, protocol: &str, own: &[(&str, &str)]) -> Result<Socket, Answer> {
        let mut headers = vec![
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Protocol", protocol),
        ];
        headers.extend_from_slice(own);
        let mut stream = self.open("GET", path, &headers, b"");
        let answer = stream.head();
        let spoken = protocol.split(", ").last();
        if answer.code != 101 {
            return Err(answer);
        }
        assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(answer.header("sec-websocket-protocol"), spoken);
        Ok(Socket(stream))
    }
}

impl Socket {
    /// Sends a message, masked with zeros.
    pub fn send(&mut self, bytes: &[u8]) {
        let head = [0x82, 0x80 | u8::try_from(bytes.len()).unwrap(), 0, 0, 0, 0];
        self.0.0.get_mut().write_all(&[&head, bytes].concat()).unwrap();
    }

    /// Reads a message.
    pub fn message(&mut self) -> Vec<u8> {
        let mut head = [0; 2];
        self.0.0.read_exact(&mut head).unwrap();
        let length = match head[1] {
            126 => {
                let mut length = [0; 2];
                self.0.0.read_exact(&mut length).unwrap();
                usize::from(u16::from_be_bytes(length))
            }
            length => usize::from(length),
        };
        let mut bytes = vec![0; length];
        self.0.0.read_exact(&mut bytes).unwrap();
        bytes
    }
}
