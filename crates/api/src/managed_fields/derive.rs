//! The managers of an object, as far as they are not kept: reckoned when somebody asks.
//!
//! Components write thousands of objects, and clients create them by the thousand; nobody looks at who owns their fields
//! but a person now and then. So a creation leaves a mark, what components write leaves none, and the entries are made
//! from the object when they are read or a client's next write needs them.

use super::managers::{Manager, Managers, Operation};
use super::set::Set;
use super::typed::Typed;
use super::update::{Context, Reset, update};
use super::walk::compare;
use crate::kinds::Kind;
use crate::object::{Body, Object};
use serde_json::{Map, Value};
use std::sync::Arc;

/// What an object remembers of its managers.
#[derive(Clone, Debug)]
pub enum Managed {
    /// A client created it, and none has changed it since.
    Created {
        /// The field manager.
        manager: Arc<str>,
        /// What was sent, decoded and with defaults, before admission filled in more.
        sent: Body,
    },
    /// The managers were worked out at a client's write.
    Known {
        /// Who owned what then.
        managers: Managers,
        /// The object as that write left it; what differs now is components' work. `None` where it wasn't stored.
        as_of: Option<Box<Object>>,
        /// They differ from those before in their times alone.
        only_times: bool,
    },
}

/// The volume of a service account's token begins like this and ends in five drawn characters. As all that admission puts
/// into a new pod it is nobody's.
pub const TOKEN_VOLUME_PREFIX: &str = "kube-api-access-";

/// The annotations that controllers write.
const COMPONENT_ANNOTATIONS: &[&str] = &[
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
    "batch.kubernetes.io/job-tracking",
    "endpoints.kubernetes.io/",
];

/// Annotations that admission writes.
const ADMISSION_ANNOTATIONS: &[&str] = &["kubernetes.io/limit-ranger"];

/// The labels that a job gets from its strategy.
const JOB_LABELS: &[&str] =
    &["batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name", "controller-uid", "job-name"];

/// What controllers fill into a spec that others wrote.
const COMPONENT_SPEC_FIELDS: &[&str] = &["volumeName", "claimRef"];

/// The managers of an object as it is.
pub fn managers_of(object: &Object) -> Managers {
    let ty = Typed::of(object.kind);
    match object.managed.as_deref() {
        Some(Managed::Known { managers, as_of: None, .. }) => managers.clone(),
        Some(Managed::Known { managers, as_of: Some(then), .. }) => since(object, ty, then, managers.clone()),
        Some(Managed::Created { manager, sent }) => created_by_client(object, ty, manager, sent),
        None => created_by_component(object, ty),
    }
}

fn created_at(object: &Object) -> i64 {
    object.metadata.creation_timestamp.as_ref().map_or(0, crate::time::unix_seconds)
}

/// The latest time that a status names: that of its last change, or close to it.
fn status_time(object: &Object, status: Option<&Value>) -> i64 {
    fn latest(value: &Value, depth: usize) -> i64 {
        if depth == 0 {
            return 0;
        }
        match value {
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| match value {
                    Value::String(text) if key.ends_with("Time") || key.ends_with("At") => {
                        crate::schema::parse_rfc3339(text).map_or(0, |(seconds, _)| seconds)
                    }
                    other => latest(other, depth - 1),
                })
                .max()
                .unwrap_or(0),
            Value::Array(items) => items.iter().map(|item| latest(item, depth - 1)).max().unwrap_or(0),
            _ => 0,
        }
    }
    status.map_or(0, |status| latest(status, 8)).max(created_at(object))
}

/// Which component writes an object's status.
fn status_writer(object: &Object) -> &'static str {
    match (object.kind.group, object.kind.kind) {
        ("", "Pod" | "Node") => "kubelet",
        ("apiextensions.k8s.io" | "apiregistration.k8s.io", _) => "kube-apiserver",
        _ => "kube-controller-manager",
    }
}

/// Which component made an object that no client made.
fn creator(object: &Object) -> &'static str {
    let made_by_kubeadm = || {
        matches!(object.namespace(), "kube-system" | "kube-public")
            && object.metadata.owner_references.is_none()
    };
    match (object.kind.group, object.kind.kind) {
        ("", "Node") | ("coordination.k8s.io", "Lease") | ("storage.k8s.io", "CSINode") => "kubelet",
        ("", "Pod") if object.annotation("kubernetes.io/config.mirror").is_some() => "kubelet",
        ("", "Event") | ("events.k8s.io", "Event") => {
            let part =
                |of: &str, key: &str| object.field(of).and_then(|part| part.get(key)).and_then(Value::as_str);
            match part("source", "component").or_else(|| object.field("reportingComponent")?.as_str()) {
                Some("kubelet") => "kubelet",
                Some("default-scheduler") => "kube-scheduler",
                _ => "kube-controller-manager",
            }
        }
        ("", "Namespace") | ("rbac.authorization.k8s.io" | "scheduling.k8s.io", _) => "kube-apiserver",
        ("flowcontrol.apiserver.k8s.io" | "apiregistration.k8s.io" | "networking.k8s.io", _) => {
            "kube-apiserver"
        }
        ("", "Service") if object.namespace() == "default" && object.name() == "kubernetes" => {
            "kube-apiserver"
        }
        ("", "PersistentVolume") => "local-path-provisioner",
        ("", "ConfigMap") if object.name() == "kube-root-ca.crt" => "kube-controller-manager",
        ("", "ConfigMap" | "Secret" | "Service") | ("apps", "Deployment" | "DaemonSet")
            if made_by_kubeadm() =>
        {
            "kubeadm"
        }
        _ => "kube-controller-manager",
    }
}

fn status_set() -> Set {
    Set::of_fields(&["status"])
}

/// Through which subresource a controller writes an object's metadata: the deployment controller's one write is both.
fn metadata_subresource(object: &Object) -> &'static str {
    if object.kind.kind == "Deployment" && !object.kind.is_custom() { "status" } else { "" }
}

/// The phase that a new object has from the API server, and so from nobody.
fn first_phase(object: &Object) -> Option<&'static str> {
    match (object.kind.group, object.kind.kind) {
        ("", "PersistentVolume" | "PersistentVolumeClaim") => Some("Pending"),
        ("", "Namespace") => Some("Active"),
        _ => None,
    }
}

/// Gives what a status holds to the component that writes it.
fn give_status(object: &Object, ty: Typed<'_>, value: &Value, managers: &mut Managers) {
    let Some(status) = value.get("status") else { return };
    let mut only = serde_json::json!({ "status": status });
    if *object.kind == crate::kinds::PERSISTENT_VOLUME
        && let Some(status) = only["status"].as_object_mut()
    {
        // The API server's own note, which nobody sends.
        status.remove("lastPhaseTransitionTime");
    }
    let set = match *object.kind == crate::kinds::POD {
        true => pod_status(ty, &only),
        false => {
            let mut began = ty.zero();
            if let Some(phase) = first_phase(object) {
                began["status"]["phase"] = phase.into();
            }
            let found = compare(ty, &began, &only);
            found.added.union(&found.modified)
        }
    };
    let api_version = object.kind.api_version();
    let who = Manager::new(status_writer(object), Operation::Update, &api_version, "status");
    managers.give(who, &api_version, set, Some(status_time(object, value.get("status"))));
}

/// What a kubelet owns of a pod's status: the phase, the QoS class and the condition of being scheduled come from others.
fn pod_status(ty: Typed<'_>, status: &Value) -> Set {
    let mut status = status.clone();
    let conditions = status.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten() {
        // Written as null where it is not set, so that it is a field.
        if let Some(map) = condition.as_object_mut() {
            map.entry("lastProbeTime").or_insert(Value::Null);
        }
    }
    let status = &status;
    let mut began = ty.zero();
    began["status"] = serde_json::json!({"phase": "Pending"});
    if let Some(class) = status.pointer("/status/qosClass") {
        began["status"]["qosClass"] = class.clone();
    }
    let conditions = status.pointer("/status/conditions").and_then(Value::as_array);
    let scheduled: Vec<Value> = conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition.get("type").and_then(Value::as_str) == Some("PodScheduled"))
        .map(|condition| {
            let mut condition = condition.clone();
            if let Some(map) = condition.as_object_mut() {
                map.remove("observedGeneration");
            }
            condition
        })
        .collect();
    if !scheduled.is_empty() {
        began["status"]["conditions"] = Value::Array(scheduled);
    }
    if conditions.is_none_or(Vec::is_empty) {
        return Set::default();
    }
    let found = compare(ty, &began, status);
    found.added.union(&found.modified)
}

/// The object without what only components write into its metadata; those keys are handed over apart.
fn without_components(object: &Object, value: &mut Value) -> Map<String, Value> {
    let mut theirs = Map::new();
    let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) else { return theirs };
    // Finalizers of Kubernetes' own come from admission and components; others only from those who sent them.
    let mut unguarded = true;
    if let Some(finalizers) = metadata.get_mut("finalizers").and_then(Value::as_array_mut) {
        let own = |name: &str| match name.split_once('/') {
            Some((domain, _)) => domain == "kubernetes.io" || domain.ends_with(".kubernetes.io"),
            None => true,
        };
        finalizers.retain(|name| !name.as_str().is_some_and(own));
        unguarded = finalizers.is_empty();
    }
    if unguarded {
        metadata.remove("finalizers");
    }
    for name in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        metadata.remove(name);
    }
    let controlled =
        object.metadata.owner_references.iter().flatten().any(|owner| owner.controller == Some(true));
    if controlled && let Some(owners) = metadata.remove("ownerReferences") {
        theirs.insert("ownerReferences".to_owned(), owners);
    }
    if *object.kind == crate::kinds::JOB
        && let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut)
    {
        let drawn = |value: &Value| value == object.uid() || value == object.name();
        labels.retain(|key, value| !JOB_LABELS.contains(&key.as_str()) || !drawn(value));
        if labels.is_empty() {
            metadata.remove("labels");
        }
    }
    let mut emptied = false;
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        let mut kept = Map::new();
        annotations.retain(|key, value| {
            let is = |all: &[&str]| all.iter().any(|prefix| key.starts_with(prefix));
            if is(COMPONENT_ANNOTATIONS) {
                kept.insert(key.clone(), value.clone());
            }
            !is(COMPONENT_ANNOTATIONS) && !is(ADMISSION_ANNOTATIONS)
        });
        emptied = annotations.is_empty();
        if !kept.is_empty() {
            theirs.insert("annotations".to_owned(), Value::Object(kept));
        }
    }
    if emptied {
        metadata.remove("annotations");
    }
    theirs
}

/// A client made it; admission, strategies and components have added to it since.
fn created_by_client(object: &Object, ty: Typed<'static>, manager: &str, sent: &Body) -> Managers {
    let api_version = object.kind.api_version().into_owned();
    let now = object.to_value();
    let mut metadata = now.clone();
    let theirs = without_components(object, &mut metadata);
    let first = Object { kind: object.kind, metadata: Default::default(), body: sent.clone(), managed: None };
    let mut first = first.to_value();
    first["metadata"] = metadata["metadata"].take();
    let created = created_at(object);
    let context = Context { ty, api_version: &api_version, reset: Reset(status_set()), now: created };
    let who = Manager::new(manager, Operation::Update, &api_version, "");
    let zero = zero_of(object.kind);
    let mut managers = update(&context, Managers::default(), &zero, &first, who);
    // What was written is components' work where its value is another one now.
    let found = compare(ty, &first, &now);
    let found = found.without(&status_set());
    managers.take(&found.modified.union(&found.removed));
    let mut set = found.modified.clone();
    set = set.difference(&Set::of_fields(&["metadata"]));
    let mut added = serde_json::json!({});
    if !theirs.is_empty() {
        added["metadata"] = Value::Object(theirs);
    }
    for name in COMPONENT_SPEC_FIELDS {
        if let (Some(value), None) =
            (now.pointer(&format!("/spec/{name}")), first.pointer(&format!("/spec/{name}")))
        {
            added["spec"][*name] = value.clone();
        }
    }
    set = set.union(&found.added.intersection(&compare(ty, &ty.zero(), &added).added));
    let subresource = metadata_subresource(object);
    let component = Manager::new(status_writer(object), Operation::Update, &api_version, subresource);
    if *object.kind != crate::kinds::POD {
        managers.give(component, &api_version, set, Some(status_time(object, now.get("status"))));
    }
    give_status(object, ty, &now, &mut managers);
    managers
}

/// The object with nothing in it, as a write creates it from.
pub fn zero_of(kind: &'static Kind) -> Value {
    let mut zero = Typed::of(kind).zero();
    zero["apiVersion"] = kind.api_version().as_ref().into();
    zero["kind"] = kind.kind.into();
    zero
}

/// A component made it, and no client has written to it.
fn created_by_component(object: &Object, ty: Typed<'static>) -> Managers {
    let api_version = object.kind.api_version().into_owned();
    let now = object.to_value();
    let mut first = now.clone();
    if *object.kind == crate::kinds::POD {
        strip_admission(&mut first);
    }
    if let Some(metadata) = first.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("deletionTimestamp");
        metadata.remove("deletionGracePeriodSeconds");
    }
    let reset = Reset(status_set());
    let context = Context { ty, api_version: &api_version, reset, now: created_at(object) };
    let who = Manager::new(creator(object), Operation::Update, &api_version, "");
    let mut managers = update(&context, Managers::default(), &zero_of(object.kind), &first, who);
    give_status(object, ty, &now, &mut managers);
    managers
}

/// A pod without what admission and binding fill in.
fn strip_admission(pod: &mut Value) {
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else { return };
    for name in
        ["nodeName", "priority", "preemptionPolicy", "serviceAccount", "serviceAccountName", "tolerations"]
    {
        spec.remove(name);
    }
    let is_token = |item: &Value| {
        item.get("name").and_then(Value::as_str).is_some_and(|name| name.starts_with(TOKEN_VOLUME_PREFIX))
    };
    let prune = |map: &mut Map<String, Value>, key: &str| {
        if let Some(items) = map.get_mut(key).and_then(Value::as_array_mut) {
            items.retain(|item| !is_token(item));
            if items.is_empty() {
                map.remove(key);
            }
        }
    };
    prune(spec, "volumes");
    for key in ["containers", "initContainers"] {
        for container in spec.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(container) = container.as_object_mut() {
                prune(container, "volumeMounts");
            }
        }
    }
}

/// The managers after what components did since a client's last write.
fn since(object: &Object, ty: Typed<'static>, then: &Object, managers: Managers) -> Managers {
    let (old, new) = (then.to_value(), object.to_value());
    let found = compare(ty, &old, &new);
    let changed = found.modified.union(&found.added);
    let mut managers = managers;
    managers.take(&changed.union(&found.removed));
    let status = status_set();
    let api_version = object.kind.api_version();
    let time = Some(status_time(object, new.get("status")));
    let mut rest = changed.recursive_difference(&status);
    // Binding and deletion give fields to nobody.
    for path in [
        &["spec", "nodeName"][..],
        &["metadata", "deletionTimestamp"],
        &["metadata", "deletionGracePeriodSeconds"],
    ] {
        rest = rest.difference(&Set::of_fields(path));
    }
    for name in ["resourceVersion", "generation", "managedFields", "finalizers"] {
        rest = rest.recursive_difference(&Set::of_fields(&["metadata", name]));
    }
    // Of components only the HorizontalPodAutoscaler's sets replicas that others wrote.
    let replicas = Set::of_fields(&["spec", "replicas"]);
    let scale = Manager::new(status_writer(object), Operation::Update, &api_version, "scale");
    managers.give(scale, &api_version, rest.intersection(&replicas), time);
    let subresource = metadata_subresource(object);
    let component = Manager::new(status_writer(object), Operation::Update, &api_version, subresource);
    managers.give(component, &api_version, rest.difference(&replicas), time);
    let in_status =
        changed.only(|element| matches!(element, super::PathElement::Field(name) if name == "status"));
    let in_status = match *object.kind == crate::kinds::POD {
        true => in_status.intersection(&pod_status(ty, &new)),
        false => in_status,
    };
    let writer = Manager::new(status_writer(object), Operation::Update, &api_version, "status");
    managers.give(writer, &api_version, in_status, time);
    managers
}

impl Object {
    /// The complete tree with `metadata.managedFields`.
    pub fn to_managed_value(&self) -> Value {
        let mut value = self.to_value();
        let entries = managers_of(self).encode();
        if let (false, Some(metadata)) =
            (entries.is_empty(), value.get_mut("metadata").and_then(Value::as_object_mut))
        {
            metadata.insert("managedFields".to_owned(), Value::Array(entries));
        }
        value
    }
}
