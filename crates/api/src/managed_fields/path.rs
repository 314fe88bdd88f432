//! One step of a field's path: a field's name, a list element's keys, an element of a set, a place in a list.
//!
//! Source: sigs.k8s.io/structured-merge-diff/v6/fieldpath/element.go, serialize-pe.go and value/value.go.

use serde_json::Value;
use std::cmp::Ordering;
use std::fmt;

/// A value with a total order, as path elements compare them.
#[derive(Clone, Debug)]
pub struct Scalar(pub Value);

impl Scalar {
    fn rank(&self) -> u8 {
        match &self.0 {
            Value::Number(_) => 0,
            Value::String(_) => 1,
            Value::Bool(_) => 2,
            Value::Array(_) => 3,
            Value::Object(_) => 4,
            Value::Null => 5,
        }
    }
}

impl Ord for Scalar {
    fn cmp(&self, other: &Scalar) -> Ordering {
        match (&self.0, &other.0) {
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0)),
            },
            (Value::String(a), Value::String(b)) => a.cmp(b),
            (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
            (a @ (Value::Array(_) | Value::Object(_)), b @ (Value::Array(_) | Value::Object(_))) => {
                self.rank().cmp(&other.rank()).then_with(|| a.to_string().cmp(&b.to_string()))
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Scalar) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Scalar) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scalar {}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::String(text) => f.write_str(&crate::go_text::quote(text)),
            other => write!(f, "{other}"),
        }
    }
}

/// One step of a path. The order is that of Kubernetes' sets: names, keys, values, places.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathElement {
    /// A field of a struct or a key of a map (`f:`).
    Field(String),
    /// The element of a list of type `map` with these keys, sorted by name (`k:`).
    Key(Vec<(String, Scalar)>),
    /// The element of a list of type `set` (`v:`).
    Value(Scalar),
    /// The element at a place (`i:`).
    Index(i64),
}

impl PathElement {
    /// As `fieldsV1` writes it: `f:spec`, `k:{"name":"web"}`.
    pub fn encode(&self) -> String {
        match self {
            PathElement::Field(name) => format!("f:{name}"),
            PathElement::Key(keys) => {
                let keys: Vec<String> = keys
                    .iter()
                    .map(|(name, value)| format!("{}:{}", Value::from(name.as_str()), value.0))
                    .collect();
                format!("k:{{{}}}", keys.join(","))
            }
            PathElement::Value(value) => format!("v:{}", value.0),
            PathElement::Index(at) => format!("i:{at}"),
        }
    }

    /// Reads what `fieldsV1` writes; `Ok(None)` for a kind of element that is not known, which is left out.
    ///
    /// # Errors
    /// It is no path element.
    pub fn decode(text: &str) -> Result<Option<PathElement>, String> {
        let (Some(kind), Some(rest)) = (text.get(..2), text.get(2..)) else {
            return Err("key must be 2 characters long:".to_owned());
        };
        if !kind.ends_with(':') {
            return Err(format!("missing colon: {text}"));
        }
        let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
        Ok(Some(match kind {
            "f:" => PathElement::Field(rest.to_owned()),
            "v:" => PathElement::Value(Scalar(json(rest)?)),
            "i:" => PathElement::Index(rest.parse().map_err(|_| format!("invalid index: {rest}"))?),
            "k:" => match json(rest)? {
                Value::Object(map) => {
                    let mut keys: Vec<(String, Scalar)> =
                        map.into_iter().map(|(name, value)| (name, Scalar(value))).collect();
                    keys.sort();
                    PathElement::Key(keys)
                }
                _ => return Err(format!("expected a map of keys: {rest}")),
            },
            _ => return Ok(None),
        }))
    }
}

/// As conflicts name it: `.spec`, `[name="web"]`, `[="a"]`, `[0]`.
impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathElement::Field(name) => write!(f, ".{name}"),
            PathElement::Key(keys) => {
                f.write_str("[")?;
                for (at, (name, value)) in keys.iter().enumerate() {
                    write!(f, "{}{name}={value}", if at == 0 { "" } else { "," })?;
                }
                f.write_str("]")
            }
            PathElement::Value(value) => write!(f, "[={value}]"),
            PathElement::Index(at) => write!(f, "[{at}]"),
        }
    }
}

/// A path as conflicts name it: `.spec.containers[name="web"].image`.
pub fn path_text(path: &[PathElement]) -> String {
    path.iter().map(ToString::to_string).collect()
}
