// The inspector: a pod's and a node's facts, and what one does to them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { POD, apply, begun, inspect, play as playAt } from "./begun.mjs";
import { accessible, screenshot } from "./lab.mjs";

const dock = (page) => page.locator("#pane-dock");
const tab = (page, name) => dock(page).getByRole("tab", { name }).click();
const play = (page) => page.locator(".time").getByRole("button", { name: /^(Play|재생)$/ }).click();

const open = (body, { manifest = POD, name = "web", ...options } = {}) =>
  begun(async (given) => {
    await apply(given.page, manifest);
    await inspect(given.page, name);
    await body(given);
  }, options);

test("a pod that waits for time has its facts, conditions and containers", open(async ({ page }) => {
  await dock(page).locator(".inspect-state").getByText("Pending").waitFor();
  await dock(page).getByText("PodScheduled").waitFor();
  await dock(page).locator(".container", { hasText: "nginx:1.27" }).waitFor();
}));

test("the pod runs and the page follows it", open(async ({ page }) => {
  await play(page);
  await dock(page).locator(".inspect-state").getByText("Running").waitFor({ timeout: 20_000 });
  await dock(page).locator(".machine-state.current.run").waitFor();
  await screenshot(page, "inspector");
  await accessible(page, { within: "#pane-dock" });
}));

for (const [locale, colorScheme] of [["en-US", "light"], ["ko-KR", "dark"]]) {
  test(`what a busy container uses is shown beside its limit (${locale})`, open(async ({ page }) => {
    await playAt(page, "10×");
    const usage = dock(page).locator(".usage");
    await usage.locator(".usage-row", { hasText: "cpu" }).getByText(/^500m (of|\/) 500m$/).waitFor({ timeout: 20_000 });
    await usage.locator(".usage-row", { hasText: "memory" }).getByText(/(of|\/) 64Mi$/).waitFor();
    // A line needs two values.
    await page.waitForFunction(() => document.querySelector(".usage polyline")?.getAttribute("points").includes(" "));
    await screenshot(page, `usage-${locale}`);
    await accessible(page, { within: "#pane-dock" });
  }, { locale, colorScheme, manifest: `apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: busy
    image: busybox:1.36
    command: [sh, -c, "while true; do :; done"]
    resources:
      limits: {cpu: 500m, memory: 64Mi}
` }));
}

test("labels are added and removed, and the kubectl line is shown", open(async ({ page }) => {
  const field = dock(page).getByRole("textbox", { name: /Label, as/ });
  await field.fill("env=prod");
  await dock(page).getByText("kubectl label pod web env=prod").waitFor();
  await field.press("Enter");
  await dock(page).locator(".chip", { hasText: "env=prod" }).waitFor();
  await dock(page).getByRole("button", { name: "Remove env" }).click();
  await dock(page).locator(".chip", { hasText: "env=prod" }).waitFor({ state: "detached" });
}));

test("YAML is what kubectl prints", open(async ({ page }) => {
  await tab(page, "YAML");
  const text = await dock(page).locator(".yaml pre").innerText();
  assert.match(text, /^apiVersion: v1\nkind: Pod\nmetadata:/);
  await dock(page).getByText("kubectl get pod web -o yaml").waitFor();
}));

test("Why pending takes the message apart and offers what would help", open(async ({ page }) => {
  await play(page);
  await tab(page, "Why pending");
  await dock(page).getByText("didn't match Pod's node affinity/selector").first().waitFor({ timeout: 20_000 });
  await screenshot(page, "why-pending");
  await accessible(page, { within: "#pane-dock" });
  const verdict = dock(page).locator(".verdicts li", { hasText: "node01" });
  await verdict.getByText("To fit: label the node gpu=true or no longer require gpu=true.").waitFor();
  await dock(page).locator(".offers-list li", { hasText: "Label the node gpu=true" }).filter({ hasText: "node02" }).getByRole("button", { name: "Try" }).click();
  const said = dock(page).locator(".what-if-said");
  await said.getByText("It would go to node02.").waitFor();
  await said.locator("tr.changed", { hasText: "node02" }).getByText("chosen").waitFor();
  await screenshot(page, "what-if-label");
  await accessible(page, { within: "#pane-dock" });
  await dock(page).getByRole("button", { name: "Put into the terminal" }).click();
  assert.equal(await page.locator("#terminal-line").inputValue(), "kubectl label node node02 gpu=true");
  await page.locator("#terminal-line").press("Enter");
  await dock(page).getByRole("tab", { name: "Why here" }).waitFor({ timeout: 20_000 });
}, { manifest: POD.replace("spec:\n", 'spec:\n  nodeSelector: {gpu: "true"}\n') }));

test("Why here shows filters and scores", open(async ({ page }) => {
  await play(page);
  await dock(page).getByRole("tab", { name: "Why here" }).click({ timeout: 20_000 });
  await dock(page).getByText("untolerated taint").first().waitFor();
  await dock(page).getByText("To fit: tolerate node-role.kubernetes.io/control-plane:NoSchedule or take the taint off the node.").waitFor();
  await dock(page).locator(".score-table").getByRole("button", { name: "NodeResourcesFit" }).click();
  await dock(page).getByText("LeastAllocated").waitFor();
  await dock(page).locator(".formula").first().getByText(/cpu 100 × \(2000m − \d+m − 100m\) \/ 2000m = \d+/).waitFor();
  await dock(page).getByText(/2 nodes share \d+ points: node01, node02\./).waitFor();
  await dock(page).getByText(/Number [12] of 2 was drawn: node0[12]\..* seed 1,/).waitFor();
  await screenshot(page, "why-here");
  await accessible(page, { within: "#pane-dock" });
}));

const CRASH = POD.replace("image: nginx:1.27", 'image: busybox:1.36\n    command: [sh, -c, "echo starting; sleep 2; exit 1"]');

test("a crash has its back-off, its events and its last log", open(async ({ page }) => {
  await page.locator(".time").getByRole("radio", { name: /10×/ }).click();
  await play(page);
  await dock(page).locator(".back-off").getByText("Back-off").waitFor({ timeout: 60_000 });
  await screenshot(page, "back-off");
  await tab(page, /Events/);
  await dock(page).getByText("Back-off restarting failed container").first().waitFor({ timeout: 30_000 });
  await screenshot(page, "events");
  await tab(page, "Logs");
  await dock(page).getByText("starting").first().waitFor();
  await screenshot(page, "logs");
  await accessible(page, { within: "#pane-dock" });
}, { manifest: CRASH }));

test("a pod is deleted from its menu", open(async ({ page }) => {
  await dock(page).getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: /Delete/ }).click();
  await page.locator("#pane-terminal").getByText("kubectl delete pod web").waitFor();
}));

test("the inspector speaks Korean", open(async ({ page }) => {
  await play(page);
  await dock(page).getByRole("tab", { name: "왜 여기?" }).click({ timeout: 20_000 });
  await screenshot(page, "why-here-ko");
}, { locale: "ko-KR", colorScheme: "dark" }));

test("Why pending offers to wait, and jumps there", open(async ({ page }) => {
  await play(page);
  await tab(page, "Why pending");
  const offer = dock(page).locator(".offers-list li", { hasText: "Wait for the next attempt" });
  await offer.waitFor();
  const at = /at (\d\d:\d\d:\d\d)/.exec(await offer.innerText())[1];
  await offer.getByRole("button", { name: "Jump" }).click();
  assert.equal(await page.locator(".clock b").innerText(), at);
}, { manifest: POD.replace("spec:\n", 'spec:\n  nodeSelector: {gpu: "true"}\n') }));

const BIG = POD.replace("image: nginx:1.27", "image: nginx:1.27\n    resources:\n      requests:\n        cpu: 3");

test("a changed pod is tried on a copy, and replaced for real", open(async ({ page }) => {
  await play(page);
  await tab(page, "Why pending");
  await dock(page).getByText(/To fit: lower the cpu request to \d+m; the empty node has 2000m\./).first().waitFor({ timeout: 20_000 });
  const manifest = dock(page).getByRole("textbox", { name: "The pod's manifest" });
  await manifest.fill((await manifest.inputValue()).replace(/cpu: .*/, "cpu: 300m"));
  const said = dock(page).locator(".what-if-said");
  await said.getByText(/It would go to node0\d, drawn from 2 nodes with \d+ points\./).waitFor();
  await manifest.fill((await manifest.inputValue()).replace("cpu: 300m", "cpu: lots"));
  await said.getByText("Refused").waitFor();
  await said.getByText(/quantities must match the regular expression/).waitFor();
  await manifest.fill((await manifest.inputValue()).replace("cpu: lots", "cpu: 300m"));
  await dock(page).getByRole("button", { name: "Put into the terminal" }).click();
  assert.equal(await page.locator("#terminal-line").inputValue(), "kubectl replace --force -f web.yaml");
  await page.locator("#terminal-line").press("Enter");
  await page.locator("#pane-terminal").getByText("pod/web replaced").waitFor({ timeout: 20_000 });
}, { manifest: BIG }));

test("a changed node is tried on a copy, and taken back", open(async ({ page }) => {
  await play(page);
  await tab(page, "Why pending");
  await dock(page).getByText("Insufficient cpu").first().waitFor({ timeout: 20_000 });
  await page.locator(".time").getByRole("button", { name: "Pause" }).click();
  await dock(page).getByRole("combobox", { name: "Node" }).selectOption("node02");
  await dock(page).getByRole("combobox", { name: "Change" }).selectOption({ label: "allocatable" });
  const value = dock(page).getByRole("textbox", { name: "Value" });
  await value.fill("cpu=8");
  await value.press("Enter");
  const said = dock(page).locator(".what-if-said");
  await said.getByText("It would go to node02.").waitFor();
  await dock(page).getByText("The kubelet reports cpu").waitFor();
  await screenshot(page, "what-if-node");
  await dock(page).getByRole("combobox", { name: "Change" }).selectOption({ label: "cordon" });
  await dock(page).locator(".what-if-change").getByRole("button", { name: "Try" }).click();
  await said.getByText("It would fit on none of 3 nodes.").waitFor();
  await accessible(page, { within: "#pane-dock" });
  await dock(page).getByRole("button", { name: "Remove kubectl cordon node02" }).click();
  await said.getByText("It would go to node02.").waitFor();
  await dock(page).getByRole("button", { name: "Start over" }).click();
  await said.getByText("It would go").waitFor({ state: "detached" });
  assert.match(await dock(page).locator(".message").first().innerText(), /^0\/3 nodes are available: 1 node\(s\) had untolerated taint\(s\), 2 Insufficient cpu\./);
}, { manifest: BIG }));

test("a pod with a scheduling gate says what holds it back", open(async ({ page }) => {
  await play(page);
  await tab(page, "Why pending");
  await dock(page).locator(".offers-list li", { hasText: "Take the scheduling gate example.com/quota away" }).getByRole("button", { name: "Try" }).click();
  await dock(page).locator(".what-if-said").getByText(/It would go to node0/).waitFor();
  await dock(page).getByText("kubectl apply -f web.yaml").waitFor();
}, { manifest: POD.replace("spec:\n", "spec:\n  schedulingGates: [{name: example.com/quota}]\n") }));

const PACKING = `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
profiles:
- schedulerName: default-scheduler
- schedulerName: packing
  pluginConfig:
  - name: NodeResourcesFit
    args: {scoringStrategy: {type: MostAllocated}}
`;

test("a pod waits for the scheduler that it names, until a configuration brings it", open(async ({ page }) => {
  await play(page);
  await tab(page, "Why pending");
  await dock(page).getByText("It names the scheduler packing. None of that name runs, so it waits for ever.").waitFor();
  await apply(page, PACKING);
  await page.locator("#pane-terminal").getByText('no matches for kind "KubeSchedulerConfiguration"').waitFor();
  assert.equal(await page.locator("#terminal-line").inputValue(), "kube-scheduler --config=pod.yaml");
  await page.locator("#terminal-line").press("Enter");
  await page.locator("#pane-terminal").getByText("podlab: the scheduler runs anew and serves default-scheduler, packing").waitFor();
  await dock(page).getByRole("tab", { name: "Why here" }).click({ timeout: 20_000 });
  await dock(page).getByText("Scheduler: packing").waitFor();
  await dock(page).locator(".score-table").getByRole("button", { name: "NodeResourcesFit" }).click();
  await dock(page).getByText("MostAllocated: the less cpu and memory would stay free").waitFor();
  await dock(page).locator(".formula").first().getByText(/cpu 100 × \(\d+m \+ 100m\) \/ 2000m = \d+/).waitFor();
}, { manifest: POD.replace("spec:\n", "spec:\n  schedulerName: packing\n") }));

for (const [width, locale, colorScheme] of [[1024, "ko-KR", "light"], [390, "ko-KR", "dark"], [390, "en-US", "light"]]) {
  test(`Why pending and the what-if fit into ${width} pixels (${locale}, ${colorScheme})`, open(async ({ page }) => {
    await play(page);
    await dock(page).getByRole("tab", { name: /Why pending|왜 Pending/ }).click();
    await page.setViewportSize({ width, height: 844 });
    if (width < 700) await page.getByRole("navigation").getByRole("button", { name: /^(Inspect|살펴보기)$/ }).click();
    await dock(page).locator(".verdicts").scrollIntoViewIfNeeded();
    await screenshot(page, `why-pending-${width}-${locale.slice(0, 2)}-${colorScheme}`);
    await dock(page).locator(".offers-list").getByRole("button", { name: /^(Try|시도)$/ }).first().click();
    await dock(page).locator(".what-if-lead").waitFor();
    await screenshot(page, `what-if-${width}-${locale.slice(0, 2)}-${colorScheme}`);
    const [holds, has] = await dock(page).evaluate((pane) => [pane.scrollWidth, pane.clientWidth]);
    assert.ok(holds <= has, `the pane is ${has} wide and holds ${holds}`);
  }, { manifest: BIG, locale, colorScheme }));
}
