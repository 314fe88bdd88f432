//! A real kubectl against the server, where there is one: `KUBECTL`, or `kubectl` on the path.

use crate::client::Lab;
use podlab_serve::kubeconfig;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};

struct Kubectl {
    _lab: Lab,
    program: PathBuf,
    home: PathBuf,
}

impl Kubectl {
    /// `None`, saying so, where there is no kubectl.
    fn start(test: &str) -> Option<Kubectl> {
        let program = PathBuf::from(std::env::var_os("KUBECTL").unwrap_or_else(|| "kubectl".into()));
        let found = Command::new(&program).args(["version", "--client"]).output();
        if !found.is_ok_and(|output| output.status.success()) {
            println!("skipped: there is no kubectl (name one in KUBECTL)");
            return None;
        }
        let lab = Lab::start();
        let home = std::env::temp_dir().join(format!("podlab-serve-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join("config"), kubeconfig(&format!("http://{}", lab.address))).unwrap();
        Some(Kubectl { _lab: lab, program, home })
    }

    /// Runs a line with input; gives what it wrote, errors after output.
    fn run_with(&self, line: &[&str], input: &str) -> String {
        let mut child = Command::new(&self.program)
            .arg("--request-timeout=60s")
            .args(line)
            .env("KUBECONFIG", self.home.join("config"))
            .env("HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    fn run(&self, line: &str) -> String {
        self.run_with(&line.split_whitespace().collect::<Vec<_>>(), "")
    }
}

impl Drop for Kubectl {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

#[test]
fn a_deployment_is_made_scaled_rolled_and_deleted() {
    let Some(kubectl) = Kubectl::start("deployment") else { return };
    assert_eq!(
        kubectl.run("create deployment web --image=nginx --replicas=2"),
        "deployment.apps/web created\n"
    );
    let waited = kubectl.run("rollout status deployment/web");
    assert!(waited.ends_with("deployment \"web\" successfully rolled out\n"), "{waited}");
    assert_eq!(kubectl.run("scale deployment web --replicas=3"), "deployment.apps/web scaled\n");
    assert_eq!(
        kubectl.run("set image deployment/web nginx=nginx:1.27"),
        "deployment.apps/web image updated\n"
    );
    kubectl.run("rollout status deployment/web");
    assert!(kubectl.run("rollout history deployment/web").contains("2         <none>"));
    let pods = kubectl.run("get pods --no-headers");
    assert_eq!(pods.lines().filter(|line| line.contains("1/1   Running")).count(), 3, "{pods}");
    assert_eq!(kubectl.run("auth can-i create pods"), "yes\n");
    // Kubectls before 1.34 say no more than this.
    let deleted = kubectl.run("delete deployment web");
    assert!(deleted.starts_with("deployment.apps \"web\" deleted"), "{deleted}");
}

#[test]
fn manifests_are_validated_and_applied() {
    let Some(kubectl) = Kubectl::start("apply") else { return };
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: b}\n";
    let apply = ["apply", "-f", "-"];
    assert_eq!(kubectl.run_with(&apply, manifest), "configmap/conf created\n");
    assert_eq!(kubectl.run_with(&apply, manifest), "configmap/conf unchanged\n");
    let wrong = kubectl.run_with(&apply, &manifest.replace("\ndata", "\ndaten"));
    assert!(wrong.contains("strict decoding error: unknown field \"daten\""), "{wrong}");
    assert!(kubectl.run("explain configmap.data").contains("FIELD: data <map[string]string>"));
}

#[test]
fn commands_run_in_containers() {
    let Some(kubectl) = Kubectl::start("exec") else { return };
    kubectl.run("run box --image=busybox --restart=Never -- sleep 100000");
    kubectl.run("wait --for=condition=Ready pod/box");
    assert_eq!(kubectl.run("exec box -- echo hello"), "hello\n");
    assert_eq!(kubectl.run_with(&["exec", "-i", "box", "--", "cat"], "in and out"), "in and out");
    let failed = kubectl.run_with(&["exec", "box", "--", "sh", "-c", "exit 3"], "");
    assert_eq!(failed, "command terminated with exit code 3\n");
    let missing = kubectl.run("exec box -- nosuch");
    assert!(missing.contains("exec: \"nosuch\": executable file not found in $PATH"), "{missing}");
    assert!(!missing.contains("unable to upgrade"), "{missing}");
    assert!(kubectl.run("exec nobody -- ls").contains("pods \"nobody\" not found"));
}

#[test]
fn files_are_copied_into_containers_and_back() {
    let Some(kubectl) = Kubectl::start("cp") else { return };
    kubectl.run("run box --image=busybox --restart=Never -- sleep 100000");
    kubectl.run("wait --for=condition=Ready pod/box");
    let (there, back) = (kubectl.home.join("there"), kubectl.home.join("back"));
    std::fs::write(&there, "carried\n").unwrap();
    kubectl.run_with(&["cp", there.to_str().unwrap(), "box:/tmp/there"], "");
    assert_eq!(kubectl.run("exec box -- cat /tmp/there"), "carried\n");
    kubectl.run_with(&["cp", "box:/tmp/there", back.to_str().unwrap()], "");
    assert_eq!(std::fs::read_to_string(&back).unwrap(), "carried\n");
}

#[test]
fn a_port_is_forwarded_by_kubectl() {
    let Some(kubectl) = Kubectl::start("forward") else { return };
    kubectl.run("run web --image=nginx");
    kubectl.run("wait --for=condition=Ready pod/web");
    let mut child = Command::new(&kubectl.program)
        .args(["port-forward", "--address=127.0.0.1", "pod/web", ":80"])
        .env("KUBECONFIG", kubectl.home.join("config"))
        .env("HOME", &kubectl.home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    // Its output stays open: it says there whenever somebody connects.
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let port = line.split("127.0.0.1:").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
    let mut page = String::new();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n").unwrap();
    stream.read_to_string(&mut page).unwrap();
    let _ = child.kill();
    let _ = child.wait();
    assert!(page.starts_with("HTTP/1.1 200 OK") && page.contains("Welcome to nginx!"), "{page}");
}
