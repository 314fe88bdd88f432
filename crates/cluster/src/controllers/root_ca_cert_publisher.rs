//! root-ca-cert-publisher: every namespace has the ConfigMap `kube-root-ca.crt`, and keeps it.
//!
//! Source: pkg/controller/certificates/rootcacertpublisher/publisher.go (v1.37).

use crate::store::Change;
use crate::world::Cx;
use podlab_api::door::ChangeType;
use podlab_api::{Object, kinds};

const NAME: &str = "kube-root-ca.crt";

fn annotations(object: &Object) -> Option<&std::collections::BTreeMap<String, String>> {
    object.metadata.annotations.as_ref().filter(|all| !all.is_empty())
}

pub(super) fn observe(change: &Change, cx: &mut Cx<'_>) {
    let object = &change.object;
    let namespace = match change.change {
        ChangeType::Added if *object.kind == kinds::NAMESPACE => object.name(),
        ChangeType::Deleted | ChangeType::Modified
            if *object.kind == kinds::CONFIG_MAP && object.name() == NAME =>
        {
            object.namespace()
        }
        _ => return,
    };
    let store = cx.api.store();
    let alive = store.get(&kinds::NAMESPACE, "", namespace).is_some_and(|ns| !ns.is_terminating());
    let Ok(wanted) = Object::from_value(crate::bootstrap::root_ca(namespace)) else { return };
    match store.get(&kinds::CONFIG_MAP, namespace, NAME) {
        None if alive => {
            let _ = cx.api.create(wanted);
        }
        Some(own)
            if own.field("data") != wanted.field("data") || annotations(own) != annotations(&wanted) =>
        {
            let mut own = (**own).clone();
            own.body = wanted.body;
            own.metadata.annotations = wanted.metadata.annotations;
            let _ = cx.api.update(own);
        }
        _ => {}
    }
}
