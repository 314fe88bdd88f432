//! How lists and maps of an object are merged: the patch strategies that Kubernetes' types declare.

use crate::Kind;
use crate::schema::{GoType, Schema, TypeId};

/// What a type says about one of its fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldMeta {
    /// Fields that the patch does not list are dropped (`retainKeys`).
    pub retain_keys: bool,
    /// A list whose elements are merged one by one (`merge`).
    pub merge: bool,
    /// A map that is replaced as a whole (`replace`).
    pub replace: bool,
    /// By which field the elements of a merged list are told apart; empty for scalars.
    pub merge_key: &'static str,
}

/// Answers what a type says about its fields.
pub trait Lookup: Copy {
    /// The field's strategy and the type of its value or elements.
    ///
    /// # Errors
    /// The type has no such field.
    fn field(self, key: &str) -> Result<(Self, FieldMeta), String>;
}

/// The strategies of a built-in kind, as the schema has them from the tags of Kubernetes' types.
#[derive(Clone, Copy, Debug)]
pub struct KindLookup {
    /// The type that is looked at; `None` below what the schema knows, where nothing has strategies.
    ty: Option<TypeId>,
}

impl KindLookup {
    /// Starts at the root of an object.
    pub fn new(kind: &Kind) -> KindLookup {
        KindLookup { ty: Schema::get().kind(&kind.api_version(), kind.kind) }
    }
}

/// The type of a field's value, or of its elements.
fn inner(ty: &GoType) -> Option<TypeId> {
    match ty {
        GoType::Named(id) => Some(*id),
        GoType::Pointer(of) | GoType::Slice(of) => inner(of),
        _ => None,
    }
}

impl Lookup for KindLookup {
    fn field(self, key: &str) -> Result<(KindLookup, FieldMeta), String> {
        let fields = self.ty.map(|ty| Schema::get().fields(ty)).unwrap_or_default();
        // A field that no type has is the decoder's to refuse.
        let Some(field) = fields.iter().find(|field| field.name == key) else {
            return Ok((KindLookup { ty: None }, FieldMeta::default()));
        };
        let has =
            |strategy: &str| field.patch_strategy.is_some_and(|all| all.split(',').any(|s| s == strategy));
        let meta = FieldMeta {
            retain_keys: has("retainKeys"),
            merge: has("merge"),
            replace: has("replace"),
            merge_key: field.patch_merge_key.unwrap_or_default(),
        };
        Ok((KindLookup { ty: inner(&field.ty) }, meta))
    }
}
