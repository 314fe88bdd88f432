//! What a selector selects, requirement by requirement.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use podlab_api::Object;
use podlab_api::selector::supported_fields::parse_field_selector;
use podlab_api::selector::{FieldSelector, Mismatch, Operator, Requirement, Selector, label_selector};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// One requirement and how many pods meet it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// As it stands in the text.
    pub text: String,
    /// Where it stands.
    pub span: Range<usize>,
    /// The requirement itself.
    pub requirement: Requirement,
    /// How many of all pods meet it.
    pub alone: usize,
    /// How many meet it and all before it.
    pub left: usize,
}

/// Why a pod is not selected.
#[derive(Clone, Debug)]
pub struct Miss {
    /// The pod.
    pub pod: Arc<Object>,
    /// Which requirement failed first; `None`: the field selector did.
    pub step: Option<usize>,
    /// How.
    pub why: Option<Mismatch>,
}

/// What a selector selects among pods.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// How many pods there are.
    pub all: usize,
    /// The requirements in the order of the text.
    pub steps: Vec<Step>,
    /// How many pods are selected.
    pub count: usize,
    /// The first of those that are.
    pub hits: Vec<Arc<Object>>,
    /// The first of those that are not.
    pub misses: Vec<Miss>,
    /// kubectl's words where the label selector cannot be read, and where in the text.
    pub error: Option<(String, Range<usize>)>,
    /// kubectl's words where the field selector cannot be read.
    pub field_error: Option<String>,
}

/// How many pods of each sort are listed.
pub const LISTED: usize = 50;

/// Evaluates a label selector and a field selector over pods.
pub fn select<'a>(labels: &str, fields: &str, pods: impl Iterator<Item = &'a Arc<Object>>) -> Selection {
    let parsed = Selector::parse_spanned(labels);
    let error = parsed.error.as_ref().map(|e| (e.message.clone(), e.span.clone()));
    let mut selection = Selection { error, ..Selection::default() };
    selection.steps = parsed
        .requirements
        .into_iter()
        .map(|one| Step {
            text: labels.get(one.span.clone()).unwrap_or_default().to_owned(),
            span: one.span,
            requirement: one.requirement,
            alone: 0,
            left: 0,
        })
        .collect();
    let field_selector = match parse_field_selector("v1", "Pod", fields) {
        Ok(selector) => selector,
        Err(error) => {
            selection.field_error = Some(error);
            FieldSelector { terms: Vec::new() }
        }
    };
    for pod in pods {
        selection.all += 1;
        let mut failed = None;
        for (index, step) in selection.steps.iter_mut().enumerate() {
            let meets = step.requirement.matches(&**pod);
            step.alone += usize::from(meets);
            if !meets && failed.is_none() {
                failed = Some(index);
            }
            step.left += usize::from(failed.is_none());
        }
        let by_field = field_selector.is_empty() || field_selector.matches(&**pod);
        if failed.is_none() && by_field {
            selection.count += 1;
            if selection.hits.len() < LISTED {
                selection.hits.push(pod.clone());
            }
        } else if selection.misses.len() < LISTED {
            let why = failed.and_then(|i| selection.steps.get(i)?.requirement.mismatch(&**pod));
            selection.misses.push(Miss { pod: pod.clone(), step: failed, why });
        }
    }
    selection
}

/// The text of a selector without one of its requirements.
pub fn without(labels: &str, steps: &[Step], index: usize) -> String {
    let kept: Vec<&str> =
        steps.iter().enumerate().filter(|(i, _)| *i != index).map(|(_, s)| s.text.as_str()).collect();
    if steps.get(index).is_none() { labels.to_owned() } else { kept.join(",") }
}

/// The object form.
///
/// # Errors
/// The operator that it has no form for.
pub fn to_object<'a>(
    requirements: impl Iterator<Item = &'a Requirement>,
) -> Result<LabelSelector, &'static str> {
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    let mut expressions = Vec::new();
    for requirement in requirements {
        let values = requirement.values().to_vec();
        let operator = match requirement.operator() {
            Operator::Equals | Operator::DoubleEquals => {
                let value = values.first().cloned().unwrap_or_default();
                if labels.get(requirement.key()).is_none_or(|v| *v == value) {
                    labels.insert(requirement.key().to_owned(), value);
                    continue;
                }
                "In"
            }
            Operator::In => "In",
            Operator::NotIn | Operator::NotEquals => "NotIn",
            Operator::Exists => "Exists",
            Operator::DoesNotExist => "DoesNotExist",
            Operator::GreaterThan => return Err(">"),
            Operator::LessThan => return Err("<"),
        };
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

/// The object form as YAML, as it stands in a manifest.
///
/// # Errors
/// The operator that it has no form for.
pub fn to_yaml<'a>(requirements: impl Iterator<Item = &'a Requirement>) -> Result<String, &'static str> {
    let object = to_object(requirements)?;
    let mut text = String::from("selector:");
    if object.match_labels.is_none() && object.match_expressions.is_none() {
        text.push_str(" {}\n");
        return Ok(text);
    }
    text.push('\n');
    let scalar = |value: &str| {
        let yaml = podlab_yaml::to_yaml(&serde_json::Value::String(value.to_owned()));
        yaml.trim_end().to_owned()
    };
    if let Some(labels) = &object.match_labels {
        text.push_str("  matchLabels:\n");
        for (key, value) in labels {
            text.push_str(&format!("    {key}: {}\n", scalar(value)));
        }
    }
    if let Some(expressions) = &object.match_expressions {
        text.push_str("  matchExpressions:\n");
        for one in expressions {
            text.push_str(&format!("  - key: {}\n    operator: {}\n", one.key, one.operator));
            if let Some(values) = &one.values {
                let values: Vec<String> = values.iter().map(|v| scalar(v)).collect();
                text.push_str(&format!("    values: [{}]\n", values.join(", ")));
            }
        }
    }
    Ok(text)
}

/// The text form of the object form, with or without `selector:` around it.
///
/// # Errors
/// What is wrong, in the words of the YAML reader or of Kubernetes.
pub fn from_yaml(text: &str) -> Result<String, String> {
    let document = podlab_yaml::parse_document(text).map_err(|e| e.to_string())?;
    let mut value = document.value;
    if let Some(inner) = value.get_mut("selector") {
        value = inner.take();
    }
    if value.is_null() {
        return Ok(String::new());
    }
    let plain = value.as_object().is_some_and(|map| {
        !map.is_empty()
            && map.iter().all(|(key, v)| v.is_string() && key != "matchLabels" && key != "matchExpressions")
    });
    if plain {
        // A Service's selector.
        value = serde_json::json!({ "matchLabels": value });
    }
    let object: LabelSelector = serde_json::from_value(value).map_err(|e| e.to_string())?;
    let selector = label_selector::label_selector_as_selector(Some(&object))?;
    Ok(selector.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pods() -> Vec<Arc<Object>> {
        let pod = |name: &str, labels: serde_json::Value| {
            let value = serde_json::json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "namespace": "default", "labels": labels},
                "spec": {"containers": [{"name": "c", "image": "nginx"}]},
                "status": {"phase": if name == "a" { "Running" } else { "Pending" }},
            });
            Arc::new(Object::from_value(value).unwrap())
        };
        vec![
            pod("a", serde_json::json!({"app": "web", "tier": "front"})),
            pod("b", serde_json::json!({"app": "web", "tier": "cache"})),
            pod("c", serde_json::json!({"app": "api"})),
        ]
    }

    #[test]
    fn each_requirement_narrows_what_is_left() {
        let pods = pods();
        let selection = select("app=web, tier!=cache", "", pods.iter());
        let steps: Vec<(&str, usize, usize)> =
            selection.steps.iter().map(|s| (s.text.as_str(), s.alone, s.left)).collect();
        assert_eq!(steps, [("app=web", 2, 2), ("tier!=cache", 2, 1)]);
        assert_eq!((selection.all, selection.count), (3, 1));
        assert_eq!(selection.misses.iter().map(|m| m.step).collect::<Vec<_>>(), [Some(1), Some(0)]);
        assert_eq!(without("app=web, tier!=cache", &selection.steps, 0), "tier!=cache");
    }

    #[test]
    fn an_error_keeps_what_came_before_it() {
        let pods = pods();
        let selection = select("app=web,tier in (", "", pods.iter());
        assert!(selection.error.is_some());
        assert_eq!(selection.steps.len(), 1);
        assert!(select("", "status.phas=Running", pods.iter()).field_error.is_some());
        assert_eq!(select("", "status.phase=Running", pods.iter()).count, 1);
    }

    #[test]
    fn both_forms_say_the_same() {
        for text in ["app=web", "app=web,env in (prod,staging),tier notin (cache)", "!canary,app", ""] {
            let parsed = Selector::parse(text).unwrap();
            let yaml = to_yaml(parsed.requirements().iter()).unwrap();
            assert_eq!(from_yaml(&yaml).unwrap(), parsed.to_string(), "{yaml}");
        }
        let parsed = Selector::parse("n>3").unwrap();
        assert_eq!(to_yaml(parsed.requirements().iter()), Err(">"));
        assert_eq!(from_yaml("app: web\n").unwrap(), "app=web");
        assert!(from_yaml("matchExpressions: [{key: a, operator: Foo}]").is_err());
    }
}
