// The frame of the page: first run, examples, language, theme, dialogs, splitters, panes of a phone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, apply, begun, enter, play, until } from "./begun.mjs";
import { accessible, lab, ready, screenshot } from "./lab.mjs";

const POD = `apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: web, image: nginx}]}
`;

/** Pastes as a learner does: from the clipboard, wherever the focus is. */
export async function paste(page, text) {
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData("text", text);
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
  }, text);
}

test("a first visit says how to begin, accessibly", lab(async ({ page }) => {
  await page.getByRole("heading", { name: "Paste a pod. Watch it run." }).waitFor();
  await page.getByText("A cluster is ready: 3 nodes").waitFor();
  await accessible(page);
  await screenshot(page, "first-run");
}, { begun: false }));

test("YAML pasted anywhere on the first visit is applied and runs", lab(async ({ page }) => {
  await paste(page, POD);
  const card = page.getByRole("button", { name: /^web, Running, ready 1\/1/ });
  await card.waitFor({ timeout: 30_000 });
  await page.getByText("pod/web created").first().waitFor();
}, { begun: false }));

test("an example is run from the gallery with the keyboard", lab(async ({ page }) => {
  await page.keyboard.press("2");
  const dialog = page.getByRole("dialog", { name: "Examples" });
  await dialog.waitFor();
  await accessible(page, { within: "dialog" });
  await dialog.getByRole("button").nth(1).press("Enter");
  await page.locator(".pod").first().waitFor();
}, { begun: false }));

test("a reload goes on, a new visit offers to", lab(async ({ page, context }) => {
  await paste(page, POD);
  await page.getByRole("button", { name: /^web, / }).waitFor();
  await page.getByText("Saved in this browser").waitFor({ timeout: 15_000 });
  await page.reload();
  await ready(page);
  await page.getByRole("button", { name: /^web, / }).waitFor();
  const visit = await context.newPage();
  await visit.goto(page.url());
  await ready(visit);
  await visit.getByRole("button", { name: /^Continue: / }).click();
  await visit.getByRole("button", { name: /^web, / }).waitFor();
}, { begun: false }));

test("language and theme are switched and kept", lab(async ({ page }) => {
  await page.getByRole("radio", { name: "한국어" }).click();
  await page.getByRole("region", { name: "클러스터" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "ko");
  await page.getByRole("button", { name: /^테마/ }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
  await page.getByRole("button", { name: /^테마/ }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.reload();
  await ready(page);
  assert.deepEqual(
    await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme]),
    ["ko", "dark"],
  );
}));

test("? shows the shortcuts, Esc gives the focus back", lab(async ({ page }) => {
  await page.locator("#pane-cluster").focus();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Shortcuts" }).waitFor();
  await accessible(page, { within: "dialog" });
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await page.evaluate(() => document.activeElement.id), "pane-cluster");
}));

test("F6 goes round the panes and the skip link leads to the cluster", lab(async ({ page }) => {
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "pane-cluster");
  const seen = [];
  for (let i = 0; i < 4; i++) {
    await page.keyboard.press("F6");
    seen.push(await page.evaluate(() => document.activeElement.closest("[id^=pane-]")?.id));
  }
  assert.deepEqual(seen, ["pane-dock", "pane-terminal", "pane-editor", "pane-cluster"]);
}));

test("splitters move by keys and by dragging, a double click resets", lab(async ({ page }) => {
  const split = page.getByRole("separator", { name: "Width of the editor" });
  const width = () => page.locator("#pane-editor").evaluate((e) => e.getBoundingClientRect().width);
  const before = await width();
  await split.focus();
  await page.keyboard.press("ArrowRight");
  assert.ok(Math.abs((await width()) - before - 16) < 1);
  const box = await split.boundingBox();
  await page.mouse.move(box.x + 3, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + 53, box.y + 100);
  await page.mouse.up();
  assert.ok(Math.abs((await width()) - before - 66) < 2);
  await split.dblclick();
  assert.ok(Math.abs((await width()) - before) < 1);
}));

test("a lab of forty nodes is built", lab(async ({ page }) => {
  await page.getByRole("button", { name: "Lab menu" }).click();
  await page.getByRole("menuitem", { name: "New lab" }).click();
  const dialog = page.getByRole("dialog", { name: "New lab" });
  await dialog.getByLabel("Nodes").fill("0");
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByRole("alert").getByText("from 1 to 5,000").waitFor();
  await dialog.getByLabel("Nodes").fill("40");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("region", { name: "Node node39" }).waitFor();
}));

test("a phone shows one pane at a time", lab(async ({ page }) => {
  const shown = () => page.evaluate(() =>
    ["editor", "cluster", "dock", "terminal"].filter((n) => getComputedStyle(document.querySelector(`#pane-${n}`)).visibility === "visible"));
  assert.deepEqual(await shown(), ["cluster"]);
  await page.getByRole("navigation").getByRole("button", { name: "Terminal" }).click();
  assert.deepEqual(await shown(), ["terminal"]);
  await page.getByRole("navigation").getByRole("button", { name: "Editor" }).click();
  assert.deepEqual(await shown(), ["editor"]);
  await page.getByRole("navigation").getByRole("button", { name: "Cluster" }).click();
  await accessible(page);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
}, { width: 390, height: 844 }));

test("a pane takes the whole width and gives it back; what is asked for is shown", lab(async ({ page }) => {
  const width = (id) => page.locator(id).evaluate((e) => e.getBoundingClientRect().width);
  const stage = page.locator("#pane-cluster");
  await stage.getByRole("button", { name: "Use the whole width" }).click();
  assert.equal(await width("#pane-cluster"), 1440);
  assert.equal(await width("#pane-editor"), 0);
  await page.keyboard.press("F6");
  assert.equal(await width("#pane-dock"), 1440);
  await page.locator("#pane-dock").getByRole("button", { name: "Back to all panes" }).click();
  assert.ok((await width("#pane-editor")) > 300);
}));

test("in presenter mode a shortcut that is pressed is shown, what is typed is not", lab(async ({ page }) => {
  const presenter = page.getByRole("button", { name: "Presenter mode" });
  await presenter.click();
  await presenter.and(page.locator('[aria-pressed="true"]')).waitFor();
  // What is shown goes by itself after a while, on a slow machine before a test looks: everything ever shown is kept.
  await page.evaluate(() => {
    window.echoes = [];
    new MutationObserver(() => {
      const echo = document.querySelector(".key-echo");
      if (echo) window.echoes.push([...echo.children].map((key) => key.textContent).join("+"));
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  const shown = (keys) => page.waitForFunction((keys) => window.echoes.includes(keys), keys);
  await page.locator("#pane-cluster").focus();
  await page.keyboard.press(".");
  await shown(".");
  await page.keyboard.press("Control+`");
  await shown("Ctrl+`");
  await page.locator(".key-echo").waitFor({ state: "detached" });
  await page.evaluate(() => (window.echoes = []));
  await page.keyboard.type("secret");
  assert.deepEqual(await page.evaluate(() => window.echoes), []);
}));

for (const [width, height] of [[390, 844], [768, 1024], [1024, 768], [1440, 900]]) {
  test(`a notice covers no control at ${width} px`, begun(async ({ page }) => {
    if (width < 760) await page.getByRole("navigation").getByRole("button", { name: "Editor" }).click();
    await apply(page, POD);
    const notice = page.locator(".notice");
    await notice.waitFor();
    await page.waitForTimeout(300);
    const covered = await page.evaluate(() => {
      const notices = document.querySelector(".notices").getBoundingClientRect();
      const shown = (element) => {
        const { left, top, width, height } = element.getBoundingClientRect();
        const [x, y] = [left + width / 2, top + height / 2];
        return width > 0 && getComputedStyle(element).visibility === "visible" && y > notices.top && y < notices.bottom && x > notices.left && x < notices.right;
      };
      const controls = document.querySelectorAll("button, input, select, textarea, .cm-content, [tabindex='0']");
      return [...controls].filter((e) => !e.closest(".notices") && !e.closest(".dock-body") && shown(e)).map((e) => e.outerHTML.slice(0, 120));
    });
    assert.deepEqual(covered, []);
    await page.locator("#pane-editor .editor-bar").getByRole("button", { name: "Apply" }).click();
    await screenshot(page, `notice-${width}`);
  }, { width, height }));
}

test("a lab of hundreds of nodes is set up behind its progress, and pods get scheduled", begun(async ({ page }) => {
  await page.getByRole("button", { name: "Lab menu" }).click();
  await page.getByRole("menuitem", { name: "New lab" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Nodes").fill("300");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("dialog", { name: "Setting up the cluster" }).getByRole("progressbar").waitFor();
  await screenshot(page, "frame-building");
  await dialog.waitFor({ state: "detached", timeout: 60_000 });
  assert.match(await answer(page, "kubectl get node node299 --no-headers"), /^node299 +Ready/);
  await play(page, "10×");
  await enter(page, "kubectl create deployment web --image=nginx --replicas=20");
  await until(page, "kubectl get deployment web", /20\/20/);
  // The new page notes its progress itself: on a busy machine it may be over before anybody looks from outside.
  await page.addInitScript(() => {
    const note = () => { if (document.querySelector("progress")) window.progressSeen = true; };
    new MutationObserver(note).observe(document, { childList: true, subtree: true });
  });
  await page.reload();
  await ready(page);
  await page.waitForFunction(() => window.progressSeen);
  await dialog.waitFor({ state: "detached", timeout: 60_000 });
  await until(page, "kubectl get deployment web", /20\/20/);
}));
