//! The arguments of plugins: their defaults, what is wrong with them, and what they make of a profile.
//!
//! Source: pkg/scheduler/apis/config/v1/defaults.go, validation/validation_pluginargs.go (v1.37).

use super::decode;
use crate::scheduler::profile::{
    DefaultConstraints, NodeResourcesFitArgs, Profile, ResourceName, ScoringStrategy, Shape,
};
use k8s_openapi::api::core::v1::{NodeAffinity, TopologySpreadConstraint};
use podlab_api::selector::node::{NodeSelector, PreferredSchedulingTerms};
use podlab_api::validation::content::is_qualified_name;
use podlab_api::validation::field::{FieldError, Path};
use serde_json::Value;
use std::time::Duration;

/// Points of a shape are given of ten.
const MAX_CUSTOM_PRIORITY_SCORE: i64 = 10;

fn number(args: &Value, key: &str) -> Option<i64> {
    args.get(key).and_then(Value::as_i64)
}

fn text<'a>(args: &'a Value, key: &str) -> &'a str {
    args.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(args: &'a Value, key: &str) -> &'a [Value] {
    args.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn texts(args: &Value, key: &str) -> Vec<String> {
    list(args, key).iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
}

/// A list, or an object, that is there and no null.
fn given<'a>(args: &'a Value, key: &str) -> Option<&'a Value> {
    args.get(key).filter(|value| !value.is_null())
}

/// Reads the arguments of a plugin into a profile; says what is wrong with them. Those of NodeResourcesFit are looked at
/// when the plugin is made: [`node_resources_fit`].
pub(super) fn apply(name: &str, args: &Value, path: &Path<'_>, profile: &mut Profile) -> Vec<FieldError> {
    let mut errors = Vec::new();
    match name {
        "DefaultPreemption" => default_preemption(args, path, profile, &mut errors),
        "DynamicResources" => dynamic_resources(args, path, &mut errors),
        "InterPodAffinity" => inter_pod_affinity(args, path, profile, &mut errors),
        "NodeAffinity" => node_affinity(args, path, profile, &mut errors),
        "NodeResourcesBalancedAllocation" => balanced_allocation(args, path, profile, &mut errors),
        "PodTopologySpread" => pod_topology_spread(args, path, profile, &mut errors),
        "VolumeBinding" => volume_binding(args, path, profile, &mut errors),
        _ => {}
    }
    errors
}

fn default_preemption(args: &Value, path: &Path<'_>, profile: &mut Profile, errors: &mut Vec<FieldError>) {
    let percentage = number(args, "minCandidateNodesPercentage").unwrap_or(10);
    let absolute = number(args, "minCandidateNodesAbsolute").unwrap_or(100);
    let percentage_path = path.child("minCandidateNodesPercentage");
    let absolute_path = path.child("minCandidateNodesAbsolute");
    if !(0..=100).contains(&percentage) {
        errors.push(FieldError::invalid(&percentage_path, percentage, "not in valid range [0, 100]"));
    }
    if absolute < 0 {
        errors.push(FieldError::invalid(&absolute_path, absolute, "not in valid range [0, inf)"));
    }
    if percentage == 0 && absolute == 0 {
        let detail = "cannot be zero at the same time as minCandidateNodesAbsolute";
        errors.push(FieldError::invalid(&percentage_path, percentage, detail));
        let detail = "cannot be zero at the same time as minCandidateNodesPercentage";
        errors.push(FieldError::invalid(&absolute_path, absolute, detail));
    }
    profile.min_candidate_nodes_percentage = usize::try_from(percentage).unwrap_or(0);
    profile.min_candidate_nodes_absolute = usize::try_from(absolute).unwrap_or(0);
}

fn dynamic_resources(args: &Value, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    let nanos = |key| given(args, key).and_then(Value::as_str).and_then(|text| decode::duration(text).ok());
    if let Some(filter) = nanos("filterTimeout").filter(|nanos| *nanos < 0) {
        let path = path.child("filterTimeout");
        errors.push(FieldError::invalid(&path, decode::duration_text(filter), "must be zero or positive"));
    }
    if let Some(binding) = nanos("bindingTimeout").filter(|nanos| *nanos < 1_000_000_000) {
        let path = path.child("bindingTimeout");
        errors.push(FieldError::invalid(&path, decode::duration_text(binding), "must be at least 1 second"));
    }
}

fn inter_pod_affinity(args: &Value, path: &Path<'_>, profile: &mut Profile, errors: &mut Vec<FieldError>) {
    let weight = number(args, "hardPodAffinityWeight").unwrap_or(1);
    if !(0..=100).contains(&weight) {
        let path = path.child("hardPodAffinityWeight");
        errors.push(FieldError::invalid(&path, weight, "not in valid range [0, 100]"));
    }
    profile.hard_pod_affinity_weight = weight;
    let ignores = args.get("ignorePreferredTermsOfExistingPods").and_then(Value::as_bool);
    profile.ignore_preferred_terms_of_existing_pods = ignores.unwrap_or(false);
}

fn node_affinity(args: &Value, path: &Path<'_>, profile: &mut Profile, errors: &mut Vec<FieldError>) {
    let Some(added) = given(args, "addedAffinity") else { return };
    let Ok(affinity) = serde_json::from_value::<NodeAffinity>(added.clone()) else { return };
    let added = path.child("addedAffinity");
    let mut under = |key: &str, found: Vec<FieldError>| {
        let path = added.child(key).to_string();
        errors.extend(found.into_iter().map(|error| FieldError {
            field: match error.field.as_str() {
                field if field.starts_with('[') => format!("{path}{field}"),
                field => format!("{path}.{field}"),
            },
            ..error
        }));
    };
    if let Some(required) = &affinity.required_during_scheduling_ignored_during_execution {
        let selector = NodeSelector::parse(required);
        under("requiredDuringSchedulingIgnoredDuringExecution", selector.errors());
        profile.added_node_selector = Some(selector);
    }
    let preferred = affinity.preferred_during_scheduling_ignored_during_execution.unwrap_or_default();
    if !preferred.is_empty() {
        match PreferredSchedulingTerms::parse(&preferred) {
            Ok(terms) => profile.added_preferred = Some(terms),
            Err(found) => under("preferredDuringSchedulingIgnoredDuringExecution", found),
        }
    }
}

fn balanced_allocation(args: &Value, path: &Path<'_>, profile: &mut Profile, errors: &mut Vec<FieldError>) {
    let resources = list(args, "resources");
    if resources.is_empty() {
        return;
    }
    let at = path.child("resources");
    let mut seen: Vec<&str> = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        let (path, name) = (at.index(index), text(resource, "name"));
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(&path.child("name"), name));
        } else {
            seen.push(name);
        }
        let weight = number(resource, "weight").filter(|weight| *weight != 0).unwrap_or(1);
        if weight != 1 {
            errors.push(FieldError::invalid(&path.child("weight"), weight, "must be 1"));
        }
    }
    profile.balanced = seen.into_iter().map(ResourceName::new).collect();
}

fn pod_topology_spread(args: &Value, path: &Path<'_>, profile: &mut Profile, errors: &mut Vec<FieldError>) {
    let constraints = list(args, "defaultConstraints");
    let kind = Some(text(args, "defaultingType")).filter(|kind| !kind.is_empty()).unwrap_or("System");
    let kind_path = path.child("defaultingType");
    match kind {
        "System" if constraints.is_empty() => {}
        "System" => {
            errors.push(FieldError::invalid(&kind_path, kind, "when .defaultConstraints are not empty"));
        }
        "List" => {}
        _ => errors.push(FieldError::not_supported(&kind_path, kind, &["System", "List"])),
    }
    let at = path.child("defaultConstraints");
    for (index, constraint) in constraints.iter().enumerate() {
        let path = at.index(index);
        let skew = number(constraint, "maxSkew").unwrap_or(0);
        if skew <= 0 {
            errors.push(FieldError::invalid(&path.child("maxSkew"), skew, "not in valid range (0, inf)"));
        }
        let key = text(constraint, "topologyKey");
        if key.is_empty() {
            errors.push(FieldError::required(&path.child("topologyKey"), "can not be empty"));
        } else {
            errors.extend(label_name(key, &path.child("topologyKey")));
        }
        let action = text(constraint, "whenUnsatisfiable");
        let action_path = path.child("whenUnsatisfiable");
        match action {
            "" => errors.push(FieldError::required(&action_path, "can not be empty")),
            "DoNotSchedule" | "ScheduleAnyway" => {}
            _ => {
                let supported = ["DoNotSchedule", "ScheduleAnyway"];
                errors.push(FieldError::not_supported(&action_path, action, &supported));
            }
        }
        if given(constraint, "labelSelector").is_some() {
            let detail = "constraint must not define a selector, as they deduced for each pod";
            errors.push(FieldError::forbidden(&path.child("labelSelector"), detail));
        }
        let same =
            |other: &Value| text(other, "topologyKey") == key && text(other, "whenUnsatisfiable") == action;
        if constraints.iter().take(index).any(same) {
            errors.push(FieldError::duplicate(&path, format!("{{{key}, {action}}}")));
        }
    }
    if kind == "List" {
        let read =
            |constraint: &Value| serde_json::from_value::<TopologySpreadConstraint>(constraint.clone());
        let constraints = constraints.iter().filter_map(|constraint| read(constraint).ok()).collect();
        profile.default_constraints = DefaultConstraints::List(constraints);
    }
}

fn volume_binding(args: &Value, path: &Path<'_>, profile: &mut Profile, errors: &mut Vec<FieldError>) {
    let timeout = number(args, "bindTimeoutSeconds").unwrap_or(600);
    match u64::try_from(timeout) {
        Ok(seconds) => profile.bind_timeout = Duration::from_secs(seconds),
        Err(_) => {
            let detail = "invalid BindTimeoutSeconds, should not be a negative value";
            errors.push(FieldError::invalid(&path.child("bindTimeoutSeconds"), timeout, detail));
        }
    }
    let points = list(args, "shape");
    if !points.is_empty() {
        profile.volume_shape = shape(points, &path.child("shape"), errors);
    }
}

/// Source: validation_pluginargs.go `validateFunctionShape` (v1.37).
fn shape(points: &[Value], path: &Path<'_>, errors: &mut Vec<FieldError>) -> Shape {
    if points.is_empty() {
        errors.push(FieldError::required(path, "at least one point must be specified"));
    }
    let of = |point: &Value| (number(point, "utilization").unwrap_or(0), number(point, "score").unwrap_or(0));
    let points: Vec<(i64, i64)> = points.iter().map(of).collect();
    let falling = points.windows(2).position(|pair| pair[0].0 >= pair[1].0);
    if let Some(index) = falling {
        let detail = "values must be sorted in increasing order";
        let used = points[index + 1].0;
        errors.push(FieldError::invalid(&path.index(index + 1).child("utilization"), used, detail));
    }
    for (index, (used, score)) in points.iter().enumerate() {
        let path = path.index(index);
        if !(0..=100).contains(used) {
            errors.push(FieldError::invalid(
                &path.child("utilization"),
                *used,
                "not in valid range [0, 100]",
            ));
        }
        if !(0..=MAX_CUSTOM_PRIORITY_SCORE).contains(score) {
            errors.push(FieldError::invalid(&path.child("score"), *score, "not in valid range [0, 10]"));
        }
    }
    Shape {
        points: points
            .into_iter()
            .map(|(used, score)| (used, score * 100 / MAX_CUSTOM_PRIORITY_SCORE))
            .collect(),
    }
}

fn label_name(name: &str, path: &Path<'_>) -> Vec<FieldError> {
    is_qualified_name(name).into_iter().map(|text| FieldError::invalid(path, name, text)).collect()
}

/// Reads the arguments of NodeResourcesFit, with paths that begin at them.
pub(super) fn node_resources_fit(args: &Value, profile: &mut Profile) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let (ignored, groups) = (texts(args, "ignoredResources"), texts(args, "ignoredResourceGroups"));
    let path = Path::new("ignoredResources");
    for (index, name) in ignored.iter().enumerate() {
        errors.extend(label_name(name, &path.index(index)));
    }
    let path = Path::new("ignoredResourceGroups");
    for (index, group) in groups.iter().enumerate() {
        let path = path.index(index);
        if group.contains('/') {
            errors.push(FieldError::invalid(&path, group.as_str(), "resource group name can't contain '/'"));
        }
        errors.extend(label_name(group, &path));
    }
    profile.fit.ignored_resources = ignored;
    profile.fit.ignored_resource_groups = groups;
    if let Some(strategy) = given(args, "scoringStrategy") {
        scoring_strategy(strategy, &Path::new("scoringStrategy"), &mut profile.fit, &mut errors);
    }
    errors
}

fn scoring_strategy(
    strategy: &Value,
    path: &Path<'_>,
    fit: &mut NodeResourcesFitArgs,
    errors: &mut Vec<FieldError>,
) {
    const TYPES: [&str; 3] = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];
    match text(strategy, "type") {
        "LeastAllocated" => fit.strategy = ScoringStrategy::LeastAllocated,
        "MostAllocated" => fit.strategy = ScoringStrategy::MostAllocated,
        "RequestedToCapacityRatio" => fit.strategy = ScoringStrategy::RequestedToCapacityRatio,
        other => errors.push(FieldError::not_supported(&path.child("type"), other, &TYPES)),
    }
    let resources = list(strategy, "resources");
    if !resources.is_empty() {
        fit.resources.clear();
    }
    let at = path.child("resources");
    for (index, resource) in resources.iter().enumerate() {
        let name = text(resource, "name");
        let weight = number(resource, "weight").filter(|weight| *weight != 0).unwrap_or(1);
        if !(1..=100).contains(&weight) {
            let detail = format!("resource weight of {name} not in valid range (0, 100]");
            errors.push(FieldError::invalid(&at.index(index).child("weight"), weight, detail));
        }
        // One that is named twice counts with both weights.
        match fit.resources.iter_mut().find(|(known, _)| known.as_str() == name) {
            Some((_, sum)) => *sum = sum.saturating_add(weight),
            None => fit.resources.push((ResourceName::new(name), weight)),
        }
    }
    let ratio = given(strategy, "requestedToCapacityRatio");
    let at = path.child("requestedToCapacityRatio");
    match (text(strategy, "type") == "RequestedToCapacityRatio", ratio) {
        (true, None) => {
            let detail = "must be specified when type is RequestedToCapacityRatio";
            errors.push(FieldError::required(&at, detail));
        }
        (true, Some(ratio)) => fit.shape = shape(list(ratio, "shape"), &at.child("shape"), errors),
        (false, Some(_)) => {
            let detail = "must be nil when type is not RequestedToCapacityRatio";
            errors.push(FieldError::forbidden(&at, detail));
        }
        (false, None) => {}
    }
}
