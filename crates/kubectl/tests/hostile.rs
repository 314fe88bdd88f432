//! Command lines made to hurt: each ends with an exit code, and nothing panics.

mod common;
#[path = "../../api/tests/trees/mod.rs"]
mod trees;

use common::{Machine, kubeconfig, run};
use podlab_api::{Door, Request, kinds};
use podlab_cluster::{Cluster, Profile, Settings};
use podlab_kubectl::complete;
use proptest::prelude::*;
use serde_json::json;
use std::sync::OnceLock;
use trees::{Choices, numbers};

/// A cluster with something of each kind that is often asked for.
fn small() -> Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER
        .get_or_init(|| {
            let mut cluster = Cluster::forgetful(Settings { profile: Profile::Bare, ..Settings::default() });
            for text in trees::MANIFESTS {
                let body: serde_json::Value = serde_json::from_str(text).unwrap();
                let kind =
                    kinds::by_gvk(body["apiVersion"].as_str().unwrap(), body["kind"].as_str().unwrap())
                        .unwrap();
                let namespace = if kind.namespaced { "default" } else { "" };
                cluster.request(Request::create(kind, namespace, body));
            }
            cluster.run_until(cluster.sim_now() + std::time::Duration::from_secs(60), || true);
            cluster
        })
        .clone()
}

const COMMANDS: &[&str] = &[
    "get",
    "describe",
    "create",
    "apply",
    "delete",
    "edit",
    "patch",
    "replace",
    "label",
    "annotate",
    "scale",
    "autoscale",
    "expose",
    "run",
    "logs",
    "exec",
    "attach",
    "cp",
    "port-forward",
    "proxy",
    "wait",
    "rollout",
    "set",
    "taint",
    "cordon",
    "uncordon",
    "drain",
    "top",
    "explain",
    "api-resources",
    "api-versions",
    "cluster-info",
    "version",
    "config",
    "auth",
    "certificate",
    "diff",
    "kustomize",
    "plugin",
    "completion",
    "options",
    "events",
    "debug",
    "help",
    "x",
    "create deployment",
    "create service clusterip",
    "create service nodeport",
    "create job",
    "create cronjob",
    "create configmap",
    "create secret generic",
    "create secret tls",
    "create secret docker-registry",
    "create role",
    "create rolebinding",
    "create clusterrole",
    "create ingress",
    "create pdb",
    "create quota",
    "create priorityclass",
    "create sa",
    "create token",
    "create namespace",
    "set image",
    "set env",
    "set resources",
    "set selector",
    "set serviceaccount",
    "set subject",
    "rollout status",
    "rollout history",
    "rollout undo",
    "rollout restart",
    "rollout pause",
    "rollout resume",
    "config view",
    "config set",
    "config get-contexts",
    "config use-context",
    "config set-context",
    "auth can-i",
    "auth whoami",
    "top pod",
    "top node",
    "apply view-last-applied",
    "apply set-last-applied",
];

const WORDS: &[&str] = &[
    "pods",
    "pod",
    "po",
    "po,svc",
    "all",
    "pod/web",
    "deploy/web",
    "deployment.v1.apps/web",
    "deployment.v1.apps",
    "node01",
    "nodes/node01",
    "web",
    "box",
    "db-0",
    "service/web",
    "svc",
    "cm/settings",
    "secret/t",
    "jobs",
    "cronjob/tick",
    "hpa",
    "pvc",
    "sts/db",
    "ds/agent",
    "pod.spec.containers",
    "pods.",
    "/",
    "a/b/c",
    "nosuch",
    "pod/",
    "//",
    "",
    "--",
    "-",
    "-n",
    "--namespace",
    "default",
    "kube-system",
    "-A",
    "--all-namespaces",
    "-o",
    "-oyaml",
    "-ojson",
    "-owide",
    "-oname",
    "yaml",
    "json",
    "wide",
    "name",
    "-o=jsonpath={.items[*].metadata.name}",
    "-ojsonpath={range .items[*]}{.metadata}",
    "-ocustom-columns=A:.metadata.name,B:..x",
    "-ocustom-columns=",
    "-ogo-template={{range .items}}{{.metadata.name}}{{end}}",
    "-ogo-template={{.a",
    "--template={{printf \"%999d\" 1}}",
    "-l",
    "app=web",
    "app in (web,db)",
    "--selector=!a",
    "--field-selector",
    "status.phase=Running",
    "metadata.name==x",
    "--sort-by",
    ".metadata.name",
    "{.status",
    "--show-labels",
    "-L",
    "app",
    "--watch",
    "-w",
    "--output-watch-events",
    "--dry-run=client",
    "--dry-run=server",
    "--dry-run",
    "--force",
    "--grace-period=0",
    "--grace-period=-1",
    "--timeout=1s",
    "--timeout=99999999h",
    "--timeout=x",
    "--wait=false",
    "--now",
    "-f",
    "a.yaml",
    "-",
    "b.json",
    "dir",
    "nosuch.yaml",
    "-k",
    ".",
    "-R",
    "--recursive",
    "--prune",
    "--server-side",
    "--field-manager=x",
    "--overwrite",
    "a=b",
    "a-",
    "a=b:NoSchedule",
    "a:NoExecute-",
    "--all",
    "--replicas=3",
    "--replicas=-1",
    "--replicas=99999999999",
    "--current-replicas=1",
    "--image=nginx",
    "--image",
    "c=nginx:2",
    "*=busybox",
    "--port=80",
    "--port=99999",
    "--target-port=http",
    "--type=NodePort",
    "--type=json",
    "--type=merge",
    "-p",
    r#"{"spec":{"replicas":1}}"#,
    r#"[{"op":"copy","from":"","path":"/a"}]"#,
    "{",
    "--patch-file=b.json",
    "--subresource=status",
    "--subresource=scale",
    "--from-literal=a=b",
    "--from-file=a.yaml",
    "--from-file=k=dir",
    "--from-env-file=a.yaml",
    "--env=A=B",
    "A=B",
    "A-",
    "--limits=cpu=1,memory=1Gi",
    "--requests=cpu=x",
    "--hard=pods=1",
    "--schedule=* * * * *",
    "--min=1",
    "--max=0",
    "--cpu-percent=50",
    "--verb=get",
    "--resource=pods",
    "--rule=a/b=c:80",
    "--rule=x",
    "--tcp=80:80",
    "--clusterip=None",
    "--for=condition=Ready",
    "--for=delete",
    "--for=jsonpath={.status.phase}=Running",
    "--for=x",
    "--tail=1",
    "--tail=-5",
    "--since=1h",
    "--since-time=x",
    "-c",
    "c",
    "--previous",
    "--follow",
    "--all-containers",
    "--prefix",
    "--timestamps",
    "--limit-bytes=1",
    "-it",
    "--stdin",
    "sh",
    "-c",
    "echo hi; exit 3",
    "while :; do :; done",
    "--ignore-daemonsets",
    "--delete-emptydir-data",
    "--pod-selector=a",
    "--to-revision=1",
    "--revision=99",
    "--help",
    "-h",
    "-v=9",
    "--v=x",
    "--context=x",
    "--kubeconfig=nosuch",
    "--as=me",
    "--request-timeout=1",
    "--chunk-size=1",
    "--chunk-size=-1",
    "--raw=/api",
    "--raw",
    "/apis/apps/v1/namespaces/default/deployments?limit=1",
    "--cascade=orphan",
    "--cascade=x",
    "--max-log-requests=0",
    "--api-version=x",
    "--recursive=true",
    "--recursive=maybe",
    "--output",
    "--no-headers",
    "--show-kind",
    "--ignore-not-found",
    "--server-print=false",
    "--restart=Never",
    "--rm",
    "--command",
    "--overrides={\"spec\":null}",
    "--overrides=[",
    "--labels=a=b,c",
    "--expose",
    "--record",
    "--allow-missing-template-keys=false",
    "--show-managed-fields",
    "=",
    "--=",
    "--=x",
    "-=",
    "---",
    "-oo",
    "한글",
    "\u{0}",
    "9999999999999999999999",
    "1:2:3",
];

/// Lines that are right.
const LINES: &[&str] = &[
    r#"get pods -A -o wide --sort-by=.metadata.name"#,
    r#"get deploy,svc,pods -l app=web -o json"#,
    r#"get pod web -o jsonpath={.spec.containers[*].image}"#,
    r#"get pods -o custom-columns=N:.metadata.name,I:.spec.containers[0].image --no-headers"#,
    r#"get pods -w"#,
    r#"get all --show-labels"#,
    r#"get --raw /api/v1/namespaces/default/pods"#,
    r#"describe pod web"#,
    r#"describe nodes"#,
    r#"describe deploy,svc,ing,cm,secret,pvc,sts,ds,job,cronjob,hpa,pdb,quota,limits"#,
    r#"create deployment d --image=nginx --replicas=2 --port=80 -o yaml --dry-run=client"#,
    r#"create job j --image=busybox -- sh -c date"#,
    r#"create cronjob cj --image=busybox --schedule=*/1 -- date"#,
    r#"create configmap c --from-file=a.yaml --from-literal=a=b"#,
    r#"create secret generic s --from-env-file=a.yaml"#,
    r#"create ingress i --rule=a.example.com/x=web:80,tls=t"#,
    r#"create role r --verb=get,list --resource=pods,deployments.apps"#,
    r#"create -f a.yaml"#,
    r#"apply -f dir -R"#,
    r#"apply -f a.yaml --server-side --field-manager=x"#,
    r#"apply -f a.yaml --dry-run=server -o yaml"#,
    r#"apply -k dir"#,
    r#"diff -f a.yaml"#,
    r#"replace -f a.yaml --force"#,
    r#"delete -f a.yaml --wait=false"#,
    r#"delete pod web --grace-period=0 --force"#,
    r#"delete pods -l app=web --now"#,
    r#"delete ns team"#,
    r#"patch deploy web --type=strategic -p {"spec":{"replicas":1}}"#,
    r#"patch deploy web --type=json -p [{"op":"replace","path":"/spec/replicas","value":3}]"#,
    r#"label pods --all a=b --overwrite"#,
    r#"annotate pod web a-"#,
    r#"scale deploy/web --replicas=3"#,
    r#"autoscale deploy db --min=1 --max=3 --cpu=50%"#,
    r#"expose deploy web --port=80 --target-port=http --name=x"#,
    r#"run p --image=nginx --labels=a=b --restart=Never --command -- sleep 1"#,
    r#"run p -it --rm --image=busybox --restart=Never -- sh -c exit"#,
    r#"logs web -c c --tail=3 --timestamps"#,
    r#"logs -l app=web --all-containers --prefix --since=1h"#,
    r#"logs deploy/web -f"#,
    r#"exec web -c c -- sh -c ls"#,
    r#"exec -i web -- cat"#,
    r#"wait --for=condition=Ready pod/web --timeout=5s"#,
    r#"wait --for=jsonpath={.status.phase}=Running pod --all --timeout=5s"#,
    r#"rollout status deploy/web --timeout=5s"#,
    r#"rollout history deploy/web --revision=1"#,
    r#"rollout undo deploy/web --to-revision=1"#,
    r#"rollout restart deploy/web"#,
    r#"set image deploy/web c=nginx:2"#,
    r#"set env deploy/web A=B --from=configmap/settings"#,
    r#"set resources deploy web --limits=cpu=1,memory=1Gi"#,
    r#"set selector svc web a=b"#,
    r#"taint nodes node01 a=b:NoSchedule"#,
    r#"cordon node01"#,
    r#"drain node01 --ignore-daemonsets --delete-emptydir-data --timeout=10s"#,
    r#"top pod -A --containers"#,
    r#"top node"#,
    r#"explain pod.spec.containers --recursive"#,
    r#"explain deployments --api-version=apps/v1"#,
    r#"api-resources --namespaced=true -o wide"#,
    r#"auth can-i create pods --as=me -n default"#,
    r#"config set-context --current --namespace=kube-system"#,
    r#"events --for pod/web --types=Warning"#,
];

/// A right line of which up to two words are changed, or any words behind a command.
fn line() -> impl Strategy<Value = Vec<String>> {
    let changed = (
        prop::sample::select(LINES),
        prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, word()), 0..3),
    )
        .prop_map(|(line, changes)| {
            let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            for (index, how, word) in changes {
                let at = index.index(words.len().max(1));
                match how {
                    0 if at < words.len() => drop(words.remove(at)),
                    1 if at < words.len() => words[at] = word,
                    2 if at < words.len() => words[at].push_str(&word),
                    _ => words.insert((at + 1).min(words.len()), word),
                }
            }
            words
        });
    let any = (prop::sample::select(COMMANDS), prop::collection::vec(word(), 0..7))
        .prop_map(|(command, words)| command.split(' ').map(str::to_owned).chain(words).collect());
    prop_oneof![3 => changed, 1 => any]
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => prop::sample::select(WORDS).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[-a-z0-9=/.:,@*{}]{0,12}",
    ]
}

/// Runs a line; its exit code.
fn check_line(line: &[String], file: &[u8], stdin: &[u8]) -> i32 {
    let started = std::time::Instant::now();
    let mut cluster = small();
    let mut machine = Machine { stdin: Some(stdin.to_vec()), ..Machine::default() };
    let env = kubeconfig(&mut machine);
    for name in ["a.yaml", "b.json", "dir/x.yaml", "dir/kustomization.yaml"] {
        machine.files.insert(name.to_owned(), file.to_vec());
    }
    // What waits for ever is interrupted after a while, as with Ctrl C.
    let code = run(&mut cluster, &mut machine, line, env);
    assert!(machine.stdout.len() + machine.stderr.len() < 16 << 20, "{line:?}");
    assert!(started.elapsed().as_secs() < 60, "{line:?}: {:?}", started.elapsed());
    code
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_line_ends_with_an_exit_code(line in line(), numbers in numbers(60), cut in any::<prop::sample::Index>()) {
        let mut file = serde_json::to_string_pretty(&Choices::new(&numbers).manifest()).unwrap().into_bytes();
        if numbers.len() % 4 == 3 {
            file.truncate(cut.index(file.len()));
        }
        let code = check_line(&line, &file, &file);
        prop_assert!((0..=255).contains(&code), "{:?}: {}", line, code);
        let text = line.join(" ");
        complete(&text, cut.index(text.len() + 1), &mut small());
    }
}

#[test]
fn files_made_to_hurt_give_an_error() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        bomb += &format!("a{level}: &a{level} [{}]\n", format!("*a{}, ", level - 1).repeat(10));
    }
    // Without the line feed kubectl loses the line: its reader takes 4096 bytes at a time.
    let open = "[".repeat(10 << 20) + "\n";
    let nested = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": (0..150).fold(json!(1), |inner, _| json!({"a": inner}))}).to_string();
    for file in [bomb.as_bytes(), open.as_bytes(), nested.as_bytes(), b"\xff\xfe\0", b"kind: [", b"a: b: c"] {
        for line in [
            "apply -f a.yaml",
            "create -f -",
            "delete -f dir",
            "replace --force -f b.json",
            "diff -f a.yaml",
            "apply -k dir",
            "patch pod web --patch-file a.yaml",
        ] {
            let line: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let head = String::from_utf8_lossy(&file[..file.len().min(40)]);
            // A patch need not say what it is of, and unknown fields are dropped with a warning.
            let drops = line[0] == "patch" && file == nested.as_bytes();
            let code = check_line(&line, file, file);
            assert_eq!(code == 0, drops, "{line:?} {head:?}");
        }
    }
}
