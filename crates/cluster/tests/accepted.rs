//! Pods made from one template are looked at once: the answers must be those of a look at each.

use podlab_api::door::{FieldValidation, ResponseBody};
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};

/// An answer without what differs between any two: uid, version and the drawn end of the token volume's name.
fn answer(cluster: &mut Cluster, pod: &Value, validation: FieldValidation) -> String {
    let mut request = Request::create(&kinds::POD, "default", pod.clone());
    request.options.field_validation = validation;
    let response = cluster.request(request);
    let (code, warnings) = (response.code, response.warnings.clone());
    let mut body = match response.body {
        ResponseBody::Object(object) => object.to_value(),
        ResponseBody::Value(value) => value,
        ResponseBody::Status(status) => format!("{status:?}").into(),
        _ => Value::Null,
    };
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("uid");
        metadata.remove("resourceVersion");
    }
    let text = format!("{code} {warnings:?} {body:#}");
    let mut parts = text.split("kube-api-access-");
    let mut out = parts.next().unwrap_or("").to_owned();
    for part in parts {
        out.push_str("TOKEN");
        out.push_str(part.get(5..).unwrap_or(""));
    }
    out
}

fn pod(metadata: Value, spec: Value) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    pod["metadata"]["name"] = "b".into();
    pod
}

fn web(more: Value) -> Value {
    let mut spec = json!({"containers": [{"name": "c", "image": "nginx",
        "volumeMounts": [{"name": "own", "mountPath": "/own"}]}], "volumes": [{"name": "own", "emptyDir": {}}]});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

fn pods() -> Vec<Value> {
    let spread = json!({"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}, "matchLabelKeys": ["app"]}]});
    let token = |name: &str, mount: &str| {
        web(json!({"volumes": [{"name": name, "emptyDir": {}}],
            "containers": [{"name": "c", "image": "nginx", "volumeMounts": [{"name": mount, "mountPath": "/own"}]}]}))
    };
    let ephemeral = json!({"volumes": [{"name": "own", "ephemeral": {"volumeClaimTemplate": {"spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}}]});
    let owner = json!([{"apiVersion": "v1", "kind": "Node", "name": "n", "uid": "u"}]);
    vec![
        pod(json!({}), web(json!({}))),
        pod(json!({"labels": {"app": "web"}}), web(json!({}))),
        pod(json!({"labels": {"app": "-"}}), web(json!({}))),
        pod(json!({"annotations": {"scheduler.alpha.kubernetes.io/critical-pod": ""}}), web(json!({}))),
        pod(json!({"annotations": {"controller.kubernetes.io/pod-deletion-cost": "x"}}), web(json!({}))),
        pod(json!({"ownerReferences": owner}), web(json!({}))),
        pod(json!({"ownerReferences": [{}], "managedFields": [{"time": null}]}), web(json!({}))),
        pod(json!({"finalizers": ["x"]}), web(json!({}))),
        pod(json!({"namespace": "default"}), web(json!({}))),
        pod(json!({"namespace": "other"}), web(json!({}))),
        pod(json!({"creationTimestamp": "yesterday"}), web(json!({}))),
        pod(json!({"lables": {}}), web(json!({}))),
        pod(json!({"labels": 5}), web(json!({}))),
        pod(json!({"labels": {"app": "web"}}), web(spread.clone())),
        pod(json!({"labels": {"app": "api"}}), web(spread)),
        pod(json!({}), web(json!({"restartPolicy": "Sometimes"}))),
        pod(json!({}), web(json!({"nodeSelecter": {}}))),
        pod(json!({}), web(json!({"nodeSelector": {"beta.kubernetes.io/os": "linux"}}))),
        pod(json!({}), web(json!({"automountServiceAccountToken": false}))),
        pod(json!({}), web(json!({"serviceAccountName": "nobody"}))),
        pod(json!({}), web(ephemeral)),
        pod(json!({}), token("kube-api-access-abcde", "kube-api-access-abcde")),
        pod(json!({}), token("own", "kube-api-access-*****")),
        pod(json!({}), token("own", "own")),
        pod(json!({}), json!("none")),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}, "spec": web(json!({})), "statsu": {}}),
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "b"}, "spec": web(json!({})), "status": {}}),
    ]
}

#[test]
fn a_pod_is_answered_alike_after_any_other() {
    use FieldValidation::{Ignore, Strict, Warn};
    let fresh = Cluster::new(Settings { profile: Profile::Controllers, ..Settings::default() });
    let names = ["b", "b.c", "B", ""];
    for first in pods() {
        for (before, validation) in [(Strict, Strict), (Warn, Strict), (Ignore, Warn)] {
            let mut warm = fresh.aside();
            let mut like = first.clone();
            like["metadata"]["name"] = "a".into();
            answer(&mut warm, &like, before);
            for second in pods() {
                for name in names {
                    if name != "b" && second != first {
                        continue;
                    }
                    let mut second = second.clone();
                    second["metadata"]["name"] = name.into();
                    let got = answer(&mut warm.aside(), &second, validation);
                    assert_eq!(got, answer(&mut fresh.aside(), &second, validation), "{first} then {second}");
                }
            }
        }
    }
}
