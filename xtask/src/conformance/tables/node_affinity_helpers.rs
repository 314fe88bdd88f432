//! `tables/node_affinity_helpers.json`: node selector terms.

use anyhow::Result;
use k8s_openapi::api::core::v1::{
    Node, NodeSelector as NodeSelectorObject, NodeSelectorRequirement, Pod, PreferredSchedulingTerm,
};
use podlab_api::selector::Selector;
use podlab_api::selector::node::{
    NodeSelector, PreferredSchedulingTerms, RequiredNodeAffinity, requirements_as_selector,
};
use serde_json::Value;
use std::collections::BTreeMap;

use super::{Row, Use, decode, settle};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let priority: fn(&Row<'_>) -> Outcome = |row| {
        settle(row.decode::<Pod>("pod").map(|pod| {
            let got = pod.spec.and_then(|spec| spec.priority).unwrap_or_default();
            Outcome::equal(row.int("expectedPriority").to_string(), got.to_string())
        }))
    };
    super::read(
        recording,
        &[
            ("TestNodeSelectorMatch", Use::CompareAll(node_selector)),
            ("TestPreferredSchedulingTermsScore", Use::CompareAll(score)),
            ("TestNodeSelectorRequirementsAsSelector.matchExpressions", Use::Input),
            ("TestNodeSelectorRequirementsAsSelector.tc", Use::CompareAll(requirements)),
            ("TestPodMatchesNodeSelectorAndAffinityTerms", Use::Compare(pod_matches)),
            ("helpers.TestPodPriority", Use::Compare(priority)),
            ("helpers.TestMatchNodeSelectorTerms", Use::Compare(terms)),
            (
                "helpers.TestMatchNodeSelectorTermsStateless",
                Use::Skip("that Go code leaves its input as it was: podlab's takes it by reference"),
            ),
            (
                "helpers.TestGetAvoidPodsFromNode",
                Use::Skip("an annotation that Kubernetes 1.37 no longer reads"),
            ),
            (
                "helpers.TestFindMatchingUntoleratedTaint",
                Use::Skip(
                    "tested where taints are compared, in the scheduler's plugin; the rows hold Go functions",
                ),
            ),
        ],
    )
}

/// The texts of the errors a row wants, out of Go code that names field, detail and bad value.
///
/// Only the details are there to compare: each must be part of the text.
fn wants_error(expected: &Value, got: Option<&str>) -> Outcome {
    let code = match expected {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let Some(got) = got else { return Outcome::equal(code, "no error") };
    let details: Vec<&str> =
        code.split("Detail:").skip(1).filter_map(|rest| rest.split('"').nth(1)).collect();
    let fields: Vec<&str> = code.split("Field:").skip(1).filter_map(|rest| rest.split('"').nth(1)).collect();
    match details
        .iter()
        .chain(&fields)
        .find(|part| !got.contains(**part) && !part.contains('\\') && part.len() > 3)
    {
        Some(part) => Outcome::equal(*part, got),
        None => Outcome::Passed,
    }
}

fn node(value: &Value) -> Result<Option<Node>, Outcome> {
    if value.is_null() { Ok(None) } else { decode(value).map(Some) }
}

fn name(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

fn node_selector(row: &Row<'_>) -> Outcome {
    settle(row.decode::<NodeSelectorObject>("nodeSelector").and_then(|object| {
        let selector = NodeSelector::parse(&object);
        let errors = selector.errors();
        if !row.field("wantErr").is_null() {
            let text = podlab_api::selector::aggregate(&errors);
            return Ok(wants_error(row.field("wantErr"), (!errors.is_empty()).then_some(text.as_str())));
        }
        let got = match node(row.field("node"))? {
            Some(node) => selector.matches(&node.metadata.labels, name(&node)),
            None => Ok(false),
        };
        Ok(Outcome::equal(format!("{:?}", Ok::<_, String>(row.flag("wantMatch"))), format!("{got:?}")))
    }))
}

fn terms(row: &Row<'_>) -> Outcome {
    let field = |name: &str| row.field("args").get(name).unwrap_or(&Value::Null);
    settle(decode::<NodeSelectorObject>(field("nodeSelector")).and_then(|object| {
        let node = node(field("node"))?.unwrap_or_default();
        let got = NodeSelector::parse(&object).matches(&node.metadata.labels, name(&node)).unwrap_or(false);
        Ok(Outcome::equal(row.flag("want").to_string(), got.to_string()))
    }))
}

fn score(row: &Row<'_>) -> Outcome {
    settle(row.decode::<Vec<PreferredSchedulingTerm>>("prefSchedTerms").and_then(|terms| {
        let parsed = PreferredSchedulingTerms::parse(&terms);
        if !row.field("wantErr").is_null() {
            let text = parsed.err().map(|errors| podlab_api::selector::aggregate(&errors));
            return Ok(wants_error(row.field("wantErr"), text.as_deref()));
        }
        let node = node(row.field("node"))?.unwrap_or_default();
        Ok(match parsed {
            Ok(terms) => Outcome::equal(
                row.int("wantScore").to_string(),
                terms.score(&node.metadata.labels, name(&node)).to_string(),
            ),
            Err(errors) => {
                Outcome::equal(row.int("wantScore").to_string(), podlab_api::selector::aggregate(&errors))
            }
        })
    }))
}

fn requirements(row: &Row<'_>) -> Outcome {
    settle(row.decode::<Vec<NodeSelectorRequirement>>("in").map(|requirements| {
        let got = requirements_as_selector(&requirements, "root");
        match (row.field("wantErr").is_null(), got) {
            (true, Ok(Selector::Nothing)) => Outcome::equal(row.text("out"), "Nothing"),
            (true, Ok(selector)) => {
                let expected = Selector::parse(row.text("out")).map(|selector| selector.to_string());
                Outcome::equal(expected.unwrap_or_default(), selector.to_string())
            }
            (true, Err(errors)) => Outcome::equal(row.text("out"), podlab_api::selector::aggregate(&errors)),
            (false, got) => {
                let text = got.err().map(|errors| podlab_api::selector::aggregate(&errors));
                wants_error(row.field("wantErr"), text.as_deref())
            }
        }
    }))
}

fn pod_matches(row: &Row<'_>) -> Outcome {
    settle(row.decode::<Pod>("pod").and_then(|pod| {
        let labels: BTreeMap<String, String> = row.decode("labels")?;
        let spec = pod.spec.unwrap_or_default();
        let affinity = RequiredNodeAffinity::new(spec.node_selector.as_ref(), spec.affinity.as_ref());
        let got = affinity.matches(&labels, row.text("nodeName")).unwrap_or(false);
        Ok(Outcome::equal(row.flag("want").to_string(), got.to_string()))
    }))
}
