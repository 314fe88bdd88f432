//! The API server: the rules by which objects are read and written.
//!
//! [`ApiServer::request`] is the door's side of it. Components inside the cluster use the typed methods in
//! [`registry`], which run the same strategies and admission.

mod accepted;
pub mod admission;
pub(crate) mod allocators;
mod binding;
mod bodies;
mod component_status;
mod decode;
mod definitions;
mod delete_options;
mod disabled_fields;
pub(crate) mod eviction;
mod field_managers;
mod handlers;
pub mod leases;
mod pod;
pub(crate) mod rbac;
mod reads;
pub mod registry;
mod scale;
mod service;
mod strategy;
mod token;
mod versions;

pub(crate) use allocators::CLUSTER_IPS;
pub use registry::DeleteOptions;
pub(crate) use token::MOUNTED as MOUNTED_TOKEN;

use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::store::Store;
use podlab_sim::{Draw, SimTime};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The API server's state: the store, the clock it stamps objects with, and what it hands out.
#[derive(Clone, Debug)]
pub struct ApiServer {
    pub(crate) store: Store,
    settings: Arc<Settings>,
    now: SimTime,
    /// How many uids and name suffixes have been drawn.
    drawn: u64,
    /// ClusterIPs that are taken, as the last two bytes of `10.96.0.0/16`.
    cluster_ips: BTreeSet<u16>,
    /// Node ports that are taken.
    node_ports: BTreeSet<u16>,
    /// node → since when its kubelet renews its lease.
    renewals: BTreeMap<String, leases::Renewal>,
    /// What pods and nodes use, served as an API of its own.
    pub(crate) metrics: Metrics,
    /// The pods whose like need not be looked at again.
    accepted: accepted::AcceptedPods,
    /// The kinds that CustomResourceDefinitions make, as the store has these.
    defined: Vec<&'static podlab_api::Kind>,
    /// Who asks now; `None` for the administrator, and for components.
    requester: Option<Arc<podlab_api::door::UserInfo>>,
}

impl ApiServer {
    /// An empty store at the start of virtual time.
    pub fn new(settings: Arc<Settings>) -> ApiServer {
        ApiServer {
            store: Store::default(),
            now: settings.start,
            settings,
            drawn: 0,
            cluster_ips: BTreeSet::new(),
            node_ports: BTreeSet::new(),
            renewals: BTreeMap::new(),
            metrics: Metrics::default(),
            accepted: Default::default(),
            defined: Vec::new(),
            requester: None,
        }
    }

    /// What the cluster was built from.
    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The objects.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The present instant.
    pub fn now(&self) -> SimTime {
        self.now
    }

    pub(crate) fn set_now(&mut self, now: SimTime) {
        self.now = now;
    }

    /// A draw of the API server's own: uids and name suffixes.
    fn draw(&mut self, what: &str) -> Draw {
        self.drawn += 1;
        Draw::keyed(self.settings.seed, "apiserver", what, self.drawn)
    }
}
