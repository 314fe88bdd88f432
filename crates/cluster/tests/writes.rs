//! What clients write: who comes to own it, and what they are told of what does not fit.

use podlab_api::door::PatchType;
use podlab_api::{Door, Kind, Object, Request, Status, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;

fn cluster() -> Cluster {
    Cluster::new(Settings { profile: Profile::Api, nodes: Vec::new(), ..Settings::default() })
}

fn create(
    cluster: &mut Cluster,
    kind: &'static Kind,
    body: Value,
    dry_run: bool,
) -> Result<Arc<Object>, Status> {
    let mut request = Request::create(kind, if kind.namespaced { "default" } else { "" }, body);
    request.options.field_manager = Some("me".to_owned());
    request.options.dry_run = dry_run;
    cluster.request(request).into_object()
}

fn owned(object: &Object) -> Value {
    object.to_managed_value().pointer("/metadata/managedFields/0/fieldsV1").cloned().unwrap_or_default()
}

fn template(labels: Value) -> Value {
    json!({"metadata": {"labels": labels}, "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "nginx"}]}})
}

#[test]
fn a_job_without_labels_has_those_of_its_template() {
    let mut cluster = cluster();
    for dry_run in [true, false] {
        let job = json!({"metadata": {"name": "j"}, "spec": {"template": template(json!({"a": "b"}))}});
        let job = create(&mut cluster, &kinds::JOB, job, dry_run).unwrap();
        let tree = job.to_value();
        assert_eq!(tree["metadata"]["labels"], tree["spec"]["template"]["metadata"]["labels"], "{dry_run}");
        assert_eq!(tree["metadata"]["labels"]["job-name"], "j");
        assert_eq!(owned(&job)["f:metadata"], json!({"f:labels": {".": {}, "f:a": {}}}), "{dry_run}");
    }
    // Labels of its own stay what they are, also where they are the same.
    let job = json!({"metadata": {"name": "k", "labels": {"a": "b"}}, "spec": {"template": template(json!({"a": "b"}))}});
    let job = create(&mut cluster, &kinds::JOB, job, false).unwrap().to_value();
    assert_eq!(job["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(job["spec"]["template"]["metadata"]["labels"]["job-name"], "k");
}

#[test]
fn a_selector_that_cannot_be_read_is_not_compared() {
    let job = json!({"metadata": {"name": "j"}, "spec": {"manualSelector": true,
        "selector": {"matchLabels": {"a": "a b"}}, "template": template(json!({"a": "b"}))}});
    let refused = create(&mut cluster(), &kinds::JOB, job, false).unwrap_err();
    assert_eq!(refused.details.unwrap().causes.len(), 1);
}

#[test]
fn who_sends_an_empty_list_owns_it() {
    let mut cluster = cluster();
    for dry_run in [true, false] {
        let role = json!({"metadata": {"name": "r"}, "rules": []});
        let role = create(&mut cluster, &kinds::CLUSTER_ROLE, role, dry_run).unwrap();
        assert_eq!(owned(&role), json!({"f:rules": {}}), "{dry_run}");
        assert_eq!(role.to_value()["rules"], Value::Null);
    }
    let role = json!({"metadata": {"name": "none"}});
    let role = create(&mut cluster, &kinds::CLUSTER_ROLE, role, true).unwrap();
    assert_eq!(owned(&role), Value::Null);
}

#[test]
fn who_sends_a_field_of_a_feature_that_is_off_owns_it() {
    let mut cluster = cluster();
    for dry_run in [true, false] {
        let lease =
            json!({"metadata": {"name": "l"}, "spec": {"holderIdentity": "a", "preferredHolder": "b"}});
        let lease = create(&mut cluster, &kinds::LEASE, lease, dry_run).unwrap();
        assert_eq!(lease.to_value()["spec"], json!({"holderIdentity": "a"}));
        let both = json!({"f:spec": {"f:holderIdentity": {}, "f:preferredHolder": {}}});
        assert_eq!(owned(&lease), both, "{dry_run}");
    }
}

#[test]
fn a_resize_that_is_applied_owns_all_that_is_applied() {
    let mut cluster = cluster();
    let pod = json!({"metadata": {"name": "p", "labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    create(&mut cluster, &kinds::POD, pod, false).unwrap();
    let config = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}});
    let mut request =
        Request::patch(&kinds::POD, "default", "p", PatchType::Apply, config).subresource("resize");
    request.options.field_manager = Some("other".to_owned());
    let applied = cluster.request(request).into_object().unwrap();
    assert_eq!(owned(&applied), json!({"f:metadata": {"f:labels": {"f:a": {}}}}));
}

#[test]
fn times_of_a_nodes_conditions_are_written_though_nobody_set_them() {
    let node =
        json!({"metadata": {"name": "n"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
    let node = create(&mut cluster(), &kinds::NODE, node, true).unwrap().to_value();
    let condition = &node["status"]["conditions"][0];
    assert_eq!(condition.get("lastHeartbeatTime"), Some(&Value::Null));
    assert_eq!(condition.get("lastTransitionTime"), Some(&Value::Null));
}

#[test]
fn a_claims_sources_are_the_same() {
    let claim = |source: Value, reference: Value| {
        let claim = json!({"metadata": {"name": "c"}, "spec": {"accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}}, "dataSource": source, "dataSourceRef": reference}});
        create(&mut cluster(), &kinds::PERSISTENT_VOLUME_CLAIM, claim, true)
    };
    let source = json!({"kind": "PersistentVolumeClaim", "name": "a"});
    assert!(claim(source.clone(), source.clone()).is_ok());
    let other = json!({"kind": "PersistentVolumeClaim", "name": "b"});
    let refused = claim(source, other).unwrap_err();
    assert_eq!(
        refused.message,
        "PersistentVolumeClaim \"c\" is invalid: spec: Invalid value: {}: must match dataSourceRef"
    );
}

#[test]
fn a_daemon_sets_selector_is_looked_at_first() {
    let mut cluster = cluster();
    let set = json!({"metadata": {"name": "d"}, "spec": {"selector": {"matchLabels": {"a": "b"}},
        "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}}});
    create(&mut cluster, &kinds::DAEMON_SET, set, false).unwrap();
    let patch = json!({"spec": {"selector": {"matchLabels": {"a": "c"}}}});
    let request = Request::patch(&kinds::DAEMON_SET, "default", "d", PatchType::Merge, patch);
    let refused = cluster.request(request).into_object().unwrap_err();
    let fields: Vec<String> = refused.details.unwrap().causes.into_iter().map(|cause| cause.field).collect();
    assert_eq!(fields, ["spec.selector", "spec.template.metadata.labels"]);
}

#[test]
fn what_becomes_of_dependents_is_said_one_way() {
    let mut cluster = cluster();
    create(&mut cluster, &kinds::CONFIG_MAP, json!({"metadata": {"name": "a"}}), false).unwrap();
    let mut refused = |options: Value| {
        let request = Request::delete(&kinds::CONFIG_MAP, "default", "a").body(options);
        cluster.request(request).into_object().unwrap_err()
    };
    let both = refused(json!({"propagationPolicy": "Background", "orphanDependents": false}));
    assert_eq!(
        (both.code, both.message.as_str()),
        (
            422,
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"Background\": \
             orphanDependents and deletionPropagation cannot be both set"
        )
    );
    let said = |status: Status| (status.code, status.message);
    assert_eq!(
        said(refused(json!({"gracePeriodSeconds": "5"}))),
        (
            400,
            "json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64".to_owned()
        )
    );
    assert_eq!(
        said(refused(json!({"apiVersion": "v1", "kind": "Pod"}))),
        (
            400,
            "no kind \"Pod\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:111\""
                .to_owned()
        )
    );
    let dry_run = refused(json!({"preconditions": {"uid": "abc"}, "dryRun": ["All"]}));
    assert_eq!((dry_run.code, dry_run.reason), (409, "Conflict"));
    assert_eq!(
        refused(json!({"apiVersion": "apps/v1", "dryRun": ["None"]})).message,
        "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"None\"]: supported values: \"All\""
    );
    assert_eq!(
        refused(json!({"propagationPolicy": "Sideways"})).message,
        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Sideways\": supported values: \
         \"Foreground\", \"Background\", \"Orphan\", \"nil\""
    );
}

#[test]
fn a_dry_run_of_a_deletion_is_carried_out_and_forgotten() {
    let mut cluster = cluster();
    let claim = json!({"metadata": {"name": "a", "finalizers": ["example.com/a"]}});
    create(&mut cluster, &kinds::CONFIG_MAP, claim, false).unwrap();
    let mut request = Request::delete(&kinds::CONFIG_MAP, "default", "a");
    request.options.dry_run = true;
    let told = cluster.request(request).into_object().unwrap();
    assert!(told.metadata.deletion_timestamp.is_some());
    let kept = cluster.request(Request::get(&kinds::CONFIG_MAP, "default", "a")).into_object().unwrap();
    assert!(kept.metadata.deletion_timestamp.is_none());
    let mut request = Request::delete(&kinds::CONFIG_MAP, "default", "a");
    request.options.dry_run = true;
    request.options.precondition_uid = Some("abc".to_owned());
    assert_eq!(cluster.request(request).into_object().unwrap_err().code, 409);
}

#[test]
fn what_is_said_of_topology_is_owned_and_dropped() {
    let slice = json!({"metadata": {"name": "s"}, "addressType": "IPv4",
        "endpoints": [{"addresses": ["10.1.2.3"], "deprecatedTopology": {"a": "b"}}], "ports": []});
    let slice = create(&mut cluster(), &kinds::ENDPOINT_SLICE, slice, false).unwrap();
    assert_eq!(slice.to_value()["endpoints"][0].get("deprecatedTopology"), None);
    let entries = slice.to_managed_value()["metadata"]["managedFields"].take();
    assert_eq!(entries.as_array().unwrap().len(), 1, "{entries}");
    assert_eq!(owned(&slice)["f:endpoints"], json!({}));
}

#[test]
fn a_jobs_pods_are_left_where_nobody_says_otherwise() {
    let mut cluster = Cluster::new(Settings::default());
    let job = json!({"metadata": {"name": "j"}, "spec": {"suspend": true, "template": template(json!({"a": "b"}))}});
    let job = create(&mut cluster, &kinds::JOB, job, false).unwrap();
    let mut owned =
        json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    owned["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "j", "uid": job.uid()}]);
    create(&mut cluster, &kinds::POD, owned, false).unwrap();
    let mut request = Request::delete(&kinds::JOB, "default", "j");
    request.options.dry_run = true;
    let response = cluster.request(request.clone());
    assert_eq!(response.warnings.len(), 1, "{:?}", response.warnings);
    let finalizers = response.into_object().unwrap().metadata.finalizers.clone().unwrap_or_default();
    assert_eq!(finalizers.last().map(String::as_str), Some("orphan"));
    request.options.propagation = Some(podlab_api::door::Propagation::Background);
    let response = cluster.request(request);
    assert!(response.warnings.is_empty());
    assert!(!response.into_object().unwrap().metadata.finalizers.iter().flatten().any(|one| one == "orphan"));
}
