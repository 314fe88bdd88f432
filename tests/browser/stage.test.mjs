// The stage: nodes, pods, the queue, the selector, what can be done to them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, lab, screenshot } from "./lab.mjs";

const pod = (name, labels, spec = "containers: [{name: c, image: nginx}]") =>
  `---\napiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, labels: ${labels}}\nspec: {${spec}}\n`;

/** Applies a manifest as the first visit's paste does, and lets time run. */
async function begin(page, yaml) {
  await page.getByRole("heading", { name: "Paste a pod. Watch it run." }).waitFor();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData("text", text);
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
  }, yaml);
}

test("a pod that fits nowhere waits in the queue with the scheduler's words; a label on a node lets it run", lab(async ({ page }) => {
  await begin(page, pod("gpu", "{app: gpu}", 'nodeSelector: {gpu: "true"}, containers: [{name: c, image: nginx}]'));
  const queue = page.getByRole("region", { name: "Queue" });
  await queue.getByText("0/3 nodes are available").waitFor({ timeout: 20_000 });
  await queue.getByText("unschedulable1").waitFor();
  await accessible(page);
  const node = page.getByRole("region", { name: "Node node01" });
  await node.getByRole("button", { name: "Actions on node node01" }).click();
  await page.getByRole("menuitem", { name: /Edit labels/ }).click();
  const dialog = page.getByRole("dialog", { name: "Labels of node01" });
  await dialog.getByRole("button", { name: "Add" }).click();
  await dialog.getByRole("textbox", { name: "Key" }).last().fill("gpu");
  await dialog.getByRole("textbox", { name: "Value" }).last().fill("true");
  await dialog.getByText("$ kubectl label node node01 gpu=true").waitFor();
  await dialog.getByRole("button", { name: "Apply" }).click();
  await page.getByText("node/node01 labeled").first().waitFor();
  await node.getByRole("button", { name: /^gpu, Running/ }).waitFor({ timeout: 20_000 });
}, { begun: false }));

test("a selector dims what does not match and says the first requirement that failed", lab(async ({ page }) => {
  await begin(page, pod("web-1", "{app: web, tier: front}") + pod("web-2", "{app: web, tier: cache}") + pod("api-1", "{app: api}"));
  await page.locator(".pod").nth(2).waitFor();
  await page.locator("#pane-cluster").focus();
  await page.keyboard.press("/");
  await page.keyboard.type("app=web,tier!=cache");
  await page.getByRole("button", { name: /^web-1, .*matches/ }).waitFor();
  await page.getByRole("button", { name: /^web-2, .*does not match tier!=cache/ }).waitFor();
  await page.getByRole("button", { name: /^api-1, .*does not match app=web/ }).waitFor();
  await page.locator("#stage-selector").fill("tier=front,app=web");
  await page.getByRole("button", { name: /^api-1, .*does not match tier=front/ }).waitFor();
  await page.locator("#stage-selector").fill("app=web,tier!=cache");
  await page.getByText("1/3", { exact: true }).waitFor();
  await page.keyboard.type(",(");
  await page.locator("#stage-selector-error").getByText("found '('").waitFor();
  await page.getByRole("button", { name: /^web-1, .*matches/ }).waitFor();
  await screenshot(page, "stage-selector");
}, { begun: false }));

test("a node is cordoned, which undo takes back", lab(async ({ page }) => {
  const node = page.getByRole("region", { name: "Node node01" });
  await node.getByRole("button", { name: "Actions on node node01" }).click();
  await page.getByRole("menuitem", { name: /kubectl cordon node01/ }).press("Enter");
  await node.getByText("SchedulingDisabled").waitFor();
  await page.getByRole("button", { name: "Undo: kubectl cordon node01" }).click();
  await node.getByText("SchedulingDisabled").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Redo: kubectl cordon node01" }).click();
  await node.getByText("SchedulingDisabled").waitFor();
}));

test("arrows move between pods, Enter selects, the menu deletes", lab(async ({ page }) => {
  await begin(page, pod("a", "{app: a}") + pod("b", "{app: b}") + pod("c", "{app: c}") + pod("d", "{app: d}"));
  await page.getByRole("button", { name: /^d, Running/ }).waitFor({ timeout: 30_000 });
  const first = page.locator(".pod-button[tabindex='0']");
  assert.equal(await first.count(), 1);
  await first.focus();
  const before = await first.getAttribute("data-uid");
  await page.keyboard.press("ArrowDown");
  const after = await page.evaluate(() => document.activeElement.dataset.uid);
  assert.ok(after && after !== before);
  await page.keyboard.press("Enter");
  const chosen = page.locator(".pod-button[aria-pressed='true']");
  await chosen.waitFor();
  await page.getByRole("button", { name: /^Actions on pod/ }).click();
  await page.getByRole("menuitem", { name: /kubectl delete pod/ }).click();
  await page.waitForFunction(() => document.querySelectorAll(".pod[data-uid]").length === 3);
}, { begun: false }));

test("a machine is added and joins the cluster", lab(async ({ page }) => {
  await page.getByRole("button", { name: "Lab menu" }).click();
  await page.getByRole("menuitem", { name: "Add a node" }).click();
  await page.getByRole("dialog", { name: "Add a node" }).getByRole("button", { name: "Add" }).click();
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await page.getByRole("region", { name: "Node node03" }).waitFor({ timeout: 20_000 });
}));

test("above forty nodes there is a tile a node; one is looked at closely", lab(async ({ page }) => {
  await page.getByRole("button", { name: "Lab menu" }).click();
  await page.getByRole("menuitem", { name: "New lab" }).click();
  const dialog = page.getByRole("dialog", { name: "New lab" });
  await dialog.getByLabel("Nodes").fill("300");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.locator(".tile").first().waitFor({ timeout: 60_000 });
  await accessible(page);
  await screenshot(page, "stage-tiles");
  await page.getByRole("button", { name: /^Node node05: / }).click();
  await page.getByRole("region", { name: "Node node05" }).waitFor();
  await page.getByRole("button", { name: "All nodes" }).click();
  await page.locator(".tile").first().waitFor();
}));

test("while Why is open, each node says what the scheduler found", lab(async ({ page }) => {
  await begin(page, pod("a", "{app: a}") + pod("gpu", "{app: gpu}", 'nodeSelector: {gpu: "true"}, containers: [{name: c, image: nginx}]'));
  await page.getByRole("button", { name: /^a, Running/ }).click();
  assert.equal(await page.locator(".strip").count(), 0);
  await page.getByRole("tab", { name: "Why here" }).click();
  await page.locator(".strip.chosen").getByText(/^\d+ points, chosen$/).waitFor();
  await page.getByRole("region", { name: "Node controlplane" }).locator(".strip.ruled-out").getByText("ruled out: TaintToleration").waitFor();
  await page.getByRole("button", { name: /^gpu, Pending/ }).click();
  await page.locator(".strip.ruled-out").nth(2).waitFor();
  await accessible(page);
}, { begun: false }));
