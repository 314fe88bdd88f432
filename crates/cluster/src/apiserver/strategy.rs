//! What each kind does on a write: which fields the client may not set, what counts as a new generation.
//!
//! Source: pkg/registry/*/*/strategy.go (v1.37), one per kind.

use super::registry::bump_generation;
use podlab_api::pod_tree::DecodedPod;
use podlab_api::{Body, Kind, Object, Status, kinds, validation};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a kind is called, of those that Kubernetes brings: others may be called the same.
fn name(kind: &Kind) -> &'static str {
    if kind.is_custom() { "" } else { kind.kind }
}

/// Whether `metadata.generation` counts changes of this kind's desired state.
///
/// Source: recordings cluster/defaults.jsonl and tests/data/kept_kinds.jsonl: which kinds are stored with a generation.
fn has_generation(kind: &Kind) -> bool {
    if kind.is_custom() {
        return true;
    }
    matches!(
        kind.kind,
        "Pod"
            | "Deployment"
            | "ReplicaSet"
            | "DaemonSet"
            | "StatefulSet"
            | "Job"
            | "CronJob"
            | "ReplicationController"
            | "PriorityClass"
            | "Ingress"
            | "IngressClass"
            | "NetworkPolicy"
            | "HorizontalPodAutoscaler"
            | "PodDisruptionBudget"
            | "CustomResourceDefinition"
            | "EndpointSlice"
            | "DeviceClass"
            | "ResourceSlice"
    ) || matches!(kind.group, "admissionregistration.k8s.io" | "flowcontrol.apiserver.k8s.io")
}

/// Whether a change of `metadata.annotations` makes a new generation.
fn counts_annotations(kind: &Kind) -> bool {
    matches!(name(kind), "Deployment")
}

/// Whether an update may leave out the version that it is based on.
///
/// Source: `AllowUnconditionalUpdate` of pkg/registry/*/*/strategy.go (v1.37).
pub(super) fn allow_unconditional_update(kind: &Kind) -> bool {
    !kind.is_custom()
        && !matches!(kind.kind, "RuntimeClass" | "PodDisruptionBudget" | "Lease" | "CustomResourceDefinition")
}

/// Whether an update of what is not there creates it.
///
/// Source: `AllowCreateOnUpdate` of pkg/registry/*/*/strategy.go (v1.37).
pub(super) fn allow_create_on_update(kind: &Kind) -> bool {
    matches!(
        name(kind),
        "RuntimeClass"
            | "Role"
            | "RoleBinding"
            | "ClusterRole"
            | "ClusterRoleBinding"
            | "Lease"
            | "LimitRange"
            | "Event"
            | "Service"
            | "Endpoints"
    )
}

/// What an update without a version is told where it needs one.
pub(super) fn version_required(object: &Object) -> Status {
    let cause = podlab_api::StatusCause {
        reason: "FieldValueInvalid".to_owned(),
        message: "Invalid value: 0: must be specified for an update".to_owned(),
        field: "metadata.resourceVersion".to_owned(),
    };
    // The store speaks of the resource where others speak of the kind.
    // Source: k8s.io/apiserver/pkg/registry/generic/registry/store.go `Store.Update` (v1.37).
    let kind = object.kind;
    let mut status = Status::invalid(kind, object.name(), vec![cause]);
    status.message = status.message.replacen(&kind.group_kind(), &kind.group_resource(), 1);
    if let Some(details) = &mut status.details {
        details.kind = kind.plural.to_owned();
    }
    status
}

/// The status that a new object begins with; `None` where the kind has no such reset.
fn initial_status(kind: &Kind) -> Option<Value> {
    Some(match name(kind) {
        "Deployment" | "CronJob" | "ResourceQuota" | "Job" => json!({}),
        "ValidatingAdmissionPolicy" | "FlowSchema" | "PriorityLevelConfiguration" | "ServiceCIDR" => {
            json!({})
        }
        "ResourceClaim" | "CSINode" | "APIService" | "StorageVersionMigration" => json!({}),
        "CertificateSigningRequest" | "PodCertificateRequest" | "DeviceTaintRule" => json!({}),
        "VolumeAttachment" => json!({"attached": false}),
        "ReplicaSet" | "ReplicationController" => json!({"replicas": 0}),
        "StatefulSet" => json!({"replicas": 0, "availableReplicas": 0}),
        "DaemonSet" => json!({"currentNumberScheduled": 0, "numberMisscheduled": 0,
            "desiredNumberScheduled": 0, "numberReady": 0}),
        "Service" | "Ingress" => json!({"loadBalancer": {}}),
        "Namespace" => json!({"phase": "Active"}),
        "PersistentVolume" | "PersistentVolumeClaim" => json!({"phase": "Pending"}),
        "HorizontalPodAutoscaler" => json!({"desiredReplicas": 0, "currentMetrics": null}),
        "PodDisruptionBudget" => json!({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0,
            "expectedPods": 0}),
        _ => return None,
    })
}

/// Resets what only the server sets on a new object.
pub(super) fn prepare_for_create(object: &mut Object) {
    let kind = object.kind;
    if has_generation(kind) {
        object.metadata.generation = Some(1);
    }
    match &mut object.body {
        Body::Pod { spec, status, .. } => {
            *status = Arc::new(k8s_openapi::api::core::v1::PodStatus {
                phase: Some("Pending".to_owned()),
                qos_class: Some(podlab_api::resources::compute_pod_qos(spec).name().to_owned()),
                ..Default::default()
            });
            if !spec.scheduling_gates.as_deref().unwrap_or(&[]).is_empty() {
                let gated = k8s_openapi::api::core::v1::PodCondition {
                    type_: "PodScheduled".to_owned(),
                    status: "False".to_owned(),
                    reason: Some("SchedulingGated".to_owned()),
                    message: Some("Scheduling is blocked due to non-empty scheduling gates".to_owned()),
                    last_transition_time: object.metadata.creation_timestamp.clone(),
                    ..Default::default()
                };
                Arc::make_mut(status).conditions = Some(vec![gated]);
            }
        }
        Body::Node { .. } | Body::Event(_) => {}
        Body::Tree(map) => {
            drop_unwanted(kind, map, None);
            let map = Arc::make_mut(map);
            if kind.definition().is_some_and(|definition| definition.has_status) {
                map.remove("status");
            }
            if let Some(status) = initial_status(kind) {
                map.insert("status".to_owned(), status);
            }
            if name(kind) == "PersistentVolume"
                && let Some(created) = &object.metadata.creation_timestamp
                && let Some(status) = map.get_mut("status").and_then(Value::as_object_mut)
                && let Ok(created) = serde_json::to_value(created)
            {
                status.insert("lastPhaseTransitionTime".to_owned(), created);
            }
            match name(kind) {
                "Namespace" => {
                    let spec = map.entry("spec").or_insert_with(|| json!({}));
                    if let Some(spec) = spec.as_object_mut() {
                        let finalizers = spec.entry("finalizers").or_insert_with(|| json!([]));
                        if let Some(list) = finalizers.as_array_mut()
                            && !list.iter().any(|f| f == "kubernetes")
                        {
                            list.push("kubernetes".into());
                        }
                    }
                }
                "DaemonSet" => {
                    let annotations = object.metadata.annotations.get_or_insert_default();
                    annotations.insert("deprecated.daemonset.template.generation".to_owned(), "1".to_owned());
                }
                "Job" => generate_job_selector(&mut object.metadata, map),
                "Secret" => fold_string_data(map),
                _ => {}
            }
        }
    }
    if name(kind) == "Namespace" {
        let name = object.name().to_owned();
        let labels = object.metadata.labels.get_or_insert_default();
        labels.entry("kubernetes.io/metadata.name".to_owned()).or_insert(name);
    }
}

/// What is dropped or made to agree on every write, whatever came.
fn drop_unwanted(kind: &Kind, map: &mut Arc<Map<String, Value>>, old: Option<&Map<String, Value>>) {
    match name(kind) {
        "PersistentVolumeClaim" => normalize_data_sources(Arc::make_mut(map), old),
        "ServiceAccount" => clean_secret_references(Arc::make_mut(map)),
        _ => {}
    }
}

/// Of references to secrets only the name counts.
///
/// Source: pkg/registry/core/serviceaccount/strategy.go `cleanSecretReferences` (v1.37).
fn clean_secret_references(map: &mut Map<String, Value>) {
    for reference in map.get_mut("secrets").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(fields) = reference.as_object_mut() {
            fields.retain(|field, _| field == "name");
        }
    }
}

/// A claim's old and new way to say where its data comes from say the same.
///
/// Source: pkg/api/persistentvolumeclaim/util.go `EnforceDataSourceBackwardsCompatibility`, `NormalizeDataSources`;
/// `DropDisabledFields` takes a source of another namespace for what a feature that is off would allow (v1.37).
fn normalize_data_sources(map: &mut Map<String, Value>, old: Option<&Map<String, Value>>) {
    let set = |spec: Option<&Value>, name: &str| spec.and_then(|s| s.get(name)).is_some_and(|v| !v.is_null());
    let before = old.and_then(|old| old.get("spec"));
    let in_use = set(before, "dataSource") || set(before, "dataSourceRef");
    let foreign = before.and_then(|spec| spec.pointer("/dataSourceRef/namespace")).is_some();
    let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let namespace = |source: &Value| {
        source.get("namespace").and_then(Value::as_str).is_some_and(|namespace| !namespace.is_empty())
    };
    if !foreign && spec.get("dataSourceRef").is_some_and(namespace) {
        spec.remove("dataSourceRef");
    }
    let text = |source: &Value, name: &str| source.get(name).and_then(Value::as_str).unwrap_or("").to_owned();
    let known = |source: &Value| {
        matches!(
            (text(source, "apiGroup").as_str(), text(source, "kind").as_str()),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        )
    };
    let absent = |spec: &Map<String, Value>, name: &str| spec.get(name).is_none_or(Value::is_null);
    if !in_use && absent(spec, "dataSourceRef") && !spec.get("dataSource").is_some_and(known) {
        spec.remove("dataSource");
    }
    let (from, to) = match (absent(spec, "dataSource"), absent(spec, "dataSourceRef")) {
        (false, true) => ("dataSource", "dataSourceRef"),
        (true, false) if !spec.get("dataSourceRef").is_some_and(namespace) => ("dataSourceRef", "dataSource"),
        _ => return,
    };
    if let Some(mut source) = spec.get(from).cloned() {
        source.as_object_mut().and_then(|source| source.remove("namespace"));
        spec.insert(to.to_owned(), source);
    }
}

/// `stringData` is written into `data`, encoded, and not given back.
///
/// Source: pkg/apis/core/v1/conversion.go `Convert_v1_Secret_To_core_Secret` (v1.37).
fn fold_string_data(map: &mut Map<String, Value>) {
    if let Some(Value::Object(plain)) = map.remove("stringData") {
        let data = map.entry("data").or_insert_with(|| json!({}));
        if data.is_null() {
            *data = json!({});
        }
        if let Some(data) = data.as_object_mut() {
            for (key, value) in plain {
                if let Value::String(text) = value {
                    data.insert(key, base64_text(&text).into());
                }
            }
        }
    }
}

/// A job's pods are told apart by its uid. Labels that the job has from its template are the template's own: what is put
/// there is on both. Such a job comes without labels.
///
/// Source: pkg/apis/batch/v1/defaults.go `SetDefaults_Job` (v1.37), by which both have one map;
/// pkg/registry/batch/job/strategy.go `generateSelector` (v1.37).
fn generate_job_selector(meta: &mut podlab_api::ObjectMeta, map: &mut Map<String, Value>) {
    let uid = meta.uid.clone().unwrap_or_default();
    let name = meta.name.clone().unwrap_or_default();
    let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let inherits = meta.labels.as_ref().is_none_or(BTreeMap::is_empty) && !template_labels(spec).is_empty();
    if spec.get("manualSelector").and_then(Value::as_bool) == Some(true) {
        if inherits {
            meta.labels = Some(template_labels(spec));
        }
        return;
    }
    let pairs = [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("controller-uid", &uid),
        ("job-name", &name),
    ];
    let template = spec.entry("template").or_insert_with(|| json!({}));
    if let Some(template) = template.as_object_mut() {
        let metadata = template.entry("metadata").or_insert_with(|| json!({}));
        if metadata.is_null() {
            *metadata = json!({});
        }
        if let Some(metadata) = metadata.as_object_mut() {
            let labels = metadata.entry("labels").or_insert_with(|| json!({}));
            if labels.is_null() {
                *labels = json!({});
            }
            if let Some(labels) = labels.as_object_mut() {
                for (key, value) in pairs {
                    labels.entry(key).or_insert_with(|| value.as_str().into());
                }
            }
        }
    }
    if inherits {
        meta.labels = Some(template_labels(spec));
    }
    let selector = spec.entry("selector").or_insert_with(|| json!({}));
    if selector.is_null() {
        *selector = json!({});
    }
    if let Some(selector) = selector.as_object_mut() {
        let labels = selector.entry("matchLabels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.insert("batch.kubernetes.io/controller-uid".to_owned(), uid.as_str().into());
        }
    }
}

fn template_labels(spec: &Map<String, Value>) -> BTreeMap<String, String> {
    let labels = spec.get("template").and_then(|template| template.pointer("/metadata/labels"));
    let labels = labels.and_then(Value::as_object).into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// Whether a body says no labels.
pub(super) fn is_unlabelled(sent: &Value) -> bool {
    let own = sent.pointer("/metadata/labels").and_then(Value::as_object);
    own.is_none_or(Map::is_empty)
}

/// What defaulting makes of an object that was stored, when it is read again: a job without labels of its own has its
/// template's.
///
/// Source: pkg/apis/batch/v1/defaults.go `SetDefaults_Job` (v1.37).
pub(super) fn default_stored(object: &mut Object) {
    if *object.kind != kinds::JOB || object.metadata.labels.as_ref().is_some_and(|labels| !labels.is_empty())
    {
        return;
    }
    let spec = object.field("spec").and_then(Value::as_object);
    let labels = spec.map(template_labels).unwrap_or_default();
    if !labels.is_empty() {
        object.metadata.labels = Some(labels);
    }
}

/// Keeps what an update through this door may not touch, and counts the generation.
pub(super) fn prepare_for_update(object: &mut Object, old: &Object, subresource: Option<&str>) {
    let has_status = object.kind.subresources.contains(&"status");
    match subresource {
        Some("status" | "approval") => {
            keep_all_but_status(object, old);
            return;
        }
        // Finalizing a namespace changes its finalizers alone.
        Some("finalize") => return,
        Some("ephemeralcontainers") => keep_all_but_ephemeral_containers(object, old),
        Some("resize") => keep_all_but_resources(object, old),
        _ => {}
    }
    match (&mut object.body, &old.body) {
        (Body::Pod { status, .. }, Body::Pod { status: before, .. }) => *status = before.clone(),
        (Body::Node { status, .. }, Body::Node { status: before, .. }) => *status = before.clone(),
        (Body::Tree(map), Body::Tree(before)) => {
            if name(object.kind) == "Secret" && map.contains_key("stringData") {
                fold_string_data(Arc::make_mut(map));
            }
            if has_status && map.get("status") != before.get("status") {
                let map = Arc::make_mut(map);
                match before.get("status") {
                    Some(status) => {
                        map.insert("status".to_owned(), status.clone());
                    }
                    None => {
                        map.remove("status");
                    }
                }
            }
            drop_unwanted(object.kind, map, Some(before));
            if *object.kind == kinds::SERVICE {
                super::service::drop_type_dependent_fields(Arc::make_mut(map), before);
            }
            if name(object.kind) == "Namespace" && map.get("spec") != before.get("spec") {
                let map = Arc::make_mut(map);
                if let Some(spec) = before.get("spec") {
                    map.insert("spec".to_owned(), spec.clone());
                }
            }
        }
        _ => {}
    }
    if name(object.kind) == "DaemonSet" {
        count_template(object, old);
    }
    if *object.kind == kinds::CUSTOM_RESOURCE_DEFINITION {
        keep_stored_versions(object);
    }
    let counts = name(object.kind) != "PriorityClass";
    if counts && spec_differs(object, old)
        || (counts_annotations(object.kind) && object.metadata.annotations != old.metadata.annotations)
    {
        bump_generation(object);
    }
}

/// A definition remembers the versions in which objects have been stored.
///
/// Source: k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition/strategy.go `PrepareForUpdate` (v1.37).
fn keep_stored_versions(definition: &mut Object) {
    let Body::Tree(map) = &mut definition.body else { return };
    let versions = map.get("spec").and_then(|spec| spec.get("versions")).and_then(Value::as_array);
    let stored = |version: &&Value| version.get("storage").and_then(Value::as_bool) == Some(true);
    let Some(name) = versions.and_then(|all| all.iter().find(stored)?.get("name")).cloned() else { return };
    let status = Arc::make_mut(map).entry("status").or_insert_with(|| json!({}));
    if let Some(known) =
        status.as_object_mut().map(|status| status.entry("storedVersions").or_insert_with(|| json!([])))
        && let Some(known) = known.as_array_mut()
        && !known.contains(&name)
    {
        known.push(name);
    }
}

/// A DaemonSet's templates are counted in an annotation, in which an old field lives on.
///
/// Source: pkg/registry/apps/daemonset/strategy.go `PrepareForUpdate` (v1.37).
fn count_template(object: &mut Object, old: &Object) {
    const COUNT: &str = "deprecated.daemonset.template.generation";
    let count: i64 = old.annotation(COUNT).and_then(|text| text.parse().ok()).unwrap_or(0);
    let template = |object: &Object| object.field("spec").and_then(|spec| spec.get("template")).cloned();
    let count = count + i64::from(template(object) != template(old));
    object.metadata.annotations.get_or_insert_default().insert(COUNT.to_owned(), count.to_string());
}

fn spec_differs(object: &Object, old: &Object) -> bool {
    match (&object.body, &old.body) {
        (Body::Pod { spec: a, node_name: on_a, .. }, Body::Pod { spec: b, node_name: on_b, .. }) => {
            on_a != on_b || (!Arc::ptr_eq(a, b) && a != b)
        }
        (Body::Node { .. }, Body::Node { .. }) => false,
        (Body::Tree(a), Body::Tree(b)) => {
            !Arc::ptr_eq(a, b) && {
                // A status that is no subresource is part of what is wanted.
                let counts = object.kind.definition().is_some_and(|definition| !definition.has_status);
                let rest = |m: &Map<String, Value>| {
                    m.iter()
                        .filter(|(k, _)| *k != "status" || counts)
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect::<Map<_, _>>()
                };
                rest(a) != rest(b)
            }
        }
        _ => true,
    }
}

/// Source: pkg/registry/core/pod/strategy.go `dropNonEphemeralContainerUpdates` (v1.37).
fn keep_all_but_ephemeral_containers(object: &mut Object, old: &Object) {
    if let (Body::Pod { spec, node_name, .. }, Body::Pod { spec: before, node_name: host, .. }) =
        (&mut object.body, &old.body)
    {
        let containers = spec.ephemeral_containers.clone();
        node_name.clone_from(host);
        *spec = before.clone();
        Arc::make_mut(spec).ephemeral_containers = containers;
    }
    keep_metadata(object, old);
}

/// Containers that are added, removed, renamed or moved are left for validation to refuse.
///
/// Source: pkg/registry/core/pod/strategy.go `dropNonResizeUpdates` (v1.37).
fn keep_all_but_resources(object: &mut Object, old: &Object) {
    let (Body::Pod { spec, node_name, .. }, Body::Pod { spec: before, node_name: host, .. }) =
        (&mut object.body, &old.body)
    else {
        return;
    };
    let names = |containers: &[k8s_openapi::api::core::v1::Container]| {
        containers.iter().map(|c| c.name.clone()).collect::<Vec<_>>()
    };
    let init = |spec: &k8s_openapi::api::core::v1::PodSpec| spec.init_containers.clone().unwrap_or_default();
    if names(&spec.containers) != names(&before.containers) || names(&init(spec)) != names(&init(before)) {
        return;
    }
    let mut kept = (**before).clone();
    kept.resources.clone_from(&spec.resources);
    let pairs = kept.containers.iter_mut().zip(&spec.containers);
    let init = spec.init_containers.iter().flatten();
    for (kept, new) in pairs.chain(kept.init_containers.iter_mut().flatten().zip(init)) {
        kept.resources.clone_from(&new.resources);
        kept.resize_policy.clone_from(&new.resize_policy);
    }
    *spec = Arc::new(kept);
    node_name.clone_from(host);
    keep_metadata(object, old);
}

/// A write of the status keeps spec, labels and owners as they are stored.
fn keep_all_but_status(object: &mut Object, old: &Object) {
    match (&mut object.body, &old.body) {
        (Body::Pod { spec, node_name, .. }, Body::Pod { spec: before, node_name: host, .. }) => {
            *spec = before.clone();
            node_name.clone_from(host);
        }
        (Body::Node { spec, .. }, Body::Node { spec: before, .. }) => *spec = before.clone(),
        (Body::Tree(map), Body::Tree(before)) => {
            let status = map.get("status").cloned();
            let mut kept = (**before).clone();
            match status {
                Some(status) => {
                    kept.insert("status".to_owned(), status);
                }
                None => {
                    kept.remove("status");
                }
            }
            *map = Arc::new(kept);
        }
        _ => {}
    }
    keep_metadata_from_status(object, old);
}

/// What of the metadata a write of the status may not change; of most kinds it is nothing.
///
/// Source: `PrepareForUpdate` of the status strategies of pkg/registry, kube-aggregator and apiextensions-apiserver (v1.37).
fn keep_metadata_from_status(object: &mut Object, old: &Object) {
    if object.kind.is_custom() {
        keep_metadata(object, old);
        return;
    }
    match object.kind.kind {
        "Deployment" => object.metadata.labels.clone_from(&old.metadata.labels),
        "Pod" => {
            object.metadata.owner_references.clone_from(&old.metadata.owner_references);
            if let (Body::Pod { status, .. }, Body::Pod { status: before, .. }) =
                (&mut object.body, &old.body)
                && status.qos_class.as_deref().unwrap_or("").is_empty()
                && status.qos_class != before.qos_class
            {
                Arc::make_mut(status).qos_class.clone_from(&before.qos_class);
            }
        }
        "PersistentVolume" => keep_transition_time(object, old),
        "APIService"
        | "CSINode"
        | "DeviceTaintRule"
        | "FlowSchema"
        | "PodCertificateRequest"
        | "PriorityLevelConfiguration"
        | "ResourceClaim"
        | "ServiceCIDR"
        | "StorageVersionMigration"
        | "ValidatingAdmissionPolicy"
        | "VolumeAttachment" => keep_metadata(object, old),
        _ => {}
    }
}

/// A volume whose phase stays keeps the time at which it began.
///
/// Source: pkg/registry/core/persistentvolume/strategy.go `persistentvolumeStatusStrategy` (v1.37).
fn keep_transition_time(object: &mut Object, old: &Object) {
    const TIME: &str = "lastPhaseTransitionTime";
    let status = |object: &Object, name: &str| object.field("status").and_then(|s| s.get(name)).cloned();
    if status(object, "phase") == status(old, "phase")
        && status(object, TIME).is_none_or(|time| time.is_null())
        && let (Some(time), Body::Tree(map)) = (status(old, TIME), &mut object.body)
        && let Some(status) = Arc::make_mut(map).get_mut("status").and_then(Value::as_object_mut)
    {
        status.insert(TIME.to_owned(), time);
    }
}

/// Source: k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go `ResetObjectMetaForStatus` (v1.37).
fn keep_metadata(object: &mut Object, old: &Object) {
    object.metadata.deletion_timestamp.clone_from(&old.metadata.deletion_timestamp);
    object.metadata.owner_references.clone_from(&old.metadata.owner_references);
    object.metadata.labels.clone_from(&old.metadata.labels);
    object.metadata.annotations.clone_from(&old.metadata.annotations);
    object.metadata.finalizers.clone_from(&old.metadata.finalizers);
}

/// What else changes when deletion begins.
pub(super) fn on_delete_begins(object: &mut Object) {
    if *object.kind == kinds::NAMESPACE
        && let Body::Tree(map) = &mut object.body
    {
        Arc::make_mut(map).insert("status".to_owned(), json!({"phase": "Terminating"}));
    }
}

/// Who writes an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// A client at the door.
    Client,
    /// A component of the cluster. What components alone write all the time is valid by construction.
    Component,
}

impl Writer {
    fn is_trusted_with(self, kind: &Kind) -> bool {
        self == Writer::Component && matches!(kind.kind, "Event" | "Lease" | "EndpointSlice" | "Endpoints")
    }
}

/// Refuses a new object that breaks the rules of its kind; gives the warnings about one that does not.
pub(super) fn validate_create(
    object: &Object,
    decoded: Option<DecodedPod>,
    writer: Writer,
) -> Result<Vec<String>, Status> {
    let kind = object.kind;
    if writer.is_trusted_with(kind) {
        return Ok(Vec::new());
    }
    let api_version = kind.api_version();
    let value = decoded.map_or_else(|| object.to_value(), |decoded| decoded.to_validate(object));
    if let Some(definition) = kind.definition() {
        refuse(object, definition.validate(kind, &value, None, None))?;
        return Ok(podlab_api::custom::warnings(object, None));
    }
    refuse(object, validation::validate_create(&api_version, kind.kind, &value))?;
    Ok(validation::warnings_on_create(&api_version, kind.kind, &value))
}

/// Refuses a change that the rules of its kind do not allow. Statuses are the components' own writing and come
/// at every turn: they are not looked at again.
pub(super) fn validate_update(
    object: &Object,
    old: &Object,
    subresource: Option<&str>,
    writer: Writer,
    warnings: &mut Vec<String>,
) -> Result<(), Status> {
    let kind = object.kind;
    if writer.is_trusted_with(kind) {
        return Ok(());
    }
    if let Some(definition) = kind.definition() {
        let errors = definition.validate(kind, &object.to_value(), Some(&old.to_value()), subresource);
        refuse(object, errors)?;
        if subresource.is_none() {
            warnings.extend(podlab_api::custom::warnings(object, Some(old)));
        }
        return Ok(());
    }
    if let Some(subresource) = subresource {
        if writer == Writer::Component {
            return Ok(());
        }
        let (new, old) = (object.to_value(), old.to_value());
        match subresource {
            "status" => {
                let errors = validation::validate_status_update(&kind.api_version(), kind.kind, &new, &old);
                warnings.extend(validation::warnings_on_status_update(kind.kind, &new));
                return refuse(object, errors);
            }
            "finalize" => return refuse(object, validation::validate_finalize(&new, &old)),
            _ if *kind != kinds::POD => return Ok(()),
            _ => {}
        }
        let errors = validation::validate_pod_subresource(subresource, &new, &old);
        return refuse(object, errors.unwrap_or_default());
    }
    let (api_version, new, old) = (kind.api_version(), object.to_value(), old.to_value());
    refuse(object, validation::validate_update(&api_version, kind.kind, &new, &old))?;
    warnings.extend(validation::warnings_on_update(&api_version, kind.kind, &new, &old));
    Ok(())
}

fn refuse(object: &Object, errors: Vec<validation::FieldError>) -> Result<(), Status> {
    if errors.is_empty() {
        return Ok(());
    }
    let causes = errors.into_iter().map(Into::into).collect();
    Err(Status::invalid(object.kind, object.name(), causes))
}

fn base64_text(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}
