//! Every way that is offered to make a pod fit, taken on a copy of the cluster: the pod must fit then.

use super::Lab;
use super::inspect::manifest;
use super::remedy::ways;
use super::what_if::Trial;
use podlab_api::Object;
use podlab_cluster::scheduler::decision::{Decision, Fix, Outcome, Verdict};
use std::sync::Arc;
use std::time::Duration;

/// A lab in which manifests were applied and lines sent, a few seconds later.
fn lab(manifests: &str, lines: &[&str]) -> Lab {
    let mut lab = Lab::default();
    if !manifests.is_empty() {
        lab.edit(manifests);
        let outcome = lab.apply();
        assert!(outcome.ok(), "{outcome:?}");
    }
    for line in lines {
        lab.enter(line);
        let entry = lab.terminal.entries().last().unwrap();
        assert_eq!(entry.code, Some(0), "{entry:?}");
    }
    pass(&mut lab, 10);
    lab
}

fn pass(lab: &mut Lab, seconds: u64) {
    let to = lab.live().sim_now() + Duration::from_secs(seconds);
    assert!(lab.jump(to, &mut || true));
}

fn pod(spec: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p, labels: {{app: p}}}}\nspec: {spec}\n")
}

fn named(name: &str, labels: &str, spec: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, labels: {labels}}}\nspec: {spec}\n---\n")
}

const C: &str = "containers: [{name: c, image: nginx}]";

fn asking(resources: &str) -> String {
    format!("{{containers: [{{name: c, image: nginx, resources: {{requests: {resources}}}}}]}}")
}

/// Applies the pod and gives what was decided about it.
fn decided(lab: &mut Lab, pod: &str) -> (Arc<Object>, Decision) {
    lab.files.add("p", pod);
    let outcome = lab.apply();
    assert!(outcome.ok(), "{outcome:?}");
    pass(lab, 3);
    let object = lab.object("Pod", "default", "p").unwrap();
    let decision = lab.live().world().scheduler.latest_decision(object.uid());
    let decision = decision.map(|d| (**d).clone()).unwrap_or_else(|| {
        // Gates keep it from the scheduler.
        lab.try_out(&object, &Trial::default(), &mut || true).before.unwrap()
    });
    (object, decision)
}

fn fits(decision: &Decision, node: &str) -> bool {
    decision.nodes.iter().any(|n| &*n.node == node && matches!(n.verdict, Verdict::Feasible { .. }))
}

/// Takes each way of each fix, with the first way of all others, and tells what was taken: `node01: Label`.
fn take_all(lab: &mut Lab, pod: &str) -> Vec<String> {
    let (object, decision) = decided(lab, pod);
    let mut taken = Vec::new();
    let mut everywhere = Vec::new();
    match &decision.outcome {
        Outcome::Unschedulable { fixes, .. } => everywhere.clone_from(fixes),
        Outcome::Gated { gates } => {
            everywhere.extend(gates.iter().map(|name| Fix::RemoveGate { name: name.clone() }));
        }
        other => panic!("{other:?}"),
    }
    let mut cases: Vec<(String, Vec<Fix>)> = Vec::new();
    if !everywhere.is_empty() {
        cases.push((String::new(), everywhere));
    }
    for node in &decision.nodes {
        if let Verdict::RuledOut { fixes, beyond, plugin, .. } = &node.verdict {
            assert!(!fixes.is_empty(), "{plugin:?} says nothing of {}", node.node);
            let all = fixes.iter().chain(beyond.iter().flat_map(|o| &o.fixes)).cloned().collect();
            cases.push((node.node.to_string(), all));
        }
    }
    for (node, fixes) in cases {
        let first = manifest(&object);
        if fixes.iter().any(|fix| ways(fix, &node, &first).is_empty()) {
            taken.push(format!("{node}: nothing"));
            continue;
        }
        for (index, fix) in fixes.iter().enumerate() {
            for place in 0..ways(fix, &node, &first).len() {
                let mut trial = Trial::default();
                let mut what = None;
                for (other, fix) in fixes.iter().enumerate() {
                    let ways = ways(fix, &node, &trial.manifest(&object));
                    let way = if other == index { ways.get(place) } else { ways.first() };
                    if let Some(way) = way {
                        assert!(trial.add(way));
                        if other == index {
                            what = Some(way.what.clone());
                        }
                    }
                }
                let tried = lab.try_out(&object, &trial, &mut || true);
                assert_eq!(tried.refused, [], "{node}: {what:?}");
                let after = tried.after.as_ref().unwrap();
                let fit = if node.is_empty() { tried.goes_to().is_some() } else { fits(after, &node) };
                assert!(fit, "{node}: {what:?} of {fixes:?}\n{trial:?}\n{after:?}");
                let name = format!("{:?}", what.unwrap());
                let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned();
                taken.push(format!("{node}: {name}"));
            }
        }
    }
    taken
}

#[track_caller]
fn taken(manifests: &str, lines: &[&str], pod: &str, expected: &[&str]) {
    let mut lab = lab(manifests, lines);
    assert_eq!(take_all(&mut lab, pod), expected);
}

#[test]
fn resources() {
    let filler = |name: &str, node: &str, resources: &str| {
        let spec = format!(
            "{{nodeSelector: {{kubernetes.io/hostname: {node}}}, containers: [{{name: c, image: nginx, resources: {{requests: {resources}}}}}]}}"
        );
        named(name, "{app: filler}", &spec)
    };
    let fillers = filler("a", "node01", "{cpu: 1500m}")
        + &filler("b", "node02", "{cpu: 900m}")
        + &filler("c", "node02", "{cpu: 700m}");
    taken(
        &fillers,
        &[],
        &pod(&asking("{cpu: 800m}")),
        &[
            "controlplane: Tolerate",
            "controlplane: Untaint",
            "node01: AskLess",
            "node01: DeletePods",
            "node02: AskLess",
            "node02: DeletePods",
        ],
    );
    taken(
        "",
        &[],
        &pod(&asking("{memory: 900Gi, ephemeral-storage: 9000Gi}")),
        &[
            "controlplane: Tolerate",
            "controlplane: Untaint",
            "controlplane: AskLess",
            "controlplane: AskLess",
            "node01: AskLess",
            "node01: AskLess",
            "node02: AskLess",
            "node02: AskLess",
        ],
    );
}

#[test]
fn extended_resources_and_places_for_pods() {
    let gpus = "kubectl patch node node01 --subresource=status --type=merge -p '{\"status\":{\"capacity\":{\"example.com/gpu\":\"2\"},\"allocatable\":{\"example.com/gpu\":\"2\"}}}'";
    let limits = |n: u8| {
        format!(
            "{{containers: [{{name: c, image: nginx, resources: {{limits: {{example.com/gpu: {n}}}}}}}]}}"
        )
    };
    taken(
        "",
        &[gpus, "kubectl cordon node02"],
        &pod(&limits(3)),
        &["controlplane: nothing", "node01: AskLess", "node02: nothing"],
    );
    let mut lab = lab("", &[gpus]);
    lab.edit(&named("holder", "{app: holder}", &limits(1)));
    assert!(lab.apply().ok());
    pass(&mut lab, 3);
    let all = take_all(&mut lab, &pod(&limits(2)));
    assert_eq!(all, ["controlplane: nothing", "node01: AskLess", "node01: DeletePods", "node02: nothing"]);
}

#[test]
fn taints_and_cordons() {
    taken(
        "",
        &[
            "kubectl cordon node01",
            "kubectl taint node node02 gpu=yes:NoExecute",
            "kubectl taint node node02 team=a:NoSchedule",
        ],
        &pod(&format!("{{{C}}}")),
        &[
            "controlplane: Tolerate",
            "controlplane: Untaint",
            "node01: Uncordon",
            "node01: Tolerate",
            "node02: Tolerate",
            "node02: Untaint",
            "node02: Tolerate",
            "node02: Untaint",
        ],
    );
}

#[test]
fn labels_of_nodes() {
    let lines = [
        "kubectl cordon controlplane",
        "kubectl taint node controlplane node-role.kubernetes.io/control-plane-",
        "kubectl label node node01 disk=hdd spare=yes size=3",
    ];
    let affinity = |expressions: &str| {
        format!(
            "{{nodeSelector: {{disk: ssd}}, affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{{matchExpressions: {expressions}}}]}}}}}}, {C}}}"
        )
    };
    let all = "[{key: rack, operator: In, values: [r1, r2]}, {key: spare, operator: DoesNotExist}, {key: size, operator: Gt, values: ['7']}, {key: net, operator: Exists}, {key: disk, operator: NotIn, values: [hdd]}]";
    let mut lab = lab("", &lines);
    let found = take_all(&mut lab, &pod(&affinity(all)));
    let of =
        |node: &str| found.iter().filter_map(|t| t.strip_prefix(&format!("{node}: "))).collect::<Vec<_>>();
    let label = ["Label", "DropWish"];
    assert_eq!(of("node02"), [label, label, label, label].concat());
    // One label meets both wishes for the disk, so none of them is to be dropped.
    let unlabel = ["Unlabel", "DropWish"];
    assert_eq!(of("node01"), [&label[..1], &label[..], &label[..], &label[..], &unlabel[..]].concat());
    assert_eq!(of("controlplane").first(), Some(&"Uncordon"));
}

#[test]
fn nodes_by_name() {
    let fields = format!(
        "{{affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {{nodeSelectorTerms: [{{matchFields: [{{key: metadata.name, operator: In, values: [gone]}}]}}]}}}}}}, {C}}}"
    );
    taken(
        "",
        &["kubectl taint node controlplane node-role.kubernetes.io/control-plane-"],
        &pod(&fields),
        &["controlplane: NameThisNode", "node01: NameThisNode", "node02: NameThisNode"],
    );
}

#[test]
fn host_ports() {
    let spec = |node: &str| {
        format!(
            "{{nodeSelector: {{kubernetes.io/hostname: {node}}}, containers: [{{name: c, image: nginx, ports: [{{containerPort: 80, hostPort: 8080}}]}}]}}"
        )
    };
    let holders = named("a", "{app: a}", &spec("node01")) + &named("b", "{app: b}", &spec("node02"));
    let wanting = "{containers: [{name: c, image: nginx, ports: [{containerPort: 80, hostPort: 8080}]}]}";
    taken(
        &holders,
        &[],
        &pod(wanting),
        &[
            "controlplane: Tolerate",
            "controlplane: Untaint",
            "node01: OtherPort",
            "node01: DeletePods",
            "node02: OtherPort",
            "node02: DeletePods",
        ],
    );
}

#[test]
fn spread() {
    let zones =
        ["kubectl label node node01 zone=a", "kubectl label node node02 zone=b", "kubectl cordon node02"];
    let one = |name: &str| named(name, "{app: p}", &format!("{{nodeSelector: {{zone: a}}, {C}}}"));
    let constraint = |more: &str| {
        format!(
            "{{topologySpreadConstraints: [{{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {{matchLabels: {{app: p}}}}{more}}}], {C}}}"
        )
    };
    let expected = [
        "controlplane: Tolerate",
        "controlplane: Untaint",
        "controlplane: Label",
        "controlplane: Prefer",
        "node01: AllowSkew",
        "node01: Prefer",
        "node02: Uncordon",
        "node02: Tolerate",
    ];
    let mut there = lab("", &zones);
    there.edit(&(one("x1") + &one("x2")));
    assert!(there.apply().ok());
    pass(&mut there, 5);
    assert_eq!(take_all(&mut there, &pod(&constraint(""))), expected);
}

#[test]
fn affinity_between_pods() {
    let zones = ["kubectl label node node01 zone=a", "kubectl cordon controlplane"];
    let rule = |kind: &str, app: &str| {
        format!(
            "{{affinity: {{{kind}: {{requiredDuringSchedulingIgnoredDuringExecution: [{{topologyKey: zone, labelSelector: {{matchLabels: {{app: {app}}}}}}}]}}}}, {C}}}"
        )
    };
    let mut near = lab("", &zones);
    let all = take_all(&mut near, &pod(&rule("podAffinity", "db")));
    let of = |node: &str| all.iter().filter_map(|t| t.strip_prefix(&format!("{node}: "))).collect::<Vec<_>>();
    assert_eq!(of("node01"), ["RunPeer", "Prefer"]);

    let mut far = lab("", &zones);
    far.edit(&named("db", "{app: db}", &format!("{{nodeSelector: {{zone: a}}, {C}}}")));
    assert!(far.apply().ok());
    pass(&mut far, 3);
    far.enter("kubectl cordon node02");
    pass(&mut far, 1);
    let all = take_all(&mut far, &pod(&rule("podAntiAffinity", "db")));
    let of = |node: &str| all.iter().filter_map(|t| t.strip_prefix(&format!("{node}: "))).collect::<Vec<_>>();
    assert_eq!(of("node01"), ["Prefer", "DeletePods"]);

    let mut theirs = lab("", &zones);
    let spec = rule("podAntiAffinity", "p").replace(C, &format!("nodeSelector: {{zone: a}}, {C}"));
    theirs.edit(&named("alone", "{app: alone}", &spec));
    assert!(theirs.apply().ok());
    pass(&mut theirs, 3);
    theirs.enter("kubectl cordon node02");
    pass(&mut theirs, 1);
    let all = take_all(&mut theirs, &pod(&format!("{{{C}}}")));
    let of = |node: &str| all.iter().filter_map(|t| t.strip_prefix(&format!("{node}: "))).collect::<Vec<_>>();
    assert_eq!(of("node01"), ["DropLabels", "DeletePods"]);
}

const MOUNTING: &str =
    "{volumes: [{name: v, persistentVolumeClaim: {claimName: data}}], containers: [{name: c, image: nginx}]}";

fn claim(name: &str, spec: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: {name}}}\nspec: {{resources: {{requests: {{storage: 1Gi}}}}, {spec}}}\n---\n"
    )
}

#[test]
fn claims() {
    taken("", &[], &pod(MOUNTING), &[": CreateClaim"]);
    let unbound = claim("data", "accessModes: [ReadWriteOnce], storageClassName: ''");
    taken(&unbound, &[], &pod(MOUNTING), &[": CreateVolume"]);
    let waiting = "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: manual}\nprovisioner: kubernetes.io/no-provisioner\nvolumeBindingMode: WaitForFirstConsumer\n---\n";
    let by_hand =
        waiting.to_owned() + &claim("data", "accessModes: [ReadWriteOnce], storageClassName: manual");
    let mut lab = lab(&by_hand, &[]);
    let all = take_all(&mut lab, &pod(MOUNTING));
    assert_eq!(all.iter().filter(|t| t.ends_with(": CreateVolume")).count(), 3, "{all:?}");
}

#[test]
fn volumes_that_are_elsewhere() {
    let volume = |affinity: &str, labels: &str| {
        format!(
            "apiVersion: v1\nkind: PersistentVolume\nmetadata: {{name: pv, labels: {labels}}}\nspec: {{capacity: {{storage: 1Gi}}, accessModes: [ReadWriteOnce], storageClassName: '', hostPath: {{path: /mnt}}{affinity}}}\n---\n"
        )
    };
    let bound = claim("data", "accessModes: [ReadWriteOnce], storageClassName: '', volumeName: pv");
    let required = |key: &str, value: &str| {
        format!(
            ", nodeAffinity: {{required: {{nodeSelectorTerms: [{{matchExpressions: [{{key: {key}, operator: In, values: [{value}]}}]}}]}}}}"
        )
    };
    let rack = volume(&required("rack", "r1"), "{}") + &bound;
    let mut there = lab(&rack, &["kubectl taint node controlplane node-role.kubernetes.io/control-plane-"]);
    assert_eq!(
        take_all(&mut there, &pod(MOUNTING)),
        ["controlplane: Label", "node01: Label", "node02: Label"]
    );
    let host = volume(&required("kubernetes.io/hostname", "node09"), "{}") + &bound;
    let mut there = lab(&host, &[]);
    assert_eq!(
        take_all(&mut there, &pod(MOUNTING)),
        ["controlplane: nothing", "node01: nothing", "node02: nothing"]
    );
    let zone = volume("", "{topology.kubernetes.io/zone: z1}") + &bound;
    let lines =
        ["kubectl label node node01 node02 topology.kubernetes.io/zone=z2", "kubectl cordon controlplane"];
    let mut there = lab(&zone, &lines);
    let all = take_all(&mut there, &pod(MOUNTING));
    assert_eq!(
        all.iter().filter(|t| t.ends_with(": Label")).collect::<Vec<_>>(),
        ["node01: Label", "node02: Label"]
    );
}

#[test]
fn a_claim_for_one_pod_only() {
    let once = claim("data", "accessModes: [ReadWriteOncePod]");
    let user = named("user", "{app: user}", MOUNTING);
    let mut there = lab(&(once + &user), &[]);
    let all = take_all(&mut there, &pod(MOUNTING));
    assert!(all.iter().any(|t| t.ends_with("DeletePods")), "{all:?}");
}

#[test]
fn gates() {
    taken(
        "",
        &[],
        &pod(&format!("{{schedulingGates: [{{name: example.com/a}}], {C}}}")),
        &[": DropGate", "controlplane: Tolerate", "controlplane: Untaint"],
    );
}

#[test]
fn a_trial_says_how_to_do_it_for_real() {
    let mut there = lab("", &[]);
    let (object, _) = decided(&mut there, &pod(&format!("{{nodeSelector: {{disk: ssd}}, {C}}}")));
    let mut trial = Trial::default();
    let label = ["label", "node", "node01", "disk=ssd"].map(str::to_owned).to_vec();
    trial.changes.push(super::remedy::Change::Kubectl(label));
    let tried = there.try_out(&object, &trial, &mut || true);
    assert_eq!(tried.goes_to(), Some("node01"));
    assert_eq!(tried.lines, ["kubectl label node node01 disk=ssd"]);
    let row = tried.rows().into_iter().find(|r| r.node == "node01").unwrap();
    assert!(matches!(
        (row.before, row.after),
        (Some(Verdict::RuledOut { .. }), Some(Verdict::Feasible { .. }))
    ));
    // Nothing was done to the lab.
    assert!(there.object("Node", "", "node01").unwrap().label("disk").is_none());

    let without =
        podlab_yaml::to_yaml(&super::pod_edits::without_node_selector(manifest(&object), "disk").unwrap());
    let tried = there.try_out(&object, &Trial { pod: Some(without), changes: Vec::new() }, &mut || true);
    assert!(tried.goes_to().is_some());
    assert_eq!(tried.lines, ["kubectl replace --force -f p-2.yaml"]);
    let wrong = Trial { pod: Some(pod("{containers: []}")), changes: Vec::new() };
    let tried = there.try_out(&object, &wrong, &mut || true);
    assert!(tried.after.is_none() && tried.lines.is_empty());
    assert!(
        tried.refused[0].1.contains("The Pod \"p\" is invalid: spec.containers: Required value"),
        "{tried:?}"
    );
}
