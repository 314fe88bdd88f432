//! Replacing a DaemonSet's pods by those of a new template.
//!
//! Source: pkg/controller/daemon/update.go `rollingUpdate` (v1.37).

use super::super::pods;
use super::super::queue::SyncError;
use super::placement::{Placement, is_updated};
use super::{DaemonSetController, OnNode};
use crate::world::Cx;
use podlab_api::{Object, kinds};
use std::sync::Arc;

/// The pod of the new template and that of an old one on a node; `None` where there are several of a sort.
type Pair<'a> = Option<(Option<&'a Arc<Object>>, Option<&'a Arc<Object>>)>;

fn pair<'a>(present: &'a [Arc<Object>], set: &Object, hash: &str) -> Pair<'a> {
    let (mut new, mut old) = (None, None);
    for pod in present.iter().filter(|pod| !pod.is_terminating()) {
        let slot = if is_updated(pod, set, hash) { &mut new } else { &mut old };
        if slot.replace(pod).is_some() {
            return None;
        }
    }
    Some((new, old))
}

fn count(items: &[String]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

/// As many of `items` as there is room for.
fn within(items: Vec<String>, room: i64) -> impl Iterator<Item = String> {
    items.into_iter().take(usize::try_from(room).unwrap_or(0))
}

impl DaemonSetController {
    pub(super) fn rolling_update(
        &mut self,
        set: &Arc<Object>,
        placement: &Placement,
        hash: &str,
        cx: &mut Cx<'_>,
    ) -> Result<(), SyncError> {
        let mut on_node = self.pods_by_node(set, false, cx)?;
        let mut desired = 0;
        for node in cx.api.store().list(&kinds::NODE).filter(|node| placement.on(node).0) {
            desired += 1;
            on_node.entry(node.name().to_owned()).or_default();
        }
        let (surge, mut unavailable) = (placement.surge(desired), placement.unavailable(desired));
        if desired > 0 && surge == 0 && unavailable == 0 {
            unavailable = 1;
        }
        if surge > 0 {
            return self.surge_update(set, placement, hash, (&on_node, desired, surge), cx);
        }
        let now = cx.now();
        let available = |pod: &Object| pods::is_available(pod, placement.min_ready_seconds(), now);
        let mut missing = 0;
        let (mut broken, mut candidates) = (Vec::new(), Vec::new());
        for present in on_node.values() {
            match pair(present, set, hash) {
                Some((Some(new), None)) => missing += i64::from(!available(new)),
                Some((None, Some(old))) if !available(old) => {
                    // It is missing already: nothing is lost by replacing it.
                    broken.push(old.name().to_owned());
                    missing += 1;
                }
                Some((None, Some(old))) => {
                    if missing < unavailable {
                        candidates.push(old.name().to_owned());
                    }
                }
                _ => missing += 1,
            }
        }
        broken.extend(within(candidates, unavailable - missing));
        self.sync_nodes(set, &broken, &[], hash, cx)
    }

    /// The new pod starts beside the old one.
    fn surge_update(
        &mut self,
        set: &Arc<Object>,
        placement: &Placement,
        hash: &str,
        (on_node, desired, surge): (&OnNode, i64, i64),
        cx: &mut Cx<'_>,
    ) -> Result<(), SyncError> {
        let now = cx.now();
        let is_available = |pod: &Object| pods::is_available(pod, placement.min_ready_seconds(), now);
        let (mut doomed, mut unwanted) = (Vec::new(), Vec::new());
        let (mut needing, mut candidates) = (Vec::new(), Vec::new());
        let (mut surging, mut available) = (0, 0);
        for (name, present) in on_node {
            let Some((new, old)) = pair(present, set, hash) else {
                surging += 1;
                continue;
            };
            available += i64::from(old.or(new).is_some_and(|pod| is_available(pod)));
            match (new, old) {
                (_, None) => {}
                (None, Some(old)) => {
                    let node = cx.api.store().get(&kinds::NODE, "", name);
                    let wanted = node.is_some_and(|node| placement.on(node).0);
                    match (is_available(old), wanted) {
                        (false, false) => doomed.push(old.name().to_owned()),
                        (false, true) => needing.push(name.clone()),
                        (true, false) => unwanted.push(old.name().to_owned()),
                        (true, true) if surging < surge => candidates.push(name.clone()),
                        (true, true) => {}
                    }
                }
                (Some(new), Some(old)) if is_available(new) => doomed.push(old.name().to_owned()),
                (Some(_), Some(_)) => surging += 1,
            }
        }
        let spare = (available - desired).clamp(0, count(&unwanted));
        doomed.extend(within(unwanted, spare));
        needing.extend(within(candidates, surge - surging));
        self.sync_nodes(set, &doomed, &needing, hash, cx)
    }
}
