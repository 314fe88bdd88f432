//! How many pods of each template a workload had, over virtual time, from the changes that the store still knows.
//!
//! A change has no time of its own, but what it changes says times: creations, conditions, deletions. The latest said so far
//! is the time of a change, to the second.

use super::workload::controller;
use podlab_api::door::ChangeType;
use podlab_api::kinds::{CONTROLLER_REVISION, POD, REPLICA_SET};
use podlab_api::{Object, Time};
use podlab_cluster::Cluster;
use podlab_cluster::store::{Change, Store};
use podlab_sim::SimTime;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many instants are kept; the oldest go first.
const KEPT: usize = 600;

/// Pods of one template at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Those that are ready.
    pub ready: usize,
    /// Those that are not on their way out.
    pub all: usize,
}

/// What there was from an instant on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The instant.
    pub at: SimTime,
    /// By the place of the template in [`Rollout::templates`]; what is missing at the end is nothing.
    pub shares: Vec<Share>,
}

/// The pods of one workload over time.
#[derive(Clone, Debug, Default)]
pub struct Rollout {
    /// Uid of the workload.
    uid: String,
    /// Up to this version of the store everything is read.
    seen: u64,
    /// When the change that was read last came.
    time: Option<SimTime>,
    /// Uids of what owns the pods: the workload or its ReplicaSets.
    owners: BTreeSet<String>,
    /// Hashes of the templates in the order in which they were met.
    templates: Vec<String>,
    /// Places of the templates in the order in which they came: one that comes back is the newest again.
    order: Vec<usize>,
    /// Each pod: its template, and whether it is ready; `None` once it is on its way out.
    pods: BTreeMap<String, (usize, Option<bool>)>,
    points: Vec<Point>,
}

fn instant(time: &Time) -> Option<SimTime> {
    i64::try_from(time.0.as_nanosecond()).ok().map(SimTime::from_nanos)
}

fn hash(pod: &Object) -> &str {
    pod.label("pod-template-hash").or_else(|| pod.label("controller-revision-hash")).unwrap_or_default()
}

fn is_ready(pod: &Object) -> bool {
    let conditions = pod.pod_status().into_iter().flat_map(|s| s.conditions.iter().flatten());
    conditions.into_iter().any(|c| c.type_ == "Ready" && c.status == "True")
}

fn has_ended(pod: &Object) -> bool {
    let phase = pod.pod_status().and_then(|s| s.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// The latest time that a change itself says.
fn said(change: &Change) -> Option<SimTime> {
    let object = &change.object;
    let created = (change.change == ChangeType::Added).then_some(object.metadata.creation_timestamp.as_ref());
    let mut latest = created.flatten().and_then(instant);
    if object.kind == &POD {
        let conditions = object.pod_status().into_iter().flat_map(|s| s.conditions.iter().flatten());
        latest = latest.max(conditions.filter_map(|c| instant(c.last_transition_time.as_ref()?)).max());
        if let Some(end) = object.metadata.deletion_timestamp.as_ref().and_then(instant) {
            let grace = object.metadata.deletion_grace_period_seconds.unwrap_or(0);
            let begun = end.as_nanos().saturating_sub(grace.saturating_mul(1_000_000_000));
            latest = latest.max(Some(SimTime::from_nanos(begun)));
        }
    }
    latest
}

impl Rollout {
    /// Hashes of the templates, in the order in which they were met.
    pub fn templates(&self) -> &[String] {
        &self.templates
    }

    /// Places of the templates that had pods, the one that came last at the end.
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// All instants at which something changed, oldest first.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Reads what has changed since the last call. Where the store went back or has forgotten what came since, it begins anew.
    pub fn follow(&mut self, cluster: &Cluster, workload: &Object) {
        let store = cluster.world().api.store();
        let gap = self.seen < store.history().oldest() || self.seen > store.resource_version();
        if self.uid != workload.uid() || gap || !self.is_continued(cluster) {
            self.begin(store, workload);
        }
        let Some(changes) = store.history().since(self.seen) else { return };
        let now = cluster.sim_now();
        for change in changes {
            self.time = self.time.max(said(change)).map(|time| time.min(now));
            let object = &change.object;
            if object.kind == &REPLICA_SET && controller(object) == self.uid {
                self.owners.insert(object.uid().to_owned());
            } else if object.kind == &POD && self.owners.contains(controller(object)) {
                let before = self.pods.get(object.uid()).copied();
                self.take(object, change.change == ChangeType::Deleted);
                if self.pods.get(object.uid()).copied() != before {
                    self.note(now);
                }
            }
        }
        self.seen = store.resource_version();
    }

    /// Whether what was read last is in the past of this cluster: after an undo, or in another look back, it is not.
    fn is_continued(&self, cluster: &Cluster) -> bool {
        self.time.is_none_or(|time| time <= cluster.sim_now())
    }

    /// The state before the oldest change that is known.
    fn begin(&mut self, store: &Store, workload: &Object) {
        *self =
            Rollout { uid: workload.uid().to_owned(), seen: store.history().oldest(), ..Rollout::default() };
        self.owners.insert(self.uid.clone());
        let sets = store.list_namespace(&REPLICA_SET, workload.namespace());
        self.owners.extend(sets.filter(|s| controller(s) == self.uid).map(|s| s.uid().to_owned()));
        let mut changed: BTreeSet<String> = BTreeSet::new();
        let mut first: Vec<Object> = Vec::new();
        for change in store.history().since(self.seen).into_iter().flatten() {
            let object = &change.object;
            if object.kind == &REPLICA_SET && controller(object) == self.uid {
                self.owners.insert(object.uid().to_owned());
            }
            if object.kind == &POD && self.owners.contains(controller(object)) {
                let is_first = changed.insert(object.uid().to_owned());
                if let Some(before) = change.before.as_ref().filter(|_| is_first) {
                    first.push((**before).clone());
                }
            }
        }
        for pod in store.list_namespace(&POD, workload.namespace()) {
            if self.owners.contains(controller(pod)) && !changed.contains(pod.uid()) {
                first.push((**pod).clone());
            }
        }
        first.sort_by(|a, b| {
            let key = |pod: &Object| (pod.metadata.creation_timestamp.clone(), pod.name().to_owned());
            key(a).cmp(&key(b))
        });
        for pod in &first {
            self.take(pod, false);
        }
        self.time = workload.metadata.creation_timestamp.as_ref().and_then(instant);
        if !first.is_empty()
            && let Some(at) = self.time
        {
            self.note(at);
        }
    }

    fn take(&mut self, pod: &Object, deleted: bool) {
        if deleted {
            self.pods.remove(pod.uid());
            return;
        }
        let hash = hash(pod);
        let place = self.templates.iter().position(|h| h == hash).unwrap_or_else(|| {
            self.templates.push(hash.to_owned());
            self.templates.len() - 1
        });
        let gone = pod.is_terminating() || has_ended(pod);
        self.pods.insert(pod.uid().to_owned(), (place, (!gone).then(|| is_ready(pod))));
    }

    /// Adds what there is now to the points.
    fn note(&mut self, now: SimTime) {
        let mut shares = vec![Share::default(); self.templates.len()];
        for (place, ready) in self.pods.values() {
            if let (Some(share), Some(ready)) = (shares.get_mut(*place), ready) {
                share.all += 1;
                share.ready += usize::from(*ready);
            }
        }
        let at = self.time.unwrap_or(now);
        let before = self.points.last().map(|p| p.shares.as_slice()).unwrap_or_default();
        for (place, share) in shares.iter().enumerate() {
            let had = before.get(place).is_some_and(|s| s.all > 0);
            if !had && share.all > 0 {
                self.order.retain(|other| *other != place);
                self.order.push(place);
            }
        }
        match self.points.last_mut() {
            Some(last) if last.at == at => last.shares = shares,
            Some(last) if last.shares == shares => {}
            _ => self.points.push(Point { at, shares }),
        }
        let surplus = self.points.len().saturating_sub(KEPT);
        self.points.drain(..surplus);
    }

    /// The instants of the latest rollout: from just before the newest template appeared.
    pub fn latest(&self) -> &[Point] {
        let newest = self.order.last().copied().unwrap_or(0);
        let has = |point: &Point| point.shares.get(newest).is_some_and(|s| s.all > 0);
        // A template may come back: what counts is when it was last without pods.
        let begun = self.points.iter().rposition(|p| !has(p)).filter(|at| *at + 1 < self.points.len());
        self.points.get(begun.unwrap_or(0)..).unwrap_or_default()
    }

    /// From when on the latest rollout is drawn: a while before its second instant, for what was before it may have been long.
    pub fn from(&self) -> Option<SimTime> {
        let latest = self.latest();
        let (first, last) = (latest.first()?, latest.last()?);
        let Some(second) = latest.get(1) else { return Some(first.at) };
        let lead = (last.at.since(second.at) / 4).max(Duration::from_secs(2));
        let nanos = i64::try_from(lead.as_nanos()).unwrap_or(i64::MAX);
        Some(first.at.max(SimTime::from_nanos(second.at.as_nanos().saturating_sub(nanos))))
    }

    /// Until when the latest rollout is drawn: a while after its last change, or now if that is earlier.
    pub fn until(&self, now: SimTime) -> SimTime {
        let latest = self.latest();
        let (Some(first), Some(last)) = (latest.get(1).or(latest.first()), latest.last()) else { return now };
        let rest = (last.at.since(first.at) / 4).max(Duration::from_secs(2));
        (last.at + rest).min(now)
    }
}

/// Which revision a template is, by its hash, as `kubectl rollout history` numbers them.
pub fn revision(cluster: &Cluster, workload: &Object, hash: &str) -> Option<i64> {
    let store = cluster.world().api.store();
    if workload.kind.kind == "Deployment" {
        let sets = store.list_namespace(&REPLICA_SET, workload.namespace());
        let mut own = sets.filter(|s| controller(s) == workload.uid());
        let set = own.find(|s| s.label("pod-template-hash") == Some(hash))?;
        return set.annotation("deployment.kubernetes.io/revision")?.parse().ok();
    }
    let revisions = store.list_namespace(&CONTROLLER_REVISION, workload.namespace());
    let mut own = revisions.filter(|r| controller(r) == workload.uid());
    // A StatefulSet's pods bear the whole name of the revision, a DaemonSet's its hash.
    let found = own.find(|r| r.name() == hash || r.label("controller-revision-hash") == Some(hash))?;
    found.field("revision")?.as_i64()
}

#[cfg(test)]
mod tests {
    use super::{Rollout, Share, revision};
    use crate::state::Lab;
    use podlab_api::Object;
    use podlab_api::kinds::{DAEMON_SET, DEPLOYMENT, STATEFUL_SET};
    use std::sync::Arc;
    use std::time::Duration;

    fn pass(lab: &mut Lab, seconds: u64) {
        lab.jump(lab.live().sim_now() + Duration::from_secs(seconds), &mut || true);
    }

    fn web(lab: &Lab) -> Arc<Object> {
        lab.shown().world().api.store().get(&DEPLOYMENT, "default", "web").unwrap().clone()
    }

    #[test]
    fn a_rollout_is_read_from_the_changes_however_often_one_looks() {
        let mut lab = Lab::default();
        lab.enter("kubectl create deployment web --image=nginx:1.27 --replicas=4");
        pass(&mut lab, 40);
        lab.enter("kubectl set image deployment/web nginx=nginx:1.28");
        let mut followed = Rollout::default();
        for _ in 0..40 {
            pass(&mut lab, 1);
            followed.follow(lab.shown(), &web(&lab));
        }
        let mut at_once = Rollout::default();
        at_once.follow(lab.shown(), &web(&lab));
        assert_eq!(followed.points(), at_once.points());
        assert_eq!(at_once.templates().len(), 2);
        let (first, last) = (at_once.latest().first().unwrap(), at_once.latest().last().unwrap());
        assert_eq!(first.shares, [Share { ready: 4, all: 4 }]);
        assert_eq!(last.shares, [Share::default(), Share { ready: 4, all: 4 }]);
        // At most 1 above 4, at most 1 missing.
        for point in at_once.latest() {
            let all: usize = point.shares.iter().map(|s| s.all).sum();
            let ready: usize = point.shares.iter().map(|s| s.ready).sum();
            assert!(all <= 5 && ready >= 3, "{point:?}");
        }
        assert!(at_once.until(lab.shown().sim_now()) < lab.shown().sim_now());
        let lead = at_once.latest()[1].at.since(at_once.from().unwrap());
        assert!(lead < Duration::from_secs(10), "{lead:?}");
        let numbers: Vec<Option<i64>> =
            at_once.templates().iter().map(|h| revision(lab.shown(), &web(&lab), h)).collect();
        assert_eq!(numbers, [Some(1), Some(2)]);
        assert_eq!(at_once.order(), [0, 1]);
        lab.enter("kubectl rollout undo deployment/web");
        pass(&mut lab, 40);
        at_once.follow(lab.shown(), &web(&lab));
        assert_eq!(at_once.order(), [1, 0]);
        assert_eq!(at_once.latest().first().unwrap().shares[1], Share { ready: 4, all: 4 });
        assert_eq!(at_once.latest().last().unwrap().shares[0], Share { ready: 4, all: 4 });
    }

    #[test]
    fn looking_back_shows_what_had_come_by_then() {
        let mut lab = Lab::default();
        lab.enter("kubectl create deployment web --image=nginx:1.27 --replicas=2");
        pass(&mut lab, 30);
        let before = lab.live().sim_now();
        lab.enter("kubectl scale deployment web --replicas=5");
        pass(&mut lab, 30);
        let mut rollout = Rollout::default();
        rollout.follow(lab.shown(), &web(&lab));
        assert_eq!(rollout.points().last().unwrap().shares, [Share { ready: 5, all: 5 }]);
        lab.look_at(before);
        rollout.follow(lab.shown(), &web(&lab));
        assert_eq!(rollout.points().last().unwrap().shares, [Share { ready: 2, all: 2 }]);
        lab.return_to_now();
        rollout.follow(lab.shown(), &web(&lab));
        assert_eq!(rollout.points().last().unwrap().shares, [Share { ready: 5, all: 5 }]);
    }

    #[test]
    fn a_daemon_set_has_revisions_by_the_hash_of_its_template() {
        let mut lab = Lab::default();
        lab.edit("apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent}\nspec:\n  selector: {matchLabels: {app: agent}}\n  template:\n    metadata: {labels: {app: agent}}\n    spec: {containers: [{name: c, image: nginx}]}\n");
        assert!(lab.apply().ok());
        pass(&mut lab, 30);
        let set = lab.live().world().api.store().get(&DAEMON_SET, "default", "agent").unwrap().clone();
        let mut rollout = Rollout::default();
        rollout.follow(lab.shown(), &set);
        assert_eq!(rollout.points().last().unwrap().shares, [Share { ready: 2, all: 2 }]);
        assert_eq!(revision(lab.shown(), &set, &rollout.templates()[0]), Some(1));
    }

    #[test]
    fn a_stateful_set_has_revisions_too() {
        let mut lab = Lab::default();
        lab.edit("apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  replicas: 2\n  serviceName: db\n  selector: {matchLabels: {app: db}}\n  template:\n    metadata: {labels: {app: db}}\n    spec: {terminationGracePeriodSeconds: 1, containers: [{name: c, image: 'nginx:1.27'}]}\n");
        assert!(lab.apply().ok());
        pass(&mut lab, 40);
        lab.enter("kubectl set image statefulset/db c=nginx:1.28");
        pass(&mut lab, 60);
        let set = lab.live().world().api.store().get(&STATEFUL_SET, "default", "db").unwrap().clone();
        let mut rollout = Rollout::default();
        rollout.follow(lab.shown(), &set);
        let numbers: Vec<Option<i64>> =
            rollout.templates().iter().map(|h| revision(lab.shown(), &set, h)).collect();
        assert_eq!(numbers, [Some(1), Some(2)]);
        assert_eq!(rollout.points().last().unwrap().shares[1], Share { ready: 2, all: 2 });
    }
}
