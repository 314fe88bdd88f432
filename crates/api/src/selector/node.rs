//! Node selector terms of node affinity.
//!
//! Source: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go (v1.37).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Affinity, NodeSelector as NodeSelectorObject, NodeSelectorRequirement, NodeSelectorTerm,
    PreferredSchedulingTerm,
};

use super::error::{self, FieldError, aggregate};
use super::field::{FieldSelector, FieldTerm, Fields};
use super::label::{Labels, Selector};
use super::requirement::{Operator, Requirement};
use crate::validation::BadValue;

const OPERATORS: [(&str, Operator); 6] = [
    ("In", Operator::In),
    ("NotIn", Operator::NotIn),
    ("Exists", Operator::Exists),
    ("DoesNotExist", Operator::DoesNotExist),
    ("Gt", Operator::GreaterThan),
    ("Lt", Operator::LessThan),
];

/// A term, read as far as it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedTerm {
    /// What the labels must be; `None` where the term says nothing of them.
    pub labels: Option<Selector>,
    /// What the fields must be.
    pub fields: Option<FieldSelector>,
    /// What is wrong with the term. With any, the term matches no node.
    pub errors: Vec<FieldError>,
}

/// Reads the requirements on labels; none match nothing.
///
/// # Errors
/// All that is wrong, each named by its path.
pub fn requirements_as_selector(
    requirements: &[NodeSelectorRequirement],
    path: &str,
) -> Result<Selector, Vec<FieldError>> {
    if requirements.is_empty() {
        return Ok(Selector::Nothing);
    }
    let mut errors = Vec::new();
    let mut parsed = Vec::new();
    for (index, requirement) in requirements.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let operator =
            OPERATORS.iter().find(|(name, _)| *name == requirement.operator).map(|(_, operator)| *operator);
        let Some(operator) = operator else {
            let names: Vec<&str> = OPERATORS.iter().map(|(name, _)| *name).collect();
            errors.push(error::not_supported(format!("{path}.operator"), &requirement.operator, &names));
            continue;
        };
        let values = requirement.values.clone().unwrap_or_default();
        match Requirement::new_at(&path, &requirement.key, operator, values) {
            Ok(requirement) => parsed.push(requirement),
            // No list at all is Go's nil.
            Err(found) => errors.extend(found.into_iter().map(|error| match &error.bad_value {
                BadValue::Json(list) if list == "[]" && requirement.values.is_none() => {
                    FieldError { bad_value: BadValue::Value(serde_json::Value::Null), ..error }
                }
                _ => error,
            })),
        }
    }
    if errors.is_empty() { Ok(Selector::from_requirements(parsed)) } else { Err(errors) }
}

/// Reads the requirements on fields: only `In` and `NotIn` with one value.
///
/// # Errors
/// All that is wrong, each named by its path.
pub fn requirements_as_field_selector(
    requirements: &[NodeSelectorRequirement],
    path: &str,
) -> Result<FieldSelector, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut terms = Vec::new();
    for (index, requirement) in requirements.iter().enumerate() {
        let path = format!("{path}[{index}]");
        let operator = requirement.operator.as_str();
        match (operator, requirement.values.as_deref()) {
            ("In" | "NotIn", Some([value])) => terms.push(FieldTerm {
                field: requirement.key.clone(),
                value: value.clone(),
                negated: operator == "NotIn",
            }),
            ("In" | "NotIn", values) => {
                errors.push(error::invalid_list(format!("{path}.values"), values, "must have one element"));
            }
            _ => {
                let supported = ["In", "NotIn"];
                errors.push(error::not_supported(format!("{path}.operator"), operator, &supported));
            }
        }
    }
    if errors.is_empty() { Ok(FieldSelector { terms }) } else { Err(errors) }
}

/// The one field by which nodes are chosen.
struct NodeName<'a>(&'a str);

impl Fields for NodeName<'_> {
    fn field(&self, name: &str) -> String {
        if name == "metadata.name" { self.0.to_owned() } else { String::new() }
    }
}

impl ParsedTerm {
    /// Reads a term; `None` for an empty one, which matches no node.
    fn parse(term: &NodeSelectorTerm, path: &str) -> Option<Self> {
        let expressions = term.match_expressions.as_deref().unwrap_or_default();
        let field_expressions = term.match_fields.as_deref().unwrap_or_default();
        if expressions.is_empty() && field_expressions.is_empty() {
            return None;
        }
        let child = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let mut parsed = Self { labels: None, fields: None, errors: Vec::new() };
        if !expressions.is_empty() {
            match requirements_as_selector(expressions, &child("matchExpressions")) {
                Ok(selector) => parsed.labels = Some(selector),
                Err(errors) => parsed.errors.extend(errors),
            }
        }
        if !field_expressions.is_empty() {
            match requirements_as_field_selector(field_expressions, &child("matchFields")) {
                Ok(selector) => parsed.fields = Some(selector),
                Err(errors) => parsed.errors.extend(errors),
            }
        }
        Some(parsed)
    }

    /// Whether a node with these labels and this name matches; one without a name (empty) matches any requirement
    /// on fields.
    #[must_use]
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L, name: &str) -> bool {
        self.errors.is_empty()
            && self.labels.as_ref().is_none_or(|selector| selector.matches(labels))
            && (name.is_empty()
                || self.fields.as_ref().is_none_or(|selector| selector.matches(&NodeName(name))))
    }
}

/// Node selector terms, of which one must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSelector {
    /// The terms that are not empty, with their index in the object.
    pub terms: Vec<(usize, ParsedTerm)>,
}

impl NodeSelector {
    /// Reads the object; terms with errors stay in, and match no node.
    #[must_use]
    pub fn parse(object: &NodeSelectorObject) -> Self {
        let parse = |(index, term): (usize, &NodeSelectorTerm)| {
            Some((index, ParsedTerm::parse(term, &format!("nodeSelectorTerms[{index}]"))?))
        };
        Self { terms: object.node_selector_terms.iter().enumerate().filter_map(parse).collect() }
    }

    /// What is wrong with the terms.
    #[must_use]
    pub fn errors(&self) -> Vec<FieldError> {
        self.terms.iter().flat_map(|(_, term)| term.errors.clone()).collect()
    }

    /// Whether a node with these labels and this name matches one of the terms.
    ///
    /// # Errors
    /// Where none matches and some could not be read: their errors as one text.
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L, name: &str) -> Result<bool, String> {
        if self.terms.iter().any(|(_, term)| term.matches(labels, name)) {
            return Ok(true);
        }
        let errors = self.errors();
        if errors.is_empty() { Ok(false) } else { Err(aggregate(&errors)) }
    }
}

/// What a pod demands of nodes: its `nodeSelector` and its required node affinity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredNodeAffinity {
    /// `spec.nodeSelector`; `None` where there is none.
    pub labels: Option<Selector>,
    /// `requiredDuringSchedulingIgnoredDuringExecution`.
    pub selector: Option<NodeSelector>,
}

impl RequiredNodeAffinity {
    /// Reads both out of a pod's spec.
    #[must_use]
    pub fn new(node_selector: Option<&BTreeMap<String, String>>, affinity: Option<&Affinity>) -> Self {
        let required = affinity
            .and_then(|affinity| affinity.node_affinity.as_ref())
            .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution.as_ref());
        Self {
            labels: node_selector.filter(|labels| !labels.is_empty()).map(Selector::from_set),
            selector: required.map(NodeSelector::parse),
        }
    }

    /// Whether a node with these labels and this name meets both.
    ///
    /// # Errors
    /// As [`NodeSelector::matches`].
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L, name: &str) -> Result<bool, String> {
        if self.labels.as_ref().is_some_and(|selector| !selector.matches(labels)) {
            return Ok(false);
        }
        self.selector.as_ref().map_or(Ok(true), |selector| selector.matches(labels, name))
    }
}

/// Preferred terms with their weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreferredSchedulingTerms {
    /// Index in the object, term, weight.
    pub terms: Vec<(usize, ParsedTerm, i64)>,
}

impl PreferredSchedulingTerms {
    /// Reads the terms; those that are empty or weigh nothing are left out.
    ///
    /// # Errors
    /// All that is wrong with the others.
    pub fn parse(terms: &[PreferredSchedulingTerm]) -> Result<Self, Vec<FieldError>> {
        let parse = |(index, term): (usize, &PreferredSchedulingTerm)| {
            let parsed = ParsedTerm::parse(&term.preference, &format!("[{index}]"))?;
            (term.weight != 0).then_some((index, parsed, i64::from(term.weight)))
        };
        let terms: Vec<_> = terms.iter().enumerate().filter_map(parse).collect();
        let errors: Vec<FieldError> = terms.iter().flat_map(|(_, term, _)| term.errors.clone()).collect();
        if errors.is_empty() { Ok(Self { terms }) } else { Err(errors) }
    }

    /// The sum of the weights of the terms a node with these labels and this name matches.
    #[must_use]
    pub fn score<L: Labels + ?Sized>(&self, labels: &L, name: &str) -> i64 {
        self.terms.iter().filter(|(_, term, _)| term.matches(labels, name)).map(|(_, _, weight)| weight).sum()
    }
}
