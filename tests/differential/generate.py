#!/usr/bin/env python3
"""Random pods, labels and selectors, the same for the same seed: one JSON object a line on standard output.

A `pod` record is a manifest to create; many have one or two fields that break a rule. A `selector` record is a label
selector to ask for over the pods of the `labels` record. `record.py` adds what a real cluster answers.

    python3 generate.py --seed 1 --pods 240 --selectors 120 > cases.jsonl
"""
import argparse
import json
import random

IMAGES = ["nginx", "nginx:1.27", "busybox:1.36", "redis:7", "registry.k8s.io/pause:3.10", "luksa/kubia"]
KEYS = ["app", "tier", "env", "rel", "team.example.com/owner"]
VALUES = ["web", "db", "cache", "prod", "dev", "v1", "v2", ""]


def labels(r, n=3):
    return {k: r.choice(VALUES) for k in r.sample(KEYS, r.randint(0, n))}


def quantity(r, kind):
    if kind == "cpu":
        return r.choice(["100m", "0.5", "1", "250m", "1.5", "0.1", "2000m"])
    return r.choice(["64Mi", "128974848", "129e6", "1Gi", "0.5Gi", "100M", "512Ki"])


def resources(r):
    out = {}
    for part in ("requests", "limits"):
        if r.random() < 0.5:
            out[part] = {k: quantity(r, k) for k in r.sample(["cpu", "memory"], r.randint(1, 2))}
    return out


def probe(r):
    p = {}
    how = r.choice(["httpGet", "exec", "tcpSocket"])
    if how == "httpGet":
        p["httpGet"] = {"path": r.choice(["/", "/healthz"]), "port": r.choice([80, 8080, "http"])}
        if r.random() < 0.2:
            p["httpGet"]["scheme"] = r.choice(["HTTP", "HTTPS"])
    elif how == "exec":
        p["exec"] = {"command": ["cat", "/tmp/ok"]}
    else:
        p["tcpSocket"] = {"port": r.choice([6379, 80])}
    for field, most in (("initialDelaySeconds", 30), ("periodSeconds", 20), ("timeoutSeconds", 5), ("failureThreshold", 5)):
        if r.random() < 0.3:
            p[field] = r.randint(1, most)
    return p


def container(r, i):
    c = {"name": f"c{i}", "image": r.choice(IMAGES)}
    if r.random() < 0.4:
        c["resources"] = resources(r)
    if r.random() < 0.4:
        c["ports"] = [{"containerPort": r.choice([80, 8080, 6379]), "name": r.choice(["http", "web"])}]
    if r.random() < 0.3:
        c["env"] = [{"name": "A", "value": "1"}, {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]
    for kind in ("livenessProbe", "readinessProbe", "startupProbe"):
        if r.random() < 0.2:
            c[kind] = probe(r)
    if r.random() < 0.2:
        c["command"] = ["sh", "-c", "sleep 3600"]
    if r.random() < 0.15:
        c["imagePullPolicy"] = r.choice(["Always", "Never", "IfNotPresent"])
    if r.random() < 0.15:
        c["securityContext"] = r.choice([{"runAsUser": 1000}, {"privileged": True}, {"readOnlyRootFilesystem": True}])
    if r.random() < 0.1:
        c["lifecycle"] = {"preStop": {"exec": {"command": ["sleep", "1"]}}}
    return c


def pod(r, i):
    spec = {"containers": [container(r, n) for n in range(r.choice([1, 1, 1, 2]))]}
    meta = {"name": f"p{i}"}
    if r.random() < 0.6:
        meta["labels"] = labels(r)
    if r.random() < 0.2:
        meta["annotations"] = {"note": "x"}
    if r.random() < 0.3:
        spec["restartPolicy"] = r.choice(["Always", "OnFailure", "Never"])
    if r.random() < 0.2:
        spec["nodeSelector"] = labels(r, 2)
    if r.random() < 0.2:
        spec["terminationGracePeriodSeconds"] = r.choice([0, 5, 60])
    if r.random() < 0.2:
        spec["initContainers"] = [dict(container(r, 9), name="init")]
        for kind in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
            spec["initContainers"][0].pop(kind, None)
        if r.random() < 0.3:
            spec["initContainers"][0]["restartPolicy"] = "Always"
    if r.random() < 0.3:
        spec["volumes"] = [r.choice([
            {"name": "v", "emptyDir": {}}, {"name": "v", "configMap": {"name": "cm"}},
            {"name": "v", "secret": {"secretName": "s"}}, {"name": "v", "hostPath": {"path": "/tmp"}},
            {"name": "v", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}])]
        spec["containers"][0]["volumeMounts"] = [{"name": "v", "mountPath": "/data"}]
    if r.random() < 0.2:
        spec["tolerations"] = [r.choice([
            {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}, {"operator": "Exists"},
            {"key": "k", "value": "v", "effect": "NoExecute", "tolerationSeconds": 30}])]
    if r.random() < 0.2:
        spec["affinity"] = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "disk", "operator": r.choice(["In", "Exists", "DoesNotExist", "Gt"]), "values": ["1"]}]}]}}}
        e = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"][0]["matchExpressions"][0]
        if e["operator"] in ("Exists", "DoesNotExist") and r.random() < 0.7:
            del e["values"]
    out = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
    if r.random() < 0.45:
        for _ in range(r.choice([1, 1, 2])):
            spoil(r, out)
    return out


def spoil(r, p):
    spec = p["spec"]
    c = spec["containers"][0] if spec["containers"] else {}
    r.choice([
        lambda: c.update(name=r.choice(["", "Upper", "a_b", "x" * 64])),
        lambda: c.update(image=r.choice(["", " nginx"])),
        lambda: c.pop("image", None),
        lambda: c.update(imagePullPolicy="Sometimes"),
        lambda: c.update(ports=[{"containerPort": r.choice([0, 70000, -1])}]),
        lambda: c.update(ports=[{"containerPort": 80, "name": r.choice(["toolongportname1", "UPPER", "80"])}]),
        lambda: c.update(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}),
        lambda: c.update(resources={"requests": {"cpu": "abc"}}),
        lambda: c.update(resources={"limits": {"memory": "-1Mi"}}),
        lambda: c.update(env=[{"name": r.choice(["", "1A", "a=b"]), "value": "x"}]),
        lambda: c.update(env=[{"name": "A", "value": 1}]),
        lambda: c.update(livenessProbe={"periodSeconds": 5}),
        lambda: c.update(livenessProbe={"httpGet": {"port": 0}}),
        lambda: c.update(readinessProbe={"tcpSocket": {"port": "x" * 16}}),
        lambda: c.update(livenessProbe={"exec": {"command": ["a"]}, "successThreshold": 2}),
        lambda: c.update(volumeMounts=[{"name": "nope", "mountPath": "/x"}]),
        lambda: c.update(volumeMounts=[{"name": "nope", "mountPath": ""}]),
        lambda: c.update(imagePullpolicy="Always"),
        lambda: c.update(comand=["x"]),
        lambda: spec.update(restartPolicy=r.choice(["Sometimes", "always"])),
        lambda: spec.update(restartpolicy="Always"),
        lambda: spec.update(containers=[]),
        lambda: spec.update(containers=[c, dict(c)]),
        lambda: spec.update(terminationGracePeriodSeconds="30"),
        lambda: spec.update(nodeSelector={"bad key": "x"}),
        lambda: spec.update(nodeSelector={"a": "bad value!"}),
        lambda: spec.update(dnsPolicy="Nope"),
        lambda: spec.update(volumes=[{"name": "v"}]),
        lambda: spec.update(volumes=[{"name": "v", "emptyDir": {}}, {"name": "v", "emptyDir": {}}]),
        lambda: spec.update(volumes=[{"name": "V_1", "emptyDir": {}}]),
        lambda: spec.update(tolerations=[{"operator": "Equals"}]),
        lambda: spec.update(tolerations=[{"key": "", "operator": "Equal", "value": "x"}]),
        lambda: spec.update(priorityClassName="nope"),
        lambda: spec.update(serviceAccountName="nope"),
        lambda: spec.update(hostNetwork="yes"),
        lambda: spec.update(activeDeadlineSeconds=0),
        lambda: p["metadata"].update(name=r.choice(["Bad", "a..b", "-x", "x" * 254])),
        lambda: p["metadata"].update(labels={"a": "b c"}),
        lambda: p["metadata"].update(labels={"-a": "b"}),
        lambda: p["metadata"].update(labels=["a"]),
        lambda: p["metadata"].update(lables={"a": "b"}),
        lambda: p.update(status={"phase": "Running"}),
        lambda: p.update(spce={}),
    ])()


def requirement(r):
    key = r.choice(KEYS + ["missing", "bad key", "-x"] if r.random() < 0.3 else KEYS)
    some = lambda: ",".join(r.choice(VALUES) for _ in range(r.randint(0, 3)))
    return r.choice([
        lambda: f"{key}={r.choice(VALUES)}", lambda: f"{key}=={r.choice(VALUES)}", lambda: f"{key}!={r.choice(VALUES)}",
        lambda: f"{key} in ({some()})", lambda: f"{key} notin ({some()})", lambda: key, lambda: f"!{key}",
        lambda: f"{key} > {r.choice(['1', 'x'])}", lambda: f"{key} in (", lambda: f"{key} = = x",
        lambda: f"{key} in {r.choice(VALUES)}", lambda: f"{key}=a b",
    ])()


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--pods", type=int, default=240)
    a.add_argument("--selectors", type=int, default=120)
    a = a.parse_args()
    r = random.Random(a.seed)
    for i in range(a.pods):
        print(json.dumps({"pod": pod(r, i)}, sort_keys=True))
    print(json.dumps({"labels": {f"l{i}": labels(r, 4) for i in range(24)}}, sort_keys=True))
    for _ in range(a.selectors):
        sep = r.choice([",", ", ", " ,"])
        print(json.dumps({"selector": sep.join(requirement(r) for _ in range(r.choice([1, 1, 2, 3])))}))


if __name__ == "__main__":
    main()
