//! `kubectl set serviceaccount` and `kubectl set subject`.

use super::{Change, change, pod_spec};
use crate::cx::{Cx, Flow};
use crate::error::{Result, message};
use crate::flags::Parsed;
use crate::value::list;
use serde_json::{Value, json};

pub(super) fn service_account(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    let Some((account, resources)) = parsed.args.split_last() else {
        return message("serviceaccount is required");
    };
    let how = Change {
        resources,
        verb: "serviceaccount updated",
        failed: "failed to patch ServiceAccountName ",
        always: true,
    };
    change(cx, parsed, &how, |_, object, _| {
        let spec = pod_spec(object)?;
        spec["serviceAccountName"] = account.clone().into();
        Ok(())
    })
}

pub(super) fn run(cx: &mut Cx<'_>, parsed: &Parsed) -> Result<Flow> {
    super::something(cx, parsed)?;
    let mut new: Vec<Value> = Vec::new();
    for user in parsed.list("user") {
        new.push(json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}));
    }
    for group in parsed.list("group") {
        new.push(json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": group}));
    }
    for account in parsed.list("serviceaccount") {
        match account.split(':').collect::<Vec<_>>().as_slice() {
            [namespace, name] if !namespace.is_empty() && !name.is_empty() => {
                new.push(json!({"kind": "ServiceAccount", "namespace": namespace, "name": name}));
            }
            _ => return message("serviceaccount must be <namespace>:<name>"),
        }
    }
    if new.is_empty() {
        return message("you must specify at least one value of user, group or serviceaccount");
    }
    let args = parsed.args.clone();
    let how = Change {
        resources: &args,
        verb: "subjects updated",
        failed: "failed to patch subjects to rolebinding: ",
        always: false,
    };
    change(cx, parsed, &how, |_, object, _| {
        let kind = object["kind"].as_str().unwrap_or("").to_owned();
        if kind != "RoleBinding" && kind != "ClusterRoleBinding" {
            return message("setting subjects is only supported for RoleBinding/ClusterRoleBinding");
        }
        let mut subjects = list(object, &["subjects"]).to_vec();
        for subject in &new {
            if !subjects.contains(subject) {
                subjects.push(subject.clone());
            }
        }
        object["subjects"] = subjects.into();
        Ok(())
    })
}
