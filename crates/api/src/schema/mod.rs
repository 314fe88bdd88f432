//! What is known of every field of the API: names in Go order, types, how zero values are written, how
//! patches merge. Parsed on demand from one table (`data/facts.txt`), which `tools/facts` writes.
//!
//! ```
//! use podlab_api::schema::Schema;
//! let schema = Schema::get();
//! let pod = schema.kind("v1", "Pod").unwrap();
//! let ports = schema.field(pod, &["spec", "containers", "0", "ports"]).unwrap();
//! assert_eq!(schema.go_type(&ports.ty), "[]v1.ContainerPort");
//! assert_eq!(ports.patch_merge_key, Some("containerPort"));
//! ```

mod as_written;
mod base64;
mod convert;
mod decode;
mod decode_owned;
mod dump;
mod empty;
mod parse;
mod time;
pub(crate) mod tree;

pub use as_written::{first_error, sort_as_written};
pub(crate) use base64::{decode as decode_base64, encode as encode_base64};
pub use convert::conversion_error;
pub use decode::{DecodeError, Decoded, bad_request_message, decode, decode_type, json_word};
pub use decode_owned::decode_owned;
pub use empty::empty_lists;
pub use time::{parse_go_time, parse_rfc3339, rfc3339_micro, rfc3339_seconds};

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// All types of the API that 1.37 serves by default.
#[derive(Debug)]
pub struct Schema {
    /// Sorted by package, then name, as in the table.
    entries: Vec<Entry>,
    /// package → the group/version it is served as (`apps/v1`).
    versions: BTreeMap<&'static str, &'static str>,
    /// group/version → package.
    packages: BTreeMap<&'static str, &'static str>,
}

/// One type of the table, its lines read when somebody first asks.
#[derive(Debug)]
struct Entry {
    package: &'static str,
    name: &'static str,
    mark: Mark,
    /// Server-side apply replaces values of this struct as a whole.
    atomic: bool,
    body: &'static str,
    definition: OnceLock<Definition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Kind,
    Struct,
    Named,
}

/// Names a type of the [`Schema`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeId(u16);

/// A type that has a name.
#[derive(Debug)]
pub enum Definition {
    /// A struct's JSON fields in Go order, embedded structs opened up.
    Struct(Vec<Field>),
    /// A name for another type (`type RestartPolicy string`).
    Named {
        /// The type behind the name.
        ty: GoType,
        /// The values of an enumeration, sorted; empty where it is none.
        values: Vec<&'static str>,
    },
}

/// A type as Go has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoType {
    /// `bool`.
    Bool,
    /// `int32`, `int64`: its name and width in bits, whether it has a sign.
    Int(&'static str, u8, bool),
    /// `float64`.
    Float,
    /// `string`.
    Str,
    /// `[]byte`, base64 in JSON.
    Bytes,
    /// A type with its own JSON form.
    Special(Special),
    /// A type of the table.
    Named(TypeId),
    /// `*T`.
    Pointer(Box<GoType>),
    /// `[]T`.
    Slice(Box<GoType>),
    /// `map[K]V`.
    Map(Box<GoType>, Box<GoType>),
}

/// Types that write and read their JSON themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    /// `resource.Quantity`.
    Quantity,
    /// `intstr.IntOrString`.
    IntOrString,
    /// `v1.Time`.
    Time,
    /// `v1.MicroTime`.
    MicroTime,
    /// `v1.Duration`.
    Duration,
    /// `runtime.RawExtension`.
    RawExtension,
    /// `v1.FieldsV1`.
    FieldsV1,
    /// `v1.JSON` of apiextensions: anything.
    Json,
    /// One JSONSchemaProps or a list of them.
    JsonSchemaPropsOrArray,
    /// JSONSchemaProps or a boolean.
    JsonSchemaPropsOrBool,
    /// JSONSchemaProps or a list of strings.
    JsonSchemaPropsOrStringArray,
}

/// What is known of one field.
#[derive(Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its Go type.
    pub ty: GoType,
    /// Zero values are left out when written.
    pub omit_empty: bool,
    /// A zero struct is left out when written.
    pub omit_zero: bool,
    /// Listed as required in OpenAPI.
    pub required: bool,
    /// `merge`, `replace`, `retainKeys`, comma-separated; `None`: no patchStrategy tag.
    pub patch_strategy: Option<&'static str>,
    /// The key by which a strategic merge patch tells list elements apart.
    pub patch_merge_key: Option<&'static str>,
    /// `atomic`, `set` or `map`, for server-side apply.
    pub list_type: Option<&'static str>,
    /// The keys of a list of type `map`.
    pub list_map_keys: Vec<&'static str>,
    /// A struct or map that server-side apply replaces as a whole.
    pub atomic: bool,
    /// A struct that server-side apply merges here, though its type is replaced as a whole elsewhere.
    pub granular: bool,
    /// The default in the API's documentation, as JSON.
    pub default: Option<&'static str>,
    /// Go names of the embedded structs it was promoted from (`VolumeSource`), as in JSON error texts.
    pub inline: Option<&'static str>,
}

impl Schema {
    /// The one table. The first call indexes it (a pass over 90 KB of lines); types are read later.
    pub fn get() -> &'static Schema {
        static SCHEMA: OnceLock<Schema> = OnceLock::new();
        SCHEMA.get_or_init(|| parse::index(include_str!("../../data/facts.txt")))
    }

    /// The type of a kind; `api_version` as in manifests (`apps/v1`).
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<TypeId> {
        let package = self.packages.get(api_version)?;
        let id = self.lookup(package, kind)?;
        (self.entry(id)?.mark == Mark::Kind).then_some(id)
    }

    /// All kinds, as (apiVersion, kind, type), in the table's order.
    pub fn kinds(&self) -> impl Iterator<Item = (&'static str, &'static str, TypeId)> + '_ {
        self.entries.iter().enumerate().filter(|(_, e)| e.mark == Mark::Kind).filter_map(|(i, e)| {
            Some((*self.versions.get(e.package)?, e.name, TypeId(u16::try_from(i).ok()?)))
        })
    }

    /// A type by package and name, as the table writes it: `core/v1.Container`.
    pub fn type_named(&self, name: &str) -> Option<TypeId> {
        let (package, name) = name.rsplit_once('.')?;
        self.lookup(package, name)
    }

    fn lookup(&self, package: &str, name: &str) -> Option<TypeId> {
        let found = self.entries.binary_search_by(|e| (e.package, e.name).cmp(&(package, name))).ok()?;
        u16::try_from(found).ok().map(TypeId)
    }

    fn entry(&self, id: TypeId) -> Option<&Entry> {
        self.entries.get(usize::from(id.0))
    }

    /// What a type is.
    pub fn definition(&self, id: TypeId) -> &Definition {
        static NONE: Definition = Definition::Struct(Vec::new());
        match self.entry(id) {
            Some(entry) => entry.definition.get_or_init(|| parse::definition(self, entry)),
            None => &NONE,
        }
    }

    /// The fields of a struct in Go order; empty for other types.
    pub fn fields(&self, id: TypeId) -> &[Field] {
        match self.definition(id) {
            Definition::Struct(fields) => fields,
            Definition::Named { .. } => &[],
        }
    }

    /// Whether server-side apply replaces values of this struct as a whole, unless a field says otherwise.
    pub fn is_atomic(&self, id: TypeId) -> bool {
        self.entry(id).is_some_and(|entry| entry.atomic)
    }

    /// A type's bare name (`Container`), as in the `Go struct field` of JSON errors.
    pub fn type_name(&self, id: TypeId) -> &'static str {
        self.entry(id).map_or("", |e| e.name)
    }

    /// A type's package and bare name (`core/v1`, `Container`).
    pub fn qualified_name(&self, id: TypeId) -> (&'static str, &'static str) {
        self.entry(id).map_or(("", ""), |e| (e.package, e.name))
    }

    /// A type's full name (`core/v1.Container`), the key of its descriptions.
    pub fn full_name(&self, id: TypeId) -> String {
        self.entry(id).map_or_else(String::new, |e| format!("{}.{}", e.package, e.name))
    }

    /// The struct that a field of this type leads to, through pointers, lists and maps.
    pub fn inner_struct(&self, ty: &GoType) -> Option<TypeId> {
        match self.resolve(ty) {
            GoType::Named(id) => Some(*id),
            GoType::Pointer(inner) | GoType::Slice(inner) | GoType::Map(_, inner) => self.inner_struct(inner),
            GoType::Special(
                Special::JsonSchemaPropsOrArray
                | Special::JsonSchemaPropsOrBool
                | Special::JsonSchemaPropsOrStringArray,
            ) => self.type_named("apiextensions/v1.JSONSchemaProps"),
            _ => None,
        }
    }

    /// Follows names that are not structs to what stands behind them.
    pub fn resolve<'a>(&'a self, ty: &'a GoType) -> &'a GoType {
        match ty {
            GoType::Named(id) => match self.definition(*id) {
                Definition::Named { ty, .. } => ty,
                Definition::Struct(_) => ty,
            },
            _ => ty,
        }
    }

    /// The values of an enumeration, through pointers and lists; empty where the type is none.
    pub fn enum_values(&self, ty: &GoType) -> &[&'static str] {
        match ty {
            GoType::Named(id) => match self.definition(*id) {
                Definition::Named { values, .. } => values,
                Definition::Struct(_) => &[],
            },
            GoType::Pointer(inner) | GoType::Slice(inner) => self.enum_values(inner),
            _ => &[],
        }
    }

    /// The field at a path from a type. Lists take one step (an index or any word), maps one (the key).
    pub fn field(&self, root: TypeId, path: &[&str]) -> Option<&Field> {
        let (first, mut rest) = path.split_first()?;
        let mut field = self.fields(root).iter().find(|f| f.name == *first)?;
        let mut ty = &field.ty;
        loop {
            ty = self.resolve(ty);
            match ty {
                GoType::Pointer(inner) => ty = inner,
                _ if rest.is_empty() => return Some(field),
                GoType::Slice(inner) | GoType::Map(_, inner) => {
                    rest = rest.get(1..).unwrap_or_default();
                    ty = inner;
                    if rest.is_empty() {
                        return Some(field);
                    }
                }
                GoType::Named(id) => {
                    let (name, after) = rest.split_first()?;
                    field = self.fields(*id).iter().find(|f| f.name == *name)?;
                    ty = &field.ty;
                    rest = after;
                }
                _ => return None,
            }
        }
    }

    /// A type as Go's reflection spells it, as in JSON error texts: `[]v1.ContainerPort`.
    pub fn go_type(&self, ty: &GoType) -> String {
        match ty {
            GoType::Bool => "bool".to_owned(),
            GoType::Int(name, ..) => (*name).to_owned(),
            GoType::Float => "float64".to_owned(),
            GoType::Str => "string".to_owned(),
            GoType::Bytes => "[]uint8".to_owned(),
            GoType::Special(special) => special.go_name().to_owned(),
            GoType::Named(id) => self.entry(*id).map_or_else(String::new, |e| {
                let package = e.package.rsplit('/').next().unwrap_or(e.package);
                format!("{package}.{}", e.name)
            }),
            GoType::Pointer(inner) => format!("*{}", self.go_type(inner)),
            GoType::Slice(inner) => format!("[]{}", self.go_type(inner)),
            GoType::Map(key, value) => format!("map[{}]{}", self.go_type(key), self.go_type(value)),
        }
    }
}

impl Special {
    const ALL: [(Special, &'static str, &'static str); 11] = [
        (Special::Quantity, "resource.Quantity", "resource.Quantity"),
        (Special::IntOrString, "intstr.IntOrString", "intstr.IntOrString"),
        (Special::Time, "meta/v1.Time", "v1.Time"),
        (Special::MicroTime, "meta/v1.MicroTime", "v1.MicroTime"),
        (Special::Duration, "meta/v1.Duration", "v1.Duration"),
        (Special::RawExtension, "runtime.RawExtension", "runtime.RawExtension"),
        (Special::FieldsV1, "meta/v1.FieldsV1", "v1.FieldsV1"),
        (Special::Json, "apiextensions/v1.JSON", "v1.JSON"),
        (
            Special::JsonSchemaPropsOrArray,
            "apiextensions/v1.JSONSchemaPropsOrArray",
            "v1.JSONSchemaPropsOrArray",
        ),
        (
            Special::JsonSchemaPropsOrBool,
            "apiextensions/v1.JSONSchemaPropsOrBool",
            "v1.JSONSchemaPropsOrBool",
        ),
        (
            Special::JsonSchemaPropsOrStringArray,
            "apiextensions/v1.JSONSchemaPropsOrStringArray",
            "v1.JSONSchemaPropsOrStringArray",
        ),
    ];

    fn from_table(name: &str) -> Option<Special> {
        Special::ALL.iter().find(|(_, table, _)| *table == name).map(|(s, ..)| *s)
    }

    /// Its full name (`resource.Quantity`), the key of its description.
    pub fn full_name(self) -> &'static str {
        Special::ALL.iter().find(|(s, ..)| *s == self).map_or("", |(_, table, _)| table)
    }

    /// As Go's reflection spells it.
    pub fn go_name(self) -> &'static str {
        Special::ALL.iter().find(|(s, ..)| *s == self).map_or("", |(_, _, go)| go)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_parses() {
        let schema = Schema::get();
        let mut fields = 0;
        for i in 0..schema.entries.len() {
            let id = TypeId(u16::try_from(i).unwrap());
            for field in schema.fields(id) {
                fields += 1;
                assert!(!schema.go_type(&field.ty).is_empty(), "{}.{}", schema.full_name(id), field.name);
            }
        }
        assert!(fields > 2000, "{fields}");
        assert!(schema.kinds().count() > 70);
    }

    #[test]
    fn the_table_is_sorted_for_binary_search() {
        let schema = Schema::get();
        assert!(schema.entries.windows(2).all(|w| (w[0].package, w[0].name) < (w[1].package, w[1].name)));
    }

    #[test]
    fn enumerations_have_their_values() {
        let schema = Schema::get();
        let pod = schema.kind("v1", "Pod").unwrap();
        let policy = schema.field(pod, &["spec", "restartPolicy"]).unwrap();
        assert_eq!(schema.enum_values(&policy.ty), ["Always", "Never", "OnFailure"]);
    }
}
