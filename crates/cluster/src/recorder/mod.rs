//! How components write events.
//!
//! There are two ways: the scheduler's ([`events`]), which speaks events.k8s.io and counts repeats in a series,
//! and the older one of kubelets and controllers ([`EventRecorder`]): `v1` Event objects whose count goes up.
//!
//! Source: k8s.io/client-go/tools/record (v1.37).

mod correlator;
pub mod events;

pub use events::EventsRecorder;

use crate::apiserver::ApiServer;
use correlator::{Correlated, Correlator};
use podlab_api::time::time;
use podlab_api::{Body, Object, kinds};
use podlab_sim::SimTime;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What an event is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct InvolvedObject {
    /// Kind of the object.
    pub kind: String,
    /// `v1`, `apps/v1`, …
    pub api_version: String,
    /// Its namespace; empty for nodes, whose events live in `default`.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its version when the event was made; not part of an event's identity.
    pub resource_version: String,
    /// `spec.containers{web}`; empty for the object as a whole.
    pub field_path: String,
}

impl InvolvedObject {
    /// The object as a whole.
    pub fn of(object: &Object) -> InvolvedObject {
        InvolvedObject {
            kind: object.kind.kind.to_owned(),
            api_version: object.kind.api_version(),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            uid: object.uid().to_owned(),
            resource_version: object.metadata.resource_version.clone().unwrap_or_default(),
            field_path: String::new(),
        }
    }

    /// A part of the object.
    pub fn part(object: &Object, field_path: String) -> InvolvedObject {
        InvolvedObject { field_path, ..InvolvedObject::of(object) }
    }
}

/// `Normal` or `Warning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventType {
    /// Something happened as it should.
    Normal,
    /// Something did not.
    Warning,
}

impl EventType {
    /// As it stands in the object.
    pub fn as_str(self) -> &'static str {
        match self {
            EventType::Normal => "Normal",
            EventType::Warning => "Warning",
        }
    }
}

/// Records the events of one source (a component on a host).
#[derive(Clone, Debug)]
pub struct EventRecorder {
    component: &'static str,
    host: String,
    correlator: Correlator,
    /// The number in the latest event's name, so that two of one instant have two names.
    latest: i64,
}

impl EventRecorder {
    /// A recorder that has seen nothing; `host` is empty for components that run anywhere.
    pub fn new(component: &'static str, host: &str) -> EventRecorder {
        EventRecorder { component, host: host.to_owned(), correlator: Correlator::default(), latest: 0 }
    }

    /// Writes an event, or counts one that is there, unless there were too many about its object.
    pub fn event(
        &mut self,
        api: &mut ApiServer,
        about: &InvolvedObject,
        kind: EventType,
        reason: &str,
        message: &str,
    ) {
        let now = api.now();
        match self.correlator.correlate(about, kind, reason, message, now) {
            Correlated::Skip => {}
            Correlated::New { key, message } => {
                let name = self.create(api, about, kind, reason, &message, 1, now, now);
                self.correlator.created(&key, name, now);
            }
            Correlated::Again { key, name, count, first, message } => {
                if !update(api, about, &name, count, &message, now) {
                    // The event has been deleted meanwhile: it is written anew with its count.
                    let name = self.create(api, about, kind, reason, &message, count, first, now);
                    self.correlator.created_again(&key, name);
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn create(
        &mut self,
        api: &mut ApiServer,
        about: &InvolvedObject,
        kind: EventType,
        reason: &str,
        message: &str,
        count: i64,
        first: SimTime,
        last: SimTime,
    ) -> Arc<str> {
        let namespace = event_namespace(about);
        loop {
            self.latest = last.as_nanos().max(self.latest + 1);
            let name = format!("{}.{:x}", about.name, self.latest);
            if api.store().get(&kinds::EVENT, namespace, &name).is_some() {
                continue;
            }
            let mut involved = Map::new();
            for (field, value) in [
                ("apiVersion", &about.api_version),
                ("fieldPath", &about.field_path),
                ("kind", &about.kind),
                ("name", &about.name),
                ("namespace", &about.namespace),
                ("resourceVersion", &about.resource_version),
                ("uid", &about.uid),
            ] {
                if !value.is_empty() {
                    involved.insert(field.to_owned(), Value::from(value.as_str()));
                }
            }
            let mut source = json!({"component": self.component});
            if !self.host.is_empty() {
                source["host"] = Value::from(self.host.as_str());
            }
            let event = json!({"apiVersion": "v1", "kind": "Event",
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": involved, "reason": reason, "message": message, "source": source,
                "firstTimestamp": time(first.as_secs()), "lastTimestamp": time(last.as_secs()),
                "count": count, "type": kind.as_str(), "eventTime": null,
                "reportingComponent": self.component, "reportingInstance": self.host});
            if let Ok(object) = Object::from_value(event) {
                // A namespace that is going takes no new events; the real recorder drops them as well.
                let _ = api.create(object);
            }
            return name.into();
        }
    }
}

fn event_namespace(about: &InvolvedObject) -> &str {
    if about.namespace.is_empty() { "default" } else { &about.namespace }
}

fn update(
    api: &mut ApiServer,
    about: &InvolvedObject,
    name: &str,
    count: i64,
    message: &str,
    now: SimTime,
) -> bool {
    api.modify(&kinds::EVENT, event_namespace(about), name, None, |event| {
        if let Body::Tree(fields) = &mut event.body {
            let fields = Arc::make_mut(fields);
            fields.insert("count".to_owned(), count.into());
            fields.insert("message".to_owned(), message.into());
            fields.insert("lastTimestamp".to_owned(), json!(time(now.as_secs())));
        }
    })
    .is_ok()
}

#[cfg(test)]
mod tests;
