//! Which plugins run at which extension point.
//!
//! Source: pkg/scheduler/apis/config/v1/default_plugins.go `mergePluginSet`, pkg/scheduler/framework/runtime/framework.go
//! `NewFramework`, `updatePluginList`, `expandMultiPointPlugins`, `getValidScoreWeights` (v1.37).

use crate::scheduler::framework::PluginId;
use crate::scheduler::plugins::registry;
use crate::scheduler::profile::Profile;
use serde_json::Value;

/// An extension point: its field, and its name without `Plugin`; in the order in which they are set up.
const POINTS: [(&str, &str); 15] = [
    ("preFilter", "PreFilter"),
    ("filter", "Filter"),
    ("postFilter", "PostFilter"),
    ("reserve", "Reserve"),
    ("preScore", "PreScore"),
    ("score", "Score"),
    ("preBind", "PreBind"),
    ("bind", "Bind"),
    ("postBind", "PostBind"),
    ("permit", "Permit"),
    ("preEnqueue", "PreEnqueue"),
    ("queueSort", "QueueSort"),
    ("placementGenerate", "PlacementGenerate"),
    ("placementScore", "PlacementScore"),
    ("podGroupPostFilter", "PodGroupPostFilter"),
];

/// Plugins of the real registry that are not simulated, with their extension points.
const OTHERS: [(&str, &[&str]); 5] = [
    // All kubelets here are of one version, so that it rules no node out.
    ("NodeDeclaredFeatures", &["PreFilter", "Filter"]),
    ("DeferredPodScheduling", &["PreFilter", "Filter", "Permit"]),
    ("GangScheduling", &["PreEnqueue", "Permit"]),
    ("TopologyPlacementGenerator", &["PlacementGenerate"]),
    ("PodGroupPodsCount", &["PlacementScore"]),
];

/// A plugin that is on by default and makes no difference here.
const WITHOUT_EFFECT: &str = "NodeDeclaredFeatures";

/// Plugins that there were once.
const REMOVED: [&str; 4] = ["AzureDiskLimits", "CinderLimits", "EBSLimits", "GCEPDLimits"];

/// Whether a plugin was taken away before this version, in the words of validation.
pub(super) fn removed(name: &str) -> Option<String> {
    REMOVED.contains(&name).then(|| {
        format!(
            "was invalid in version \"v1\" (KubeSchedulerConfiguration is version {:?})",
            super::API_VERSION
        )
    })
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Set {
    enabled: Vec<(String, i64)>,
    disabled: Vec<String>,
}

impl Set {
    fn read(plugins: &Value, point: &str) -> Set {
        let set = plugins.get(point).unwrap_or(&Value::Null);
        let list = |key: &str| set.get(key).and_then(Value::as_array).into_iter().flatten();
        let name = |one: &Value| one.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        Set {
            enabled: list("enabled")
                .map(|one| (name(one), one.get("weight").and_then(Value::as_i64).unwrap_or(0)))
                .collect(),
            disabled: list("disabled").map(name).collect(),
        }
    }

    fn disables(&self, name: &str) -> bool {
        self.disabled.iter().any(|disabled| disabled == name)
    }

    /// The default set with another's changes.
    fn merged(self, custom: &Set) -> Set {
        let mut disabled = custom.disabled.clone();
        disabled.extend(self.disabled);
        let mut set = Set { enabled: Vec::new(), disabled };
        let mut replaced = Vec::new();
        if !set.disables("*") {
            for (name, weight) in self.enabled {
                if set.disables(&name) {
                    continue;
                }
                // Of several with the name, the last counts here and the others are doubles.
                match custom.enabled.iter().rposition(|(other, _)| *other == name) {
                    Some(index) => {
                        replaced.push(index);
                        set.enabled.push(custom.enabled[index].clone());
                    }
                    None => set.enabled.push((name, weight)),
                }
            }
        }
        let others = custom.enabled.iter().enumerate().filter(|(index, _)| !replaced.contains(index));
        set.enabled.extend(others.map(|(_, plugin)| plugin.clone()));
        set
    }

    /// As Go prints it in an error.
    fn go_json(&self) -> String {
        let list = |plugins: Vec<(&str, i64)>| {
            let one = |(name, weight): &(&str, i64)| {
                format!("{{\"Name\":{},\"Weight\":{weight}}}", Value::from(*name))
            };
            match plugins.as_slice() {
                [] => "null".to_owned(),
                plugins => format!("[{}]", plugins.iter().map(one).collect::<Vec<_>>().join(",")),
            }
        };
        let enabled = self.enabled.iter().map(|(name, weight)| (name.as_str(), *weight)).collect();
        let disabled = self.disabled.iter().map(|name| (name.as_str(), 0)).collect();
        format!("{{\"Enabled\":{},\"Disabled\":{}}}", list(enabled), list(disabled))
    }
}

fn default_multi_point() -> Set {
    let defaults = Profile::default();
    let weight =
        |id| defaults.weights.iter().find(|(other, _)| *other == id).map_or(0, |(_, weight)| *weight);
    let mut enabled: Vec<(String, i64)> =
        registry::ALL.iter().map(|plugin| (plugin.id().name().to_owned(), weight(plugin.id()))).collect();
    enabled.push((WITHOUT_EFFECT.to_owned(), 0));
    Set { enabled, disabled: Vec::new() }
}

/// The points that a plugin fulfils; `None` for one that there is not.
fn points_of(name: &str) -> Option<&'static [&'static str]> {
    let ours = registry::ALL.iter().find(|plugin| plugin.id().name() == name).map(|plugin| plugin.points());
    ours.or_else(|| OTHERS.iter().find(|(other, _)| *other == name).map(|(_, points)| *points))
}

/// What a profile's `plugins` come to.
#[derive(Debug)]
pub(super) struct Merged {
    multi_point: Set,
    /// As [`POINTS`].
    sets: Vec<Set>,
}

impl Merged {
    /// The defaults with a profile's changes.
    pub(super) fn new(plugins: &Value) -> Merged {
        let merged = |default: Set, point: &str| default.merged(&Set::read(plugins, point));
        Merged {
            multi_point: merged(default_multi_point(), "multiPoint"),
            sets: POINTS.iter().map(|(field, _)| merged(Set::default(), field)).collect(),
        }
    }

    fn set(&self, field: &str) -> Option<&Set> {
        POINTS.iter().position(|(name, _)| *name == field).and_then(|index| self.sets.get(index))
    }

    /// How many plugins the point that orders the queue names, and whether another profile says the same of it.
    pub(super) fn queue_sort(&self, canon: &Merged) -> (usize, Option<String>) {
        let (own, canon) = (self.set("queueSort"), canon.set("queueSort"));
        let differs = own != canon;
        let text = own.map(Set::go_json).unwrap_or_default();
        (own.map_or(0, |set| set.enabled.len()), differs.then_some(text))
    }

    /// Plugins that there were once, by their place: `score.enabled[0]`.
    pub(super) fn removed(&self) -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        let mut points: Vec<(&str, &Set)> = POINTS.iter().map(|(field, _)| *field).zip(&self.sets).collect();
        // A Go map, which has no order; here it is that of the names.
        points.sort_unstable_by_key(|(field, _)| *field);
        for (field, set) in points {
            if field.starts_with("placement") {
                continue;
            }
            for (index, (name, _)) in set.enabled.iter().enumerate() {
                if let Some(text) = removed(name) {
                    found.push((format!("{field}.enabled[{index}]"), name.clone(), text));
                }
            }
        }
        found
    }

    /// Whether any point runs a plugin.
    pub(super) fn needs(&self, plugin: &str) -> bool {
        self.sets
            .iter()
            .chain([&self.multi_point])
            .any(|set| set.enabled.iter().any(|(name, _)| name == plugin))
    }

    /// Fills a profile in; says what of it has no effect here.
    ///
    /// # Errors
    /// Why a scheduler would not start with it, without the name of the profile.
    pub(super) fn apply(&self, profile: &mut Profile) -> Result<Vec<String>, String> {
        let mut lists: Vec<Vec<&str>> = Vec::with_capacity(POINTS.len());
        for ((_, point), set) in POINTS.iter().zip(&self.sets) {
            let mut list: Vec<&str> = Vec::new();
            for (name, _) in &set.enabled {
                let Some(points) = points_of(name) else {
                    return Err(format!("{point}Plugin {name:?} does not exist"));
                };
                if !points.contains(point) {
                    return Err(format!("plugin {name:?} does not extend {point}Plugin plugin"));
                }
                if list.contains(&name.as_str()) {
                    return Err(format!("plugin {name:?} already registered as \"{point}Plugin\""));
                }
                list.push(name);
            }
            lists.push(list);
        }
        for (((_, point), set), list) in POINTS.iter().zip(&self.sets).zip(&mut lists) {
            if !set.disables("*") {
                *list = self.expanded(point, set, list)?;
            }
        }
        let at = |field: &str| {
            let index = POINTS.iter().position(|(name, _)| *name == field);
            index.and_then(|index| lists.get(index)).map(Vec::as_slice).unwrap_or_default()
        };
        let name = &profile.scheduler_name;
        if at("queueSort").len() != 1 {
            return Err(format!(
                "only one queue sort plugin required for profile with scheduler name {name:?}, but got {}",
                at("queueSort").len()
            ));
        }
        if at("bind").is_empty() {
            return Err(format!(
                "at least one bind plugin is needed for profile with scheduler name {name:?}"
            ));
        }
        if at("placementGenerate").len() > 1 {
            return Err(format!(
                "at most one placement generate plugin is allowed for profile with scheduler name {name:?}"
            ));
        }
        let weights = self
            .weights("Score", "score")
            .ok_or("score plugins: total score of Score plugins could overflow")?;
        self.weights("PlacementScore", "placementScore")
            .ok_or("placement score plugins: total score of Score plugins could overflow")?;
        let ids = |field: &str| -> Vec<PluginId> {
            let found = |name: &&str| registry::ALL.iter().find(|plugin| plugin.id().name() == *name);
            at(field).iter().filter_map(found).map(|plugin| plugin.id()).collect()
        };
        profile.plugins.pre_enqueue = ids("preEnqueue");
        profile.plugins.pre_filter = ids("preFilter");
        profile.plugins.filter = ids("filter");
        profile.plugins.post_filter = ids("postFilter");
        profile.plugins.pre_score = ids("preScore");
        profile.plugins.score = ids("score");
        profile.weights = weights;
        Ok(self.without_effect(&lists))
    }

    /// The plugins of a point: those of all points with the point's own changes.
    fn expanded<'a>(&'a self, point: &str, set: &Set, own: &[&'a str]) -> Result<Vec<&'a str>, String> {
        let mut of_all: Vec<&str> = Vec::new();
        let mut overridden: Vec<&str> = Vec::new();
        for (name, _) in &self.multi_point.enabled {
            let Some(points) = points_of(name) else {
                return Err(format!("{point}Plugin {name:?} does not exist"));
            };
            if !points.contains(&point) || set.disables(name) {
                continue;
            }
            if own.contains(&name.as_str()) {
                overridden.push(name);
            } else if of_all.contains(&name.as_str()) {
                return Err(format!("plugin {name:?} already registered as \"{point}Plugin\""));
            } else {
                of_all.push(name);
            }
        }
        let (before, after): (Vec<&str>, Vec<&str>) = own.iter().partition(|name| overridden.contains(name));
        Ok([before, of_all, after].concat())
    }

    /// What the scores of a point count; `None` where their sum could overflow.
    fn weights(&self, point: &str, field: &str) -> Option<Vec<(PluginId, i64)>> {
        const MAX_SCORE: i64 = 100;
        let mut weights: Vec<(&str, i64)> = Vec::new();
        let mut total: i64 = 0;
        let own = self.set(field).into_iter().flat_map(|set| &set.enabled);
        for (name, weight) in own.chain(&self.multi_point.enabled) {
            let extends = points_of(name).is_some_and(|points| points.contains(&point));
            if !extends || weights.iter().any(|(known, _)| known == name) {
                continue;
            }
            let weight = if *weight == 0 { 1 } else { *weight };
            if weight * MAX_SCORE > i64::MAX.wrapping_sub(total) {
                return None;
            }
            total = total.wrapping_add(weight * MAX_SCORE);
            weights.push((name, weight));
        }
        let id = |(name, weight): (&str, i64)| {
            let plugin = registry::ALL.iter().find(|plugin| plugin.id().name() == name)?;
            Some((plugin.id(), weight))
        };
        Some(weights.into_iter().filter_map(id).collect())
    }

    /// Changes by which a real scheduler would do something else and this one does not.
    fn without_effect(&self, lists: &[Vec<&str>]) -> Vec<String> {
        let mut told = Vec::new();
        for ((field, point), list) in POINTS.iter().zip(lists) {
            for (name, points) in OTHERS.iter().filter(|(name, _)| *name != WITHOUT_EFFECT) {
                if points.contains(point) && list.contains(name) {
                    told.push(format!("plugins.{field}.enabled: {name}"));
                }
            }
            // Volumes are bound while the plugin runs at all.
            if matches!(*field, "reserve" | "preBind")
                && !list.contains(&"VolumeBinding")
                && self.needs("VolumeBinding")
            {
                told.push(format!("plugins.{field}.disabled: VolumeBinding"));
            }
        }
        told
    }
}
