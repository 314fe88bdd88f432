//! TaintNodesByCondition: a new node is not ready until it says so.
//!
//! Source: plugin/pkg/admission/nodetaint/admission.go (v1.37).

use k8s_openapi::api::core::v1::Taint;
use podlab_api::{Body, Object};
use std::sync::Arc;

const NOT_READY: &str = "node.kubernetes.io/not-ready";

pub(super) fn admit_create(object: &mut Object) {
    let Body::Node { spec, .. } = &mut object.body else { return };
    let taints = Arc::make_mut(spec).taints.get_or_insert_default();
    if !taints.iter().any(|t| t.key == NOT_READY && t.effect == "NoSchedule") {
        taints.push(Taint { key: NOT_READY.to_owned(), effect: "NoSchedule".to_owned(), ..Taint::default() });
    }
}
