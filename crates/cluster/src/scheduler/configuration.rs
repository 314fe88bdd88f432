//! KubeSchedulerConfiguration: what a scheduler reads when it starts.
//!
//! Source: pkg/scheduler/apis/config/v1 (defaults.go, default_plugins.go), validation/validation.go,
//! framework/runtime/framework.go (v1.37).

use super::plugins::registry;
use super::profile::{Profile, ScoringStrategy};
use k8s_openapi::api::core::v1::NodeAffinity;
use podlab_api::selector::error::aggregate;
use podlab_api::selector::node::{NodeSelector, PreferredSchedulingTerms};
use podlab_api::validation::field::{FieldError, Path};
use serde_json::Value;

/// The version that is read.
pub const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";
/// The kind.
pub const KIND: &str = "KubeSchedulerConfiguration";

/// Sets of plugins of a profile, by extension point.
const POINTS: [&str; 17] = [
    "preEnqueue",
    "queueSort",
    "preFilter",
    "filter",
    "postFilter",
    "preScore",
    "score",
    "reserve",
    "permit",
    "preBind",
    "bind",
    "postBind",
    "multiPoint",
    "placementGenerate",
    "placementScore",
    "podGroupPostFilter",
    "podGroupPostBind",
];
/// Fields that are read, and which of those have an effect.
const TOP: [(&str, bool); 14] = [
    ("apiVersion", true),
    ("kind", true),
    ("profiles", true),
    ("percentageOfNodesToScore", true),
    ("parallelism", false),
    ("leaderElection", false),
    ("clientConnection", false),
    ("healthzBindAddress", false),
    ("metricsBindAddress", false),
    ("enableProfiling", false),
    ("enableContentionProfiling", false),
    ("podInitialBackoffSeconds", false),
    ("podMaxBackoffSeconds", false),
    ("extenders", false),
];

/// A configuration, read.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// One for each `schedulerName`.
    pub profiles: Vec<Profile>,
    /// Paths of fields that a real scheduler heeds and this one does not.
    pub not_simulated: Vec<String>,
}

/// Reads a configuration.
///
/// # Errors
/// Why a scheduler would not start with it, in its words.
pub fn read(value: &Value) -> Result<Configuration, String> {
    let mut reading = Reading::default();
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("kind") != KIND || text("apiVersion") != API_VERSION {
        return Err(format!(
            "no kind {:?} is registered for version {:?} in scheme \"k8s.io/kubernetes/pkg/scheduler/apis/config/scheme/scheme.go:30\"",
            text("kind"),
            text("apiVersion")
        ));
    }
    reading.fields(value, "", &TOP);
    reading.percentage(value, &Path::new("percentageOfNodesToScore"));
    let of_all = percentage(value).unwrap_or(0);
    let listed = value.get("profiles").and_then(Value::as_array);
    let mut profiles: Vec<Profile> = Vec::new();
    match listed.filter(|list| !list.is_empty()) {
        None => profiles.push(Profile::default()),
        Some(list) => {
            for (index, one) in list.iter().enumerate() {
                let profile = reading.profile(one, index, list.len() == 1, of_all);
                if let Some(first) = profiles.iter().position(|p| p.scheduler_name == profile.scheduler_name)
                {
                    let at = format!("profiles[{index}].schedulerName");
                    let path = Path::new(&at);
                    reading
                        .invalid
                        .push(FieldError::duplicate(&path, format!("profiles[{first}].schedulerName")));
                }
                profiles.push(profile);
            }
        }
    }
    if !reading.unknown.is_empty() {
        let fields: Vec<String> = reading.unknown.iter().map(|f| format!("unknown field {f:?}")).collect();
        return Err(format!("strict decoding error: {}", fields.join(", ")));
    }
    if !reading.invalid.is_empty() {
        return Err(aggregate(&reading.invalid));
    }
    match reading.refused.into_iter().next() {
        Some(refused) => Err(refused),
        None => Ok(Configuration { profiles, not_simulated: reading.not_simulated }),
    }
}

fn percentage(value: &Value) -> Option<i32> {
    value.get("percentageOfNodesToScore").and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok())
}

#[derive(Default)]
struct Reading {
    unknown: Vec<String>,
    invalid: Vec<FieldError>,
    /// What the framework refuses when it is made.
    refused: Vec<String>,
    not_simulated: Vec<String>,
}

impl Reading {
    /// Notes fields that there are not, and those without effect.
    fn fields(&mut self, value: &Value, at: &str, known: &[(&str, bool)]) {
        for key in value.as_object().into_iter().flat_map(|map| map.keys()) {
            let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            match known.iter().find(|(name, _)| name == key) {
                None => self.unknown.push(path),
                Some((_, false)) => self.not_simulated.push(path),
                Some((_, true)) => {}
            }
        }
    }

    fn percentage(&mut self, value: &Value, path: &Path) {
        if let Some(percentage) = value.get("percentageOfNodesToScore").and_then(Value::as_i64)
            && !(0..=100).contains(&percentage)
        {
            self.invalid.push(FieldError::invalid(path, percentage, "not in valid range [0-100]"));
        }
    }

    fn profile(&mut self, value: &Value, index: usize, only: bool, percentage_of_all: i32) -> Profile {
        let at = format!("profiles[{index}]");
        let path = Path::new(&at);
        let known = [
            ("schedulerName", true),
            ("percentageOfNodesToScore", true),
            ("plugins", true),
            ("pluginConfig", true),
        ];
        self.fields(value, &at, &known);
        self.percentage(value, &path.child("percentageOfNodesToScore"));
        let mut profile = Profile {
            percentage_of_nodes_to_score: percentage(value).unwrap_or(percentage_of_all),
            ..Profile::default()
        };
        match value.get("schedulerName").and_then(Value::as_str).filter(|name| !name.is_empty()) {
            Some(name) => name.clone_into(&mut profile.scheduler_name),
            // Of several, none is named by default.
            None if only => {}
            None => {
                profile.scheduler_name.clear();
                self.invalid.push(FieldError::required(&path.child("schedulerName"), ""));
            }
        }
        if let Some(plugins) = value.get("plugins") {
            self.plugins(plugins, &format!("{at}.plugins"), &mut profile);
        }
        let configs = value.get("pluginConfig").and_then(Value::as_array);
        let mut seen: Vec<&str> = Vec::new();
        for (number, config) in configs.into_iter().flatten().enumerate() {
            let at = format!("{at}.pluginConfig[{number}]");
            self.fields(config, &at, &[("name", true), ("args", true)]);
            let path = Path::new(&at);
            let name = config.get("name").and_then(Value::as_str).unwrap_or_default();
            if seen.contains(&name) {
                self.invalid.push(FieldError::duplicate(&path, name));
            }
            seen.push(name);
            if let Some(args) = config.get("args") {
                self.args(name, args, &path.child("args"), &mut profile);
            }
        }
        profile
    }

    /// Which plugins take part, and what their scores count. Those of a point are those of `multiPoint` with the point's
    /// own changes.
    fn plugins(&mut self, value: &Value, at: &str, profile: &mut Profile) {
        let known: Vec<(&str, bool)> =
            POINTS.iter().map(|name| (*name, matches!(*name, "multiPoint" | "filter" | "score"))).collect();
        self.fields(value, at, &known);
        for point in ["multiPoint", "filter", "score"] {
            let Some(set) = value.get(point) else { continue };
            let at = format!("{at}.{point}");
            self.fields(set, &at, &[("enabled", true), ("disabled", true)]);
            let (filters, scores) = (point != "score", point != "filter");
            for one in set.get("disabled").and_then(Value::as_array).into_iter().flatten() {
                let name = one.get("name").and_then(Value::as_str).unwrap_or_default();
                for plugin in registry::ALL.iter().filter(|p| name == "*" || p.id().name() == name) {
                    if filters {
                        profile.disabled_filters.insert(plugin.id());
                    }
                    if scores {
                        profile.disabled_scores.insert(plugin.id());
                    }
                    if name != "*" && !plugin.points().iter().any(|p| matches!(*p, "Filter" | "Score")) {
                        self.not_simulated.push(format!("{at}.disabled: {name}"));
                    }
                }
            }
            for one in set.get("enabled").and_then(Value::as_array).into_iter().flatten() {
                let name = one.get("name").and_then(Value::as_str).unwrap_or_default();
                let Some(plugin) = registry::ALL.iter().find(|p| p.id().name() == name) else {
                    let kind = match point {
                        "filter" => "FilterPlugin",
                        "score" => "ScorePlugin",
                        // The first point to which the plugins of all points are given.
                        _ => "PreFilterPlugin",
                    };
                    self.refused.push(format!("initializing profiles: creating profile for scheduler name {}: {kind} {name:?} does not exist", profile.scheduler_name));
                    continue;
                };
                let point_of = match point {
                    "filter" => Some(("Filter", "FilterPlugin")),
                    "score" => Some(("Score", "ScorePlugin")),
                    _ => None,
                };
                if let Some((_, kind)) = point_of.filter(|(point, _)| !plugin.points().contains(point)) {
                    self.refused.push(format!(
                        "initializing profiles: creating profile for scheduler name {}: plugin {name:?} does not extend {kind} plugin",
                        profile.scheduler_name
                    ));
                    continue;
                }
                if filters {
                    profile.disabled_filters.remove(plugin.id());
                }
                if scores {
                    profile.disabled_scores.remove(plugin.id());
                    let weight =
                        one.get("weight").and_then(Value::as_i64).filter(|weight| *weight != 0).unwrap_or(1);
                    if i32::try_from(weight).is_err() {
                        self.refused.push(format!(
                            "json: cannot unmarshal number {weight} into Go struct field Plugin.profiles.plugins.{point}.enabled.weight of type int32"
                        ));
                    }
                    profile.weights.retain(|(id, _)| *id != plugin.id());
                    profile.weights.push((plugin.id(), weight));
                }
            }
        }
    }

    fn args(&mut self, name: &str, args: &Value, path: &Path, profile: &mut Profile) {
        let at = path.to_string();
        let own = |own: &[(&'static str, bool)]| -> Vec<(&'static str, bool)> {
            [("apiVersion", true), ("kind", true)].into_iter().chain(own.iter().copied()).collect()
        };
        match name {
            "NodeResourcesFit" => {
                let known = own(&[
                    ("scoringStrategy", true),
                    ("ignoredResources", false),
                    ("ignoredResourceGroups", false),
                ]);
                self.fields(args, &at, &known);
                if let Some(strategy) = args.get("scoringStrategy") {
                    self.scoring_strategy(strategy, &path.child("scoringStrategy"), profile);
                }
            }
            "NodeAffinity" => {
                self.fields(args, &at, &own(&[("addedAffinity", true)]));
                self.added_affinity(args, &path.child("addedAffinity"), profile);
            }
            "InterPodAffinity" => {
                let known =
                    own(&[("hardPodAffinityWeight", true), ("ignorePreferredTermsOfExistingPods", false)]);
                self.fields(args, &at, &known);
                if let Some(weight) = args.get("hardPodAffinityWeight").and_then(Value::as_i64) {
                    if !(0..=100).contains(&weight) {
                        let path = path.child("hardPodAffinityWeight");
                        self.invalid.push(FieldError::invalid(&path, weight, "not in valid range [0, 100]"));
                    }
                    profile.hard_pod_affinity_weight = weight;
                }
            }
            _ => self.not_simulated.push(at),
        }
    }

    fn scoring_strategy(&mut self, value: &Value, path: &Path, profile: &mut Profile) {
        const TYPES: [&str; 3] = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];
        let at = path.to_string();
        self.fields(value, &at, &[("type", true), ("resources", true), ("requestedToCapacityRatio", false)]);
        match value.get("type").and_then(Value::as_str).unwrap_or("LeastAllocated") {
            "LeastAllocated" => profile.scoring = ScoringStrategy::LeastAllocated,
            "MostAllocated" => profile.scoring = ScoringStrategy::MostAllocated,
            "RequestedToCapacityRatio" => {
                self.not_simulated.push(format!("{at}.type: RequestedToCapacityRatio"))
            }
            other => self.invalid.push(FieldError::not_supported(&path.child("type"), other, &TYPES)),
        }
        let Some(resources) = value.get("resources").and_then(Value::as_array) else { return };
        profile.scoring_weights = [0, 0];
        for (index, resource) in resources.iter().enumerate() {
            let resources = path.child("resources");
            let path = resources.index(index);
            let name = resource.get("name").and_then(Value::as_str).unwrap_or_default();
            let weight =
                resource.get("weight").and_then(Value::as_i64).filter(|weight| *weight != 0).unwrap_or(1);
            if !(1..=100).contains(&weight) {
                let detail = format!("resource weight of {name} not in valid range (0, 100]");
                self.invalid.push(FieldError::invalid(&path.child("weight"), weight, detail));
            }
            match name {
                "cpu" => profile.scoring_weights[0] = weight,
                "memory" => profile.scoring_weights[1] = weight,
                _ => self.not_simulated.push(path.to_string()),
            }
        }
    }

    fn added_affinity(&mut self, args: &Value, path: &Path, profile: &mut Profile) {
        let Some(added) = args.get("addedAffinity") else { return };
        let affinity: NodeAffinity = match serde_json::from_value(added.clone()) {
            Ok(affinity) => affinity,
            Err(error) => {
                self.invalid.push(FieldError::invalid(path, added.clone(), error.to_string()));
                return;
            }
        };
        if let Some(required) = &affinity.required_during_scheduling_ignored_during_execution {
            let selector = NodeSelector::parse(required);
            let errors = selector.errors();
            if !errors.is_empty() {
                let path = path.child("requiredDuringSchedulingIgnoredDuringExecution");
                self.refused.push(format!("{path}: {}", aggregate(&errors)));
            }
            profile.added_node_selector = Some(selector);
        }
        if let Some(preferred) = &affinity.preferred_during_scheduling_ignored_during_execution {
            match PreferredSchedulingTerms::parse(preferred) {
                Ok(terms) => profile.added_preferred = Some(terms),
                Err(errors) => {
                    let path = path.child("preferredDuringSchedulingIgnoredDuringExecution");
                    self.refused.push(format!("{path}: {}", aggregate(&errors)));
                }
            }
        }
    }
}
