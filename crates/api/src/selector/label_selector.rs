//! `LabelSelector` objects (`matchLabels` and `matchExpressions`).
//!
//! Source: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go (v1.37).

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::error::aggregate;
use super::label::Selector;
use super::requirement::{Operator, Requirement};
use crate::go_text::quote;

/// Makes a selector of the object form: of no object nothing matches, of an empty one everything.
///
/// # Errors
/// The text Kubernetes' conversion gives.
pub fn label_selector_as_selector(object: Option<&LabelSelector>) -> Result<Selector, String> {
    let Some(object) = object else { return Ok(Selector::Nothing) };
    let mut requirements = Vec::new();
    for (key, value) in object.match_labels.iter().flatten() {
        let one = Requirement::new(key, Operator::Equals, vec![value.clone()])
            .map_err(|errors| aggregate(&errors))?;
        requirements.push(one);
    }
    for expression in object.match_expressions.iter().flatten() {
        let operator = match expression.operator.as_str() {
            "In" => Operator::In,
            "NotIn" => Operator::NotIn,
            "Exists" => Operator::Exists,
            "DoesNotExist" => Operator::DoesNotExist,
            other => return Err(format!("{} is not a valid label selector operator", quote(other))),
        };
        let values = expression.values.clone().unwrap_or_default();
        let one = Requirement::new(&expression.key, operator, values).map_err(|errors| aggregate(&errors))?;
        requirements.push(one);
    }
    Ok(Selector::from_requirements(requirements))
}

/// The labels an object form stands for, where it only asks for one value a key.
///
/// # Errors
/// Where an expression is more than that; the map holds what came before it.
pub fn label_selector_as_map(
    object: Option<&LabelSelector>,
) -> Result<BTreeMap<String, String>, (BTreeMap<String, String>, String)> {
    let mut labels = BTreeMap::new();
    let Some(object) = object else { return Ok(labels) };
    labels.extend(object.match_labels.iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
    for LabelSelectorRequirement { key, operator, values } in object.match_expressions.iter().flatten() {
        let quoted = quote(operator);
        match (operator.as_str(), values.as_deref()) {
            ("In", Some([value])) => {
                labels.insert(key.clone(), value.clone());
            }
            ("In", _) => {
                let text = format!(
                    "operator {quoted} without a single value cannot be converted into the old label selector format"
                );
                return Err((labels, text));
            }
            ("NotIn" | "Exists" | "DoesNotExist", _) => {
                return Err((
                    labels,
                    format!("operator {quoted} cannot be converted into the old label selector format"),
                ));
            }
            _ => return Err((labels, format!("{quoted} is not a valid selector operator"))),
        }
    }
    Ok(labels)
}

/// Reads the text form into the object form, as `kubectl create pdb --selector` does.
///
/// # Errors
/// Where the text is no selector or has an operator the object form lacks.
pub fn parse_to_label_selector(text: &str) -> Result<LabelSelector, String> {
    let selector = Selector::parse(text)
        .map_err(|error| format!("couldn't parse the selector string \"{text}\": {error}"))?;
    let mut labels = BTreeMap::new();
    let mut expressions = Vec::new();
    for requirement in selector.requirements() {
        let operator = match requirement.operator() {
            Operator::Equals | Operator::DoubleEquals => {
                let value = requirement.values().first().cloned().unwrap_or_default();
                labels.insert(requirement.key().to_owned(), value);
                continue;
            }
            Operator::In => "In",
            Operator::NotIn => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            operator @ (Operator::GreaterThan | Operator::LessThan) => {
                return Err(format!("{} isn't supported in label selectors", quote(operator.name())));
            }
            operator @ Operator::NotEquals => {
                return Err(format!("{} is not a valid label selector operator", quote(operator.name())));
            }
        };
        let values = requirement.values().to_vec();
        expressions.push(LabelSelectorRequirement {
            key: requirement.key().to_owned(),
            operator: operator.to_owned(),
            values: (!values.is_empty()).then_some(values),
        });
    }
    Ok(LabelSelector {
        match_labels: (!labels.is_empty()).then_some(labels),
        match_expressions: (!expressions.is_empty()).then_some(expressions),
    })
}

/// The text form, `<none>` where everything matches and `<error>` where the object is invalid.
#[must_use]
pub fn format_label_selector(object: Option<&LabelSelector>) -> String {
    match label_selector_as_selector(object) {
        Err(_) => "<error>".to_owned(),
        Ok(selector) => match selector.to_string() {
            text if text.is_empty() => "<none>".to_owned(),
            text => text,
        },
    }
}
