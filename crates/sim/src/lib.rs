//! Virtual time for a deterministic discrete-event simulation.
//!
//! Three small things, and nothing of Kubernetes: [`SimTime`] (an instant that no machine clock ever
//! touches), [`Agenda`] (what happens next, in a total order) and [`Draw`] (random numbers that depend on
//! who draws and how often, never on who drew before).
//!
//! **Invariant:** the same calls give the same results on every machine, 32 and 64 bit alike.
#![forbid(unsafe_code)]

mod agenda;
mod draw;
mod time;

pub use agenda::{Agenda, Slot};
pub use draw::{Draw, splitmix64};
pub use std::time::Duration as SimDuration;
pub use time::SimTime;
