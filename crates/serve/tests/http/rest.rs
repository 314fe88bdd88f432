//! Reading and writing objects over HTTP.

use crate::client::Lab;
use serde_json::{Value, json};

const PODS: &str = "/api/v1/namespaces/default/pods";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

fn pod(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "nginx"}]}})
}

fn map(name: &str) -> Value {
    json!({"metadata": {"name": name}, "data": {"k": "v"}})
}

#[test]
fn objects_are_created_read_changed_and_deleted() {
    let lab = Lab::start();
    let created = lab.post(PODS, &pod("web"));
    assert_eq!(created.code, 201, "{}", created.text());
    assert!(
        created
            .text()
            .starts_with(r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"web","namespace":"default""#)
    );
    let read = lab.get(&format!("{PODS}/web")).json();
    assert_eq!(read["spec"]["containers"][0]["terminationMessagePath"], "/dev/termination-log");
    let patch = json!({"metadata": {"labels": {"tier": "front"}}});
    let patched = lab.patch(&format!("{PODS}/web"), "merge-patch+json", &patch);
    assert_eq!((patched.code, &patched.json()["metadata"]["labels"]["tier"]), (200, &json!("front")));
    assert_eq!(lab.post(PODS, &pod("web")).json()["reason"], "AlreadyExists");
    let deleted = lab.send("DELETE", &format!("{PODS}/web?gracePeriodSeconds=0"), &[], b"");
    assert_eq!((deleted.code, &deleted.json()["kind"]), (200, &json!("Pod")));
    assert_eq!(lab.get(&format!("{PODS}/web")).code, 404);
    // Of a ConfigMap the end is told in words.
    lab.post(MAPS, &map("a"));
    let deleted = lab.send("DELETE", &format!("{MAPS}/a"), &[], b"").json();
    assert_eq!((&deleted["status"], &deleted["details"]["kind"]), (&json!("Success"), &json!("configmaps")));
}

#[test]
fn lists_come_in_pages_of_one_version() {
    let lab = Lab::start();
    for name in ["a", "b", "c", "d"] {
        lab.post(MAPS, &map(name));
    }
    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let first = lab.get(&format!("{MAPS}?limit=2")).json();
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(first["metadata"]["remainingItemCount"], 3);
    // What happens meanwhile does not show on the following pages.
    lab.send("DELETE", &format!("{MAPS}/c"), &[], b"");
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = lab.get(&format!("{MAPS}?limit=9&continue={token}")).json();
    assert_eq!(names(&second), ["c", "d", "kube-root-ca.crt"]);
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert_eq!(lab.get(&format!("{MAPS}?continue=x")).code, 400);
    assert_eq!(lab.get(&format!("{MAPS}?resourceVersion=99999999")).code, 504);
}

#[test]
fn tables_and_metadata_are_made_by_the_server() {
    let lab = Lab::start();
    lab.post(PODS, &pod("web"));
    let table = lab.get_as(PODS, TABLE).json();
    assert_eq!(table["kind"], "Table");
    assert_eq!(table["columnDefinitions"][0]["name"], "Name");
    assert_eq!(table["rows"][0]["cells"][0], "web");
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let whole = lab.get_as(&format!("{PODS}?includeObject=Object"), TABLE).json();
    assert_eq!(whole["rows"][0]["object"]["kind"], "Pod");
    let metadata = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
    let list = lab.get_as(PODS, metadata).json();
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["spec"], Value::Null);
}

#[test]
fn a_watch_begins_where_it_is_told() {
    let lab = Lab::start();
    lab.post(MAPS, &map("a"));
    let mut all = lab.open(
        "GET",
        &format!(
            "{MAPS}?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
        ),
        &[],
        b"",
    );
    assert_eq!(all.head().code, 200);
    let initial = all.events();
    assert_eq!((&initial[0]["type"], initial.len()), (&json!("ADDED"), 2));
    let end = all.events();
    assert_eq!(end[0]["type"], "BOOKMARK");
    assert_eq!(end[0]["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    lab.post(MAPS, &map("b"));
    let added = all.events();
    assert_eq!((&added[0]["type"], &added[0]["object"]["metadata"]["name"]), (&json!("ADDED"), &json!("b")));
    let version = added[0]["object"]["metadata"]["resourceVersion"].as_str().unwrap();
    lab.send("DELETE", &format!("{MAPS}/b"), &[], b"");
    let mut later =
        lab.open("GET", &format!("{MAPS}?watch=true&resourceVersion={version}"), &[("Accept", TABLE)], b"");
    later.head();
    let deleted = later.events();
    assert_eq!(deleted[0]["type"], "DELETED");
    assert_eq!(deleted[0]["object"]["rows"][0]["cells"][0], "b");
}

#[test]
fn what_is_not_served_is_refused_as_the_real_server_does() {
    let lab = Lab::start();
    let code = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        lab.send(method, path, headers, body.as_bytes()).code
    };
    assert_eq!(lab.get("/apis/nothing/v1/things").text(), "404 page not found\n");
    let missing = lab.get("/api/v1/nothing").json();
    assert_eq!(missing["message"], "the server could not find the requested resource");
    let text = |answer: crate::client::Answer| answer.json()["message"].as_str().unwrap().to_owned();
    assert_eq!(
        text(lab.send("POST", PODS, &[("Content-Type", "application/json")], b"{")),
        "the object provided is unrecognized (must be of type Pod): couldn't get version/kind; json parse error: unexpected end of JSON input ({)"
    );
    assert_eq!(
        text(lab.post(PODS, &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}))),
        "ConfigMap in version \"v1\" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): unknown conversion"
    );
    lab.post(MAPS, &map("kept"));
    let gone = lab.send("DELETE", &format!("{MAPS}/kept"), &[], br#"{"preconditions": {"uid": "other"}}"#);
    assert!(text(gone).starts_with(
        "Operation cannot be fulfilled on ConfigMap \"kept\": the UID in the precondition (other)"
    ));
    assert_eq!(code("GET", "/apis/apps/v9", &[], ""), 404);
    assert_eq!(code("PUT", PODS, &[], "{}"), 405);
    assert_eq!(code("POST", PODS, &[("Content-Type", "text/plain")], "x"), 415);
    assert_eq!(code("PATCH", &format!("{PODS}/x"), &[("Content-Type", "application/json")], "{}"), 415);
    assert_eq!(code("GET", PODS, &[("Accept", "image/png")], ""), 406);
    assert_eq!(code("POST", PODS, &[("Content-Type", "application/json")], "{"), 400);
    assert_eq!(code("GET", &format!("{PODS}?labelSelector=a%20b"), &[], ""), 400);
    assert_eq!(code("GET", &format!("{PODS}/a%zz"), &[], ""), 400);
}

#[test]
fn who_asks_for_protobuf_gets_it() {
    const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";
    let lab = Lab::start();
    lab.post(MAPS, &map("a"));
    let accept = format!("{PROTOBUF},application/json");
    let list = lab.get_as(MAPS, &accept);
    assert_eq!(list.header("content-type"), Some(PROTOBUF));
    assert!(list.body.starts_with(b"k8s\0\n\x13\n\x02v1\x12\rConfigMapList"));
    let one = lab.get_as(&format!("{MAPS}/a"), &accept);
    // What is given can be sent again.
    lab.send("DELETE", &format!("{MAPS}/a"), &[], b"");
    let sent = lab.send("POST", MAPS, &[("Content-Type", PROTOBUF)], &one.body);
    assert_eq!((sent.code, &sent.json()["data"]), (201, &json!({"k": "v"})));
    let missing = lab.get_as(&format!("{MAPS}/nothing"), PROTOBUF);
    assert!(missing.code == 404 && missing.body.starts_with(b"k8s\0\n\x0c\n\x02v1\x12\x06Status"));
    let mut watch = lab.open("GET", &format!("{MAPS}?watch=1"), &[("Accept", &accept)], b"");
    assert_eq!(watch.head().header("content-type"), Some("application/vnd.kubernetes.protobuf;stream=watch"));
    let frames = watch.chunk().unwrap();
    let length = usize::try_from(u32::from_be_bytes(frames[..4].try_into().unwrap())).unwrap();
    assert!(length < frames.len() && frames[4..].starts_with(b"\n\x05ADDED\x12"));
    // A table has no form in protobuf.
    assert_eq!(lab.get_as(MAPS, &format!("{TABLE},{accept}")).json()["kind"], "Table");
}

#[test]
fn a_kind_may_be_served_in_two_versions() {
    const OLDER: &str = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
    const NEWER: &str = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    let lab = Lab::start();
    let scaler = json!({"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}, "maxReplicas": 3, "targetCPUUtilizationPercentage": 50}});
    let created = lab.post(OLDER, &scaler);
    assert_eq!(
        (created.code, &created.json()["apiVersion"]),
        (201, &json!("autoscaling/v1")),
        "{}",
        created.text()
    );
    let target =
        |lab: &Lab| lab.get(&format!("{NEWER}/a")).json()["spec"]["metrics"][0]["resource"]["target"].clone();
    assert_eq!(target(&lab)["averageUtilization"], 50);
    let patch = json!({"spec": {"targetCPUUtilizationPercentage": 70}});
    assert_eq!(lab.patch(&format!("{OLDER}/a"), "merge-patch+json", &patch).code, 200);
    assert_eq!(target(&lab)["averageUtilization"], 70);
    let list = lab.get(OLDER).json();
    assert_eq!(
        (&list["apiVersion"], &list["items"][0]["spec"]["targetCPUUtilizationPercentage"]),
        (&json!("autoscaling/v1"), &json!(70))
    );
    let event = json!({"metadata": {"name": "e"}, "eventTime": "2026-01-01T00:00:00.000000Z", "reason": "R", "action": "A",
        "type": "Normal", "note": "n", "reportingController": "c/d", "reportingInstance": "i",
        "regarding": {"kind": "Pod", "name": "p", "namespace": "default"}});
    let created = lab.post("/apis/events.k8s.io/v1/namespaces/default/events", &event);
    assert_eq!(created.code, 201, "{}", created.text());
    assert_eq!(lab.get("/api/v1/namespaces/default/events/e").json()["message"], "n");
    let of_pod =
        lab.get("/apis/events.k8s.io/v1/namespaces/default/events?fieldSelector=regarding.name%3Dp").json();
    assert_eq!(of_pod["items"][0]["note"], "n");
}
