//! Pods made from one template are decoded and validated once.
//!
//! A controller's pods, or those of a loop, differ in names alone. What came of the latest specs is kept here with
//! everything it was made from, and is given again for what is equal in all of it: answers are the same with and
//! without, and only accepted pods are kept.

use super::strategy::Writer;
use k8s_openapi::api::core::v1::PodSpec;
use podlab_api::managed_fields::TOKEN_VOLUME_PREFIX;
use podlab_api::validation::content::is_dns1123_label;
use podlab_api::{Body, Kind, Object, ObjectMeta, kinds};
use serde_json::{Map, Value};
use std::collections::VecDeque;
use std::hash::{Hash as _, Hasher};
use std::sync::Arc;

/// So many specs are kept, of each sort.
const KEPT: usize = 16;
/// So many pods that were sent once are remembered.
const SEEN: usize = 64;

/// What stands for its name while specs are compared: no volume can have it.
const TOKEN_VOLUME: &str = "kube-api-access-*****";

/// What the API server has accepted lately.
#[derive(Clone, Debug, Default)]
pub(super) struct AcceptedPods {
    /// Fingerprints of the latest pods that were like none before: what is sent once is not worth keeping.
    seen: VecDeque<u64>,
    /// Whether the pod that was sent last was like one before.
    repeated: bool,
    decoded: VecDeque<Arc<Decoded>>,
    valid: VecDeque<Arc<Valid>>,
}

/// A pod as it was sent and what it was decoded to, defaults filled in.
#[derive(Debug)]
struct Decoded {
    fingerprint: u64,
    sent: Map<String, Value>,
    metadata: ObjectMeta,
    body: Body,
}

/// A pod that passed validation: metadata without what each pod has of its own, the spec after admission with
/// its token's volume called [`TOKEN_VOLUME`]. Only pods without a node are kept.
#[derive(Debug)]
struct Valid {
    metadata: ObjectMeta,
    spec: PodSpec,
    warnings: Vec<String>,
}

/// FNV-1a, 64 bits: the same on every machine. Equal ones are compared in full before anything rests on them.
struct Fingerprint(u64);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fingerprint {
    fn write(&mut self, bytes: &[u8]) {
        self.0 =
            bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A new pod that was sent, where its like may be known: one with nothing but metadata and spec, and no uid, which
/// would make it an existing one.
#[derive(Clone, Copy)]
pub(super) struct SentPod<'a> {
    fields: &'a Map<String, Value>,
    metadata: &'a Map<String, Value>,
    /// `None` for one whose name is to be generated.
    name: Option<&'a str>,
    /// Equal for all that differ in their names alone.
    fingerprint: u64,
}

impl<'a> SentPod<'a> {
    /// `None` for what is no such pod.
    pub(super) fn of(kind: &Kind, body: &'a Value) -> Option<SentPod<'a>> {
        if *kind != kinds::POD {
            return None;
        }
        let fields = body.as_object()?;
        let plain = fields.iter().all(|(key, value)| match key.as_str() {
            "apiVersion" | "kind" | "metadata" | "spec" => true,
            "status" => value.as_object().is_some_and(Map::is_empty),
            _ => false,
        });
        let metadata = fields.get("metadata")?.as_object()?;
        let name = match metadata.get("name") {
            None => None,
            Some(Value::String(name)) if !name.is_empty() => Some(name.as_str()),
            Some(_) => return None,
        };
        if !plain || metadata.contains_key("uid") {
            return None;
        }
        let mut hasher = Fingerprint::default();
        but(metadata, "name").chain(but(fields, "metadata")).for_each(|field| field.hash(&mut hasher));
        Some(SentPod { fields, metadata, name, fingerprint: hasher.finish() })
    }

    /// Whether another one differs in its name alone.
    fn is_like(&self, other: &Map<String, Value>) -> bool {
        let metadata = other.get("metadata").and_then(Value::as_object);
        metadata.is_some_and(|metadata| but(metadata, "name").eq(but(self.metadata, "name")))
            && but(other, "metadata").eq(but(self.fields, "metadata"))
    }
}

/// The fields of a tree but for one.
fn but<'a>(
    fields: &'a Map<String, Value>,
    left_out: &'static str,
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    fields.iter().filter(move |(key, _)| *key != left_out)
}

impl AcceptedPods {
    /// What a pod is decoded to, if its like is known.
    pub(super) fn decoded(&mut self, pod: &SentPod<'_>) -> Option<Object> {
        let found = self
            .decoded
            .iter()
            .find(|decoded| decoded.fingerprint == pod.fingerprint && pod.is_like(&decoded.sent));
        self.repeated = found.is_some() || self.seen.contains(&pod.fingerprint);
        let Some(found) = found else {
            if !self.repeated {
                self.seen.truncate(SEEN - 1);
                self.seen.push_front(pod.fingerprint);
            }
            return None;
        };
        let metadata = ObjectMeta { name: pod.name.map(str::to_owned), ..found.metadata.clone() };
        Some(Object { kind: &kinds::POD, metadata, body: found.body.clone(), managed: None })
    }

    /// Whether a new pod may be like others: a controller's is, a client's where its like was sent before.
    pub(super) fn concerns(&self, writer: Writer) -> bool {
        writer == Writer::Component || self.repeated
    }

    /// Whether what the latest pod is decoded to will be kept: it is the second of its like.
    pub(super) fn keeps(&self) -> bool {
        self.repeated
    }

    /// Keeps what a pod was decoded to. There must have been nothing to say about it.
    pub(super) fn keep_decoded(&mut self, pod: &SentPod<'_>, object: &Object) {
        let Body::Pod { spec, node_name, .. } = &object.body else { return };
        let body = Body::Pod { spec: spec.clone(), node_name: node_name.clone(), status: Arc::default() };
        let metadata = ObjectMeta { name: None, ..object.metadata.clone() };
        keep(
            &mut self.decoded,
            Decoded { fingerprint: pod.fingerprint, sent: pod.fields.clone(), metadata, body },
        );
    }

    /// The warnings about a pod that differs from a valid one only in what it is called; `None` for one that has
    /// to be looked at.
    pub(super) fn warnings(&self, pod: &mut Object) -> Option<&[String]> {
        if !has_plain_name(pod) {
            return None;
        }
        let Object { metadata, body: Body::Pod { spec, node_name: None, .. }, .. } = pod else { return None };
        let mut candidates =
            self.valid.iter().filter(|v| same_but_for_name(&v.metadata, metadata)).peekable();
        candidates.peek()?;
        let found = with_plain_token(Arc::make_mut(spec), |spec| candidates.find(|v| v.spec == *spec))??;
        Some(&found.warnings)
    }

    /// Keeps a pod that was found valid, with the warnings about it.
    pub(super) fn keep_valid(&mut self, pod: &mut Object, warnings: &[String]) {
        if !has_plain_name(pod) {
            return;
        }
        let Object { metadata, body: Body::Pod { spec, node_name: None, .. }, .. } = pod else { return };
        // The claim of an ephemeral volume is called after the pod, and warnings may name the token's volume.
        if spec.volumes.iter().flatten().any(|v| v.ephemeral.is_some())
            || warnings.iter().any(|w| w.contains(TOKEN_VOLUME_PREFIX))
        {
            return;
        }
        if let Some(spec) = with_plain_token(Arc::make_mut(spec), |spec| spec.clone()) {
            let metadata = ObjectMeta { name: None, uid: None, creation_timestamp: None, ..metadata.clone() };
            keep(&mut self.valid, Valid { metadata, spec, warnings: warnings.to_vec() });
        }
    }
}

fn keep<T>(kept: &mut VecDeque<Arc<T>>, new: T) {
    kept.truncate(KEPT - 1);
    kept.push_front(Arc::new(new));
}

/// Whether it is a pod with a name of those that validation has nothing to say about.
fn has_plain_name(pod: &Object) -> bool {
    pod.pod_spec().is_some() && is_dns1123_label(pod.name()).is_empty()
}

/// Whether validation sees no difference between two objects' metadata but in the name.
fn same_but_for_name(a: &ObjectMeta, b: &ObjectMeta) -> bool {
    let ObjectMeta {
        annotations,
        creation_timestamp: _,
        deletion_grace_period_seconds,
        deletion_timestamp,
        finalizers,
        generate_name,
        generation,
        labels,
        managed_fields,
        name: _,
        namespace,
        owner_references,
        resource_version,
        self_link,
        uid: _,
    } = a;
    *annotations == b.annotations
        && *deletion_grace_period_seconds == b.deletion_grace_period_seconds
        && *deletion_timestamp == b.deletion_timestamp
        && *finalizers == b.finalizers
        && *generate_name == b.generate_name
        && *generation == b.generation
        && *labels == b.labels
        && *managed_fields == b.managed_fields
        && *namespace == b.namespace
        && *owner_references == b.owner_references
        && *resource_version == b.resource_version
        && *self_link == b.self_link
}

/// Shows `look` the spec with its token's volume called [`TOKEN_VOLUME`]. `None` where it cannot be told which
/// volume that is.
fn with_plain_token<R>(spec: &mut PodSpec, look: impl FnOnce(&PodSpec) -> R) -> Option<R> {
    let mut tokens = spec.volumes.iter().flatten().filter(|v| v.name.starts_with(TOKEN_VOLUME_PREFIX));
    let Some(token) = tokens.next() else { return Some(look(spec)) };
    let drawn = token.name.as_bytes().get(TOKEN_VOLUME_PREFIX.len()..).unwrap_or(&[]);
    let is_drawn = drawn.len() == 5 && drawn.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if !is_drawn || tokens.next().is_some() || names(spec).any(|name| name == TOKEN_VOLUME) {
        return None;
    }
    let name = token.name.clone();
    rename(spec, &name, TOKEN_VOLUME);
    let seen = look(spec);
    rename(spec, TOKEN_VOLUME, &name);
    Some(seen)
}

/// The names by which containers mount volumes.
fn names(spec: &PodSpec) -> impl Iterator<Item = &str> {
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers.flat_map(|c| c.volume_mounts.iter().flatten()).map(|m| m.name.as_str())
}

/// Calls a volume by another name, in the list and where it is mounted.
fn rename(spec: &mut PodSpec, from: &str, to: &str) {
    let volumes = spec.volumes.iter_mut().flatten().map(|v| &mut v.name);
    let containers = spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten());
    let mounts = containers.flat_map(|c| c.volume_mounts.iter_mut().flatten()).map(|m| &mut m.name);
    for name in volumes.chain(mounts).filter(|name| *name == from) {
        to.clone_into(name);
    }
}
