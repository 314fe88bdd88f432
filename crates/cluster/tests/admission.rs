//! What admission fills in and forbids.

use podlab_api::{Door, Kind, Object, Request, Status, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

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

fn used(cluster: &mut Cluster, resource: &str) -> String {
    let quota = cluster.request(Request::get(&kinds::RESOURCE_QUOTA, "default", "q")).into_object().unwrap();
    let used = quota.field("status").unwrap()["used"][resource].clone();
    used.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_quota_counts_and_forbids() {
    let mut cluster = cluster();
    let hard = json!({"pods": "3", "requests.cpu": "1", "configmaps": "2", "count/deployments.apps": "1"});
    create(&mut cluster, &kinds::RESOURCE_QUOTA, "q", json!({"spec": {"hard": hard}})).unwrap();
    assert_eq!(used(&mut cluster, "configmaps"), "1");
    let refused = create(&mut cluster, &kinds::POD, "a", pod(json!({}))).unwrap_err();
    let why = "failed quota: q: must specify requests.cpu for: c";
    assert_eq!(refused.message, format!("pods \"a\" is forbidden: {why}"));
    let wanting = || pod(json!({"requests": {"cpu": "600m"}}));
    create(&mut cluster, &kinds::POD, "b", wanting()).unwrap();
    assert_eq!((used(&mut cluster, "pods"), used(&mut cluster, "requests.cpu")), ("1".into(), "600m".into()));
    let refused = create(&mut cluster, &kinds::POD, "c", wanting()).unwrap_err();
    let why =
        "exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1";
    assert_eq!(refused.message, format!("pods \"c\" is forbidden: {why}"));
    create(&mut cluster, &kinds::CONFIG_MAP, "a", json!({})).unwrap();
    // A name that is taken, and a dry run, cost nothing.
    assert!(create(&mut cluster, &kinds::CONFIG_MAP, "a", json!({})).is_err());
    let refused = create(&mut cluster, &kinds::CONFIG_MAP, "b", json!({})).unwrap_err();
    let why = "exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2";
    assert_eq!(refused.message, format!("configmaps \"b\" is forbidden: {why}"));
    let mut delete = Request::delete(&kinds::POD, "default", "b");
    delete.options.grace_period_seconds = Some(0);
    cluster.request(delete).into_object().unwrap();
    cluster.run_until(cluster.sim_now() + std::time::Duration::from_secs(1), || true);
    assert_eq!((used(&mut cluster, "pods"), used(&mut cluster, "requests.cpu")), ("0".into(), "0".into()));
}

#[test]
fn a_quota_of_a_scope_counts_what_is_in_it() {
    let mut cluster = cluster();
    let spec = json!({"spec": {"hard": {"pods": "0"}, "scopes": ["BestEffort"]}});
    create(&mut cluster, &kinds::RESOURCE_QUOTA, "q", spec).unwrap();
    create(&mut cluster, &kinds::POD, "asks", pod(json!({"requests": {"cpu": "1"}}))).unwrap();
    let refused = create(&mut cluster, &kinds::POD, "plain", pod(json!({}))).unwrap_err();
    let why = "exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0";
    assert_eq!(refused.message, format!("pods \"plain\" is forbidden: {why}"));
}

#[test]
fn what_a_client_writes_is_checked_for_every_kind() {
    let mut cluster = cluster();
    let refused = create(&mut cluster, &kinds::LEASE, "l", json!({"spec": {"leaseDurationSeconds": -1}}));
    assert_eq!(refused.unwrap_err().code, 422);
    let slice = json!({"addressType": "IPv9", "endpoints": []});
    assert_eq!(create(&mut cluster, &kinds::ENDPOINT_SLICE, "s", slice).unwrap_err().code, 422);
    let endpoints = json!({"subsets": [{"addresses": [{"ip": "x"}], "ports": [{"port": 80}]}]});
    assert_eq!(create(&mut cluster, &kinds::ENDPOINTS, "e", endpoints).unwrap_err().code, 422);
}

#[test]
fn a_resize_is_held_to_its_rules_and_changes_nothing_else() {
    let mut cluster = cluster();
    create(&mut cluster, &kinds::POD, "web", pod(json!({"requests": {"cpu": "1"}}))).unwrap();
    let mut resize = |container: Value| {
        let merge = podlab_api::door::PatchType::StrategicMerge;
        let mut patch = Request::patch(
            &kinds::POD,
            "default",
            "web",
            merge,
            json!({"spec": {"containers": [container]}}),
        );
        patch.subresource = Some("resize".into());
        cluster.request(patch).into_object()
    };
    let web =
        resize(json!({"name": "c", "image": "other", "resources": {"requests": {"cpu": "2"}}})).unwrap();
    let container = &web.pod_spec().unwrap().containers[0];
    assert_eq!(container.image.as_deref(), Some("nginx"));
    assert_eq!(container.resources.as_ref().unwrap().requests.as_ref().unwrap()["cpu"].0, "2");
    let refused = resize(json!({"name": "c", "resources": {"requests": {"cpu": null}}})).unwrap_err();
    assert!(refused.message.contains("resource requests cannot be removed"), "{}", refused.message);
}

#[test]
fn a_claim_in_use_outlives_its_deletion() {
    let mut cluster = cluster();
    let claim =
        json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    let claim = create(&mut cluster, &kinds::PERSISTENT_VOLUME_CLAIM, "data", claim).unwrap();
    assert_eq!(claim.metadata.finalizers.as_deref(), Some(&["kubernetes.io/pvc-protection".to_owned()][..]));
    let mut web = pod(json!({}));
    web["spec"]["nodeName"] = "node01".into();
    web["spec"]["volumes"] = json!([{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]);
    create(&mut cluster, &kinds::POD, "web", web).unwrap();

    let get = Request::get(&kinds::PERSISTENT_VOLUME_CLAIM, "default", "data");
    let delete = |kind, name| {
        let mut request = Request::delete(kind, "default", name);
        request.options.grace_period_seconds = Some(0);
        request
    };
    let settle = |cluster: &mut Cluster| {
        cluster.run_until(cluster.sim_now() + Duration::from_secs(5), || true);
    };
    assert!(cluster.request(delete(&kinds::PERSISTENT_VOLUME_CLAIM, "data")).code < 300);
    settle(&mut cluster);
    let kept = cluster.request(get.clone()).into_object().unwrap();
    assert!(kept.is_terminating());
    assert!(cluster.request(delete(&kinds::POD, "web")).code < 300);
    settle(&mut cluster);
    assert!(cluster.request(get).into_object().unwrap_err().is_not_found());
}

#[test]
fn the_newest_default_class_is_filled_in() {
    let mut cluster = cluster();
    let annotations = json!({"storageclass.kubernetes.io/is-default-class": "true"});
    let class = json!({"metadata": {"annotations": annotations}, "provisioner": "example.com/disk"});
    for name in ["b", "a"] {
        create(&mut cluster, &kinds::STORAGE_CLASS, name, class.clone()).unwrap();
    }
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let mut class_of = |name: &str, spec: Value| {
        let claim =
            create(&mut cluster, &kinds::PERSISTENT_VOLUME_CLAIM, name, json!({"spec": spec})).unwrap();
        claim.field("spec").unwrap()["storageClassName"].clone()
    };
    // Both are of one instant: the first by name counts.
    assert_eq!(class_of("one", spec.clone()), "a");
    let mut none = spec;
    none["storageClassName"] = "".into();
    assert_eq!(class_of("two", none), "");
}

#[test]
fn a_namespace_s_labels_say_what_its_pods_may_ask_for() {
    let mut cluster = cluster();
    let namespace = |labels: Value| {
        json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "safe", "labels": labels}})
    };
    let wrong = namespace(json!({"pod-security.kubernetes.io/enforce": "strict"}));
    let refused = cluster.request(Request::create(&kinds::NAMESPACE, "", wrong)).into_object().unwrap_err();
    assert!(
        refused.message.ends_with("must be one of privileged, baseline, restricted"),
        "{}",
        refused.message
    );
    let safe = namespace(json!({"pod-security.kubernetes.io/enforce": "baseline"}));
    cluster.request(Request::create(&kinds::NAMESPACE, "", safe)).into_object().unwrap();
    cluster.run_until(cluster.sim_now() + Duration::from_secs(2), || true);

    let mut web = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers":
        [{"name": "a", "image": "nginx", "securityContext": {"privileged": true}, "ports": [{"containerPort": 80, "hostPort": 80}]}]}});
    let refused =
        cluster.request(Request::create(&kinds::POD, "safe", web.clone())).into_object().unwrap_err();
    assert_eq!(
        refused.message,
        "pods \"web\" is forbidden: violates PodSecurity \"baseline:latest\": hostPort (container \"a\" uses hostPort 80), \
         privileged (container \"a\" must not set securityContext.privileged=true)"
    );
    web["spec"]["containers"] = json!([{"name": "a", "image": "nginx"}]);
    cluster.request(Request::create(&kinds::POD, "safe", web)).into_object().unwrap();
    let stricter = json!({"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}});
    let patch = Request::patch(&kinds::NAMESPACE, "", "safe", podlab_api::door::PatchType::Merge, stricter);
    assert_eq!(
        cluster.request(patch).warnings,
        [
            "existing pods in namespace \"safe\" violate the new PodSecurity enforce level \"restricted:latest\"",
            "web: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile"
        ]
    );
}
