//! Which fields each kind can be selected by, and their values.
//!
//! Source: pkg/apis/*/v1/conversion.go (field label conversions) and the `ToSelectableFields` of pkg/registry (v1.37).

use serde_json::Value;

use super::field::{FieldSelector, Fields};
use crate::go_text::quote;

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
        (
            "v1",
            "Pod" | "Node" | "ReplicationController" | "Event" | "Namespace" | "Secret" | "Service",
        )
        | ("events.k8s.io/v1", "Event")
        | ("certificates.k8s.io/v1", "CertificateSigningRequest") => format!("field label not supported: {label}"),
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

/// The fields of an object in JSON form.
#[derive(Debug, Clone, Copy)]
pub struct ObjectFields<'a> {
    /// The object's kind.
    pub kind: &'a str,
    /// The object as the API shows it.
    pub object: &'a Value,
}

impl ObjectFields<'_> {
    fn text(&self, path: &str) -> String {
        let mut value = self.object;
        for part in path.split('.') {
            match value.get(part) {
                Some(inner) => value = inner,
                None => return String::new(),
            }
        }
        match value {
            Value::String(text) => text.clone(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        }
    }

    fn or(&self, path: &str, default: &str) -> String {
        let text = self.text(path);
        if text.is_empty() { default.to_owned() } else { text }
    }
}

impl Fields for ObjectFields<'_> {
    fn field(&self, name: &str) -> String {
        match (self.kind, name) {
            ("Pod", "spec.hostNetwork") | ("Node", "spec.unschedulable") => self.or(name, "false"),
            ("ReplicationController", "status.replicas") => self.or(name, "0"),
            ("Job", "status.successful") => self.or("status.succeeded", "0"),
            // The list can be named but holds nothing to compare with.
            ("Pod", "status.podIPs") => String::new(),
            ("Event", "source") => {
                let source = self.or("source.component", &self.text("deprecatedSource.component"));
                if source.is_empty() { self.field("reportingComponent") } else { source }
            }
            ("Event", "reportingComponent") => self.or("reportingComponent", &self.text("reportingController")),
            ("Event", name) => match name.strip_prefix("involvedObject.") {
                Some(rest) => self.or(name, &self.text(&format!("regarding.{rest}"))),
                None => self.text(name),
            },
            (_, name) => self.text(name),
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
        let pod = serde_json::json!({"metadata": {"name": "a"}, "status": {"phase": "Running"}});
        let fields = ObjectFields { kind: "Pod", object: &pod };
        let selector = parse_field_selector("v1", "Pod", "spec.hostNetwork=false,status.phase=Running").unwrap();
        assert!(selector.matches(&fields));
        assert!(parse_field_selector("v1", "Pod", "spec.host=").unwrap().matches(&fields));
    }
}
