//! Defaults: what the API server writes into an object where the user left a field out.
//!
//! Kubernetes generates a walk over every type that calls `SetDefaults_<Type>`; here the schema is walked and
//! the function is found by the type's name.

mod apps;
mod core;
mod image;
mod kept;
mod pod;

use crate::schema::{GoType, Schema, TypeId, tree};
use serde_json::Value;

pub use image::{ImageReference, parse_image_name};
pub(crate) use pod::aggregate;
pub use pod::{match_label_keys, pod_level_resources};

/// Fills in the defaults of an object that was decoded ([`crate::schema::decode`]).
///
/// Applying it twice changes nothing more. Kinds without a schema are left alone.
///
/// Source: pkg/apis/*/v1/defaults.go and zz_generated.defaults.go (v1.37).
pub fn apply(api_version: &str, kind: &str, value: &mut Value) {
    let schema = Schema::get();
    if let Some(id) = schema.kind(api_version, kind) {
        apply_struct(schema, id, value);
    }
}

fn apply_type(schema: &Schema, ty: &GoType, value: &mut Value) {
    match ty {
        GoType::Pointer(inner) => apply_type(schema, inner, value),
        GoType::Slice(inner) => {
            for item in value.as_array_mut().into_iter().flatten() {
                apply_type(schema, inner, item);
            }
        }
        GoType::Map(_, inner) => {
            for (_, item) in value.as_object_mut().into_iter().flatten() {
                apply_type(schema, inner, item);
            }
        }
        GoType::Named(id) => match schema.qualified_name(*id) {
            ("core/v1", "ResourceList") => core::resource_list(value),
            _ => apply_struct(schema, *id, value),
        },
        _ => {}
    }
}

fn apply_struct(schema: &Schema, id: TypeId, value: &mut Value) {
    if !value.is_object() {
        return;
    }
    set_defaults(schema.qualified_name(id), value);
    let fields = schema.fields(id);
    for field in fields {
        if let Some(default) = field.default {
            declared(value, field.name, &field.ty, default);
        }
    }
    // An object holds few of the fields that its type has.
    for (name, item) in value.as_object_mut().into_iter().flatten() {
        if (item.is_object() || item.is_array())
            && let Some(field) = fields.iter().find(|field| field.name == name)
            && has_structs(&field.ty)
        {
            apply_type(schema, &field.ty, item);
        }
    }
}

/// Whether there can be something below to fill in; most fields are looked up in vain otherwise.
fn has_structs(ty: &GoType) -> bool {
    match ty {
        GoType::Named(_) => true,
        GoType::Pointer(inner) | GoType::Slice(inner) | GoType::Map(_, inner) => has_structs(inner),
        _ => false,
    }
}

/// A default that the type declares with a `+default` marker.
fn declared(value: &mut Value, name: &str, ty: &GoType, default: &str) {
    let absent = match (ty, tree::at(value, name)) {
        (_, Value::Null) => true,
        (GoType::Pointer(_), _) => false,
        (_, now) => now.as_str() == Some("") || now.as_i64() == Some(0),
    };
    if !absent {
        return;
    }
    let Ok(default) = serde_json::from_str::<Value>(default) else { return };
    let zero = default.as_str() == Some("") || default.as_i64() == Some(0);
    if !zero || matches!(ty, GoType::Pointer(_)) {
        tree::set(value, name, default);
    }
}

fn set_defaults(name: (&str, &str), value: &mut Value) {
    match name {
        ("core/v1", name) => core::set_defaults(name, value),
        (
            "apps/v1" | "batch/v1" | "autoscaling/v1" | "autoscaling/v2" | "networking/v1" | "discovery/v1"
            | "rbac/v1" | "scheduling/v1" | "storage/v1" | "apiextensions/v1",
            _,
        ) => apps::set_defaults(name, value),
        _ => kept::set_defaults(name, value),
    }
}
