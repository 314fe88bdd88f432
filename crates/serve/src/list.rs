//! Lists: selected, at a version, cut into pages.
//!
//! Source: k8s.io/apiserver/pkg/storage/continue.go, pkg/storage/etcd3/store.go `GetList` (v1.37).

use crate::query::ListQuery;
use crate::render::ListMeta;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use podlab_api::door::{ChangeType, RequestOptions, ResponseBody, Timestamp};
use podlab_api::selector::supported_fields::parse_field_selector_of;
use podlab_api::selector::{FieldSelector, Selector};
use podlab_api::{Door, Kind, Object, Request, Response, Status, StatusCause, StatusDetails};
use podlab_cluster::Cluster;
use podlab_cluster::store::Store;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A page of a list.
pub(crate) struct Page {
    pub items: Vec<Arc<Object>>,
    pub meta: ListMeta,
    pub now: Timestamp,
    pub warnings: Vec<String>,
}

/// Answers a list request; the form is the caller's.
///
/// # Errors
/// What the API server would answer: selectors that cannot be read, versions that are gone or to come.
pub(crate) fn list(
    cluster: &mut Cluster,
    kind: &'static Kind,
    namespace: &str,
    options: RequestOptions,
    query: &ListQuery,
) -> Result<Page, Status> {
    let token = query.token.as_deref().map(Token::read).transpose()?;
    let selects = options.label_selector.is_some() || options.field_selector.is_some();
    let filter = Filter::new(kind, &options)?;
    let mut request = Request::list(kind, namespace);
    request.options = options;
    let Response { body, warnings, .. } = cluster.request(request);
    let mut items = match body {
        ResponseBody::List(list) => list.items,
        ResponseBody::Status(status) => return Err(*status),
        _ => return Err(Status::internal_error("the answer is not a list")),
    };
    let store = cluster.world().api.store();
    let current = store.resource_version();
    let version = match (&token, &query.version) {
        (Some(token), _) => token.version,
        (None, Some(text)) => read_version(text)?,
        (None, None) => 0,
    };
    if version > current {
        return Err(too_large(version, current));
    }
    // A version alone asks for nothing older; with a limit, or by its own word, for exactly it.
    let exact = token.is_some()
        || query.version_match.as_deref() == Some("Exact")
        || query.version_match.is_none() && query.limit.is_some();
    let mut resource_version = current;
    if version > 0 && exact {
        resource_version = version;
        if version < current {
            items = snapshot(store, kind, namespace, version).ok_or_else(|| match &token {
                Some(token) => continue_expired(token, current),
                None => Status::resource_expired("The resourceVersion for the provided list is too old."),
            })?;
            items.retain(|object| filter.matches(object));
        }
    }
    if let Some(token) = &token {
        let start = token.start.as_str();
        items.retain(|object| key(object).as_str() >= start);
    }
    let mut meta = ListMeta { resource_version, ..ListMeta::default() };
    if let Some(limit) = query.limit.filter(|limit| items.len() > *limit) {
        let left = items.len() - limit;
        items.truncate(limit);
        let start = items.last().map(|object| format!("{}\0", key(object))).unwrap_or_default();
        meta.token = Some(Token { version: resource_version, start }.write());
        // With selectors the real server does not know how many are left.
        meta.remaining = i64::try_from(left).ok().filter(|_| !selects);
    }
    Ok(Page { items, meta, now: cluster.now(), warnings })
}

/// Reads a resourceVersion.
///
/// # Errors
/// 400 where it is no number.
fn read_version(text: &str) -> Result<u64, Status> {
    text.parse().map_err(|_| {
        Status::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: \
             invalid syntax"
        ))
    })
}

/// Source: k8s.io/apiserver/pkg/storage/errors.go `NewTooLargeResourceVersionError` (v1.37).
fn too_large(wanted: u64, current: u64) -> Status {
    Status {
        code: 504,
        reason: "Timeout",
        message: format!("Timeout: Too large resource version: {wanted}, current: {current}"),
        details: Some(StatusDetails {
            causes: vec![StatusCause {
                reason: "ResourceVersionTooLarge".to_owned(),
                message: "Too large resource version".to_owned(),
                field: String::new(),
            }],
            retry_after_seconds: 1,
            ..StatusDetails::default()
        }),
    }
}

fn continue_expired(token: &Token, current: u64) -> Status {
    let _ = Token { version: current, start: token.start.clone() };
    Status::resource_expired(
        "The provided continue parameter is too old to display a consistent list result. You can start a new list \
         without the continue parameter, or use the continue token in this response to retrieve the remainder of the \
         results. Continuing with the provided token results in an inconsistent list - objects that were created, \
         modified, or deleted between the time the first chunk was returned and now may show up in the list.",
    )
}

/// Where an object stands among those of its kind.
fn key(object: &Object) -> String {
    if object.kind.namespaced {
        format!("{}/{}", object.namespace(), object.name())
    } else {
        object.name().to_owned()
    }
}

/// The objects of a kind as they were at a version; `None` where the history does not reach back.
fn snapshot(store: &Store, kind: &'static Kind, namespace: &str, version: u64) -> Option<Vec<Arc<Object>>> {
    let here = |object: &Object| namespace.is_empty() || object.namespace() == namespace;
    let mut objects: BTreeMap<String, Arc<Object>> =
        store.list(kind).filter(|object| here(object)).map(|object| (key(object), object.clone())).collect();
    let changes: Vec<_> = store
        .history()
        .since(version)?
        .filter(|change| change.object.kind == kind && here(&change.object))
        .collect();
    for change in changes.into_iter().rev() {
        match (&change.before, change.change) {
            (Some(before), ChangeType::Modified | ChangeType::Deleted) => {
                objects.insert(key(before), before.clone());
            }
            _ => {
                objects.remove(&key(&change.object));
            }
        }
    }
    Some(objects.into_values().collect())
}

struct Filter {
    labels: Option<Selector>,
    fields: Option<FieldSelector>,
}

impl Filter {
    fn new(kind: &Kind, options: &RequestOptions) -> Result<Filter, Status> {
        let labels = options.label_selector.as_deref().map(Selector::parse).transpose();
        let fields =
            options.field_selector.as_deref().map(|text| parse_field_selector_of(kind, text)).transpose();
        Ok(Filter {
            labels: labels.map_err(|error| Status::bad_request(error.to_string()))?,
            fields: fields.map_err(Status::bad_request)?,
        })
    }

    fn matches(&self, object: &Object) -> bool {
        let none = BTreeMap::new();
        let labels = object.metadata.labels.as_ref().unwrap_or(&none);
        self.labels.as_ref().is_none_or(|selector| selector.matches(labels))
            && self.fields.as_ref().is_none_or(|selector| selector.matches(object))
    }
}

/// Where a list goes on: opaque to clients.
struct Token {
    version: u64,
    /// The key from which on objects are given.
    start: String,
}

impl Token {
    fn read(text: &str) -> Result<Token, Status> {
        let refuse = |why: &str| {
            Status::bad_request(format!("invalid continue token: continue key is not valid: {why}"))
        };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|error| refuse(&error.to_string()))?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|error| refuse(&error.to_string()))?;
        if value.get("v").and_then(Value::as_str) != Some("meta.k8s.io/v1") {
            return Err(refuse("server does not recognize this encoded version"));
        }
        let version = value.get("rv").and_then(Value::as_u64).unwrap_or(0);
        if version == 0 {
            return Err(refuse("incorrect encoded start resourceVersion (version meta.k8s.io/v1)"));
        }
        let start = value.get("start").and_then(Value::as_str).unwrap_or("");
        if start.is_empty() {
            return Err(refuse("encoded start key empty (version meta.k8s.io/v1)"));
        }
        Ok(Token { version, start: start.to_owned() })
    }

    fn write(&self) -> String {
        let text = json!({"v": "meta.k8s.io/v1", "rv": self.version, "start": self.start}).to_string();
        URL_SAFE_NO_PAD.encode(text)
    }
}
