//! When what has changed a Service's endpoints happened, for the annotation that tells of it.
//!
//! Source: staging/src/k8s.io/endpointslice/util/trigger_time_tracker.go (v1.37).

use podlab_api::time::{time, unix_seconds};
use podlab_api::{Object, ObjectMeta};
use std::collections::BTreeMap;
use std::sync::Arc;

const ANNOTATION: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// An instant, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TriggerTime(i64);

impl TriggerTime {
    /// Writes the annotation, or takes it away where nothing new has happened.
    pub(super) fn annotate(trigger: Option<TriggerTime>, meta: &mut ObjectMeta) {
        match trigger {
            Some(TriggerTime(seconds)) => {
                let text = serde_json::to_value(time(seconds)).ok();
                if let Some(text) = text.as_ref().and_then(|text| text.as_str()) {
                    let annotations = meta.annotations.get_or_insert_default();
                    annotations.insert(ANNOTATION.to_owned(), text.to_owned());
                }
            }
            None => {
                if let Some(annotations) = &mut meta.annotations {
                    annotations.remove(ANNOTATION);
                    if annotations.is_empty() {
                        meta.annotations = None;
                    }
                }
            }
        }
    }
}

/// What a Service was made of when it was last looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracker {
    service: i64,
    /// pod → since when it is ready or not.
    pods: BTreeMap<String, i64>,
}

impl Tracker {
    /// The earliest of the instants that are new since the last look.
    pub(super) fn look<'a>(
        &mut self,
        service: &Object,
        pods: impl Iterator<Item = &'a Arc<Object>>,
    ) -> Option<TriggerTime> {
        let mut earliest: Option<i64> = None;
        let mut note = |at: i64, before: i64| {
            if at > before {
                earliest = Some(earliest.map_or(at, |e| e.min(at)));
            }
        };
        let mut seen = BTreeMap::new();
        for pod in pods {
            let conditions = pod.pod_status().and_then(|status| status.conditions.as_ref());
            let ready = conditions.and_then(|all| all.iter().find(|c| c.type_ == "Ready"));
            let Some(at) = ready.and_then(|c| c.last_transition_time.as_ref()).map(unix_seconds) else {
                continue;
            };
            note(at, self.pods.get(pod.name()).copied().unwrap_or(0));
            seen.insert(pod.name().to_owned(), at);
        }
        let created = service.metadata.creation_timestamp.as_ref().map_or(0, unix_seconds);
        note(created, self.service);
        self.pods = seen;
        self.service = created;
        earliest.map(TriggerTime)
    }
}
