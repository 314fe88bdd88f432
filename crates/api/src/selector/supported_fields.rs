//! Which fields each kind can be selected by, and their values.
//!
//! Source: pkg/apis/*/v1/conversion.go (field label conversions) and the `ToSelectableFields` of pkg/registry (v1.37).

use serde_json::{Map, Value};

use super::field::{FieldSelector, Fields};
use crate::event::EventBody;
use crate::go_text::quote;
use crate::{Body, Object};

const METADATA: [&str; 2] = ["metadata.name", "metadata.namespace"];

const POD: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.podIPs",
    "status.nominatedNodeName",
];

const EVENT: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
    "metadata.namespace",
    "metadata.name",
];

const EVENTS_V1: &[&str] = &[
    "reason",
    "regarding.kind",
    "regarding.namespace",
    "regarding.name",
    "regarding.uid",
    "regarding.apiVersion",
    "regarding.resourceVersion",
    "regarding.fieldPath",
    "reportingController",
    "type",
    "metadata.namespace",
    "metadata.name",
];

/// The fields a kind can be selected by.
#[must_use]
pub fn supported_fields(api_version: &str, kind: &str) -> &'static [&'static str] {
    match (api_version, kind) {
        ("v1", "Pod") => POD,
        ("v1", "Node") => &["metadata.name", "spec.unschedulable"],
        ("v1", "ReplicationController") => &["metadata.name", "metadata.namespace", "status.replicas"],
        ("v1", "Event") => EVENT,
        ("events.k8s.io/v1", "Event") => EVENTS_V1,
        ("v1", "Namespace") => &["status.phase", "metadata.name"],
        ("v1", "Secret") => &["type", "metadata.namespace", "metadata.name"],
        ("v1", "Service") => &["metadata.namespace", "metadata.name", "spec.clusterIP", "spec.type"],
        ("batch/v1", "Job") => &["metadata.name", "metadata.namespace", "status.successful"],
        ("certificates.k8s.io/v1", "CertificateSigningRequest") => &["metadata.name", "spec.signerName"],
        ("resource.k8s.io/v1", "ResourceSlice") => &["metadata.name", "spec.nodeName", "spec.driver"],
        _ => &METADATA,
    }
}

/// Checks a field against what the kind knows and gives the name under which it is compared.
///
/// # Errors
/// The API server's refusal, a `BadRequest` there.
pub fn convert_field_label(api_version: &str, kind: &str, label: &str) -> Result<String, String> {
    if (api_version, kind, label) == ("v1", "Pod", "spec.host") {
        return Ok("spec.nodeName".to_owned());
    }
    if supported_fields(api_version, kind).contains(&label) {
        return Ok(match (api_version, label) {
            ("events.k8s.io/v1", "reportingController") => "reportingComponent".to_owned(),
            ("events.k8s.io/v1", label) => label.replacen("regarding.", "involvedObject.", 1),
            (_, label) => label.to_owned(),
        });
    }
    Err(match (api_version, kind) {
        ("v1", "Pod" | "Node" | "ReplicationController" | "Event" | "Namespace" | "Secret" | "Service")
        | ("events.k8s.io/v1", "Event")
        | ("certificates.k8s.io/v1", "CertificateSigningRequest") => {
            format!("field label not supported: {label}")
        }
        ("batch/v1", "Job") => format!("field label {} not supported for Job", quote(label)),
        ("resource.k8s.io/v1", "ResourceSlice") => {
            format!("field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: {label}")
        }
        _ => format!(
            "{} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
            quote(label)
        ),
    })
}

/// Reads a field selector for a kind.
///
/// # Errors
/// The API server's refusal: a text that is no field selector, or a field the kind can't be selected by.
pub fn parse_field_selector(api_version: &str, kind: &str, text: &str) -> Result<FieldSelector, String> {
    let selector = FieldSelector::parse(text).map_err(|error| error.to_string())?;
    selector.transform(|field, value| Ok((convert_field_label(api_version, kind, field)?, value.to_owned())))
}

/// As [`parse_field_selector`], for a kind that may be one that somebody has defined.
///
/// # Errors
/// As there.
pub fn parse_field_selector_of(kind: &crate::Kind, text: &str) -> Result<FieldSelector, String> {
    let Some(definition) = kind.definition() else {
        return parse_field_selector(&kind.api_version(), kind.kind, text);
    };
    let selector = FieldSelector::parse(text).map_err(|error| error.to_string())?;
    selector.transform(|field, value| {
        let known = matches!(field, "metadata.name" | "metadata.namespace")
            || definition.selectable.iter().any(|own| own == field);
        if known {
            Ok((field.to_owned(), value.to_owned()))
        } else {
            Err(format!("field label not supported: {field}"))
        }
    })
}

/// The fields of an object held as a tree, without its metadata.
struct TreeFields<'a> {
    kind: &'a str,
    fields: &'a Map<String, Value>,
}

impl TreeFields<'_> {
    fn text(&self, path: &str) -> String {
        let mut parts = path.split('.');
        let first = parts.next().and_then(|part| self.fields.get(part));
        match parts.fold(first, |value, part| value.and_then(|value| value.get(part))) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        }
    }

    fn or(&self, path: &str, default: &str) -> String {
        let text = self.text(path);
        if text.is_empty() { default.to_owned() } else { text }
    }
}

impl Fields for TreeFields<'_> {
    fn field(&self, name: &str) -> String {
        match (self.kind, name) {
            ("ReplicationController", "status.replicas") => self.or(name, "0"),
            ("Job", "status.successful") => self.or("status.succeeded", "0"),
            ("Event", "source") => {
                let source = self.or("source.component", &self.text("deprecatedSource.component"));
                if source.is_empty() { self.field("reportingComponent") } else { source }
            }
            ("Event", "reportingComponent") => {
                self.or("reportingComponent", &self.text("reportingController"))
            }
            ("Event", name) => match name.strip_prefix("involvedObject.") {
                Some(rest) => self.or(name, &self.text(&format!("regarding.{rest}"))),
                None => self.text(name),
            },
            (_, name) => self.text(name),
        }
    }
}

/// As [`TreeFields`], without making the tree.
fn event_field(event: &EventBody, name: &str) -> String {
    let data = event.data();
    let about = &data.regarding;
    match name {
        "reason" => data.reason.to_string(),
        "type" => data.kind.to_owned(),
        "source" | "reportingComponent" => data.reporting_component.to_string(),
        "involvedObject.kind" => about.kind.to_string(),
        "involvedObject.apiVersion" => about.api_version.to_string(),
        "involvedObject.namespace" => about.namespace.clone(),
        "involvedObject.name" => about.name.clone(),
        "involvedObject.uid" => about.uid.clone(),
        "involvedObject.resourceVersion" => about.resource_version.clone(),
        "involvedObject.fieldPath" => about.field_path.clone(),
        _ => String::new(),
    }
}

impl Fields for Object {
    fn field(&self, name: &str) -> String {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        match (name, &self.body) {
            ("metadata.name", _) => self.name().to_owned(),
            ("metadata.namespace", _) => self.namespace().to_owned(),
            (_, Body::Pod { spec, node_name, status }) => match name {
                "spec.nodeName" => node_name.as_deref().unwrap_or("").to_owned(),
                "spec.restartPolicy" => text(&spec.restart_policy),
                "spec.schedulerName" => text(&spec.scheduler_name),
                "spec.serviceAccountName" => text(&spec.service_account_name),
                "spec.hostNetwork" => spec.host_network.unwrap_or_default().to_string(),
                "status.phase" => text(&status.phase),
                "status.podIP" => status
                    .pod_ips
                    .as_ref()
                    .and_then(|ips| ips.first())
                    .map(|ip| ip.ip.clone())
                    .unwrap_or_default(),
                "status.nominatedNodeName" => text(&status.nominated_node_name),
                // `status.podIPs` can be named, but is never compared with anything.
                _ => String::new(),
            },
            ("spec.unschedulable", Body::Node { spec, .. }) => {
                spec.unschedulable.unwrap_or_default().to_string()
            }
            (_, Body::Node { .. }) => String::new(),
            (_, Body::Event(event)) => event_field(event, name),
            (_, Body::Tree(fields)) if self.kind.is_custom() => {
                let mut path = name.split('.');
                let first = path.next().and_then(|step| fields.get(step));
                match path.fold(first, |value, step| value?.get(step)) {
                    Some(Value::String(text)) => text.clone(),
                    Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
                    _ => String::new(),
                }
            }
            (_, Body::Tree(fields)) => TreeFields { kind: self.kind.kind, fields }.field(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_a_kind_does_not_know_are_refused_with_its_text() {
        let error = |kind: (&str, &str), text: &str| parse_field_selector(kind.0, kind.1, text).unwrap_err();
        assert_eq!(error(("v1", "Pod"), "foo=bar"), "field label not supported: foo");
        assert_eq!(error(("batch/v1", "Job"), "foo=bar"), "field label \"foo\" not supported for Job");
        assert_eq!(
            error(("apps/v1", "Deployment"), "foo=bar"),
            "\"foo\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
    }

    #[test]
    fn missing_booleans_and_numbers_have_their_zero() {
        let object = |value| Object::from_value(value).unwrap();
        let pod = object(serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},
            "spec": {"containers": []}, "status": {"phase": "Running"}}));
        let selector =
            parse_field_selector("v1", "Pod", "spec.hostNetwork=false,status.phase=Running").unwrap();
        assert!(selector.matches(&pod));
        assert!(parse_field_selector("v1", "Pod", "spec.host=").unwrap().matches(&pod));
        let job =
            object(serde_json::json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}}));
        assert!(parse_field_selector("batch/v1", "Job", "status.successful=0").unwrap().matches(&job));
    }
}
