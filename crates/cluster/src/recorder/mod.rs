//! How components write events.
//!
//! There are two ways: the scheduler's ([`events`]), which speaks events.k8s.io and counts repeats in a series,
//! and the older one of kubelets and controllers, which correlates.

pub mod events;

pub use events::EventsRecorder;
