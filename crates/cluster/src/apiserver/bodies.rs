//! Kinds of what is sent to subresources and of options: no objects of the store, and no resources of their own.

use podlab_api::Kind;
use podlab_api::kinds::{BodyType, Support};

/// What all of them have in common.
const BODY: Kind = Kind {
    group: "",
    version: "v1",
    kind: "",
    plural: "",
    singular: "",
    short_names: &[],
    categories: &[],
    namespaced: true,
    subresources: &[],
    body: BodyType::Tree,
    support: Support::Simulated,
};

/// What the `eviction` subresource is sent.
pub(super) static EVICTION: Kind =
    Kind { group: "policy", kind: "Eviction", plural: "evictions", singular: "eviction", ..BODY };

/// What the `scale` subresource speaks.
pub(super) static SCALE: Kind =
    Kind { group: "autoscaling", kind: "Scale", plural: "scales", singular: "scale", ..BODY };

/// What a token is asked for with.
pub(super) static TOKEN_REQUEST: Kind = Kind {
    group: "authentication.k8s.io",
    kind: "TokenRequest",
    plural: "tokenrequests",
    singular: "tokenrequest",
    ..BODY
};

/// The kind that errors about a deletion's options name.
pub(super) static DELETE_OPTIONS: Kind = Kind {
    group: "meta.k8s.io",
    kind: "DeleteOptions",
    plural: "deleteoptions",
    singular: "deleteoptions",
    namespaced: false,
    ..BODY
};

/// The kind that errors about a patch's options name.
pub(super) static PATCH_OPTIONS: Kind = Kind {
    kind: "PatchOptions",
    plural: "patchoptions",
    singular: "patchoptions",
    namespaced: false,
    ..BODY
};
