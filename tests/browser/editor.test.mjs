// The JavaScript half of the editor by itself, with callbacks of the test's own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { build } from "esbuild";
import { lab } from "./lab.mjs";

/** Opens an empty page with one editor in it: `window.editor`, and `window.heard` with what it reported. */
function editor(settings, body) {
  const open = async ({ page, ...rest }) => {
    const bundle = await build({
      entryPoints: ["src/editor/editor.js"],
      bundle: true,
      format: "iife",
      globalName: "podlabEditor",
      write: false,
    });
    await page.setContent("<!doctype html><title>editor</title><button>outside</button><div id=place></div>");
    await page.addStyleTag({ path: "static/css/tokens.css" });
    await page.addStyleTag({ path: "static/css/editor.css" });
    await page.addScriptTag({ content: bundle.outputFiles[0].text });
    await page.evaluate((given) => {
      window.heard = { texts: [], submits: 0, carets: [] };
      window.answers = {};
      window.editor = podlabEditor.create(document.getElementById("place"), JSON.stringify(given), {
        change: (text) => window.heard.texts.push(text),
        submit: () => window.heard.submits++,
        caret: (from, to) => window.heard.carets.push([from, to]),
        complete: (text, position) => window.answers.complete && JSON.stringify(window.answers.complete),
        hover: () => window.answers.hover && JSON.stringify(window.answers.hover),
      });
    }, { document: "a.yaml", text: "", label: "Manifest", lang: "en", readOnly: false, ...settings });
    const box = page.getByRole("textbox", { name: settings.label ?? "Manifest" });
    const heard = () => page.evaluate(() => window.heard);
    await body({ page, box, heard, text: () => page.evaluate(() => window.editor.text()), ...rest });
  };
  return lab(open, { open: false });
}

test("typing is reported with the whole text, and undone by Ctrl-Z", editor({ text: "kind: Po" }, async ({ page, box, heard, text }) => {
  await box.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("d");
  assert.deepEqual((await heard()).texts, ["kind: Pod"]);
  assert.deepEqual((await heard()).carets.at(-1), [9, 9]);
  await page.keyboard.press("Control+z");
  assert.equal(await text(), "kind: Po");
}));

test("Ctrl-Enter submits and leaves the text alone", editor({ text: "a: b" }, async ({ page, box, heard, text }) => {
  await box.click();
  await page.keyboard.press("Control+Enter");
  assert.equal((await heard()).submits, 1);
  assert.equal(await text(), "a: b");
}));

test("a problem's message stands under its line, and its fix is a button", editor({ text: "a: 1\nkin: Pod\nb: 2" }, async ({ page, heard, text }) => {
  await page.evaluate(() => window.editor.setProblems(JSON.stringify([
    { from: 5, to: 8, severity: "error", message: 'unknown field "kin" <b>', fixes: [{ label: "Change to kind", edits: [{ from: 5, to: 8, insert: "kind" }] }] },
  ])));
  const note = page.getByRole("note");
  assert.match(await note.innerText(), /unknown field "kin" <b>/);
  const wrong = await page.locator(".cm-wrong-error").boundingBox();
  const below = await note.boundingBox();
  assert.ok(below.y >= wrong.y + wrong.height - 2, "the message is below the line");
  await note.getByRole("button", { name: "Change to kind" }).click();
  assert.equal(await text(), "a: 1\nkind: Pod\nb: 2");
  assert.deepEqual((await heard()).texts, ["a: 1\nkind: Pod\nb: 2"]);
}));

test("problems at odd places are drawn: empty range, line end, empty text, beyond the end", editor({ text: "ab: c\n\nd" }, async ({ page }) => {
  for (const [from, to] of [[0, 0], [5, 5], [6, 6], [7, 9], [0, 8], [99, 120], [5, 7]]) {
    await page.evaluate(([from, to]) => window.editor.setProblems(JSON.stringify([{ from, to, severity: "warning", message: "here", fixes: [] }])), [from, to]);
    await page.getByRole("note").getByText("here").waitFor();
  }
  await page.evaluate(() => window.editor.show("b.yaml", ""));
  await page.evaluate(() => window.editor.setProblems(JSON.stringify([{ from: 0, to: 0, severity: "info", message: "empty", fixes: [] }])));
  await page.getByRole("note").getByText("empty").waitFor();
}));

test("F8 goes to the next problem, Ctrl-. fixes the one at the caret", editor({ text: "a: 1\nb: 2\nc: 3" }, async ({ page, box, heard, text }) => {
  await page.evaluate(() => window.editor.setProblems(JSON.stringify([
    { from: 5, to: 6, severity: "error", message: "b", fixes: [{ label: "fix", edits: [{ from: 5, to: 6, insert: "x" }] }] },
    { from: 10, to: 11, severity: "error", message: "c", fixes: [] },
  ])));
  await box.click({ position: { x: 3, y: 8 } });
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("F8");
  assert.deepEqual((await heard()).carets.at(-1), [5, 5]);
  await page.keyboard.press("F8");
  assert.deepEqual((await heard()).carets.at(-1), [10, 10]);
  await page.keyboard.press("Shift+F8");
  await page.keyboard.press("Control+.");
  assert.equal(await text(), "a: 1\nx: 2\nc: 3");
}));

test("completions come from outside and are put in place of the word", editor({ text: "ki" }, async ({ page, box, text }) => {
  await page.evaluate(() => { window.answers.complete = { from: 0, options: [{ label: "kind", insert: "kind: ", detail: "string" }] }; });
  await box.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Control+Space");
  await page.getByRole("option", { name: /kind/ }).waitFor();
  await page.waitForTimeout(100);
  await page.keyboard.press("Enter");
  assert.equal(await text(), "kind: ");
}));

test("a hover card shows its text as text", editor({ text: "kind: Pod" }, async ({ page }) => {
  await page.evaluate(() => { window.answers.hover = { from: 0, to: 4, title: "kind <string>", text: "One.\n\nTwo." }; });
  await page.locator(".cm-line").first().hover({ position: { x: 12, y: 8 } });
  const card = page.locator(".cm-hover-card");
  await card.waitFor();
  assert.match(await card.innerText(), /kind <string>\s+One\.\s+Two\./);
}));

test("documents keep their own undo history, and text from outside is not reported", editor({ text: "one" }, async ({ page, box, heard, text }) => {
  await box.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("!");
  await page.evaluate(() => window.editor.show("b.yaml", "two"));
  assert.equal(await text(), "two");
  await page.keyboard.press("Control+z");
  assert.equal(await text(), "two");
  await page.evaluate(() => window.editor.show("a.yaml", "one!"));
  await page.keyboard.press("Control+z");
  assert.equal(await text(), "one");
  const before = (await heard()).texts.length;
  await page.evaluate(() => window.editor.show("a.yaml", "three"));
  assert.equal(await text(), "three");
  assert.equal((await heard()).texts.length, before);
}));

test("read-only refuses typing and fixes", editor({ text: "a: 1", readOnly: true }, async ({ page, box, text }) => {
  await box.click();
  await page.keyboard.type("x");
  assert.equal(await text(), "a: 1");
  assert.equal(await box.getAttribute("aria-readonly"), "true");
  await page.evaluate(() => window.editor.setUpAgain(JSON.stringify({ label: "Manifest", lang: "en", readOnly: false })));
  await page.keyboard.type("x");
  assert.notEqual(await text(), "a: 1");
}));

test("Escape, then Tab leaves the editor", editor({ text: "a: 1" }, async ({ page, box }) => {
  await box.click();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "outside");
}));

test("search speaks Korean in a Korean page", editor({ text: "a: 1", lang: "ko" }, async ({ page, box }) => {
  await box.click();
  await page.keyboard.press("Control+f");
  await page.getByRole("textbox", { name: "찾기" }).waitFor();
  await page.getByRole("button", { name: "다음" }).waitFor();
}));

test("a long text is parsed in pieces, and coloured to its end", editor({ text: "a: b" }, async ({ page, box }) => {
  const long = Array.from({ length: 8000 }, (_, i) => `key${i}: "value ${i}"`).join("\n");
  await page.evaluate((long) => window.editor.show("a.yaml", long), long);
  await box.click();
  await page.keyboard.press("Control+End");
  const last = page.locator(".cm-line").last();
  assert.equal(await last.textContent(), 'key7999: "value 7999"');
  // The key and the value are tokens of their own once the end of the text is parsed.
  await last.locator("span").nth(1).waitFor();
}));
