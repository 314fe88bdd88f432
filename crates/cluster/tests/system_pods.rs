//! kube-system: what a lab begins with runs.

use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Settings};
use std::collections::BTreeMap;

#[test]
fn all_parts_of_the_cluster_run_when_the_lab_begins() {
    let mut cluster = Cluster::new(Settings::default());
    let pods = cluster.request(Request::list(&kinds::POD, "kube-system")).into_list().unwrap();
    let mut running: BTreeMap<String, u32> = BTreeMap::new();
    for pod in &pods.items {
        let status = pod.pod_status().unwrap();
        assert_eq!(status.phase.as_deref(), Some("Running"), "{}", pod.name());
        let ready =
            status.conditions.iter().flatten().any(|one| one.type_ == "Ready" && one.status == "True");
        assert!(ready, "{}", pod.name());
        let of = pod.metadata.owner_references.as_ref().and_then(|owners| owners.first()).unwrap();
        *running.entry(format!("{}/{}", of.kind, pod.pod_spec().unwrap().containers[0].name)).or_default() +=
            1;
    }
    let expected = [
        ("DaemonSet/kindnet-cni", 3),
        ("DaemonSet/kube-proxy", 3),
        ("Node/etcd", 1),
        ("Node/kube-apiserver", 1),
        ("Node/kube-controller-manager", 1),
        ("Node/kube-scheduler", 1),
        ("ReplicaSet/coredns", 2),
    ];
    assert_eq!(running, expected.map(|(name, count)| (name.to_owned(), count)).into());
}

#[test]
fn a_static_pod_runs_on_when_its_mirror_is_deleted_and_gets_another() {
    let mut cluster = Cluster::new(Settings::default());
    let get = || Request::get(&kinds::POD, "kube-system", "etcd-controlplane");
    let container = |pod: &podlab_api::Object| {
        pod.pod_status().unwrap().container_statuses.as_ref().unwrap()[0].container_id.clone().unwrap()
    };
    let before = cluster.request(get()).into_object().unwrap();
    for _ in 0..2 {
        let last = cluster.request(get()).into_object().unwrap();
        cluster.request(Request::delete(&kinds::POD, "kube-system", "etcd-controlplane"));
        // The next sync comes within 90 s; the status that it finds is written at once.
        cluster.run_until(cluster.sim_now() + std::time::Duration::from_secs(95), || true);
        let after = cluster.request(get()).into_object().unwrap();
        assert_ne!(last.uid(), after.uid());
        assert_eq!(container(&before), container(&after));
        assert_eq!(after.pod_status().unwrap().phase.as_deref(), Some("Running"));
    }
}
