//! Things that go wrong, for teachers: each is one write or one fault of a machine, to an object of the learner's that is drawn by
//! the lab's seed. It goes the ordinary way, so undo takes it back.

use super::lab::{Lab, command_line};
use super::workloads::{Counts, KINDS, kubectl_name, workload};
use podlab_api::kinds::{NODE, POD, SERVICE};
use podlab_api::resources::{PodResourcesOptions, pod_requests, resource_list};
use podlab_api::{Object, Quantity};
use podlab_cluster::cluster::Act;
use podlab_sim::Draw;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// A template names an image that no registry has.
    BadImage,
    /// A template's first container ends with an error.
    Crash,
    /// A node's kubelet stops.
    LostNode,
    /// A Service selects no pod any more.
    WrongSelector,
    /// A template asks for more than any node has left.
    FullNode,
    /// A template's first container is never ready.
    FailingProbe,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 6] = [
        Fault::BadImage,
        Fault::Crash,
        Fault::LostNode,
        Fault::WrongSelector,
        Fault::FullNode,
        Fault::FailingProbe,
    ];

    fn name(self) -> &'static str {
        match self {
            Fault::BadImage => "bad image",
            Fault::Crash => "crash",
            Fault::LostNode => "lost node",
            Fault::WrongSelector => "wrong selector",
            Fault::FullNode => "full node",
            Fault::FailingProbe => "failing probe",
        }
    }
}

/// What was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// How.
    pub fault: Fault,
    /// `deployment/web`, `node/node01`.
    pub object: String,
    /// What it was changed to: an image, a command, a selector, an amount; empty where that says nothing.
    pub value: String,
    /// What was done, as a line.
    pub done: String,
    /// The kubectl line that shows it.
    pub look: String,
    /// Where among the lab's inputs it stands, and that input as text: it is undone when another one stands there.
    place: usize,
    input: String,
}

impl Broken {
    /// Whether it is part of the lab's history: not when it was taken back.
    pub fn stands(&self, lab: &Lab) -> bool {
        input(lab, self.place).as_ref() == Some(&self.input)
    }
}

fn input(lab: &Lab, place: usize) -> Option<String> {
    serde_json::to_string(lab.live().inputs().get(place)?).ok()
}

/// What is to be done.
enum Deed {
    /// Words after `kubectl`.
    Kubectl(Vec<String>),
    Machine(Act),
}

/// One way to break something.
struct Plan {
    deed: Deed,
    object: String,
    value: String,
    /// Words after `kubectl`.
    look: Vec<String>,
}

/// Namespaces that are not the learner's.
fn is_system(namespace: &str) -> bool {
    namespace.starts_with("kube-") || namespace == "local-path-storage"
}

fn words(list: &[&str], namespace: &str) -> Vec<String> {
    let mut line: Vec<String> = list.iter().map(|w| (*w).to_owned()).collect();
    if namespace != "default" && !namespace.is_empty() {
        line.extend(["-n".to_owned(), namespace.to_owned()]);
    }
    line
}

impl Lab {
    /// Breaks something; undo calls it `what`. `None` where the lab has nothing that fits.
    pub fn break_something(&mut self, fault: Fault, what: &str) -> Option<Broken> {
        self.return_to_now();
        let mut plans = plans(self, fault);
        let mut draw = Draw::keyed(
            self.live().world().settings.seed,
            "break something",
            fault.name(),
            self.live().inputs().len() as u64,
        );
        while !plans.is_empty() {
            let at = usize::try_from(draw.below(plans.len() as u64)).unwrap_or(0);
            let Plan { deed, object, value, look } = plans.swap_remove(at);
            let before = self.live().inputs().len();
            let done = match deed {
                Deed::Kubectl(line) => {
                    let line: Vec<&str> = line.iter().map(String::as_str).collect();
                    // Admission may refuse one: then another is tried.
                    self.act_unseen(what, &line).ok().then(|| command_line(&line))
                }
                Deed::Machine(act) => {
                    let line = match &act {
                        Act::StopKubelet(node) => format!("{node}: systemctl stop kubelet"),
                        _ => String::new(),
                    };
                    self.act_on_machine(what, act);
                    Some(line)
                }
            };
            let place = self.live().inputs().len().checked_sub(1).filter(|last| *last >= before);
            if let (Some(done), Some(place)) = (done, place)
                && let Some(input) = input(self, place)
            {
                let look = command_line(&look.iter().map(String::as_str).collect::<Vec<_>>());
                return Some(Broken { fault, object, value, done, look, place, input });
            }
        }
        None
    }

    /// Breaks something of any sort that the lab has something for, drawn by its seed.
    pub fn break_anything(&mut self, what: &str) -> Option<Broken> {
        let seed = self.live().world().settings.seed;
        let mut draw = Draw::keyed(seed, "break anything", "", self.live().inputs().len() as u64);
        let mut faults = Fault::ALL.to_vec();
        while !faults.is_empty() {
            let at = usize::try_from(draw.below(faults.len() as u64)).unwrap_or(0);
            let fault = faults.swap_remove(at);
            let broken = self.break_something(fault, what);
            if broken.is_some() {
                return broken;
            }
        }
        None
    }
}

fn plans(lab: &Lab, fault: Fault) -> Vec<Plan> {
    match fault {
        Fault::LostNode => lost_nodes(lab),
        Fault::WrongSelector => wrong_selectors(lab),
        _ => running(lab).iter().filter_map(|object| template_plan(lab, fault, object)).collect(),
    }
}

/// The learner's workloads that run pods now and replace them by themselves when their template changes.
fn running(lab: &Lab) -> Vec<Arc<Object>> {
    let store = lab.live().world().api.store();
    let kinds = KINDS.iter().filter(|k| matches!(k.kind, "Deployment" | "StatefulSet" | "DaemonSet"));
    let all = kinds.flat_map(|kind| store.list(kind));
    let fits = |object: &&Arc<Object>| {
        let view = workload(object);
        let manual = object
            .field("spec")
            .and_then(|s| s.get("updateStrategy")?.get("type")?.as_str())
            .is_some_and(|name| name == "OnDelete");
        let runs = matches!(view.counts, Counts::Replicas { ready, .. } if ready > 0);
        runs && !view.held && !manual && !is_system(&view.namespace) && !object.is_terminating()
    };
    all.filter(fits).cloned().collect()
}

/// A change of the template's first container.
fn template_plan(lab: &Lab, fault: Fault, object: &Object) -> Option<Plan> {
    let spec = object.field("spec")?.get("template")?.get("spec")?;
    let container = spec.get("containers")?.get(0)?;
    let name = container.get("name")?.as_str()?;
    let namespace = object.namespace();
    let target = format!("{}/{}", kubectl_name(object.kind.kind), object.name());
    let (change, value, look) = match fault {
        Fault::BadImage => {
            let image = container.get("image")?.as_str()?;
            let image = image.split('@').next().unwrap_or(image);
            let tag = image.rfind(':').filter(|at| !image[*at..].contains('/'));
            // A version that no image of the catalogue has, and that looks like a slip.
            let image = format!("{}:999.0", &image[..tag.unwrap_or(image.len())]);
            let look = words(&["get", &target, "-o", "wide"], namespace);
            (json!({"image": image}), image, look)
        }
        Fault::Crash => {
            let script = "echo 'cannot read /etc/app/config.yaml' >&2; exit 1";
            let look = words(&["describe", &target], namespace);
            (json!({"command": ["sh", "-c", script], "args": null}), format!("sh -c {script:?}"), look)
        }
        Fault::FullNode => {
            let has_limit = container.get("resources").and_then(|r| r.get("limits")?.get("cpu")).is_some();
            let cpu = too_much(lab, object).filter(|_| !has_limit)?;
            let look = words(&["get", "events", "--field-selector=reason=FailedScheduling"], namespace);
            (json!({"resources": {"requests": {"cpu": cpu}}}), format!("cpu: {cpu}"), look)
        }
        Fault::FailingProbe => {
            let probe = json!({"exec": {"command": ["cat", "/tmp/ready"]}, "httpGet": null, "tcpSocket": null, "grpc": null, "periodSeconds": 5});
            let look = words(&["get", "events", "--field-selector=reason=Unhealthy"], namespace);
            (json!({"readinessProbe": probe}), "cat /tmp/ready".to_owned(), look)
        }
        Fault::LostNode | Fault::WrongSelector => return None,
    };
    let mut container = change;
    container["name"] = json!(name);
    let patch = json!({"spec": {"template": {"spec": {"containers": [container]}}}}).to_string();
    let deed = Deed::Kubectl(words(&["patch", &target, "-p", &patch], namespace));
    Some(Plan { deed, object: target, value, look })
}

/// A request of cpu for which no node has room beside what others ask for, though one would alone.
fn too_much(lab: &Lab, object: &Object) -> Option<String> {
    let store = lab.live().world().api.store();
    let own = |pod: &Object| {
        // Pods of a Deployment are its ReplicaSets'; their names begin with its own.
        pod.namespace() == object.namespace() && pod.name().starts_with(&format!("{}-", object.name()))
    };
    let free = store.list(&NODE).map(|node| {
        let allocatable = resource_list(node.node_status().and_then(|s| s.allocatable.as_ref()));
        let all = allocatable.get("cpu").map_or(0, Quantity::milli_value);
        let others = store.pods_on_node(node.name()).filter(|pod| !own(pod));
        let asked: i64 = others
            .filter_map(|pod| {
                let requests = pod_requests(
                    pod.pod_spec()?,
                    pod.pod_status().map(AsRef::as_ref),
                    &PodResourcesOptions::default(),
                );
                requests.get("cpu").map(Quantity::milli_value)
            })
            .sum();
        all.saturating_sub(asked)
    });
    let most = free.max().filter(|free| *free > 0)?;
    Some(format!("{}m", most.saturating_add(100)))
}

/// Nodes that run pods of the learner's.
fn lost_nodes(lab: &Lab) -> Vec<Plan> {
    let store = lab.live().world().api.store();
    let pods = store.list(&POD).filter(|p| !is_system(p.namespace()) && !p.is_terminating());
    let used: BTreeSet<&str> = pods.filter_map(|p| p.node_name()).collect();
    let is_ready = |node: &str| {
        let node = store.get(&NODE, "", node);
        let conditions =
            node.and_then(|n| n.node_status()).into_iter().flat_map(|s| s.conditions.iter().flatten());
        conditions.into_iter().any(|c| c.type_ == "Ready" && c.status == "True")
    };
    used.into_iter()
        .filter(|node| is_ready(node))
        .map(|node| Plan {
            deed: Deed::Machine(Act::StopKubelet(node.to_owned())),
            object: format!("node/{node}"),
            value: String::new(),
            look: words(&["describe", "node", node], ""),
        })
        .collect()
}

/// Services of the learner's that select pods now.
fn wrong_selectors(lab: &Lab) -> Vec<Plan> {
    let store = lab.live().world().api.store();
    let plan = |service: &Arc<Object>| {
        let namespace = service.namespace();
        let selector = service.field("spec")?.get("selector")?.as_object()?;
        let meets = |pod: &Object, key: &str, value: &str| pod.label(key) == Some(value);
        let pods = || store.list_namespace(&POD, namespace);
        let selects = |pod: &&Arc<Object>| {
            selector.iter().all(|(key, value)| meets(pod, key, value.as_str().unwrap_or_default()))
        };
        pods().find(selects)?;
        let (key, value) = selector.iter().next()?;
        let value = value.as_str().unwrap_or_default();
        // The first value of this sort that no pod has.
        let wrong = (2..100)
            .map(|n| format!("{value}-v{n}"))
            .find(|wrong| wrong.len() <= 63 && !pods().any(|pod| meets(pod, key, wrong)))?;
        let patch = json!({"spec": {"selector": {key: wrong}}}).to_string();
        let name = service.name();
        Some(Plan {
            deed: Deed::Kubectl(words(&["patch", "service", name, "-p", &patch], namespace)),
            object: format!("service/{name}"),
            value: format!("{key}={wrong}"),
            look: words(&["describe", "service", name], namespace),
        })
    };
    store.list(&SERVICE).filter(|s| !is_system(s.namespace())).filter_map(plan).collect()
}

#[cfg(test)]
mod tests {
    use super::{Broken, Fault};
    use crate::state::Lab;
    use podlab_api::kinds::POD;
    use podlab_api::printers::pod_cells;
    use std::time::Duration;

    fn pass(lab: &mut Lab, seconds: u64) {
        lab.jump(lab.live().sim_now() + Duration::from_secs(seconds), &mut || true);
    }

    fn running() -> Lab {
        let mut lab = Lab::default();
        lab.enter("kubectl create deployment web --image=nginx:1.27 --replicas=3");
        lab.enter("kubectl expose deployment web --port=80");
        pass(&mut lab, 40);
        lab
    }

    fn states(lab: &Lab) -> Vec<String> {
        let store = lab.live().world().api.store();
        store.list_namespace(&POD, "default").map(|p| pod_cells(p).status).collect()
    }

    fn broken(lab: &mut Lab, fault: Fault) -> Broken {
        let before = lab.terminal.entries().len();
        let broken = lab.break_something(fault, "what was broken").unwrap();
        assert_eq!(lab.undo_what(), Some("what was broken"));
        assert_eq!(lab.terminal.entries().len(), before, "the terminal would give it away");
        assert!(broken.stands(lab));
        pass(lab, 60);
        let look: Vec<&str> = broken.look.split(' ').skip(1).collect();
        let shown = lab.ask(&look);
        assert!(shown.ok() && shown.text().lines().count() > 1, "{}: {shown:?}", broken.look);
        broken
    }

    #[test]
    fn each_fault_shows_and_undo_takes_it_back() {
        let shows: [(Fault, &[&str]); 4] = [
            (Fault::BadImage, &["ErrImagePull", "ImagePullBackOff"]),
            (Fault::Crash, &["CrashLoopBackOff", "Error"]),
            (Fault::FullNode, &["Pending"]),
            (Fault::FailingProbe, &["Running"]),
        ];
        for (fault, words) in shows {
            let mut lab = running();
            let broken = broken(&mut lab, fault);
            assert_eq!(broken.object, "deployment/web");
            let states = states(&lab);
            assert!(states.iter().any(|s| words.contains(&s.as_str())), "{fault:?}: {states:?}");
            assert!(lab.undo());
            assert!(!broken.stands(&lab));
            pass(&mut lab, 30);
            assert_eq!(self::states(&lab), ["Running", "Running", "Running"]);
            lab.enter("kubectl create namespace other");
            assert!(!broken.stands(&lab));
        }
    }

    #[test]
    fn a_probe_that_fails_keeps_the_new_pod_from_being_ready() {
        let mut lab = running();
        broken(&mut lab, Fault::FailingProbe);
        let store = lab.live().world().api.store();
        let mut cells = store.list_namespace(&POD, "default").map(|p| pod_cells(p));
        assert!(cells.any(|c| c.ready == 0));
    }

    #[test]
    fn a_node_is_lost_and_a_service_selects_nobody() {
        let mut lab = running();
        let node = broken(&mut lab, Fault::LostNode);
        assert!(lab.ask(&["get", "nodes"]).text().contains("NotReady"));
        assert!(node.object.starts_with("node/node0"), "{node:?}");
        let mut lab = running();
        let service = broken(&mut lab, Fault::WrongSelector);
        assert_eq!((service.object.as_str(), service.value.as_str()), ("service/web", "app=web-v2"));
        assert!(lab.ask(&["get", "endpointslices"]).text().contains("<unset>"));
    }

    #[test]
    fn where_nothing_fits_nothing_is_done() {
        let mut lab = Lab::default();
        for fault in Fault::ALL {
            assert_eq!(lab.break_something(fault, "x"), None);
        }
        assert_eq!(lab.break_anything("x"), None);
        assert_eq!((lab.live().inputs().len(), lab.undo_what()), (0, None));
    }

    #[test]
    fn what_is_drawn_depends_on_the_seed_alone() {
        let (mut a, mut b) = (running(), running());
        let (first, second) = (a.break_anything("x").unwrap(), b.break_anything("x").unwrap());
        assert_eq!(first, second);
    }
}
