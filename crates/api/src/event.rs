//! Events as components write them.
//!
//! A busy cluster writes more events than anything else and shows few of them: the fields are kept as they were
//! said, and the tree is made when somebody reads it.

use crate::time::{micro_time, time};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// A text that many events have in common.
#[derive(Clone, Debug)]
pub enum SharedText {
    /// One that stands in the program.
    Static(&'static str),
    /// One that was made once.
    Made(Arc<str>),
}

impl Deref for SharedText {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            SharedText::Static(text) => text,
            SharedText::Made(text) => text,
        }
    }
}

impl PartialEq for SharedText {
    fn eq(&self, other: &SharedText) -> bool {
        **self == **other
    }
}

impl Eq for SharedText {}

impl From<&'static str> for SharedText {
    fn from(text: &'static str) -> SharedText {
        SharedText::Static(text)
    }
}

impl From<Arc<str>> for SharedText {
    fn from(text: Arc<str>) -> SharedText {
        SharedText::Made(text)
    }
}

/// A reference to the object that an event is about; empty fields are left out of the tree.
///
/// Source: staging/src/k8s.io/api/core/v1/types.go `ObjectReference` (v1.37).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectReference {
    /// `Pod`.
    pub kind: Cow<'static, str>,
    /// `v1`.
    pub api_version: Cow<'static, str>,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its version when the event was made.
    pub resource_version: String,
    /// `spec.containers{web}`; empty for the object as a whole.
    pub field_path: String,
}

impl ObjectReference {
    /// As `involvedObject` and `related` show it.
    pub fn to_value(&self) -> Value {
        let fields = [
            ("apiVersion", &*self.api_version),
            ("fieldPath", &self.field_path),
            ("kind", &self.kind),
            ("name", &self.name),
            ("namespace", &self.namespace),
            ("resourceVersion", &self.resource_version),
            ("uid", &self.uid),
        ];
        let set = fields.into_iter().filter(|(_, value)| !value.is_empty());
        Value::Object(set.map(|(key, value)| (key.to_owned(), value.into())).collect())
    }
}

/// When an event happened and how often, in one of the two ways that exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occurrences {
    /// `firstTimestamp`, `lastTimestamp` and `count`: whole seconds since the Unix epoch.
    Counted {
        /// The first time.
        first: i64,
        /// The latest time.
        last: i64,
        /// How often.
        count: i64,
    },
    /// `eventTime`, and a `series` from the second time on: nanoseconds since the Unix epoch.
    Series {
        /// The first time.
        at: i64,
        /// How often and the latest time.
        series: Option<(i64, i64)>,
    },
}

/// What an event says, without its metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventData {
    /// What it is about.
    pub regarding: Arc<ObjectReference>,
    /// What else has to do with it.
    pub related: Option<ObjectReference>,
    /// `Normal` or `Warning`.
    pub kind: &'static str,
    /// `Scheduled`.
    pub reason: SharedText,
    /// The text.
    pub message: Arc<str>,
    /// `Binding`; empty where the component names none.
    pub action: &'static str,
    /// When and how often.
    pub occurrences: Occurrences,
    /// The component that says it.
    pub reporting_component: SharedText,
    /// The component's instance; for a kubelet its node.
    pub reporting_instance: SharedText,
}

impl EventData {
    fn to_fields(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        let mut set = |key: &str, value: Value| fields.insert(key.to_owned(), value);
        set("involvedObject", self.regarding.to_value());
        if let Some(related) = &self.related {
            set("related", related.to_value());
        }
        set("reason", (*self.reason).into());
        set("message", (*self.message).into());
        set("type", self.kind.into());
        if !self.action.is_empty() {
            set("action", self.action.into());
        }
        let mut source = Map::new();
        match self.occurrences {
            Occurrences::Counted { first, last, count } => {
                // The older recorder names the component twice.
                source.insert("component".to_owned(), (*self.reporting_component).into());
                if !self.reporting_instance.is_empty() {
                    source.insert("host".to_owned(), (*self.reporting_instance).into());
                }
                set("firstTimestamp", tree(&time(first)));
                set("lastTimestamp", tree(&time(last)));
                set("count", count.into());
                set("eventTime", Value::Null);
            }
            Occurrences::Series { at, series } => {
                set("firstTimestamp", Value::Null);
                set("lastTimestamp", Value::Null);
                set("eventTime", tree(&micro_time(at)));
                if let Some((count, last)) = series {
                    set(
                        "series",
                        serde_json::json!({"count": count, "lastObservedTime": tree(&micro_time(last))}),
                    );
                }
            }
        }
        set("source", Value::Object(source));
        set("reportingComponent", (*self.reporting_component).into());
        set("reportingInstance", (*self.reporting_instance).into());
        fields
    }
}

fn tree<T: serde::Serialize>(part: &T) -> Value {
    serde_json::to_value(part).unwrap_or(Value::Null)
}

/// An event that a component wrote, and its tree once somebody has read it.
#[derive(Clone, Debug)]
pub struct EventBody {
    data: EventData,
    fields: OnceLock<Map<String, Value>>,
}

impl EventBody {
    /// An event nobody has read yet.
    pub fn new(data: EventData) -> EventBody {
        EventBody { data, fields: OnceLock::new() }
    }

    /// What it says.
    pub fn data(&self) -> &EventData {
        &self.data
    }

    /// The same with another count, text or series.
    pub fn changed(&self, change: impl FnOnce(&mut EventData)) -> EventBody {
        let mut data = self.data.clone();
        change(&mut data);
        EventBody::new(data)
    }

    /// The top-level fields without apiVersion, kind and metadata.
    pub fn fields(&self) -> &Map<String, Value> {
        self.fields.get_or_init(|| self.data.to_fields())
    }
}

impl PartialEq for EventBody {
    fn eq(&self, other: &EventBody) -> bool {
        self.data == other.data
    }
}
