//! What the stage shows, made from the cluster's objects. Views of objects are kept while the object is the same, so
//! a change costs what changed.

use crate::components::PodState;
pub(crate) use crate::components::Same;
use crate::state::Lab;
use crate::state::workloads::controller;
use podlab_api::kinds::{NAMESPACE, NODE, POD};
use podlab_api::printers::{pod_cells, table};
use podlab_api::resources::{PodResourcesOptions, pod_requests, resource_list};
use podlab_api::selector::Selector;
use podlab_api::{Door, Object, Quantity};
use podlab_cluster::observe::UpcomingKind;
use podlab_sim::SimTime;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::Arc;

/// A pod as its card shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PodView {
    pub(crate) uid: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// kubectl's STATUS.
    pub(crate) status: String,
    pub(crate) state: PodState,
    pub(crate) ready: usize,
    pub(crate) total: usize,
    pub(crate) restarts: i64,
    /// Nanoseconds since the epoch.
    pub(crate) created: i128,
    /// Empty: on none.
    pub(crate) node: String,
    /// Uid of the controller that owns it; empty for none.
    pub(crate) owner: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// Why it is not scheduled, in the scheduler's words.
    pub(crate) reason: String,
    /// Requests: thousandths of a CPU, bytes.
    pub(crate) cpu: i64,
    pub(crate) memory: i64,
    /// When its grace period ends, nanoseconds since the epoch.
    pub(crate) ends: Option<i128>,
    /// How long the present back-off lasts in all, in seconds.
    pub(crate) backoff: Option<f64>,
}

/// A node as the stage shows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NodeView {
    pub(crate) uid: String,
    pub(crate) name: String,
    /// kubectl's STATUS and ROLES.
    pub(crate) status: String,
    pub(crate) role: String,
    /// `key=value:Effect`.
    pub(crate) taints: Vec<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) cordoned: bool,
    /// Allocatable: thousandths of a CPU, bytes, pods.
    pub(crate) cpu: i64,
    pub(crate) memory: i64,
    pub(crate) pods: i64,
}

/// A node with what is on it.
#[derive(Clone, PartialEq)]
pub(crate) struct Column {
    pub(crate) node: Same<NodeView>,
    /// In the namespace that is shown, oldest first.
    pub(crate) pods: Vec<Same<PodView>>,
    /// In other namespaces.
    pub(crate) others: Vec<Same<PodView>>,
}

/// Everything on the stage.
pub(crate) struct Model {
    pub(crate) columns: Vec<Column>,
    /// Pods that are on no node.
    pub(crate) queue: Vec<Same<PodView>>,
    /// How many pods the scheduler's queues hold: active, backing off, unschedulable.
    pub(crate) queues: (usize, usize, usize),
    pub(crate) counts: BTreeMap<PodState, usize>,
    pub(crate) namespaces: Vec<String>,
    /// Pods in the namespace that is shown.
    pub(crate) pods: usize,
    /// When the back-off of a pod ends: `namespace/name` → instant.
    pub(crate) backoffs: HashMap<String, SimTime>,
    /// Probes that are planned: `namespace/name` → next instant.
    pub(crate) probes: Vec<(String, SimTime)>,
    pub(crate) now: SimTime,
}

/// Views of objects that were shown last.
#[derive(Default)]
pub(crate) struct Cache {
    pods: Views<PodView>,
    nodes: Views<NodeView>,
}

/// Objects with their views, in the store's order.
pub(super) type Views<T> = Vec<(Arc<Object>, Same<T>)>;

/// The views of objects that come in the store's order; what is the same as before keeps its view. Both lists are gone
/// through once, side by side.
pub(super) fn views<'a, T>(
    objects: impl Iterator<Item = &'a Arc<Object>>,
    before: &mut Views<T>,
    make: impl Fn(&Arc<Object>) -> T,
) -> Vec<Same<T>> {
    let mut old = std::mem::take(before).into_iter().peekable();
    for object in objects {
        let place = (object.namespace(), object.name());
        while old.next_if(|(o, _)| (o.namespace(), o.name()) < place).is_some() {}
        let kept = old.next_if(|(o, _)| Arc::ptr_eq(o, object)).map(|(_, view)| view);
        before.push((object.clone(), kept.unwrap_or_else(|| Same(Rc::new(make(object))))));
    }
    before.iter().map(|(_, view)| view.clone()).collect()
}

impl Model {
    /// Of what the lab shows; `namespace`: only that one's pods are on the stage.
    pub(crate) fn of(lab: &mut Lab, namespace: Option<&str>, cache: &mut Cache) -> Model {
        let cluster = lab.shown();
        let now = cluster.sim_now();
        let stamp = Door::now(cluster);
        let store = cluster.world().api.store();
        let mut pods = views(store.list(&POD), &mut cache.pods, |object| pod_view(object));
        pods.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
        let nodes = views(store.list(&NODE), &mut cache.nodes, |object| node_view(object, stamp));
        let namespaces = store.list(&NAMESPACE).map(|n| n.name().to_owned()).collect();

        let mut columns: Vec<Column> =
            nodes.into_iter().map(|node| Column { node, pods: Vec::new(), others: Vec::new() }).collect();
        let places: HashMap<String, usize> =
            columns.iter().enumerate().map(|(i, c)| (c.node.name.clone(), i)).collect();
        let mut queue = Vec::new();
        let mut counts = BTreeMap::new();
        let mut shown = 0;
        let mut backing_off = false;
        for pod in pods {
            let is_shown = namespace.is_none_or(|ns| ns == pod.namespace);
            if is_shown {
                *counts.entry(pod.state).or_default() += 1;
                shown += 1;
                backing_off |= pod.backoff.is_some();
            }
            match places.get(&pod.node).and_then(|i| columns.get_mut(*i)) {
                Some(column) if is_shown => column.pods.push(pod),
                Some(column) => column.others.push(pod),
                None if is_shown => queue.push(pod),
                None => {}
            }
        }
        // The agenda is long where many pods have probes; only few of its entries are looked for.
        let limit = if backing_off { 400 } else { 60 };
        let mut backoffs = HashMap::new();
        let mut probes = Vec::new();
        for entry in cluster.upcoming(limit) {
            let key = || format!("{}/{}", entry.namespace, entry.name);
            match entry.what {
                UpcomingKind::BackoffEnds { .. } | UpcomingKind::PullRetry { .. } => {
                    backoffs.entry(key()).or_insert(entry.at);
                }
                UpcomingKind::Probe { .. } => probes.push((key(), entry.at)),
                _ => {}
            }
        }
        let queues = cluster.world().scheduler.queue().lengths();
        Model { columns, queue, queues, counts, namespaces, pods: shown, backoffs, probes, now }
    }
}

fn pod_view(object: &Object) -> PodView {
    let cells = pod_cells(object);
    let node = object.node_name().unwrap_or_default().to_owned();
    let requests = object
        .pod_spec()
        .map(|spec| {
            pod_requests(spec, object.pod_status().map(AsRef::as_ref), &PodResourcesOptions::default())
        })
        .unwrap_or_default();
    let status = object.pod_status();
    let reason = status
        .into_iter()
        .flat_map(|s| s.conditions.iter().flatten())
        .find(|c| c.type_ == "PodScheduled" && c.status == "False")
        .and_then(|c| c.message.clone())
        .unwrap_or_default();
    let waiting = status.into_iter().flat_map(|s| {
        let containers = s.init_container_statuses.iter().chain(&s.container_statuses).flatten();
        containers.filter_map(|c| c.state.as_ref()?.waiting.as_ref())
    });
    let backoff = waiting.filter_map(|w| backoff_seconds(w.message.as_deref()?)).next();
    PodView {
        uid: object.uid().to_owned(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        state: PodState::of(&cells.status, cells.ready, cells.total, !node.is_empty()),
        status: cells.status,
        ready: cells.ready,
        total: cells.total,
        restarts: cells.restarts,
        created: object.metadata.creation_timestamp.as_ref().map_or(0, |t| t.0.as_nanosecond()),
        node,
        owner: controller(object).to_owned(),
        labels: object.metadata.labels.clone().unwrap_or_default(),
        reason,
        cpu: requests.get("cpu").map_or(0, Quantity::milli_value),
        memory: requests.get("memory").map_or(0, Quantity::value),
        ends: object.metadata.deletion_timestamp.as_ref().map(|t| t.0.as_nanosecond()),
        backoff,
    }
}

/// The length of a back-off, from the kubelet's message `back-off 1m20s restarting …`.
fn backoff_seconds(message: &str) -> Option<f64> {
    let text = message.strip_prefix("back-off ")?.split(' ').next()?;
    let mut seconds = 0.0;
    let mut number = String::new();
    for letter in text.chars() {
        match letter {
            '0'..='9' | '.' => number.push(letter),
            'h' | 'm' | 's' => {
                let unit = match letter {
                    'h' => 3600.0,
                    'm' => 60.0,
                    _ => 1.0,
                };
                seconds += std::mem::take(&mut number).parse::<f64>().ok()? * unit;
            }
            _ => return None,
        }
    }
    Some(seconds).filter(|s| *s > 0.0)
}

fn node_view(object: &Arc<Object>, now: podlab_api::door::Timestamp) -> NodeView {
    let table = table(&NODE, std::slice::from_ref(object), now);
    let cell = |i: usize| {
        let cell = table.rows.first().and_then(|r| r.cells.get(i)).and_then(|c| c.as_str());
        cell.unwrap_or_default().to_owned()
    };
    let spec = object.node_spec();
    let taints = spec.into_iter().flat_map(|s| s.taints.iter().flatten());
    let allocatable = resource_list(object.node_status().and_then(|s| s.allocatable.as_ref()));
    NodeView {
        uid: object.uid().to_owned(),
        name: object.name().to_owned(),
        status: cell(1),
        role: cell(2),
        taints: taints
            .map(|t| match t.value.as_deref() {
                Some(value) if !value.is_empty() => format!("{}={value}:{}", t.key, t.effect),
                _ => format!("{}:{}", t.key, t.effect),
            })
            .collect(),
        labels: object.metadata.labels.clone().unwrap_or_default(),
        cordoned: spec.is_some_and(|s| s.unschedulable == Some(true)),
        cpu: allocatable.get("cpu").map_or(0, Quantity::milli_value),
        memory: allocatable.get("memory").map_or(0, Quantity::value),
        pods: allocatable.get("pods").map_or(0, Quantity::value),
    }
}

/// What the selector says of a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Verdict {
    /// There is no selector.
    #[default]
    None,
    /// It matches; the keys that were asked for.
    Hit(Rc<[String]>),
    /// It does not; the first requirement that failed.
    Miss(String),
}

/// Asks the selector about a pod's labels.
pub(crate) fn verdict(selector: Option<&(Selector, Rc<[String]>)>, pod: &PodView) -> Verdict {
    let Some((selector, keys)) = selector else { return Verdict::None };
    // The first that failed in the order in which they were typed.
    let place = |key: &str| keys.iter().position(|k| k == key);
    let failed = selector.requirements().iter().filter(|r| !r.matches(&pod.labels));
    match failed.min_by_key(|r| place(r.key())) {
        Some(requirement) => Verdict::Miss(requirement.to_string()),
        None => Verdict::Hit(keys.clone()),
    }
}

/// `250m` of CPU.
pub(crate) fn cpu_text(milli: i64) -> String {
    format!("{milli}m")
}

/// `1.1Gi`, `64Mi` of memory.
pub(crate) fn memory_text(bytes: i64) -> String {
    const MI: f64 = 1024.0 * 1024.0;
    let mi = bytes as f64 / MI;
    if mi >= 1024.0 { format!("{:.1}Gi", mi / 1024.0) } else { format!("{mi:.0}Mi") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_s_stage_has_its_nodes_and_counts_one_namespace() {
        let mut lab = Lab::default();
        let mut cache = Cache::default();
        let all = Model::of(&mut lab, None, &mut cache);
        assert_eq!(all.columns.len(), 3);
        assert!(all.pods > 0);
        let one = Model::of(&mut lab, Some("default"), &mut cache);
        assert_eq!(one.pods, 0);
        // What did not change is the same view.
        assert!(one.columns[0].node == all.columns[0].node);
    }

    #[test]
    fn the_length_of_a_back_off_is_in_the_message() {
        let message = "back-off 1m20s restarting failed container=web pod=web-1_default(7c1e)";
        assert_eq!(backoff_seconds(message), Some(80.0));
        assert_eq!(backoff_seconds("Back-off pulling image"), None);
    }
}
