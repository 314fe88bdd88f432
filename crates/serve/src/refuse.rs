//! What is refused before the cluster's door is reached, in the words of the real server.
//!
//! Source: k8s.io/apimachinery/pkg/api/errors/errors.go, k8s.io/apiserver/pkg/endpoints/handlers (v1.37).

use podlab_api::{Status, StatusCause, StatusDetails};

/// 405 for a method that a path does not have.
pub(crate) fn method_not_allowed() -> Status {
    Status {
        code: 405,
        reason: "MethodNotAllowed",
        message: "the server does not allow this method on the requested resource".to_owned(),
        details: Some(StatusDetails::default()),
    }
}

/// 406 for a client that takes nothing that is served.
pub(crate) fn not_acceptable() -> Status {
    Status {
        code: 406,
        reason: "NotAcceptable",
        message: "only the following media types are accepted: application/json, application/yaml, \
                  application/vnd.kubernetes.protobuf"
            .to_owned(),
        details: None,
    }
}

/// 415 for a body in a form that is not read here.
pub(crate) fn unsupported_media_type(accepted: &[&str]) -> Status {
    Status {
        code: 415,
        reason: "UnsupportedMediaType",
        message: format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        ),
        details: None,
    }
}

/// 415 for a patch in a language that is not known.
pub(crate) fn unsupported_patch() -> Status {
    Status {
        code: 415,
        reason: "UnsupportedMediaType",
        message: "415: Unsupported Media Type".to_owned(),
        details: Some(StatusDetails::default()),
    }
}

/// 413 for a body that is too long.
pub(crate) fn too_large(limit: usize) -> Status {
    Status {
        code: 413,
        reason: "RequestEntityTooLarge",
        message: format!("Request entity too large: limit is {limit}"),
        details: None,
    }
}

/// 503 for a cluster that has gone.
pub(crate) fn stopped() -> Status {
    unavailable("apiserver is shutting down".to_owned())
}

/// 503 for a server that cannot be reached.
pub(crate) fn unavailable(message: String) -> Status {
    Status { code: 503, reason: "ServiceUnavailable", message, details: None }
}

/// What is wrong with a parameter.
pub(crate) fn cause(reason: &str, field: &str, message: impl Into<String>) -> StatusCause {
    StatusCause { reason: reason.to_owned(), message: message.into(), field: field.to_owned() }
}

/// 422 for parameters that break rules; nothing where no rule is broken.
///
/// # Errors
/// With all causes.
pub(crate) fn check(kind: &str, causes: Vec<StatusCause>) -> Result<(), Status> {
    let said: Vec<String> =
        causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    let said = match said.as_slice() {
        [] => return Ok(()),
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    Err(Status {
        code: 422,
        reason: "Invalid",
        message: format!("{kind}.meta.k8s.io \"\" is invalid: {said}"),
        details: Some(StatusDetails {
            group: "meta.k8s.io".to_owned(),
            kind: kind.to_owned(),
            causes,
            ..StatusDetails::default()
        }),
    })
}
