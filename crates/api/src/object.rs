//! One type for objects of every kind.

use crate::event::EventBody;
use crate::kinds::{self, BodyType, Kind};
use k8s_openapi::api::core::v1::{NodeSpec, NodeStatus, PodSpec, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::sync::Arc;

/// An object as the store holds it.
///
/// Cheap to clone but for its metadata: spec and status are shared until somebody changes them.
#[derive(Clone, Debug)]
pub struct Object {
    /// The registry entry of its kind.
    pub kind: &'static Kind,
    /// Names, labels, owners, resourceVersion.
    pub metadata: ObjectMeta,
    /// All the rest.
    pub body: Body,
    /// Who owns its fields, where that is more than can be told from the object; `metadata.managedFields` is not kept.
    pub managed: Option<Arc<crate::managed_fields::Managed>>,
}

/// What an object holds beside kind and metadata.
#[derive(Clone, Debug)]
pub enum Body {
    /// A pod.
    ///
    /// Binding a pod changes one field of its spec, and every pod is bound: that field stands beside the spec, which
    /// then stays one for all versions of the pod.
    Pod {
        /// `spec` without `nodeName`, see [`Body::pod`].
        spec: Arc<PodSpec>,
        /// `spec.nodeName`, never empty.
        node_name: Option<Arc<str>>,
        /// `status`.
        status: Arc<PodStatus>,
    },
    /// A node.
    Node {
        /// `spec`.
        spec: Arc<NodeSpec>,
        /// `status`.
        status: Arc<NodeStatus>,
    },
    /// An event that a component wrote; one that came through the door is a [`Body::Tree`].
    Event(Arc<EventBody>),
    /// Any other kind: top-level fields without apiVersion, kind and metadata.
    Tree(Arc<Map<String, Value>>),
}

impl Body {
    /// A pod's, with the node's name taken out of the spec.
    pub fn pod(mut spec: PodSpec, status: PodStatus) -> Body {
        let node_name = spec.node_name.take().filter(|name| !name.is_empty()).map(Arc::from);
        Body::Pod { spec: Arc::new(spec), node_name, status: Arc::new(status) }
    }
}

/// Why a tree of values is no object of its kind.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// `apiVersion` and `kind` name nothing that is served.
    #[error("no matches for kind {kind:?} in version {api_version:?}")]
    UnknownKind {
        /// `apiVersion` as given.
        api_version: String,
        /// `kind` as given.
        kind: String,
    },
    /// A field has a value of the wrong type.
    #[error("{0}")]
    Decode(#[from] serde_json::Error),
}

impl Object {
    /// From a complete tree with `apiVersion`, `kind` and `metadata`.
    ///
    /// Lenient: unknown fields of typed kinds are dropped. Strictness, defaults and validation are the API
    /// server's, before this.
    ///
    /// # Errors
    /// The kind is not served, or a field has a value of the wrong type.
    pub fn from_value(value: Value) -> Result<Object, ObjectError> {
        let Value::Object(mut map) = value else {
            return Err(ObjectError::UnknownKind { api_version: String::new(), kind: String::new() });
        };
        let text = |v: Option<Value>| match v {
            Some(Value::String(s)) => s,
            _ => String::new(),
        };
        let api_version = text(map.remove("apiVersion"));
        let kind = text(map.remove("kind"));
        let Some(entry) = kinds::by_gvk(&api_version, &kind) else {
            return Err(ObjectError::UnknownKind { api_version, kind });
        };
        Object::from_fields(entry, map)
    }

    /// From the fields of an object whose kind is known; `apiVersion` and `kind` among them are ignored.
    ///
    /// # Errors
    /// A field has a value of the wrong type.
    pub fn from_fields(kind: &'static Kind, mut map: Map<String, Value>) -> Result<Object, ObjectError> {
        map.remove("apiVersion");
        map.remove("kind");
        let metadata = part(&mut map, "metadata")?;
        let body = match kind.body {
            BodyType::Pod => Body::pod(part(&mut map, "spec")?, part(&mut map, "status")?),
            BodyType::Node => Body::Node {
                spec: Arc::new(part(&mut map, "spec")?),
                status: Arc::new(part(&mut map, "status")?),
            },
            BodyType::Tree | BodyType::Custom(_) => Body::Tree(Arc::new(map)),
        };
        Ok(Object { kind, metadata, body, managed: None })
    }

    /// A pod from its tree, which stays as it is; a node that it names is taken as [`Body::pod`] takes it.
    ///
    /// # Errors
    /// A field has a value of the wrong type.
    pub fn pod_from_tree(tree: &Value) -> Result<Object, ObjectError> {
        let metadata = part_of(tree, "metadata")?;
        let body = Body::pod(part_of(tree, "spec")?, part_of(tree, "status")?);
        Ok(Object { kind: &kinds::POD, metadata, body, managed: None })
    }

    /// The complete tree, keys in alphabetical order, as `kubectl get -o json` sorts them.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("apiVersion".into(), self.kind.api_version().into());
        map.insert("kind".into(), self.kind.kind.into());
        map.insert("metadata".into(), tree(&self.metadata));
        match &self.body {
            Body::Pod { spec, node_name, status } => {
                let mut spec = tree(spec.as_ref());
                if let (Some(node), Value::Object(fields)) = (node_name, &mut spec) {
                    fields.insert("nodeName".into(), (&**node).into());
                }
                map.insert("spec".into(), spec);
                insert_status(&mut map, status);
            }
            Body::Node { spec, status } => {
                map.insert("spec".into(), tree(spec.as_ref()));
                let mut status = tree(status.as_ref());
                // Times that nobody has set are written all the same.
                let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
                for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
                    for time in ["lastHeartbeatTime", "lastTransitionTime"] {
                        condition.entry(time).or_insert(Value::Null);
                    }
                }
                map.insert("status".into(), status);
            }
            Body::Event(_) | Body::Tree(_) => {
                let fields = self.fields().into_iter().flatten();
                map.extend(fields.map(|(k, v)| (k.clone(), v.clone())));
            }
        }
        Value::Object(map)
    }

    /// `metadata.name`, empty where there is none yet.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or("")
    }

    /// `metadata.namespace`, empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or("")
    }

    /// `metadata.uid`, empty where there is none yet.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or("")
    }

    /// `metadata.resourceVersion` as a number; 0 where there is none.
    pub fn resource_version(&self) -> u64 {
        self.metadata.resource_version.as_deref().and_then(|v| v.parse().ok()).unwrap_or(0)
    }

    /// A label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata.labels.as_ref()?.get(key).map(String::as_str)
    }

    /// An annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// Whether deletion has begun.
    pub fn is_terminating(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// `spec.nodeName` of a pod; `None` for one without a node and for other kinds.
    pub fn node_name(&self) -> Option<&str> {
        match &self.body {
            Body::Pod { node_name, .. } => node_name.as_deref(),
            _ => None,
        }
    }

    /// The spec of a pod, without its node: that is [`Object::node_name`].
    pub fn pod_spec(&self) -> Option<&Arc<PodSpec>> {
        match &self.body {
            Body::Pod { spec, .. } => Some(spec),
            _ => None,
        }
    }

    /// The status of a pod.
    pub fn pod_status(&self) -> Option<&Arc<PodStatus>> {
        match &self.body {
            Body::Pod { status, .. } => Some(status),
            _ => None,
        }
    }

    /// The spec of a node.
    pub fn node_spec(&self) -> Option<&Arc<NodeSpec>> {
        match &self.body {
            Body::Node { spec, .. } => Some(spec),
            _ => None,
        }
    }

    /// The status of a node.
    pub fn node_status(&self) -> Option<&Arc<NodeStatus>> {
        match &self.body {
            Body::Node { status, .. } => Some(status),
            _ => None,
        }
    }

    /// The address under which other nodes reach a node; `None` for one without and for other kinds.
    pub fn internal_ip(&self) -> Option<&str> {
        let addresses = self.node_status()?.addresses.as_ref()?;
        addresses.iter().find(|a| a.type_ == "InternalIP").map(|a| a.address.as_str())
    }

    /// A top-level field of a kind that is held as a tree (`data`, `spec`).
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields()?.get(name)
    }

    /// All top-level fields of a kind that is held as a tree, without apiVersion, kind and metadata.
    pub fn fields(&self) -> Option<&Map<String, Value>> {
        match &self.body {
            Body::Tree(map) => Some(map),
            Body::Event(event) => Some(event.fields()),
            Body::Pod { .. } | Body::Node { .. } => None,
        }
    }

    /// The object as a type of k8s-openapi.
    ///
    /// # Errors
    /// The object is of another kind or holds what the type cannot.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(self.to_value())
    }
}

/// Takes a field out of `map` as a type; an absent or null one is the type's default.
fn part<T: DeserializeOwned + Default>(
    map: &mut Map<String, Value>,
    name: &str,
) -> Result<T, serde_json::Error> {
    match map.remove(name) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => serde_json::from_value(value),
    }
}

/// As [`part`], of a tree that stays as it is.
fn part_of<'a, T: Deserialize<'a> + Default>(tree: &'a Value, name: &str) -> Result<T, serde_json::Error> {
    match tree.get(name) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => T::deserialize(value),
    }
}

/// A k8s-openapi type as a tree. These types write no map with a key that is not a string, the one thing
/// that could fail.
pub(crate) fn tree<T: serde::Serialize>(part: &T) -> Value {
    serde_json::to_value(part).unwrap_or(Value::Null)
}

/// Writes a pod's status into its tree.
pub(crate) fn insert_status(pod: &mut Map<String, Value>, status: &PodStatus) {
    let mut status = tree(status);
    // An instant is a struct in Go, which is written even where it is none.
    for condition in status.get_mut("conditions").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(condition) = condition.as_object_mut() {
            condition.entry("lastProbeTime").or_insert(Value::Null);
        }
    }
    pod.insert("status".into(), status);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pod_survives_the_typed_form() {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "nginx", "ports": [{"containerPort": 80}],
                "resources": {"requests": {"cpu": "100m"}}}]}, "status": {"phase": "Pending"}});
        let object = Object::from_value(pod.clone()).unwrap();
        assert_eq!(object.label("app"), Some("web"));
        assert_eq!(object.to_value(), pod);
    }

    #[test]
    fn a_kind_that_is_not_served_is_named() {
        let error = Object::from_value(json!({"apiVersion": "v2", "kind": "Pod"})).unwrap_err();
        assert_eq!(error.to_string(), r#"no matches for kind "Pod" in version "v2""#);
    }
}
