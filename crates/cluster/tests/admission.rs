//! What admission fills in and forbids.

use podlab_api::{Door, Kind, Object, Request, Status, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;

fn cluster() -> Cluster {
    Cluster::new(Settings { profile: Profile::Controllers, ..Settings::default() })
}

fn create(
    cluster: &mut Cluster,
    kind: &'static Kind,
    name: &str,
    mut rest: Value,
) -> Result<Arc<Object>, Status> {
    rest["apiVersion"] = kind.api_version().into();
    rest["kind"] = kind.kind.into();
    rest["metadata"]["name"] = name.into();
    cluster.request(Request::create(kind, "default", rest)).into_object()
}

fn pod(resources: Value) -> Value {
    json!({"spec": {"containers": [{"name": "c", "image": "nginx", "resources": resources}]}})
}

#[test]
fn a_limit_range_fills_in_and_forbids() {
    let mut cluster = cluster();
    let limits = json!({"spec": {"limits": [{"type": "Container", "default": {"cpu": "500m"},
        "defaultRequest": {"cpu": "250m"}, "max": {"cpu": "1"}}]}});
    create(&mut cluster, &kinds::LIMIT_RANGE, "limits", limits).unwrap();
    let web = create(&mut cluster, &kinds::POD, "web", pod(json!({}))).unwrap();
    let said = web.annotation("kubernetes.io/limit-ranger");
    assert_eq!(said, Some("LimitRanger plugin set: cpu request for container c; cpu limit for container c"));
    assert_eq!(web.pod_status().unwrap().qos_class.as_deref(), Some("Burstable"));
    let refused = create(&mut cluster, &kinds::POD, "big", pod(json!({"limits": {"cpu": "2"}}))).unwrap_err();
    assert_eq!(
        refused.message,
        "pods \"big\" is forbidden: maximum cpu usage per Container is 1, but limit is 2"
    );
}

#[test]
fn what_is_filled_in_before_a_name_is_generated_is_refused_by_its_base() {
    let mut cluster = cluster();
    let mut web = pod(json!({}));
    web["apiVersion"] = "v1".into();
    web["kind"] = "Pod".into();
    web["metadata"]["generateName"] = "web-".into();
    web["spec"]["serviceAccountName"] = "nobody".into();
    let refused = cluster.request(Request::create(&kinds::POD, "default", web)).into_object().unwrap_err();
    let why = "error looking up service account default/nobody: serviceaccount \"nobody\" not found";
    assert_eq!(refused.message, format!("pods \"web-\" is forbidden: {why}"));
}
