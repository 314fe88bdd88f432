//! Objects, lists and tables as the server writes them.

use crate::negotiate::Form;
use crate::protobuf;
use podlab_api::door::Timestamp;
use podlab_api::go_json;
use podlab_api::versions::Version;
use podlab_api::{Kind, Object, Status, Table, descriptions, go_text, printers};
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;

/// How much of an object a table's row carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum IncludeObject {
    /// Nothing.
    None,
    /// Its metadata.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

impl IncludeObject {
    /// Reads the parameter `includeObject`.
    ///
    /// # Errors
    /// 400 for another word.
    pub(crate) fn of(text: Option<&str>) -> Result<IncludeObject, Status> {
        match text {
            Some("None") => Ok(IncludeObject::None),
            Some("Object") => Ok(IncludeObject::Object),
            None | Some("Metadata") => Ok(IncludeObject::Metadata),
            Some(other) => Err(Status::bad_request(format!(
                "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', \
                 'Object', 'None', or empty"
            ))),
        }
    }
}

/// In which form objects are written.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Style {
    /// Objects, table or metadata.
    pub form: Form,
    /// What a table's rows carry.
    pub include: IncludeObject,
    /// Another version than the one that is kept.
    pub version: Option<&'static Version>,
}

impl Style {
    /// An object's tree in the version that is asked for.
    pub(crate) fn value(&self, object: &Object) -> Value {
        let mut value = object.to_managed_value();
        if let Some(version) = self.version {
            version.show(&mut value);
        }
        value
    }

    /// The version of a kind that is asked for.
    fn api_version(&self, kind: &Kind) -> String {
        self.version.map_or_else(|| kind.api_version().into_owned(), Version::api_version)
    }
}

/// What a list says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListMeta {
    /// The version at which the list was read.
    pub resource_version: u64,
    /// Where a cut list goes on.
    pub token: Option<String>,
    /// How many were cut off.
    pub remaining: Option<i64>,
}

/// One object.
pub(crate) fn object(object: &Arc<Object>, style: Style, now: Timestamp) -> String {
    let mut out = String::new();
    match style.form {
        Form::Table => {
            let table = printers::table(object.kind, std::slice::from_ref(object), now);
            let meta = ListMeta { resource_version: object.resource_version(), ..ListMeta::default() };
            write_table(&mut out, &table, &meta, style.include, true);
        }
        Form::Metadata => partial(&mut out, object, true, true),
        Form::Objects | Form::Discovery => go_json::object(&mut out, &style.value(object)),
    }
    out
}

/// A list of objects.
pub(crate) fn list(
    kind: &Kind,
    items: &[Arc<Object>],
    meta: &ListMeta,
    style: Style,
    now: Timestamp,
) -> String {
    let mut out = String::new();
    let mut metadata = String::new();
    list_meta(&mut metadata, meta);
    match style.form {
        Form::Table => {
            write_table(&mut out, &printers::list_table(kind, items, now), meta, style.include, true);
            return out;
        }
        Form::Objects | Form::Discovery => {
            let values = items.iter().map(|item| style.value(item));
            go_json::list(&mut out, (&style.api_version(kind), kind.kind), &metadata, values);
        }
        Form::Metadata => {
            let _ = write!(
                out,
                r#"{{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","metadata":{metadata},"items":["#
            );
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                partial(&mut out, item, true, true);
            }
            out.push_str("]}");
        }
    }
    out.push('\n');
    out
}

/// A list of objects in protobuf; `None` where they have no form there.
pub(crate) fn list_protobuf(
    kind: &Kind,
    items: &[Arc<Object>],
    meta: &ListMeta,
    style: Style,
) -> Option<Vec<u8>> {
    let mut list_meta = json!({"resourceVersion": meta.resource_version.to_string()});
    if let Some(token) = &meta.token {
        list_meta["continue"] = token.as_str().into();
    }
    if let Some(remaining) = meta.remaining {
        list_meta["remainingItemCount"] = remaining.into();
    }
    let items: Vec<Value> = items.iter().map(|item| style.value(item)).collect();
    protobuf::encode_list(&style.api_version(kind), kind.kind, &list_meta, items.iter())
}

/// A watch event: a line.
pub(crate) fn event(
    change: &str,
    object: &Arc<Object>,
    style: Style,
    now: Timestamp,
    with_columns: bool,
) -> String {
    let mut out = format!(r#"{{"type":"{change}","object":"#);
    if style.form == Form::Table {
        let table = printers::table(object.kind, std::slice::from_ref(object), now);
        let meta = ListMeta { resource_version: object.resource_version(), ..ListMeta::default() };
        write_table(&mut out, &table, &meta, style.include, with_columns);
    } else {
        out.push_str(self::object(object, style, now).trim_end());
    }
    out.push_str("}\n");
    out
}

/// A bookmark: nothing has happened up to this version; `initial_end` says that all objects have been sent.
pub(crate) fn bookmark_object(kind: &Kind, resource_version: u64, style: Style, initial_end: bool) -> Value {
    let mut metadata = json!({"resourceVersion": resource_version.to_string()});
    if initial_end {
        metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    }
    match style.form {
        Form::Table => json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": resource_version.to_string()}, "columnDefinitions": null,
            "rows": [{"cells": [], "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata}}]}),
        Form::Metadata => json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata}),
        Form::Objects | Form::Discovery => {
            json!({"kind": kind.kind, "apiVersion": style.api_version(kind), "metadata": metadata})
        }
    }
}

/// A bookmark as a watch event: a line.
pub(crate) fn bookmark(kind: &Kind, resource_version: u64, style: Style, initial_end: bool) -> String {
    let object = bookmark_object(kind, resource_version, style, initial_end);
    let mut out = r#"{"type":"BOOKMARK","object":"#.to_owned();
    go_json::object(&mut out, &object);
    out.push_str("}\n");
    out
}

/// Any other tree that says its kind.
pub(crate) fn value(value: &Value) -> String {
    let mut out = String::new();
    go_json::object(&mut out, value);
    out
}

fn list_meta(out: &mut String, meta: &ListMeta) {
    let _ = write!(out, r#"{{"resourceVersion":"{}""#, meta.resource_version);
    if let Some(token) = &meta.token {
        let _ = write!(out, r#","continue":{}"#, go_text::json(&Value::String(token.clone())));
    }
    if let Some(remaining) = meta.remaining {
        let _ = write!(out, r#","remainingItemCount":{remaining}"#);
    }
    out.push('}');
}

/// An object's metadata alone.
///
/// Rows of tables are without `managedFields`: who reads tables reads many objects, and not who owns their fields.
fn partial(out: &mut String, object: &Object, with_kind: bool, managed: bool) {
    out.push('{');
    if with_kind {
        out.push_str(r#""kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","#);
    }
    out.push_str(r#""metadata":"#);
    let mut metadata = serde_json::to_value(&object.metadata).unwrap_or(Value::Null);
    if let (true, Some(map)) = (managed, metadata.as_object_mut()) {
        let entries = podlab_api::managed_fields::managers_of(object).encode();
        if !entries.is_empty() {
            map.insert("managedFields".to_owned(), Value::Array(entries));
        }
    }
    go_json::metadata(out, &metadata);
    out.push('}');
}

/// What a column is for, as far as it is a field of the metadata.
fn about(column: &str) -> String {
    let field = match column {
        "Name" => "meta/v1.ObjectMeta.name",
        "Age" | "Created At" => "meta/v1.ObjectMeta.creationTimestamp",
        _ => return String::new(),
    };
    descriptions::get().and_then(|all| all.field(field)).unwrap_or_default()
}

fn write_table(out: &mut String, table: &Table, meta: &ListMeta, include: IncludeObject, columns: bool) {
    out.push_str(r#"{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":"#);
    list_meta(out, meta);
    out.push_str(r#","columnDefinitions":"#);
    if columns {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| {
                let about = go_text::json(&Value::String(about(column.name)));
                format!(
                    r#"{{"name":"{}","type":"{}","format":"{}","description":{about},"priority":{}}}"#,
                    column.name, column.kind, column.format, column.priority
                )
            })
            .collect();
        let _ = write!(out, "[{}]", columns.join(","));
    } else {
        out.push_str("null");
    }
    out.push_str(r#","rows":["#);
    for (index, row) in table.rows.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(r#"{"cells":["#);
        for (index, cell) in row.cells.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            out.push_str(&go_text::json(cell));
        }
        out.push(']');
        match include {
            IncludeObject::None => {}
            IncludeObject::Metadata => {
                out.push_str(r#","object":"#);
                partial(out, &row.object, true, false);
            }
            IncludeObject::Object => {
                out.push_str(r#","object":"#);
                go_json::object(out, &row.object.to_managed_value());
            }
        }
        out.push('}');
    }
    out.push_str("]}");
}
