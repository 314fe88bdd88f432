//! DefaultTolerationSeconds: a pod stays 300 s on a node that is not ready or unreachable.
//!
//! Source: plugin/pkg/admission/defaulttolerationseconds/admission.go (v1.37).

use k8s_openapi::api::core::v1::Toleration;
use podlab_api::{Body, Object};
use std::sync::Arc;

const KEYS: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

pub(super) fn admit(object: &mut Object) {
    let Body::Pod { spec, .. } = &mut object.body else { return };
    let has = |key: &str| {
        spec.tolerations.iter().flatten().any(|t| {
            let key_matches = t.key.as_deref().unwrap_or("").is_empty() || t.key.as_deref() == Some(key);
            let effect = t.effect.as_deref().unwrap_or("");
            key_matches && (effect.is_empty() || effect == "NoExecute")
        })
    };
    let missing: Vec<&str> = KEYS.into_iter().filter(|key| !has(key)).collect();
    if missing.is_empty() {
        return;
    }
    let tolerations = Arc::make_mut(spec).tolerations.get_or_insert_default();
    tolerations.reserve_exact(missing.len());
    for key in missing {
        tolerations.push(Toleration {
            key: Some(key.to_owned()),
            operator: Some("Exists".to_owned()),
            effect: Some("NoExecute".to_owned()),
            toleration_seconds: Some(300),
            ..Toleration::default()
        });
    }
}
