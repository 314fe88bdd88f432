//! The simulated cluster behind the API server's REST, on loopback: for a real kubectl and other clients.
//!
//! This crate is the edge that has a clock and a network. The cluster lives in one thread ([`host`]), which feeds it time
//! and carries out what HTTP tasks ask of it, one after the other; nothing else touches it.
//!
//! **Boundary:** [`Server::start`].
#![forbid(unsafe_code)]

mod body;
mod discovery;
mod exchange;
mod exec;
mod handlers;
mod host;
mod identity;
mod kubeconfig;
mod list;
mod logs;
mod negotiate;
mod openapi;
mod options;
mod pace;
mod paths;
mod portforward;
mod protobuf;
mod proxy;
mod query;
mod refuse;
mod render;
mod rendered;
mod reply;
mod rewrite;
mod sent;
mod server;
mod spdy;
mod stream_socket;
mod tty;
mod watch;
mod websocket;

pub use kubeconfig::kubeconfig;
pub use options::Options;
pub use pace::Pace;
pub use server::Server;

#[cfg(test)]
mod hostile;
