//! What a cluster is built from.

use podlab_sim::SimTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which components a cluster has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Profile {
    /// Everything, with the kube-system pods that kubeadm makes.
    #[default]
    Full,
    /// Everything but system pods.
    Bare,
    /// API server alone: no scheduler, controllers, kubelets.
    Api,
    /// No kubelets, no system pods; with scheduler, and the controllers whose work it waits for: volumes are bound to
    /// claims, and disruption budgets know their pods.
    Scheduling,
    /// No kubelets, no system pods; with scheduler and controllers.
    Controllers,
}

impl Profile {
    /// Whether pods are scheduled.
    pub fn has_scheduler(self) -> bool {
        self != Profile::Api
    }

    /// Whether nodes run pods.
    pub fn has_kubelets(self) -> bool {
        matches!(self, Profile::Full | Profile::Bare)
    }

    /// Whether any controllers act.
    pub fn has_controllers(self) -> bool {
        self != Profile::Api
    }

    /// Whether all controllers act.
    pub fn has_all_controllers(self) -> bool {
        matches!(self, Profile::Full | Profile::Bare | Profile::Controllers)
    }

    /// Whether kube-system is filled.
    pub fn has_system_pods(self) -> bool {
        self == Profile::Full
    }
}

/// A node to begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeSettings {
    /// Its name, also its hostname.
    pub name: String,
    /// CPUs as a quantity.
    pub cpu: String,
    /// Memory as a quantity.
    pub memory: String,
    /// How many pods fit.
    pub pods: u32,
    /// Labels beside those that every node gets.
    pub labels: BTreeMap<String, String>,
    /// Whether it is a control plane node: its role label, taint and static pods.
    pub control_plane: bool,
    /// Images that are on it from the start.
    pub images: Vec<String>,
}

impl NodeSettings {
    /// A worker as in exam labs: 2 CPUs, 4 GiB, 110 pods.
    pub fn worker(name: &str) -> NodeSettings {
        NodeSettings {
            name: name.to_owned(),
            cpu: "2".to_owned(),
            memory: "4Gi".to_owned(),
            pods: 110,
            labels: BTreeMap::new(),
            control_plane: false,
            images: Vec::new(),
        }
    }

    /// A control plane node of the same size.
    pub fn control_plane(name: &str) -> NodeSettings {
        NodeSettings { control_plane: true, ..NodeSettings::worker(name) }
    }
}

/// What a cluster is built from; the same settings always build the same cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Draws depend on it.
    pub seed: u64,
    /// The virtual instant at which the lab begins.
    pub start: SimTime,
    /// Which components there are.
    pub profile: Profile,
    /// The nodes, 1 to 5,000.
    pub nodes: Vec<NodeSettings>,
    /// Images that come slowly: name without tag, as pods write it → how long a pull takes, in seconds.
    #[serde(default)]
    pub slow_images: BTreeMap<String, u32>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            seed: 1,
            start: SimTime::START,
            profile: Profile::Full,
            nodes: vec![
                NodeSettings::control_plane("controlplane"),
                NodeSettings::worker("node01"),
                NodeSettings::worker("node02"),
            ],
            slow_images: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// `count` alike workers named `node-1`, `node-2`, … and no control plane node: for benches and tests.
    pub fn workers(count: usize, profile: Profile) -> Settings {
        let nodes = (1..=count).map(|i| NodeSettings::worker(&format!("node-{i}"))).collect();
        Settings { profile, nodes, ..Settings::default() }
    }
}
