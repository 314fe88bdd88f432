//! The tree of a new pod, kept for its validation.
//!
//! A new pod is decoded to a tree, which defaults fill in, and from that to the types that admission changes; validation
//! reads a tree again. To most pods admission does the same: the first tree with a few fields set is what has to be
//! looked at, and what admission adds to every pod is right as it is made.

use crate::Object;
use crate::object::Body;
use serde_json::{Map, Value};

/// What stands in the metadata of a new pod that its sender decides.
const SENT_METADATA: [&str; 7] =
    ["name", "generateName", "namespace", "labels", "annotations", "finalizers", "ownerReferences"];

/// A pod's tree as it was decoded.
#[derive(Clone, Debug)]
pub struct DecodedPod {
    fields: Map<String, Value>,
}

impl DecodedPod {
    /// Keeps the tree that `object` was made from. `None` for what is no pod; for one that has a node, which stands
    /// beside the spec; and for one with block devices, whose paths are compared with those of all mounts.
    pub fn of(object: &Object, tree: Value) -> Option<DecodedPod> {
        let (Body::Pod { spec, node_name: None, .. }, Value::Object(fields)) = (&object.body, tree) else {
            return None;
        };
        let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
        let has_devices = containers.any(|container| container.volume_devices.is_some());
        (!has_devices && fields.get("spec").is_some_and(Value::is_object)).then_some(DecodedPod { fields })
    }

    /// The tree of the pod as validation has to see it, after an admission that did no more than name its service
    /// account, mount the token, set the priority and tolerate nodes that are not ready for a while.
    ///
    /// It says the same as [`Object::to_value`] but for what is valid as the server makes it: status, uid, time and
    /// generation, and the token's volume and mounts and the tolerations at the ends of their lists. What is not set may
    /// be absent in one of them and null or empty in the other.
    pub fn to_validate(self, object: &Object) -> Value {
        let Some(spec) = object.pod_spec() else { return object.to_value() };
        let mut fields = self.fields;
        fields.insert("apiVersion".to_owned(), object.kind.api_version().into());
        fields.insert("kind".to_owned(), object.kind.kind.into());
        fields.remove("status");
        let metadata = fields.entry("metadata").or_insert_with(|| Map::new().into());
        if let Value::Object(metadata) = metadata {
            metadata.retain(|name, _| SENT_METADATA.contains(&name.as_str()));
            set(metadata, "name", object.metadata.name.as_deref());
            set(metadata, "namespace", object.metadata.namespace.as_deref());
            if object.metadata.labels.is_none() {
                metadata.remove("labels");
            }
        }
        if let Some(Value::Object(fields)) = fields.get_mut("spec") {
            set(fields, "serviceAccountName", spec.service_account_name.as_deref());
            set(fields, "serviceAccount", spec.service_account.as_deref());
            set(fields, "priority", spec.priority);
            set(fields, "priorityClassName", spec.priority_class_name.as_deref());
            set(fields, "preemptionPolicy", spec.preemption_policy.as_deref());
        }
        let tree = Value::Object(fields);
        debug_assert_eq!(said(&tree), said(&sent_of(object.to_value(), &tree)));
        tree
    }
}

fn set<T: Into<Value>>(fields: &mut Map<String, Value>, name: &str, value: Option<T>) {
    match value.map(Into::into) {
        None => drop(fields.remove(name)),
        Some(value) => drop(fields.insert(name.to_owned(), value)),
    }
}

/// The whole tree of a pod without what [`DecodedPod::to_validate`] leaves out.
fn sent_of(mut whole: Value, sent: &Value) -> Value {
    let shorten = |whole: &mut Value, sent: &Value, list: &str| {
        let length = sent.get(list).and_then(Value::as_array).map_or(0, Vec::len);
        if let Some(Value::Array(items)) = whole.get_mut(list) {
            items.truncate(length);
        }
    };
    if let Some(fields) = whole.as_object_mut() {
        fields.remove("status");
    }
    if let Some(Value::Object(metadata)) = whole.get_mut("metadata") {
        metadata.retain(|name, _| SENT_METADATA.contains(&name.as_str()));
    }
    let (Some(spec), Some(sent)) = (whole.get_mut("spec"), sent.get("spec")) else { return whole };
    shorten(spec, sent, "volumes");
    shorten(spec, sent, "tolerations");
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        let sent = sent.get(list).and_then(Value::as_array).into_iter().flatten();
        for (container, sent) in containers.zip(sent) {
            shorten(container, sent, "volumeMounts");
        }
    }
    whole
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
