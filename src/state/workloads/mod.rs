//! Workloads and Services as the page shows them, made from their objects alone.

pub mod rollout;
mod service;
pub mod service_map;
mod strategy;
mod workload;

pub use service::{ServiceView, SliceView, service_view, slice_view};
pub use strategy::{Strategy, strategy};
pub(crate) use workload::controller;
pub use workload::{Counts, KINDS, Workload, kubectl_name, workload};
