//! DefaultStorageClass: a claim that names no class gets the default one.
//!
//! Source: plugin/pkg/admission/storage/storageclass/setdefault/admission.go (v1.37).

use super::default_class::default_class;
use crate::apiserver::ApiServer;
use podlab_api::{Object, kinds};

const IS_DEFAULT: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
/// The older way to say the class.
const CLASS: &str = "volume.beta.kubernetes.io/storage-class";

pub(super) fn admit_create(api: &ApiServer, object: &mut Object) {
    if super::spec_field(object, "storageClassName").is_some() || object.annotation(CLASS).is_some() {
        return;
    }
    if let Some(class) = default_class(api, &kinds::STORAGE_CLASS, &IS_DEFAULT) {
        super::set_spec_field(object, "storageClassName", class.into());
    }
}
