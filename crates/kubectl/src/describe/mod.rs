//! `kubectl describe`: one file a kind.
pub(crate) fn pod_template_alone(_t: &serde_json::Value) -> String {
    String::new()
}
