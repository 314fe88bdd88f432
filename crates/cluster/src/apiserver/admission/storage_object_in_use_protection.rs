//! StorageObjectInUseProtection: volumes and claims stay while something uses them.
//!
//! Source: plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go (v1.37).

use podlab_api::{Object, kinds};

/// Kept on a claim while a pod uses it.
pub(crate) const PVC_PROTECTION: &str = "kubernetes.io/pvc-protection";
/// Kept on a volume while a claim is bound to it.
pub(crate) const PV_PROTECTION: &str = "kubernetes.io/pv-protection";

pub(super) fn admit_create(object: &mut Object) {
    let finalizer = if *object.kind == kinds::PERSISTENT_VOLUME {
        PV_PROTECTION
    } else if *object.kind == kinds::PERSISTENT_VOLUME_CLAIM {
        PVC_PROTECTION
    } else {
        return;
    };
    let finalizers = object.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|f| f == finalizer) {
        finalizers.push(finalizer.to_owned());
    }
}
