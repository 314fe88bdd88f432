//! NetworkPolicies: who reaches whom, as a pod's own `wget` and `nslookup` see it.

use podlab_api::door::PatchType;
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Settings};
use serde_json::{Value, json};
use std::time::Duration;

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

/// Namespaces `default` and `other` (labelled `team: b`), a server in `default` (80 named `http`, label `app: web`) and
/// its Service.
fn cluster() -> Cluster {
    let mut cluster = Cluster::new(Settings::default());
    let other = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other", "labels": {"team": "b"}}});
    cluster.request(Request::create(&kinds::NAMESPACE, "", other)).into_object().unwrap();
    let web = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "c", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}],
            "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 1}}]}});
    cluster.request(Request::create(&kinds::POD, "default", web)).into_object().unwrap();
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80}]}});
    cluster.request(Request::create(&kinds::SERVICE, "default", service)).into_object().unwrap();
    run(&mut cluster, 10);
    cluster
}

fn policy(cluster: &mut Cluster, namespace: &str, spec: Value) {
    let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"}, "spec": spec});
    cluster.request(Request::create(&kinds::NETWORK_POLICY, namespace, policy)).into_object().unwrap();
}

/// What a pod that runs `command` writes.
fn says(cluster: &mut Cluster, namespace: &str, labels: Value, command: &str) -> String {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "ask-", "labels": labels},
        "spec": {"restartPolicy": "Never",
            "containers": [{"name": "c", "image": "busybox:1.36", "command": ["sh", "-c", format!("{command} 2>&1")]}]}});
    let pod = cluster.request(Request::create(&kinds::POD, namespace, pod)).into_object().unwrap();
    run(cluster, 30);
    let mut request = Request::get(&kinds::POD, namespace, pod.name());
    request.subresource = Some("log".into());
    let response = cluster.request(request);
    let podlab_api::door::ResponseBody::Stream(id) = response.body else { panic!("{:?}", response.body) };
    String::from_utf8(cluster.stream(id).stdout).unwrap()
}

const FETCH: &str = "wget -q -T 2 -O- http://web.default:8080 | grep -c '<title>'";

fn reaches(cluster: &mut Cluster, namespace: &str, labels: Value) -> bool {
    match says(cluster, namespace, labels, FETCH).as_str() {
        "1\n" => true,
        "wget: download timed out\n0\n" => false,
        other => panic!("{other}"),
    }
}

#[test]
fn a_pod_that_is_selected_takes_only_what_a_rule_names() {
    let a = || json!({"role": "a"});
    let b = || json!({"role": "b"});
    // The policy, and who of (default, a), (default, b), (other, a) reaches the server.
    let table = [
        (json!({"podSelector": {}, "policyTypes": ["Ingress"]}), [false, false, false]),
        (
            json!({"podSelector": {"matchLabels": {"app": "db"}}, "policyTypes": ["Ingress"]}),
            [true, true, true],
        ),
        (json!({"podSelector": {}, "ingress": [{}]}), [true, true, true]),
        (
            json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {"matchLabels": a()}}]}]}),
            [true, false, false],
        ),
        (json!({"podSelector": {}, "ingress": [{"from": [{"podSelector": {}}]}]}), [true, true, false]),
        (
            json!({"podSelector": {}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}]}),
            [false, false, true],
        ),
        // One peer with both selectors asks for both, two peers for either.
        (
            json!({"podSelector": {}, "ingress": [{"from": [
                {"namespaceSelector": {"matchLabels": {"team": "b"}}, "podSelector": {"matchLabels": b()}}]}]}),
            [false, false, false],
        ),
        (
            json!({"podSelector": {}, "ingress": [{"from": [
                {"namespaceSelector": {"matchLabels": {"team": "b"}}}, {"podSelector": {"matchLabels": b()}}]}]}),
            [false, true, true],
        ),
        // Ports are those of the pod, not of the Service.
        (json!({"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}), [true, true, true]),
        (json!({"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]}), [true, true, true]),
        (json!({"podSelector": {}, "ingress": [{"ports": [{"port": 8080}]}]}), [false, false, false]),
        (
            json!({"podSelector": {}, "ingress": [{"ports": [{"port": 79, "endPort": 81}]}]}),
            [true, true, true],
        ),
        (
            json!({"podSelector": {}, "ingress": [{"ports": [{"port": 80, "protocol": "UDP"}]}]}),
            [false, false, false],
        ),
        (
            json!({"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.244.0.0/16"}}]}]}),
            [true, true, true],
        ),
        (
            json!({"podSelector": {}, "ingress": [{"from": [
                {"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.244.0.0/16"]}}]}]}),
            [false, false, false],
        ),
    ];
    for (spec, expected) in table {
        let mut cluster = cluster();
        policy(&mut cluster, "default", spec.clone());
        let got = [("default", a()), ("default", b()), ("other", a())]
            .map(|(namespace, labels)| reaches(&mut cluster, namespace, labels));
        assert_eq!(got, expected, "{spec}");
    }
}

#[test]
fn a_probe_comes_from_the_pods_own_node_and_is_never_held_up() {
    let mut cluster = cluster();
    policy(&mut cluster, "default", json!({"podSelector": {}, "policyTypes": ["Ingress"]}));
    run(&mut cluster, 60);
    let web = cluster.request(Request::get(&kinds::POD, "default", "web")).into_object().unwrap();
    let conditions = web.pod_status().unwrap().conditions.clone().unwrap();
    assert!(conditions.iter().any(|c| c.type_ == "Ready" && c.status == "True"), "{conditions:?}");
}

#[test]
fn egress_holds_up_names_too_until_a_rule_lets_dns_through() {
    let mut cluster = cluster();
    policy(&mut cluster, "other", json!({"podSelector": {}, "policyTypes": ["Egress"]}));
    let ask = |cluster: &mut Cluster, line: &str| says(cluster, "other", json!({}), line);
    assert_eq!(
        ask(&mut cluster, "nslookup web.default"),
        ";; connection timed out; no servers could be reached\n\n"
    );
    assert_eq!(ask(&mut cluster, FETCH), "wget: bad address 'web.default:8080'\n0\n");

    let mut cluster = self::cluster();
    let dns = json!({"to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
        "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]});
    policy(
        &mut cluster,
        "other",
        json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [dns.clone()]}),
    );
    assert!(ask(&mut cluster, "nslookup web.default").contains("Name:\tweb.default.svc.cluster.local\n"));
    assert!(!reaches(&mut cluster, "other", json!({})));

    let mut cluster = self::cluster();
    let web = json!({"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "web"}}}]});
    policy(
        &mut cluster,
        "other",
        json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [dns, web]}),
    );
    assert!(reaches(&mut cluster, "other", json!({})));
}

#[test]
fn names_have_an_answer_while_a_name_server_runs() {
    let mut cluster = cluster();
    let none = json!({"spec": {"replicas": 0}});
    let scale = Request::patch(&kinds::DEPLOYMENT, "kube-system", "coredns", PatchType::Merge, none);
    cluster.request(scale).into_object().unwrap();
    run(&mut cluster, 60);
    let says = says(&mut cluster, "default", json!({}), "nslookup web");
    assert_eq!(says, ";; connection timed out; no servers could be reached\n\n");
}
