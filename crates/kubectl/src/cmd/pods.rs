//! From what a user names to a pod and its container.
//!
//! Source: k8s.io/kubectl/pkg/polymorphichelpers, pkg/cmd/util/podcmd (v1.37).

use crate::cx::Cx;
use crate::error::{Result, message};
use crate::resource::Info;
use crate::value::{at, int, list, name, namespace, text};
use podlab_api::kinds;
use podlab_api::selector::label_selector::format_label_selector;
use serde_json::Value;

/// `c, side, setup (init)`.
pub(crate) fn all_names(pod: &Value) -> String {
    let mut out: Vec<String> = Vec::new();
    for (field, mark) in
        [("containers", ""), ("ephemeralContainers", " (ephem)"), ("initContainers", " (init)")]
    {
        out.extend(list(pod, &["spec", field]).iter().map(|c| format!("{}{mark}", text(c, &["name"]))));
    }
    out.join(", ")
}

/// The containers of all sorts.
pub(crate) fn containers(pod: &Value) -> Vec<&Value> {
    ["initContainers", "containers", "ephemeralContainers"]
        .iter()
        .flat_map(|f| list(pod, &["spec", f]))
        .collect()
}

/// The container that is meant, and what is said where it was guessed.
///
/// # Errors
/// The pod has no such container.
pub(crate) fn container(cx: &mut Cx<'_>, pod: &Value, wanted: &str, quiet: bool) -> Result<Value> {
    if !wanted.is_empty() {
        return match containers(pod).into_iter().find(|c| text(c, &["name"]) == wanted) {
            Some(found) => Ok(found.clone()),
            None => message(format!(
                "container {wanted} is not valid for pod {} out of: {}",
                name(pod),
                all_names(pod)
            )),
        };
    }
    let all = containers(pod).len();
    let default = text(pod, &["metadata", "annotations", "kubectl.kubernetes.io/default-container"]);
    if !default.is_empty() {
        match containers(pod).into_iter().find(|c| text(c, &["name"]) == default) {
            Some(found) => return Ok(found.clone()),
            None => cx.errln(&format!("Default container name {default:?} not found in pod {}", name(pod))),
        }
    }
    let Some(first) = list(pod, &["spec", "containers"]).first() else {
        return message(format!("pod {}/{} does not have any containers", namespace(pod), name(pod)));
    };
    if all > 1 && !quiet {
        cx.errln(&format!("Defaulted container {:?} out of: {}", text(first, &["name"]), all_names(pod)));
    }
    Ok(first.clone())
}

/// The label selector with which an object finds its pods.
///
/// # Errors
/// It has none.
pub(crate) fn selector(object: &Value) -> Result<String> {
    let kind = text(object, &["kind"]);
    let found = at(object, &["spec", "selector"]);
    let selector = match kind {
        "Service" | "ReplicationController" => {
            let pairs: Vec<String> = found
                .as_object()
                .into_iter()
                .flatten()
                .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or("")))
                .collect();
            if pairs.is_empty() {
                return message(format!(
                    "invalid service '{}': Service is defined without a selector",
                    name(object)
                ));
            }
            pairs.join(",")
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => {
            format_label_selector(serde_json::from_value(found.clone()).ok().as_ref())
        }
        other => {
            let version = text(object, &["apiVersion"]).rsplit('/').next().unwrap_or("").to_owned();
            return message(format!("selector for *{version}.{other} not implemented"));
        }
    };
    Ok(selector)
}

/// How soon a pod is preferred: assigned, running, ready, few restarts, old.
fn rank(pod: &Value) -> (bool, u8, bool, i64, String, String) {
    let phase = match text(pod, &["status", "phase"]) {
        "Running" => 0,
        "Pending" => 2,
        _ => 1,
    };
    let ready = list(pod, &["status", "conditions"])
        .iter()
        .any(|c| text(c, &["type"]) == "Ready" && text(c, &["status"]) == "True");
    let restarts = list(pod, &["status", "containerStatuses"])
        .iter()
        .map(|c| int(c, &["restartCount"]))
        .max()
        .unwrap_or(0);
    (
        text(pod, &["spec", "nodeName"]).is_empty(),
        phase,
        !ready,
        restarts,
        text(pod, &["metadata", "creationTimestamp"]).to_owned(),
        name(pod).to_owned(),
    )
}

/// The pods of an object, best first.
pub(crate) fn of(cx: &mut Cx<'_>, info: &Info) -> Result<Vec<Value>> {
    if info.kind == &kinds::POD {
        return Ok(vec![info.object.clone()]);
    }
    let selector = selector(&info.object)?;
    let mut pods = cx.select(&kinds::POD, &info.namespace, &selector)?;
    pods.sort_by_key(rank);
    Ok(pods)
}
