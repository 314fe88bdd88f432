//! Observation: plain structs for people. Nothing of it is part of Kubernetes, none of it changes the world.

use podlab_sim::SimTime;

/// Something that is planned.
#[derive(Clone, Debug, PartialEq)]
pub struct Upcoming {
    /// When it will happen.
    pub at: SimTime,
    /// What it is about (`Pod`), empty for the cluster as a whole.
    pub kind: &'static str,
    /// Namespace of the object.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// What will happen.
    pub what: UpcomingKind,
}

impl Upcoming {
    /// Whether it is machinery that goes its round and changes nothing that a person sees, as a rule.
    pub fn is_routine(&self) -> bool {
        matches!(self.what, UpcomingKind::PodSync | UpcomingKind::Controller { .. } | UpcomingKind::Other(_))
    }
}

/// What will happen.
#[derive(Clone, Debug, PartialEq)]
pub enum UpcomingKind {
    /// The scheduler tries the pod.
    Schedule,
    /// The pod leaves the scheduler's back-off queue.
    SchedulerBackoffEnds,
    /// A probe fires.
    Probe {
        /// `liveness`, `readiness`, `startup`.
        probe: &'static str,
        /// Which container.
        container: String,
    },
    /// A container's back-off ends and it is started again.
    BackoffEnds {
        /// Which container.
        container: String,
    },
    /// An image pull is tried again.
    PullRetry {
        /// Which container.
        container: String,
    },
    /// An image pull ends.
    PullEnds {
        /// Which image.
        image: String,
    },
    /// The kubelet looks at the pod again.
    PodSync,
    /// The grace period ends and what still runs is killed.
    GraceEnds,
    /// A process wakes up or ends.
    Process {
        /// Which container.
        container: String,
    },
    /// A controller acts.
    Controller {
        /// Its name.
        controller: &'static str,
    },
    /// Anything else, in a few English words.
    Other(&'static str),
}
