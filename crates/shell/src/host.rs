//! What a machine needs from the world outside.

use crate::fs::Volumes;
use crate::process::{Pid, Program};
use podlab_sim::{SimDuration, SimTime};

/// One of the two output streams of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// A request that `wget`, `curl` or a probe makes.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HttpRequest {
    /// `GET`, `HEAD`, `POST` …
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// Name or address, without brackets or port.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// Header fields in order; `Host` and `User-Agent` are among them.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// The address that it comes from; nothing where that is not known.
    pub client: Option<String>,
}

impl HttpRequest {
    /// The address that a server sees: a request of nobody in particular comes from its own machine.
    pub fn client_address(&self) -> &str {
        self.client.as_deref().unwrap_or("127.0.0.1")
    }
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HttpResponse {
    /// Status code.
    pub status: u16,
    /// Reason phrase, such as `OK`.
    pub reason: String,
    /// Header fields in order.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// How long the server takes to answer.
    pub delay: SimDuration,
}

/// Why there was no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetError {
    /// The name does not resolve.
    NameNotFound,
    /// Nothing listens on the port.
    ConnectionRefused,
    /// No route to the host.
    Unreachable,
    /// Packets are dropped: a client waits for its own timeout.
    NoAnswer,
    /// The connection was cut before an answer.
    Reset,
    /// The server does not speak TLS (or the client does not).
    Tls,
    /// The way leads back to this port of the machine that asks, which the host cannot see into while the machine
    /// runs: [`Ctx`](crate::Ctx) looks there itself, programs never see this.
    Own(u16),
}

/// What the DNS server says about a name.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DnsAnswer {
    /// The fully qualified name found, without a trailing dot.
    pub name: String,
    /// Addresses in order.
    pub addresses: Vec<String>,
}

/// A type of records that the name server can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DnsType {
    /// IPv4 addresses.
    A,
    /// The name that a name stands for.
    Cname,
    /// The names of an address.
    Ptr,
    /// Ports of a service, with the names that serve them.
    Srv,
    /// A type of which nothing in a cluster has records.
    Other,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsRecord {
    /// Whose it is, without a trailing dot.
    pub name: String,
    /// What it says.
    pub data: DnsData,
}

/// What a record says; names are without a trailing dot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsData {
    /// An address.
    A(String),
    /// Another name.
    Cname(String),
    /// The name of an address.
    Ptr(String),
    /// A port and the name that serves it.
    Srv {
        /// Its share among those of the same service, of 100.
        weight: u16,
        /// The port.
        port: u16,
        /// The name.
        target: String,
    },
}

/// What the name server answers.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct DnsReply {
    /// The whole name that the answer is about, without a trailing dot.
    pub name: String,
    /// Records asked for; none where the name has others.
    pub answers: Vec<DnsRecord>,
    /// Addresses of the names in them.
    pub additional: Vec<DnsRecord>,
}

/// What an interactive shell waits with for a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prompt {
    /// The exit code of the command before.
    pub status: i32,
    /// Whether the command that was begun needs further lines.
    pub more: bool,
}

/// The world outside a [`crate::Machine`].
///
/// **Invariant:** within one call of [`crate::Machine::run`] `now` stays the same.
pub trait Host: Volumes {
    /// The virtual time.
    fn now(&self) -> SimTime;

    /// Bytes a process wrote to the sink `id` (given at its start).
    fn output(&mut self, id: u32, stream: Stream, bytes: &[u8]);

    /// The name of the container (`hostname`).
    fn hostname(&self) -> String;

    /// A program that the image or the terminal brings along, by the name of its executable node.
    /// `None` where the host knows no such program either.
    fn program(&mut self, name: &str, argv: &[String]) -> Option<Box<dyn Program>> {
        let _ = (name, argv);
        None
    }

    /// What a program of the host's own asks of it; the two agree on the type.
    fn call(&mut self, call: &mut dyn std::any::Any) {
        let _ = call;
    }

    /// An interactive shell waits for a command line (`Some`), or has got one (`None`).
    fn prompted(&mut self, shell: Pid, prompt: Option<Prompt>) {
        let _ = (shell, prompt);
    }

    /// Asks an HTTP server.
    ///
    /// # Errors
    /// [`NetError`].
    fn http(&mut self, request: &HttpRequest) -> Result<HttpResponse, NetError> {
        let _ = request;
        Err(NetError::Unreachable)
    }

    /// Tries to open a TCP (or, where `udp`, UDP) connection.
    ///
    /// # Errors
    /// [`NetError`].
    fn connect(&mut self, host: &str, port: u16, udp: bool) -> Result<(), NetError> {
        let _ = (host, port, udp);
        Err(NetError::Unreachable)
    }

    /// Sends an echo request; answers the round-trip time.
    ///
    /// # Errors
    /// [`NetError`].
    fn ping(&mut self, address: &str) -> Result<SimDuration, NetError> {
        let _ = address;
        Err(NetError::NoAnswer)
    }

    /// Looks a name up as the container's `resolv.conf` says.
    ///
    /// # Errors
    /// [`NetError`].
    fn resolve(&mut self, name: &str) -> Result<DnsAnswer, NetError> {
        let _ = name;
        Err(NetError::NameNotFound)
    }

    /// Asks the name server for records of one type: of the name as it is, or as `resolv.conf` completes it (`search`).
    ///
    /// # Errors
    /// [`NetError::NameNotFound`] for a name that nobody has, [`NetError::NoAnswer`] where the server can't be reached.
    fn query(&mut self, name: &str, wanted: DnsType, search: bool) -> Result<DnsReply, NetError> {
        let plain = name.trim_end_matches('.');
        let found = self.resolve(plain)?;
        if !search && found.name != plain {
            return Err(NetError::NameNotFound);
        }
        let record =
            |address: &String| DnsRecord { name: found.name.clone(), data: DnsData::A(address.clone()) };
        let answers = match wanted {
            DnsType::A => found.addresses.iter().map(record).collect(),
            _ => Vec::new(),
        };
        Ok(DnsReply { name: found.name, answers, additional: Vec::new() })
    }

    /// The address of the container itself, where it has one.
    fn own_address(&self) -> Option<String> {
        None
    }

    /// The address of the name server, as in `resolv.conf`.
    fn name_server(&self) -> String {
        "10.96.0.10".to_owned()
    }

    /// Whether another machine listens on a port of the address that this one shares with it.
    fn port_taken(&self, port: u16) -> bool {
        let _ = port;
        false
    }

    /// Total memory of the machine in bytes, for `free` and `top`.
    fn memory_total(&self) -> u64 {
        4 << 30
    }

    /// Number of CPUs, for `nproc` and `top`.
    fn cpus(&self) -> u32 {
        2
    }

    /// When the machine (the node) started, for `uptime`.
    fn boot_time(&self) -> SimTime {
        SimTime::START
    }

    /// How much longer than asked for a `sleep` takes, which has to be started first.
    fn overhead(&self) -> SimDuration {
        SimDuration::ZERO
    }

    /// A number from the host's generator, for `$RANDOM`, `shuf`, `mktemp`.
    fn random(&mut self) -> u64;
}
