//! serviceaccount-controller: every namespace has a service account named `default`.
//!
//! The real API server lets a pod's creation wait for it for a second; time does not pass inside a request here,
//! so the account is there with the namespace.
//!
//! Source: pkg/controller/serviceaccount/serviceaccounts_controller.go (v1.37).

use crate::store::Change;
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};

const DEFAULT: &str = "default";

pub(super) fn observe(change: &Change, cx: &mut Cx<'_>) {
    let object = &change.object;
    let namespace = match change.change {
        ChangeType::Added if *object.kind == kinds::NAMESPACE => object.name(),
        ChangeType::Deleted if *object.kind == kinds::SERVICE_ACCOUNT && object.name() == DEFAULT => {
            object.namespace()
        }
        _ => return,
    };
    ensure(namespace, cx);
}

fn ensure(namespace: &str, cx: &mut Cx<'_>) {
    let store = cx.api.store();
    let alive = store.get(&kinds::NAMESPACE, "", namespace).is_some_and(|ns| !ns.is_terminating());
    if alive
        && store.get(&kinds::SERVICE_ACCOUNT, namespace, DEFAULT).is_none()
        && let Ok(object) = Object::from_value(crate::bootstrap::service_account(namespace))
    {
        let _ = cx.api.create(object);
    }
}
