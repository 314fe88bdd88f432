// The inspector: a pod's and a node's facts, and what one does to them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { POD, apply, begun, inspect } from "./begun.mjs";
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
  await dock(page).locator(".offers-list li", { hasText: "gpu=true" }).first().getByRole("button", { name: "Try" }).click();
  assert.match(await page.locator("#terminal-line").inputValue(), /^kubectl label node \S+ gpu=true$/);
  await page.locator("#terminal-line").press("Enter");
  await dock(page).getByRole("tab", { name: "Why here" }).waitFor({ timeout: 20_000 });
}, { manifest: POD.replace("spec:\n", 'spec:\n  nodeSelector: {gpu: "true"}\n') }));

test("Why here shows filters and scores", open(async ({ page }) => {
  await play(page);
  await dock(page).getByRole("tab", { name: "Why here" }).click({ timeout: 20_000 });
  await dock(page).getByText("untolerated taint").first().waitFor();
  await dock(page).locator(".score-table").getByRole("button", { name: "NodeResourcesFit" }).click();
  await dock(page).getByText("LeastAllocated").waitFor();
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
