//! `tables/pod_requests_limits.json`: what a pod requests and what limits it.

use anyhow::Result;
use k8s_openapi::api::core::v1::{PodSpec, PodStatus};
use podlab_api::Quantity;
use podlab_api::resources::{
    PodResourcesOptions, ResourceList, aggregate_container_limits, aggregate_container_requests,
    is_pod_level_limits_set, is_pod_level_resources_set, is_supported_pod_level_resource, pod_limits,
    pod_requests,
};
use serde_json::{Value, json};

use super::{Row, Use, decode, settle};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let supported: fn(&Row<'_>) -> Outcome = |row| {
        let got = is_supported_pod_level_resource(row.text("resource"));
        Outcome::equal(row.flag("expected").to_string(), got.to_string())
    };
    super::read(
        recording,
        &[
            ("TestPodRequestsAndLimits", Use::Compare(whole_pod)),
            ("TestPodRequestsAndLimitsWithoutOverhead", Use::Compare(without_overhead)),
            ("TestPodResourceRequests", Use::Compare(requests_and_limits)),
            ("TestPodResourceLimits", Use::Compare(requests_and_limits)),
            ("TestIsPodLevelResourcesSet", Use::Compare(|row| is_set(row, is_pod_level_resources_set))),
            ("TestIsPodLevelLimitsSet", Use::Compare(|row| is_set(row, is_pod_level_limits_set))),
            ("TestPodLevelResourceRequests", Use::Compare(requests_and_limits)),
            ("TestIsSupportedPodLevelResource", Use::CompareAll(supported)),
            ("TestAggregateContainerRequestsAndLimits", Use::Compare(aggregates)),
        ],
    )
}

/// Compares quantities by value: the tables hold numbers in any notation.
fn same_list(expected: &Value, got: &ResourceList) -> Outcome {
    let read = |value: &Value| match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    };
    let expected: Vec<(String, Option<Quantity>)> =
        expected.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), read(value))).collect();
    let same = expected.len() == got.len()
        && expected.iter().all(|(name, value)| value.is_some() && got.get(name) == value.as_ref());
    if same {
        return Outcome::Passed;
    }
    let text = |list: Vec<(&String, String)>| format!("{list:?}");
    Outcome::Failed {
        expected: text(expected.iter().map(|(name, value)| (name, format!("{value:?}"))).collect()),
        got: text(got.iter().map(|(name, value)| (name, value.to_string())).collect()),
    }
}

fn pod_of(pod: &Value) -> Result<(PodSpec, PodStatus), Outcome> {
    let part = |name: &str| pod.get(name).unwrap_or(&Value::Null).clone();
    Ok((decode(&part("spec"))?, decode(&part("status"))?))
}

fn with_options(row: &Row<'_>, pod: &Value, options: &PodResourcesOptions) -> Outcome {
    settle(pod_of(pod).map(|(spec, status)| {
        let mut parts = Vec::new();
        if row.value.get("expectedRequests").is_some() {
            parts
                .push(same_list(row.field("expectedRequests"), &pod_requests(&spec, Some(&status), options)));
        }
        if row.value.get("expectedLimits").is_some() {
            parts.push(same_list(row.field("expectedLimits"), &pod_limits(&spec, Some(&status), options)));
        }
        Outcome::all(parts)
    }))
}

fn whole_pod(row: &Row<'_>) -> Outcome {
    with_options(row, row.field("pod"), &PodResourcesOptions::default())
}

fn without_overhead(row: &Row<'_>) -> Outcome {
    let options = PodResourcesOptions { exclude_overhead: true, ..PodResourcesOptions::default() };
    with_options(row, row.field("pod"), &options)
}

/// A pod of rows that hold its parts as fields of their own; `pod_level` is where `podResources` belongs.
fn pod_of_parts(row: &Row<'_>, pod_level: &str) -> Value {
    let mut pod = json!({"spec": {}, "status": {}});
    for (from, part, name) in [
        ("containers", "spec", "containers"),
        ("initContainers", "spec", "initContainers"),
        ("overhead", "spec", "overhead"),
        ("containerStatus", "status", "containerStatuses"),
        ("containerStatuses", "status", "containerStatuses"),
        ("initContainerStatuses", "status", "initContainerStatuses"),
        ("podResizeStatus", "status", "conditions"),
        ("podAllocatedResources", "status", "allocatedResources"),
        ("podResources", pod_level, "resources"),
    ] {
        if let Some(value) = row.value.get(from).filter(|value| !value.is_null()) {
            pod[part][name] = value.clone();
        }
    }
    pod
}

fn options_of(row: &Row<'_>) -> PodResourcesOptions {
    let options = row.value.get("options").or_else(|| row.value.get("opts")).unwrap_or(&Value::Null);
    let flag = |name: &str| options.get(name).and_then(Value::as_bool).unwrap_or_default();
    PodResourcesOptions {
        use_status_resources: flag("UseStatusResources"),
        exclude_overhead: flag("ExcludeOverhead"),
        skip_pod_level_resources: flag("SkipPodLevelResources"),
        in_place_pod_level_resources: flag("InPlacePodLevelResourcesVerticalScalingEnabled"),
        ..PodResourcesOptions::default()
    }
}

fn requests_and_limits(row: &Row<'_>) -> Outcome {
    with_options(row, &pod_of_parts(row, "spec"), &options_of(row))
}

fn is_set(row: &Row<'_>, check: fn(&PodSpec) -> bool) -> Outcome {
    settle(decode(row.field("podResources")).map(|resources| {
        let resources = row.value.get("podResources").is_some().then_some(resources);
        let got = check(&PodSpec { resources, ..PodSpec::default() });
        Outcome::equal(row.flag("expected").to_string(), got.to_string())
    }))
}

fn aggregates(row: &Row<'_>) -> Outcome {
    let options = options_of(row);
    settle(pod_of(&pod_of_parts(row, "status")).map(|(spec, status)| {
        Outcome::all([
            same_list(
                row.field("expectedRequests"),
                &aggregate_container_requests(&spec, Some(&status), &options),
            ),
            same_list(
                row.field("expectedLimits"),
                &aggregate_container_limits(&spec, Some(&status), &options),
            ),
        ])
    }))
}
