// Tests of the panes: a page where the learner has begun already, and the small things they all do.
import { lab, ready, url } from "./lab.mjs";

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
