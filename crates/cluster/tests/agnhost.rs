//! Kubernetes' test image: what its sub-commands print and answer.

use podlab_api::door::{ResponseBody, Verb};
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use serde_json::{Value, json};
use std::time::Duration;

const IMAGE: &str = "registry.k8s.io/e2e-test-images/agnhost:2.53";

fn cluster() -> Cluster {
    Cluster::new(Settings { profile: Profile::Bare, ..Settings::default() })
}

fn create(cluster: &mut Cluster, name: &str, spec: Value) {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec});
    cluster.request(Request::create(&kinds::POD, "default", pod)).into_object().unwrap();
}

fn once(args: &[&str]) -> Value {
    json!({"restartPolicy": "Never", "volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}],
        "containers": [{"name": "c", "image": IMAGE, "args": args,
            "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]})
}

fn run(cluster: &mut Cluster, seconds: u64) {
    cluster.run_until(cluster.sim_now() + Duration::from_secs(seconds), || true);
}

fn log(cluster: &mut Cluster, name: &str) -> String {
    let asked = Request::new(Verb::Get, &kinds::POD).namespace("default").name(name).subresource("log");
    match cluster.request(asked).body {
        ResponseBody::Stream(id) => String::from_utf8(cluster.stream(id).stdout).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn state(cluster: &mut Cluster, name: &str) -> Value {
    let pod = cluster.request(Request::get(&kinds::POD, "default", name)).into_object().unwrap();
    pod.to_value()["status"]["containerStatuses"][0]["state"].clone()
}

/// What a command prints in a pod.
fn exec(cluster: &mut Cluster, name: &str, command: &str) -> String {
    let mut asked =
        Request::new(Verb::Create, &kinds::POD).namespace("default").name(name).subresource("exec");
    asked.options.exec.command = ["sh", "-c", command].map(str::to_owned).to_vec();
    match cluster.request(asked).body {
        ResponseBody::Stream(id) => {
            run(cluster, 10);
            String::from_utf8(cluster.stream(id).stdout).unwrap()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn mounttest_tells_of_files_and_their_volume() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        "a",
        once(&["mounttest", "--fs_type=/v", "--new_file_0660=/v/f", "--file_perm=/v/f"]),
    );
    create(
        &mut cluster,
        "b",
        once(&["mounttest", "--file_mode=/v", "--file_owner=/v", "--file_content=/v/no"]),
    );
    run(&mut cluster, 20);
    assert_eq!(
        log(&mut cluster, "a"),
        "mount type of \"/v\": tmpfs\ncontent of file \"/v/f\": mount-tester new file\n\nperms of file \"/v/f\": \
         -rw-rw----\n"
    );
    assert_eq!(
        log(&mut cluster, "b"),
        "mode of file \"/v\": dgtrwxrwxrwx\nowner UID of \"/v\": 0\nowner GID of \"/v\": 0\nerror reading file content \
         for \"/v/no\": open /v/no: no such file or directory\n"
            .replace("dgt", "d")
    );
    assert_eq!(state(&mut cluster, "a")["terminated"]["exitCode"], 0);
    assert_eq!(state(&mut cluster, "b")["terminated"]["exitCode"], 1);
}

#[test]
fn mounttest_waits_for_a_files_content() {
    let mut cluster = cluster();
    create(&mut cluster, "a", once(&["mounttest", "--file_content_in_loop=/v/f", "--retry_time", "20"]));
    run(&mut cluster, 10);
    assert!(
        log(&mut cluster, "a")
            .contains("Error reading file /v/f: open /v/f: no such file or directory, retrying")
    );
    exec(&mut cluster, "a", "echo mount-tester new file > /v/f");
    assert_eq!(state(&mut cluster, "a")["terminated"]["exitCode"], 0);
    assert!(log(&mut cluster, "a").ends_with("content of file \"/v/f\": mount-tester new file\n\n"));
}

#[test]
fn what_only_prints_ends_at_once() {
    let mut cluster = cluster();
    create(&mut cluster, "args", once(&["entrypoint-tester", "a", "b c"]));
    create(&mut cluster, "unknown", once(&["no-such-thing"]));
    let mut hosts = once(&["etc-hosts"]);
    hosts["hostAliases"] = json!([{"ip": "10.1.2.3", "hostnames": ["foo"]}]);
    create(&mut cluster, "hosts", hosts);
    let mut names = once(&["dns-suffix"]);
    names["dnsPolicy"] = json!("None");
    names["dnsConfig"] = json!({"nameservers": ["1.1.1.1"], "searches": ["a.b", "c.d"]});
    create(&mut cluster, "names", names);
    run(&mut cluster, 20);
    assert_eq!(log(&mut cluster, "args"), "[/agnhost entrypoint-tester a b c]\n");
    assert!(log(&mut cluster, "hosts").contains("10.1.2.3\tfoo\n"));
    assert_eq!(log(&mut cluster, "names"), "a.b,c.d\n");
    assert!(log(&mut cluster, "unknown").starts_with("Error: unknown command \"no-such-thing\""));
}

#[test]
fn pause_says_which_signal_ended_it() {
    let mut cluster = cluster();
    create(
        &mut cluster,
        "p",
        json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": IMAGE}]}),
    );
    run(&mut cluster, 10);
    assert_eq!(log(&mut cluster, "p"), "Paused\nSignals registered\n");
    exec(&mut cluster, "p", "kill 1");
    let ended = state(&mut cluster, "p")["terminated"].clone();
    assert_eq!(
        (&ended["exitCode"], &ended["message"]),
        (&json!(2), &json!("exiting because of signal \"terminated\"\n"))
    );
}

#[test]
fn servers_answer() {
    let mut cluster = cluster();
    let server = |args: &[&str], env: Value| json!({"hostname": "here", "containers": [{"name": "c", "image": IMAGE, "args": args, "env": env}]});
    create(
        &mut cluster,
        "net",
        server(&["netexec", "--http-port=8083"], json!([{"name": "E", "value": "x y"}])),
    );
    create(
        &mut cluster,
        "port",
        server(
            &["porter"],
            json!([{"name": "SERVE_PORT_81", "value": "one"}, {"name": "SERVE_PORT_82", "value": "<a href=\"/x\">"}]),
        ),
    );
    create(&mut cluster, "web", server(&["test-webserver"], json!([])));
    run(&mut cluster, 20);
    let ip = |cluster: &mut Cluster, name: &str| {
        let pod = cluster.request(Request::get(&kinds::POD, "default", name)).into_object().unwrap();
        pod.pod_status().unwrap().pod_ip.clone().unwrap()
    };
    let (net, port, web) = (ip(&mut cluster, "net"), ip(&mut cluster, "port"), ip(&mut cluster, "web"));
    let mut ask = |what: &str| exec(&mut cluster, "web", &format!("curl -q -s '{what}'"));
    assert_eq!(ask(&format!("{net}:8083/hostname")), "here");
    assert_eq!(ask(&format!("{net}:8083/echo?msg=a%20b+c")), "a b c");
    assert_eq!(ask(&format!("{net}:8083/envvar?var=E")), "x y");
    assert!(ask(&format!("{net}:8083/clientip")).starts_with(&format!("{web}:")));
    let dial = format!("{net}:8083/dial?host={port}&port=81&request=hostname&protocol=http&tries=2");
    assert_eq!(ask(&dial), r#"{"responses":["one","one"]}"#);
    assert!(ask(&dial.replace("port=81", "port=9")).contains("connection refused"));
    assert_eq!(ask(&format!("{port}:82/")), "<a href=\"/x\">");
    assert!(ask(&format!("{web}:80/etc/hosts")).contains("localhost"));
    assert!(ask(&format!("{web}:80/")).contains("<a href=\"etc/\">etc/</a>"));
    // The file that Kubernetes' own tests take away and bring back.
    assert!(!ask(&format!("{web}:80/localhost.crt")).contains("404"));
    assert!(log(&mut cluster, "net").contains("GET /echo?msg=a b c&code="));
}

#[test]
fn logs_generator_writes_so_many_lines() {
    let mut cluster = cluster();
    let args = ["logs-generator", "--log-lines-total", "20", "--run-duration", "10s"];
    create(&mut cluster, "l", once(&args));
    create(&mut cluster, "none", once(&["logs-generator"]));
    run(&mut cluster, 30);
    let text = log(&mut cluster, "l");
    assert_eq!(text.lines().count(), 20);
    assert!(text.lines().all(|line| line.starts_with('I') && line.contains("] ")), "{text}");
    assert!(text.lines().nth(7).unwrap().contains("] 7 ") && text.contains("/api/v1/namespaces/"));
    assert_eq!(state(&mut cluster, "l")["terminated"]["exitCode"], 0);
    assert!(log(&mut cluster, "none").ends_with("Invalid total number of lines: 0\n"));
}

#[test]
fn copies_of_images_are_what_they_copy() {
    let mut cluster = cluster();
    let image = "registry.k8s.io/e2e-test-images/busybox:1.37.0-2";
    create(
        &mut cluster,
        "b",
        json!({"restartPolicy": "Never", "containers": [{"name": "c", "image": image,
            "env": [{"name": "data-1", "value": "x"}], "command": ["sh", "-c", "[[ -r /etc/passwd ]] && env"]}]}),
    );
    run(&mut cluster, 20);
    // A name that is none to a script is handed on all the same.
    assert!(log(&mut cluster, "b").contains("data-1=x\n"));
}

#[test]
fn words_that_are_no_request_get_an_answer_too() {
    let mut cluster = cluster();
    let server = |args: &[&str]| json!({"containers": [{"name": "c", "image": IMAGE, "args": args}]});
    create(&mut cluster, "s", server(&["serve-hostname"]));
    create(&mut cluster, "p", server(&["pause"]));
    run(&mut cluster, 10);
    let pod = cluster.request(Request::get(&kinds::POD, "default", "s")).into_object().unwrap();
    let ip = pod.pod_status().unwrap().pod_ip.clone().unwrap();
    let said = exec(&mut cluster, "p", &format!("echo hostName | nc -v -t -w 2 {ip} 9376"));
    assert!(
        said.starts_with("HTTP/1.1 400 Bad Request\r\n") && said.ends_with("\r\n\r\n400 Bad Request"),
        "{said}"
    );
}

#[test]
fn dig_asks_the_name_server() {
    let mut cluster = Cluster::new(Settings { profile: Profile::Full, ..Settings::default() });
    create(&mut cluster, "p", json!({"containers": [{"name": "c", "image": IMAGE}]}));
    run(&mut cluster, 30);
    let full = "kubernetes.default.svc.cluster.local";
    assert_eq!(
        exec(&mut cluster, "p", "dig +notcp +noall +answer +search kubernetes A"),
        format!("{full}.\t30\tIN\tA\t10.96.0.1\n")
    );
    assert_eq!(exec(&mut cluster, "p", &format!("dig +short {full}.")), "10.96.0.1\n");
    assert_eq!(exec(&mut cluster, "p", "dig +short kubernetes"), "");
    assert_eq!(
        exec(&mut cluster, "p", "getent hosts kubernetes; getent hosts nobody.example.com; echo $?"),
        format!("10.96.0.1       {full}\n2\n")
    );
    assert!(exec(&mut cluster, "p", "getent hosts p").ends_with(" p\n"));
    let whole = exec(&mut cluster, "p", "dig nothing.example.com");
    assert!(whole.contains("status: NXDOMAIN") && whole.contains("(10.96.0.10) (UDP)"), "{whole}");
}

#[test]
fn the_group_of_a_volume_may_read_what_the_kubelet_writes() {
    let mut cluster = cluster();
    let map =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "v"}});
    cluster.request(Request::create(&kinds::SECRET, "default", map)).into_object().unwrap();
    let mut spec =
        once(&["mounttest", "--file_mode=/s/k", "--file_owner=/s/k", "--fs_type=/v", "--file_perm=/v"]);
    spec["securityContext"] = json!({"runAsUser": 1000, "fsGroup": 1001});
    spec["volumes"] = json!([{"name": "v", "emptyDir": {}}, {"name": "s", "secret": {"secretName": "s", "defaultMode": 0o400}}]);
    spec["containers"][0]["volumeMounts"] =
        json!([{"name": "v", "mountPath": "/v"}, {"name": "s", "mountPath": "/s"}]);
    create(&mut cluster, "p", spec);
    run(&mut cluster, 20);
    assert_eq!(
        log(&mut cluster, "p"),
        "mount type of \"/v\": 61267\nmode of file \"/s/k\": -r--r-----\nperms of file \"/v\": -rwxrwxrwx\n\
         owner UID of \"/s/k\": 0\nowner GID of \"/s/k\": 1001\n"
    );
}
