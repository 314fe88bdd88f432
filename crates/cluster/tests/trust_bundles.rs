//! ClusterTrustBundles in the volumes of pods.

use podlab_api::door::{ResponseBody, Verb};
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::time::Duration;

fn pem(body: &str) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

fn bundle(cluster: &mut Cluster, name: &str, label: &str, bodies: &[&str]) {
    let text: String = bodies.iter().map(|body| format!("a comment\n{}", pem(body))).collect();
    let body = json!({"metadata": {"name": format!("example.com:signer:{name}"), "labels": {"a": label}},
        "spec": {"signerName": "example.com/signer", "trustBundle": text}});
    cluster.request(Request::create(&kinds::CLUSTER_TRUST_BUNDLE, "", body)).into_object().unwrap();
}

fn pod(cluster: &mut Cluster, name: &str, projection: Value) {
    let spec = json!({"restartPolicy": "Never",
        "volumes": [{"name": "v", "projected": {"sources": [{"clusterTrustBundle": projection}]}}],
        "containers": [{"name": "c", "image": "busybox", "command": ["cat", "/v/ca.pem"],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]});
    let body = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
    cluster.request(Request::create(&kinds::POD, "default", body)).into_object().unwrap();
}

fn log(cluster: &mut Cluster, name: &str) -> String {
    let asked = Request::new(Verb::Get, &kinds::POD).namespace("default").name(name).subresource("log");
    match cluster.request(asked).body {
        ResponseBody::Stream(id) => String::from_utf8(cluster.stream(id).stdout).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn trust_anchors_are_collected_each_once() {
    let mut cluster = Cluster::new(Settings { profile: Profile::Bare, ..Settings::default() });
    bundle(&mut cluster, "one", "x", &["AQID", "BAUG"]);
    bundle(&mut cluster, "two", "y", &["AQID", "BwgJ"]);
    let signer = "example.com/signer";
    pod(&mut cluster, "named", json!({"name": "example.com:signer:two", "path": "ca.pem"}));
    pod(&mut cluster, "all", json!({"signerName": signer, "labelSelector": {}, "path": "ca.pem"}));
    let labelled = json!({"matchLabels": {"a": "x"}});
    pod(&mut cluster, "some", json!({"signerName": signer, "labelSelector": labelled, "path": "ca.pem"}));
    pod(&mut cluster, "optional", json!({"name": "no", "optional": true, "path": "ca.pem"}));
    // Without a selector nothing is meant.
    pod(&mut cluster, "nothing", json!({"signerName": signer, "path": "ca.pem"}));
    pod(&mut cluster, "missing", json!({"name": "no", "path": "ca.pem"}));
    cluster.run_until(cluster.sim_now() + Duration::from_secs(30), || true);
    let all = |bodies: &[&str]| bodies.iter().map(|body| pem(body)).collect::<String>();
    assert_eq!(log(&mut cluster, "named"), all(&["AQID", "BwgJ"]));
    assert_eq!(log(&mut cluster, "all"), all(&["AQID", "BAUG", "BwgJ"]));
    assert_eq!(log(&mut cluster, "some"), all(&["AQID", "BAUG"]));
    assert_eq!(log(&mut cluster, "optional"), "");
    for name in ["nothing", "missing"] {
        let pod = cluster.request(Request::get(&kinds::POD, "default", name)).into_object().unwrap();
        assert_eq!(pod.pod_status().unwrap().phase.as_deref(), Some("Pending"), "{name}");
    }
    let events = cluster.request(Request::list(&kinds::EVENT, "default")).into_list().unwrap().items;
    let said =
        |text: &str| events.iter().any(|event| event.to_value()["message"].as_str().unwrap().contains(text));
    assert!(said("combination of signerName and labelSelector matched zero ClusterTrustBundles"));
    assert!(said("clustertrustbundle.certificates.k8s.io \"no\" not found"));
}
