//! Measured workloads: the same code runs natively and in the page, with a clock that the caller brings.

use crate::{Cluster, Profile, Settings, Turn};
use podlab_api::{Door, Request, kinds};
use podlab_sim::SimDuration;
use serde_json::{Value, json};

/// How long a turn may last before the cluster is asked to stop, in milliseconds: what the page gives it.
const TURN_MS: f64 = 4.0;
/// A workload that has not settled after so much virtual time is given up.
const GIVE_UP: SimDuration = SimDuration::from_secs(3600);

/// What a workload cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// Time in the cluster, in milliseconds of the caller's clock.
    pub cpu_ms: f64,
    /// The longest turn.
    pub longest_slice_ms: f64,
    /// Virtual seconds that passed.
    pub virtual_seconds: f64,
    /// Pods that were Ready (or had restarted, or were stored) at the end.
    pub pods: usize,
}

impl Figures {
    /// What one pod cost, in microseconds; 0 where there is none.
    pub fn each_us(&self) -> f64 {
        if self.pods == 0 { 0.0 } else { self.cpu_ms * 1000.0 / self.pods as f64 }
    }
}

/// The workloads by name; the last column says whether it is measured natively alone.
pub const ALL: &[(&str, bool)] = &[
    ("settle_3_10", false),
    ("settle_10_100", false),
    ("settle_100_1000", false),
    ("settle_5000_100000", true),
    ("hour_1000_probed", false),
    ("hour_20_crashing", false),
    ("admit_pod", false),
    ("admit_pod_cold", false),
];

/// How many pods `admit_pod` measures, after as many that it does not: by then an engine has compiled what is called
/// often. `admit_pod_cold` measures the first ones.
const ADMITTED: usize = 2000;

struct Meter<'a> {
    clock: &'a mut dyn FnMut() -> f64,
    figures: Figures,
}

impl Meter<'_> {
    fn turn<R>(&mut self, act: impl FnOnce(&mut dyn FnMut() -> f64) -> R) -> R {
        let begun = (self.clock)();
        let result = act(self.clock);
        let took = (self.clock)() - begun;
        self.figures.cpu_ms += took;
        self.figures.longest_slice_ms = self.figures.longest_slice_ms.max(took);
        result
    }

    fn run_for(&mut self, cluster: &mut Cluster, time: SimDuration) {
        let until = cluster.sim_now() + time;
        loop {
            let done = self.turn(|clock| {
                let mut turn = Turn::new(clock(), TURN_MS);
                cluster.run_until(until, || turn.goes_on(&mut *clock))
            });
            if done {
                return;
            }
        }
    }
}

/// Runs a workload; `clock` gives milliseconds. `None` for an unknown name.
pub fn run(name: &str, clock: &mut dyn FnMut() -> f64) -> Option<Figures> {
    let mut meter = Meter { clock, figures: Figures::default() };
    match name.split_once('_')? {
        ("settle", sizes) => {
            let (nodes, pods) = sizes.split_once('_')?;
            settle(nodes.parse().ok()?, pods.parse().ok()?, &mut meter, &plain);
        }
        ("hour", "1000_probed") => {
            let mut cluster = settle(100, 1000, &mut meter, &probed);
            meter.figures = Figures::default();
            meter.run_for(&mut cluster, SimDuration::from_secs(3600));
            meter.figures.virtual_seconds = 3600.0;
            meter.figures.pods = ready(&mut cluster);
        }
        ("hour", "20_crashing") => {
            let mut cluster = Cluster::forgetful(Settings::workers(3, Profile::Bare));
            create(&mut cluster, 20, &mut meter, &crashing);
            meter.run_for(&mut cluster, SimDuration::from_secs(3600));
            meter.figures.virtual_seconds = 3600.0;
            meter.figures.pods = restarted(&mut cluster);
        }
        ("admit", "pod") => admit(&mut meter, ADMITTED),
        ("admit", "pod_cold") => admit(&mut meter, 0),
        _ => return None,
    }
    Some(meter.figures)
}

fn settle(nodes: usize, pods: usize, meter: &mut Meter<'_>, pod: &dyn Fn(usize) -> Value) -> Cluster {
    let mut settings = Settings::workers(nodes, Profile::Bare);
    for node in &mut settings.nodes {
        node.cpu = "16".to_owned();
        node.memory = "64Gi".to_owned();
    }
    let mut cluster = Cluster::forgetful(settings);
    create(&mut cluster, pods, meter, pod);
    let begun = cluster.sim_now();
    while ready(&mut cluster) < pods && cluster.sim_now().since(begun) < GIVE_UP {
        meter.run_for(&mut cluster, SimDuration::from_secs(1));
    }
    meter.figures.virtual_seconds = cluster.sim_now().since(begun).as_secs_f64();
    meter.figures.pods = ready(&mut cluster);
    cluster
}

fn create(cluster: &mut Cluster, pods: usize, meter: &mut Meter<'_>, pod: &dyn Fn(usize) -> Value) {
    for index in 0..pods {
        let request = Request::create(&kinds::POD, "default", pod(index));
        meter.turn(|_| cluster.request(request));
    }
}

/// Decodes, defaults, validates, admits and stores pods of some 40 lines of YAML each, sent as JSON. No two have the same
/// spec, so that none is known from the one before.
fn admit(meter: &mut Meter<'_>, before: usize) {
    let mut cluster = Cluster::forgetful(Settings::workers(3, Profile::Api));
    for index in 0..before + ADMITTED {
        if index == before {
            meter.figures = Figures::default();
        }
        let sent = forty_lines(index).to_string();
        meter.turn(|_| {
            if let Ok(body) = serde_json::from_str(&sent) {
                cluster.request(Request::create(&kinds::POD, "default", body));
            }
        });
    }
    meter.figures.pods = count(&mut cluster, |_| true) - before;
}

fn forty_lines(index: usize) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": format!("web-{index}"), "labels": {"app": "web", "tier": "front"},
            "annotations": {"example.com/owner": "team-a"}},
        "spec": {
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "initContainers": [{"name": "init", "image": "busybox:1.36", "command": ["sh", "-c", "echo ready"]}],
            "containers": [{
                "name": "web", "image": "nginx:1.27",
                "ports": [{"name": "http", "containerPort": 80}],
                "env": [{"name": "INDEX", "value": index.to_string()}, {"name": "MODE", "value": "production"}],
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
                "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 10},
                "readinessProbe": {"httpGet": {"path": "/", "port": 80}},
                "volumeMounts": [{"name": "cache", "mountPath": "/var/cache/nginx"}]}],
            "volumes": [{"name": "cache", "emptyDir": {}}],
            "tolerations": [{"key": "dedicated", "operator": "Equal", "value": "web", "effect": "NoSchedule"}]}})
}

fn plain(index: usize) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("pod-{index}"), "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx:1.27",
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}]}})
}

fn probed(index: usize) -> Value {
    let mut pod = plain(index);
    let probe = json!({"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10});
    pod["spec"]["containers"][0]["livenessProbe"] = probe.clone();
    pod["spec"]["containers"][0]["readinessProbe"] = probe;
    pod
}

fn crashing(index: usize) -> Value {
    let mut pod = plain(index);
    pod["spec"]["containers"][0]["image"] = "busybox:1.36".into();
    pod["spec"]["containers"][0]["command"] = json!(["sh", "-c", "echo going; exit 1"]);
    pod
}

fn count(cluster: &mut Cluster, test: impl Fn(&podlab_api::Object) -> bool) -> usize {
    match cluster.request(Request::list(&kinds::POD, "default")).into_list() {
        Ok(list) => list.items.iter().filter(|pod| test(pod)).count(),
        Err(_) => 0,
    }
}

fn ready(cluster: &mut Cluster) -> usize {
    count(cluster, |pod| {
        let conditions = pod.pod_status().and_then(|s| s.conditions.as_ref());
        conditions.is_some_and(|c| c.iter().any(|c| c.type_ == "Ready" && c.status == "True"))
    })
}

fn restarted(cluster: &mut Cluster) -> usize {
    count(cluster, |pod| {
        let statuses = pod.pod_status().and_then(|s| s.container_statuses.as_ref());
        statuses.is_some_and(|s| s.iter().any(|s| s.restart_count > 0))
    })
}
