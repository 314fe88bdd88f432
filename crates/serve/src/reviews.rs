//! Questions about who asks and what they may do, where the cluster itself does not answer them.
//!
//! Who comes without a name is the administrator, who may do everything.

use crate::identity::Identity;
use podlab_api::door::Timestamp;
use serde_json::{Value, json};

/// The answer to a review; `None` for what is none.
pub(crate) fn answer(resource: &str, body: &Value, identity: &Identity, now: Timestamp) -> Option<Value> {
    let kind = match resource {
        "selfsubjectreviews" => "SelfSubjectReview",
        "selfsubjectaccessreviews" => "SelfSubjectAccessReview",
        "selfsubjectrulesreviews" => "SelfSubjectRulesReview",
        "subjectaccessreviews" => "SubjectAccessReview",
        "localsubjectaccessreviews" => "LocalSubjectAccessReview",
        "tokenreviews" => "TokenReview",
        _ => return None,
    };
    let spec = body.get("spec").cloned().unwrap_or_else(|| json!({}));
    let access = "authorization.k8s.io/v1";
    Some(match kind {
        "SelfSubjectReview" => {
            let created = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            json!({"kind": kind, "apiVersion": "authentication.k8s.io/v1", "metadata": {"creationTimestamp": created},
                "status": {"userInfo": identity.info()}})
        }
        "TokenReview" => {
            json!({"kind": kind, "apiVersion": "authentication.k8s.io/v1", "metadata": {}, "spec": spec,
            "status": {"user": {}, "error": "invalid bearer token"}})
        }
        "SelfSubjectAccessReview" | "SubjectAccessReview" | "LocalSubjectAccessReview" => {
            let mut status = json!({"allowed": true});
            if identity.user.is_some() || kind != "SelfSubjectAccessReview" {
                status["reason"] = "podlab does not evaluate RBAC: everybody may do everything".into();
            }
            json!({"kind": kind, "apiVersion": access, "metadata": {}, "spec": spec, "status": status})
        }
        _ => json!({"kind": kind, "apiVersion": access, "metadata": {}, "spec": {},
            "status": {"resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}], "incomplete": false}}),
    })
}
