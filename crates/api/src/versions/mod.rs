//! Versions in which a kind is served beside the one that the cluster keeps: trees are converted on their way in and out.
//!
//! Source: pkg/apis/events/v1/conversion.go, pkg/apis/autoscaling/v1/conversion.go (v1.37).

mod autoscaler;
mod metrics;

use crate::{Kind, kinds};
use serde_json::{Map, Value};

/// A further version of a kind.
#[derive(Debug)]
pub struct Version {
    /// API group.
    pub group: &'static str,
    /// The version in it.
    pub version: &'static str,
    /// The kind as it is served here.
    pub served: &'static Kind,
    /// The kind as the cluster keeps it.
    pub kind: &'static Kind,
    to: fn(&mut Map<String, Value>),
    from: fn(&mut Map<String, Value>),
    /// Prefixes of field selectors: here and in the kept version.
    selectors: &'static [(&'static str, &'static str)],
}

/// All of them.
pub static VERSIONS: [Version; 2] = [
    Version {
        group: "events.k8s.io",
        version: "v1",
        served: &kinds::EVENTS_EVENT,
        kind: &kinds::EVENT,
        to: event_to,
        from: event_from,
        selectors: &[("regarding.", "involvedObject."), ("reportingController", "reportingComponent")],
    },
    Version {
        group: "autoscaling",
        version: "v1",
        served: &kinds::HORIZONTAL_POD_AUTOSCALER_V1,
        kind: &kinds::HORIZONTAL_POD_AUTOSCALER,
        to: autoscaler::show,
        from: autoscaler::keep,
        selectors: &[],
    },
];

/// The version that a path names.
pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Version> {
    VERSIONS.iter().find(|one| one.group == group && one.version == version && one.kind.plural == plural)
}

/// The kind that the cluster keeps objects of a kind as.
pub fn kept_as(kind: &'static Kind) -> &'static Kind {
    find(kind.group, kind.version, kind.plural).map_or(kind, |version| version.kind)
}

/// An object's tree in another version of its kind, and the kind as it is there; `None` where there is no such version.
pub fn convert(object: &Value, to: &str) -> Option<(&'static Kind, Value)> {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or("");
    VERSIONS.iter().filter(|version| version.kind.kind == text("kind")).find_map(|version| {
        let (served, kept) = (version.api_version(), version.kind.api_version());
        let mut value = object.clone();
        if text("apiVersion") == served && to == kept {
            version.keep(&mut value);
            Some((version.kind, value))
        } else if text("apiVersion") == kept && to == served {
            version.show(&mut value);
            Some((version.served, value))
        } else {
            None
        }
    })
}

impl Version {
    /// `events.k8s.io/v1`.
    pub fn api_version(&self) -> String {
        format!("{}/{}", self.group, self.version)
    }

    /// Gives a kept object the form of this version.
    pub fn show(&self, value: &mut Value) {
        if let Some(map) = value.as_object_mut() {
            (self.to)(map);
            map.insert("apiVersion".to_owned(), self.api_version().into());
        }
    }

    /// Gives an object of this version the kept form; one that says another version stays for the door to refuse.
    pub fn keep(&self, value: &mut Value) {
        let Some(map) = value.as_object_mut() else { return };
        let said = map.get("apiVersion").and_then(Value::as_str).unwrap_or("");
        if said.is_empty() || said == self.api_version() {
            (self.from)(map);
            map.insert("apiVersion".to_owned(), self.kind.api_version().into());
        }
    }

    /// A field selector in the kept version's words.
    pub fn field_selector(&self, text: &str) -> String {
        let one = |term: &str| {
            let found = self.selectors.iter().find_map(|(own, kept)| Some((term.strip_prefix(own)?, kept)));
            found.map_or_else(|| term.to_owned(), |(rest, kept)| format!("{kept}{rest}"))
        };
        text.split(',').map(one).collect::<Vec<_>>().join(",")
    }
}

const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

fn rename(map: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = map.remove(from) {
        map.insert(to.to_owned(), value);
    }
}

fn event_to(map: &mut Map<String, Value>) {
    EVENT_FIELDS.iter().for_each(|(kept, own)| rename(map, kept, own));
}

fn event_from(map: &mut Map<String, Value>) {
    EVENT_FIELDS.iter().for_each(|(kept, own)| rename(map, own, kept));
}

#[cfg(test)]
mod tests {
    use super::find;
    use serde_json::json;

    #[test]
    fn events_have_other_names() {
        let version = find("events.k8s.io", "v1", "events").unwrap();
        let mut event =
            json!({"apiVersion": "v1", "kind": "Event", "message": "m", "involvedObject": {"name": "a"}});
        version.show(&mut event);
        assert_eq!(
            event,
            json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "note": "m", "regarding": {"name": "a"}})
        );
        assert_eq!(
            version.field_selector("regarding.name=a,type=Normal"),
            "involvedObject.name=a,type=Normal"
        );
    }
}
