#!/usr/bin/env python3
"""Adds what a real cluster answers to the lines of `generate.py`.

    python3 generate.py | python3 record.py KUBECTL... > answers.jsonl

KUBECTL... is a command that runs kubectl against a cluster whose pods nobody schedules elsewhere; the namespace
`differential` is made and removed.
"""
import json
import subprocess
import sys

KUBECTL = sys.argv[1:]
NS = "differential"


def kubectl(*args, text=None):
    p = subprocess.run(KUBECTL + list(args), input=text, capture_output=True, text=True)
    return {"rc": p.returncode, "stdout": p.stdout, "stderr": p.stderr}


def main():
    kubectl("create", "namespace", NS)
    made = {}
    for line in sys.stdin:
        case = json.loads(line)
        if "pod" in case:
            pod = case["pod"]
            answer = kubectl("-n", NS, "create", "-f", "-", "--dry-run=server", "-o", "json", text=json.dumps(pod))
            if answer["rc"] == 0:
                case["object"] = json.loads(answer.pop("stdout"))
                case["object"]["metadata"].pop("managedFields", None)
            case["answer"] = answer
        elif "labels" in case:
            for name, labels in case["labels"].items():
                pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": {
                    "nodeSelector": {"nobody": "has-this"}, "containers": [{"name": "c", "image": "nginx"}]}}
                made[name] = kubectl("-n", NS, "create", "-f", "-", text=json.dumps(pod))
        else:
            case["answer"] = kubectl("-n", NS, "get", "pods", "-o", "name", "-l", case["selector"])
        print(json.dumps(case, sort_keys=True), flush=True)
    kubectl("delete", "namespace", NS, "--wait=false")


if __name__ == "__main__":
    main()
