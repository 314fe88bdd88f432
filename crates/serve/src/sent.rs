//! What is sent with a request: an object or a patch, in one of the forms that are read.
//!
//! Source: k8s.io/apiserver/pkg/endpoints/handlers/create.go, patch.go (v1.37).

use crate::protobuf;
use crate::refuse::{too_large, unsupported_media_type, unsupported_patch};
use http_body_util::{BodyExt, Limited};
use hyper::HeaderMap;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use podlab_api::Status;
use podlab_api::door::{PatchType, RequestOptions};
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
        Err(_) => Err(too_large(LONGEST_BODY)),
    }
}

/// The options of a deletion that are sent; `Null` for none.
///
/// # Errors
/// They are too long or cannot be read.
pub(crate) async fn read_options(request: hyper::Request<Incoming>) -> Result<Value, Status> {
    let media_type = media_type(request.headers());
    let bytes = read_bytes(request.into_body()).await?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    decode(&media_type, &bytes, "DeleteOptions")
}

/// The object that is sent, of a kind; what it has twice is noted in `options`.
///
/// # Errors
/// It is too long, of a form that is not known, or cannot be read.
pub(crate) async fn read_body(
    request: hyper::Request<Incoming>,
    kind: &str,
    options: &mut RequestOptions,
) -> Result<Value, Status> {
    let media_type = media_type(request.headers());
    let bytes = read_bytes(request.into_body()).await?;
    if media_type == "application/yaml"
        && let Ok(text) = std::str::from_utf8(&bytes)
        && let Ok(document) = podlab_yaml::parse_document(text)
    {
        options.duplicate_keys = document.duplicates.into_iter().map(|key| key.text).collect();
        return Ok(document.value);
    }
    let value = decode(&media_type, &bytes, kind)?;
    if matches!(media_type.as_str(), "" | "application/json") {
        let text = String::from_utf8_lossy(&bytes);
        options.duplicate_fields = podlab_yaml::json_duplicates(&text);
        options.unsorted_text = (!podlab_yaml::json_is_sorted(&text)).then(|| text.into_owned());
    }
    Ok(value)
}

fn decode(media_type: &str, bytes: &[u8], kind: &str) -> Result<Value, Status> {
    let refuse = |why: String| {
        let shown = summary(bytes);
        Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): {why} ({shown})"
        ))
    };
    let text = || std::str::from_utf8(bytes).map_err(|error| refuse(error.to_string()));
    match media_type {
        "" | "application/json" => {
            const EXPECTED: &str = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";
            let broken = |why: String| refuse(format!("couldn't get version/kind; json parse error: {why}"));
            let value = podlab_yaml::parse_json(text()?).map_err(|error| broken(error.to_string()))?;
            if value.is_object() || value.is_null() {
                let odd = ["apiVersion", "kind"].iter().find_map(|field| {
                    let said = value.get(field).filter(|said| !said.is_null() && !said.is_string())?;
                    Some((field, podlab_api::schema::json_word(said)))
                });
                return match odd {
                    Some((field, word)) => Err(broken(format!(
                        "json: cannot unmarshal {word} into Go struct field .{field} of type string"
                    ))),
                    None => Ok(value),
                };
            }
            let odd = podlab_api::schema::json_word(&value);
            Err(broken(format!("json: cannot unmarshal {odd} into Go value of type {EXPECTED}")))
        }
        "application/yaml" => {
            podlab_yaml::parse_document(text()?).map(|document| document.value).map_err(|error| {
                let why = error.to_string();
                refuse(why.strip_prefix("error converting YAML to JSON: ").unwrap_or(&why).to_owned())
            })
        }
        protobuf::MEDIA_TYPE => protobuf::decode(bytes).map_err(refuse),
        _ => Err(unsupported_media_type(&["application/json", "application/yaml", protobuf::MEDIA_TYPE])),
    }
}

/// What a refusal shows of a body.
///
/// Source: k8s.io/apiserver/pkg/endpoints/handlers/rest.go `summarizeData` (v1.37).
fn summary(bytes: &[u8]) -> String {
    const LONGEST: usize = 30;
    let cut = bytes.get(..LONGEST);
    let shown = cut.unwrap_or(bytes);
    let dots = if cut.is_some() && bytes.len() > LONGEST { " ..." } else { "" };
    match bytes.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => format!("{}{dots}", String::from_utf8_lossy(shown)),
        Some(_) => {
            let digits: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{digits}{dots}")
        }
    }
}

/// A patch and the language it is written in; what YAML has twice is noted in `options`.
///
/// # Errors
/// It is too long, in a language that is not known, or cannot be read.
pub(crate) async fn read_patch(
    request: hyper::Request<Incoming>,
    options: &mut RequestOptions,
) -> Result<(PatchType, Value), Status> {
    let how = match media_type(request.headers()).as_str() {
        "application/json-patch+json" => PatchType::Json,
        "application/merge-patch+json" => PatchType::Merge,
        "application/strategic-merge-patch+json" => PatchType::StrategicMerge,
        "application/apply-patch+yaml" => PatchType::Apply,
        _ => {
            return Err(unsupported_patch());
        }
    };
    let bytes = read_bytes(request.into_body()).await?;
    let text = std::str::from_utf8(&bytes).map_err(|error| Status::bad_request(error.to_string()))?;
    let value = if how == PatchType::Apply {
        podlab_yaml::parse_document(text).map(|document| {
            options.duplicate_keys = document.duplicates.into_iter().map(|key| key.text).collect();
            document.value
        })
    } else {
        podlab_yaml::parse_json(text)
    };
    let value = value.map_err(|error| match how {
        PatchType::Apply => Status::bad_request(format!("error decoding YAML: {error}")),
        _ => Status::bad_request("invalid JSON patch"),
    })?;
    Ok((how, value))
}
