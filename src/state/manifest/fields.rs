//! The field of the API that a place in a manifest is about.

use super::outline::{Outline, Step};
use podlab_api::schema::{Definition, Field, GoType, Schema, TypeId};

/// A field at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldAt {
    /// `spec.containers[0].image`.
    pub path: String,
    /// `[]v1.Container` as kubectl explain writes it: `<[]Container>`.
    pub type_name: String,
    /// Key of its description: the struct it belongs to and its name, `core/v1.Container.image`.
    pub key: String,
    /// The values it may have, where there are only some.
    pub values: Vec<&'static str>,
    /// Range of the key in bytes.
    pub range: (usize, usize),
    /// Whether Kubernetes knows no such field.
    pub unknown: bool,
}

/// The type of the document around a place.
pub(super) fn root(outline: &Outline, text: &str) -> Option<TypeId> {
    Schema::get().kind(outline.top(text, "apiVersion")?, outline.top(text, "kind")?)
}

/// Follows a path from a kind: the type there, and the last field with the struct it belongs to.
pub(super) fn walk(root: TypeId, path: &[Step]) -> Option<(GoType, Option<(TypeId, &'static Field)>)> {
    let schema = Schema::get();
    let mut ty = GoType::Named(root);
    let mut last = None;
    for step in path {
        match (strip(schema, &ty), step) {
            (GoType::Named(id), Step::Key(name)) => {
                let field = schema.fields(id).iter().find(|f| f.name == name)?;
                last = Some((id, field));
                ty = field.ty.clone();
            }
            (GoType::Map(_, value), Step::Key(_)) => ty = *value,
            (GoType::Slice(item), Step::Item(_)) => ty = *item,
            _ => return None,
        }
    }
    Some((ty, last))
}

/// What stands behind pointers and names of other types.
pub(super) fn strip(schema: &Schema, ty: &GoType) -> GoType {
    let mut ty = ty.clone();
    for _ in 0..8 {
        ty = match ty {
            GoType::Pointer(inner) => *inner,
            GoType::Named(id) => match schema.definition(id) {
                Definition::Named { ty, .. } => ty.clone(),
                Definition::Struct(_) => return GoType::Named(id),
            },
            other => return other,
        };
    }
    ty
}

/// A type as `kubectl explain` writes it: `[]Container`, `map[string]string`, `integer`.
pub(super) fn type_name(ty: &GoType) -> String {
    let schema = Schema::get();
    match ty {
        GoType::Bool => "boolean".to_owned(),
        GoType::Int(..) => "integer".to_owned(),
        GoType::Float => "number".to_owned(),
        GoType::Str | GoType::Bytes => "string".to_owned(),
        GoType::Special(special) => special.go_name().rsplit('.').next().unwrap_or_default().to_owned(),
        GoType::Named(id) => match schema.definition(*id) {
            Definition::Named { ty, values } if values.is_empty() => type_name(ty),
            Definition::Named { .. } => "string".to_owned(),
            Definition::Struct(_) => schema.type_name(*id).to_owned(),
        },
        GoType::Pointer(inner) => type_name(inner),
        GoType::Slice(inner) => format!("[]{}", type_name(inner)),
        GoType::Map(key, value) => format!("map[{}]{}", type_name(key), type_name(value)),
    }
}

pub(super) fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.extend([".", key]),
            Step::Item(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// The field at a byte: the one whose line it is on.
pub fn field_at(text: &str, at: usize) -> Option<FieldAt> {
    let at = text.floor_char_boundary(at.min(text.len()));
    let outline = Outline::around(text, at);
    let key = outline.key_at(text, at)?;
    let root = root(&outline, text)?;
    let path = path_text(&key.path);
    let range = (key.start, key.end);
    let unknown = FieldAt {
        path: path.clone(),
        type_name: String::new(),
        key: String::new(),
        values: Vec::new(),
        range,
        unknown: true,
    };
    let Some((_, found)) = walk(root, &key.path) else { return Some(unknown) };
    let (owner, field) = found?;
    let schema = Schema::get();
    Some(FieldAt {
        path,
        type_name: type_name(&field.ty),
        key: format!("{}.{}", schema.full_name(owner), field.name),
        values: schema.enum_values(&field.ty).to_vec(),
        range,
        unknown: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_of_a_line_is_known() {
        let text = "apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    app: web\nspec:\n  containers:\n  - name: a\n    imagePullPolicy: Always\n    lables: x\n";
        let at = |needle: &str| field_at(text, text.find(needle).unwrap()).unwrap();
        let policy = at("imagePull");
        assert_eq!(policy.path, "spec.containers[0].imagePullPolicy");
        assert_eq!(
            (policy.type_name.as_str(), policy.key.as_str()),
            ("string", "core/v1.Container.imagePullPolicy")
        );
        assert_eq!(policy.values, ["Always", "IfNotPresent", "Never"]);
        assert_eq!(at("labels:").type_name, "map[string]string");
        // A key of a map is explained as the map is.
        assert_eq!(at("app").key, at("labels:").key);
        assert_eq!(at("containers").type_name, "[]Container");
        assert!(at("lables").unknown);
    }
}
