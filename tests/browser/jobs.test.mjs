// The main job on real input, sentence by sentence, in a real Chromium: what a learner pastes, and what comes of it.
// (The website's examples and the equality of histories have files of their own.)
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { POD, answer, apply, begun, came, enter, play, truth, until } from "./begun.mjs";

const recorded = (path) => {
  const file = join(truth, path);
  return { path: file, skip: !existsSync(file) && `no recordings at ${file}` };
};
const lines = (path) => readFileSync(path, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));

const seeds = recorded("seed-yaml/notes.jsonl");
test("every seed manifest is applied, or refused in kubectl's own words at its place", { skip: seeds.skip }, begun(async ({ page }) => {
  const real = new Map();
  for (const { name, apply } of lines(recorded("cluster/validation.jsonl").path)) {
    if (name.startsWith("seed/") && apply) real.set(name.slice("seed/".length), apply);
  }
  let marked = 0;
  for (const note of lines(seeds.path)) {
    const alone = note.reached_server ? undefined : note.real_kubectl;
    const expected = real.get(note.file) ?? alone ?? (note.strict.unknown_fields.length ? undefined : note.real_kubectl);
    await apply(page, readFileSync(join(truth, "seed-yaml", note.file), "utf8"));
    await page.waitForFunction(() => {
      const entry = [...document.querySelectorAll("#pane-terminal .entry")].at(-1);
      return entry?.querySelector(".entry-line")?.textContent.includes("apply -f") && entry.querySelector(".entry-output");
    });
    const said = await page.locator("#pane-terminal .entry").last().evaluate((entry) => entry.querySelector(".entry-output").textContent);
    // The recorded one read its standard input, the page reads a file; suffixes of names are drawn.
    const plain = (text) => text.replaceAll("pod.yaml", "STDIN").replace(/^(\S+\/\S+-)[a-z0-9]{5} created/gm, "$1x created");
    if (expected) {
      assert.equal(plain(said), plain(expected.stdout + expected.stderr), note.file);
    } else {
      for (const field of note.strict.unknown_fields) assert.ok(said.includes(`unknown field "${field}"`), `${note.file}: ${said}`);
    }
    const line = /yaml: line (\d+):/.exec(said)?.[1];
    if (line) {
      marked++;
      // The text is looked at once typing rests.
      await page.waitForTimeout(700);
      await page.getByRole("note").getByText(said.trim().split("parsing pod.yaml: ").at(-1)).first().waitFor();
      // The message stands in the document, right below the line that it names or the one that is wrong before it.
      const above = await page.getByRole("note").first().evaluate((note) => {
        const all = [...document.querySelectorAll("#pane-editor .cm-content > *, #pane-editor .cm-content .cm-line")];
        return all.filter((e) => e.classList.contains("cm-line") && e.compareDocumentPosition(note) & Node.DOCUMENT_POSITION_FOLLOWING).length;
      });
      assert.ok(Math.abs(above - Number(line)) <= 1, `${note.file}: line ${line} is named, the note stands below line ${above}`);
    }
    if (/ (created|configured)$/m.test(said)) await page.getByRole("button", { name: /^Undo: kubectl apply/ }).click();
    await answer(page, "echo next");
  }
  assert.ok(marked > 10, `${marked} with a line`);
}));

test("nodeSelector gpu=true: Pending with the exact reason, and a label in the page lets it run", begun(async ({ page }) => {
  await apply(page, POD.replace("spec:\n", 'spec:\n  nodeSelector: {gpu: "true"}\n'));
  await play(page, "1×");
  const why = "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match Pod's node affinity/selector. "
    + "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
  await page.getByRole("region", { name: "Queue" }).getByText(why).waitFor();
  assert.match(await answer(page, "kubectl get events"), new RegExp(`Warning +FailedScheduling +pod/web +${why.replace(/[().]/g, "\\$&")}`));
  const node = page.getByRole("region", { name: "Node node02" });
  await node.getByRole("button", { name: "Actions on node node02" }).click();
  await page.getByRole("menuitem", { name: /Edit labels/ }).click();
  const dialog = page.getByRole("dialog", { name: "Labels of node02" });
  await dialog.getByRole("button", { name: "Add" }).click();
  await dialog.getByRole("textbox", { name: "Key" }).last().fill("gpu");
  await dialog.getByRole("textbox", { name: "Value" }).last().fill("true");
  await dialog.getByRole("button", { name: "Apply" }).click();
  await node.getByRole("button", { name: /^web, Running, ready 1\/1/ }).waitFor();
}));

/** What a line that watches says, once something has come. */
async function watched(page, manifest, speed, line, pattern) {
  await apply(page, manifest);
  return await came(page, line, pattern, () => play(page, speed));
}

/** Seconds from a pod's creation to the start of each of its container's runs, as every change of it tells. */
async function starts(page, manifest, runs) {
  const container = ".status.containerStatuses[0]";
  const path = `{.metadata.creationTimestamp} {${container}.restartCount} {${container}.state.running.startedAt}{${container}.state.terminated.startedAt} {${container}.state.waiting.reason}{"\\n"}`;
  const said = await watched(page, manifest, "60×", `kubectl get pod web -w -o jsonpath='${path}'`, new RegExp(`^\\S+ ${runs} 20`));
  const times = [];
  for (const [, made, restart, at] of said.matchAll(/^(\S+) (\d+) (20\S+Z)/gm)) {
    times[Number(restart)] ??= (Date.parse(at) - Date.parse(made)) / 1000;
  }
  return { times, said };
}

test("a liveness probe that gets 404 restarts the container in time; fixed by exec, restarts stop", begun(async ({ page }) => {
  const probe = "    livenessProbe: {httpGet: {path: /healthz, port: 80}, periodSeconds: 10}\n";
  const { times } = await starts(page, POD + probe, 5);
  // Three failures 10 s apart, then the container is started anew. The kubelet counts the back-off (10 s, 20 s, 40 s …)
  // from the end of the container before the one that it has just killed, so that it is felt from the fifth restart on:
  // 40 s after that end, and up to half as long again until the kubelet looks at the pod (recorded: 209 s).
  [[0, 4], [29, 33], [59, 63], [89, 93], [119, 123], [189, 211]].forEach(([least, most], restart) => {
    assert.ok(times[restart] >= least && times[restart] <= most, `restart ${restart} at ${times[restart]} s: ${times}`);
  });
  const said = await answer(page, "kubectl describe pod web");
  assert.match(said, /Warning +Unhealthy .*Liveness probe failed: HTTP probe failed with statuscode: 404/);
  assert.match(said, /Normal +Killing .*Container nginx failed liveness probe, will be restarted/);
  await until(page, "kubectl exec web -- sh -c 'echo ok > /usr/share/nginx/html/healthz'", /^$/);
  const before = /RESTARTS[^]*?^web +\S+ +\S+ +(\d+)/m.exec(await answer(page, "kubectl get pods"))[1];
  const clock = () => page.locator(".clock b").innerText();
  const minutes = (text) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0) / 60;
  const from = minutes(await clock());
  while (minutes(await clock()) < from + 6) await page.waitForTimeout(200);
  assert.match(await answer(page, "kubectl get pods"), new RegExp(`^web +1/1 +Running +${before} `, "m"));
}));

test("a crashing container walks through the back-off's schedule", begun(async ({ page }) => {
  const crash = POD.replace("image: nginx:1.27", "image: busybox:1.36\n    command: [sh, -c, exit 1]");
  const { times, said } = await starts(page, crash, 7);
  assert.match(said, /CrashLoopBackOff$/m);
  // The first restart is at once; then 10 s, doubled up to 300 s. The kubelet wakes after what is left of that, 60 s at
  // most, and up to half as long again: 30 s late at the latest.
  [0, 10, 20, 40, 80, 160, 300].forEach((wait, index) => {
    const gap = times[index + 1] - times[index];
    assert.ok(gap >= wait && gap <= wait + 30, `restart ${index + 1} after ${gap} s: ${times}`);
  });
  assert.match(await answer(page, "kubectl describe pod web"), /Warning +BackOff .*Back-off restarting failed container nginx in pod web_default/);
}));

test("too much memory: OOMKilled, exit code 137", begun(async ({ page }) => {
  await apply(page, readFileSync(new URL("../../src/state/examples/oom.yaml", import.meta.url), "utf8"));
  await play(page, "10×");
  await page.getByRole("button", { name: /^oom, OOMKilled/ }).waitFor();
  await page.getByRole("button", { name: /^oom, OOMKilled/ }).click();
  await page.locator("#pane-dock").getByText("137").first().waitFor();
}));

test("an init container that fails holds the pod back, in the words that kubectl uses", begun(async ({ page }) => {
  const init = POD.replace("  containers:", "  initContainers:\n  - {name: setup, image: busybox:1.36, command: [sh, -c, 'echo no; exit 1']}\n  containers:");
  const said = await watched(page, init, "10×", "kubectl get pods -w", /^web +0\/1 +Init:CrashLoopBackOff +[2-9] /);
  for (const word of ["Init:0/1", "Init:Error", "Init:CrashLoopBackOff"]) assert.ok(said.includes(` ${word} `), `${word}: ${said}`);
  assert.ok(!said.includes("Running"));
  assert.match(await answer(page, "kubectl logs web -c setup"), /^no/);
}));

test("a readiness probe that fails keeps the pod unready without a restart, and recovers", begun(async ({ page }) => {
  const probe = "    readinessProbe: {exec: {command: [cat, /tmp/ready]}, periodSeconds: 5}\n";
  await apply(page, POD + probe);
  await play(page, "10×");
  await page.getByRole("button", { name: /^web, Running, ready 0\/1/ }).waitFor();
  await until(page, "kubectl describe pod web", /Readiness probe failed: cat: /);
  await answer(page, "kubectl exec web -- touch /tmp/ready");
  await page.getByRole("button", { name: /^web, Running, ready 1\/1/ }).waitFor();
  await answer(page, "kubectl exec web -- rm /tmp/ready");
  await page.getByRole("button", { name: /^web, Running, ready 0\/1/ }).waitFor();
  assert.match(await answer(page, "kubectl get pods"), /^web +0\/1 +Running +0 /m);
}));

const selectors = recorded("tables/label_selectors.json");
test("the selector lab agrees with kubectl get -l, for each selector of Kubernetes' own tests", { skip: selectors.skip }, begun(async ({ page }) => {
  const { tables } = JSON.parse(readFileSync(selectors.path, "utf8"));
  const sets = [...new Set(tables.match.map((row) => JSON.stringify(row.labels ?? {})))];
  const pods = sets.map((labels, index) => `apiVersion: v1\nkind: Pod\nmetadata: {name: p${index}, labels: ${labels}}\nspec: {containers: [{name: c, image: nginx}]}\n`);
  await apply(page, pods.join("---\n"));
  await page.locator("#dock-mode-selector").click();
  const texts = [...tables.parse_good, ...tables.parse_bad, ...tables.match.map((row) => row.selector), ...tables.set_parser.map((row) => row.In)];
  // A field of one line holds no line breaks.
  const all = [...new Set(texts)].filter((text) => !/[\r\n]/.test(text));
  assert.ok(all.length > 50);
  const dock = page.locator("#pane-dock");
  let refused = 0;
  for (const text of all) {
    await page.locator("#selector-lab-input").fill(text);
    const wrong = await dock.locator("#selector-lab-error code").allTextContents();
    const hits = wrong.length ? [] : await dock.locator(".block", { hasText: "Matching" }).first().locator(".node-pods button").evaluateAll((buttons) => buttons.map((b) => /p\d+/.exec(b.textContent)[0]));
    const said = await answer(page, `kubectl get pods -o name -l '${text}'`);
    if (wrong.length) {
      refused++;
      assert.ok(said.includes(wrong[0].replace(/^error: /, "")), `${JSON.stringify(text)}:\n${wrong[0]}\n${said}`);
    } else {
      const names = said.split("\n").filter((line) => line.startsWith("pod/")).map((line) => line.slice(4));
      assert.deepEqual(hits.sort(), names.sort(), JSON.stringify(text));
    }
  }
  assert.ok(refused > 10);
}));
