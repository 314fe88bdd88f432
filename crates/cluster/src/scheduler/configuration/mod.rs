//! KubeSchedulerConfiguration: what a scheduler reads when it starts.
//!
//! It is read as the real program does: decoded strictly, defaulted, validated, and made into profiles, and what is wrong
//! is told with the text of the step at which that program would end.
//!
//! Source: cmd/kube-scheduler/app/options/configfile.go, pkg/scheduler/apis/config/validation/validation.go,
//! k8s.io/kube-scheduler/config/v1/types.go `DecodeNestedObjects` (v1.37).

mod args;
mod checks;
mod decode;
mod points;
mod structs;

use super::profile::Profile;
use podlab_api::selector::error::aggregate;
use podlab_api::validation::field::{BadValue, FieldError, Path};
use points::Merged;
use serde_json::Value;
use std::time::Duration;

/// The version that is read.
pub const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";
/// The kind.
pub const KIND: &str = "KubeSchedulerConfiguration";

const SCHEME: &str = "k8s.io/kubernetes/pkg/scheduler/apis/config/scheme/scheme.go:30";
/// What only the version and the kind of an object are read into.
const TYPE_META: &str = "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }";

/// A configuration, read.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// One for each `schedulerName`.
    pub profiles: Vec<Profile>,
    /// How long a pod backs off after the first attempt.
    pub pod_initial_backoff: Duration,
    /// How long it backs off at most.
    pub pod_max_backoff: Duration,
    /// Paths of fields that a real scheduler heeds and this one does not.
    pub not_simulated: Vec<String>,
}

/// Reads a configuration that stands in a file: `text` is all of it, and `double` tells of the keys that it has twice.
///
/// # Errors
/// Why a scheduler would not start with it, in its words.
pub fn read_file(value: &Value, text: &str, double: &[&str]) -> Result<Configuration, String> {
    let strict = (!double.is_empty()).then(|| format!("yaml: unmarshal errors:\n  {}", double.join("\n  ")));
    read_with(value, text, strict)
}

/// Reads a configuration.
///
/// # Errors
/// Why a scheduler would not start with it, in its words.
pub fn read(value: &Value) -> Result<Configuration, String> {
    read_with(value, &value.to_string(), None)
}

fn read_with(value: &Value, body: &str, strict: Option<String>) -> Result<Configuration, String> {
    let (version, kind) = type_meta(value)?;
    if kind.is_empty() {
        return Err(format!("Object 'Kind' is missing in '{body}'"));
    }
    if version.is_empty() {
        return Err(format!("Object 'apiVersion' is missing in '{body}'"));
    }
    if version == API_VERSION
        && kind.strip_suffix("Args").is_some_and(|name| structs::args_of(name).is_some())
    {
        return Err(format!("couldn't decode as KubeSchedulerConfiguration, got {version}, Kind={kind}: "));
    }
    if kind != KIND || version != API_VERSION {
        return Err(no_kind(kind, version));
    }
    let decoded = decode::decode(value, &structs::CONFIGURATION)?;
    let mut strict: Vec<String> = strict.into_iter().collect();
    strict.extend(decoded.unknown.iter().map(|field| format!("unknown field {field:?}")));
    let mut not_simulated = decoded.not_simulated;
    let profiles = listed(value, "profiles");
    for (profile, value) in profiles.iter().enumerate() {
        for (config, value) in listed(value, "pluginConfig").iter().enumerate() {
            let place = format!("profiles[{profile}].pluginConfig[{config}]");
            match decode_args(value) {
                Err(text) => return Err(format!("decoding .{place}: {text}")),
                Ok(args) => {
                    if let Some(text) = args.strict {
                        strict.push(format!("decoding .{place}: {text}"));
                    }
                    not_simulated
                        .extend(args.not_simulated.iter().map(|field| format!("{place}.args.{field}")));
                }
            }
        }
    }
    if !strict.is_empty() {
        return Err(format!("strict decoding error: {}", strict.join(", ")));
    }
    made(value, profiles, not_simulated)
}

/// Validates what was decoded, and makes the profiles.
fn made(value: &Value, profiles: &[Value], mut not_simulated: Vec<String>) -> Result<Configuration, String> {
    let mut errors = Vec::new();
    checks::client_connection(value, &mut errors);
    checks::leader_election(value, &mut errors);
    checks::parallelism(value, &mut errors);
    let of_all = number(value, "percentageOfNodesToScore");
    let empty = [Value::Null];
    let list = if profiles.is_empty() { &empty[..] } else { profiles };
    let mut made: Vec<(Profile, Merged)> = Vec::with_capacity(list.len());
    for (index, value) in list.iter().enumerate() {
        let one = profile(value, index, list.len() == 1, of_all.unwrap_or(0), &mut errors);
        // The place of the first with the name is an object without fields in Go's JSON.
        if made.iter().any(|(profile, _)| profile.scheduler_name == one.0.scheduler_name) {
            let at = format!("profiles[{index}].schedulerName");
            errors.push(FieldError::duplicate(&Path::new(&at), BadValue::Json("{}".to_owned())));
        }
        made.push(one);
    }
    queue_sort(&made, &mut errors);
    percentage(of_all, &Path::new("percentageOfNodesToScore"), &mut errors);
    let (initial, max) = checks::backoff(value, &mut errors);
    checks::extenders(value, &mut errors);
    if !errors.is_empty() {
        return Err(aggregate(&errors));
    }
    for (index, (profile, merged)) in made.iter_mut().enumerate() {
        let value = list.get(index).unwrap_or(&Value::Null);
        let told = start(value, profile, merged).map_err(|text| {
            format!(
                "initializing profiles: creating profile for scheduler name {}: {text}",
                profile.scheduler_name
            )
        })?;
        not_simulated.extend(told.into_iter().map(|field| format!("profiles[{index}].{field}")));
    }
    checks::leader_elector(value)?;
    Ok(Configuration {
        profiles: made.into_iter().map(|(profile, _)| profile).collect(),
        pod_initial_backoff: initial,
        pod_max_backoff: max,
        not_simulated,
    })
}

fn listed<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn number(value: &Value, key: &str) -> Option<i64> {
    value.get(key).and_then(Value::as_i64)
}

fn no_kind(kind: &str, version: &str) -> String {
    format!("no kind {kind:?} is registered for version {version:?} in scheme {SCHEME:?}")
}

/// Version and kind of an object, empty where it does not say.
fn type_meta(value: &Value) -> Result<(&str, &str), String> {
    let wrong = |what: &str, wanted: &str| {
        format!("couldn't get version/kind; json parse error: json: cannot unmarshal {what} into Go {wanted}")
    };
    let of = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let Some(map) = value.as_object() else {
        return if value.is_null() {
            Ok(("", ""))
        } else {
            Err(wrong(of(value), &format!("value of type {TYPE_META}")))
        };
    };
    let text = |key: &str| match map.get(key) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(other) => Err(wrong(of(other), &format!("struct field .{key} of type string"))),
    };
    Ok((text("apiVersion")?, text("kind")?))
}

#[derive(Default)]
struct Args {
    /// What is unknown in them.
    strict: Option<String>,
    not_simulated: Vec<String>,
}

/// Reads the arguments of a plugin by their struct; those of plugins that there are not in the real program are passed
/// over.
fn decode_args(config: &Value) -> Result<Args, String> {
    let name = config.get("name").and_then(Value::as_str).unwrap_or_default();
    let args = config.get("args").filter(|args| !args.is_null());
    let Some((args, by)) = args.zip(structs::args_of(name)) else { return Ok(Args::default()) };
    let decoding = |text: String| format!("decoding args for plugin {name}: {text}");
    let (version, kind) = type_meta(args).map_err(decoding)?;
    let wanted = format!("{name}Args");
    let version = if version.is_empty() { API_VERSION } else { version };
    let kind = if kind.is_empty() { wanted.as_str() } else { kind };
    let known =
        kind == KIND || kind.strip_suffix("Args").is_some_and(|name| structs::args_of(name).is_some());
    if version != API_VERSION || !known {
        return Err(decoding(no_kind(kind, version)));
    }
    if kind != wanted {
        let group = "kubescheduler.config.k8s.io";
        return Err(format!("args for plugin {name} were not of type {wanted}.{group}, got {kind}.{group}"));
    }
    let decoded = decode::decode(args, by).map_err(decoding)?;
    let unknown: Vec<String> =
        decoded.unknown.iter().map(|field| format!("unknown field {field:?}")).collect();
    let strict = (!unknown.is_empty()).then(|| {
        format!(
            "strict decoding error: {}",
            decoding(format!("strict decoding error: {}", unknown.join(", ")))
        )
    });
    Ok(Args { strict, not_simulated: decoded.not_simulated })
}

fn percentage(percentage: Option<i64>, path: &Path<'_>, errors: &mut Vec<FieldError>) {
    if let Some(percentage) = percentage.filter(|percentage| !(0..=100).contains(percentage)) {
        errors.push(FieldError::invalid(path, percentage, "not in valid range [0-100]"));
    }
}

/// Reads one profile but for its plugins.
fn profile(
    value: &Value,
    index: usize,
    only: bool,
    percentage_of_all: i64,
    errors: &mut Vec<FieldError>,
) -> (Profile, Merged) {
    let at = format!("profiles[{index}]");
    let path = Path::new(&at);
    let mut profile = Profile::default();
    match value.get("schedulerName").and_then(Value::as_str) {
        Some(name) => name.clone_into(&mut profile.scheduler_name),
        // Of several, none is named by default.
        None if only => {}
        None => profile.scheduler_name.clear(),
    }
    if profile.scheduler_name.is_empty() {
        errors.push(FieldError::required(&path.child("schedulerName"), ""));
    }
    let own = number(value, "percentageOfNodesToScore");
    percentage(own, &path.child("percentageOfNodesToScore"), errors);
    profile.percentage_of_nodes_to_score = i32::try_from(own.unwrap_or(percentage_of_all)).unwrap_or(0);
    let merged = Merged::new(value.get("plugins").unwrap_or(&Value::Null));
    let plugins = path.child("plugins");
    for (place, name, text) in merged.removed() {
        errors.push(FieldError::invalid(&plugins.child(&place), name, text));
    }
    let mut seen: Vec<&str> = Vec::new();
    let configs = path.child("pluginConfig");
    for (index, config) in listed(value, "pluginConfig").iter().enumerate() {
        let path = configs.index(index);
        let name = config.get("name").and_then(Value::as_str).unwrap_or_default();
        if seen.contains(&name) {
            errors.push(FieldError::duplicate(&path, name));
        } else {
            seen.push(name);
        }
        let args = config.get("args").unwrap_or(&Value::Null);
        match points::removed(name) {
            Some(text) => errors.push(FieldError::invalid(&path, name, text)),
            None => errors.extend(args::apply(name, args, &path.child("args"), &mut profile)),
        }
    }
    (profile, merged)
}

/// There is one queue for all profiles.
///
/// Source: validation.go `validateCommonQueueSort` (v1.37); no plugin that orders a queue has arguments.
fn queue_sort(profiles: &[(Profile, Merged)], errors: &mut Vec<FieldError>) {
    let Some((_, canon)) = profiles.first() else { return };
    for (index, (_, merged)) in profiles.iter().enumerate() {
        let (enabled, differs) = merged.queue_sort(canon);
        if index == 0 && enabled > 1 {
            let path = Path::new("profiles[0].plugins.queueSort.Enabled");
            let count = i64::try_from(enabled).unwrap_or(i64::MAX);
            errors.push(FieldError::invalid(&path, count, "only one queue sort plugin can be enabled"));
        }
        if let Some(set) = differs {
            let at = format!("profiles[{index}].plugins.queueSort");
            let detail = "must be the same for all profiles";
            errors.push(FieldError::invalid(&Path::new(&at), BadValue::Json(set), detail));
        }
    }
}

/// Makes the plugins of a profile; says what of it has no effect here.
fn start(value: &Value, profile: &mut Profile, merged: &Merged) -> Result<Vec<String>, String> {
    let fit = listed(value, "pluginConfig")
        .iter()
        .find(|config| config.get("name").and_then(Value::as_str) == Some("NodeResourcesFit"))
        .and_then(|config| config.get("args"));
    if let Some(args) = fit.filter(|_| merged.needs("NodeResourcesFit")) {
        let errors = args::node_resources_fit(args, profile);
        if !errors.is_empty() {
            return Err(format!("initializing plugin \"NodeResourcesFit\": {}", aggregate(&errors)));
        }
    }
    merged.apply(profile)
}
