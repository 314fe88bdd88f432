//! HorizontalPodAutoscaler: replicas by what pods use.

use podlab_api::door::PatchType;
use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::{Cluster, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn deployment(cluster: &mut Cluster, name: &str, command: &str, resources: Value) {
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {"metadata": {"labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": [
                {"name": "c", "image": "busybox", "command": ["sh", "-c", command], "resources": resources}]}}}});
    cluster.request(Request::create(&kinds::DEPLOYMENT, "default", deployment)).into_object().unwrap();
}

fn autoscale(cluster: &mut Cluster, name: &str, more: Value) {
    let mut spec = json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, "maxReplicas": 5,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 50}}}]});
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let hpa = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name}, "spec": spec});
    cluster
        .request(Request::create(&kinds::HORIZONTAL_POD_AUTOSCALER, "default", hpa))
        .into_object()
        .unwrap();
}

fn get(cluster: &mut Cluster, name: &str) -> Arc<Object> {
    let request = Request::get(&kinds::HORIZONTAL_POD_AUTOSCALER, "default", name);
    cluster.request(request).into_object().unwrap()
}

fn replicas(cluster: &mut Cluster, name: &str) -> i64 {
    let request = Request::get(&kinds::DEPLOYMENT, "default", name);
    cluster.request(request).into_object().unwrap().field("spec").unwrap()["replicas"].as_i64().unwrap()
}

/// `type=status reason`, in order.
fn conditions(cluster: &mut Cluster, name: &str) -> Vec<String> {
    let hpa = get(cluster, name);
    let list = hpa.field("status").unwrap()["conditions"].as_array().cloned().unwrap_or_default();
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    list.iter()
        .map(|one| format!("{}={} {}", text(one, "type"), text(one, "status"), text(one, "reason")))
        .collect()
}

/// Reason and text of the events about the autoscaler, in order.
fn events(cluster: &mut Cluster) -> Vec<(String, String)> {
    let list = cluster.request(Request::list(&kinds::EVENT, "default")).into_list().unwrap();
    let mut all: Vec<Value> = list.items.iter().map(|event| event.to_value()).collect();
    all.retain(|event| event["involvedObject"]["kind"] == "HorizontalPodAutoscaler");
    all.sort_by_key(|event| event["firstTimestamp"].as_str().map(str::to_owned));
    let text = |event: &Value, field: &str| event[field].as_str().unwrap().to_owned();
    all.iter().map(|event| (text(event, "reason"), text(event, "message"))).collect()
}

const BUSY: &str = "while :; do :; done";

#[test]
fn it_scales_up_twofold_to_its_bound_and_comes_back_within_new_bounds() {
    let mut cluster = Cluster::new(Settings::default());
    deployment(&mut cluster, "web", BUSY, json!({"requests": {"cpu": "100m"}, "limits": {"cpu": "200m"}}));
    autoscale(&mut cluster, "web", json!({}));
    run(&mut cluster, 1);
    let failed = "failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API";
    assert_eq!(
        events(&mut cluster),
        [
            ("FailedGetResourceMetric".to_owned(), failed.to_owned()),
            (
                "FailedComputeMetricsReplicas".to_owned(),
                format!(
                    "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {failed}"
                )
            ),
        ]
    );
    assert_eq!(
        conditions(&mut cluster, "web"),
        ["AbleToScale=True SucceededGetScale", "ScalingActive=False FailedGetResourceMetric"]
    );
    assert_eq!(get(&mut cluster, "web").field("status").unwrap()["currentMetrics"], json!([{"type": ""}]));
    run(&mut cluster, 300);
    assert_eq!(replicas(&mut cluster, "web"), 5);
    let sizes: Vec<String> = events(&mut cluster)
        .into_iter()
        .filter(|(reason, _)| reason == "SuccessfulRescale")
        .map(|(_, text)| text)
        .collect();
    let above = "cpu resource utilization (percentage of request) above target";
    assert_eq!(sizes, [format!("New size: 4; reason: {above}"), format!("New size: 5; reason: {above}")]);
    assert_eq!(
        conditions(&mut cluster, "web"),
        [
            "AbleToScale=True ReadyForNewScale",
            "ScalingActive=True ValidMetricFound",
            "ScalingLimited=True TooManyReplicas",
            "ScaledToZero=False NotScaledToZero",
        ]
    );
    let status = get(&mut cluster, "web").field("status").unwrap().clone();
    let metric = json!([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 200, "averageValue": "200m"}}}]);
    assert_eq!((&status["currentReplicas"], &status["desiredReplicas"]), (&json!(5), &json!(5)));
    assert_eq!(status["currentMetrics"], metric);
    // A smaller bound is met at once.
    let smaller = json!({"spec": {"maxReplicas": 2}});
    let patch =
        Request::patch(&kinds::HORIZONTAL_POD_AUTOSCALER, "default", "web", PatchType::Merge, smaller);
    cluster.request(patch).into_object().unwrap();
    run(&mut cluster, 1);
    assert_eq!(replicas(&mut cluster, "web"), 2);
    let last = events(&mut cluster).pop().unwrap();
    assert_eq!(last.1, "New size: 2; reason: Current number of replicas above Spec.MaxReplicas");
    // Scaled to none by hand, it is left alone.
    let none = json!({"spec": {"replicas": 0}});
    cluster
        .request(Request::patch(&kinds::DEPLOYMENT, "default", "web", PatchType::Merge, none))
        .into_object()
        .unwrap();
    run(&mut cluster, 60);
    assert_eq!(replicas(&mut cluster, "web"), 0);
    assert!(conditions(&mut cluster, "web").contains(&"ScalingActive=False ScalingDisabled".to_owned()));
}

#[test]
fn it_goes_down_when_nothing_was_needed_for_five_minutes() {
    let mut cluster = Cluster::new(Settings::default());
    deployment(&mut cluster, "web", "sleep 100000", json!({"requests": {"cpu": "100m"}}));
    let three = json!({"spec": {"replicas": 3}});
    cluster
        .request(Request::patch(&kinds::DEPLOYMENT, "default", "web", PatchType::Merge, three))
        .into_object()
        .unwrap();
    autoscale(&mut cluster, "web", json!({}));
    run(&mut cluster, 280);
    assert_eq!(replicas(&mut cluster, "web"), 3);
    assert_eq!(conditions(&mut cluster, "web")[0], "AbleToScale=True ScaleDownStabilized");
    run(&mut cluster, 60);
    assert_eq!(replicas(&mut cluster, "web"), 1);
    assert_eq!(events(&mut cluster).pop().unwrap().1, "New size: 1; reason: All metrics below target");
}

#[test]
fn what_is_missing_is_said_in_kubernetes_words() {
    let mut cluster = Cluster::new(Settings::default());
    deployment(&mut cluster, "web", BUSY, json!({}));
    autoscale(&mut cluster, "web", json!({}));
    autoscale(&mut cluster, "gone", json!({}));
    let kind = json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Nothing", "name": "web"}});
    autoscale(&mut cluster, "kind", kind);
    run(&mut cluster, 40);
    let all = events(&mut cluster);
    let says = |reason: &str, start: &str| {
        assert!(
            all.iter().any(|(known, text)| known == reason && text.starts_with(start)),
            "{start}: {all:#?}"
        );
    };
    says(
        "FailedGetResourceMetric",
        "failed to get cpu utilization: missing request for cpu in container c of Pod web-",
    );
    says("FailedGetScale", "deployments.apps \"gone\" not found");
    says("FailedGetScale", "no matches for kind \"Nothing\" in group \"apps\"");
    assert_eq!(conditions(&mut cluster, "gone"), ["AbleToScale=False FailedGetScale"]);
}

#[test]
fn two_for_the_same_pods_do_nothing() {
    let mut cluster = Cluster::new(Settings::default());
    deployment(&mut cluster, "web", BUSY, json!({"requests": {"cpu": "100m"}}));
    autoscale(&mut cluster, "web", json!({}));
    let other = json!({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}});
    autoscale(&mut cluster, "other", other);
    run(&mut cluster, 120);
    assert_eq!(replicas(&mut cluster, "web"), 1);
    let text =
        "pods by selector app=web are controlled by more than one HPA (e.g. [{other default} {web default}])";
    assert!(events(&mut cluster).contains(&("AmbiguousSelector".to_owned(), text.to_owned())));
}
