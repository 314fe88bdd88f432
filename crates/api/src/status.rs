//! The API's own error, built only by constructors named after apimachinery's.

use crate::Kind;
use serde_json::{Map, Value, json};

/// A `metav1.Status`: how every refusal reads.
///
/// Source: k8s.io/apimachinery/pkg/api/errors/errors.go (v1.37).
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// HTTP status code.
    pub code: u16,
    /// `NotFound`, `Invalid`; empty where there is none.
    pub reason: &'static str,
    /// The text that people read.
    pub message: String,
    /// What it is about.
    pub details: Option<StatusDetails>,
}

/// What a [`Status`] is about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusDetails {
    /// Name of the object.
    pub name: String,
    /// Group of the resource.
    pub group: String,
    /// Plural resource name, or the kind for `Invalid`.
    pub kind: String,
    /// Uid of the object, where one is known.
    pub uid: String,
    /// One entry a reason.
    pub causes: Vec<StatusCause>,
    /// When to try again, in seconds; 0 is unset.
    pub retry_after_seconds: i32,
}

/// One of several reasons.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusCause {
    /// `FieldValueRequired`.
    pub reason: String,
    /// The reason in words.
    pub message: String,
    /// Path of the field.
    pub field: String,
}

impl Status {
    fn about(kind: &Kind, name: &str) -> Option<StatusDetails> {
        Some(StatusDetails {
            name: name.to_owned(),
            group: kind.group.to_owned(),
            kind: kind.plural.to_owned(),
            ..StatusDetails::default()
        })
    }

    /// 404 for an object that is not there.
    pub fn not_found(kind: &Kind, name: &str) -> Status {
        Status {
            code: 404,
            reason: "NotFound",
            message: format!("{} {name:?} not found", kind.group_resource()),
            details: Status::about(kind, name),
        }
    }

    /// 404 for a path that is not served.
    pub fn no_such_resource() -> Status {
        Status {
            code: 404,
            reason: "NotFound",
            message: "the server could not find the requested resource".to_owned(),
            details: Some(StatusDetails::default()),
        }
    }

    /// 409 for a name that is taken.
    pub fn already_exists(kind: &Kind, name: &str) -> Status {
        Status {
            code: 409,
            reason: "AlreadyExists",
            message: format!("{} {name:?} already exists", kind.group_resource()),
            details: Status::about(kind, name),
        }
    }

    /// 409 for a write that another one has overtaken.
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Status {
        Status {
            code: 409,
            reason: "Conflict",
            message: format!("Operation cannot be fulfilled on {} {name:?}: {why}", kind.group_resource()),
            details: Status::about(kind, name),
        }
    }

    /// 422 for an object that breaks rules; `causes` in the order in which they were found.
    pub fn invalid(kind: &Kind, name: &str, causes: Vec<StatusCause>) -> Status {
        let said: Vec<String> = causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let message = match said.as_slice() {
            [] => format!("{} {name:?} is invalid", kind.group_kind()),
            [one] => format!("{} {name:?} is invalid: {one}", kind.group_kind()),
            many => {
                // An aggregate says every text once.
                let mut unique: Vec<&String> = Vec::new();
                for text in many {
                    if !unique.contains(&text) {
                        unique.push(text);
                    }
                }
                let joined = unique.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ");
                if unique.len() == 1 {
                    format!("{} {name:?} is invalid: {joined}", kind.group_kind())
                } else {
                    format!("{} {name:?} is invalid: [{joined}]", kind.group_kind())
                }
            }
        };
        Status {
            code: 422,
            reason: "Invalid",
            message,
            details: Some(StatusDetails {
                name: name.to_owned(),
                group: kind.group.to_owned(),
                kind: kind.kind.to_owned(),
                causes,
                ..StatusDetails::default()
            }),
        }
    }

    /// 422 for a strategic merge patch whose result is no object of the kind: `why` is what the converter said of it.
    ///
    /// Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go `applyPatchToObject` (v1.37).
    pub fn invalid_patch(patch: &serde_json::Value, why: &str) -> Status {
        Status::no_patch(&crate::patch::go_text(patch), why)
    }

    /// 422 for another patch whose result, `patched` as JSON, is no object of the kind.
    ///
    /// Source: k8s.io/apiserver/pkg/endpoints/handlers/patch.go `jsonPatcher.applyPatchToCurrentObject` (v1.37).
    pub fn unreadable_patch(patched: &str, decoding: &str) -> Status {
        Status::no_patch(patched, decoding)
    }

    fn no_patch(shown: &str, why: &str) -> Status {
        let message = format!("Invalid value: {}: {why}", crate::go_text::quote(shown));
        Status {
            code: 422,
            reason: "Invalid",
            message: format!(" \"\" is invalid: patch: {message}"),
            details: Some(StatusDetails {
                causes: vec![StatusCause {
                    reason: "FieldValueInvalid".to_owned(),
                    message,
                    field: "patch".to_owned(),
                }],
                ..StatusDetails::default()
            }),
        }
    }

    /// 403 for what a rule of the cluster forbids.
    pub fn forbidden(kind: &Kind, name: &str, why: &str) -> Status {
        let resource = kind.group_resource();
        let message = if name.is_empty() {
            format!("{resource} is forbidden: {why}")
        } else {
            format!("{resource} {name:?} is forbidden: {why}")
        };
        Status { code: 403, reason: "Forbidden", message, details: Status::about(kind, name) }
    }

    /// 403 for a resource that may be none of a kind; both names are empty for a path that is no resource.
    pub fn forbidden_resource(group: &str, resource: &str, name: &str, why: &str) -> Status {
        let qualified = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        let message = if resource.is_empty() {
            format!("forbidden: {why}")
        } else if name.is_empty() {
            format!("{qualified} is forbidden: {why}")
        } else {
            format!("{qualified} {name:?} is forbidden: {why}")
        };
        let details = StatusDetails {
            name: name.to_owned(),
            group: group.to_owned(),
            kind: resource.to_owned(),
            ..StatusDetails::default()
        };
        Status { code: 403, reason: "Forbidden", message, details: Some(details) }
    }

    /// 400 for a request that cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Status {
        Status { code: 400, reason: "BadRequest", message: message.into(), details: None }
    }

    /// 405 for a verb that a resource does not have.
    pub fn method_not_supported(kind: &Kind, action: &str) -> Status {
        Status {
            code: 405,
            reason: "MethodNotAllowed",
            message: format!("{action} is not supported on resources of kind {:?}", kind.group_resource()),
            details: Some(StatusDetails {
                group: kind.group.to_owned(),
                kind: kind.plural.to_owned(),
                ..StatusDetails::default()
            }),
        }
    }

    /// 415 for a strategic merge patch of an object whose kind somebody has defined.
    pub fn unsupported_patch() -> Status {
        Status {
            code: 415,
            reason: "UnsupportedMediaType",
            message: "the body of the request was in an unknown format - accepted media types include: \
                      application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
                .to_owned(),
            details: Some(StatusDetails::default()),
        }
    }

    /// 410 for a resourceVersion that the watch history no longer reaches.
    pub fn resource_expired(message: impl Into<String>) -> Status {
        Status { code: 410, reason: "Expired", message: message.into(), details: None }
    }

    /// 429 for an eviction that a budget does not allow now.
    pub fn too_many_requests(message: impl Into<String>, retry_after_seconds: i32) -> Status {
        Status {
            code: 429,
            reason: "TooManyRequests",
            message: message.into(),
            details: Some(StatusDetails { retry_after_seconds, ..StatusDetails::default() }),
        }
    }

    /// 500 for an error that says nothing of itself but its text.
    ///
    /// Source: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/status.go `ErrorToAPIStatus` (v1.37).
    pub fn unknown(message: String) -> Status {
        Status { code: 500, reason: "", message, details: None }
    }

    /// 500 for what should never happen.
    pub fn internal_error(message: impl Into<String>) -> Status {
        let message = message.into();
        Status {
            code: 500,
            reason: "InternalError",
            message: format!("Internal error occurred: {message}"),
            details: Some(StatusDetails {
                causes: vec![StatusCause { message, ..StatusCause::default() }],
                ..StatusDetails::default()
            }),
        }
    }

    /// Whether the object asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.reason == "NotFound"
    }

    /// Whether an object of that name is there already.
    pub fn is_already_exists(&self) -> bool {
        self.reason == "AlreadyExists"
    }

    /// Whether another write came first.
    pub fn is_conflict(&self) -> bool {
        self.reason == "Conflict"
    }

    /// As JSON, `{"kind":"Status","apiVersion":"v1",…}`.
    pub fn to_value(&self) -> Value {
        let mut out = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code});
        if let (false, Some(map)) = (self.reason.is_empty(), out.as_object_mut()) {
            map.insert("reason".into(), self.reason.into());
        }
        if let (Some(details), Some(map)) = (&self.details, out.as_object_mut()) {
            map.insert("details".into(), Value::Object(details.to_map()));
        }
        out
    }
}

impl StatusDetails {
    fn to_map(&self) -> Map<String, Value> {
        let mut map = Map::new();
        let texts = [("name", &self.name), ("group", &self.group), ("kind", &self.kind), ("uid", &self.uid)];
        for (key, text) in texts {
            if !text.is_empty() {
                map.insert(key.into(), text.as_str().into());
            }
        }
        if !self.causes.is_empty() {
            let causes = self.causes.iter().map(|c| {
                let mut cause = Map::new();
                for (key, text) in [("reason", &c.reason), ("message", &c.message), ("field", &c.field)] {
                    if !text.is_empty() {
                        cause.insert(key.into(), text.as_str().into());
                    }
                }
                Value::Object(cause)
            });
            map.insert("causes".into(), causes.collect());
        }
        if self.retry_after_seconds != 0 {
            map.insert("retryAfterSeconds".into(), self.retry_after_seconds.into());
        }
        map
    }
}
