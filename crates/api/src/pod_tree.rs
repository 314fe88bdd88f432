//! The tree of a pod, kept up with its typed form.
//!
//! A new pod is decoded to a tree, which defaults fill in, and from that to the types that admission changes; validation
//! reads a tree again. Admission changes little, so that most of the first tree is the second as well.

use crate::Object;
use crate::object::{Body, insert_status, tree};
use k8s_openapi::api::core::v1::{Container, PodSpec};
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A pod as it was decoded: the tree, and the spec that was made of it.
#[derive(Clone, Debug)]
pub struct DecodedPod {
    tree: Value,
    spec: Arc<PodSpec>,
}

impl DecodedPod {
    /// Keeps the tree that `object` was made from; `None` for what is no pod or has a node, which stands beside the spec.
    pub fn of(object: &Object, tree: Value) -> Option<DecodedPod> {
        match &object.body {
            Body::Pod { spec, node_name: None, .. } => Some(DecodedPod { tree, spec: spec.clone() }),
            _ => None,
        }
    }

    /// The tree of the pod as it is now. It says the same as [`Object::to_value`]; what is not set may be absent in one
    /// of them and null or empty in the other.
    pub fn tree_of(self, object: &Object) -> Value {
        let Body::Pod { spec, node_name, status } = &object.body else { return object.to_value() };
        let Value::Object(mut fields) = self.tree else { return object.to_value() };
        fields.insert("apiVersion".to_owned(), object.kind.api_version().into());
        fields.insert("kind".to_owned(), object.kind.kind.into());
        fields.insert("metadata".to_owned(), tree(&object.metadata));
        match fields.get_mut("spec") {
            Some(Value::Object(fields)) => renew_spec(fields, &self.spec, spec),
            _ => {
                fields.insert("spec".to_owned(), tree(spec.as_ref()));
            }
        }
        if let (Some(node), Some(Value::Object(spec))) = (node_name, fields.get_mut("spec")) {
            spec.insert("nodeName".to_owned(), (&**node).into());
        }
        insert_status(&mut fields, status);
        let tree = Value::Object(fields);
        debug_assert_eq!(said(&tree), said(&object.to_value()));
        tree
    }
}

/// What a tree says: nothing is left of what is null or empty, which the two write at different places.
fn said(tree: &Value) -> Value {
    let none = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    match tree {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), said(value)));
            fields.filter(|(_, value)| !none(value)).collect()
        }
        Value::Array(items) => items.iter().map(said).collect(),
        plain => plain.clone(),
    }
}

/// Writes the fields of a struct that differ from what they were: lists to which something was added, then others, then
/// fields that are left to the caller. All fields have to be named.
macro_rules! renew {
    (
        $fields:expr, $before:expr, $now:expr,
        $type:ident { $($list:ident: $list_name:literal,)* ; $($field:ident: $name:literal,)* }, $($apart:ident),*
    ) => {
        let $type { $($list,)* $($field,)* $($apart: _),* } = $now;
        $(if *$list != $before.$list { add($fields, $list_name, &$before.$list, $list); })*
        $(if *$field != $before.$field { set($fields, $name, $field); })*
    };
}

fn renew_spec(fields: &mut Map<String, Value>, before: &PodSpec, now: &PodSpec) {
    renew!(
        fields,
        before,
        now,
        PodSpec {
            image_pull_secrets: "imagePullSecrets",
            tolerations: "tolerations",
            volumes: "volumes",
            ;
            active_deadline_seconds: "activeDeadlineSeconds",
            affinity: "affinity",
            automount_service_account_token: "automountServiceAccountToken",
            dns_config: "dnsConfig",
            dns_policy: "dnsPolicy",
            enable_service_links: "enableServiceLinks",
            ephemeral_containers: "ephemeralContainers",
            eviction_responders: "evictionResponders",
            host_aliases: "hostAliases",
            host_ipc: "hostIPC",
            host_network: "hostNetwork",
            host_pid: "hostPID",
            host_users: "hostUsers",
            hostname: "hostname",
            hostname_override: "hostnameOverride",
            node_selector: "nodeSelector",
            os: "os",
            overhead: "overhead",
            preemption_policy: "preemptionPolicy",
            priority: "priority",
            priority_class_name: "priorityClassName",
            readiness_gates: "readinessGates",
            resource_claims: "resourceClaims",
            resources: "resources",
            restart_policy: "restartPolicy",
            runtime_class_name: "runtimeClassName",
            scheduler_name: "schedulerName",
            scheduling_gates: "schedulingGates",
            scheduling_group: "schedulingGroup",
            security_context: "securityContext",
            service_account: "serviceAccount",
            service_account_name: "serviceAccountName",
            set_hostname_as_fqdn: "setHostnameAsFQDN",
            share_process_namespace: "shareProcessNamespace",
            subdomain: "subdomain",
            termination_grace_period_seconds: "terminationGracePeriodSeconds",
            topology_spread_constraints: "topologySpreadConstraints",
        },
        containers,
        init_containers,
        node_name
    );
    renew_containers(fields, "containers", &before.containers, &now.containers);
    let none = Vec::new();
    let (before, now) = (&before.init_containers, &now.init_containers);
    renew_containers(
        fields,
        "initContainers",
        before.as_ref().unwrap_or(&none),
        now.as_ref().unwrap_or(&none),
    );
}

fn renew_containers(fields: &mut Map<String, Value>, name: &str, before: &[Container], now: &[Container]) {
    match fields.get_mut(name) {
        Some(Value::Array(trees)) if trees.len() == before.len() && before.len() == now.len() => {
            for (fields, (before, now)) in trees.iter_mut().zip(before.iter().zip(now)) {
                if let Value::Object(fields) = fields {
                    renew_container(fields, before, now);
                }
            }
        }
        _ if now.is_empty() && before.is_empty() => {}
        _ => set(fields, name, &now),
    }
}

fn renew_container(fields: &mut Map<String, Value>, before: &Container, now: &Container) {
    renew!(
        fields,
        before,
        now,
        Container {
            volume_mounts: "volumeMounts",
            ;
            args: "args",
            command: "command",
            env: "env",
            env_from: "envFrom",
            image: "image",
            image_pull_policy: "imagePullPolicy",
            lifecycle: "lifecycle",
            liveness_probe: "livenessProbe",
            name: "name",
            ports: "ports",
            readiness_probe: "readinessProbe",
            resize_policy: "resizePolicy",
            resources: "resources",
            restart_policy: "restartPolicy",
            restart_policy_rules: "restartPolicyRules",
            security_context: "securityContext",
            startup_probe: "startupProbe",
            stdin: "stdin",
            stdin_once: "stdinOnce",
            termination_message_path: "terminationMessagePath",
            termination_message_policy: "terminationMessagePolicy",
            tty: "tty",
            volume_devices: "volumeDevices",
            working_dir: "workingDir",
        },
    );
}

/// Writes what was added at a list's end, or the whole list.
fn add<T: Serialize + PartialEq>(
    fields: &mut Map<String, Value>,
    name: &str,
    before: &Option<Vec<T>>,
    now: &Option<Vec<T>>,
) {
    let (before, list) = (before.as_deref().unwrap_or(&[]), now.as_deref().unwrap_or(&[]));
    match (fields.get_mut(name), list.strip_prefix(before)) {
        (Some(Value::Array(trees)), Some(added)) if trees.len() == before.len() => {
            trees.extend(added.iter().map(tree));
        }
        _ => set(fields, name, now),
    }
}

fn set(fields: &mut Map<String, Value>, name: &str, now: &impl Serialize) {
    match tree(now) {
        Value::Null => drop(fields.remove(name)),
        now => drop(fields.insert(name.to_owned(), now)),
    }
}
