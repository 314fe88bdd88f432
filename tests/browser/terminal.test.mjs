// The terminal pane.
import assert from "node:assert/strict";
import { test } from "node:test";
import { POD, answer, apply, begun, enter, play } from "./begun.mjs";
import { accessible, screenshot } from "./lab.mjs";

const pane = (page) => page.locator("#pane-terminal");
const line = (page) => page.locator("#terminal-line");

test("a line runs, its output stands there letter for letter, statuses have their colours", begun(async ({ page }) => {
  await apply(page, POD);
  await enter(page, "kubectl get pods");
  const output = pane(page).locator(".entry-output").last();
  await output.getByText("NAME").waitFor();
  assert.match(await output.innerText(), /^NAME +READY +STATUS +RESTARTS +AGE\nweb +0\/1 +Pending/);
  assert.equal(await output.locator(".tint").innerText(), "Pending");
  await screenshot(page, "terminal");
}));

test("an error stands where the output would", begun(async ({ page }) => {
  await enter(page, "kubectl get pod nobody");
  await pane(page).locator(".entry-error").getByText('Error from server (NotFound): pods "nobody" not found').waitFor();
}));

test("arrows recall lines, Ctrl-R searches them", begun(async ({ page }) => {
  await enter(page, "kubectl get nodes");
  await enter(page, "kubectl get pods");
  await line(page).press("ArrowUp");
  assert.equal(await line(page).inputValue(), "kubectl get pods");
  await line(page).press("ArrowUp");
  assert.equal(await line(page).inputValue(), "kubectl get nodes");
  await line(page).press("ArrowDown");
  await line(page).press("Control+u");
  await line(page).press("Control+r");
  await page.keyboard.type("nodes");
  await pane(page).getByText("(reverse-i-search)`nodes': kubectl get nodes").waitFor();
  await line(page).press("Tab");
  assert.equal(await line(page).inputValue(), "kubectl get nodes");
}));

test("a command that waits says so while time is paused, and Ctrl-C ends it", begun(async ({ page }) => {
  await enter(page, "kubectl get pods -w");
  await pane(page).getByText("waits for time, which is paused").waitFor();
  await line(page).press("Control+c");
  await pane(page).getByRole("log").getByText("^C").waitFor();
  await pane(page).getByText("waits for time").waitFor({ state: "detached" });
}));

test("Ctrl-` goes to the line, the history tab brings a line back", begun(async ({ page }) => {
  await enter(page, "kubectl get ns");
  await page.keyboard.press("Control+`");
  assert.ok(await line(page).evaluate((element) => element === document.activeElement));
  await pane(page).getByRole("tab", { name: /History/ }).click();
  await pane(page).getByRole("button", { name: "kubectl get ns" }).click();
  assert.equal(await line(page).inputValue(), "kubectl get ns");
}));

test("a phone has the keys that its keyboard lacks", begun(async ({ page }) => {
  await page.getByRole("navigation").getByRole("button", { name: "Terminal" }).click();
  await line(page).fill("kubectl get pods ");
  await pane(page).getByRole("button", { name: "-", exact: true }).click();
  assert.equal(await line(page).inputValue(), "kubectl get pods -");
  await screenshot(page, "terminal-phone");
}, { width: 390, height: 844 }));

test("the terminal pane is accessible", begun(async ({ page }) => {
  await enter(page, "kubectl get nodes");
  await accessible(page, { within: "#pane-terminal" });
}));

test("Ctrl-C ends what runs in bash, too", begun(async ({ page }) => {
  for (const entered of ["cat", "sleep 100", "yes"]) {
    await enter(page, entered);
    await pane(page).locator(".entry-runs").waitFor();
    await line(page).press("Control+c");
    await pane(page).locator(".entry-runs").waitFor({ state: "detached" });
  }
  await enter(page, "echo over");
  await pane(page).locator(".entry-output").last().getByText("over").waitFor();
}));

test("the last output is copied", begun(async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await enter(page, "kubectl get ns default -o name");
  await pane(page).getByRole("button", { name: "Copy the last output" }).click();
  await page.locator(".notices").getByText("Copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), "namespace/default\n");
}));

test("kubectl explain tells what a field is for", begun(async ({ page }) => {
  // The descriptions come beside the page.
  await page.waitForFunction(() => performance.getEntriesByName(new URL("descriptions.txt", document.baseURI).href).length);
  await enter(page, "kubectl explain pod.spec.tolerations.effect");
  await pane(page).locator(".entry-output").last().getByText("FIELD: effect <string>").waitFor();
  const told = await pane(page).locator(".entry-output").last().innerText();
  assert.match(told, /^KIND: +Pod\nVERSION: +v1\n\nFIELD: effect <string>\nENUM:\n {4}NoExecute\n {4}NoSchedule\n {4}PreferNoSchedule\n/);
}));

test("a Deployment is rolled out from the terminal", begun(async ({ page }) => {
  const last = () => pane(page).locator(".entry-output").last();
  await enter(page, "kubectl create deployment web --image=nginx:1.27 --replicas=3");
  await last().getByText("deployment.apps/web created").waitFor();
  await play(page, "10×");
  await enter(page, "kubectl rollout status deployment/web");
  await last().getByText('deployment "web" successfully rolled out').waitFor({ timeout: 20_000 });
  assert.equal(await page.locator("#pane-cluster .pod-button").count(), 3);
  await enter(page, "kubectl set image deployment/web nginx=nginx:1.28");
  await last().getByText("deployment.apps/web image updated").waitFor();
  await enter(page, "kubectl rollout status deployment/web");
  await last().getByText('deployment "web" successfully rolled out').waitFor({ timeout: 20_000 });
  await enter(page, "kubectl get rs --no-headers");
  await last().getByText(/^web-/).first().waitFor();
  const sets = (await last().innerText()).trim().split("\n").map((row) => row.split(/\s+/).slice(1, 4).join(" ")).sort();
  assert.deepEqual(sets, ["0 0 0", "3 3 3"]);
}));

test("kubectl edit opens the object in a tab, and Save lets it go on", begun(async ({ page }) => {
  const save = page.locator("#pane-editor .editor-bar").getByRole("button", { name: "Save" });
  const output = page.locator("#pane-terminal .entry-output").last();
  await enter(page, "kubectl run web --image=nginx --labels=tier=front");
  await enter(page, "kubectl edit pod web");
  await save.waitFor();
  await page.locator("#pane-editor").getByRole("tab", { name: /^kubectl-edit-/ }).waitFor();
  await page.locator("#pane-editor .cm-line", { hasText: "tier: front" }).click();
  await page.keyboard.press("End");
  await page.keyboard.type("ier");
  await save.click();
  await output.getByText("pod/web edited").waitFor();
  await page.locator("#pane-editor .editor-bar").getByRole("button", { name: "Apply" }).waitFor();
  assert.match(await answer(page, "kubectl get pod web --show-labels"), /tier=frontier/);
  await enter(page, "kubectl edit pod web");
  await save.click();
  await output.getByText("Edit cancelled, no changes made.").waitFor();
}));

test("the newest output is in sight, unless somebody has scrolled up to read", begun(async ({ page }) => {
  const body = page.locator(".term-body");
  const hidden = () => body.evaluate((e) => e.scrollHeight - e.clientHeight - e.scrollTop);
  await enter(page, "seq 1 200");
  await page.waitForFunction(() => {
    const e = document.querySelector(".term-body");
    return e.scrollTop > 100 && e.scrollHeight - e.clientHeight - e.scrollTop < 2;
  });
  await enter(page, "sleep 2; seq 301 400");
  await body.evaluate((e) => { e.scrollTop = 0; });
  const before = await hidden();
  await play(page, "10×");
  await body.locator(".entry-output").getByText("399").waitFor({ state: "attached" });
  assert.equal(await body.evaluate((e) => e.scrollTop), 0);
  assert.ok((await hidden()) > before, "there is more below");
}));
