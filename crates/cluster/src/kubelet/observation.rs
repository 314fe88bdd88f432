//! What a person may see of a kubelet's mind.

use super::Kubelets;
use super::prober::{ProbeRecord, ProbeType};
use podlab_sim::{SimDuration, SimTime};

/// A restart's or a pull's back-off.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BackOffState {
    /// The present delay.
    pub delay: SimDuration,
    /// When it was last lengthened.
    pub since: SimTime,
    /// When it ends, counted from there.
    pub ends: SimTime,
}

/// A probe of a container.
#[derive(Clone, Debug, PartialEq)]
pub struct ProbeObservation {
    /// Which probe.
    pub kind: ProbeType,
    /// When it fires next.
    pub next: Option<SimTime>,
    /// The latest results, at most 20, oldest first.
    pub history: Vec<ProbeRecord>,
}

/// A container.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerObservation {
    /// Its name.
    pub name: String,
    /// Its probes.
    pub probes: Vec<ProbeObservation>,
    /// Its restart back-off, if it has one.
    pub back_off: Option<BackOffState>,
    /// When TERM becomes KILL, while it is being stopped.
    pub grace_ends: Option<SimTime>,
}

/// A pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodObservation {
    /// Its containers, init containers first.
    pub containers: Vec<ContainerObservation>,
    /// When the kubelet looks at it next by itself.
    pub next_sync: Option<SimTime>,
}

impl Kubelets {
    /// What the kubelet has in mind for the pod with this uid; `None` where no kubelet knows it.
    pub fn pod(&self, uid: &str) -> Option<PodObservation> {
        let w = self.pods.get(self.by_uid.get(uid)?)?;
        let spec = w.pod.pod_spec()?;
        let containers = spec
            .init_containers
            .iter()
            .flatten()
            .chain(&spec.containers)
            .map(|c| ContainerObservation {
                name: c.name.clone(),
                probes: w
                    .probes
                    .workers
                    .iter()
                    .filter(|p| *p.container == *c.name)
                    .map(|p| ProbeObservation {
                        kind: p.kind,
                        next: p.next_at(),
                        history: p.history.iter().cloned().collect(),
                    })
                    .collect(),
                back_off: w.crash_loop.get(&c.name).map(|e| BackOffState {
                    delay: e.backoff,
                    since: e.last_update,
                    ends: w.crash_loop_end(&c.name).unwrap_or(e.last_update + e.backoff),
                }),
                grace_ends: w.kills.iter().find(|k| k.name == c.name).and_then(|k| k.deadline()),
            })
            .collect();
        Some(PodObservation { containers, next_sync: w.requeue.map(|slot| slot.at) })
    }
}
