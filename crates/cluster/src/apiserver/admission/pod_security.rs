//! PodSecurity: what pods of a namespace may ask for, by the namespace's labels.
//!
//! Source: k8s.io/pod-security-admission/admission/admission.go, api/helpers.go (v1.37).

mod checks;

use crate::apiserver::ApiServer;
use checks::Finding;
use podlab_api::{Body, Object, Status, StatusCause, kinds};
use serde_json::Value;
use std::collections::BTreeMap;

/// So many pods of a namespace are looked at when its level changes.
const PODS_TO_CHECK: usize = 3000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Privileged,
    Baseline,
    Restricted,
}

/// A level in the form of a release; `None` is the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LevelVersion {
    level: Level,
    minor: Option<u32>,
}

impl std::fmt::Display for LevelVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        };
        match self.minor {
            Some(minor) => write!(f, "{level}:v1.{minor}"),
            None => write!(f, "{level}:latest"),
        }
    }
}

/// What a namespace's labels ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Policy {
    enforce: LevelVersion,
    warn: LevelVersion,
}

fn parse_level(text: &str) -> Option<Level> {
    Some(match text {
        "privileged" => Level::Privileged,
        "baseline" => Level::Baseline,
        "restricted" => Level::Restricted,
        _ => return None,
    })
}

fn parse_version(text: &str) -> Option<Option<u32>> {
    if text == "latest" {
        return Some(None);
    }
    let digits = text.strip_prefix("v1.")?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    (plain && !digits.is_empty()).then(|| digits.parse().ok().map(Some)).flatten()
}

/// The policy, and what is wrong with the labels. A wrong level to enforce is the strictest, a wrong one of the others
/// none at all.
fn policy(labels: Option<&BTreeMap<String, String>>) -> (Policy, Vec<StatusCause>) {
    const LATEST: LevelVersion = LevelVersion { level: Level::Privileged, minor: None };
    let mut policy = Policy { enforce: LATEST, warn: LATEST };
    let mut causes = Vec::new();
    let mut read = |mode: &str, to: &mut LevelVersion, otherwise: Level| -> (bool, bool) {
        let label = format!("pod-security.kubernetes.io/{mode}");
        let mut wrong = |label: &str, value: &str, why: &str| {
            causes.push(StatusCause {
                reason: "FieldValueInvalid".to_owned(),
                message: format!("Invalid value: {value:?}: {why}"),
                field: format!("metadata.labels[{label}]"),
            });
        };
        let level = labels.and_then(|labels| labels.get(&label));
        if let Some(level) = level {
            to.level = parse_level(level).unwrap_or_else(|| {
                wrong(&label, level, "must be one of privileged, baseline, restricted");
                otherwise
            });
        }
        let label = format!("{label}-version");
        let version = labels.and_then(|labels| labels.get(&label));
        if let Some(version) = version {
            to.minor = parse_version(version).unwrap_or_else(|| {
                wrong(&label, version, "must be \"latest\" or \"v1.x\"");
                None
            });
        }
        (level.is_some_and(|level| parse_level(level).is_some()), version.is_some())
    };
    let (enforced, _) = read("enforce", &mut policy.enforce, Level::Restricted);
    // Nobody reads an audit log here; its labels are checked all the same.
    read("audit", &mut { LATEST }, Level::Privileged);
    let (_, versioned) = read("warn", &mut policy.warn, Level::Privileged);
    let said = labels.is_some_and(|labels| labels.contains_key("pod-security.kubernetes.io/warn"));
    if !said && enforced && policy.enforce.level > policy.warn.level {
        policy.warn.level = policy.enforce.level;
        if !versioned {
            policy.warn.minor = policy.enforce.minor;
        }
    }
    (policy, causes)
}

fn has_labels(object: &Object) -> bool {
    let labels = object.metadata.labels.iter().flatten();
    labels.into_iter().any(|(key, _)| key.starts_with("pod-security.kubernetes.io/"))
}

/// `reason (detail), reason (detail)`.
fn details(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings
        .iter()
        .map(
            |(reason, detail)| {
                if detail.is_empty() { reason.clone() } else { format!("{reason} ({detail})") }
            },
        )
        .collect();
    texts.join(", ")
}

fn evaluate(at: LevelVersion, annotations: &Value, spec: &Value) -> Vec<Finding> {
    match at.level {
        Level::Privileged => Vec::new(),
        level => checks::run(level == Level::Restricted, at.minor.unwrap_or(u32::MAX), annotations, spec),
    }
}

/// The pod, or the template of pods, that an object holds: annotations and spec.
fn pod_of(object: &Object) -> Option<(Value, Value)> {
    let value = object.to_value();
    let path = match object.kind.kind {
        "Pod" => "",
        "CronJob" => "/spec/jobTemplate/spec/template",
        "PodTemplate" => "/template",
        "ReplicationController" | "ReplicaSet" | "Deployment" | "DaemonSet" | "StatefulSet" | "Job" => {
            "/spec/template"
        }
        _ => return None,
    };
    let pod = value.pointer(path)?;
    let annotations = pod.pointer("/metadata/annotations").cloned().unwrap_or_default();
    Some((annotations, pod.get("spec").cloned().unwrap_or_default()))
}

/// Looks at an object that is written; `old` is what it replaces.
///
/// # Errors
/// The pod asks for more than the namespace allows, or a namespace's labels can't be read.
pub(super) fn validate(
    api: &ApiServer,
    object: &Object,
    old: Option<&Object>,
    subresource: Option<&str>,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    if *object.kind == kinds::NAMESPACE {
        return match subresource {
            None => namespace(api, object, old, warnings),
            Some(_) => Ok(()),
        };
    }
    let is_pod = *object.kind == kinds::POD;
    if is_pod && !matches!(subresource, None | Some("ephemeralcontainers" | "resize"))
        || !is_pod && subresource.is_some()
    {
        return Ok(());
    }
    let Some(namespace) = api.store().get(&kinds::NAMESPACE, "", object.namespace()) else { return Ok(()) };
    if !has_labels(namespace) {
        return Ok(());
    }
    let (policy, _) = policy(namespace.metadata.labels.as_ref());
    if is_pod && old.is_some_and(|old| !is_significant_update(object, old)) {
        return Ok(());
    }
    let Some((annotations, spec)) = pod_of(object) else { return Ok(()) };
    if is_pod {
        let findings = evaluate(policy.enforce, &annotations, &spec);
        if !findings.is_empty() {
            let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, details(&findings));
            return Err(Status::forbidden(&kinds::POD, &super::refused_name(object), &why));
        }
        if policy.warn == policy.enforce {
            return Ok(());
        }
    }
    let findings = evaluate(policy.warn, &annotations, &spec);
    if !findings.is_empty() {
        warnings.push(format!("would violate PodSecurity \"{}\": {}", policy.warn, details(&findings)));
    }
    Ok(())
}

/// Whether an update adds a container or changes an image.
fn is_significant_update(new: &Object, old: &Object) -> bool {
    let (Body::Pod { spec: new, .. }, Body::Pod { spec: old, .. }) = (&new.body, &old.body) else {
        return true;
    };
    let images = |spec: &k8s_openapi::api::core::v1::PodSpec| {
        let all = spec
            .init_containers
            .iter()
            .flatten()
            .map(|c| ('i', c))
            .chain(spec.containers.iter().map(|c| ('c', c)));
        all.map(|(list, c)| (list, c.image.clone())).collect::<Vec<_>>()
    };
    let ephemeral = |spec: &k8s_openapi::api::core::v1::PodSpec| {
        let all = spec.ephemeral_containers.iter().flatten();
        all.map(|c| (c.name.clone(), c.image.clone())).collect::<BTreeMap<_, _>>()
    };
    let known = ephemeral(old);
    images(new) != images(old) || ephemeral(new).iter().any(|(name, image)| known.get(name) != Some(image))
}

/// A namespace whose labels are new or changed: wrong ones are refused, pods that would be forbidden now are told of.
fn namespace(
    api: &ApiServer,
    object: &Object,
    old: Option<&Object>,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    if !has_labels(object) {
        return Ok(());
    }
    let (new, causes) = policy(object.metadata.labels.as_ref());
    let Some(old) = old else {
        return if causes.is_empty() { Ok(()) } else { Err(refused(object, causes)) };
    };
    let (before, old_causes) = policy(old.metadata.labels.as_ref());
    if !causes.is_empty() && causes != old_causes {
        return Err(refused(object, causes));
    }
    let (new, before) = (new.enforce, before.enforce);
    if new == before
        || new.level == Level::Privileged
        || new.minor == before.minor && new.level <= before.level
    {
        return Ok(());
    }
    let mut found: BTreeMap<String, (String, usize)> = BTreeMap::new();
    let mut pods: Vec<&std::sync::Arc<Object>> =
        api.store().list_namespace(&kinds::POD, object.name()).collect();
    let all = pods.len();
    pods.truncate(PODS_TO_CHECK);
    for pod in &pods {
        let Some((annotations, spec)) = pod_of(pod) else { continue };
        let reasons: Vec<String> =
            evaluate(new, &annotations, &spec).into_iter().map(|(reason, _)| reason).collect();
        if !reasons.is_empty() {
            // The store lists by name, so the first is the one that is told.
            found.entry(reasons.join(", ")).or_insert_with(|| (pod.name().to_owned(), 0)).1 += 1;
        }
    }
    if pods.len() < all {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {} of {all} existing pods",
            pods.len()
        ));
    }
    if !found.is_empty() {
        warnings.push(format!(
            "existing pods in namespace {:?} violate the new PodSecurity enforce level \"{new}\"",
            object.name()
        ));
    }
    let mut lines: Vec<String> = found
        .into_iter()
        .map(|(reasons, (name, count))| match count {
            1 => format!("{name}: {reasons}"),
            2 => format!("{name} (and 1 other pod): {reasons}"),
            more => format!("{name} (and {} other pods): {reasons}", more - 1),
        })
        .collect();
    lines.sort();
    warnings.extend(lines);
    Ok(())
}

fn refused(object: &Object, causes: Vec<StatusCause>) -> Status {
    Status::invalid(&kinds::NAMESPACE, object.name(), causes)
}
