//! Answers as HTTP has them.

use crate::body::ReplyBody;
use crate::negotiate::Encoding;
use crate::protobuf;
use crate::render;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WARNING};
use hyper::{Response, StatusCode};
use podlab_api::Status;

/// An answer to a request.
pub(crate) type Reply = Response<ReplyBody>;

/// An answer of a type.
pub(crate) fn typed(code: u16, content_type: &str, body: ReplyBody) -> Reply {
    let mut reply = Response::new(body);
    *reply.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    set(&mut reply, CONTENT_TYPE, content_type);
    set(&mut reply, CACHE_CONTROL, "no-cache, private");
    reply
}

/// Sets a header; a value that no header may have is left out.
pub(crate) fn set(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// JSON as it is.
pub(crate) fn raw(json: String) -> Reply {
    typed(200, "application/json", ReplyBody::full(json))
}

/// A tree as Go's `WriteRawJSON` writes it: indented, without a newline at its end.
///
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/writers.go (v1.37).
pub(crate) fn indented(value: &serde_json::Value) -> Reply {
    raw(serde_json::to_string_pretty(value).unwrap_or_default())
}

/// An object in JSON, which ends with a newline, or in another encoding.
pub(crate) fn document(code: u16, mut json: String, encoding: Encoding) -> Reply {
    if encoding == Encoding::Json && !json.ends_with('\n') {
        json.push('\n');
    }
    match encoding {
        Encoding::Json => typed(code, "application/json", ReplyBody::full(json)),
        Encoding::Yaml => {
            let value = serde_json::from_str(&json).unwrap_or_default();
            typed(code, "application/yaml", ReplyBody::full(podlab_yaml::to_yaml(&value)))
        }
        // A kind that has no form in protobuf is told in JSON, which clients know by its type.
        Encoding::Protobuf => {
            let bytes = serde_json::from_str(&json).ok().and_then(|value| protobuf::encode(&value));
            match bytes {
                Some(bytes) => typed(code, protobuf::MEDIA_TYPE, ReplyBody::full(bytes)),
                None => typed(code, "application/json", ReplyBody::full(json)),
            }
        }
    }
}

/// A refusal.
pub(crate) fn status(status: &Status, encoding: Encoding) -> Reply {
    let mut reply = document(status.code, render::value(&status.to_value()), encoding);
    if let Some(seconds) = status.details.as_ref().map(|d| d.retry_after_seconds).filter(|s| *s > 0) {
        set(&mut reply, RETRY_AFTER, &seconds.to_string());
    }
    reply
}

/// Plain text.
pub(crate) fn text(code: u16, text: &str) -> Reply {
    let mut reply = typed(code, "text/plain; charset=utf-8", ReplyBody::full(text.to_owned()));
    set(&mut reply, HeaderName::from_static("x-content-type-options"), "nosniff");
    reply
}

/// What Go's HTTP server says of a path that nothing serves.
pub(crate) fn not_found() -> Reply {
    text(404, "404 page not found\n")
}

/// Adds `Warning` headers.
///
/// Source: k8s.io/apimachinery/pkg/util/net/http.go `NewWarningHeader` (v1.37).
pub(crate) fn warn(reply: &mut Reply, warnings: &[String]) {
    for warning in warnings {
        let plain: String = warning.chars().filter(|c| !c.is_control()).collect();
        let quoted = plain.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{quoted}\"").as_bytes()) {
            reply.headers_mut().append(WARNING, value);
        }
    }
}
