//! OpenAPI: what the kinds look like, made from the schema and the descriptions that the cluster itself goes by.
//!
//! Source: k8s.io/kube-openapi/pkg/handler3/handler.go, pkg/builder3/openapi.go (v1.37).

mod paths;
mod schemas;

use crate::discovery::{Served, served, served_with};
use paths::Form;
use podlab_api::Kind;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

/// A document of one group and version.
#[derive(Clone)]
pub(crate) struct Document {
    /// `api/v1`, `apis/apps/v1`.
    pub path: String,
    /// Of the text, so that clients may keep it for ever.
    pub hash: String,
    /// JSON.
    pub text: String,
}

static DOCUMENTS: LazyLock<Vec<Document>> = LazyLock::new(|| documents(&served(), |_| true));

/// The groups and versions in which something is served that is asked for.
fn versions(served: &[Served], wanted: fn(&Served) -> bool) -> Vec<(&str, &str)> {
    let mut versions: Vec<(&str, &str)> = Vec::new();
    for one in served.iter().filter(|one| one.group != "metrics.k8s.io" && wanted(one)) {
        let version = (one.group.as_str(), one.version.as_str());
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    versions
}

/// The documents of the groups and versions in which something is served that is asked for.
fn documents(served: &[Served], wanted: fn(&Served) -> bool) -> Vec<Document> {
    let document = |(group, version): (&str, &str)| {
        let text = json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.37.1"},
            "paths": paths::paths(served, group, version, Form::V3),
            "components": {"schemas": schemas::of_version(served, group, version, Form::V3)}})
        .to_string();
        let path = match group {
            "" => format!("api/{version}"),
            group => format!("apis/{group}/{version}"),
        };
        Document { path, hash: hash(&text), text }
    };
    versions(served, wanted).into_iter().map(document).collect()
}

/// The documents of what definitions make; they change with these.
fn defined_documents(defined: &[&'static Kind]) -> Vec<Document> {
    if defined.is_empty() {
        return Vec::new();
    }
    documents(&served_with(defined), |one| one.definition.is_some())
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02X}");
        out
    })
}

/// `/openapi/v3`: where the documents are.
pub(crate) fn index(defined: &[&'static Kind]) -> Value {
    let defined = defined_documents(defined);
    let paths: Map<String, Value> = DOCUMENTS
        .iter()
        .chain(&defined)
        .map(|document| {
            let url = format!("/openapi/v3/{}?hash={}", document.path, document.hash);
            (document.path.clone(), json!({"serverRelativeURL": url}))
        })
        .collect();
    json!({"paths": paths})
}

/// A document by the path under `/openapi/v3`.
pub(crate) fn document(path: &str, defined: &[&'static Kind]) -> Option<Cow<'static, Document>> {
    let own = DOCUMENTS.iter().find(|document| document.path == path);
    own.map(Cow::Borrowed).or_else(|| {
        let mut defined = defined_documents(defined).into_iter();
        defined.find(|document| document.path == path).map(Cow::Owned)
    })
}

/// Paths and schemas of the older form, all in one.
type Whole = (Map<String, Value>, Map<String, Value>);

fn whole(served: &[Served], wanted: fn(&Served) -> bool) -> Whole {
    let (mut all_paths, mut definitions) = (Map::new(), Map::new());
    for (group, version) in versions(served, wanted) {
        all_paths.extend(paths::paths(served, group, version, Form::V2));
        definitions.extend(schemas::of_version(served, group, version, Form::V2));
    }
    (all_paths, definitions)
}

fn swagger((paths, definitions): &Whole) -> String {
    let text = json!({"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1.37.1"},
        "paths": paths, "definitions": definitions})
    .to_string();
    text.replace("#/components/schemas/", "#/definitions/")
}

/// `/openapi/v2`: all in one, in the older form.
pub(crate) fn v2(defined: &[&'static Kind]) -> Cow<'static, str> {
    static OWN: LazyLock<Whole> = LazyLock::new(|| whole(&served(), |_| true));
    static TEXT: LazyLock<String> = LazyLock::new(|| swagger(&OWN));
    if defined.is_empty() {
        return Cow::Borrowed(&TEXT);
    }
    let mut all = OWN.clone();
    let (paths, definitions) = whole(&served_with(defined), |one| one.definition.is_some());
    all.0.extend(paths);
    all.1.extend(definitions);
    Cow::Owned(swagger(&all))
}
