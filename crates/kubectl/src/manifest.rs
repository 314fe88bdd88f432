//! Objects from files and standard input.
//!
//! Source: k8s.io/cli-runtime/pkg/resource/visitor.go (v1.37).

use crate::cx::Cx;
use crate::error::{Error, Result, message};
use crate::io::FileError;
use crate::resource::{Builder, Info, Selected};
use crate::value::{name, namespace, text};
use podlab_api::kinds;
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// Endings of the files that a directory is searched for.
const ENDINGS: [&str; 3] = [".json", ".yaml", ".yml"];

/// How deep `--recursive` follows directories.
const MAX_DEPTH: usize = 16;

/// The paths that `-f` names, in the order in which they are read.
fn paths(cx: &mut Cx<'_>, builder: &Builder) -> Result<Vec<String>> {
    let mut out = Vec::new();
    for path in &builder.filenames {
        if path == "-" {
            out.push(path.clone());
        } else if path.starts_with("http://") || path.starts_with("https://") {
            return message(format!("podlab has no network to read {path:?} from (not simulated)"));
        } else if path.contains(['*', '?', '[']) && cx.io.read_file(path).is_err() {
            return message(format!("the path {path:?} does not exist"));
        } else {
            match cx.io.read_dir(path) {
                Ok(_) => walk(cx, path, builder.recursive, 0, &mut out)?,
                Err(_) => match cx.io.read_file(path) {
                    Ok(_) => out.push(path.clone()),
                    Err(FileError::Denied) => return message(format!("open {path}: permission denied")),
                    Err(_) => return message(format!("the path {path:?} does not exist")),
                },
            }
        }
    }
    Ok(out)
}

fn walk(cx: &mut Cx<'_>, path: &str, recursive: bool, depth: usize, out: &mut Vec<String>) -> Result<()> {
    let Ok(mut entries) = cx.io.read_dir(path) else { return Ok(()) };
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let before = out.len();
    for entry in entries {
        let full = format!("{}/{}", path.trim_end_matches('/'), entry.name);
        if entry.is_dir {
            if recursive && depth < MAX_DEPTH {
                walk(cx, &full, true, depth + 1, out)?;
            }
        } else if ENDINGS.iter().any(|e| entry.name.ends_with(e)) {
            out.push(full);
        }
    }
    if depth == 0 && out.len() == before {
        return message(format!("error reading [{path}]: recognized file extensions are [.json .yaml .yml]"));
    }
    Ok(())
}

/// A document before anybody asked what kind it is.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub value: Value,
    pub source: String,
}

/// The documents of all files, lists taken apart; an error ends a file.
pub(crate) fn documents(cx: &mut Cx<'_>, builder: &Builder) -> Result<Vec<Result<Document>>> {
    let mut out = Vec::new();
    if !builder.kustomize.is_empty() {
        if !builder.filenames.is_empty() {
            return message("only one of -f or -k can be specified");
        }
        let source = builder.kustomize.clone();
        let objects = crate::kustomize::build(cx, &source).map_err(Error::Message)?;
        out.extend(objects.into_iter().map(|value| Ok(Document { value, source: source.clone() })));
        return Ok(out);
    }
    for path in paths(cx, builder)? {
        let source = if path == "-" { "STDIN".to_owned() } else { path.clone() };
        let content = cx.read_text(&path)?;
        split(&content, &source, &mut out);
    }
    Ok(out)
}

fn split(content: &str, source: &str, out: &mut Vec<Result<Document>>) {
    keep(podlab_yaml::parse_documents(content), source, out);
}

fn keep(read: podlab_yaml::Documents, source: &str, out: &mut Vec<Result<Document>>) {
    for document in read.documents {
        if !document.value.is_null() {
            out.push(Ok(Document { value: document.value, source: source.to_owned() }));
        }
    }
    if let Some(error) = read.error {
        out.push(Err(Error::Message(format!("error parsing {source}: {error}"))));
    }
}

/// Reads the objects of all files.
pub(crate) fn read(cx: &mut Cx<'_>, builder: &Builder) -> Result<Selected> {
    let mut gathering = Gathering::begin(cx, builder)?;
    while !gathering.step(cx) {}
    Ok(gathering.finish())
}

/// How many documents a step reads.
const STEP: usize = 2;

/// The objects of all files, read a little at a time: thousands of documents take longer than a page may stand still.
#[derive(Clone, Debug)]
pub(crate) struct Gathering {
    builder: Builder,
    /// Sources and contents of the files that have not been read to their end.
    files: VecDeque<(String, String)>,
    /// How far the first of them is.
    reading: Option<podlab_yaml::Reading>,
    documents: VecDeque<Result<Document>>,
    /// How many documents there are in all.
    count: usize,
    /// The file whose rest is left out, as something in it does not validate.
    ended: Option<String>,
    items: Vec<Result<Info>>,
}

impl Gathering {
    /// Begins to read.
    ///
    /// # Errors
    /// If a file can't be read.
    pub(crate) fn begin(cx: &mut Cx<'_>, builder: &Builder) -> Result<Gathering> {
        let mut gathering = Gathering {
            builder: builder.clone(),
            files: VecDeque::new(),
            reading: None,
            documents: VecDeque::new(),
            count: 0,
            ended: None,
            items: Vec::new(),
        };
        if builder.kustomize.is_empty() {
            for path in paths(cx, builder)? {
                let source = if path == "-" { "STDIN".to_owned() } else { path.clone() };
                gathering.files.push_back((source, cx.read_text(&path)?));
            }
        } else {
            gathering.documents = documents(cx, builder)?.into();
            gathering.count = gathering.documents.len();
        }
        Ok(gathering)
    }

    /// Goes on a little; answers whether all is read.
    pub(crate) fn step(&mut self, cx: &mut Cx<'_>) -> bool {
        if let Some((source, content)) = self.files.front() {
            let reading = self.reading.get_or_insert_with(|| podlab_yaml::Reading::begin(content));
            let mut left = STEP;
            let ended = reading.go_on(content, &mut || {
                left -= 1;
                left > 0
            });
            if ended {
                let read = self.reading.take().map(podlab_yaml::Reading::finish).unwrap_or_default();
                let mut found = Vec::new();
                keep(read, source, &mut found);
                self.count += found.len();
                self.documents.extend(found);
                self.files.pop_front();
            }
            return false;
        }
        for _ in 0..STEP {
            match self.documents.pop_front() {
                None => return true,
                // What does not validate ends its file.
                Some(Ok(document)) if self.ended.as_ref() == Some(&document.source) => {}
                Some(Ok(document)) => {
                    let source = document.source.clone();
                    if !flatten(cx, &self.builder, document, &mut self.items) {
                        self.ended = Some(source);
                    }
                }
                Some(Err(error)) => self.items.push(Err(error)),
            }
        }
        false
    }

    /// What was read.
    pub(crate) fn finish(self) -> Selected {
        let named = self.builder.filenames.len() == 1 && self.builder.filenames.iter().all(|f| f != "-");
        Selected { items: self.items, single: named && self.count == 1, by_name: true }
    }
}

/// Puts a document's objects into `out`; answers whether it was valid.
fn flatten(cx: &mut Cx<'_>, builder: &Builder, document: Document, out: &mut Vec<Result<Info>>) -> bool {
    if builder.validate
        && !builder.local
        && let Err(error) = validate(cx, &document)
    {
        out.push(Err(error));
        return false;
    }
    match info(cx, builder, document, Metadata::Checked) {
        Ok(Decoded::One(info)) => out.push(Ok(*info)),
        Ok(Decoded::List(items, source)) => {
            for value in items {
                let item = Document { value, source: source.clone() };
                match info(cx, builder, item, Metadata::Unchecked) {
                    Ok(Decoded::One(info)) => out.push(Ok(*info)),
                    Ok(Decoded::List(..)) => {}
                    Err(error) => out.push(Err(error)),
                }
            }
        }
        Err(error) => out.push(Err(error)),
    }
    true
}

/// What `--validate` finds before anything is sent; the fields are the server's to check.
///
/// Source: k8s.io/kubectl/pkg/validation/schema.go (v1.37).
fn validate(cx: &mut Cx<'_>, document: &Document) -> Result<()> {
    let source = &document.source;
    let refuse = |why: &str| {
        message(format!(
            "error validating {source:?}: error validating data: {why}; if you choose to ignore these errors, turn validation off with --validate=false"
        ))
    };
    if !cx.config.has_server() {
        return refuse(
            "failed to download openapi: Get \"http://localhost:8080/openapi/v2?timeout=32s\": dial tcp 127.0.0.1:8080: connect: connection refused",
        );
    }
    if let Some(why) = untyped(&document.value) {
        return refuse(&why);
    }
    let value = &document.value;
    match kinds::served_by_gvk(text(value, &["apiVersion"]), text(value, &["kind"])) {
        Some(kind) if *kind == kinds::BINDING => by_schema(value).map_or(Ok(()), |why| refuse(&why)),
        _ => Ok(()),
    }
}

/// What the OpenAPI schema refuses, asked where the server cannot be: of a kind that knows no PATCH, kubectl does not know
/// whether the server validates fields.
///
/// Source: k8s.io/kubectl/pkg/validation/schema.go, k8s.io/kube-openapi/pkg/util/proto/validation (v1.37).
fn by_schema(value: &Value) -> Option<String> {
    use podlab_api::schema::{GoType, Schema, TypeId};
    fn walk(schema: &Schema, id: TypeId, value: &Value, path: &str, out: &mut Vec<String>) {
        let Value::Object(map) = value else { return };
        let (package, name) = schema.qualified_name(id);
        let model = match package.split_once('/') {
            Some(("meta", version)) => format!("io.k8s.apimachinery.pkg.apis.meta.{version}.{name}"),
            Some((group, version)) => format!("io.k8s.api.{group}.{version}.{name}"),
            None => name.to_owned(),
        };
        for (key, item) in map {
            let Some(field) = schema.fields(id).iter().find(|field| field.name == key) else {
                if !(path == name && matches!(key.as_str(), "kind" | "apiVersion")) {
                    out.push(format!("ValidationError({path}): unknown field {key:?} in {model}"));
                }
                continue;
            };
            let mut ty = &field.ty;
            while let GoType::Pointer(inner) = ty {
                ty = inner;
            }
            if let GoType::Named(inner) = ty {
                walk(schema, *inner, item, &format!("{path}.{key}"), out);
            }
        }
        for field in schema.fields(id).iter().filter(|field| field.required) {
            if map.get(field.name).is_none_or(Value::is_null) {
                out.push(format!(
                    "ValidationError({path}): missing required field {:?} in {model}",
                    field.name
                ));
            }
        }
    }
    let schema = Schema::get();
    let id = schema.kind(text(value, &["apiVersion"]), text(value, &["kind"]))?;
    let mut out = Vec::new();
    walk(schema, id, value, text(value, &["kind"]), &mut out);
    match out.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        all => Some(format!("[{}]", all.join(", "))),
    }
}

/// Why an object can't be told what kind it is.
pub(crate) fn untyped(value: &Value) -> Option<String> {
    let why = |why: &str| Some(why.to_owned());
    let Value::Object(map) = value else { return why("invalid object to validate") };
    match (gvk_text(map, "apiVersion"), gvk_text(map, "kind")) {
        (Ok(true), Ok(true)) => None,
        (Ok(false), Ok(false)) => why("[apiVersion not set, kind not set]"),
        (Ok(false), _) => why("apiVersion not set"),
        (_, Ok(false)) => why("kind not set"),
        (Err(why), _) | (_, Err(why)) => Some(why),
    }
}

/// The objects of a text.
pub(crate) fn from_text(cx: &mut Cx<'_>, builder: &Builder, text: &str, source: &str) -> Vec<Result<Info>> {
    let mut out = Vec::new();
    let mut documents = Vec::new();
    split(text, source, &mut documents);
    for document in documents {
        match document {
            Ok(document) => {
                flatten(cx, builder, document, &mut out);
            }
            Err(error) => out.push(Err(error)),
        }
    }
    out
}

fn gvk_text(map: &Map<String, Value>, key: &str) -> std::result::Result<bool, String> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::String(text)) => Ok(!text.is_empty()),
        Some(_) => Err(format!("{key} isn't string type")),
    }
}

enum Decoded {
    One(Box<Info>),
    List(Vec<Value>, String),
}

/// Whether an object's metadata is read by type: that of what stands in a list is not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Metadata {
    Checked,
    Unchecked,
}

fn info(cx: &mut Cx<'_>, builder: &Builder, document: Document, metadata: Metadata) -> Result<Decoded> {
    let Document { mut value, source } = document;
    let undecodable = |why: String| message(format!("unable to decode {source:?}: {why}"));
    let Value::Object(map) = &value else {
        let kind = match &value {
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Bool(_) => "bool",
            _ => "number",
        };
        return undecodable(format!(
            "json: cannot unmarshal {kind} into Go value of type unstructured.detector"
        ));
    };
    if text(&value, &["kind"]).is_empty() {
        return undecodable(format!(
            "Object 'Kind' is missing in '{}'",
            podlab_yaml::to_json_compact(&value)
        ));
    }
    if metadata == Metadata::Checked
        && let Some(why) = bad_metadata(map)
    {
        return undecodable(why);
    }
    let api_version = text(&value, &["apiVersion"]).to_owned();
    let kind = text(&value, &["kind"]).to_owned();
    if let (true, Some(items)) = (kind.ends_with("List"), map.get("items").and_then(Value::as_array)) {
        return Ok(Decoded::List(items.clone(), source));
    }
    if !cx.config.has_server() && !builder.local {
        cx.memcache(1);
        return message(format!(
            "unable to recognize {source:?}: Get \"http://localhost:8080/api?timeout=32s\": dial tcp 127.0.0.1:8080: connect: connection refused"
        ));
    }
    // kubectl's mapper knows every kind in small letters as well; the server then refuses it.
    let small = || kinds::served().find(|k| k.api_version() == api_version && k.kind.to_lowercase() == kind);
    let mut defined = || {
        let all = cx.defined();
        all.into_iter().find(|one| one.kind == kind && one.api_version() == api_version)
    };
    let Some(entry) = kinds::served_by_gvk(&api_version, &kind).or_else(small).or_else(&mut defined) else {
        return message(format!(
            "resource mapping not found for name: {:?} namespace: {:?} from {source:?}: no matches for kind {kind:?} in version {api_version:?}\nensure CRDs are installed first",
            name(&value),
            namespace(&value)
        ));
    };
    let own = namespace(&value).to_owned();
    let namespace = if !entry.namespaced {
        if !own.is_empty()
            && let Some(meta) = value.get_mut("metadata").and_then(Value::as_object_mut)
        {
            meta.remove("namespace");
        }
        String::new()
    } else if own.is_empty() {
        value["metadata"]["namespace"] = builder.namespace.clone().into();
        builder.namespace.clone()
    } else if builder.enforce_namespace && own != builder.namespace {
        return message(format!(
            "the namespace from the provided object {own:?} does not match the namespace {:?}. You must pass '--namespace={own}' to perform this operation.",
            builder.namespace
        ));
    } else {
        own
    };
    let name = name(&value).to_owned();
    Ok(Decoded::One(Box::new(Info { kind: entry, namespace, name, object: value, source })))
}

/// Metadata is read early, by type; what does not fit ends the document.
fn bad_metadata(map: &Map<String, Value>) -> Option<String> {
    let type_of = |v: &Value| match v {
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        _ => "object",
    };
    let metadata = map.get("metadata")?;
    let Value::Object(fields) = metadata else {
        return (!metadata.is_null()).then(|| {
            format!(
                "json: cannot unmarshal {} into Go struct field metadataOnlyObject.metadata of type v1.ObjectMeta",
                type_of(metadata)
            )
        });
    };
    for (key, value) in fields {
        let wrong = |v: &Value, path: &str, want: &str| {
            Some(format!(
                "json: cannot unmarshal {} into Go struct field ObjectMeta.metadata.{path} of type {want}",
                type_of(v)
            ))
        };
        match key.as_str() {
            "name" | "namespace" | "generateName" | "uid" | "resourceVersion" | "selfLink"
                if !value.is_string() && !value.is_null() =>
            {
                return wrong(value, key, "string");
            }
            "creationTimestamp" | "deletionTimestamp" => {
                // Source: k8s.io/apimachinery/pkg/apis/meta/v1/time.go `UnmarshalJSON` (v1.37).
                match value {
                    Value::Null => {}
                    Value::String(text) => {
                        if let Err(why) = podlab_api::schema::parse_rfc3339(text) {
                            return Some(why);
                        }
                    }
                    other => {
                        return Some(format!(
                            "json: cannot unmarshal {} into Go value of type string",
                            type_of(other)
                        ));
                    }
                }
            }
            "labels" | "annotations" => match value {
                Value::Object(entries) => {
                    for entry in entries.values() {
                        if !entry.is_string() && !entry.is_null() {
                            return wrong(entry, key, "string");
                        }
                    }
                }
                Value::Null => {}
                other => return wrong(other, key, "map[string]string"),
            },
            _ => {}
        }
    }
    None
}

/// An object of `--local`: nobody is asked whether its kind is served.
pub(crate) struct Local {
    pub value: Value,
}

/// Reads the objects of all files without a server.
///
/// With `typed`, objects go through the type of their kind, so that what a type always writes is there.
pub(crate) fn local(cx: &mut Cx<'_>, builder: &Builder, typed: bool) -> Result<Vec<Result<Local>>> {
    let mut out = Vec::new();
    for document in documents(cx, builder)? {
        let document = match document {
            Ok(document) => document,
            Err(error) => {
                out.push(Err(error));
                continue;
            }
        };
        let items = match (text(&document.value, &["kind"]).ends_with("List"), document.value.get("items")) {
            (true, Some(Value::Array(items))) => items.clone(),
            _ => vec![document.value],
        };
        for value in items {
            out.push(local_one(value, &document.source, typed).map(|value| Local { value }));
        }
    }
    Ok(out)
}

fn local_one(value: Value, source: &str, typed: bool) -> Result<Value> {
    let undecodable = |why: String| message(format!("unable to decode {source:?}: {why}"));
    let go = match &value {
        Value::Object(_) => None,
        Value::String(_) => Some("string"),
        Value::Array(_) => Some("array"),
        Value::Bool(_) => Some("bool"),
        _ => Some("number"),
    };
    if let Some(go) = go {
        return undecodable(if typed {
            format!(
                "couldn't get version/kind; json parse error: json: cannot unmarshal {go} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
            )
        } else {
            format!("json: cannot unmarshal {go} into Go value of type unstructured.detector")
        });
    }
    let kind = text(&value, &["kind"]).to_owned();
    let api_version = text(&value, &["apiVersion"]).to_owned();
    if kind.is_empty() {
        return undecodable(format!(
            "Object 'Kind' is missing in '{}'",
            podlab_yaml::to_json_compact(&value)
        ));
    }
    if !typed {
        if let Some(why) = value.as_object().and_then(bad_metadata) {
            return undecodable(why);
        }
        return Ok(value);
    }
    if api_version.is_empty() {
        return undecodable(format!(
            "Object 'apiVersion' is missing in '{}'",
            podlab_yaml::to_json_compact(&value)
        ));
    }
    typed_value(&value).or_else(undecodable)
}

/// The object as its Go type writes it.
///
/// # Errors
/// Go's text where the kind is unknown or a value has the wrong type.
pub(crate) fn typed_value(value: &Value) -> std::result::Result<Value, String> {
    use podlab_api::schema::{DecodeError, decode};
    let kind = text(value, &["kind"]);
    let api_version = text(value, &["apiVersion"]);
    match decode(api_version, kind, value) {
        Ok(decoded) => {
            let mut value = decoded.value;
            value["kind"] = kind.into();
            value["apiVersion"] = api_version.into();
            Ok(value)
        }
        Err(DecodeError::Unmarshal(text)) => Err(text),
        Err(DecodeError::UnknownKind { api_version, kind }) => Err(format!(
            "no kind {kind:?} is registered for version {api_version:?} in scheme \"pkg/scheme/scheme.go:28\""
        )),
    }
}
