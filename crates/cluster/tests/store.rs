//! The store, the door and the past, without scheduler and kubelets.

use podlab_api::door::{ResponseBody, Verb};
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use podlab_sim::SimTime;
use serde_json::json;
use std::time::Duration;

fn api() -> Cluster {
    Cluster::new(Settings { profile: Profile::Api, ..Settings::default() })
}

fn pod(name: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]}})
}

#[test]
fn a_cluster_begins_with_nodes_and_namespaces() {
    let mut cluster = api();
    let nodes = cluster.request(Request::list(&kinds::NODE, "")).into_list().unwrap();
    let names: Vec<_> = nodes.items.iter().map(|n| n.name().to_owned()).collect();
    assert_eq!(names, ["controlplane", "node01", "node02"]);
    assert!(nodes.items[1].node_spec().unwrap().taints.is_none());
    assert_eq!(cluster.request(Request::list(&kinds::NAMESPACE, "")).into_list().unwrap().items.len(), 4);
}

#[test]
fn a_pod_is_stored_once_and_found_again() {
    let mut cluster = api();
    let made = cluster.request(Request::create(&kinds::POD, "default", pod("web"))).into_object().unwrap();
    assert_eq!(made.pod_status().unwrap().phase.as_deref(), Some("Pending"));
    let again = cluster.request(Request::create(&kinds::POD, "default", pod("web")));
    assert_eq!(again.code, 409);
    let ResponseBody::Status(status) = again.body else { panic!() };
    assert_eq!(status.message, "pods \"web\" already exists");
    let missing = cluster.request(Request::create(&kinds::POD, "nowhere", pod("web")));
    let ResponseBody::Status(status) = missing.body else { panic!() };
    assert_eq!(status.message, "namespaces \"nowhere\" not found");
}

#[test]
fn the_past_can_be_looked_at_and_taken_back() {
    let mut cluster = api();
    cluster.run_until(SimTime::START + Duration::from_secs(10), || true);
    cluster.request(Request::create(&kinds::POD, "default", pod("web")));
    cluster.run_until(SimTime::START + Duration::from_secs(20), || true);
    let count =
        |c: &mut Cluster| c.request(Request::list(&kinds::POD, "default")).into_list().unwrap().items.len();
    assert_eq!(count(&mut cluster.at(SimTime::START + Duration::from_secs(5))), 0);
    assert_eq!(count(&mut cluster.at(SimTime::START + Duration::from_secs(15))), 1);
    assert_eq!(count(&mut cluster.before_input(0).unwrap()), 0);
    assert_eq!(count(&mut cluster), 1);
}

#[test]
fn a_list_and_a_watch_from_it_tell_the_whole_story() {
    let mut cluster = api();
    let list = cluster.request(Request::list(&kinds::POD, "")).into_list().unwrap();
    let mut request = Request::new(Verb::Watch, &kinds::POD);
    request.options.resource_version = Some(list.resource_version.to_string());
    let ResponseBody::Watch(mut cursor) = cluster.request(request).body else { panic!() };
    cluster.request(Request::create(&kinds::POD, "default", pod("web")));
    cluster.request(Request::delete(&kinds::POD, "default", "web"));
    let events = cluster.watch(&mut cursor).unwrap();
    let seen: Vec<_> = events.iter().map(|e| e.change.as_str()).collect();
    assert_eq!(seen, ["ADDED", "MODIFIED", "DELETED"]);
    assert!(cluster.watch(&mut cursor).unwrap().is_empty());
}

fn bare() -> Cluster {
    Cluster::new(Settings { profile: Profile::Bare, ..Settings::default() })
}

#[test]
fn a_namespace_goes_with_all_that_is_in_it() {
    let mut cluster = bare();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}});
    cluster.request(Request::create(&kinds::NAMESPACE, "", namespace)).into_object().unwrap();
    let made = cluster.request(Request::create(&kinds::POD, "team", pod("web"))).into_object().unwrap();
    assert_eq!(made.pod_spec().unwrap().service_account_name.as_deref(), Some("default"));
    cluster.request(Request::delete(&kinds::NAMESPACE, "", "team"));
    let state = |c: &mut Cluster| c.request(Request::get(&kinds::NAMESPACE, "", "team")).into_object().ok();
    assert!(state(&mut cluster).unwrap().is_terminating());
    cluster.run_until(cluster.sim_now() + Duration::from_secs(60), || true);
    assert!(state(&mut cluster).is_none());
    assert!(cluster.request(Request::get(&kinds::POD, "team", "web")).into_object().is_err());
}

#[test]
fn a_pod_without_its_owner_is_collected() {
    let mut cluster = bare();
    let mut orphan = pod("orphan");
    orphan["metadata"]["ownerReferences"] = json!([{"apiVersion": "v1", "kind": "ReplicationController",
        "name": "gone", "uid": "11111111-1111-4111-8111-111111111111"}]);
    cluster.request(Request::create(&kinds::POD, "default", orphan)).into_object().unwrap();
    cluster.run_until(cluster.sim_now() + Duration::from_secs(2), || true);
    assert!(cluster.request(Request::get(&kinds::POD, "default", "orphan")).into_object().is_err());
}
