// Kubernetes' own examples of pods: pasted, applied, and watched until they show what they were written to show.
//
// The manifests stay outside of the project; without them the tests skip. What each one needs beforehand is what the page
// of the documentation that it belongs to says.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { answer, apply, begun, came, play, truth } from "./begun.mjs";

const folder = join(truth, "website-examples/content/en/examples/pods");
const here = existsSync(folder);

const running = (name, ready = "1/1") => new RegExp(`^${name} +${ready} +Running +0 `, "m");
const special = (pairs) => `kubectl create configmap special-config ${pairs.map((p) => `--from-literal=${p}`).join(" ")}`;
const PASSWORD = "kubectl create secret generic test-secret --from-literal=username=my-app --from-literal='password=39528$vdg7Jb'";
const LITERALS = special(["SPECIAL_LEVEL=very", "SPECIAL_TYPE=charm"]);
const DONGLES = `kubectl patch node node01 --subresource=status --type=json -p '${JSON.stringify(
  ["capacity", "allocatable"].map((list) => ({ op: "add", path: `/status/${list}/example.com~1dongle`, value: "4" })),
)}'`;

// before: lines in the terminal. shows: the row of `kubectl get pods -w` that is waited for, at `speed` (60×).
// then: lines and what they must answer, in order. after: another example, pasted when the first has shown its state.
const EXAMPLES = {
  "commands.yaml": { shows: /^command-demo +0\/1 +Completed +0 /m, then: [["kubectl logs command-demo", /^command-demo\ntcp:\/\/10\.96\.0\.1:443\s*$/]] },
  "inject/dapi-envars-container.yaml": { shows: running("dapi-envars-resourcefieldref"), then: [["kubectl logs dapi-envars-resourcefieldref", /^\n1\n1\n33554432\n67108864\n/]] },
  "inject/dapi-volume-resources.yaml": { shows: running("kubernetes-downwardapi-volume-example-2"), then: [["kubectl logs kubernetes-downwardapi-volume-example-2", /^\n\n250\n125\n64\n32/]] },
  "inject/dapi-volume.yaml": { shows: running("kubernetes-downwardapi-volume-example"), then: [["kubectl logs kubernetes-downwardapi-volume-example", /cluster="test-cluster1"\nrack="rack-22"\nzone="us-est-coast"[^]*build="two"\nbuilder="john-doe"/]] },
  "inject/dependent-envars.yaml": { shows: running("dependent-envars-demo"), then: [["kubectl logs dependent-envars-demo", /UNCHANGED_REFERENCE=\$\(PROTOCOL\):\/\/172\.17\.0\.1:80\nSERVICE_ADDRESS=https:\/\/172\.17\.0\.1:80\nESCAPED_REFERENCE=\$\(PROTOCOL\):\/\/172\.17\.0\.1:80/]] },
  "inject/envars.yaml": { shows: running("envar-demo"), then: [["kubectl set env pod/envar-demo --list", /DEMO_GREETING=Hello from the environment\nDEMO_FAREWELL=Such a sweet sorrow/]] },
  "inject/pod-secret-envFrom.yaml": { shows: /^envfrom-secret +0\/1 +CreateContainerConfigError /m, then: [["kubectl describe pod envfrom-secret", /secret "test-secret" not found/], [PASSWORD, /secret\/test-secret created/]], comes: running("envfrom-secret"), last: [["kubectl exec envfrom-secret -- printenv", /^username=my-app$/m]] },
  "inject/pod-single-secret-env-variable.yaml": { before: ["kubectl create secret generic backend-user --from-literal=backend-username=backend-admin"], shows: running("env-single-secret"), then: [["kubectl exec env-single-secret -- /bin/sh -c 'echo $SECRET_USERNAME'", /^backend-admin\s*$/]] },
  "inject/secret-pod.yaml": { first: "inject/secret.yaml", shows: running("secret-test-pod"), then: [["kubectl exec secret-test-pod -- ls /etc/secret-volume", /^password\nusername\s*$/], ["kubectl exec secret-test-pod -- cat /etc/secret-volume/username", /^my-app/]] },
  "inject/secret.yaml": { then: [["kubectl get secret test-secret", /^test-secret +Opaque +2 /m]] },
  "lifecycle-events.yaml": { shows: running("lifecycle-demo"), then: [["kubectl exec lifecycle-demo -- cat /usr/share/message", /^Hello from the postStart handler/]] },
  "pod-configmap-env-var-valueFrom.yaml": { before: [LITERALS], shows: /^dapi-test-pod +0\/1 +Completed /m, then: [["kubectl logs dapi-test-pod", /^very charm\s*$/]] },
  "pod-configmap-envFrom.yaml": { before: [LITERALS], shows: /^dapi-test-pod +0\/1 +Completed /m, then: [["kubectl logs dapi-test-pod", /SPECIAL_LEVEL=very\n[^]*SPECIAL_TYPE=charm/]] },
  "pod-configmap-volume.yaml": { before: [LITERALS], shows: /^dapi-test-pod +0\/1 +Completed /m, then: [["kubectl logs dapi-test-pod", /^SPECIAL_LEVEL\nSPECIAL_TYPE\s*$/]] },
  "pod-nginx-required-affinity.yaml": { shows: /^nginx +0\/1 +Pending /m, then: [["kubectl describe pod nginx", /0\/3 nodes are available: 1 node\(s\) had untolerated taint\(s\), 2 node\(s\) didn't match Pod's node affinity\/selector\./], ["kubectl label nodes node01 disktype=ssd", /labeled/]], comes: running("nginx"), last: [["kubectl get pod nginx -o wide", / node01 /]] },
  // The pod of a node that is not there is collected after a minute: time enough to look at 1×.
  "pod-nginx-specific-node.yaml": { speed: "1×", shows: /^nginx +0\/1 +Pending /m, then: [["kubectl get pod nginx -o wide", / foo-node /]] },
  "pod-projected-svc-token.yaml": { before: ["kubectl create serviceaccount build-robot"], shows: running("nginx"), then: [["kubectl exec nginx -- ls /var/run/secrets/tokens", /^vault-token\s*$/]] },
  "pod-rs.yaml": { shows: running("pod1"), then: [["kubectl get pods -l tier=frontend --no-headers", /^pod1 [^]*\npod2 /]] },
  "pod-single-configmap-env-variable.yaml": { before: [special(["special.how=very"])], shows: /^dapi-test-pod +0\/1 +Completed /m, then: [["kubectl logs dapi-test-pod", /SPECIAL_LEVEL_KEY=very/]] },
  "pod-with-pod-affinity.yaml": { before: ["kubectl label nodes node01 node02 topology.kubernetes.io/zone=V", "kubectl run s1 --image=nginx --labels=security=S1"], shows: running("with-pod-affinity"), then: [["kubectl get pods -o wide", / node0[12] [^]* node0[12] /]] },
  "pod-with-scheduling-gates.yaml": { shows: /^test-pod +0\/1 +SchedulingGated +0 /m, after: "pod-without-scheduling-gates.yaml", comes: running("test-pod") },
  "pod-without-scheduling-gates.yaml": { shows: running("test-pod") },
  "probe/exec-liveness.yaml": { shows: /^liveness-exec +1\/1 +Running +1 /m, then: [["kubectl describe pod liveness-exec", /Liveness probe failed: cat: can't open '\/tmp\/healthy': No such file or directory/], ["kubectl describe pod liveness-exec", /Container liveness failed liveness probe, will be restarted/]] },
  "probe/http-liveness.yaml": { shows: /^liveness-http +1\/1 +Running +[12] /m, then: [["kubectl describe pod liveness-http", /Liveness probe failed: HTTP probe failed with statuscode: 500/], ["kubectl describe pod liveness-http", /Container liveness failed liveness probe, will be restarted/]] },
  "qos/qos-pod-5.yaml": { namespace: "qos-example", shows: running("qos-demo-5"), then: [["kubectl get pod qos-demo-5 -n qos-example -o jsonpath='{.status.qosClass}'", /^Guaranteed/]] },
  "resource/cpu-request-limit.yaml": { namespace: "cpu-example", shows: running("cpu-demo") },
  "resource/extended-resource-pod.yaml": { before: [DONGLES], shows: running("extended-resource-demo"), then: [["kubectl describe pod extended-resource-demo", /example\.com\/dongle: +3/]], after: "resource/extended-resource-pod-2.yaml", comes: /^extended-resource-demo-2 +0\/1 +Pending /m, last: [["kubectl describe pod extended-resource-demo-2", /Insufficient example\.com\/dongle/]] },
  "resource/extended-resource-pod-2.yaml": { before: [DONGLES], shows: running("extended-resource-demo-2") },
  "resource/memory-request-limit-2.yaml": { namespace: "mem-example", shows: /^memory-demo-2 +0\/1 +CrashLoopBackOff /m, then: [["kubectl get pod memory-demo-2 -n mem-example -o yaml", /exitCode: 137[^]*reason: OOMKilled/]] },
  "resource/memory-request-limit.yaml": { namespace: "mem-example", shows: running("memory-demo"), then: [["kubectl logs memory-demo -n mem-example", /^stress: info: \[1\] dispatching hogs: 0 cpu, 0 io, 1 vm, 0 hdd/]] },
  "resource/pod-level-resources.yaml": { namespace: "pod-resources-example", shows: running("pod-resources-demo", "2/2") },
  "security/seccomp/alpha/audit-pod.yaml": { shows: running("audit-pod") },
  "security/seccomp/alpha/fine-pod.yaml": { shows: running("fine-pod") },
  "security/seccomp/alpha/violation-pod.yaml": { shows: running("violation-pod") },
  "security/seccomp/fields.yaml": { refused: /ephemeralContainers: Forbidden: cannot be set on create/ },
  "security/security-context-2.yaml": { shows: running("security-context-demo-2") },
  "security/security-context-4.yaml": { shows: running("security-context-demo-4") },
  "security/security-context.yaml": { shows: running("security-context-demo"), then: [["kubectl exec security-context-demo -- id", /^uid=1000 gid=3000 groups=2000,3000,4000\s*$/], ["kubectl exec security-context-demo -- sh -c 'cd /data/demo && echo hello > testfile && ls -l'", /1000 +2000 +6 /]] },
  "share-process-namespace.yaml": { shows: running("nginx", "2/2") },
  "simple-pod.yaml": { shows: running("nginx") },
  "storage/projected.yaml": { before: ["echo -n admin > username.txt", "echo -n 1f2d1e2e67df > password.txt", "kubectl create secret generic user --from-file=./username.txt", "kubectl create secret generic pass --from-file=./password.txt"], shows: running("test-projected-volume"), then: [["kubectl exec test-projected-volume -- ls /projected-volume/", /^password\.txt\nusername\.txt\s*$/]] },
  "storage/pv-volume.yaml": { then: [["kubectl get pv task-pv-volume", /^task-pv-volume +10Gi +RWO +Retain +\S+ +manual /m]] },
  "topology-spread-constraints/two-constraints.yaml": { before: ["kubectl label nodes node01 zone=zoneA node=node1", "kubectl label nodes node02 zone=zoneB node=node2"], shows: running("mypod") },
  "two-container-pod.yaml": { shows: /^two-containers +1\/2 +NotReady +0 /m, then: [["kubectl exec two-containers -c nginx-container -- curl -s localhost", /^Hello from the debian container/]] },
  "user-namespaces-stateless.yaml": { shows: running("userns") },
};

// What a plain cluster cannot run as it was written.
const NEEDS_MORE = {
  "init-containers.yaml": "a web server on the internet",
  "security/hello-apparmor.yaml": "an AppArmor profile on the node",
  "security/seccomp/ga/audit-pod.yaml": "a seccomp profile on the node",
  "security/seccomp/ga/violation-pod.yaml": "a seccomp profile on the node",
  "storage/projected-clustertrustbundle.yaml": "a signer's ClusterTrustBundle and a feature gate",
};

const read = (name) => readFileSync(join(folder, name), "utf8");

async function show(page, name, example) {
  const get = `kubectl get pods${example.namespace ? ` -n ${example.namespace}` : ""}`;
  const check = async (pairs = []) => {
    for (const [line, pattern] of pairs) assert.match(await answer(page, line), pattern, line);
  };
  if (example.namespace) await answer(page, `kubectl create namespace ${example.namespace}`);
  for (const line of example.before ?? []) await answer(page, line);
  if (example.first) await apply(page, read(example.first));
  const start = () => play(page, example.speed ?? "60×");
  if (!example.shows) await start();
  await apply(page, read(name));
  if (example.refused) {
    await page.locator(".notices").getByRole("alert").getByText(example.refused).waitFor();
    return;
  }
  if (example.shows) await came(page, `${get} -w`, example.shows, start);
  await check(example.then);
  if (example.after) await apply(page, read(example.after));
  if (example.comes) await came(page, `${get} -w`, example.comes);
  await check(example.last);
}

test("every example is either shown or said to need more", { skip: !here && `no recordings at ${truth}` }, () => {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.name.endsWith(".yaml"));
  const names = files.map((entry) => join(entry.parentPath ?? dirname(entry.path), entry.name).slice(folder.length + 1));
  assert.deepEqual(names.sort(), [...Object.keys(EXAMPLES), ...Object.keys(NEEDS_MORE)].sort());
});

for (const [name, example] of Object.entries(EXAMPLES)) {
  const body = begun(({ page }) => show(page, name, example));
  test(`website: ${name}`, { skip: !here && `no recordings at ${truth}` }, body);
}
