// Workloads: pods by their owners, a rollout that one watches, Services and who answers for them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, begun, enter, play } from "./begun.mjs";
import { accessible, screenshot } from "./lab.mjs";

/** Shows the workloads in place of the nodes. */
export async function workloads(page) {
  await page.getByRole("radio", { name: /^(Workloads|워크로드)$/ }).click();
  await page.locator(".ground.workloads").waitFor();
}

const region = (page, name) => page.getByRole("region", { name, exact: true });
const inspector = (page) => page.locator("#pane-dock");

test("a Deployment stands over its ReplicaSets, the newest first, and these over their pods", begun(async ({ page }) => {
  await enter(page, "kubectl create deployment web --image=nginx:1.27 --replicas=3");
  await enter(page, "kubectl run alone --image=nginx");
  await workloads(page);
  await play(page, "10×");
  const web = region(page, "Deployment web");
  await web.locator(":scope > header").getByText("3/3 ready, 3 available, 3 up to date").waitFor({ timeout: 30_000 });
  await enter(page, "kubectl set image deployment/web nginx=nginx:1.28");
  await web.getByText("revision 2").waitFor();
  await web.locator(".owned.old").getByText("revision 1").waitFor({ timeout: 30_000 });
  const revisions = await web.locator(".owned > header .label").allInnerTexts();
  assert.deepEqual(revisions, ["revision 2", "revision 1"]);
  assert.equal(await web.locator(".pod-button").count(), 3);
  await region(page, "Pods of no workload").getByRole("button", { name: /^alone, / }).waitFor();
  await accessible(page);
  await screenshot(page, "workloads");
  // The selector and the selection are those of the nodes.
  await page.locator("#stage-selector").fill("app=web");
  await web.getByRole("button", { name: /^web-.* matches$/ }).first().waitFor();
  await page.getByRole("button", { name: /^alone, .*does not match app=web/ }).click();
  await inspector(page).getByRole("heading", { name: "alone" }).waitFor();
  await page.getByRole("radio", { name: "Nodes" }).click();
  await page.locator(".pod-button[aria-pressed='true']").waitFor();
}));

test("a rollout is watched, looked back at and undone", begun(async ({ page }) => {
  await enter(page, "kubectl create deployment web --image=nginx:1.27 --replicas=4");
  await workloads(page);
  await play(page, "10×");
  const web = region(page, "Deployment web");
  await web.locator(":scope > header").getByText("4/4 ready").waitFor({ timeout: 30_000 });
  await web.getByRole("button", { name: "web", exact: true }).click();
  const dock = inspector(page);
  await dock.getByText("RollingUpdate: at most 1 above 4, at most 1 missing.").waitFor();
  await dock.getByText("MinimumReplicasAvailable").waitFor();
  await enter(page, "kubectl set image deployment/web nginx=nginx:1.28");
  await dock.locator(".rollout-key").getByText("revision 2: 4/4 ready").waitFor({ timeout: 30_000 });
  await dock.locator(".rollout-key").getByText("revision 1: no pods").waitFor();
  await dock.getByText(/^REVISION +CHANGE-CAUSE/m).waitFor();
  await accessible(page, { within: "#pane-dock" });
  await screenshot(page, "workloads-rollout");
  await dock.getByText("Its steps").click();
  await dock.getByRole("button", { name: /^Look at / }).last().click();
  await page.getByText("You are looking at the past").waitFor();
  await dock.locator(".rollout-key").getByText("revision 1: 4/4 ready").waitFor();
  await page.locator(".banner").getByRole("button", { name: "Return to now" }).click();
  await dock.getByRole("button", { name: "Undo to revision 1" }).click();
  await page.getByText("kubectl rollout undo deployment/web --to-revision=1").first().waitFor();
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await dock.locator(".rollout-key").getByText("revision 3: 4/4 ready").waitFor({ timeout: 30_000 });
  await dock.getByLabel("Replicas").fill("2");
  await dock.getByText("kubectl scale deployment/web --replicas=2").waitFor();
  await dock.getByRole("button", { name: "Scale", exact: true }).click();
  await web.locator(":scope > header").getByText("2/2 ready").waitFor({ timeout: 30_000 });
  await dock.getByRole("button", { name: "Actions" }).click();
  await page.getByRole("menuitem", { name: /kubectl rollout pause deployment\/web/ }).click();
  await web.getByText("paused").waitFor();
}));

test("a Service says who answers, who does not and why, and which requirement fails", begun(async ({ page }) => {
  await apply(page, `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.27
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1, failureThreshold: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`);
  await workloads(page);
  await play(page, "10×");
  const services = region(page, "Services");
  await services.getByRole("button", { name: /^web.*2\/2 endpoints ready/ }).click({ timeout: 30_000 });
  const dock = inspector(page);
  await dock.getByText("web.default.svc.cluster.local").waitFor();
  await dock.getByText("kubectl run tmp --rm -it --image=busybox:1.36 --restart=Never -- wget -qO- http://web").waitFor();
  await accessible(page);
  await screenshot(page, "workloads-service");
  await enter(page, "kubectl exec deploy/web -- rm /usr/share/nginx/html/index.html");
  await dock.getByText("ContainersNotReady: containers with unready status: [nginx]").waitFor({ timeout: 30_000 });
  await enter(page, "kubectl set selector service web app=wbe");
  await dock.getByText("Nobody answers.").waitFor({ timeout: 30_000 });
  await dock.getByText("app=wbe: 0 of 2 pods").waitFor();
  await dock.getByRole("button", { name: "Put it into the terminal" }).click();
  assert.match(await page.locator("#terminal-line").inputValue(), /^kubectl run tmp --rm -it/);
}));

test("a thousand pods are counted in place of being drawn, until one looks closely", begun(async ({ page }) => {
  await enter(page, "kubectl create deployment many --image=nginx --replicas=320");
  await workloads(page);
  await play(page, "10×");
  const many = region(page, "Deployment many");
  await many.locator(".tally").waitFor({ timeout: 30_000 });
  assert.equal(await page.locator(".pod").count(), 0);
  await page.getByRole("button", { name: "Show the pods of many" }).click();
  await many.locator(".pod.dot").nth(299).waitFor();
  await many.getByText("and 20 more").waitFor();
  await page.getByRole("button", { name: "All workloads" }).click();
  await many.locator(".tally").waitFor();
}));

for (const [locale, colorScheme, width] of [["en-US", "light", 1440], ["ko-KR", "dark", 1440], ["ko-KR", "light", 390], ["en-US", "dark", 390]]) {
  test(`the workloads fit ${width} pixels, ${locale}, ${colorScheme}`, begun(async ({ page }) => {
    if (width < 760) await page.getByRole("button", { name: /^(Terminal|터미널)$/ }).click();
    await enter(page, "kubectl create deployment web --image=nginx:1.27 --replicas=3");
    await enter(page, "kubectl expose deployment web --port=80");
    await enter(page, "kubectl create cronjob tidy --image=busybox --schedule='* * * * *' -- sleep 5");
    await page.locator(".time").getByRole("button", { name: /^(Play|재생)$/ }).click();
    if (width < 760) await page.getByRole("button", { name: /^(Cluster|클러스터)$/ }).click();
    await workloads(page);
    await page.getByText(/3\/3/).first().waitFor({ timeout: 30_000 });
    const overflow = await page.locator("#pane-cluster").evaluate((e) => e.scrollWidth - e.clientWidth);
    assert.ok(overflow <= 0, `${overflow} pixels stand out`);
    await accessible(page);
    await screenshot(page, `workloads-${locale}-${colorScheme}-${width}`);
    await page.getByRole("region", { name: "Deployment web", exact: true }).getByRole("button", { name: "web", exact: true }).click();
    await page.locator("#pane-dock .numbers").waitFor();
    await screenshot(page, `workload-${locale}-${colorScheme}-${width}`);
  }, { locale, colorScheme, width }));
}
