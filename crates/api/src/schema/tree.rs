//! Reading and writing trees of values by path, absent and null being one.

use serde_json::{Map, Value};
use std::sync::LazyLock;

static NULL: Value = Value::Null;
static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

/// A struct of which many fields are asked for and few are there: most questions end at a mask, without a search.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a> {
    /// The struct itself.
    pub(crate) value: &'a Value,
    fields: &'a Map<String, Value>,
    /// A bit for each field that is there; several names share one.
    given: u64,
}

/// The bit of a name, known to the compiler where the name is.
#[inline(always)]
fn bit(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (first, last) = match bytes {
        [] => (0, 0),
        [first, ..] => (usize::from(*first), usize::from(bytes[bytes.len() - 1])),
    };
    1 << ((bytes.len() + 7 * first + 13 * last) % 64)
}

impl<'a> Fields<'a> {
    pub(crate) fn of(value: &'a Value) -> Fields<'a> {
        let fields = value.as_object().unwrap_or(&EMPTY);
        Fields { value, fields, given: fields.keys().fold(0, |given, name| given | bit(name)) }
    }

    /// The value of a field, which is one name without dots; null where there is none.
    #[inline]
    pub(crate) fn at(&self, name: &str) -> &'a Value {
        debug_assert!(!name.contains('.'));
        match self.given & bit(name) {
            0 => &NULL,
            _ => self.fields.get(name).unwrap_or(&NULL),
        }
    }

    /// A string; empty where there is none.
    #[inline]
    pub(crate) fn text(&self, name: &str) -> &'a str {
        self.at(name).as_str().unwrap_or("")
    }

    /// A list; empty where there is none.
    #[inline]
    pub(crate) fn list(&self, name: &str) -> &'a [Value] {
        self.at(name).as_array().map_or(&[], Vec::as_slice)
    }

    /// A map; empty where there is none.
    #[inline]
    pub(crate) fn map(&self, name: &str) -> &'a Map<String, Value> {
        self.at(name).as_object().unwrap_or(&EMPTY)
    }

    /// A whole number, `None` where there is none.
    #[inline]
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.at(name).as_i64()
    }

    /// A boolean; false where there is none.
    #[inline]
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.at(name).as_bool().unwrap_or(false)
    }

    /// Whether the field is there.
    #[inline]
    pub(crate) fn has(&self, name: &str) -> bool {
        !self.at(name).is_null()
    }
}

/// The value at a path of field names with dots; null where there is none.
pub(crate) fn at<'a>(value: &'a Value, path: &str) -> &'a Value {
    let (mut here, mut rest) = (value, path);
    loop {
        let Value::Object(fields) = here else { return &NULL };
        // Paths are short: a plain look for the dot is quicker than a searcher.
        let (name, more) = match rest.bytes().position(|b| b == b'.') {
            Some(dot) => (&rest[..dot], Some(&rest[dot + 1..])),
            None => (rest, None),
        };
        match (fields.get(name), more) {
            (Some(next), Some(more)) => (here, rest) = (next, more),
            (Some(next), None) => return next,
            (None, _) => return &NULL,
        }
    }
}

/// A string; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).as_str().unwrap_or("")
}

/// A list; empty where there is none.
pub(crate) fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).as_array().map_or(&[], Vec::as_slice)
}

/// A map; empty where there is none.
pub(crate) fn map<'a>(value: &'a Value, path: &str) -> &'a Map<String, Value> {
    at(value, path).as_object().unwrap_or(&EMPTY)
}

/// A whole number, `None` where there is none.
pub(crate) fn int(value: &Value, path: &str) -> Option<i64> {
    at(value, path).as_i64()
}

/// A boolean; false where there is none.
pub(crate) fn flag(value: &Value, path: &str) -> bool {
    at(value, path).as_bool().unwrap_or(false)
}

/// Whether something stands at a path.
pub(crate) fn has(value: &Value, path: &str) -> bool {
    !at(value, path).is_null()
}

/// The struct at a field, made where there is none.
pub(crate) fn child<'a>(value: &'a mut Value, name: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let slot = &mut value[name];
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    slot
}

/// Sets a field of a struct; does nothing to what is no struct.
pub(crate) fn set(value: &mut Value, name: &str, new: impl Into<Value>) {
    if let Some(map) = value.as_object_mut() {
        map.insert(name.to_owned(), new.into());
    }
}

/// Sets a field that is absent or null.
pub(crate) fn set_nil(value: &mut Value, name: &str, new: impl Into<Value>) {
    if !has(value, name) {
        set(value, name, new);
    }
}

/// Sets a string field that is absent or empty.
pub(crate) fn set_empty(value: &mut Value, name: &str, new: &str) {
    if text(value, name).is_empty() {
        set(value, name, new);
    }
}

/// Sets a number field that is absent or zero.
pub(crate) fn set_zero(value: &mut Value, name: &str, new: i64) {
    if int(value, name).unwrap_or(0) == 0 {
        set(value, name, new);
    }
}

/// Removes a field.
pub(crate) fn remove(value: &mut Value, name: &str) {
    if let Some(map) = value.as_object_mut() {
        map.remove(name);
    }
}

/// The elements of a list field, to be changed.
pub(crate) fn list_mut<'a>(value: &'a mut Value, name: &str) -> impl Iterator<Item = &'a mut Value> {
    value.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}
