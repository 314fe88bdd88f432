//! Validation: what the API server refuses, in its own words and order.
//!
//! Objects are trees that were decoded and defaulted; the order of errors is that of the original.

pub mod content;
pub mod field;
mod go_json;
pub mod ip;
mod job_status;
pub mod meta;

mod admission_policy;
mod affinity;
mod batch;
mod config;
mod container;
pub mod cron;
mod definition;
mod diff;
pub mod domain;
mod networking;
mod pod;
mod pod_subresource;
mod pod_update;
mod policy;
mod probe;
mod resources;
mod security;
mod service;
mod status_update;
mod storage;
pub mod time_zones;
mod volume;
pub mod warnings;
mod workload;

pub use field::{BadValue, ErrorType, FieldError, Path};
pub use resources::{is_extended, is_native};
pub use service::validate_service_cluster_ips;
pub use warnings::{deprecation_warning, warnings_on_create, warnings_on_update};

use crate::schema::tree::at;
use serde_json::Value;

/// What was found wrong, in the order in which it is told.
pub(crate) type Errors = Vec<FieldError>;

pub(crate) use go_json::{internal_json, json_of};

/// One `Invalid value` a message.
pub(crate) fn invalid_each(errors: &mut Errors, path: &Path, value: &str, messages: Vec<String>) {
    errors.extend(messages.into_iter().map(|m| FieldError::invalid(path, value, m)));
}

/// As [`invalid_each`] for a number.
pub(crate) fn invalid_number(errors: &mut Errors, path: &Path, value: i64, messages: Vec<String>) {
    errors.extend(messages.into_iter().map(|m| FieldError::invalid(path, value, m)));
}

/// `Unsupported value` where a value is none of an enumeration; empty is one as well.
pub(crate) fn supported(errors: &mut Errors, path: &Path, value: &str, values: &[&str]) {
    if !values.contains(&value) {
        errors.push(FieldError::not_supported(path, value, values));
    }
}

/// As [`supported`], and `Required value` where it is empty.
pub(crate) fn required_supported(errors: &mut Errors, path: &Path, value: &str, values: &[&str]) {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    } else {
        supported(errors, path, value, values);
    }
}

/// `Required value` where a string is empty; whether it was there.
pub(crate) fn required(errors: &mut Errors, path: &Path, value: &str) -> bool {
    if value.is_empty() {
        errors.push(FieldError::required(path, ""));
    }
    !value.is_empty()
}

/// How far validation goes for a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// As the API server.
    Full,
    /// Metadata only; the text says what is missing.
    MetadataOnly(&'static str),
}

/// How far validation goes for a kind.
pub fn support(api_version: &str, kind: &str) -> Support {
    match rule(api_version, kind) {
        Some(rule) => rule.support,
        None => Support::MetadataOnly("no rules are known for this kind"),
    }
}

/// What is known about validating a kind.
struct Rule {
    name: meta::NameRule,
    /// Whether finalizers without a domain are checked, as core's own metadata rule does.
    kube_finalizers: bool,
    support: Support,
}

fn rule(api_version: &str, kind: &str) -> Option<Rule> {
    let label: meta::NameRule = meta::name_is_dns_label;
    let subdomain: meta::NameRule = meta::name_is_dns_subdomain;
    let segment: meta::NameRule = meta::name_is_path_segment;
    let (name, kube_finalizers) = match (api_version, kind) {
        ("v1", "Namespace" | "Service") | ("apps/v1", "StatefulSet") => (label, true),
        (
            "v1",
            "Pod"
            | "Node"
            | "ConfigMap"
            | "Secret"
            | "ServiceAccount"
            | "LimitRange"
            | "ResourceQuota"
            | "PersistentVolume"
            | "PersistentVolumeClaim"
            | "Endpoints",
        )
        | ("apps/v1", "Deployment" | "ReplicaSet" | "DaemonSet" | "ControllerRevision")
        | ("batch/v1", "Job" | "CronJob")
        | ("networking.k8s.io/v1", "Ingress" | "IngressClass" | "NetworkPolicy")
        | ("autoscaling/v2", "HorizontalPodAutoscaler")
        | ("scheduling.k8s.io/v1", "PriorityClass")
        | ("storage.k8s.io/v1", "StorageClass") => (subdomain, true),
        ("v1", "ReplicationController" | "PodTemplate")
        | ("policy/v1", "PodDisruptionBudget")
        | ("node.k8s.io/v1", "RuntimeClass")
        | ("coordination.k8s.io/v1", "Lease")
        | ("discovery.k8s.io/v1", "EndpointSlice")
        | ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
        | (
            "admissionregistration.k8s.io/v1",
            "ValidatingAdmissionPolicy" | "ValidatingAdmissionPolicyBinding",
        ) => (subdomain, false),
        ("rbac.authorization.k8s.io/v1", "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding") => {
            (segment, false)
        }
        _ => return None,
    };
    let support = match kind {
        "CustomResourceDefinition" => Support::MetadataOnly("schemas: what rules in CEL say is not compiled"),
        "ValidatingAdmissionPolicy" => Support::MetadataOnly("expressions are not compiled"),
        _ => Support::Full,
    };
    Some(Rule { name, kube_finalizers, support })
}

/// Checks a new object; it must be decoded and defaulted, and have its name.
///
/// Kinds without rules get the metadata's check alone, see [`support`].
pub fn validate_create(api_version: &str, kind: &str, object: &Value) -> Vec<FieldError> {
    let mut errors = Errors::new();
    check_new(&mut errors, api_version, kind, object);
    without_repeats(errors)
}

/// Checks an object that is to replace `old` through the main resource; both must be decoded and defaulted,
/// and what the client may not set taken over from `old` (uid, creationTimestamp, status).
///
/// Kinds without rules get the metadata's check alone, see [`support`].
pub fn validate_update(api_version: &str, kind: &str, new: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Errors::new();
    check_changed(&mut errors, api_version, kind, new, old);
    without_repeats(errors)
}

/// Checks an object whose status is to replace that of `old`; both must be decoded and defaulted.
pub fn validate_status_update(api_version: &str, kind: &str, new: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Errors::new();
    status_update::validate(&mut errors, api_version, kind, new, old);
    without_repeats(errors)
}

/// What a client is told of a status that is valid.
pub fn warnings_on_status_update(kind: &str, new: &Value) -> Vec<String> {
    status_update::warnings(kind, new)
}

/// Checks a namespace whose finalizers a client changes.
///
/// Source: pkg/apis/core/validation/validation.go `ValidateNamespaceFinalizeUpdate` (v1.37).
pub fn validate_finalize(new: &Value, old: &Value) -> Vec<FieldError> {
    let mut errors = Errors::new();
    meta::validate_object_meta_update(&mut errors, new, old, &Path::new("metadata"));
    let path = Path::new("spec.finalizers");
    for (i, finalizer) in crate::schema::tree::list(new, "spec.finalizers").iter().enumerate() {
        let finalizer = finalizer.as_str().unwrap_or("");
        let path = path.index(i);
        invalid_each(&mut errors, &path, finalizer, content::is_qualified_name(finalizer));
        if !finalizer.contains('/') && !meta::is_standard_finalizer(finalizer) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            errors.push(FieldError::invalid(&path, finalizer, detail));
        }
    }
    without_repeats(errors)
}

/// Checks a pod that a client changes through one of its subresources; `None` where that has no rules here.
pub fn validate_pod_subresource(subresource: &str, new: &Value, old: &Value) -> Option<Vec<FieldError>> {
    let mut errors = Errors::new();
    match subresource {
        "resize" => pod_subresource::validate_resize(&mut errors, new, old),
        "ephemeralcontainers" => pod_subresource::validate_ephemeral_containers(&mut errors, new, old),
        _ => return None,
    }
    Some(without_repeats(errors))
}

/// Checks a Binding, which gives a pod its node.
///
/// Source: pkg/apis/core/validation/validation.go `ValidatePodBinding` (v1.37).
pub fn validate_pod_binding(binding: &Value) -> Vec<FieldError> {
    use crate::schema::tree::text;
    let mut errors = Errors::new();
    let target = Path::new("target");
    let (kind, name) = (text(binding, "target.kind"), text(binding, "target.name"));
    let is_node = matches!(kind, "" | "Node");
    if !is_node {
        errors.push(FieldError::not_supported(&target.child("kind"), kind, &["Node", "<empty>"]));
    }
    if name.is_empty() {
        errors.push(FieldError::required(&target.child("name"), ""));
    } else if is_node {
        invalid_each(&mut errors, &target.child("name"), name, meta::name_is_dns_subdomain(name, false));
    }
    errors
}

/// The same error found twice is told once.
fn without_repeats(errors: Errors) -> Errors {
    let mut out = Errors::with_capacity(errors.len());
    for error in errors {
        if !out.contains(&error) {
            out.push(error);
        }
    }
    out
}

fn check_changed(errors: &mut Errors, api_version: &str, kind: &str, new: &Value, old: &Value) {
    let path = Path::new("metadata");
    meta::validate_object_meta_update(errors, new, old, &path);
    if rule(api_version, kind).is_some_and(|r| r.kube_finalizers) {
        meta::validate_kube_finalizers(errors, new, &path);
    }
    match (api_version, kind) {
        ("v1", "Pod") => pod_update::validate_update(errors, new, old),
        ("v1", "Service") => service::validate_update(errors, new, old),
        ("v1", "Secret") => {
            meta::immutable(errors, at(new, "type"), at(old, "type"), &Path::new("type"));
            config::validate_immutable_data(errors, new, old, &["data"]);
        }
        ("v1", "ConfigMap") => config::validate_immutable_data(errors, new, old, &["data", "binaryData"]),
        ("v1", "Node") => config::validate_node_update(errors, new, old),
        ("apps/v1", "DaemonSet") => workload::validate_immutable(errors, kind, new, old),
        ("batch/v1", "Job") => batch::validate_job_update(errors, new, old),
        ("scheduling.k8s.io/v1", "PriorityClass") => policy::validate_priority_class_update(errors, new, old),
        ("networking.k8s.io/v1", "IngressClass") => {
            let path = Path::new("spec.controller");
            let of = |object| crate::schema::tree::text(object, "spec.controller").to_owned();
            meta::immutable(errors, &of(new).into(), &of(old).into(), &path);
        }
        _ => {}
    }
    validate_body(errors, api_version, kind, new, Some(old));
    match (api_version, kind) {
        ("apps/v1", "Deployment" | "ReplicaSet" | "StatefulSet") => {
            workload::validate_immutable(errors, kind, new, old);
        }
        ("v1", "PersistentVolumeClaim") => storage::validate_claim_update(errors, new, old),
        ("v1", "PersistentVolume") => storage::validate_volume_update(errors, new, old),
        ("v1", "ResourceQuota") => config::validate_resource_quota_update(errors, new, old),
        ("storage.k8s.io/v1", "StorageClass") => storage::validate_storage_class_update(errors, new, old),
        ("rbac.authorization.k8s.io/v1", "RoleBinding" | "ClusterRoleBinding") => {
            let shown = BadValue::Json(internal_json("rbac.RoleRef", at(new, "roleRef")));
            meta::immutable_as(errors, at(new, "roleRef"), at(old, "roleRef"), shown, &Path::new("roleRef"));
        }
        ("node.k8s.io/v1", "RuntimeClass") => {
            let path = Path::new("handler");
            let null = BadValue::Value(Value::Null);
            meta::immutable_as(errors, at(new, "handler"), at(old, "handler"), null, &path);
        }
        _ => {}
    }
}

fn check_new(errors: &mut Errors, api_version: &str, kind: &str, object: &Value) {
    match (api_version, kind) {
        ("v1", "Pod") => {
            pod::validate_create(errors, object);
            return;
        }
        ("batch/v1", "Job") => {
            batch::validate_job(errors, object);
            return;
        }
        ("v1", "Service") => {
            service::validate_create(errors, object);
            return;
        }
        _ => {}
    }
    let path = Path::new("metadata");
    if kind != "PodDisruptionBudget" {
        let rule = rule(api_version, kind);
        let namespaced = crate::kinds::by_gvk(api_version, kind).is_none_or(|k| k.namespaced);
        let name = rule.as_ref().map_or(meta::name_is_path_segment as meta::NameRule, |r| r.name);
        meta::validate_object_meta(errors, object, namespaced, name, &path);
        if rule.is_some_and(|r| r.kube_finalizers) {
            meta::validate_kube_finalizers(errors, object, &path);
        }
    }
    validate_body(errors, api_version, kind, object, None);
    if kind == "PodDisruptionBudget" {
        meta::validate_object_meta(errors, object, true, meta::name_is_dns_subdomain, &path);
    }
}

/// The rules that hold both for new objects and for changed ones.
fn validate_body(errors: &mut Errors, api_version: &str, kind: &str, object: &Value, old: Option<&Value>) {
    match (api_version, kind) {
        ("v1", "ConfigMap") => config::validate_config_map(errors, object),
        ("v1", "Secret") => config::validate_secret(errors, object),
        ("v1", "Namespace") => config::validate_namespace(errors, object),
        ("v1", "LimitRange") => config::validate_limit_range(errors, object),
        ("v1", "ResourceQuota") => config::validate_resource_quota(errors, object),
        ("v1", "Endpoints") => service::validate_endpoints(errors, object, old),
        ("discovery.k8s.io/v1", "EndpointSlice") => service::validate_endpoint_slice(errors, object, old),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition") => definition::validate(errors, object, old),
        ("v1", "PersistentVolume") => storage::validate_volume(errors, object),
        ("v1", "PersistentVolumeClaim") => {
            storage::validate_claim_spec(errors, at(object, "spec"), &Path::new("spec"));
        }
        ("v1", "PodTemplate") => {
            workload::validate_template(errors, at(object, "template"), &Path::new("template"));
        }
        ("v1", "ReplicationController") => workload::validate_replication_controller(errors, object),
        ("v1", "Node") if old.is_none() => config::validate_node(errors, object),
        ("apps/v1", "Deployment") => workload::validate_deployment(errors, object),
        ("apps/v1", "ReplicaSet") => workload::validate_replica_set(errors, object),
        ("apps/v1", "DaemonSet") => workload::validate_daemon_set(errors, object),
        ("apps/v1", "StatefulSet") => workload::validate_stateful_set(errors, object, old.is_none()),
        ("batch/v1", "CronJob") => batch::validate_cron_job(errors, object, old),
        ("networking.k8s.io/v1", "Ingress") => networking::validate_ingress(errors, object, old.is_none()),
        ("networking.k8s.io/v1", "IngressClass") => networking::validate_ingress_class(errors, object),
        ("networking.k8s.io/v1", "NetworkPolicy") => networking::validate_network_policy(errors, object),
        ("autoscaling/v2", "HorizontalPodAutoscaler") => policy::validate_autoscaler(errors, object),
        ("policy/v1", "PodDisruptionBudget") => policy::validate_disruption_budget(errors, object),
        ("scheduling.k8s.io/v1", "PriorityClass") if old.is_none() => {
            policy::validate_priority_class(errors, object);
        }
        ("node.k8s.io/v1", "RuntimeClass") => policy::validate_runtime_class(errors, object),
        ("coordination.k8s.io/v1", "Lease") => policy::validate_lease(errors, object),
        ("storage.k8s.io/v1", "StorageClass") => storage::validate_storage_class(errors, object),
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy") => {
            admission_policy::validate_policy(errors, object);
        }
        ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding") => {
            admission_policy::validate_binding(errors, object);
        }
        ("rbac.authorization.k8s.io/v1", "Role") => policy::validate_role(errors, object, true),
        ("rbac.authorization.k8s.io/v1", "ClusterRole") => policy::validate_role(errors, object, false),
        ("rbac.authorization.k8s.io/v1", "RoleBinding") => {
            policy::validate_role_binding(errors, object, true)
        }
        ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding") => {
            policy::validate_role_binding(errors, object, false);
        }
        _ => {}
    }
}
