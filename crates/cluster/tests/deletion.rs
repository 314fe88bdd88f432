//! What goes with what: owners and their dependents, namespaces and what they hold.

use podlab_api::door::{PatchType, Propagation};
use podlab_api::{Door, Kind, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::time::Duration;

fn cluster() -> Cluster {
    Cluster::new(Settings { profile: Profile::Bare, ..Settings::default() })
}

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn create(cluster: &mut Cluster, kind: &'static Kind, namespace: &str, metadata: Value) -> String {
    let body = json!({"apiVersion": kind.api_version(), "kind": kind.kind, "metadata": metadata});
    cluster.request(Request::create(kind, namespace, body)).into_object().unwrap().uid().to_owned()
}

fn get(cluster: &mut Cluster, kind: &'static Kind, namespace: &str, name: &str) -> Option<Value> {
    let found = cluster.request(Request::get(kind, namespace, name)).into_object().ok();
    found.map(|object| object.to_value())
}

fn owner(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": name, "uid": uid, "blockOwnerDeletion": true})
}

fn delete(cluster: &mut Cluster, name: &str, how: Propagation) {
    let mut request = Request::delete(&kinds::CONFIG_MAP, "default", name);
    request.options.propagation = Some(how);
    cluster.request(request).into_object().unwrap();
}

#[test]
fn a_second_owner_keeps_what_the_first_one_would_take_along() {
    let mut cluster = cluster();
    let first = create(&mut cluster, &kinds::CONFIG_MAP, "default", json!({"name": "first"}));
    let second = create(&mut cluster, &kinds::CONFIG_MAP, "default", json!({"name": "second"}));
    let both = json!([owner("first", &first), owner("second", &second)]);
    create(&mut cluster, &kinds::CONFIG_MAP, "default", json!({"name": "both", "ownerReferences": both}));
    let one = json!([owner("first", &first)]);
    create(&mut cluster, &kinds::CONFIG_MAP, "default", json!({"name": "one", "ownerReferences": one}));
    delete(&mut cluster, "first", Propagation::Foreground);
    run(&mut cluster, 30);
    let mut kept = |name: &str| get(&mut cluster, &kinds::CONFIG_MAP, "default", name);
    assert!(kept("first").is_none() && kept("one").is_none());
    assert_eq!(kept("both").unwrap()["metadata"]["ownerReferences"], json!([owner("second", &second)]));
}

#[test]
fn a_circle_of_owners_goes_as_a_whole() {
    let mut cluster = cluster();
    let names = ["a", "b", "c"];
    let uids = names.map(|name| create(&mut cluster, &kinds::CONFIG_MAP, "default", json!({"name": name})));
    for (index, name) in names.iter().enumerate() {
        let of = (index + 2) % 3;
        let patch = json!({"metadata": {"ownerReferences": [owner(names[of], &uids[of])]}});
        let request = Request::patch(&kinds::CONFIG_MAP, "default", name, PatchType::Merge, patch);
        cluster.request(request).into_object().unwrap();
    }
    delete(&mut cluster, "a", Propagation::Foreground);
    run(&mut cluster, 60);
    for name in names {
        assert!(get(&mut cluster, &kinds::CONFIG_MAP, "default", name).is_none(), "{name}");
    }
}

#[test]
fn a_namespaces_pods_go_before_all_else() {
    let mut cluster = cluster();
    create(&mut cluster, &kinds::NAMESPACE, "", json!({"name": "n"}));
    create(&mut cluster, &kinds::CONFIG_MAP, "n", json!({"name": "map"}));
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "finalizers": ["example.com/stay"]},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]}});
    cluster.request(Request::create(&kinds::POD, "n", pod)).into_object().unwrap();
    run(&mut cluster, 10);
    cluster.request(Request::delete(&kinds::NAMESPACE, "", "n"));
    run(&mut cluster, 120);
    assert!(get(&mut cluster, &kinds::CONFIG_MAP, "n", "map").is_some());
    let patch = json!({"metadata": {"finalizers": null}});
    cluster.request(Request::patch(&kinds::POD, "n", "p", PatchType::Merge, patch)).into_object().unwrap();
    run(&mut cluster, 60);
    assert!(get(&mut cluster, &kinds::NAMESPACE, "", "n").is_none());
}

#[test]
fn a_namespace_tells_whose_finalizers_hold_it() {
    let mut cluster = cluster();
    create(&mut cluster, &kinds::NAMESPACE, "", json!({"name": "n"}));
    let metadata = json!({"name": "map", "finalizers": ["example.com/stay"]});
    create(&mut cluster, &kinds::CONFIG_MAP, "n", metadata);
    cluster.request(Request::delete(&kinds::NAMESPACE, "", "n"));
    run(&mut cluster, 60);
    let namespace = get(&mut cluster, &kinds::NAMESPACE, "", "n").unwrap();
    let conditions = namespace["status"]["conditions"].as_array().unwrap();
    let message = |name: &str| conditions.iter().find(|c| c["type"] == name).unwrap()["message"].clone();
    assert_eq!(
        message("NamespaceFinalizersRemaining"),
        "Some content in the namespace has finalizers remaining: example.com/stay in 1 resource instances"
    );
    assert_eq!(
        message("NamespaceContentRemaining"),
        "Some resources are remaining: configmaps. has 1 resource instances"
    );
}

#[test]
fn the_ca_of_a_namespace_is_kept_as_it_is() {
    let mut cluster = cluster();
    create(&mut cluster, &kinds::NAMESPACE, "", json!({"name": "n"}));
    run(&mut cluster, 5);
    let name = "kube-root-ca.crt";
    let before = get(&mut cluster, &kinds::CONFIG_MAP, "n", name).unwrap();
    let patch = json!({"data": {"ca.crt": "", "more": "x"}});
    let request = Request::patch(&kinds::CONFIG_MAP, "n", name, PatchType::Merge, patch);
    cluster.request(request).into_object().unwrap();
    run(&mut cluster, 5);
    assert_eq!(get(&mut cluster, &kinds::CONFIG_MAP, "n", name).unwrap()["data"], before["data"]);
}
