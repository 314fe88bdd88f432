//! LimitRanger: a namespace's defaults and bounds for what containers ask.
//!
//! Source: plugin/pkg/admission/limitranger/admission.go (v1.37).

use crate::apiserver::ApiServer;
use podlab_api::{Object, Status};

pub(super) fn admit_create(api: &ApiServer, object: &mut Object) -> Result<(), Status> {
    let _ = (api, object);
    Ok(())
}
