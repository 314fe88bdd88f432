//! What a client may change through a pod's subresources `resize` and `ephemeralcontainers`.
//!
//! Source: pkg/apis/core/validation/validation.go ValidatePodResize, ValidatePodEphemeralContainersUpdate (v1.37).

use super::field::{BadValue, FieldError, Path};
use super::{Errors, meta, pod};
use crate::resources::{QosClass, compute_pod_qos};
use crate::schema::tree::{at, list, map, text};
use serde_json::Value;

const MIRROR: &str = "kubernetes.io/config.mirror";

fn check_whole(errors: &mut Errors, new: &Value, old: &Value) {
    meta::validate_object_meta_update(errors, new, old, &Path::new("metadata"));
    pod::validate_metadata_and_spec(errors, new);
}

pub(crate) fn validate_ephemeral_containers(errors: &mut Errors, new: &Value, old: &Value) {
    check_whole(errors, new, old);
    if map(old, "metadata.annotations").contains_key(MIRROR) {
        errors.clear();
        errors.push(FieldError::forbidden(&Path::new(""), "static pods do not support ephemeral containers"));
        return;
    }
    let path = Path::new("spec.ephemeralContainers");
    for before in list(old, "spec.ephemeralContainers") {
        let name = text(before, "name");
        let now = list(new, "spec.ephemeralContainers").iter().find(|c| text(c, "name") == name);
        match now {
            None => {
                let detail = format!("existing ephemeral containers {name:?} may not be removed\n");
                errors.push(FieldError::forbidden(&path, detail));
            }
            Some(now) if now != before => {
                let diff = super::go_json::internal_diff("core.EphemeralContainer", before, now);
                let detail = format!("existing ephemeral containers {name:?} may not be changed\n{diff}");
                errors.push(FieldError::forbidden(&path, detail));
            }
            Some(_) => {}
        }
    }
}

fn qos(pod: &Value) -> Option<QosClass> {
    serde_json::from_value(at(pod, "spec").clone()).ok().map(|spec| compute_pod_qos(&spec))
}

pub(crate) fn validate_resize(errors: &mut Errors, new: &Value, old: &Value) {
    check_whole(errors, new, old);
    if map(old, "metadata.annotations").contains_key(MIRROR) {
        errors.clear();
        errors.push(FieldError::forbidden(&Path::new(""), "static pods cannot be resized"));
        return;
    }
    let path = Path::new("spec");
    if qos(new) != qos(old) {
        let shown = BadValue::Value(at(new, "status.qosClass").clone());
        errors.push(FieldError::invalid(
            &path,
            shown,
            "Pod QOS Class may not change as a result of resizing",
        ));
    }
    let before = errors.len();
    for name in ["containers", "initContainers"] {
        check_order(
            errors,
            list(at(new, "spec"), name),
            list(at(old, "spec"), name),
            name,
            &path.child(name),
        );
    }
    if errors.len() > before {
        return;
    }
    for name in ["initContainers", "containers"] {
        let pairs = list(at(new, "spec"), name).iter().zip(list(at(old, "spec"), name));
        for (index, (new, old)) in pairs.enumerate() {
            let list = path.child(name);
            let item = list.index(index);
            let resources = item.child("resources");
            for (field, detail) in [
                ("requests", "resource requests cannot be removed"),
                ("limits", "resource limits cannot be removed"),
            ] {
                let (new, old) = (map(at(new, "resources"), field), map(at(old, "resources"), field));
                if old.keys().any(|key| !new.contains_key(key)) {
                    errors.push(FieldError::forbidden(&resources.child(field), detail));
                }
            }
        }
    }
    for (new, old) in list(at(new, "spec"), "containers").iter().zip(list(at(old, "spec"), "containers")) {
        if !same_but_cpu_and_memory(new, old) {
            errors.push(FieldError::forbidden(&path, "only cpu and memory resources are mutable"));
        }
    }
    let pairs = list(at(new, "spec"), "initContainers").iter().zip(list(at(old, "spec"), "initContainers"));
    for (index, (new, old)) in pairs.enumerate() {
        let list_path = path.child("initContainers");
        let item = list_path.index(index);
        if !same_but_cpu_and_memory(new, old) {
            let detail = "only cpu and memory resources for init or sidecar containers are mutable";
            errors.push(FieldError::forbidden(&item, detail));
        }
        if new != old && text(new, "restartPolicy") != "Always" {
            let policies = list(new, "resizePolicy").iter();
            for _ in policies.filter(|policy| text(policy, "restartPolicy") == "RestartContainer") {
                let detail =
                    "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
                errors.push(FieldError::forbidden(&item, detail));
            }
        }
    }
}

fn check_order(errors: &mut Errors, new: &[Value], old: &[Value], what: &str, path: &Path<'_>) {
    if new.len() != old.len() {
        let detail = format!("{what} may not be added or removed on resize");
        errors.push(FieldError::forbidden(path, detail));
        return;
    }
    for (index, (new, old)) in new.iter().zip(old).enumerate() {
        if text(new, "name") != text(old, "name") {
            let detail = format!("{what} may not be renamed or reordered on resize");
            errors.push(FieldError::forbidden(&path.index(index).child("name"), detail));
        }
    }
}

fn same_but_cpu_and_memory(new: &Value, old: &Value) -> bool {
    let rest = |container: &Value| {
        let mut container = container.clone();
        for field in ["requests", "limits"] {
            if let Some(list) =
                container.pointer_mut(&format!("/resources/{field}")).and_then(Value::as_object_mut)
            {
                list.retain(|name, _| name != "cpu" && name != "memory");
            }
        }
        // A list that is empty is one that is not there.
        if let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) {
            resources.retain(|_, list| list.as_object().is_none_or(|list| !list.is_empty()));
        }
        if container.get("resources").and_then(Value::as_object).is_some_and(serde_json::Map::is_empty)
            && let Some(container) = container.as_object_mut()
        {
            container.remove("resources");
        }
        container
    };
    rest(new) == rest(old)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(cpu: &str, image: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default", "uid": "u",
                "resourceVersion": "1"},
            "spec": {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30,
                "containers": [{"name": "c", "image": image, "imagePullPolicy": "Always",
                    "terminationMessagePolicy": "File",
                    "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": "2"}}}]}})
    }

    #[track_caller]
    fn check(new: &Value, expected: &[&str]) {
        let mut errors = Errors::new();
        validate_resize(&mut errors, new, &pod("1", "nginx"));
        let said: Vec<String> = errors.iter().map(FieldError::body).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn a_resize_changes_cpu_and_memory_alone() {
        check(&pod("1500m", "nginx"), &[]);
        check(&pod("1", "httpd"), &["Forbidden: only cpu and memory resources are mutable"]);
        let mut removed = pod("1", "nginx");
        removed["spec"]["containers"][0]["resources"]["limits"] = json!({});
        check(&removed, &["Forbidden: resource limits cannot be removed"]);
        let mut renamed = pod("1", "nginx");
        renamed["spec"]["containers"][0]["name"] = "d".into();
        check(&renamed, &["Forbidden: containers may not be renamed or reordered on resize"]);
    }
}
