//! What is accepted, kept and given back, and has no effect here.
//!
//! Kinds carry their own mark ([`crate::kinds::Kind::support`]); this is the table of fields of kinds that do act.
//! It shrinks as features come. Fields of which nobody would expect an effect in a simulation (a Windows or SELinux
//! option on a Linux node without SELinux) stand here all the same: who writes one gets told.
//!
//! Found by comparing every field of `PodSpec`, `Container` and what hangs below them, and of `ServiceSpec`, of
//! k8s.io/api v0.37 with what crates/cluster reads.

use crate::kinds::Kind;
use serde_json::Value;
use std::borrow::Cow;

/// A field that has no effect: `containers[].volumeDevices`, below the pod's or the Service's spec.
struct Field {
    path: &'static str,
    /// Values with which nothing is missing: what a default amounts to here.
    harmless: &'static [&'static str],
}

const fn field(path: &'static str) -> Field {
    Field { path, harmless: &[] }
}

const fn unless(path: &'static str, harmless: &'static [&'static str]) -> Field {
    Field { path, harmless }
}

const POD: &[Field] = &[
    unless("hostIPC", &["false"]),
    unless("hostPID", &["false"]),
    unless("hostUsers", &["true"]),
    field("evictionResponders"),
    field("resourceClaims"),
    field("runtimeClassName"),
    field("schedulingGroup"),
    field("securityContext.appArmorProfile"),
    field("securityContext.fsGroupChangePolicy"),
    field("securityContext.seLinuxChangePolicy"),
    field("securityContext.seLinuxOptions"),
    field("securityContext.seccompProfile"),
    field("securityContext.supplementalGroupsPolicy"),
    field("securityContext.sysctls"),
    field("securityContext.windowsOptions"),
    field("volumes[].awsElasticBlockStore"),
    field("volumes[].azureDisk"),
    field("volumes[].azureFile"),
    field("volumes[].cephfs"),
    field("volumes[].cinder"),
    field("volumes[].csi"),
    unless("volumes[].emptyDir.medium", &["", "Memory"]),
    field("volumes[].ephemeral"),
    field("volumes[].fc"),
    field("volumes[].flexVolume"),
    field("volumes[].flocker"),
    field("volumes[].gcePersistentDisk"),
    field("volumes[].gitRepo"),
    field("volumes[].glusterfs"),
    field("volumes[].image"),
    field("volumes[].iscsi"),
    field("volumes[].nfs"),
    field("volumes[].photonPersistentDisk"),
    field("volumes[].portworxVolume"),
    field("volumes[].projected.sources[].podCertificate"),
    field("volumes[].quobyte"),
    field("volumes[].rbd"),
    field("volumes[].scaleIO"),
    field("volumes[].storageos"),
    field("volumes[].vsphereVolume"),
];

/// Below each container, init container and ephemeral container.
const CONTAINER: &[Field] = &[
    field("env[].valueFrom.fileKeyRef"),
    field("resources.claims"),
    unless("securityContext.allowPrivilegeEscalation", &["true"]),
    field("securityContext.appArmorProfile"),
    field("securityContext.capabilities"),
    unless("securityContext.privileged", &["false"]),
    unless("securityContext.procMount", &["Default"]),
    field("securityContext.seLinuxOptions"),
    field("securityContext.seccompProfile"),
    field("securityContext.windowsOptions"),
    field("targetContainerName"),
    field("volumeDevices"),
    unless("volumeMounts[].mountPropagation", &["None"]),
    unless("volumeMounts[].recursiveReadOnly", &["Disabled"]),
    field("volumeMounts[].bindMountOptions"),
];

const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

const SERVICE: &[Field] = &[
    field("externalIPs"),
    unless("externalTrafficPolicy", &["Cluster"]),
    field("healthCheckNodePort"),
    unless("internalTrafficPolicy", &["Cluster"]),
    field("loadBalancerClass"),
    field("loadBalancerIP"),
    field("loadBalancerSourceRanges"),
    field("trafficDistribution"),
];

/// A step on the way to a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A key of an object.
    Key(Cow<'static, str>),
    /// A place in a list.
    Index(usize),
}

/// A path as kubectl writes it: `spec.containers[0].volumeDevices`.
#[must_use]
pub fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => text.extend([".", key.as_ref()]),
            Step::Index(index) => text.push_str(&format!("[{index}]")),
        }
    }
    text
}

/// Where a kind has a pod's spec.
fn pod_spec(kind: &Kind) -> Option<&'static [&'static str]> {
    Some(match kind.kind {
        "Pod" => &["spec"],
        "Deployment" | "ReplicaSet" | "DaemonSet" | "StatefulSet" | "Job" | "ReplicationController" => {
            &["spec", "template", "spec"]
        }
        "CronJob" => &["spec", "jobTemplate", "spec", "template", "spec"],
        "PodTemplate" => &["template", "spec"],
        _ => return None,
    })
}

/// The fields of an object that it uses and that have no effect here.
#[must_use]
pub fn not_simulated(kind: &Kind, object: &Value) -> Vec<Vec<Step>> {
    let mut found = Vec::new();
    if kind.kind == "Service" && kind.group.is_empty() {
        look(object.get("spec"), &[Step::Key("spec".into())], SERVICE, &mut found);
    }
    if *kind == crate::kinds::CUSTOM_RESOURCE_DEFINITION {
        rules(object, &mut Vec::new(), &mut found);
    }
    let Some(place) = pod_spec(kind) else { return found };
    let spec = place.iter().try_fold(object, |value, key| value.get(key));
    let at: Vec<Step> = place.iter().map(|key| Step::Key((*key).into())).collect();
    look(spec, &at, POD, &mut found);
    for list in CONTAINERS {
        let containers = spec.and_then(|spec| spec.get(list)).and_then(Value::as_array);
        for (index, container) in containers.into_iter().flatten().enumerate() {
            let mut at = at.clone();
            at.extend([Step::Key(list.into()), Step::Index(index)]);
            look(Some(container), &at, CONTAINER, &mut found);
        }
    }
    found
}

/// Finds rules in CEL, conversion by webhook, patterns and formats that are not looked at.
fn rules(value: &Value, at: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    const DEEPEST: usize = 256;
    if at.len() > DEEPEST {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                at.push(Step::Key(key.clone().into()));
                if key == "x-kubernetes-validations"
                    || (key == "webhook" && at.len() == 3)
                    || is_skipped(key, inner)
                {
                    found.push(at.clone());
                } else {
                    rules(inner, at, found);
                }
                at.pop();
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                at.push(Step::Index(index));
                rules(inner, at, found);
                at.pop();
            }
        }
        _ => {}
    }
}

/// A pattern that can't be matched here, or a format that is not looked at.
fn is_skipped(key: &str, value: &Value) -> bool {
    match (key, value) {
        ("pattern", Value::String(pattern)) => regex_lite::Regex::new(pattern).is_err(),
        ("format", Value::String(format)) => crate::custom::format_not_simulated(format),
        _ => false,
    }
}

fn look(value: Option<&Value>, at: &[Step], fields: &[Field], found: &mut Vec<Vec<Step>>) {
    let Some(value) = value else { return };
    for field in fields {
        walk(value, at.to_vec(), field.path, field.harmless, found);
    }
}

fn walk(value: &Value, at: Vec<Step>, rest: &'static str, harmless: &[&str], found: &mut Vec<Vec<Step>>) {
    let (name, rest) = rest.split_once('.').unwrap_or((rest, ""));
    let (key, is_list) = name.strip_suffix("[]").map_or((name, false), |key| (key, true));
    let Some(next) = value.get(key) else { return };
    let with = |step: Step| {
        let mut path = at.clone();
        path.push(step);
        path
    };
    let at = with(Step::Key(key.into()));
    if is_list {
        for (index, item) in next.as_array().into_iter().flatten().enumerate() {
            let mut path = at.clone();
            path.push(Step::Index(index));
            walk(item, path, rest, harmless, found);
        }
    } else if rest.is_empty() {
        let said = next.as_str().map_or_else(|| next.to_string(), str::to_owned);
        let empty = next.is_null()
            || next.as_array().is_some_and(Vec::is_empty)
            || said.is_empty()
            || harmless.contains(&said.as_str());
        if !empty {
            found.push(at);
        }
    } else {
        walk(next, at, rest, harmless, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds;
    use serde_json::json;

    fn texts(kind: &Kind, object: &Value) -> Vec<String> {
        not_simulated(kind, object).iter().map(|path| path_text(path)).collect()
    }

    #[test]
    fn fields_without_effect_are_found_where_they_stand() {
        let spec = json!({"hostPID": true, "hostIPC": false, "containers": [{}, {"resources": {"claims": [{}]},
            "securityContext": {"privileged": true}}], "volumes": [{"nfs": {}}, {"emptyDir": {}}]});
        let expected = |at: &str| {
            [
                "hostPID",
                "volumes[0].nfs",
                "containers[1].resources.claims",
                "containers[1].securityContext.privileged",
            ]
            .map(|path| format!("{at}.{path}"))
        };
        assert_eq!(texts(&kinds::POD, &json!({"spec": spec})), expected("spec"));
        let deployment = json!({"spec": {"template": {"spec": spec}}});
        assert_eq!(texts(&kinds::DEPLOYMENT, &deployment), expected("spec.template.spec"));
    }

    #[test]
    fn rules_in_cel_are_found_in_a_definition() {
        let rule = serde_json::json!({"spec": {"versions": [{"schema": {"openAPIV3Schema": {"properties": {"spec":
            {"x-kubernetes-validations": [{"rule": "true"}]}}}}}]}});
        assert_eq!(
            texts(&crate::kinds::CUSTOM_RESOURCE_DEFINITION, &rule),
            ["spec.versions[0].schema.openAPIV3Schema.properties.spec.x-kubernetes-validations"]
        );
    }

    #[test]
    fn a_default_is_not_marked() {
        let service = json!({"spec": {"sessionAffinity": "None", "internalTrafficPolicy": "Local"}});
        assert_eq!(texts(&kinds::SERVICE, &service), ["spec.internalTrafficPolicy"]);
    }

    #[test]
    fn every_field_of_the_table_is_one_of_kubernetes() {
        let schema = crate::schema::Schema::get();
        let check = |kind: &str, prefix: &str, fields: &[Field]| {
            for field in fields {
                let path = format!("{prefix}{}", field.path).replace("[]", ".0");
                let steps: Vec<&str> = path.split('.').collect();
                let root = schema.kind("v1", kind).unwrap();
                assert!(schema.field(root, &steps).is_some(), "{kind}: {path}");
            }
        };
        check("Pod", "spec.", POD);
        check("Pod", "spec.ephemeralContainers.0.", CONTAINER);
        check("Service", "spec.", SERVICE);
    }
}
