//! What server-side apply knows of a value's type: which lists are merged and by which keys, what is replaced as a whole.
//!
//! Source: k8s.io/kube-openapi/pkg/schemaconv, sigs.k8s.io/structured-merge-diff/v6/typed/helpers.go.

use super::path::{PathElement, Scalar};
use crate::Kind;
use crate::go_text::type_name;
use crate::schema::{Definition, Field, GoType, Schema, Special, TypeId};
use serde_json::{Map, Value};

/// More than structs are nested in any kind.
const DEEPEST_ZERO: usize = 16;

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub struct Typed<'a>(What<'a>);

#[derive(Clone, Copy, Debug)]
enum What<'a> {
    /// A struct of the facts.
    Struct(TypeId),
    /// A type of the facts, and the field that has it.
    Go(&'a GoType, Option<&'a Field>),
    /// An object of a kind that a definition makes, by its schema.
    CustomRoot(&'a Value),
    /// A part of such an object.
    Custom(&'a Value),
    /// A part of such an object of which nothing is known: maps are merged, lists replaced.
    Deduced,
    /// A scalar, or anything that is replaced as a whole.
    Leaf,
}

/// What a value is to a walk.
#[derive(Clone, Debug)]
pub(crate) enum Shape<'a> {
    /// It has no parts.
    Leaf,
    /// A list.
    List(List<'a>),
    /// A struct or map.
    Map {
        /// It is replaced as a whole.
        atomic: bool,
        /// What its fields are.
        fields: Fields<'a>,
    },
}

/// A list's elements.
#[derive(Clone, Debug)]
pub(crate) struct List<'a> {
    relation: Relation<'a>,
    element: Typed<'a>,
}

#[derive(Clone, Debug)]
enum Relation<'a> {
    Atomic,
    Set,
    Keys(Vec<&'a str>),
}

/// A map's fields.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fields<'a> {
    Struct(TypeId),
    All(Typed<'a>),
    Custom(&'a Value),
    CustomRoot(&'a Value),
}

fn schema() -> &'static Schema {
    Schema::get()
}

fn object_meta() -> Typed<'static> {
    Typed(schema().type_named("meta/v1.ObjectMeta").map_or(What::Deduced, What::Struct))
}

impl<'a> Typed<'a> {
    /// The type of a kind's objects.
    pub fn of(kind: &'static Kind) -> Typed<'static> {
        match kind.definition() {
            Some(definition) => Typed(What::CustomRoot(definition.schema())),
            None => Typed(schema().kind(&kind.api_version(), kind.kind).map_or(What::Deduced, What::Struct)),
        }
    }

    /// An object of this type with nothing in it, as Go has it: structs that are no pointers are there.
    pub fn zero(self) -> Value {
        match self.0 {
            What::Struct(id) => zero_struct(id, 0),
            _ => Value::Object(Map::new()),
        }
    }

    /// How a value of this type is walked; without a value, as a map where it can be one.
    pub(crate) fn shape(self, value: Option<&Value>) -> Shape<'a> {
        match self.0 {
            What::Leaf => Shape::Leaf,
            What::Struct(id) => go_struct(id, false),
            What::Go(ty, field) => go_shape(ty, field),
            What::CustomRoot(root) => Shape::Map { atomic: false, fields: Fields::CustomRoot(root) },
            What::Custom(part) => custom_shape(part, value),
            What::Deduced => match value {
                Some(Value::Array(_)) => {
                    Shape::List(List { relation: Relation::Atomic, element: Typed(What::Deduced) })
                }
                None | Some(Value::Object(_)) => {
                    Shape::Map { atomic: false, fields: Fields::All(Typed(What::Deduced)) }
                }
                Some(_) => Shape::Leaf,
            },
        }
    }

    /// What a value that does not fit is told, without the path; `None` where it fits as far as it can be seen here.
    pub(crate) fn misfit(self, value: &Value) -> Option<String> {
        let What::Go(ty, _) = self.0 else { return None };
        let mut ty = schema().resolve(ty);
        while let GoType::Pointer(inner) = ty {
            ty = schema().resolve(inner);
        }
        match (ty, value) {
            (_, Value::Null) => None,
            (GoType::Int(..) | GoType::Float, Value::Number(_)) => None,
            (GoType::Int(..) | GoType::Float, other) => {
                Some(format!("expected numeric (int or float), got {}", type_name(other)))
            }
            (GoType::Str | GoType::Bytes, Value::String(_)) => None,
            (GoType::Str | GoType::Bytes, other) => Some(format!(
                "expected string, got &value.valueUnstructured{{Value:{}}}",
                crate::go_text::go_syntax(other)
            )),
            (GoType::Bool, Value::Bool(_)) => None,
            (GoType::Bool, other) => {
                Some(format!("expected boolean, got &{{{}}}", crate::patch::go_text(other)))
            }
            _ => None,
        }
    }
}

fn zero_struct(id: TypeId, depth: usize) -> Value {
    let mut map = Map::new();
    // A struct can't hold itself but behind a pointer or list, so that no type is nested so deeply.
    for field in schema().fields(id).iter().filter(|field| !field.omit_zero && depth < DEEPEST_ZERO) {
        let zero = match schema().resolve(&field.ty) {
            GoType::Named(id) => Some(zero_struct(*id, depth + 1)),
            // What is written of a zero time or quantity is no field of its own.
            _ if field.omit_empty => None,
            GoType::Bool => Some(Value::Bool(false)),
            GoType::Int(..) | GoType::Float => Some(0.into()),
            GoType::Str => Some("".into()),
            _ => Some(Value::Null),
        };
        if let Some(zero) = zero {
            map.insert(field.name.to_owned(), zero);
        }
    }
    Value::Object(map)
}

fn go_struct<'a>(id: TypeId, granular: bool) -> Shape<'a> {
    Shape::Map { atomic: !granular && schema().is_atomic(id), fields: Fields::Struct(id) }
}

fn go_shape<'a>(ty: &'a GoType, field: Option<&'a Field>) -> Shape<'a> {
    match ty {
        GoType::Pointer(inner) => go_shape(inner, field),
        GoType::Named(id) => match schema().definition(*id) {
            Definition::Named { ty, .. } => go_shape(ty, field),
            Definition::Struct(_) => match field {
                Some(field) if field.atomic => Shape::Map { atomic: true, fields: Fields::Struct(*id) },
                field => go_struct(*id, field.is_some_and(|field| field.granular)),
            },
        },
        GoType::Slice(element) => Shape::List(List {
            relation: field.map_or(Relation::Atomic, relation),
            element: Typed(What::Go(element, None)),
        }),
        GoType::Map(_, element) => Shape::Map {
            atomic: field.is_some_and(|field| field.atomic),
            fields: Fields::All(Typed(What::Go(element, None))),
        },
        GoType::Special(Special::FieldsV1) => {
            Shape::Map { atomic: false, fields: Fields::All(Typed(What::Deduced)) }
        }
        _ => Shape::Leaf,
    }
}

/// How a list's elements are told apart: by its list type, else as strategic merge patches do.
fn relation(field: &Field) -> Relation<'_> {
    match field.list_type {
        Some("set") => Relation::Set,
        Some("map") => Relation::Keys(field.list_map_keys.clone()),
        Some(_) => Relation::Atomic,
        None if field.patch_strategy.is_some_and(|all| all.split(',').any(|one| one == "merge")) => {
            match field.patch_merge_key {
                Some(key) => Relation::Keys(vec![key]),
                None => Relation::Set,
            }
        }
        None => Relation::Atomic,
    }
}

fn custom_shape<'a>(part: &'a Value, value: Option<&Value>) -> Shape<'a> {
    let word = |key: &str| part.get(key).and_then(Value::as_str).unwrap_or("");
    let embedded = part.get("x-kubernetes-embedded-resource").and_then(Value::as_bool) == Some(true);
    match word("type") {
        "object" if embedded => Shape::Map { atomic: false, fields: Fields::CustomRoot(part) },
        "object" => {
            Shape::Map { atomic: word("x-kubernetes-map-type") == "atomic", fields: Fields::Custom(part) }
        }
        "array" => {
            let keys = part.get("x-kubernetes-list-map-keys").and_then(Value::as_array);
            let relation = match word("x-kubernetes-list-type") {
                "set" => Relation::Set,
                "map" => Relation::Keys(keys.into_iter().flatten().filter_map(Value::as_str).collect()),
                _ => Relation::Atomic,
            };
            let element = part.get("items").map_or(What::Deduced, What::Custom);
            Shape::List(List { relation, element: Typed(element) })
        }
        "" if part.get("x-kubernetes-int-or-string").is_none() => Typed(What::Deduced).shape(value),
        _ => Shape::Leaf,
    }
}

impl<'a> Fields<'a> {
    /// The type of a field; `None` where none of this name is declared and others are not allowed.
    fn get(self, name: &str) -> Option<Typed<'a>> {
        match self {
            Fields::Struct(id) => {
                let field = schema().fields(id).iter().find(|field| field.name == name)?;
                Some(Typed(What::Go(&field.ty, Some(field))))
            }
            Fields::All(element) => Some(element),
            Fields::Custom(part) => {
                let own = part.get("properties").and_then(|all| all.get(name));
                own.map(|part| Typed(What::Custom(part))).or_else(|| match part.get("additionalProperties") {
                    Some(element @ Value::Object(_)) => Some(Typed(What::Custom(element))),
                    Some(Value::Bool(true)) => Some(Typed(What::Deduced)),
                    _ => part
                        .get("x-kubernetes-preserve-unknown-fields")
                        .is_some()
                        .then_some(Typed(What::Deduced)),
                })
            }
            Fields::CustomRoot(part) => match name {
                "apiVersion" | "kind" => Some(Typed(What::Leaf)),
                "metadata" => Some(object_meta()),
                _ => Fields::Custom(part).get(name),
            },
        }
    }

    fn declares(self, name: &str) -> bool {
        match self {
            Fields::Struct(_) => self.get(name).is_some(),
            Fields::All(_) => false,
            Fields::Custom(part) => part.get("properties").is_some_and(|all| all.get(name).is_some()),
            Fields::CustomRoot(part) => {
                matches!(name, "apiVersion" | "kind" | "metadata") || Fields::Custom(part).declares(name)
            }
        }
    }
}

impl<'a> Shape<'a> {
    /// Whether a struct has a field of this name; keys of maps are not declared.
    pub(crate) fn declares(&self, name: &str) -> bool {
        matches!(self, Shape::Map { fields, .. } if fields.declares(name))
    }

    /// Whether a field may stand here.
    pub(crate) fn allows(&self, name: &str) -> bool {
        matches!(self, Shape::Map { fields, .. } if fields.get(name).is_some())
    }

    /// The type of what a step leads to.
    pub(crate) fn below(&self, element: &PathElement) -> Typed<'a> {
        match (self, element) {
            (Shape::Map { fields, .. }, PathElement::Field(name)) => {
                fields.get(name).unwrap_or(Typed(What::Deduced))
            }
            (Shape::List(list), _) => list.element,
            _ => Typed(What::Leaf),
        }
    }

    /// Whether it is walked into.
    pub(crate) fn is_atomic(&self) -> bool {
        match self {
            Shape::Leaf => true,
            Shape::List(list) => matches!(list.relation, Relation::Atomic),
            Shape::Map { atomic, .. } => *atomic,
        }
    }
}

impl<'a> List<'a> {
    /// What tells an element apart.
    ///
    /// # Errors
    /// It has none of the keys, or is of another make than the list's elements.
    pub(crate) fn element(&self, item: &Value) -> Result<PathElement, String> {
        match &self.relation {
            Relation::Atomic => Err("invalid indexing of non-associative list".to_owned()),
            Relation::Set => match item {
                Value::Object(_) => {
                    Err("associative list without keys has an element that's a map type".to_owned())
                }
                Value::Array(_) => Err("not supported: associative list with lists as elements".to_owned()),
                Value::Null => {
                    Err("associative list without keys has an element that's an explicit null".to_owned())
                }
                value => Ok(PathElement::Value(Scalar(value.clone()))),
            },
            Relation::Keys(names) => {
                let map = match item {
                    Value::Object(map) => map,
                    Value::Null => {
                        return Err("associative list with keys may not have a null element".to_owned());
                    }
                    _ => return Err("associative list with keys may not have non-map elements".to_owned()),
                };
                let mut keys = Vec::with_capacity(names.len());
                for name in names {
                    if let Some(value) = map.get(*name).cloned().or_else(|| self.default_of(name)) {
                        keys.push(((*name).to_owned(), Scalar(value)));
                    }
                }
                if keys.is_empty() && !names.is_empty() {
                    let names: Vec<String> = names.iter().map(|name| crate::go_text::quote(name)).collect();
                    return Err(format!(
                        "associative list with keys has an element that omits all key fields [{}] (and doesn't have \
                         default values for any key fields)",
                        names.join(" ")
                    ));
                }
                keys.sort();
                Ok(PathElement::Key(keys))
            }
        }
    }

    /// The default of a key that an element leaves out.
    fn default_of(&self, name: &str) -> Option<Value> {
        let Shape::Map { fields, .. } = self.element.shape(None) else { return None };
        match fields.get(name)?.0 {
            What::Go(_, Some(field)) => serde_json::from_str(field.default?).ok(),
            What::Custom(part) => part.get("default").cloned(),
            _ => None,
        }
    }
}
