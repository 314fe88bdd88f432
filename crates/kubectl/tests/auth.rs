//! Who may do what, line by line as a real API server 1.37 with RBAC answered a real kubectl.

mod common;

use common::Machine;
use podlab_cluster::{Cluster, Settings};
use serde_json::Value;

/// What a line said on both streams, and its exit code.
fn kubectl(cluster: &mut Cluster, line: &str) -> (String, String, i32) {
    let mut machine = Machine::default();
    let env = common::kubeconfig(&mut machine);
    let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let code = common::run(cluster, &mut machine, &arguments, env);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(machine.stdout), text(machine.stderr), code)
}

#[test]
fn a_real_cluster_answers_the_same() {
    let mut cluster = Cluster::new(Settings::default());
    let mut failures = Vec::new();
    for line in include_str!("data/auth.jsonl").lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| record[key].as_str().unwrap();
        // The recording's user goes by another name.
        let err = text("err").replace("user-extra for u without", "user-extra for kubernetes-admin without");
        let wanted = (text("out").to_owned(), err, record["code"].as_i64().unwrap() as i32);
        // What the recorded table has at its lines' ends, the recorder kept as it was.
        let got = kubectl(&mut cluster, text("line"));
        if got != wanted {
            failures.push(format!("$ {}\ngot {got:?}\nnot {wanted:?}", text("line")));
        }
        // Controllers see what has changed.
        cluster.run_until(cluster.sim_now() + std::time::Duration::from_secs(1), || true);
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn a_kubeconfig_may_say_as_whom_a_user_acts() {
    let mut cluster = Cluster::new(Settings::default());
    let said = |cluster: &mut Cluster, line: &str| kubectl(cluster, line).0;
    assert_eq!(
        said(&mut cluster, "auth whoami"),
        "ATTRIBUTE   VALUE\nUsername    kubernetes-admin\nGroups      [kubeadm:cluster-admins system:authenticated]\n"
    );
    let listed = said(&mut cluster, "get clusterroles --no-headers");
    assert_eq!(listed.lines().count(), 75);
    // An aggregated role follows what it gathers.
    said(&mut cluster, "create clusterrole more --verb=get --resource=nodes");
    said(&mut cluster, "label clusterrole more rbac.authorization.k8s.io/aggregate-to-view=true");
    said(&mut cluster, "create rolebinding v --clusterrole=admin --user=vi");
    cluster.run_until(cluster.sim_now() + std::time::Duration::from_secs(2), || true);
    assert_eq!(said(&mut cluster, "auth can-i get nodes --as vi"), "yes\n");
    assert_eq!(said(&mut cluster, "auth can-i list nodes --as vi"), "no\n");
}
