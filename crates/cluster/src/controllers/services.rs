//! What sets the endpoint controllers going: a Service, one of its pods, or an object that they keep has changed.
//!
//! Source: pkg/controller/endpointslice/endpointslice_controller.go `syncService` and its event handlers (v1.37).

use super::trigger_time::Tracker;
use super::{ControllerEvent, endpoint_slice, endpoint_slice_mirroring, endpoints};
use crate::event::Event;
use crate::latency;
use crate::store::{Change, Key};
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug, Default)]
pub(super) struct EndpointControllers {
    /// Services that are to be looked at.
    queued: BTreeSet<Key>,
    /// Endpoints that are to be mirrored.
    mirroring: BTreeSet<Key>,
    trackers: BTreeMap<Key, Tracker>,
}

impl EndpointControllers {
    pub(super) fn observe(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let object = &change.object;
        match object.kind {
            kind if *kind == kinds::POD => self.observe_pod(change, cx),
            kind if *kind == kinds::SERVICE => {
                self.queue(Key::of(object), cx);
                self.mirror(Key::of(object), cx);
            }
            kind if *kind == kinds::ENDPOINTS => {
                self.mirror(Key::of(object), cx);
                if change.change != ChangeType::Added {
                    self.queue(Key::of(object), cx);
                }
            }
            kind if *kind == kinds::ENDPOINT_SLICE && change.change != ChangeType::Added => {
                if let Some(service) = object.label(endpoint_slice::SERVICE_NAME) {
                    self.queue(Key::new(object.namespace(), service), cx);
                }
            }
            _ => {}
        }
    }

    fn observe_pod(&mut self, change: &Change, cx: &mut Cx<'_>) {
        let pod = &change.object;
        let before = change.before.as_deref();
        if change.change == ChangeType::Modified
            && before.is_some_and(|old| !endpoint_slice::is_changed(old, pod))
        {
            return;
        }
        let concerned = |service: &Object| {
            endpoint_slice::matches(service, pod)
                || before.is_some_and(|old| endpoint_slice::matches(service, old))
        };
        let services = cx.api.store().list_namespace(&kinds::SERVICE, pod.namespace());
        let keys: Vec<Key> = services.filter(|service| concerned(service)).map(|s| Key::of(s)).collect();
        for key in keys {
            self.queue(key, cx);
        }
    }

    fn queue(&mut self, key: Key, cx: &mut Cx<'_>) {
        if self.queued.insert(key.clone()) {
            cx.after(latency::WATCH, Event::Controller(ControllerEvent::Service(key)));
        }
    }

    fn mirror(&mut self, key: Key, cx: &mut Cx<'_>) {
        if self.mirroring.insert(key.clone()) {
            cx.after(latency::WATCH, Event::Controller(ControllerEvent::MirrorEndpoints(key)));
        }
    }

    pub(super) fn sync(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.queued.remove(key);
        let Some(service) = cx.api.store().get_key(&kinds::SERVICE, key).cloned() else {
            self.trackers.remove(key);
            endpoints::service_gone(&key.namespace, &key.name, cx);
            return;
        };
        let spec = |field: &str| service.field("spec").and_then(|spec| spec.get(field));
        // Without a selector, and behind a name, endpoints are somebody else's matter.
        if spec("type").and_then(Value::as_str) == Some("ExternalName")
            || spec("selector").is_none_or(Value::is_null)
        {
            return;
        }
        let pods = endpoint_slice::pods_of(&service, cx.api);
        let trigger = self.trackers.entry(key.clone()).or_default().look(&service, pods);
        endpoint_slice::sync(&service, trigger, cx);
        endpoints::sync(&service, trigger, cx);
    }

    pub(super) fn sync_mirror(&mut self, key: &Key, cx: &mut Cx<'_>) {
        self.mirroring.remove(key);
        endpoint_slice_mirroring::sync(key, cx);
    }
}
