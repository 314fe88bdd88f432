//! What a person can do about each thing that keeps a pod from a node: as changed manifests and kubectl lines.

use super::inspect::amount;
use super::lab::command_line;
use super::pod_edits as edit;
use podlab_api::selector::Selector;
use podlab_cluster::scheduler::fix::{ClaimWants, Fix, Wish};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A change of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The words of a kubectl line after `kubectl`.
    Kubectl(Vec<String>),
    /// A manifest to be applied.
    Create(Value),
}

impl Change {
    fn kubectl(words: &[&str]) -> Change {
        Change::Kubectl(words.iter().map(|w| (*w).to_owned()).collect())
    }

    /// `kubectl label node worker-1 disk=ssd`, `Pod peer`.
    pub fn text(&self) -> String {
        match self {
            Change::Kubectl(words) => command_line(&words.iter().map(String::as_str).collect::<Vec<_>>()),
            Change::Create(manifest) => {
                let text =
                    |pointer: &str| manifest.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
                format!("{} {}", text("/kind"), text("/metadata/name"))
            }
        }
    }
}

/// What a way changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Does {
    /// The pod's manifest.
    Pod(Value),
    /// The cluster.
    Cluster(Vec<Change>),
    /// A node is added.
    AddNode,
}

/// What a way is, for its words.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Ask for less.
    AskLess {
        /// Of what.
        resource: String,
        /// Asked for now.
        from: String,
        /// What fits.
        to: String,
    },
    /// Delete pods.
    DeletePods {
        /// `namespace/name`.
        pods: Vec<String>,
    },
    /// Tolerate a taint.
    Tolerate(String),
    /// Take a taint off the node.
    Untaint(String),
    /// Uncordon the node.
    Uncordon,
    /// Label the node.
    Label(String),
    /// Take a label off the node.
    Unlabel(String),
    /// Drop the pod's wish.
    DropWish(String),
    /// Name this node in the pod's affinity.
    NameThisNode,
    /// Let the scheduler choose the node.
    DropNodeName,
    /// Use another host port.
    OtherPort {
        /// Taken.
        from: i32,
        /// Free.
        to: i32,
    },
    /// Take a scheduling gate away.
    DropGate(String),
    /// Run a pod that the affinity finds.
    RunPeer(String),
    /// Make a required rule a preference.
    Prefer(String),
    /// Take labels off the pod.
    DropLabels(String),
    /// Allow more skew.
    AllowSkew {
        /// Allowed now.
        from: i64,
        /// What there would be.
        to: i64,
    },
    /// Create a claim.
    CreateClaim(String),
    /// Delete a claim and create it anew.
    RecreateClaim(String),
    /// Create a volume.
    CreateVolume {
        /// For this claim.
        claim: String,
        /// Its size.
        storage: String,
        /// Its class.
        class: String,
    },
    /// Add a node.
    AddNode,
}

/// One way to do away with what keeps a pod from a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// What it is.
    pub what: What,
    /// What it changes.
    pub does: Does,
    /// Less is tried first: what changes little comes before what changes much.
    pub cost: u32,
}

/// The ways to do away with something that keeps a pod, of which `manifest` is the manifest, from a node; any one is
/// enough. None where only time or somebody outside of the cluster helps.
pub fn ways(fix: &Fix, node: &str, manifest: &Value) -> Vec<Way> {
    let mut ways = Ways { list: Vec::new(), manifest };
    match fix {
        Fix::FreeResource { resource, requested, free, holders, .. } => {
            ways.ask_less(resource, *requested, *free, 20);
            ways.delete(holders.iter().map(|h| h.pod.as_str()), 40);
        }
        Fix::LowerRequest { resource, requested, free, .. } => ways.ask_less(resource, *requested, *free, 30),
        Fix::TolerateTaint { key, value, effect } => {
            let taint =
                if value.is_empty() { format!("{key}:{effect}") } else { format!("{key}={value}:{effect}") };
            ways.edit(
                What::Tolerate(taint.clone()),
                edit::tolerating(manifest.clone(), key, value, effect),
                15,
            );
            ways.run(What::Untaint(taint), &["taint", "node", node, &format!("{key}:{effect}-")], 25);
        }
        Fix::Uncordon => {
            ways.run(What::Uncordon, &["uncordon", node], 5);
            let (key, effect) = ("node.kubernetes.io/unschedulable", "NoSchedule");
            let tolerating = edit::tolerating(manifest.clone(), key, "", effect);
            ways.edit(What::Tolerate(format!("{key}:{effect}")), tolerating, 35);
        }
        Fix::LabelNode { key, value, current, requirement, wish } => {
            let label = format!("{key}={value}");
            let mut words = vec!["label", "node", node, label.as_str()];
            if current.is_some() {
                words.push("--overwrite");
            }
            ways.run(What::Label(label.clone()), &words, 10);
            ways.drop_wish(*wish, key, requirement);
        }
        Fix::UnlabelNode { key, requirement, wish } => {
            ways.run(What::Unlabel(key.clone()), &["label", "node", node, &format!("{key}-")], 10);
            ways.drop_wish(*wish, key, requirement);
        }
        Fix::NameNode { .. } => {
            ways.edit(What::NameThisNode, edit::naming_node(manifest.clone(), node), 30);
        }
        Fix::ChangeNodeName { .. } => {
            ways.edit(What::DropNodeName, edit::without_node_name(manifest.clone()), 10);
        }
        Fix::FreeHostPort { port, protocol, pods, other } => {
            if let Some(other) = other {
                let edited = edit::on_host_port(manifest.clone(), *port, protocol, *other);
                ways.edit(What::OtherPort { from: *port, to: *other }, edited, 20);
            }
            ways.delete(pods.iter().map(String::as_str), 40);
        }
        Fix::RemoveGate { name } => {
            ways.edit(What::DropGate(name.clone()), edit::without_gate(manifest.clone(), name), 1);
        }
        Fix::NeedPod { selector, topology_key, domain, namespace, labels, term } => {
            let peer = peer(manifest, namespace, labels, topology_key, domain);
            ways.change(What::RunPeer(selector.clone()), vec![Change::Create(peer)], 30);
            let soft = edit::with_soft_affinity(manifest.clone(), false, *term);
            ways.edit(What::Prefer(selector.clone()), soft, 35);
        }
        Fix::AvoidPod { selector, pods, count, term, .. } => {
            match term {
                Some(term) => {
                    let soft = edit::with_soft_affinity(manifest.clone(), true, *term);
                    ways.edit(What::Prefer(selector.clone()), soft, 30);
                }
                None => {
                    let parsed = Selector::parse(selector).unwrap_or(Selector::Nothing);
                    let keys: Vec<&str> = parsed.requirements().iter().map(|r| r.key()).collect();
                    let without = edit::without_labels(manifest.clone(), &keys);
                    ways.edit(What::DropLabels(keys.join(", ")), without, 30);
                }
            }
            if *count == pods.len() {
                ways.delete(pods.iter().map(String::as_str), 40);
            }
        }
        Fix::ReduceSkew { topology_key, skew, max_skew, constraint, .. } => {
            let soft = match constraint {
                Some(constraint) => {
                    let allowing = edit::with_max_skew(manifest.clone(), *constraint, *skew);
                    ways.edit(What::AllowSkew { from: *max_skew, to: *skew }, allowing, 20);
                    edit::with_soft_spread(manifest.clone(), *constraint)
                }
                // A constraint of its own keeps the scheduler's away from a pod.
                None => edit::with_own_soft_spread(manifest.clone(), topology_key, *max_skew),
            };
            ways.edit(What::Prefer("topologySpreadConstraints".to_owned()), soft, 25);
        }
        Fix::CreateClaim { claim } => {
            let made = new_claim(manifest, claim, None);
            ways.change(What::CreateClaim(claim.clone()), vec![Change::Create(made)], 10);
        }
        Fix::RecreateClaim { claim, wants, .. } => {
            let mut words = vec!["delete", "pvc", claim.as_str()];
            let namespace = namespace_of(manifest);
            if namespace != "default" {
                words.extend(["-n", namespace]);
            }
            let made = new_claim(manifest, claim, Some(wants));
            let changes = vec![Change::kubectl(&words), Change::Create(made)];
            ways.change(What::RecreateClaim(claim.clone()), changes, 30);
        }
        Fix::ProvideVolume { claim, wants, .. } => {
            let what = What::CreateVolume {
                claim: claim.clone(),
                storage: wants.storage.clone(),
                class: wants.class.clone(),
            };
            ways.change(what, vec![Change::Create(new_volume(claim, wants, node))], 15);
        }
        Fix::ReleaseClaim { pods, .. } | Fix::FreeDisk { pods, .. } => {
            ways.delete(pods.iter().map(String::as_str), 40);
        }
        Fix::AddNode => ways.list.push(Way { what: What::AddNode, does: Does::AddNode, cost: 90 }),
        Fix::WaitForClaim { .. } | Fix::VolumeElsewhere { .. } => {}
    }
    ways.list
}

struct Ways<'a> {
    list: Vec<Way>,
    manifest: &'a Value,
}

impl Ways<'_> {
    fn edit(&mut self, what: What, edited: Option<Value>, cost: u32) {
        self.list.extend(edited.map(|manifest| Way { what, does: Does::Pod(manifest), cost }));
    }

    fn change(&mut self, what: What, changes: Vec<Change>, cost: u32) {
        self.list.push(Way { what, does: Does::Cluster(changes), cost });
    }

    fn run(&mut self, what: What, words: &[&str], cost: u32) {
        self.change(what, vec![Change::kubectl(words)], cost);
    }

    fn ask_less(&mut self, resource: &str, requested: i64, most: i64, cost: u32) {
        if resource == "pods" {
            return;
        }
        let (from, to) = (amount(resource, requested), amount(resource, most));
        let edited = edit::asking_at_most(self.manifest.clone(), resource, most);
        self.edit(What::AskLess { resource: resource.to_owned(), from, to }, edited, cost);
    }

    /// Deletes pods, those of each namespace with one line.
    fn delete<'p>(&mut self, pods: impl Iterator<Item = &'p str>, cost: u32) {
        let all: Vec<&str> = pods.collect();
        let mut by_namespace: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (namespace, name) in all.iter().filter_map(|pod| pod.split_once('/')) {
            by_namespace.entry(namespace).or_default().push(name);
        }
        let line = |(namespace, names): (&str, Vec<&str>)| {
            let mut words = vec!["delete", "pod"];
            words.extend(names);
            if namespace != "default" {
                words.extend(["-n", namespace]);
            }
            Change::kubectl(&words)
        };
        let changes: Vec<Change> = by_namespace.into_iter().map(line).collect();
        if !changes.is_empty() {
            let pods = all.into_iter().map(str::to_owned).collect();
            self.change(What::DeletePods { pods }, changes, cost);
        }
    }

    fn drop_wish(&mut self, wish: Wish, key: &str, requirement: &str) {
        let manifest = self.manifest.clone();
        let (what, edited) = match wish {
            Wish::NodeSelector => {
                (What::DropWish(requirement.to_owned()), edit::without_node_selector(manifest, key))
            }
            Wish::NodeAffinity(term) => {
                (What::DropWish(requirement.to_owned()), edit::without_node_affinity(manifest, term, key))
            }
            Wish::Spread(constraint) => {
                let what = What::Prefer("topologySpreadConstraints".to_owned());
                (what, edit::with_soft_spread(manifest, constraint))
            }
            Wish::PodAffinity(term) => {
                (What::Prefer("podAffinity".to_owned()), edit::with_soft_affinity(manifest, false, term))
            }
            Wish::Added | Wish::Volume | Wish::Several => return,
        };
        self.edit(what, edited, 30);
    }
}

fn namespace_of(manifest: &Value) -> &str {
    manifest.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or("default")
}

/// A pod that affinity finds in a domain.
fn peer(
    manifest: &Value,
    namespace: &str,
    labels: &BTreeMap<String, String>,
    topology_key: &str,
    domain: &str,
) -> Value {
    let name = manifest.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("pod");
    let mut spec = json!({
        "nodeSelector": { topology_key: domain },
        "containers": [{"name": "peer", "image": "nginx"}],
    });
    if let Some(tolerations) = manifest.pointer("/spec/tolerations") {
        spec["tolerations"] = tolerations.clone();
    }
    let metadata = json!({"name": format!("{name}-peer"), "namespace": namespace, "labels": labels});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
}

/// A claim, of the default class and 1Gi where nothing else is known.
fn new_claim(manifest: &Value, name: &str, wants: Option<&ClaimWants>) -> Value {
    let storage = wants.map_or("1Gi", |w| &w.storage);
    let modes = wants.map_or_else(|| vec!["ReadWriteOnce".to_owned()], |w| w.access_modes.clone());
    let mut spec = json!({"accessModes": modes, "resources": {"requests": {"storage": storage}}});
    if let Some(class) = wants.map(|w| &w.class).filter(|class| !class.is_empty()) {
        spec["storageClassName"] = json!(class);
    }
    let metadata = json!({"name": name, "namespace": namespace_of(manifest)});
    json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})
}

/// A volume that a claim can be bound to.
fn new_volume(claim: &str, wants: &ClaimWants, node: &str) -> Value {
    let mut spec = json!({
        "capacity": {"storage": wants.storage},
        "accessModes": wants.access_modes,
        "volumeMode": wants.volume_mode,
        "persistentVolumeReclaimPolicy": "Retain",
    });
    if !wants.class.is_empty() {
        spec["storageClassName"] = json!(wants.class);
    }
    let path = format!("/mnt/{claim}");
    if wants.volume_mode == "Block" && !node.is_empty() {
        // A directory of the host is no block device.
        spec["local"] = json!({"path": path});
        let expression = json!({"key": "kubernetes.io/hostname", "operator": "In", "values": [node]});
        spec["nodeAffinity"] =
            json!({"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}});
    } else {
        spec["hostPath"] = json!({"path": path});
    }
    let mut metadata = json!({"name": format!("pv-{claim}")});
    if !wants.labels.is_empty() {
        metadata["labels"] = json!(wants.labels);
    }
    json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": metadata, "spec": spec})
}
