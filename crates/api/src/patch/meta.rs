//! How lists and maps of an object are merged: the patch strategies that Kubernetes' types declare.

use crate::Kind;

/// What a type says about one of its fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldMeta {
    /// Fields that the patch does not list are dropped (`retainKeys`).
    pub retain_keys: bool,
    /// A list whose elements are merged one by one (`merge`).
    pub merge: bool,
    /// A map that is replaced as a whole (`replace`).
    pub replace: bool,
    /// By which field the elements of a merged list are told apart; empty for scalars.
    pub merge_key: &'static str,
}

/// Answers what a type says about its fields.
pub trait Lookup: Copy {
    /// The field's strategy and the type of its value or elements.
    ///
    /// # Errors
    /// The type has no such field.
    fn field(self, key: &str) -> Result<(Self, FieldMeta), String>;
}

/// The strategies of a built-in kind.
#[derive(Clone, Copy, Debug)]
pub struct KindLookup {
    kind: &'static str,
    /// The field in which the value stands.
    parent: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Root,
    Metadata,
    Spec,
    Status,
    PodSpec,
    Container,
    Other,
    /// Below this nothing has strategies.
    Free,
}

impl KindLookup {
    /// Starts at the root of an object.
    pub fn new(kind: &Kind) -> KindLookup {
        KindLookup { kind: kind.kind, parent: Place::Root }
    }
}

const fn by(merge_key: &'static str) -> FieldMeta {
    FieldMeta { retain_keys: false, merge: true, replace: false, merge_key }
}

impl Lookup for KindLookup {
    fn field(self, key: &str) -> Result<(KindLookup, FieldMeta), String> {
        use Place::{Container, Free, Metadata, Other, PodSpec, Root, Spec, Status};
        let none = FieldMeta::default();
        let (place, meta) = match (self.parent, key) {
            (Root, "metadata") => (Metadata, none),
            (Root, "spec") if self.kind == "Pod" => (PodSpec, none),
            (Root, "spec") => (Spec, none),
            (Root, "status") => (Status, none),
            (Root, "template") => (Other, none),
            (Root, "secrets") if self.kind == "ServiceAccount" => (Free, by("name")),
            (Metadata, "ownerReferences") => (Free, by("uid")),
            (Metadata, "finalizers") => (Free, by("")),
            (Metadata, _) => (Free, none),
            (Spec, "strategy") if self.kind == "Deployment" => {
                (Free, FieldMeta { retain_keys: true, ..FieldMeta::default() })
            }
            (Spec, "ports") if self.kind == "Service" => (Free, by("port")),
            (Spec, "podCIDRs") => (Free, by("")),
            (Spec, "template" | "jobTemplate") => (Other, none),
            (Status, "conditions") => (Free, by("type")),
            (Status, "addresses") if self.kind == "Node" => (Free, by("type")),
            (Status, "podIPs" | "hostIPs") => (Free, by("ip")),
            (Status, "resourceClaimStatuses") => (Free, FieldMeta { retain_keys: true, ..by("name") }),
            (Other, "metadata") => (Metadata, none),
            (Other, "spec") if self.kind == "CronJob" => (Spec, none),
            (Other, "spec") => (PodSpec, none),
            (PodSpec, "volumes") => (Free, FieldMeta { retain_keys: true, ..by("name") }),
            (PodSpec, "containers" | "initContainers" | "ephemeralContainers") => (Container, by("name")),
            (PodSpec, "imagePullSecrets" | "schedulingGates") => (Free, by("name")),
            (PodSpec, "resourceClaims") => (Free, FieldMeta { retain_keys: true, ..by("name") }),
            (PodSpec, "hostAliases") => (Free, by("ip")),
            (PodSpec, "topologySpreadConstraints") => (Free, by("topologyKey")),
            (Container, "ports") => (Free, by("containerPort")),
            (Container, "env") => (Free, by("name")),
            (Container, "volumeMounts") => (Free, by("mountPath")),
            (Container, "volumeDevices") => (Free, by("devicePath")),
            _ => (Free, none),
        };
        // A job template's spec is a JobSpec, whose template is a pod's.
        let kind =
            if self.kind == "CronJob" && self.parent == Other && key == "spec" { "Job" } else { self.kind };
        Ok((KindLookup { kind, parent: place }, meta))
    }
}
