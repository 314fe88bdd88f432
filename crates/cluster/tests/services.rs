//! Services: which addresses stand behind them, and that the network goes by these.

use podlab_api::{Door, Kind, Object, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn cluster() -> Cluster {
    Cluster::new(Settings { profile: Profile::Bare, ..Settings::default() })
}

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn create(cluster: &mut Cluster, kind: &'static Kind, value: Value) -> Arc<Object> {
    cluster.request(Request::create(kind, "default", value)).into_object().unwrap()
}

fn web(cluster: &mut Cluster, name: &str, more: Value) {
    let mut container =
        json!({"name": "c", "image": "nginx:1.27", "ports": [{"name": "http", "containerPort": 80}]});
    if let (Some(container), Value::Object(more)) = (container.as_object_mut(), more) {
        container.extend(more);
    }
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 5}});
    create(cluster, &kinds::POD, pod);
}

fn service(cluster: &mut Cluster, spec: Value) {
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "labels": {"a": "b"}},
        "spec": spec});
    create(cluster, &kinds::SERVICE, service);
}

fn slices(cluster: &mut Cluster) -> Vec<Arc<Object>> {
    let list = cluster.request(Request::list(&kinds::ENDPOINT_SLICE, "default")).into_list().unwrap();
    list.items
        .iter()
        .filter(|slice| slice.label("kubernetes.io/service-name") == Some("web"))
        .cloned()
        .collect()
}

/// Name of the pod, ready, serving, terminating.
fn endpoints(cluster: &mut Cluster) -> Vec<(String, [bool; 3])> {
    let of = |slice: &Arc<Object>| {
        let list = slice.field("endpoints").and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter().map(|e| {
            let flag = |name: &str| e["conditions"][name].as_bool().unwrap();
            let name = e["targetRef"]["name"].as_str().unwrap().to_owned();
            (name, [flag("ready"), flag("serving"), flag("terminating")])
        })
    };
    slices(cluster).iter().flat_map(of).collect()
}

/// What a pod that asks the Service gets, as its log.
fn ask(cluster: &mut Cluster, name: &str, host: &str) -> String {
    run_in(cluster, name, "busybox:1.36", &format!("wget -q -O- http://{host} | grep -c title; sleep 1"))
}

/// What a script in a new pod writes, in 20 seconds.
fn run_in(cluster: &mut Cluster, name: &str, image: &str, script: &str) -> String {
    let command = json!(["sh", "-c", script]);
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"restartPolicy": "Never",
        "containers": [{"name": "c", "image": image, "command": command}]}});
    create(cluster, &kinds::POD, pod);
    run(cluster, 20);
    let mut request = Request::get(&kinds::POD, "default", name);
    request.subresource = Some("log".into());
    let response = cluster.request(request);
    let podlab_api::door::ResponseBody::Stream(id) = response.body else { panic!("{:?}", response.body) };
    String::from_utf8(cluster.stream(id).stdout).unwrap()
}

#[test]
fn a_service_lists_its_pods_as_they_are() {
    let mut cluster = cluster();
    service(&mut cluster, json!({"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}));
    run(&mut cluster, 1);
    let empty = slices(&mut cluster);
    assert_eq!(empty.len(), 1);
    assert_eq!(empty[0].field("ports"), Some(&Value::Null));
    assert_eq!(empty[0].label("a"), Some("b"));
    web(&mut cluster, "good", json!({}));
    let never = json!({"readinessProbe": {"exec": {"command": ["false"]}}});
    web(&mut cluster, "unready", never);
    run(&mut cluster, 10);
    let expected = [("good".to_owned(), [true, true, false]), ("unready".to_owned(), [false, false, false])];
    assert_eq!(endpoints(&mut cluster), expected);
    assert_eq!(slices(&mut cluster)[0].name(), empty[0].name());
    let older = cluster.request(Request::get(&kinds::ENDPOINTS, "default", "web")).into_object().unwrap();
    let subset = &older.field("subsets").unwrap()[0];
    assert_eq!(subset["addresses"].as_array().unwrap().len(), 1);
    assert_eq!(subset["notReadyAddresses"][0]["targetRef"]["name"], "unready");
    assert_eq!(subset["ports"], json!([{"port": 80, "protocol": "TCP"}]));
    cluster.request(Request::delete(&kinds::SERVICE, "default", "web")).into_object().unwrap();
    run(&mut cluster, 1);
    assert!(slices(&mut cluster).is_empty());
    assert!(cluster.request(Request::get(&kinds::ENDPOINTS, "default", "web")).into_object().is_err());
}

#[test]
fn the_network_goes_to_what_is_ready() {
    let mut cluster = cluster();
    let ports = json!([{"port": 80, "nodePort": 30080}]);
    service(&mut cluster, json!({"type": "NodePort", "selector": {"app": "web"}, "ports": ports}));
    web(&mut cluster, "good", json!({}));
    web(&mut cluster, "unready", json!({"readinessProbe": {"exec": {"command": ["false"]}}}));
    run(&mut cluster, 10);
    assert_eq!(ask(&mut cluster, "a", "web").trim(), "1");
    assert_eq!(ask(&mut cluster, "b", "172.18.0.3:30080").trim(), "1");
    cluster.request(Request::delete(&kinds::POD, "default", "good")).into_object().unwrap();
    run(&mut cluster, 10);
    let refused = ask(&mut cluster, "c", "web");
    assert!(refused.contains("Connection refused"), "{refused}");
}

#[test]
fn endpoints_that_somebody_wrote_are_mirrored_and_used() {
    let mut cluster = cluster();
    web(&mut cluster, "good", json!({}));
    run(&mut cluster, 10);
    let pod = cluster.request(Request::get(&kinds::POD, "default", "good")).into_object().unwrap();
    let ip = pod.pod_status().unwrap().pod_ip.clone().unwrap();
    service(&mut cluster, json!({"ports": [{"port": 8080, "targetPort": 80}]}));
    let endpoints = json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web"},
        "subsets": [{"addresses": [{"ip": ip}], "ports": [{"port": 80}]}]});
    create(&mut cluster, &kinds::ENDPOINTS, endpoints);
    run(&mut cluster, 1);
    let mirrored = slices(&mut cluster);
    assert_eq!(mirrored.len(), 1);
    let manager = mirrored[0].label("endpointslice.kubernetes.io/managed-by");
    assert_eq!(manager, Some("endpointslicemirroring-controller.k8s.io"));
    assert_eq!(ask(&mut cluster, "a", "web:8080").trim(), "1");
}

#[test]
fn a_client_stays_with_its_endpoint_where_the_service_says_so() {
    let mut cluster = cluster();
    for name in ["a", "b", "c"] {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "registry.k8s.io/e2e-test-images/agnhost:2.53",
                "args": ["netexec"]}]}});
        create(&mut cluster, &kinds::POD, pod);
    }
    let spec = |affinity: &str| json!({"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}], "sessionAffinity": affinity});
    service(&mut cluster, spec("ClientIP"));
    run(&mut cluster, 10);
    let script =
        "for i in $(seq 1 30); do wget -q -O- http://web/hostname; echo; done | sort | uniq -c | wc -l";
    assert_eq!(run_in(&mut cluster, "one", "busybox:1.36", script), "1\n");
    let mut other =
        cluster.request(Request::get(&kinds::SERVICE, "default", "web")).into_object().unwrap().to_value();
    other["spec"]["sessionAffinity"] = json!("None");
    cluster.request(Request::update(&kinds::SERVICE, "default", "web", other)).into_object().unwrap();
    assert_eq!(run_in(&mut cluster, "two", "busybox:1.36", script), "3\n");
}

#[test]
fn the_name_server_knows_ports_addresses_and_aliases() {
    let mut cluster = cluster();
    service(
        &mut cluster,
        json!({"clusterIP": "None", "selector": {"app": "web"},
        "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}),
    );
    for name in ["one", "two"] {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}},
            "spec": {"hostname": name, "subdomain": "web",
                "containers": [{"name": "c", "image": "nginx", "ports": [{"name": "http", "containerPort": 80}]}]}});
        create(&mut cluster, &kinds::POD, pod);
    }
    let plain = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"},
        "spec": {"clusterIP": "10.96.7.7", "ports": [{"name": "sql", "port": 5432}, {"name": "stats", "port": 9187}]}});
    create(&mut cluster, &kinds::SERVICE, plain);
    let outside = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "far"},
        "spec": {"type": "ExternalName", "externalName": "far.example.com"}});
    create(&mut cluster, &kinds::SERVICE, outside);
    run(&mut cluster, 10);
    let address = |cluster: &mut Cluster, name: &str| {
        let pod = cluster.request(Request::get(&kinds::POD, "default", name)).into_object().unwrap();
        pod.pod_status().unwrap().pod_ip.clone().unwrap()
    };
    let one = address(&mut cluster, "one");
    let script = format!(
        "dig +noall +answer +search _sql._tcp.db SRV
         dig +short +search db SRV
         dig +short _http._tcp.web.default.svc.cluster.local SRV | sort
         dig +short -x 10.96.7.7
         dig +short -x {one}
         dig +short -x 10.96.200.200
         dig +noall +answer far.default.svc.cluster.local CNAME
         dig +short _http._udp.web.default.svc.cluster.local SRV
         nslookup {one} | tail -n 2
         nslookup -type=srv _sql._tcp.db | grep service"
    );
    let said = run_in(&mut cluster, "tools", "registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7", &script);
    let backwards: Vec<&str> = one.rsplit('.').collect();
    let expected = format!(
        "_sql._tcp.db.default.svc.cluster.local.\t30\tIN\tSRV\t0 100 5432 db.default.svc.cluster.local.\n\
         0 50 5432 db.default.svc.cluster.local.\n\
         0 50 9187 db.default.svc.cluster.local.\n\
         0 50 80 one.web.default.svc.cluster.local.\n\
         0 50 80 two.web.default.svc.cluster.local.\n\
         db.default.svc.cluster.local.\n\
         one.web.default.svc.cluster.local.\n\
         far.default.svc.cluster.local.\t30\tIN\tCNAME\tfar.example.com.\n\
         {}.in-addr.arpa\tname = one.web.default.svc.cluster.local.\n\n\
         _sql._tcp.db.default.svc.cluster.local\tservice = 0 100 5432 db.default.svc.cluster.local.\n",
        backwards.join(".")
    );
    assert_eq!(said, expected);
}

#[test]
fn a_host_port_leads_to_its_container() {
    let mut cluster = cluster();
    for (name, ip) in [("any", json!(null)), ("loopback", json!("127.0.0.1"))] {
        let port = if name == "any" { 8081 } else { 8082 };
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
            "spec": {"nodeName": "node01", "containers": [{"name": "c", "image": "nginx",
                "ports": [{"containerPort": 80, "hostPort": port, "hostIP": ip}]}]}});
        create(&mut cluster, &kinds::POD, pod);
    }
    run(&mut cluster, 10);
    let pod = cluster.request(Request::get(&kinds::POD, "default", "any")).into_object().unwrap();
    let node = pod.pod_status().unwrap().host_ip.clone().unwrap();
    assert_eq!(ask(&mut cluster, "one", &format!("{node}:8081")), "1\n");
    let refused = format!("wget: can't connect to remote host ({node}): Connection refused\n0\n");
    assert_eq!(ask(&mut cluster, "two", &format!("{node}:8082")), refused, "its loopback alone");
    let on_host = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "host"},
        "spec": {"nodeName": "node01", "hostNetwork": true, "restartPolicy": "Never", "containers": [{"name": "c",
            "image": "busybox:1.36", "command": ["sh", "-c", "wget -q -O- http://127.0.0.1:8082 | grep -c title"]}]}});
    create(&mut cluster, &kinds::POD, on_host);
    run(&mut cluster, 20);
    let host = cluster.request(Request::get(&kinds::POD, "default", "host")).into_object().unwrap();
    assert_eq!(host.pod_status().unwrap().phase.as_deref(), Some("Succeeded"));
}
