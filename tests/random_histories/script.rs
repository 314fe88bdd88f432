//! Scripts for a lab, drawn: manifests, what people do to them, and faults.

use podlab_sim::Draw;
use serde_json::{Map, Value, json};

/// What is drawn for one script.
pub struct Dice {
    draw: Draw,
    names: u32,
}

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.draw.below(bound as u64) as usize
    }

    fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn pick_value(&mut self, of: &[Value]) -> Value {
        of[self.below(of.len())].clone()
    }
}

/// A script of [`podlab::state::history`], as JSON, which is YAML as well.
pub fn script(seed: u64) -> String {
    let mut dice = Dice { draw: Draw::keyed(seed, "random history", "script", 0), names: 0 };
    let mut steps = vec![
        json!({"line": "kubectl create priorityclass high --value=1000"}),
        json!({"line": "kubectl label node node01 disktype=ssd"}),
    ];
    if dice.once_in(3) {
        let node = json!({"name": "node03", "cpu": dice.pick(&["1", "4"]), "memory": dice.pick(&["1Gi", "8Gi"]),
            "pods": 110, "labels": {"zone": "b"}, "control_plane": false, "images": []});
        steps.push(json!({"act": {"AddNode": node}}));
    }
    for _ in 0..4 + dice.below(10) {
        match dice.below(20) {
            0..=6 => apply(&mut dice, &mut steps, pod),
            7..=10 => apply(&mut dice, &mut steps, workload),
            11..=16 => {
                let line = line(&mut dice);
                steps.push(json!({"line": line}));
            }
            17 | 18 => steps.push(json!({"act": fault(&mut dice)})),
            _ if dice.once_in(3) => steps.push(json!("undo")),
            _ => steps.push(json!({"look": {"at": dice.below(20), "ask": ["get", "pods", "-A"]}})),
        }
        let seconds = [0, 1, 2, 5, 11, 30][dice.below(6)];
        steps.push(json!({"pass": seconds}));
    }
    steps.push(json!({"pass": 20}));
    steps.push(json!({"line": "kubectl get pods -A -o wide; kubectl get events"}));
    json!({"seed": seed, "steps": steps}).to_string()
}

fn apply(dice: &mut Dice, steps: &mut Vec<Value>, body: fn(&mut Dice) -> Value) {
    let body = body(dice);
    steps.push(json!({"file": {"name": "it.yaml", "text": body.to_string()}}));
    steps.push(json!({"line": dice.pick(&["kubectl apply -f it.yaml", "kubectl create -f it.yaml"])}));
}

fn container(dice: &mut Dice, name: &str) -> Value {
    let mut it = Map::new();
    it.insert("name".to_owned(), name.into());
    if dice.once_in(2) {
        it.insert("image".to_owned(), dice.pick(&["nginx:1.27", "nginx", "redis:7", "nginx:nosuch"]).into());
    } else {
        it.insert("image".to_owned(), dice.pick(&["busybox:1.36", "busybox"]).into());
        let command = dice.pick(&[
            "sleep 3600",
            "sleep 3",
            "exit 0",
            "exit 3",
            "sleep 2; exit 1",
            "echo $RANDOM; sleep $((RANDOM % 20))",
            "echo bye > /dev/termination-log; exit 2",
            "while true; do echo $(date) $RANDOM; sleep 4; done",
            "trap '' TERM; while true; do sleep 1; done",
            "wget -q -O- http://web; sleep 5",
            "nosuch",
        ]);
        it.insert("command".to_owned(), json!(["sh", "-c", command]));
    }
    if dice.once_in(2) {
        let (cpu, memory) =
            (dice.pick(&["10m", "100m", "500m", "1", "3"]), dice.pick(&["8Mi", "64Mi", "1Gi", "3Gi"]));
        let mut resources = json!({"requests": {"cpu": cpu, "memory": memory}});
        if dice.once_in(2) {
            resources["limits"] = resources["requests"].clone();
        }
        it.insert("resources".to_owned(), resources);
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if dice.once_in(4) {
            let mut body = dice.pick_value(&[
                json!({"httpGet": {"path": "/", "port": 80}}),
                json!({"httpGet": {"path": "/nothing", "port": 80}}),
                json!({"tcpSocket": {"port": 80}}),
                json!({"exec": {"command": ["test", "-f", "/tmp/ok"]}}),
                json!({"exec": {"command": ["true"]}}),
            ]);
            body["periodSeconds"] = json!(1 + dice.below(8));
            body["failureThreshold"] = json!(1 + dice.below(4));
            body["initialDelaySeconds"] = json!(dice.below(5));
            it.insert(probe.to_owned(), body);
        }
    }
    if dice.once_in(6) {
        let hook = json!({"exec": {"command": ["sleep", dice.pick(&["0", "2", "9"])]}});
        it.insert("lifecycle".to_owned(), json!({(dice.pick(&["postStart", "preStop"])): hook}));
    }
    if dice.once_in(6) {
        it.insert(
            "envFrom".to_owned(),
            json!([{"configMapRef": {"name": "settings", "optional": dice.once_in(2)}}]),
        );
    }
    if dice.once_in(10) {
        it.insert("ports".to_owned(), json!([{"containerPort": 80, "hostPort": 8080}]));
    }
    Value::Object(it)
}

fn pod_spec(dice: &mut Dice, restart: &[&str]) -> Value {
    let mut spec = json!({"containers": [container(dice, "a")], "restartPolicy": dice.pick(restart)});
    if dice.once_in(3)
        && let Some(containers) = spec["containers"].as_array_mut()
    {
        containers.push(container(dice, "b"));
    }
    if dice.once_in(4) {
        let mut init = container(dice, "i");
        for field in ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"] {
            init.as_object_mut().map(|fields| fields.remove(field));
        }
        if dice.once_in(3) {
            init["restartPolicy"] = json!("Always");
        }
        spec["initContainers"] = json!([init]);
    }
    if dice.once_in(2) {
        let seconds = [0, 1, 5][dice.below(3)];
        spec["terminationGracePeriodSeconds"] = json!(seconds);
    }
    if dice.once_in(6) {
        spec["priorityClassName"] = json!("high");
    }
    if dice.once_in(8) {
        spec["nodeSelector"] = json!({"disktype": dice.pick(&["ssd", "none"])});
    }
    if dice.once_in(8) {
        let term = json!({"labelSelector": {"matchLabels": {"app": dice.pick(&["web", "a"])}},
            "topologyKey": "kubernetes.io/hostname"});
        let which = dice.pick(&["podAffinity", "podAntiAffinity"]);
        spec["affinity"] = json!({which: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
    }
    if dice.once_in(8) {
        spec["topologySpreadConstraints"] = json!([{"maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": dice.pick(&["DoNotSchedule", "ScheduleAnyway"]),
            "labelSelector": {"matchLabels": {"app": "web"}}}]);
    }
    if dice.once_in(6) {
        spec["tolerations"] =
            json!([{"operator": "Exists", "effect": dice.pick(&["NoSchedule", "NoExecute"])}]);
    }
    if dice.once_in(12) {
        spec["activeDeadlineSeconds"] = json!(3 + dice.below(20));
    }
    if dice.once_in(16) {
        spec["schedulingGates"] = json!([{"name": "example.com/wait"}]);
    }
    spec
}

fn metadata(dice: &mut Dice, name: &str) -> Value {
    dice.names += 1;
    json!({"name": format!("{name}{}", dice.names % 5), "labels": {"app": dice.pick(&["web", "a"])}})
}

fn pod(dice: &mut Dice) -> Value {
    let spec = pod_spec(dice, &["Always", "OnFailure", "Never"]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata(dice, "p"), "spec": spec})
}

fn workload(dice: &mut Dice) -> Value {
    let kind = dice.pick(&["Deployment", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"]);
    let restart: &[&str] = if kind == "Job" { &["OnFailure", "Never"] } else { &["Always"] };
    let labels = json!({"app": dice.pick(&["web", "a"])});
    let template = json!({"metadata": {"labels": labels}, "spec": pod_spec(dice, restart)});
    let mut spec = json!({"template": template});
    let version = match kind {
        "Job" => {
            spec["completions"] = json!(1 + dice.below(3));
            spec["parallelism"] = json!(1 + dice.below(2));
            spec["backoffLimit"] = json!(dice.below(3));
            "batch/v1"
        }
        _ => {
            spec["selector"] = json!({"matchLabels": labels});
            if kind != "DaemonSet" {
                spec["replicas"] = json!(dice.below(5));
            }
            if kind == "StatefulSet" {
                spec["serviceName"] = json!("web");
            }
            "apps/v1"
        }
    };
    json!({"apiVersion": version, "kind": kind, "metadata": metadata(dice, "w"), "spec": spec})
}

fn line(dice: &mut Dice) -> String {
    let node = dice.pick(&["node01", "node02", "controlplane"]).to_owned();
    let pod = format!("p{}", dice.below(5));
    let owner = format!("{}/w{}", dice.pick(&["deploy", "sts", "rs"]), dice.below(5));
    match dice.below(20) {
        0 => format!("kubectl cordon {node}"),
        1 => format!("kubectl uncordon {node}"),
        2 => format!("kubectl drain {node} --ignore-daemonsets --force --delete-emptydir-data --timeout=15s"),
        3 => format!(
            "kubectl taint node {node} k=v:{}",
            dice.pick(&["NoSchedule", "NoExecute", "PreferNoSchedule"])
        ),
        4 => format!("kubectl taint node {node} k-"),
        5 => format!("kubectl label node {node} disktype={} --overwrite", dice.pick(&["ssd", "hdd"])),
        6 => format!("kubectl delete pod {pod} --wait=false"),
        7 => format!("kubectl delete pod {pod} --grace-period=0 --force"),
        8 => format!("kubectl delete pods -l app={} --wait=false", dice.pick(&["web", "a"])),
        9 => format!("kubectl scale {owner} --replicas={}", dice.below(5)),
        10 => {
            format!("kubectl set image {owner} a={}", dice.pick(&["nginx:1.28", "busybox:1.37", "nginx:no"]))
        }
        11 => format!("kubectl rollout restart {owner}"),
        12 => format!("kubectl rollout undo deploy/w{}", dice.below(5)),
        13 => format!(
            "kubectl delete {owner} --cascade={} --wait=false",
            dice.pick(&["background", "orphan", "foreground"])
        ),
        14 => "kubectl create configmap settings --from-literal=a=b".to_owned(),
        15 => "kubectl delete configmap settings".to_owned(),
        16 => format!("kubectl label pod {pod} app={} --overwrite", dice.pick(&["web", "a", "free"])),
        17 => "kubectl create service clusterip web --tcp=80:80".to_owned(),
        18 => format!("kubectl exec {pod} -- touch /tmp/ok"),
        _ => format!(
            "kubectl patch pod {pod} --subresource=resize -p '{{\"spec\":{{\"containers\":[{{\"name\":\"a\",\"resources\":{{\"requests\":{{\"cpu\":\"{}\"}}}}}}]}}}}'",
            dice.pick(&["50m", "1", "5"])
        ),
    }
}

fn fault(dice: &mut Dice) -> Value {
    let node = dice.pick(&["node01", "node02"]);
    match dice.below(5) {
        0 | 1 => json!({"StopKubelet": node}),
        2 => json!({"StartKubelet": node}),
        _ => {
            json!({"KillContainer": {"namespace": "default", "pod": format!("p{}", dice.below(5)), "container": "a"}})
        }
    }
}
