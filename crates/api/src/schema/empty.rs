//! Lists and maps that a body has with nothing in them: a field that is always written tells them from none.

use super::{Definition, GoType, Schema};
use crate::Kind;
use serde_json::{Map, Value};

/// The empty lists and maps of a body, each with the pointer to it, in fields that are written as `null` without one.
/// Whoever sends one comes to own the field; no such list is stored.
pub fn empty_lists(kind: &Kind, body: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    if let Some(id) = Schema::get().kind(&kind.api_version(), kind.kind) {
        find(&GoType::Named(id), body, &mut String::new(), &mut found);
    }
    found
}

fn find(ty: &GoType, body: &Value, path: &mut String, found: &mut Vec<(String, Value)>) {
    let schema = Schema::get();
    let length = path.len();
    match (schema.resolve(ty), body) {
        (GoType::Pointer(inner), _) => find(inner, body, path, found),
        (GoType::Named(id), Value::Object(map))
            if matches!(schema.definition(*id), Definition::Struct(_)) =>
        {
            for field in schema.fields(*id) {
                let Some(said) = map.get(field.name).filter(|said| said.is_object() || said.is_array())
                else {
                    continue;
                };
                path.push('/');
                path.push_str(field.name);
                let empty =
                    said.as_array().is_some_and(Vec::is_empty) || said.as_object().is_some_and(Map::is_empty);
                let is_list = matches!(schema.resolve(&field.ty), GoType::Slice(_) | GoType::Map(..));
                match empty {
                    true if is_list && !field.omit_empty => found.push((path.clone(), said.clone())),
                    true => {}
                    false => find(&field.ty, said, path, found),
                }
                path.truncate(length);
            }
        }
        (GoType::Slice(inner), Value::Array(items)) => {
            for (at, said) in items.iter().enumerate() {
                path.push_str(&format!("/{at}"));
                find(inner, said, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_fields_that_are_always_written_tell_an_empty_list_from_none() {
        let role = json!({"metadata": {"name": "a", "labels": {}}, "rules": [{"verbs": [], "resources": []}],
            "aggregationRule": {"clusterRoleSelectors": []}});
        let found = empty_lists(&crate::kinds::CLUSTER_ROLE, &role);
        assert_eq!(found, [("/rules/0/verbs".to_owned(), json!([]))]);
        assert_eq!(empty_lists(&crate::kinds::CLUSTER_ROLE, &json!({"rules": []})).len(), 1);
    }
}
