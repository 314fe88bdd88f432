// Direct actions: each does what its kubectl line says, and shows that line.
import assert from "node:assert/strict";
import { test } from "node:test";
import { POD, answer, apply, begun, inspect, play, until } from "./begun.mjs";

const node = (page, name) => page.getByRole("region", { name: `Node ${name}` });
const dock = (page) => page.locator("#pane-dock");

/** Opens a node's menu and chooses an entry. */
async function choose(page, name, entry) {
  await node(page, name).getByRole("button", { name: `Actions on node ${name}` }).click();
  await page.getByRole("menuitem", { name: entry }).click();
}

/** A pod that runs, in the inspector. */
const running = (body, manifest = POD) =>
  begun(async (given) => {
    await apply(given.page, manifest);
    await play(given.page, "10×");
    await given.page.getByRole("button", { name: /^web, Running/ }).waitFor();
    await inspect(given.page, "web");
    await body(given);
  });

/** Chooses an entry of the inspector's menu. */
async function act(page, entry) {
  await dock(page).getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: entry }).click();
}

test("labels of a pod are edited in a dialog that shows the line", running(async ({ page }) => {
  await page.getByRole("button", { name: "Actions on pod web" }).click();
  await page.getByRole("menuitem", { name: /Edit labels/ }).click();
  const dialog = page.getByRole("dialog", { name: "Labels of web" });
  await dialog.getByRole("button", { name: "Remove tier" }).click();
  await dialog.getByRole("textbox", { name: "Value" }).first().fill("shop");
  await dialog.getByText("$ kubectl label pod web app=shop tier- --overwrite").or(dialog.getByText(/kubectl label pod web .*app=shop/)).first().waitFor();
  await dialog.getByRole("button", { name: "Apply" }).click();
  assert.match(await until(page, "kubectl get pod web --show-labels", /app=shop/), /app=shop\s*$/);
}));

test("a taint is put on a node, and taken off again", begun(async ({ page }) => {
  await choose(page, "node01", /Edit taints/);
  const dialog = page.getByRole("dialog", { name: "Taints of node01" });
  await dialog.getByRole("button", { name: "Add" }).click();
  await dialog.getByRole("textbox", { name: "Key" }).last().fill("gpu");
  await dialog.getByRole("textbox", { name: "Value" }).last().fill("only");
  await dialog.getByText("$ kubectl taint node node01 gpu=only:NoSchedule").waitFor();
  await dialog.getByRole("button", { name: "Apply" }).click();
  await node(page, "node01").getByText("gpu=only:NoSchedule").waitFor();
  assert.match(await answer(page, "kubectl describe node node01"), /Taints: +gpu=only:NoSchedule/);
  await choose(page, "node01", /Edit taints/);
  await dialog.getByRole("button", { name: "Remove gpu" }).click();
  await dialog.getByRole("button", { name: "Apply" }).click();
  await node(page, "node01").getByText("gpu=only:NoSchedule").waitFor({ state: "detached" });
}));

test("a cordoned node takes no pod until it is uncordoned", begun(async ({ page }) => {
  await choose(page, "node01", /kubectl cordon node01/);
  await choose(page, "node02", /kubectl cordon node02/);
  await apply(page, POD);
  await play(page, "10×");
  await page.getByRole("region", { name: "Queue" }).getByText("2 node(s) were unschedulable").waitFor();
  await choose(page, "node02", /kubectl uncordon node02/);
  await node(page, "node02").getByRole("button", { name: /^web, Running/ }).waitFor();
}));

test("a node is removed, and its kubelet stopped and started", begun(async ({ page }) => {
  await choose(page, "node02", /Stop the kubelet/);
  await choose(page, "node02", /Start the kubelet/);
  assert.match(await until(page, "kubectl get events", /Starting kubelet/), /node\/node02/);
  await choose(page, "node02", /kubectl delete node node02/);
  await node(page, "node02").waitFor({ state: "detached" });
  assert.doesNotMatch(await answer(page, "kubectl get nodes"), /node02/);
}));

test("a container that is killed is started again", running(async ({ page }) => {
  await act(page, /Kill/);
  await page.getByRole("button", { name: /^web, Running, .*1 restart/ }).waitFor();
  assert.match(await answer(page, "kubectl describe pod web"), /Exit Code: +137/);
}));

test("a probe's target is made to fail and mended, by lines put into the terminal", running(async ({ page }) => {
  const line = page.locator("#terminal-line");
  await act(page, /readiness.*(fail|mv)/);
  assert.match(await line.inputValue(), /^kubectl exec web -- mv \/usr\/share\/nginx\/html\/index\.html \/tmp\/$/);
  await line.press("Enter");
  await page.getByRole("button", { name: /^web, Running, ready 0\/1/ }).waitFor();
  await act(page, /readiness.*(succeed|pass|touch)/);
  assert.match(await line.inputValue(), /^kubectl exec web -- touch /);
  await line.press("Enter");
  await page.getByRole("button", { name: /^web, Running, ready 1\/1/ }).waitFor();
}, `${POD}    readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 5}\n`));

test("a deleted pod comes back by undo", running(async ({ page }) => {
  await act(page, /kubectl delete pod web/);
  await page.getByRole("button", { name: /^web, / }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: /^Undo: kubectl delete pod web/ }).click();
  await page.getByRole("button", { name: /^web, Running/ }).waitFor();
}));

test("logs follow, and the log of the run before is there", running(async ({ page }) => {
  await dock(page).getByRole("tab", { name: "Logs" }).click();
  const log = dock(page).locator(".log, .logs, pre").first();
  await log.getByText("tick 1", { exact: false }).first().waitFor();
  const before = (await log.innerText()).split("\n").length;
  await page.waitForFunction((before) => document.querySelector("#pane-dock .inspect-panel").innerText.split("\n").length > before + 2, before);
}, POD.replace("image: nginx:1.27", 'image: busybox:1.36\n    command: [sh, -c, "i=0; while true; do i=$((i+1)); echo tick $i; sleep 2; done"]')));

test("completion and hover come from the schema", begun(async ({ page }) => {
  await apply(page, POD);
  const word = page.locator("#pane-editor .cm-line", { hasText: "containers" }).getByText("containers").first();
  await word.hover();
  await page.locator(".cm-hover-card").getByText("spec.containers").waitFor();
}));
