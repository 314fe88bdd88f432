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
use podlab_api::event::{EventBody, EventData, ObjectReference, Occurrences};
use podlab_api::{Body, Object, ObjectMeta, kinds};
use podlab_sim::SimTime;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// What an event is about: an object, or a part of it.
#[derive(Clone, Debug)]
pub struct InvolvedObject(Subject);

#[derive(Clone, Debug)]
enum Subject {
    /// The object as a whole.
    Object(Arc<Object>),
    Named(Arc<ObjectReference>),
}

impl InvolvedObject {
    /// The object as a whole.
    pub fn of(object: &Arc<Object>) -> InvolvedObject {
        InvolvedObject(Subject::Object(object.clone()))
    }

    /// A part of the object.
    pub fn part(object: &Arc<Object>, field_path: String) -> InvolvedObject {
        InvolvedObject::named(ObjectReference { field_path, ..reference(object) })
    }

    /// A node as its kubelet names it, whose uid is the name once more.
    ///
    /// Source: pkg/kubelet/kubelet.go `nodeRef` (v1.37).
    pub fn node(name: &str) -> InvolvedObject {
        InvolvedObject::named(ObjectReference {
            kind: "Node".into(),
            name: name.to_owned(),
            uid: name.to_owned(),
            ..ObjectReference::default()
        })
    }

    /// An object that need not be there.
    pub fn named(reference: ObjectReference) -> InvolvedObject {
        InvolvedObject::referred(Arc::new(reference))
    }

    /// What a reference names, to be said of several events.
    pub fn referred(reference: Arc<ObjectReference>) -> InvolvedObject {
        InvolvedObject(Subject::Named(reference))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match &self.0 {
            Subject::Object(object) => object.name(),
            Subject::Named(reference) => &reference.name,
        }
    }

    /// Its uid.
    pub fn uid(&self) -> &str {
        match &self.0 {
            Subject::Object(object) => object.uid(),
            Subject::Named(reference) => &reference.uid,
        }
    }

    /// The part of it; empty for the whole.
    pub fn field_path(&self) -> &str {
        match &self.0 {
            Subject::Object(_) => "",
            Subject::Named(reference) => &reference.field_path,
        }
    }

    /// Where its events live: those of objects without a namespace in `default`.
    fn event_namespace(&self) -> &str {
        let namespace = match &self.0 {
            Subject::Object(object) => object.namespace(),
            Subject::Named(reference) => &reference.namespace,
        };
        if namespace.is_empty() { "default" } else { namespace }
    }

    /// As events refer to it.
    pub fn reference(&self) -> Arc<ObjectReference> {
        match &self.0 {
            Subject::Object(object) => Arc::new(reference(object)),
            Subject::Named(reference) => reference.clone(),
        }
    }
}

/// A reference to an object, with its version.
fn reference(object: &Object) -> ObjectReference {
    ObjectReference {
        kind: object.kind.kind.into(),
        api_version: object.kind.api_version(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        uid: object.uid().to_owned(),
        resource_version: object.metadata.resource_version.clone().unwrap_or_default(),
        field_path: String::new(),
    }
}

/// A new event, to be created.
fn event_object(namespace: &str, name: String, body: Arc<EventBody>) -> Object {
    Object {
        kind: &kinds::EVENT,
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        body: Body::Event(body),
        managed: None,
    }
}

/// What events are called: after their object and an instant.
fn event_name(about: &str, nanos: i64) -> String {
    let mut name = String::with_capacity(about.len() + 17);
    name.push_str(about);
    // Writing to a string never fails.
    let _ = write!(name, ".{nanos:x}");
    name
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
    host: Arc<str>,
    correlator: Correlator,
    /// The number in the latest event's name, so that two of one instant have two names.
    latest: i64,
}

impl EventRecorder {
    /// A recorder that has seen nothing; `host` is empty for components that run anywhere.
    pub fn new(component: &'static str, host: &str) -> EventRecorder {
        EventRecorder { component, host: host.into(), correlator: Correlator::default(), latest: 0 }
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
        self.annotated_event(api, about, kind, reason, message, BTreeMap::new());
    }

    /// As [`EventRecorder::event`]; an event that is new has these annotations.
    pub fn annotated_event(
        &mut self,
        api: &mut ApiServer,
        about: &InvolvedObject,
        kind: EventType,
        reason: &str,
        message: &str,
        annotations: BTreeMap<String, String>,
    ) {
        let now = api.now();
        match self.correlator.correlate(about, kind, reason, message, now) {
            Correlated::Skip => {}
            Correlated::New { entry, reason, message } => {
                let name = self.create(api, about, kind, reason, message, 1, now, annotations);
                self.correlator.created(&entry, name, now);
            }
            Correlated::Again { entry, name, count, first, reason, message } => {
                if !update(api, about, &name, count, &message, now) {
                    // The event has been deleted meanwhile: it is written anew with its count.
                    let name = self.create(api, about, kind, reason, message, count, first, annotations);
                    self.correlator.created_again(&entry, name);
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
        reason: Arc<str>,
        message: Arc<str>,
        count: i64,
        first: SimTime,
        annotations: BTreeMap<String, String>,
    ) -> Arc<str> {
        let namespace = about.event_namespace();
        let last = api.now();
        let body = Arc::new(EventBody::new(EventData {
            regarding: about.reference(),
            related: None,
            kind: kind.as_str(),
            reason: reason.into(),
            message,
            action: "",
            occurrences: Occurrences::Counted { first: first.as_secs(), last: last.as_secs(), count },
            reporting_component: self.component.into(),
            reporting_instance: self.host.clone().into(),
        }));
        loop {
            self.latest = last.as_nanos().max(self.latest + 1);
            let name = event_name(about.name(), self.latest);
            let given = name.as_str().into();
            let mut event = event_object(namespace, name, body.clone());
            if !annotations.is_empty() {
                event.metadata.annotations = Some(annotations.clone());
            }
            match api.create(event) {
                Err(status) if status.is_already_exists() => {}
                // A namespace that is going takes no new events; the real recorder drops them as well.
                _ => return given,
            }
        }
    }
}

fn update(
    api: &mut ApiServer,
    about: &InvolvedObject,
    name: &str,
    count: i64,
    message: &Arc<str>,
    now: SimTime,
) -> bool {
    change(api, about.event_namespace(), name, |data| {
        data.message = message.clone();
        if let Occurrences::Counted { count: counted, last, .. } = &mut data.occurrences {
            (*counted, *last) = (count, now.as_secs());
        }
    })
}

/// Changes a stored event that a component wrote; says whether it was there. One that a client has written over
/// since is left as it is.
fn change(api: &mut ApiServer, namespace: &str, name: &str, change: impl FnOnce(&mut EventData)) -> bool {
    api.modify(&kinds::EVENT, namespace, name, None, |object| {
        if let Body::Event(event) = &mut object.body {
            *event = Arc::new(event.changed(change));
        }
    })
    .is_ok()
}

#[cfg(test)]
mod tests;
