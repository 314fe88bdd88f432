//! Label selectors as requirements.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::parser::{self, ParseError};
use super::requirement::{Operator, Requirement};
use crate::Object;

/// Something that has labels.
pub trait Labels {
    /// The value of a label.
    fn lookup(&self, key: &str) -> Option<&str>;
}

impl Labels for BTreeMap<String, String> {
    fn lookup(&self, key: &str) -> Option<&str> {
        self.get(key).map(String::as_str)
    }
}

impl Labels for Option<BTreeMap<String, String>> {
    fn lookup(&self, key: &str) -> Option<&str> {
        self.as_ref()?.get(key).map(String::as_str)
    }
}

impl Labels for Object {
    fn lookup(&self, key: &str) -> Option<&str> {
        self.label(key)
    }
}

impl<L: Labels + ?Sized> Labels for &L {
    fn lookup(&self, key: &str) -> Option<&str> {
        (**self).lookup(key)
    }
}

/// A label selector: all its requirements must hold, or it matches nothing at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// No object matches. Prints as the empty text.
    Nothing,
    /// All requirements must hold; none means every object. Sorted by key.
    Requirements(Vec<Requirement>),
}

/// A requirement and where in the text it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpannedRequirement {
    /// The requirement.
    pub requirement: Requirement,
    /// Half-open range of bytes in the text, white space around it left out.
    pub span: Range<usize>,
}

/// A text read as a label selector, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedSelector {
    /// The requirements in the order of the text, up to the error.
    pub requirements: Vec<SpannedRequirement>,
    /// What stopped the reading.
    pub error: Option<ParseError>,
}

impl Selector {
    /// Reads the text form, as `kubectl get -l` and the API's `labelSelector` take it.
    ///
    /// # Errors
    /// With Kubernetes' own texts (`unable to parse requirement: …`, `found 'x', expected: …`).
    ///
    /// Source: staging/src/k8s.io/apimachinery/pkg/labels/selector.go Parse (v1.37).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let parsed = Self::parse_spanned(text);
        match parsed.error {
            Some(error) => Err(error),
            None => Ok(Self::from_requirements(
                parsed.requirements.into_iter().map(|one| one.requirement).collect(),
            )),
        }
    }

    /// Reads the text form and keeps what could be read before an error, with its places in the text.
    #[must_use]
    pub fn parse_spanned(text: &str) -> ParsedSelector {
        parser::parse(text)
    }

    /// Matches every object.
    #[must_use]
    pub fn everything() -> Self {
        Self::Requirements(Vec::new())
    }

    /// Matches objects that carry all these labels; the labels are taken as valid.
    #[must_use]
    pub fn from_set(labels: &BTreeMap<String, String>) -> Self {
        let requirement = |(key, value): (&String, &String)| {
            Requirement::unchecked(key, Operator::Equals, vec![value.clone()])
        };
        Self::Requirements(labels.iter().map(requirement).collect())
    }

    /// Makes a selector of requirements, which it sorts by key.
    #[must_use]
    pub fn from_requirements(mut requirements: Vec<Requirement>) -> Self {
        requirements.sort_by(|left, right| left.key().cmp(right.key()));
        Self::Requirements(requirements)
    }

    /// Whether labels match.
    #[must_use]
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L) -> bool {
        match self {
            Self::Nothing => false,
            Self::Requirements(requirements) => requirements.iter().all(|one| one.matches(labels)),
        }
    }

    /// Whether the selector restricts nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Requirements(requirements) if requirements.is_empty())
    }

    /// The requirements; none for the selector of nothing.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        match self {
            Self::Nothing => &[],
            Self::Requirements(requirements) => requirements,
        }
    }

    /// The one value a label must have, if the selector says so.
    #[must_use]
    pub fn requires_exact_match(&self, key: &str) -> Option<&str> {
        let requirement = self.requirements().iter().find(|one| one.key() == key)?;
        match (requirement.operator(), requirement.values()) {
            (Operator::Equals | Operator::DoubleEquals | Operator::In, [value]) => Some(value),
            _ => None,
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.requirements().iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            write!(f, "{requirement}")?;
        }
        Ok(())
    }
}
