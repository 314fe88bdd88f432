//! Claims and the volumes that they get.

use podlab_api::{Door, Kind, Object, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn cluster() -> Cluster {
    Cluster::new(Settings { profile: Profile::Bare, ..Settings::default() })
}

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn create(cluster: &mut Cluster, kind: &'static Kind, name: &str, spec: Value) {
    let object = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": {"name": name}, "spec": spec});
    let namespace = if kind.namespaced { "default" } else { "" };
    cluster.request(Request::create(kind, namespace, object)).into_object().unwrap();
}

fn volume(cluster: &mut Cluster, name: &str, size: &str, rest: Value) {
    let mut spec = json!({"capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}});
    for (key, value) in rest.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    create(cluster, &kinds::PERSISTENT_VOLUME, name, spec);
}

fn claim(cluster: &mut Cluster, name: &str, size: &str, rest: Value) {
    let mut spec = json!({"resources": {"requests": {"storage": size}}, "accessModes": ["ReadWriteOnce"]});
    for (key, value) in rest.as_object().into_iter().flatten() {
        spec[key] = value.clone();
    }
    create(cluster, &kinds::PERSISTENT_VOLUME_CLAIM, name, spec);
}

fn get(cluster: &mut Cluster, kind: &'static Kind, name: &str) -> Arc<Object> {
    let namespace = if kind.namespaced { "default" } else { "" };
    cluster.request(Request::get(kind, namespace, name)).into_object().unwrap()
}

fn state(cluster: &mut Cluster, kind: &'static Kind, name: &str) -> String {
    let object = get(cluster, kind, name);
    let field = |path: &str| object.to_value().pointer(path).and_then(Value::as_str).unwrap_or("").to_owned();
    format!("{} {}{}", field("/status/phase"), field("/spec/volumeName"), field("/spec/claimRef/name"))
}

#[test]
fn a_claim_gets_the_smallest_volume_that_fits() {
    let mut cluster = cluster();
    volume(&mut cluster, "big", "10Gi", json!({}));
    volume(&mut cluster, "small", "1Gi", json!({}));
    volume(&mut cluster, "other-class", "2Gi", json!({"storageClassName": "fast"}));
    volume(&mut cluster, "more-modes", "2Gi", json!({"accessModes": ["ReadWriteOnce", "ReadWriteMany"]}));
    volume(&mut cluster, "fits", "5Gi", json!({}));
    claim(&mut cluster, "data", "2Gi", json!({}));
    run(&mut cluster, 2);
    assert_eq!(state(&mut cluster, &kinds::PERSISTENT_VOLUME_CLAIM, "data"), "Bound fits");
    assert_eq!(state(&mut cluster, &kinds::PERSISTENT_VOLUME, "fits"), "Bound data");
    assert_eq!(state(&mut cluster, &kinds::PERSISTENT_VOLUME, "big"), "Available ");
    let bound = get(&mut cluster, &kinds::PERSISTENT_VOLUME_CLAIM, "data").to_value();
    assert_eq!(bound.pointer("/status/capacity/storage").unwrap(), "5Gi");

    // The volume is kept when the claim goes.
    cluster.request(Request::delete(&kinds::PERSISTENT_VOLUME_CLAIM, "default", "data"));
    run(&mut cluster, 2);
    assert_eq!(state(&mut cluster, &kinds::PERSISTENT_VOLUME, "fits"), "Released data");
}

#[test]
fn a_claim_waits_for_a_volume_and_says_so() {
    let mut cluster = cluster();
    claim(&mut cluster, "data", "2Gi", json!({"storageClassName": ""}));
    claim(&mut cluster, "fast", "2Gi", json!({"storageClassName": "fast"}));
    run(&mut cluster, 40);
    assert_eq!(state(&mut cluster, &kinds::PERSISTENT_VOLUME_CLAIM, "data"), "Pending ");
    let events = cluster.request(Request::list(&kinds::EVENT, "default")).into_list().unwrap().items;
    let mut told: Vec<String> = events
        .iter()
        .map(|event| event.to_value())
        .filter(|event| event["involvedObject"]["kind"] == "PersistentVolumeClaim")
        .map(|event| format!("{} {}: {}", event["count"], event["reason"], event["message"]))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            r#"3 "FailedBinding": "no persistent volumes available for this claim and no storage class is set""#,
            r#"3 "ProvisioningFailed": "storageclass.storage.k8s.io \"fast\" not found""#
        ]
    );
    volume(&mut cluster, "late", "2Gi", json!({}));
    run(&mut cluster, 2);
    assert_eq!(state(&mut cluster, &kinds::PERSISTENT_VOLUME_CLAIM, "data"), "Bound late");
}
