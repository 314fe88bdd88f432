//! What was decided about a pod, and why: for people.

pub use super::fix::{ClaimWants, Fix, Holder, Wish};
use super::framework::{Code, PluginId, Reason};
use super::scoring::{Basis, Scoring};
use crate::store::Key;
use podlab_sim::SimTime;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How many decisions are kept of one pod.
pub const KEPT_PER_POD: usize = 20;
/// How many decisions are kept in all.
pub const KEPT: usize = 4000;
/// Up to how many nodes a decision tells everything about; of more, only the most telling.
pub const NODES_TOLD: usize = 32;

/// One attempt to schedule a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Namespace and name of the pod.
    pub pod: Arc<Key>,
    /// Its uid.
    pub uid: String,
    /// When it was tried.
    pub at: SimTime,
    /// Which attempt it was, from 1.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// How many nodes there were.
    pub all_nodes: usize,
    /// How many of them were looked at: enough feasible ones may have been found before the others.
    pub evaluated_nodes: usize,
    /// How many were feasible.
    pub feasible_nodes: usize,
    /// reason → number of nodes it ruled out.
    pub reasons: BTreeMap<Reason, usize>,
    /// What was found about nodes: all up to [`NODES_TOLD`]; of more, those with the best scores, then some
    /// of each reason.
    pub nodes: Vec<NodeVerdict>,
    /// Where several nodes shared the best score.
    pub tie: Option<Tie>,
    /// How the nodes were scored; `None` where they were not.
    pub scoring: Option<Arc<Scoring>>,
    /// The message of the event.
    pub message: String,
    /// Fields of the pod that a real scheduler would heed and this one does not.
    pub not_simulated: Vec<&'static str>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was put on a node.
    Bound {
        /// Which.
        node: Arc<str>,
    },
    /// It fits nowhere.
    Unschedulable {
        /// The node on which room is being made by evicting others.
        nominated: Option<Arc<str>>,
        /// The pods that are evicted for it.
        victims: Vec<Arc<Key>>,
        /// What would help on every node alike, where no node was looked at.
        fixes: Vec<Fix>,
    },
    /// It has a node, and is put there when volumes have been made for its claims.
    WaitingForVolumes {
        /// Which node.
        node: Arc<str>,
        /// The claims.
        claims: Vec<String>,
    },
    /// Scheduling gates hold it back.
    Gated {
        /// Their names.
        gates: Vec<String>,
    },
    /// The scheduler failed.
    Error,
}

/// What was found about one node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeVerdict {
    /// Its name.
    pub node: Arc<str>,
    /// The verdict.
    pub verdict: Verdict,
}

/// Whether a pod fits on a node, and how well.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It does not.
    RuledOut {
        /// The plugin that said so; `None` for the framework.
        plugin: Option<PluginId>,
        /// Whether evicting pods could help.
        code: Code,
        /// In Kubernetes' words.
        reasons: Vec<Reason>,
        /// What would make it fit, as far as this plugin goes: all of it is needed.
        fixes: Vec<Fix>,
        /// What filters behind the first would say: a scheduler stops at the first, but all must be content.
        beyond: Vec<Obstacle>,
    },
    /// It does.
    Feasible {
        /// One for each plugin that scores; none where the node was the only feasible one.
        scores: Arc<[PluginScore]>,
        /// The sum of the weighted scores.
        total: i64,
        /// What the scores were worked out from; `None` where there are none.
        basis: Option<Arc<Basis>>,
    },
}

/// What another filter would have said of a node that was ruled out already.
#[derive(Clone, Debug, PartialEq)]
pub struct Obstacle {
    /// The plugin.
    pub plugin: PluginId,
    /// In Kubernetes' words.
    pub reasons: Vec<Reason>,
    /// What would make it fit, as far as this plugin goes.
    pub fixes: Vec<Fix>,
}

/// What one plugin gave one node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PluginScore {
    /// The plugin.
    pub plugin: PluginId,
    /// As the plugin counts.
    pub raw: i64,
    /// Brought to 0..=100.
    pub normalized: i64,
    /// Times the plugin's weight.
    pub weighted: i64,
}

/// Nodes that shared the best score.
#[derive(Clone, Debug, PartialEq)]
pub struct Tie {
    /// How many there were.
    pub count: usize,
    /// Their names, at most [`NODES_TOLD`].
    pub nodes: Vec<Arc<str>>,
    /// Which of them was drawn, counted from 0: by a draw keyed by (seed, `scheduler`, pod, attempt).
    pub drawn: usize,
}

/// The latest decisions.
#[derive(Clone, Debug, Default)]
pub struct Decisions {
    /// uid → its latest decisions with their numbers, oldest first.
    by_pod: BTreeMap<Arc<str>, VecDeque<(u64, Arc<Decision>)>>,
    /// Numbers and uids of decisions, oldest first.
    order: VecDeque<(u64, Arc<str>)>,
    /// How many decisions there were.
    count: u64,
}

impl Decisions {
    /// Keeps one.
    pub fn push(&mut self, decision: Decision) {
        self.count += 1;
        let uid: Arc<str> = decision.uid.as_str().into();
        self.order.push_back((self.count, uid.clone()));
        let of_pod = self.by_pod.entry(uid).or_default();
        of_pod.push_back((self.count, Arc::new(decision)));
        if of_pod.len() > KEPT_PER_POD {
            of_pod.pop_front();
        }
        while self.order.len() > KEPT {
            let Some((number, uid)) = self.order.pop_front() else { break };
            if let Some(of_pod) = self.by_pod.get_mut(&uid) {
                // A pod's own bound may have dropped it before.
                if of_pod.front().is_some_and(|(first, _)| *first == number) {
                    of_pod.pop_front();
                }
                if of_pod.is_empty() {
                    self.by_pod.remove(&uid);
                }
            }
        }
    }

    /// The latest decisions about a pod, oldest first.
    pub fn of_pod(&self, uid: &str) -> impl DoubleEndedIterator<Item = &Arc<Decision>> {
        self.by_pod.get(uid).into_iter().flatten().map(|(_, decision)| decision)
    }

    /// The latest decision about a pod.
    pub fn latest(&self, uid: &str) -> Option<&Arc<Decision>> {
        self.by_pod.get(uid)?.back().map(|(_, decision)| decision)
    }
}
