//! The server over loopback: each test has a cluster of its own.

mod client;
mod discovery;
mod kubectl;
mod mutated;
mod rest;
mod rules;
mod streams;
