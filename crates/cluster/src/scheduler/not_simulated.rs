//! Fields of a pod that a real scheduler heeds and this one does not.

use super::framework::PodInfo;

/// The paths of such fields that a pod uses.
pub fn fields(pod: &PodInfo) -> Vec<&'static str> {
    let spec = pod.spec();
    let mut fields = Vec::new();
    if spec.resource_claims.as_ref().is_some_and(|claims| !claims.is_empty()) {
        fields.push("spec.resourceClaims");
    }
    if spec.scheduling_group.is_some() {
        fields.push("spec.schedulingGroup");
    }
    fields
}
