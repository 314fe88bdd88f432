//! kubectl as a program of a machine: what a shell can do with it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use podlab_cluster::{Cluster, Settings};
use podlab_kubectl::config::default_kubeconfig;
use podlab_kubectl::{DoorCall, Kubectl};
use podlab_shell::{
    DnsAnswer, FileSystem, Host, HttpRequest, HttpResponse, Kind, Machine, NetError, Next, Program, Spawn,
    Stdin, Stream, Volume, Volumes, debian,
};
use podlab_sim::{SimTime, splitmix64};
use std::any::Any;
use std::time::Duration;

struct Outside<'a> {
    cluster: &'a mut Cluster,
    out: String,
    err: String,
    draws: u64,
}

impl Volumes for Outside<'_> {
    fn volume(&self, _id: &str) -> Option<&Volume> {
        None
    }
    fn volume_mut(&mut self, _id: &str) -> Option<&mut Volume> {
        None
    }
}

impl Host for Outside<'_> {
    fn now(&self) -> SimTime {
        self.cluster.sim_now()
    }
    fn output(&mut self, _id: u32, stream: Stream, bytes: &[u8]) {
        let to = if stream == Stream::Stderr { &mut self.err } else { &mut self.out };
        to.push_str(&String::from_utf8_lossy(bytes));
    }
    fn hostname(&self) -> String {
        "controlplane".to_owned()
    }
    fn program(&mut self, name: &str, _argv: &[String]) -> Option<Box<dyn Program>> {
        (name == "kubectl").then(|| Box::new(Kubectl::default()) as Box<dyn Program>)
    }
    fn call(&mut self, call: &mut dyn Any) {
        call.downcast_mut::<DoorCall>().unwrap().answer(self.cluster);
    }
    fn http(&mut self, request: &HttpRequest) -> Result<HttpResponse, NetError> {
        assert_eq!(request.host, "localhost");
        Err(NetError::Own(request.port))
    }
    fn connect(&mut self, _host: &str, port: u16, _udp: bool) -> Result<(), NetError> {
        Err(NetError::Own(port))
    }
    fn resolve(&mut self, name: &str) -> Result<DnsAnswer, NetError> {
        Ok(DnsAnswer { name: name.to_owned(), addresses: vec!["127.0.0.1".to_owned()] })
    }
    fn random(&mut self) -> u64 {
        self.draws += 1;
        splitmix64(self.draws)
    }
}

/// A cluster and a machine with files, on which scripts run one after the other.
struct Lab {
    cluster: Cluster,
    fs: FileSystem,
}

impl Lab {
    fn new() -> Lab {
        let mut root = debian(SimTime::START);
        root.put("usr/bin/kubectl", Kind::Program("kubectl".into()), 0o755, SimTime::START).unwrap();
        root.put("usr/bin/curl", Kind::Program("tool:curl".into()), 0o755, SimTime::START).unwrap();
        root.put_file("root/.kube/config", default_kubeconfig().as_bytes(), 0o600, SimTime::START).unwrap();
        Lab { cluster: Cluster::new(Settings::default()), fs: FileSystem::new(root) }
    }

    /// Standard output, standard error and exit code of a script; it may take two minutes.
    fn run(&mut self, script: &str) -> (String, String, i32) {
        let mut machine = Machine::new(self.fs.clone());
        let mut spawn = Spawn::new(&["bash", "-c", script], 1);
        spawn.cwd = "/root".to_owned();
        spawn.stdin = Stdin::Null;
        let end = self.cluster.sim_now() + Duration::from_secs(120);
        let mut outside =
            Outside { cluster: &mut self.cluster, out: String::new(), err: String::new(), draws: 0 };
        let pid = machine.spawn(&mut outside, spawn).unwrap();
        let code = loop {
            machine.stir();
            let next = machine.run(&mut outside, 100_000).next;
            if let Some(exit) = machine.exit_of(pid) {
                break exit.code();
            }
            let until = match next {
                Next::Now => continue,
                Next::At(at) => at.min(end),
                Next::Never => end,
            };
            if outside.cluster.sim_now() >= end {
                break -1;
            }
            outside
                .cluster
                .run_until(until.max(outside.cluster.sim_now() + Duration::from_millis(1)), || false);
        };
        self.fs = machine.fs().clone();
        (outside.out, outside.err, code)
    }

    fn out(&mut self, script: &str) -> String {
        let (out, err, code) = self.run(script);
        assert_eq!((err.as_str(), code), ("", 0), "{script}: {out}");
        out
    }
}

const CONFIG_MAP: &str = r#"cat > c.yaml <<EOF
apiVersion: v1
kind: ConfigMap
metadata: {name: c1}
data: {a: "1"}
EOF
"#;

/// The numbers of temporary names and the times, which are the run's own.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.split('\t').next().unwrap();
        let mut digits = 0;
        for c in line.chars() {
            digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
            if digits < 3 {
                out.push(c);
            }
        }
        out.push('\n');
    }
    out
}

#[test]
fn kubectl_stands_in_loops_substitutions_and_pipes() {
    let mut lab = Lab::new();
    let made = lab.out("for n in a b; do kubectl create ns $n; done; kubectl get ns a b -o name | sort -r");
    assert_eq!(made, "namespace/a created\nnamespace/b created\nnamespace/b\nnamespace/a\n");
    assert_eq!(
        lab.out("kubectl get ns -o name | grep -E '/(a|b)$' | xargs -n 1 kubectl delete --wait=false"),
        "namespace \"a\" deleted\nnamespace \"b\" deleted\n"
    );
    assert_eq!(lab.out("echo \"<$(kubectl get ns default -o jsonpath='{.metadata.name}')>\""), "<default>\n");
    assert_eq!(
        lab.out(
            "kubectl run p --image=nginx >/dev/null; kubectl wait --for=condition=Ready pod/p && echo up"
        ),
        "pod/p condition met\nup\n"
    );
    assert_eq!(
        lab.out("kubectl exec p -- echo hi | tr a-z A-Z; echo in | kubectl exec -i p -- cat"),
        "HI\nin\n"
    );
    assert_eq!(
        lab.out("timeout 3 kubectl get po -w --no-headers | wc -l; kubectl logs p | head -1 | wc -l"),
        "1\n1\n"
    );
    assert_eq!(lab.run("kubectl get pod nobody || exit 7").2, 7);
    assert_eq!(lab.out("i=0; while ! kubectl get po late >/dev/null 2>&1; do i=$((i+1)); [ $i = 3 ] && kubectl run late --image=nginx; sleep 1; done; echo $i"),
        "pod/late created\n3\n");
}

#[test]
fn diff_shows_what_apply_would_change() {
    let mut lab = Lab::new();
    assert_eq!(
        lab.out(&format!("{CONFIG_MAP}kubectl apply -f c.yaml; kubectl diff -f c.yaml")),
        "configmap/c1 created\n"
    );
    // Recorded with kubectl 1.37.1.
    let (out, err, code) = lab.run("sed -i 's/\"1\"/\"2\"/' c.yaml; kubectl diff -f c.yaml");
    assert_eq!((err.as_str(), code), ("", 1));
    assert_eq!(
        masked(&out),
        "diff -u -N /tmp/LIVE-10/v1.ConfigMap.default.c1 /tmp/MERGED-35/v1.ConfigMap.default.c1
--- /tmp/LIVE-10/v1.ConfigMap.default.c1
+++ /tmp/MERGED-35/v1.ConfigMap.default.c1
@@ -1,6 +1,6 @@
 apiVersion: v1
 data:
-  a: \"1\"
+  a: \"2\"
 kind: ConfigMap
 metadata:
   annotations:
"
        .replace("-10/", &format!("-{}/", first_two(&out, "LIVE-")))
        .replace("-35/", &format!("-{}/", first_two(&out, "MERGED-")))
    );
    assert_eq!(lab.run("kubectl diff").1, "error: must specify one of -f and -k\n");
    assert_eq!(lab.run("kubectl diff").2, 2);
    let (out, _, code) = lab.run("KUBECTL_EXTERNAL_DIFF='diff -r -q' kubectl diff -f c.yaml");
    assert!(
        out.starts_with("Files /tmp/LIVE-") && out.ends_with("/v1.ConfigMap.default.c1 differ\n"),
        "{out}"
    );
    assert_eq!(code, 1);
    assert_eq!(lab.out("ls /tmp"), "");
}

fn first_two<'a>(text: &'a str, after: &str) -> &'a str {
    let at = text.find(after).unwrap() + after.len();
    &text[at..at + 2]
}

/// Runs kubectl with `$KUBE_EDITOR` set to a script that shows the file's comments and then does one edit a call.
fn edit(lab: &mut Lab, edits: &[&str], line: &str) -> (String, String, i32) {
    let mut script =
        "n=$(cat n); n=$((n+1)); echo $n > n; echo \"[$n]\"; grep '^#' $1 | tail -n +5\ncase $n in\n"
            .to_owned();
    for (index, edit) in edits.iter().enumerate() {
        script.push_str(&format!("{}) {edit};;\n", index + 1));
    }
    script.push_str("esac\n");
    let (out, err, code) =
        lab.run(&format!("echo 0 > n; cat > ed <<'EOF'\n{script}EOF\nKUBE_EDITOR='bash ed' {line}"));
    let numberless = |text: &str| {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("kubectl-edit-") {
            out.push_str(before);
            out.push_str("kubectl-edit-N");
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        out + rest
    };
    (numberless(&out), numberless(&err), code)
}

#[test]
fn edit_sends_what_the_editor_leaves() {
    // Recorded with kubectl 1.37.1 and a real API server.
    let mut lab = Lab::new();
    lab.out("kubectl create deployment d --image=nginx; kubectl run web --image=nginx -l app=web; sleep 20");
    let mut check = |edits: &[&str], line: &str, out: &str, err: &str, code: i32| {
        assert_eq!(edit(&mut lab, edits, line), (out.to_owned(), err.to_owned(), code), "{line}");
    };
    let kept = "A copy of your changes has been stored to \"/tmp/kubectl-edit-N.yaml\"\n";
    let none = "error: Edit cancelled, no valid changes were saved.\n";
    check(&[":"], "kubectl edit pod web", "[1]\n", "Edit cancelled, no changes made.\n", 0);
    check(
        &[": > $1"],
        "kubectl edit pod web --validate=false",
        "[1]\n",
        "Edit cancelled, saved file was empty.\n",
        0,
    );
    check(
        &["sed -i 's/app: web/app: x/' $1"],
        "kubectl edit pod web --output-patch",
        "[1]\nPatch: {\"metadata\":{\"labels\":{\"app\":\"x\"}}}\npod/web edited\n",
        "",
        0,
    );
    check(
        &["sed -i 's/app: x/app: y/' $1", ":"],
        "kubectl edit pod web",
        "[1]\n[2]\n# The edited file had a syntax error: unable to decode \"edited-file\": json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string\n#\n",
        &format!("{kept}{none}"),
        1,
    );
    check(
        &["sed -i 's/name: web$/name: [/' $1", ":"],
        "kubectl edit pod web",
        "[1]\n[2]\n# pods \"web\" was not valid:\n# * <nil>: Invalid value: \"The edited file failed validation\": yaml: line 9: did not find expected ',' or ']'\n#\n",
        &format!("error: pods \"web\" is invalid\n{kept}{none}"),
        1,
    );
    check(
        &["sed -i 's/^kind: Pod/kind: /' $1", ":"],
        "kubectl edit pod web",
        "[1]\n[2]\n# pods \"web\" was not valid:\n# * <nil>: Invalid value: \"The edited file failed validation\": kind not set\n#\n",
        &format!("error: pods \"web\" is invalid\n{kept}{none}"),
        1,
    );
    check(
        &["sed -i 's/^kind: Pod/kind: Pood/' $1", ":"],
        "kubectl edit pod web",
        "[1]\n[2]\n# The edited file had a syntax error: resource mapping not found for name: \"web\" namespace: \"default\" from \"edited-file\": no matches for kind \"Pood\" in version \"v1\"\n# ensure CRDs are installed first\n#\n",
        &format!("{kept}{none}"),
        1,
    );
    check(
        &["sed -i 's/  name: web/  name: web2/' $1"],
        "kubectl edit pod web",
        "[1]\n",
        &format!("{kept}error: At least one of apiVersion, kind and name was changed\n"),
        1,
    );
    check(
        &[": > $1", ":"],
        "kubectl edit pod web",
        "[1]\n[2]\n# pods \"web\" was not valid:\n# * <nil>: Invalid value: \"The edited file failed validation\": invalid object to validate\n#\n",
        &format!("error: pods \"web\" is invalid\n{kept}{none}"),
        1,
    );
    check(
        &["sed -i 's/^spec:/spec:\\n  foo: bar/' $1", ":"],
        "kubectl edit pod web",
        "[1]\n[2]\n# pods \"web\" was not valid:\n# * patch: Invalid value: \"map[spec:map[foo:bar]]\": strict decoding error: unknown field \"spec.foo\"\n#\n",
        &format!("error: pods \"web\" is invalid\n{kept}{none}"),
        1,
    );
    check(
        &["exit 3"],
        "kubectl edit pod web",
        "[1]\n",
        "error: there was a problem with the editor \"bash ed\"\n",
        1,
    );
    check(
        &["sed -i 's/namespace: default/namespace: other/' $1"],
        "kubectl edit pod web",
        "[1]\n",
        &format!(
            "{kept}error: the namespace from the provided object \"other\" does not match the namespace \"default\". You must pass '--namespace=other' to perform this operation.\n"
        ),
        1,
    );
    check(
        &["sed -i 's/resourceVersion: .*/resourceVersion: \"1\"/' $1"],
        "kubectl edit pod web",
        "[1]\n",
        "error: pods \"web\" could not be patched: Operation cannot be fulfilled on pods \"web\": the object has been modified; please apply your changes to the latest version and try again\nYou can run `kubectl replace -f /tmp/kubectl-edit-N.yaml` to try this update again.\n",
        1,
    );
    check(&[], "kubectl edit pod nope", "", "Error from server (NotFound): pods \"nope\" not found\n", 1);
    check(
        &[],
        "kubectl edit pod web -o foo",
        "",
        "error: unable to match a printer suitable for the output format \"foo\", allowed formats are: json,kyaml,yaml\n",
        1,
    );
    check(
        &["sed -i 's/replicas: 1/replicas: -1/' $1", "sed -i 's/replicas: -1/replicas: 2/' $1"],
        "kubectl edit deploy d",
        "[1]\n[2]\n# deployments.apps \"d\" was not valid:\n# * spec.replicas: Invalid value: -1: must be greater than or equal to 0\n#\ndeployment.apps/d edited\n",
        "error: deployments.apps \"d\" is invalid\n",
        0,
    );
    check(
        &[":"],
        "kubectl edit deploy d --subresource=foo",
        "",
        "Error from server (NotFound): the server could not find the requested resource\n",
        1,
    );
    check(
        &["kubectl delete deploy d >/dev/null; sed -i 's/replicas: 2/replicas: 1/' $1"],
        "kubectl edit deploy d",
        "[1]\n",
        "error: deployments.apps \"d\" could not be found on the server\nThe edits you made on deleted resources have been saved to \"/tmp/kubectl-edit-N.yaml\"\n",
        1,
    );
    check(
        &[],
        "KUBE_EDITOR='no such' kubectl edit pod web",
        "",
        "error: unable to launch the editor \"no such\"\n",
        1,
    );
    check(
        &[],
        "KUBE_EDITOR=\"sh -c 'exit 2'\" SHELL=/bin/bash kubectl edit pod web",
        "",
        "error: there was a problem with the editor \"/bin/bash -c sh -c 'exit 2'\"\n",
        1,
    );
}

#[test]
fn create_and_apply_have_an_editor_too() {
    let mut lab = Lab::new();
    lab.out(CONFIG_MAP);
    let again = |lab: &mut Lab, edits: &[&str], line: &str| edit(lab, edits, line);
    assert_eq!(
        again(&mut lab, &["tail -n +5 $1; sed -i s/c1/c2/ $1"], "kubectl create -f c.yaml --edit").0,
        "[1]\napiVersion: v1\ndata:\n  a: \"1\"\nkind: ConfigMap\nmetadata:\n  name: c1\n  namespace: default\nconfigmap/c2 created\n"
    );
    let (_, err, code) = again(&mut lab, &["sed -i s/c1/c2/ $1"], "kubectl create -f c.yaml --edit");
    assert_eq!(
        err,
        "A copy of your changes has been stored to \"/tmp/kubectl-edit-N.yaml\"\nError from server (AlreadyExists): configmaps \"c2\" already exists\n"
    );
    assert_eq!(code, 1);
    let (_, err, _) = again(&mut lab, &[], "kubectl apply edit-last-applied cm/c2");
    assert_eq!(
        err,
        "error: no last-applied-configuration annotation found on resources, to create the annotation, use command `kubectl apply set-last-applied --create-annotation`\n"
    );
    lab.out("kubectl apply -f c.yaml");
    assert_eq!(
        again(&mut lab, &["cat $1; sed -i 's/\"1\"/\"5\"/' $1"], "kubectl apply edit-last-applied cm/c1").0,
        "[1]\n# Please edit the 'last-applied-configuration' annotations below.\n# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.\n#\napiVersion: v1\ndata:\n  a: \"1\"\nkind: ConfigMap\nmetadata:\n  annotations: {}\n  name: c1\n  namespace: default\nconfigmap/c1 edited\n"
    );
    assert_eq!(
        lab.out("kubectl get cm c1 -o jsonpath='{.metadata.annotations}'"),
        "{\"kubectl.kubernetes.io/last-applied-configuration\":\"{\\\"apiVersion\\\":\\\"v1\\\",\\\"data\\\":{\\\"a\\\":\\\"5\\\"},\\\"kind\\\":\\\"ConfigMap\\\",\\\"metadata\\\":{\\\"annotations\\\":{},\\\"name\\\":\\\"c1\\\",\\\"namespace\\\":\\\"default\\\"}}\"}"
    );
}

/// Runs a script and compares all it says with what it said where the real kubectl (1.37.1) ran; answers how many of
/// its command lines (`$ kubectl …` to the next one) differ.
fn differing(lab: &mut Lab, script: &str, recorded: &str) -> usize {
    let (said, err, _) = lab.run(script);
    // A pod's name is drawn.
    let plain = |text: &str| match text.split_once("pod x-") {
        Some((before, after)) => format!("{before}pod x{}", &after[after.find(' ').unwrap_or(0)..]),
        None => text.to_owned(),
    };
    let cut = |text: &str| -> Vec<String> { text.split("$ kubectl ").map(plain).collect() };
    let (said, recorded) = (cut(&format!("{said}{err}")), cut(recorded));
    for (said, recorded) in said.iter().zip(&recorded).filter(|(a, b)| a != b) {
        eprintln!("=== recorded\n{recorded}--- here\n{said}");
    }
    assert_eq!(said.len(), recorded.len(), "{}", said.last().unwrap());
    said.iter().zip(&recorded).filter(|(a, b)| a != b).count()
}

#[test]
fn config_is_written_as_the_real_one_does() {
    let mut lab = Lab::new();
    assert_eq!(differing(&mut lab, include_str!("data/config.sh"), include_str!("data/config.txt")), 0);
}

#[test]
fn the_smaller_commands_say_what_the_real_ones_do() {
    let mut lab = Lab::new();
    lab.out("kubectl get ns; sleep 5");
    assert_eq!(differing(&mut lab, include_str!("data/smaller.sh"), include_str!("data/smaller.txt")), 0);
}

#[test]
fn debug_and_cp_do_what_the_real_ones_do() {
    let mut lab = Lab::new();
    lab.out("sleep 5");
    let script = include_str!("data/debug.sh").replace("$NODE", "node01");
    assert_eq!(differing(&mut lab, &script, include_str!("data/debug.txt")), 0);
}

#[test]
fn a_forwarded_port_leads_to_the_pod() {
    let mut lab = Lab::new();
    lab.out("sleep 5");
    assert_eq!(differing(&mut lab, include_str!("data/forward.sh"), include_str!("data/forward.txt")), 0);
}
