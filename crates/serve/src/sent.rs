//! What is sent with a request: an object or a patch, in one of the forms that are read.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go, patch.go (v1.37).

use crate::negotiate::unsupported_media_type;
use crate::protobuf;
use http_body_util::{BodyExt, Limited};
use hyper::HeaderMap;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use podlab_api::Status;
use podlab_api::door::PatchType;
use serde_json::Value;

/// The longest body that is read: what the real server takes (3 MiB).
const LONGEST_BODY: usize = 3 << 20;

/// The media type of a body, without parameters.
fn media_type(headers: &HeaderMap) -> String {
    let header = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    header.split(';').next().unwrap_or("").trim().to_lowercase()
}

pub(crate) async fn read_bytes(body: Incoming) -> Result<Vec<u8>, Status> {
    match Limited::new(body, LONGEST_BODY).collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(_) => Err(Status {
            code: 413,
            reason: "RequestEntityTooLarge",
            message: format!("Request entity too large: limit is {LONGEST_BODY}"),
            details: None,
        }),
    }
}

/// The object that is sent; `Null` for none.
pub(crate) async fn read_body(request: hyper::Request<Incoming>) -> Result<Value, Status> {
    let media_type = media_type(request.headers());
    let bytes = read_bytes(request.into_body()).await?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    match media_type.as_str() {
        "" | "application/json" => parse(&bytes, false),
        "application/yaml" => parse(&bytes, true),
        protobuf::MEDIA_TYPE => protobuf::decode(&bytes).map_err(Status::bad_request),
        _ => Err(unsupported_media_type(&["application/json", "application/yaml", protobuf::MEDIA_TYPE])),
    }
}

fn parse(bytes: &[u8], yaml: bool) -> Result<Value, Status> {
    let refuse =
        |why: String| Status::bad_request(format!("couldn't get version/kind; json parse error: {why}"));
    let text = std::str::from_utf8(bytes).map_err(|error| refuse(error.to_string()))?;
    if yaml {
        return podlab_yaml::parse_document(text)
            .map(|document| document.value)
            .map_err(|error| refuse(error.to_string()));
    }
    podlab_yaml::parse_json(text).map_err(|error| refuse(error.to_string()))
}

pub(crate) async fn read_patch(request: hyper::Request<Incoming>) -> Result<(PatchType, Value), Status> {
    let how = match media_type(request.headers()).as_str() {
        "application/json-patch+json" => PatchType::Json,
        "application/merge-patch+json" => PatchType::Merge,
        "application/strategic-merge-patch+json" => PatchType::StrategicMerge,
        "application/apply-patch+yaml" => PatchType::Apply,
        _ => {
            return Err(unsupported_media_type(&[
                "application/json-patch+json",
                "application/merge-patch+json",
                "application/strategic-merge-patch+json",
                "application/apply-patch+yaml",
            ]));
        }
    };
    let bytes = read_bytes(request.into_body()).await?;
    let text = std::str::from_utf8(&bytes).map_err(|error| Status::bad_request(error.to_string()))?;
    let value = if how == PatchType::Apply {
        podlab_yaml::parse_document(text).map(|document| document.value)
    } else {
        podlab_yaml::parse_json(text)
    };
    Ok((how, value.map_err(|error| Status::bad_request(error.to_string()))?))
}
