//! Job: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of Job.
pub const KIND: Kind = Kind {
    group: "batch",
    version: "v1",
    kind: "Job",
    plural: "jobs",
    singular: "job",
    short_names: &[],
    categories: &["all"],
    namespaced: true,
    subresources: &["status"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
