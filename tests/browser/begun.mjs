// Tests of the panes: a page where the learner has begun already, and the small things they all do.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { lab, ready, url } from "./lab.mjs";

/** Recordings that stay outside of the project; tests that need them skip without. */
export const truth = process.env.PODLAB_TRUTH ?? fileURLToPath(new URL("../../../shared/truth", import.meta.url));

/** As `lab`, with the panes in place of the first steps. */
export const begun = (body, options = {}) =>
  lab(async (given) => {
    await given.context.addInitScript(() => sessionStorage.setItem("podlab.begun", "1"));
    await given.page.goto(url);
    await ready(given.page);
    await given.page.locator("#pane-editor").waitFor({ state: "attached" });
    await body(given);
  }, { ...options, open: false });

export const POD = `apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: web
    tier: front
spec:
  containers:
  - name: nginx
    image: nginx:1.27
`;

/** The text field of the editor. */
export const editor = (page) => page.locator("#pane-editor .cm-content");

/** Puts a text into the editor as pasting does. */
export async function write(page, text) {
  const box = editor(page);
  await box.click();
  await page.keyboard.press("Control+a");
  await box.evaluate((element, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

/** Writes a manifest and applies it. */
export async function apply(page, text) {
  await write(page, text);
  await page.keyboard.press("Control+Enter");
}

/** Sends a line in the terminal. */
export async function enter(page, line) {
  const field = page.locator("#terminal-line");
  await field.fill(line);
  await field.press("Enter");
}

/** Chooses a pod through the selector lab, which needs no place on the stage. */
export async function inspect(page, name) {
  await page.locator("#dock-mode-selector").click();
  await page.locator("#pane-dock .node-pods button", { hasText: name }).first().click();
  await page.locator("#pane-dock .inspect-head h2", { hasText: name }).waitFor();
}

/** Sends a line to an empty terminal and gives what it answered, once it has ended. */
export async function answer(page, line) {
  const field = page.locator("#terminal-line");
  await field.fill("clear");
  await field.press("Enter");
  await field.fill(line);
  await field.press("Enter");
  await page.waitForFunction(() => {
    const entries = document.querySelectorAll("#pane-terminal .entry");
    return entries.length === 1 && !entries[0].querySelector(".entry-runs");
  });
  return await page.locator("#pane-terminal .entry").evaluate((entry) => entry.querySelector(".entry-output")?.textContent ?? "");
}

/** Sends a line again and again until its answer matches; gives that answer. */
export async function until(page, line, pattern) {
  let said = "";
  for (const end = Date.now() + 25_000; Date.now() < end; await page.waitForTimeout(100)) {
    said = await answer(page, line);
    if (pattern.test(said)) return said;
  }
  const events = await answer(page, "kubectl get events");
  assert.match(said, pattern, `${line}\n${events}`);
}

/**
 * Lets a line watch until a row matches that it writes, however short the state lasted; gives all that it wrote. The row
 * need not be the last one: where time runs fast, a slow machine sees what came after at once. `then` is done once the
 * line runs.
 */
export async function came(page, line, pattern, then = async () => {}) {
  await enter(page, "clear");
  await enter(page, line);
  await then();
  const output = page.locator("#pane-terminal .entry-output").last();
  const matches = ({ source }) => {
    const last = [...document.querySelectorAll("#pane-terminal .entry-output")].at(-1);
    return new RegExp(source, "m").test(last?.textContent ?? "");
  };
  try {
    await page.waitForFunction(matches, { source: pattern.source }, { timeout: 60_000 });
  } catch {
    assert.match(await output.innerText().catch(() => ""), pattern, line);
  }
  const said = await output.evaluate((element) => element.textContent);
  await page.locator("#terminal-line").press("Control+c");
  return said;
}

/** Lets time run at a speed, as `60×`. */
export async function play(page, speed) {
  await page.locator(".time").getByRole("radio", { name: speed, exact: true }).click();
  await page.locator(".time").getByRole("button", { name: /^(Play|재생)$/ }).click();
}
