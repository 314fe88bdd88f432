//! CronJob: its names and what may be done with it.

use super::{BodyType, Kind, Support};

/// The registry entry of CronJob.
pub const KIND: Kind = Kind {
    group: "batch",
    version: "v1",
    kind: "CronJob",
    plural: "cronjobs",
    singular: "cronjob",
    short_names: &["cj"],
    categories: &["all"],
    namespaced: true,
    subresources: &["status"],
    body: BodyType::Tree,
    support: Support::Simulated,
};
