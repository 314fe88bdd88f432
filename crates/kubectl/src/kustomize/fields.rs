//! Which fields of which kinds the transformers reach.
//!
//! Source: sigs.k8s.io/kustomize/api/internal/konfig/builtinpluginconsts/*.go (v0.21.1).

use serde_json::{Map, Value};

/// Kinds with a pod template, and where it stands.
const TEMPLATES: [(&str, &str); 7] = [
    ("CronJob", "spec/jobTemplate/spec/template"),
    ("DaemonSet", "spec/template"),
    ("Deployment", "spec/template"),
    ("Job", "spec/template"),
    ("ReplicaSet", "spec/template"),
    ("ReplicationController", "spec/template"),
    ("StatefulSet", "spec/template"),
];

/// Selectors: kind → path, and whether it is made where it is missing.
const SELECTORS: [(&str, &str, bool); 13] = [
    ("Service", "spec/selector", true),
    ("ReplicationController", "spec/selector", true),
    ("Deployment", "spec/selector/matchLabels", true),
    ("ReplicaSet", "spec/selector/matchLabels", true),
    ("DaemonSet", "spec/selector/matchLabels", true),
    ("StatefulSet", "spec/selector/matchLabels", true),
    ("Job", "spec/selector/matchLabels", false),
    ("CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
    ("PodDisruptionBudget", "spec/selector/matchLabels", false),
    ("NetworkPolicy", "spec/podSelector/matchLabels", false),
    ("NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
    ("NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
    ("StatefulSet", "spec/volumeClaimTemplates/metadata/labels", true),
];

/// Below a Deployment's and StatefulSet's pod template: selectors that are changed where they are there.
const AFFINITY: [&str; 5] = [
    "spec/affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "spec/affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "spec/affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "spec/affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "spec/topologySpreadConstraints/labelSelector/matchLabels",
];

/// Names in a pod's spec: the kind that is named, and the path below `spec`.
const IN_PODS: [(&str, &str); 16] = [
    ("ConfigMap", "volumes/configMap/name"),
    ("ConfigMap", "containers/env/valueFrom/configMapKeyRef/name"),
    ("ConfigMap", "initContainers/env/valueFrom/configMapKeyRef/name"),
    ("ConfigMap", "containers/envFrom/configMapRef/name"),
    ("ConfigMap", "initContainers/envFrom/configMapRef/name"),
    ("ConfigMap", "volumes/projected/sources/configMap/name"),
    ("Secret", "volumes/secret/secretName"),
    ("Secret", "containers/env/valueFrom/secretKeyRef/name"),
    ("Secret", "initContainers/env/valueFrom/secretKeyRef/name"),
    ("Secret", "containers/envFrom/secretRef/name"),
    ("Secret", "initContainers/envFrom/secretRef/name"),
    ("Secret", "imagePullSecrets/name"),
    ("Secret", "volumes/projected/sources/secret/name"),
    ("ServiceAccount", "serviceAccountName"),
    ("PersistentVolumeClaim", "volumes/persistentVolumeClaim/claimName"),
    ("PriorityClass", "priorityClassName"),
];

/// Other names: the kind that is named, the kind that names it, the path.
const ELSEWHERE: [(&str, &str, &str); 24] = [
    ("Deployment", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    ("ReplicationController", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    ("ReplicaSet", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    ("StatefulSet", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name"),
    ("ConfigMap", "Role", "rules/resourceNames"),
    ("ConfigMap", "ClusterRole", "rules/resourceNames"),
    ("Secret", "Role", "rules/resourceNames"),
    ("Secret", "ClusterRole", "rules/resourceNames"),
    ("Secret", "Ingress", "spec/tls/secretName"),
    ("Secret", "ServiceAccount", "imagePullSecrets/name"),
    ("Service", "StatefulSet", "spec/serviceName"),
    ("Service", "Ingress", "spec/rules/http/paths/backend/service/name"),
    ("Service", "Ingress", "spec/defaultBackend/service/name"),
    ("Service", "APIService", "spec/service/name"),
    ("Service", "ValidatingWebhookConfiguration", "webhooks/clientConfig/service/name"),
    ("Service", "MutatingWebhookConfiguration", "webhooks/clientConfig/service/name"),
    ("Role", "RoleBinding", "roleRef/name"),
    ("ClusterRole", "RoleBinding", "roleRef/name"),
    ("ClusterRole", "ClusterRoleBinding", "roleRef/name"),
    ("PersistentVolume", "PersistentVolumeClaim", "spec/volumeName"),
    ("StorageClass", "PersistentVolume", "spec/storageClassName"),
    ("StorageClass", "PersistentVolumeClaim", "spec/storageClassName"),
    ("StorageClass", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName"),
    ("IngressClass", "Ingress", "spec/ingressClassName"),
];

/// Visits what stands at a path, in every element of the lists on the way. With `create`, maps are made where they are
/// missing.
pub(super) fn visit(value: &mut Value, path: &str, create: bool, act: &mut dyn FnMut(&mut Value)) {
    if let Value::Array(items) = value {
        for item in items {
            visit(item, path, create, act);
        }
        return;
    }
    if path.is_empty() {
        return act(value);
    }
    let (key, rest) = path.split_once('/').unwrap_or((path, ""));
    let key = key.trim_end_matches("[]");
    if value.is_null() && create {
        *value = Value::Object(Map::new());
    }
    let Value::Object(map) = value else { return };
    if create && !map.contains_key(key) {
        map.insert(key.to_owned(), Value::Null);
    }
    if let Some(next) = map.get_mut(key) {
        visit(next, rest, create, act);
    }
}

fn add(value: &mut Value, pairs: &Map<String, Value>) {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    if let Value::Object(map) = value {
        map.extend(pairs.clone());
    }
}

/// Adds entries to the map at a path.
pub(super) fn add_at(value: &mut Value, path: &str, create: bool, pairs: &Map<String, Value>) {
    visit(value, path, create, &mut |found| add(found, pairs));
}

fn templates(kind: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    TEMPLATES.iter().filter(move |(k, _)| *k == kind).map(|(_, path)| *path)
}

/// Adds labels or annotations (`what`) to an object's pod template.
pub(super) fn add_to_templates(value: &mut Value, kind: &str, what: &str, pairs: &Map<String, Value>) {
    for path in templates(kind) {
        add_at(value, &format!("{path}/metadata/{what}"), true, pairs);
    }
    if kind == "CronJob" {
        add_at(value, &format!("spec/jobTemplate/metadata/{what}"), true, pairs);
    }
    if kind == "StatefulSet" && what == "labels" {
        visit(value, "spec/volumeClaimTemplates", false, &mut |claim| {
            add_at(claim, "metadata/labels", true, pairs);
        });
    }
}

/// Adds labels to an object's selectors.
pub(super) fn add_to_selectors(value: &mut Value, kind: &str, pairs: &Map<String, Value>) {
    for (of, path, create) in SELECTORS.iter().filter(|(of, path, _)| *of == kind && !path.contains('[')) {
        if *of == "StatefulSet" && path.starts_with("spec/volumeClaimTemplates") {
            continue;
        }
        add_at(value, path, *create, pairs);
    }
    if matches!(kind, "Deployment" | "StatefulSet") {
        for path in AFFINITY {
            add_at(value, &format!("spec/template/{path}"), false, pairs);
        }
    }
}

/// Visits every name of another object: the kind that is named, and the place.
pub(super) fn names(value: &mut Value, kind: &str, act: &mut dyn FnMut(&str, &mut Value)) {
    let pod = (kind == "Pod").then_some("");
    for prefix in templates(kind).chain(pod).chain((kind == "PodTemplate").then_some("template")) {
        for (named, path) in IN_PODS {
            let path = format!("{prefix}/spec/{path}");
            visit(value, path.trim_start_matches('/'), false, &mut |place| act(named, place));
        }
    }
    for (named, of, path) in ELSEWHERE {
        if of == kind {
            visit(value, path, false, &mut |place| act(named, place));
        }
    }
}
