//! Field selectors, as `kubectl get --field-selector` and the API's `fieldSelector` take them.
//!
//! Source: staging/src/k8s.io/apimachinery/pkg/fields/selector.go (v1.37).

use std::collections::BTreeMap;
use std::fmt;

/// Something that has fields; one that is missing reads as the empty text.
pub trait Fields {
    /// The value of a field.
    fn field(&self, name: &str) -> String;
}

impl Fields for BTreeMap<String, String> {
    fn field(&self, name: &str) -> String {
        self.get(name).cloned().unwrap_or_default()
    }
}

/// One term: a field that must have, or must not have, a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldTerm {
    /// The field's path, such as `status.phase`.
    pub field: String,
    /// The value, escapes undone.
    pub value: String,
    /// Whether the term is `!=`.
    pub negated: bool,
}

/// A field selector: all terms must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSelector {
    /// The terms, sorted by their text.
    pub terms: Vec<FieldTerm>,
}

/// Why a text is no field selector, in Kubernetes' own words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldSelectorError {
    /// A term without an operator.
    #[error("invalid selector: '{selector}'; can't understand '{term}'")]
    Term {
        /// The whole text.
        selector: String,
        /// The term.
        term: String,
    },
    /// A backslash before another character than `\`, `,` or `=`.
    #[error("invalid field selector: invalid escape sequence: {0}")]
    Escape(String),
    /// A `=` that should have been escaped. Kubernetes prints the character's number.
    #[error("invalid field selector: unescaped character in value: {0}")]
    Unescaped(u32),
}

impl FieldSelector {
    /// Reads a field selector.
    ///
    /// # Errors
    /// With Kubernetes' own texts. Whether a kind knows the field is asked apart (see `supported_fields`).
    pub fn parse(text: &str) -> Result<Self, FieldSelectorError> {
        let mut parts = split_terms(text);
        parts.sort_unstable();
        let mut terms = Vec::new();
        for part in parts {
            if part.is_empty() {
                continue;
            }
            let Some((field, operator, value)) = split_term(part) else {
                return Err(FieldSelectorError::Term { selector: text.to_owned(), term: part.to_owned() });
            };
            let value = unescape_value(value)?;
            terms.push(FieldTerm { field: field.to_owned(), value, negated: operator == "!=" });
        }
        Ok(Self { terms })
    }

    /// Rewrites every term; one whose field and value both become empty is dropped.
    ///
    /// # Errors
    /// The first one `rewrite` gives.
    pub fn transform<E>(
        &self,
        rewrite: impl Fn(&str, &str) -> Result<(String, String), E>,
    ) -> Result<Self, E> {
        let mut terms = Vec::new();
        for term in &self.terms {
            let (field, value) = rewrite(&term.field, &term.value)?;
            if !(field.is_empty() && value.is_empty()) {
                terms.push(FieldTerm { field, value, negated: term.negated });
            }
        }
        Ok(Self { terms })
    }

    /// Whether all terms hold.
    #[must_use]
    pub fn matches<F: Fields + ?Sized>(&self, fields: &F) -> bool {
        self.terms.iter().all(|term| (fields.field(&term.field) == term.value) != term.negated)
    }

    /// Whether the selector restricts nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// The one value a field must have, if the selector says so.
    #[must_use]
    pub fn requires_exact_match(&self, field: &str) -> Option<&str> {
        self.terms.iter().find(|term| !term.negated && term.field == field).map(|term| term.value.as_str())
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let operator = if term.negated { "!=" } else { "=" };
            write!(f, "{comma}{}{operator}{}", term.field, escape_value(&term.value))?;
        }
        Ok(())
    }
}

/// Splits at commas that no backslash escapes. Escapes stay as they are; the empty text has no term.
#[must_use]
pub fn split_terms(text: &str) -> Vec<&str> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut escaped = false;
    text.split(|c| match c {
        _ if escaped => {
            escaped = false;
            false
        }
        '\\' => {
            escaped = true;
            false
        }
        c => c == ',',
    })
    .collect()
}

/// Splits a term into field, operator and value at the first operator; the value keeps its escapes.
#[must_use]
pub fn split_term(term: &str) -> Option<(&str, &str, &str)> {
    term.char_indices().find_map(|(index, _)| {
        let (field, rest) = term.split_at_checked(index)?;
        let operator = ["!=", "==", "="].into_iter().find(|operator| rest.starts_with(operator))?;
        Some((field, operator, rest.strip_prefix(operator)?))
    })
}

/// Escapes `\`, `,` and `=` with a backslash.
#[must_use]
pub fn escape_value(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '=') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Undoes [`escape_value`].
///
/// # Errors
/// Where a backslash stands before another character, or a character that needs one has none.
pub fn unescape_value(text: &str) -> Result<String, FieldSelectorError> {
    let mut value = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => value.push(escaped),
                Some(other) => return Err(FieldSelectorError::Escape(format!("\\{other}"))),
                None => return Err(FieldSelectorError::Escape("\\".to_owned())),
            },
            ',' | '=' => return Err(FieldSelectorError::Unescaped(u32::from(c))),
            other => value.push(other),
        }
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_errors_are_kubernetes() {
        let text = |text: &str| {
            FieldSelector::parse(text).map_or_else(|error| error.to_string(), |selector| selector.to_string())
        };
        assert_eq!(text("status.phase!=Running,spec.nodeName==n"), "spec.nodeName=n,status.phase!=Running");
        assert_eq!(text("a=b\\,c"), "a=b\\,c");
        assert_eq!(text("a"), "invalid selector: 'a'; can't understand 'a'");
        assert_eq!(text("a==b=c"), "invalid field selector: unescaped character in value: 61");
        assert_eq!(text("a=\\x"), "invalid field selector: invalid escape sequence: \\x");
    }
}
