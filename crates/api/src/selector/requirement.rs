//! One requirement of a label selector.

use std::fmt;

use super::content::{label_key_errors, label_value_errors};
use super::error::{self, FieldError};
use super::label::Labels;

/// How key and values of a requirement relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The value is one of the list.
    In,
    /// The value is none of the list, or there is no such key.
    NotIn,
    /// `=`.
    Equals,
    /// `==`.
    DoubleEquals,
    /// `!=`: another value, or no such key.
    NotEquals,
    /// The key exists.
    Exists,
    /// `!`: the key does not exist.
    DoesNotExist,
    /// `>`, both sides integers.
    GreaterThan,
    /// `<`, both sides integers.
    LessThan,
}

impl Operator {
    /// Kubernetes' internal name, which its messages show.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::NotIn => "notin",
            Self::Equals => "=",
            Self::DoubleEquals => "==",
            Self::NotEquals => "!=",
            Self::Exists => "exists",
            Self::DoesNotExist => "!",
            Self::GreaterThan => "gt",
            Self::LessThan => "lt",
        }
    }

    /// The operator with that internal name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::BINARY
            .into_iter()
            .chain([Self::Exists, Self::DoesNotExist])
            .find(|operator| operator.name() == name)
    }

    pub(super) const BINARY: [Self; 7] = [
        Self::In,
        Self::NotIn,
        Self::Equals,
        Self::DoubleEquals,
        Self::NotEquals,
        Self::GreaterThan,
        Self::LessThan,
    ];
}

/// Why labels do not meet a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mismatch<T = String> {
    /// The key is missing.
    MissingKey,
    /// The key exists but must not.
    KeyExists {
        /// Its value.
        value: T,
    },
    /// The value is not one of those asked for.
    ValueNotIn {
        /// The value found.
        value: T,
    },
    /// The value is one of those excluded.
    ValueExcluded {
        /// The value found.
        value: T,
    },
    /// The value is no integer.
    NotAnInteger {
        /// The value found.
        value: T,
    },
    /// The value is an integer on the wrong side.
    OutOfRange {
        /// The value found.
        value: T,
    },
}

impl<T> Mismatch<T> {
    fn map<U>(self, make: impl FnOnce(T) -> U) -> Mismatch<U> {
        match self {
            Mismatch::MissingKey => Mismatch::MissingKey,
            Mismatch::KeyExists { value } => Mismatch::KeyExists { value: make(value) },
            Mismatch::ValueNotIn { value } => Mismatch::ValueNotIn { value: make(value) },
            Mismatch::ValueExcluded { value } => Mismatch::ValueExcluded { value: make(value) },
            Mismatch::NotAnInteger { value } => Mismatch::NotAnInteger { value: make(value) },
            Mismatch::OutOfRange { value } => Mismatch::OutOfRange { value: make(value) },
        }
    }
}

/// A key, an operator and values.
///
/// **Invariant:** made by [`Requirement::new`] or the parser, so that key and values are valid and the values have
/// the number the operator wants.
///
/// Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go (v1.37).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

impl Requirement {
    /// Makes a requirement; `values` keep their order.
    ///
    /// # Errors
    /// All that is wrong, in Kubernetes' order.
    pub fn new(key: &str, operator: Operator, values: Vec<String>) -> Result<Self, Vec<FieldError>> {
        Self::new_at("", key, operator, values)
    }

    /// [`Requirement::new`] for a requirement at a path, which the errors name.
    ///
    /// # Errors
    /// All that is wrong, in Kubernetes' order.
    pub fn new_at(
        path: &str,
        key: &str,
        operator: Operator,
        values: Vec<String>,
    ) -> Result<Self, Vec<FieldError>> {
        let errors = Self::errors(path, key, Some(operator), "", &values);
        if errors.is_empty() { Ok(Self { key: key.to_owned(), operator, values }) } else { Err(errors) }
    }

    /// Makes a requirement without looking at key and values, as for labels that were validated before.
    #[must_use]
    pub(super) fn unchecked(key: &str, operator: Operator, values: Vec<String>) -> Self {
        Self { key: key.to_owned(), operator, values }
    }

    /// All that is wrong with a requirement; an `operator` of `None` is one that does not exist, named by
    /// `operator_text`.
    #[must_use]
    pub fn errors(
        path: &str,
        key: &str,
        operator: Option<Operator>,
        operator_text: &str,
        values: &[String],
    ) -> Vec<FieldError> {
        let child = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let values_path = child("values");
        let list = |detail: &str| error::invalid_list(&*values_path, Some(values), detail);
        let mut errors = Vec::new();
        let key_errors = label_key_errors(key);
        if !key_errors.is_empty() {
            errors.push(error::invalid(child("key"), key, key_errors.join("; ")));
        }
        match operator {
            Some(Operator::In | Operator::NotIn) if values.is_empty() => {
                errors.push(list("for 'in', 'notin' operators, values set can't be empty"));
            }
            Some(Operator::Equals | Operator::DoubleEquals | Operator::NotEquals) if values.len() != 1 => {
                errors.push(list("exact-match compatibility requires one single value"));
            }
            Some(Operator::Exists | Operator::DoesNotExist) if !values.is_empty() => {
                errors.push(list("values set must be empty for exists and does not exist"));
            }
            Some(Operator::GreaterThan | Operator::LessThan) => {
                if values.len() != 1 {
                    errors.push(list("for 'Gt', 'Lt' operators, exactly one value is required"));
                }
                for (index, value) in values.iter().enumerate() {
                    if parse_int(value).is_none() {
                        let detail = "for 'Gt', 'Lt' operators, the value must be an integer";
                        errors.push(error::invalid(format!("{values_path}[{index}]"), value, detail));
                    }
                }
            }
            Some(_) => {}
            None => {
                let names: Vec<&str> = Operator::BINARY
                    .into_iter()
                    .chain([Operator::Exists, Operator::DoesNotExist])
                    .map(Operator::name)
                    .collect();
                errors.push(error::not_supported(child("operator"), operator_text, &names));
            }
        }
        for (index, value) in values.iter().enumerate() {
            let value_errors = label_value_errors(value);
            if !value_errors.is_empty() {
                let field = format!("{values_path}[{index}][{key}]");
                errors.push(error::invalid(field, value, value_errors.join("; ")));
            }
        }
        errors
    }

    /// The label key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The operator.
    #[must_use]
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The values in the order given; out of a text they are sorted and each is there once.
    #[must_use]
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Whether the labels meet the requirement.
    #[must_use]
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L) -> bool {
        self.check(labels.lookup(&self.key)).is_none()
    }

    /// Why the labels do not meet the requirement; `None` where they do.
    #[must_use]
    pub fn mismatch<L: Labels + ?Sized>(&self, labels: &L) -> Option<Mismatch> {
        self.check(labels.lookup(&self.key)).map(|failed| failed.map(str::to_owned))
    }

    /// As [`Requirement::mismatch`], without a copy of the value: thousands of pods are asked at a key stroke.
    fn check<'a>(&self, found: Option<&'a str>) -> Option<Mismatch<&'a str>> {
        let has = |value: &str| self.values.iter().any(|wanted| wanted == value);
        match (self.operator, found) {
            (Operator::NotIn | Operator::NotEquals | Operator::DoesNotExist, None)
            | (Operator::Exists, Some(_)) => None,
            (_, None) => Some(Mismatch::MissingKey),
            (Operator::DoesNotExist, Some(value)) => Some(Mismatch::KeyExists { value }),
            (Operator::In | Operator::Equals | Operator::DoubleEquals, Some(value)) => {
                (!has(value)).then_some(Mismatch::ValueNotIn { value })
            }
            (Operator::NotIn | Operator::NotEquals, Some(value)) => {
                has(value).then_some(Mismatch::ValueExcluded { value })
            }
            (Operator::GreaterThan | Operator::LessThan, Some(value)) => {
                let wanted = match self.values.as_slice() {
                    [only] => parse_int(only),
                    _ => None,
                };
                let (Some(left), Some(right)) = (parse_int(value), wanted) else {
                    return Some(Mismatch::NotAnInteger { value });
                };
                let holds = if self.operator == Operator::GreaterThan { left > right } else { left < right };
                (!holds).then_some(Mismatch::OutOfRange { value })
            }
        }
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut values = self.values.clone();
        values.sort();
        let values = values.join(",");
        let key = &self.key;
        match self.operator {
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}

/// Reads an integer as Go's `strconv.ParseInt(text, 10, 64)` does.
pub(super) fn parse_int(text: &str) -> Option<i64> {
    text.parse().ok()
}
