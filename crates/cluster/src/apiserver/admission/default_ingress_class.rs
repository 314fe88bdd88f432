//! DefaultIngressClass: an Ingress without a class gets the default one.
//!
//! Source: plugin/pkg/admission/network/defaultingressclass/admission.go (v1.37).

use super::default_class::default_class;
use crate::apiserver::ApiServer;
use podlab_api::{Object, kinds};

const IS_DEFAULT: &str = "ingressclass.kubernetes.io/is-default-class";
/// The older way to say the class.
const CLASS: &str = "kubernetes.io/ingress.class";

pub(super) fn admit_create(api: &ApiServer, object: &mut Object) {
    if super::spec_field(object, "ingressClassName").is_some() || object.annotation(CLASS).is_some() {
        return;
    }
    if let Some(class) = default_class(api, &kinds::INGRESS_CLASS, &[IS_DEFAULT]) {
        super::set_spec_field(object, "ingressClassName", class.into());
    }
}
