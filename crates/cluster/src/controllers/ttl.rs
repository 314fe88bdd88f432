//! ttl-controller: tells kubelets by an annotation of their nodes how long Secrets and ConfigMaps may be cached.
//!
//! Source: pkg/controller/ttl/ttl_controller.go (v1.37).

use super::ControllerEvent;
use crate::event::Event;
use crate::latency;
use crate::store::Change;
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::kinds;

const ANNOTATION: &str = "node.alpha.kubernetes.io/ttl";

/// Up to how many nodes a time in seconds holds.
///
/// Source: ttl_controller.go `ttlBoundaries`.
const BOUNDARIES: [(usize, u32); 4] = [(100, 0), (500, 15), (1000, 30), (2000, 60)];
const LARGEST: u32 = 300;

/// The annotation that a node gets among so many.
pub(crate) fn annotation(nodes: usize) -> (&'static str, String) {
    let found = BOUNDARIES.iter().find(|(most, _)| nodes <= *most);
    (ANNOTATION, found.map_or(LARGEST, |(_, seconds)| *seconds).to_string())
}

/// A node without the annotation gets it.
pub(super) fn observe(change: &Change, cx: &mut Cx<'_>) {
    let node = &change.object;
    if *node.kind == kinds::NODE
        && change.change != ChangeType::Deleted
        && node.annotation(ANNOTATION).is_none()
        && change.before.as_ref().is_none_or(|before| before.annotation(ANNOTATION).is_some())
    {
        let event = ControllerEvent::NodeTtl(node.name().to_owned());
        cx.after(latency::WATCH, Event::Controller(event));
    }
}

/// Writes the annotation.
pub(super) fn sync(node: &str, cx: &mut Cx<'_>) {
    let (key, value) = annotation(cx.api.store().count(&kinds::NODE));
    let _ = cx.api.modify(&kinds::NODE, "", node, None, |node| {
        node.metadata.annotations.get_or_insert_default().insert(key.to_owned(), value);
    });
}
