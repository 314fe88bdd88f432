//! The lab's default StorageClass: a claim gets a volume on the node of its first pod, and loses it with itself.

use podlab_api::{Door, Object, Request, kinds};
use podlab_cluster::{Cluster, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn claim(cluster: &mut Cluster, class: Option<&str>) {
    let mut claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}});
    if let Some(class) = class {
        claim["spec"]["storageClassName"] = class.into();
    }
    cluster
        .request(Request::create(&kinds::PERSISTENT_VOLUME_CLAIM, "default", claim))
        .into_object()
        .unwrap();
}

fn pod(cluster: &mut Cluster, name: &str, command: &str) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"restartPolicy": "Never",
        "containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", command],
            "volumeMounts": [{"name": "d", "mountPath": "/data"}]}],
        "volumes": [{"name": "d", "persistentVolumeClaim": {"claimName": "c"}}]}});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
}

fn the_claim(cluster: &mut Cluster) -> Arc<Object> {
    cluster.request(Request::get(&kinds::PERSISTENT_VOLUME_CLAIM, "default", "c")).into_object().unwrap()
}

fn volumes(cluster: &mut Cluster) -> Vec<Arc<Object>> {
    cluster.request(Request::list(&kinds::PERSISTENT_VOLUME, "")).into_list().unwrap().items
}

/// Reasons of the events about the claim, in order.
fn reasons(cluster: &mut Cluster) -> Vec<String> {
    let list = cluster.request(Request::list(&kinds::EVENT, "default")).into_list().unwrap();
    let mut all: Vec<Value> = list.items.iter().map(|event| event.to_value()).collect();
    all.retain(|event| event["involvedObject"]["kind"] == "PersistentVolumeClaim");
    all.sort_by_key(|event| event["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap());
    all.iter().map(|event| event["reason"].as_str().unwrap().to_owned()).collect()
}

fn unused(claim: &Object) -> Option<(String, String)> {
    let condition = claim.field("status")?.get("conditions")?.get(0)?;
    Some((condition["status"].as_str()?.to_owned(), condition["reason"].as_str()?.to_owned()))
}

#[test]
fn a_claim_waits_for_its_first_pod_and_then_gets_a_volume_on_its_node() {
    let mut cluster = Cluster::new(Settings::default());
    claim(&mut cluster, None);
    run(&mut cluster, 5);
    assert_eq!(the_claim(&mut cluster).field("spec").unwrap()["storageClassName"], "standard");
    assert_eq!(reasons(&mut cluster), ["WaitForFirstConsumer"]);
    pod(&mut cluster, "w", "echo kept > /data/f");
    run(&mut cluster, 20);
    let claim = the_claim(&mut cluster);
    assert_eq!(claim.field("status").unwrap()["phase"], "Bound");
    assert_eq!(unused(&claim), Some(("True".to_owned(), "NoPodsUsingPVC".to_owned())));
    let made = volumes(&mut cluster);
    let [volume] = made.as_slice() else { panic!("{made:?}") };
    assert_eq!(volume.name(), format!("pvc-{}", claim.uid()));
    let node = cluster.request(Request::get(&kinds::POD, "default", "w")).into_object().unwrap();
    let node = node.node_name().unwrap().to_owned();
    let terms = volume
        .field("spec")
        .unwrap()
        .pointer("/nodeAffinity/required/nodeSelectorTerms/0/matchExpressions/0")
        .unwrap();
    assert_eq!(terms, &json!({"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}));
    let last = reasons(&mut cluster);
    assert_eq!(last[last.len() - 1], "ProvisioningSucceeded");
    // The next pod has to go where the volume is, and finds what the first wrote.
    pod(&mut cluster, "r", "test $(cat /data/f) = kept && sleep 1000");
    run(&mut cluster, 10);
    let next = cluster.request(Request::get(&kinds::POD, "default", "r")).into_object().unwrap();
    assert_eq!(next.pod_status().unwrap().phase.as_deref(), Some("Running"));
    assert_eq!(next.node_name(), Some(node.as_str()));
    assert_eq!(unused(&the_claim(&mut cluster)), Some(("False".to_owned(), "PodUsingPVC".to_owned())));
    // A claim stays while a pod has it, and takes its volume along.
    cluster.request(Request::delete(&kinds::PERSISTENT_VOLUME_CLAIM, "default", "c"));
    run(&mut cluster, 5);
    assert!(the_claim(&mut cluster).is_terminating());
    for name in ["w", "r"] {
        cluster.request(Request::delete(&kinds::POD, "default", name));
    }
    run(&mut cluster, 32);
    assert_eq!(volumes(&mut cluster)[0].field("status").unwrap()["phase"], "Released");
    run(&mut cluster, 5);
    assert!(volumes(&mut cluster).is_empty());
}

#[test]
fn with_immediate_binding_it_does_not_know_where() {
    let mut cluster = Cluster::new(Settings::default());
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "now"},
        "provisioner": "rancher.io/local-path"});
    cluster.request(Request::create(&kinds::STORAGE_CLASS, "", class)).into_object().unwrap();
    claim(&mut cluster, Some("now"));
    run(&mut cluster, 10);
    assert_eq!(reasons(&mut cluster), ["ExternalProvisioning", "Provisioning", "ProvisioningFailed"]);
    assert!(volumes(&mut cluster).is_empty());
}

#[test]
fn a_list_marks_the_class_that_claims_get() {
    let mut cluster = Cluster::new(Settings::default());
    let first_cell = |cluster: &mut Cluster, mut request: Request| {
        request.options.accept = podlab_api::door::Accept::Table;
        match cluster.request(request).body {
            podlab_api::door::ResponseBody::Table(table) => table.rows[0].cells[0].clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(first_cell(&mut cluster, Request::list(&kinds::STORAGE_CLASS, "")), "standard (default)");
    assert_eq!(first_cell(&mut cluster, Request::get(&kinds::STORAGE_CLASS, "", "standard")), "standard");
}
