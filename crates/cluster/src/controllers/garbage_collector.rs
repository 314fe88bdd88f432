//! garbage-collector: objects whose owners are gone go too; an owner deleted in the foreground waits for them.
//!
//! Source: pkg/controller/garbagecollector/garbagecollector.go `attemptToDeleteItem` (v1.37).

use super::ControllerEvent;
use crate::apiserver::DeleteOptions;
use crate::event::Event;
use crate::latency;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::{ChangeType, Propagation};
use podlab_api::{Kind, Object};
use std::collections::BTreeSet;
use std::sync::Arc;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// Names an object of any kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    kind: &'static Kind,
    key: Key,
}

#[derive(Clone, Debug, Default)]
pub(super) struct GarbageCollector {
    /// Owners that are to be looked at.
    queued: BTreeSet<ObjectKey>,
}

impl GarbageCollector {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        match change.change {
            ChangeType::Deleted => {
                if cx.api.store().dependents(object.uid()).next().is_some() {
                    let gone = ControllerEvent::OwnerGone(object.uid().to_owned());
                    cx.after(latency::GARBAGE_COLLECTOR, Event::Controller(gone));
                }
                // An owner that waits for this dependent may go now.
                for owner in object.metadata.owner_references.iter().flatten() {
                    self.wake_owner(owner, object.namespace(), cx);
                }
            }
            _ if object.is_terminating() && has(object, &[FOREGROUND, ORPHAN]) => {
                self.queue(object, cx);
            }
            // An owner that never existed, as in a manifest taken from another cluster.
            ChangeType::Added if object.metadata.owner_references.is_some() => {
                for owner in object.metadata.owner_references.iter().flatten() {
                    if find(owner, object.namespace(), cx).is_none() {
                        let gone = ControllerEvent::OwnerGone(owner.uid.clone());
                        cx.after(latency::GARBAGE_COLLECTOR, Event::Controller(gone));
                    }
                }
            }
            _ => {}
        }
    }

    fn queue(&mut self, owner: &Object, cx: &mut Cx<'_>) {
        let key = ObjectKey { kind: owner.kind, key: Key::of(owner) };
        if self.queued.insert(key.clone()) {
            cx.after(latency::GARBAGE_COLLECTOR, Event::Controller(ControllerEvent::Foreground(key)));
        }
    }

    fn wake_owner(&mut self, owner: &podlab_api::OwnerReference, namespace: &str, cx: &mut Cx<'_>) {
        if let Some(found) = find(owner, namespace, cx)
            && found.is_terminating()
            && has(&found, &[FOREGROUND])
        {
            self.queue(&found, cx);
        }
    }

    pub(super) fn owner_gone(&mut self, uid: &str, cx: &mut Cx<'_>) {
        let dependents: Vec<Arc<Object>> = cx.api.store().dependents(uid).cloned().collect();
        for object in dependents {
            let owners = object.metadata.owner_references.clone().unwrap_or_default();
            if owners.iter().any(|owner| find(owner, object.namespace(), cx).is_some()) {
                // Another owner keeps it; the reference to the one that is gone is dropped.
                let _ = cx.api.modify(object.kind, object.namespace(), object.name(), None, |o| {
                    if let Some(list) = &mut o.metadata.owner_references {
                        list.retain(|owner| owner.uid != uid);
                    }
                });
                continue;
            }
            let options = DeleteOptions {
                propagation: Some(Propagation::Background),
                uid: Some(object.uid().to_owned()),
                ..DeleteOptions::default()
            };
            let _ = cx.api.delete(object.kind, object.namespace(), object.name(), &options);
        }
    }

    pub(super) fn foreground(&mut self, key: &ObjectKey, cx: &mut Cx<'_>) {
        self.queued.remove(key);
        let Some(owner) = cx.api.store().get_key(key.kind, &key.key).cloned() else { return };
        if !owner.is_terminating() {
            return;
        }
        let uid = owner.uid().to_owned();
        let dependents: Vec<Arc<Object>> = cx.api.store().dependents(&uid).cloned().collect();
        let finished = if has(&owner, &[ORPHAN]) {
            if !dependents.is_empty() {
                // The owner goes once its dependents are seen to be without it.
                self.queue(&owner, cx);
            }
            for object in &dependents {
                let _ = cx.api.modify(object.kind, object.namespace(), object.name(), None, |o| {
                    if let Some(list) = &mut o.metadata.owner_references {
                        list.retain(|owner| owner.uid != uid);
                        if list.is_empty() {
                            o.metadata.owner_references = None;
                        }
                    }
                });
            }
            if !dependents.is_empty() {
                return;
            }
            ORPHAN
        } else if has(&owner, &[FOREGROUND]) {
            for object in dependents.iter().filter(|o| !o.is_terminating()) {
                attempt_to_delete(object, cx);
            }
            // Those that somebody else keeps no longer have this owner.
            let blocking = cx.api.store().dependents(&uid).any(|object| {
                let owners = object.metadata.owner_references.iter().flatten();
                owners.into_iter().any(|o| o.uid == uid && o.block_owner_deletion == Some(true))
            });
            if blocking {
                return;
            }
            FOREGROUND
        } else {
            return;
        };
        let _ = cx.api.modify(key.kind, &key.key.namespace, &key.key.name, None, |o| {
            if let Some(list) = &mut o.metadata.finalizers {
                list.retain(|f| f != finished);
                if list.is_empty() {
                    o.metadata.finalizers = None;
                }
            }
        });
    }
}

/// Whether an object is being deleted and waits for its dependents.
fn waits_for_dependents(object: &Object) -> bool {
    object.is_terminating() && has(object, &[FOREGROUND])
}

/// Deletes a dependent of an owner that is being deleted in the foreground, unless another owner keeps it: then it only
/// loses its references to those that do not.
///
/// Source: garbagecollector.go `attemptToDeleteItem`.
fn attempt_to_delete(object: &Arc<Object>, cx: &mut Cx<'_>) {
    let owners = object.metadata.owner_references.clone().unwrap_or_default();
    let solid: Vec<String> = owners
        .iter()
        .filter(|owner| {
            find(owner, object.namespace(), cx).is_some_and(|found| !waits_for_dependents(&found))
        })
        .map(|owner| owner.uid.clone())
        .collect();
    if !solid.is_empty() {
        let _ = cx.api.modify(object.kind, object.namespace(), object.name(), None, |o| {
            if let Some(list) = &mut o.metadata.owner_references {
                list.retain(|owner| solid.contains(&owner.uid));
            }
        });
        return;
    }
    if cx.api.store().dependents(object.uid()).any(|dependent| waits_for_dependents(dependent)) {
        // A circle: nobody in it may wait for this one.
        let _ = cx.api.modify(object.kind, object.namespace(), object.name(), None, |o| {
            for owner in o.metadata.owner_references.iter_mut().flatten() {
                if owner.block_owner_deletion == Some(true) {
                    owner.block_owner_deletion = Some(false);
                }
            }
        });
    }
    let options = DeleteOptions { propagation: Some(Propagation::Foreground), ..DeleteOptions::default() };
    let _ = cx.api.delete(object.kind, object.namespace(), object.name(), &options);
}

fn has(object: &Object, finalizers: &[&str]) -> bool {
    object.metadata.finalizers.iter().flatten().any(|f| finalizers.contains(&f.as_str()))
}

/// The owner that a reference names, if it is the one with that uid.
fn find(owner: &podlab_api::OwnerReference, namespace: &str, cx: &Cx<'_>) -> Option<Arc<Object>> {
    let kind = cx.api.kind_by_gvk(&owner.api_version, &owner.kind)?;
    let namespace = if kind.namespaced { namespace } else { "" };
    cx.api.store().get(kind, namespace, &owner.name).filter(|o| o.uid() == owner.uid).cloned()
}
