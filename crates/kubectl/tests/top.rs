//! `kubectl top`: columns, sorting, sums, and what it says where nothing is known.

mod common;

use common::Machine;
use podlab_cluster::{Cluster, Settings};
use std::time::Duration;

struct Lab {
    cluster: Cluster,
    machine: Machine,
}

impl Lab {
    fn new() -> Lab {
        Lab { cluster: Cluster::new(Settings::default()), machine: Machine::default() }
    }

    fn pass(&mut self, seconds: u64) {
        self.cluster.run_until(self.cluster.sim_now() + Duration::from_secs(seconds), || true);
    }

    fn kubectl(&mut self, arguments: &[&str]) -> String {
        let env = common::kubeconfig(&mut self.machine);
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        common::run(&mut self.cluster, &mut self.machine, &arguments, env);
        let out =
            [std::mem::take(&mut self.machine.stdout), std::mem::take(&mut self.machine.stderr)].concat();
        String::from_utf8(out).unwrap()
    }
}

#[test]
fn pods_and_their_containers_are_listed_with_what_they_use() {
    let mut lab = Lab::new();
    lab.kubectl(&["run", "a", "--image=nginx"]);
    lab.kubectl(&["run", "busy", "--image=busybox", "--", "sh", "-c", "while :; do :; done"]);
    assert_eq!(lab.kubectl(&["top", "pod"]), "error: metrics not available yet\n");
    lab.pass(40);
    assert_eq!(
        lab.kubectl(&["top", "pod"]),
        "NAME   CPU(cores)   MEMORY(bytes)   \n\
         a      0m           4Mi             \n\
         busy   1000m        1Mi             \n"
    );
    assert_eq!(
        lab.kubectl(&["top", "po", "--containers", "--sort-by=cpu", "--sum"]),
        "POD    NAME   CPU(cores)   MEMORY(bytes)   \n\
         busy   busy   1000m        1Mi             \n\
         a      a      0m           4Mi             \n\
        \x20             ________     ________        \n\
        \x20             1000m        5Mi             \n"
    );
    assert_eq!(lab.kubectl(&["top", "pods", "-l", "run=a", "--no-headers"]), "a     0m    4Mi   \n");
    assert_eq!(lab.kubectl(&["top", "pod", "-l", "run=none"]), "No resources found in default namespace.\n");
    assert_eq!(
        lab.kubectl(&["top", "pod", "none"]),
        "Error from server (NotFound): podmetrics.metrics.k8s.io \"default/none\" not found\n"
    );
    assert_eq!(
        lab.kubectl(&["top", "pod", "a", "-l", "x=y"]),
        "error: only one of NAME or selector can be provided\n"
    );
    assert_eq!(lab.kubectl(&["top", "pod", "--sort-by=x"]), "error: --sort-by accepts only cpu or memory\n");
}

#[test]
fn nodes_are_listed_with_their_share_and_those_that_are_lost() {
    let mut lab = Lab::new();
    lab.cluster.act(podlab_cluster::cluster::Act::StopKubelet("node02".to_owned()));
    lab.pass(120);
    assert_eq!(
        lab.kubectl(&["top", "no"]),
        "NAME           CPU(cores)   CPU(%)      MEMORY(bytes)   MEMORY(%)   \n\
         controlplane   93m          4%          724Mi           17%         \n\
         node01         57m          2%          496Mi           12%         \n\
         node02         <unknown>    <unknown>   <unknown>       <unknown>   \n"
    );
    assert_eq!(
        lab.kubectl(&["top", "node", "node01", "--no-headers"]),
        "node01   57m   2%    496Mi   12%   \n"
    );
}
