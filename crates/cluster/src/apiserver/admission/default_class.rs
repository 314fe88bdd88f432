//! What DefaultStorageClass and DefaultIngressClass share: which class is the default.

use crate::apiserver::ApiServer;
use podlab_api::{Kind, Object};

/// The class that an annotation says is the default: the newest, among those of one instant the first by name.
///
/// Source: plugin/pkg/admission/network/defaultingressclass/admission.go `getDefaultClass`,
/// pkg/volume/util/storageclass.go `GetDefaultClass` (v1.37).
pub(super) fn default_class(api: &ApiServer, kind: &'static Kind, annotations: &[&str]) -> Option<String> {
    let is_default = |class: &&std::sync::Arc<Object>| {
        annotations.iter().any(|annotation| class.annotation(annotation) == Some("true"))
    };
    let created = |class: &Object| class.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let classes = api.store().list(kind).filter(is_default);
    let newest = classes.max_by(|a, b| created(a).cmp(&created(b)).then_with(|| b.name().cmp(a.name())))?;
    Some(newest.name().to_owned())
}
