//! Discovery: which groups, versions and resources are served.

mod documents;
mod resources;

pub(crate) use documents::{aggregated, api_versions, group, groups, resource_list};
pub(crate) use resources::{Served, served, served_with};
