//! The simulated cluster: an API server over an in-memory store, a scheduler, kubelets with a container
//! runtime, controllers and a network, all on virtual time.
//!
//! **Boundary:** [`Cluster`] (the door, [`Cluster::run_until`], [`Cluster::restore`]) and the plain structs
//! in [`observe`].
//! **Invariant:** the same settings and inputs give the same history, byte for byte, in wasm and natively.
#![forbid(unsafe_code)]

pub mod apiserver;
pub mod bootstrap;
pub mod cluster;
pub mod controllers;
pub mod event;
pub mod kubelet;
pub mod latency;
pub mod metrics;
pub mod observe;
mod port_forward;
mod quota;
pub mod recorder;
pub mod runtime;
pub mod scheduler;
mod set_up;
pub mod settings;
pub mod store;
mod turn;
pub mod workload;
pub mod world;

pub use cluster::Cluster;
pub use event::Event;
pub use set_up::SetUp;
pub use settings::{NodeSettings, Profile, Settings};
pub use turn::Turn;
pub use world::{Cx, World};
