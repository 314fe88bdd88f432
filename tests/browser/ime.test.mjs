// Hangul through an input method: letters are put together in the field before they are there for good.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begun, editor, enter, play } from "./begun.mjs";

const line = (page) => page.locator("#terminal-line");

/** An input method at the field that has the focus, as Chromium hears of one. */
async function method(page) {
  const session = await page.context().newCDPSession(page);
  return {
    /** Puts a syllable together, step by step: `ㅎ`, `하`, `한`. */
    async compose(...steps) {
      for (const text of steps) {
        await session.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
      }
    },
    /** Ends the composition with what stands there. */
    async end(text) {
      await session.send("Input.insertText", { text });
    },
    /** A key that goes to the input method first: the page hears of it with the code 229. */
    async key(key, code = key) {
      await session.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key, code, windowsVirtualKeyCode: 229 });
    },
  };
}

test("Enter that ends a composition does not run the line, the next one does", begun(async ({ page }) => {
  await line(page).focus();
  await page.keyboard.insertText("echo ");
  const ime = await method(page);
  await ime.compose("ㅎ", "하", "한");
  assert.equal(await line(page).inputValue(), "echo 한");
  await ime.key("Enter");
  assert.equal(await page.locator("#pane-terminal .entry").count(), 0);
  await ime.end("한");
  await ime.compose("ㄱ", "그", "글");
  await ime.key("Process", "Enter");
  await ime.end("글");
  assert.equal(await line(page).inputValue(), "echo 한글");
  assert.equal(await page.locator("#pane-terminal .entry").count(), 0);
  await page.keyboard.press("Enter");
  await page.locator("#pane-terminal .entry-output").getByText("한글", { exact: true }).waitFor();
  assert.equal(await page.locator("#pane-terminal .entry").count(), 1);
  assert.equal(await line(page).inputValue(), "");
}, { locale: "ko-KR" }));

test("Enter right behind a composition runs the line with its last letter", begun(async ({ page }) => {
  await line(page).focus();
  await page.keyboard.insertText("echo ");
  const ime = await method(page);
  await ime.compose("ㄴ", "나");
  // On a Mac the same Enter ends the composition and comes to the page at once.
  await line(page).evaluate((input) => {
    input.value = "echo 나";
    input.dispatchEvent(new InputEvent("input", { bubbles: true, data: "나" }));
    input.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", bubbles: true, cancelable: true }));
  });
  await page.locator("#pane-terminal .entry-output").getByText("나", { exact: true }).waitFor();
}, { locale: "ko-KR" }));

test("Tab, arrows and Ctrl keys leave a composition alone; shortcuts work under a Hangul layout", begun(async ({ page }) => {
  await enter(page, "kubectl get nodes");
  await line(page).focus();
  const ime = await method(page);
  await ime.compose("ㅎ", "하");
  for (const key of ["Tab", "ArrowUp", "ArrowDown", "Escape"]) await ime.key(key);
  assert.equal(await line(page).inputValue(), "하");
  await ime.end("하");
  assert.equal(await line(page).inputValue(), "하");
  const press = (init) => line(page).evaluate((input, init) => {
    input.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init }));
  }, init);
  await press({ key: "ㅕ", code: "KeyU", ctrlKey: true });
  assert.equal(await line(page).inputValue(), "");
  await press({ key: "ㅣ", code: "KeyL", ctrlKey: true });
  await page.locator("#pane-terminal .entry").waitFor({ state: "detached" });
  await editor(page).click();
  await editor(page).evaluate((element) => {
    element.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, key: "₩", code: "Backquote", ctrlKey: true }));
  });
  assert.ok(await line(page).evaluate((element) => element === document.activeElement));
}, { locale: "ko-KR" }));

test("what is put together in the terminal stays while time runs", begun(async ({ page }) => {
  await play(page, "10×");
  await line(page).focus();
  const ime = await method(page);
  for (const steps of [["ㅇ", "아", "안"], ["ㄴ", "녀", "녕"]]) {
    for (const step of steps) {
      await ime.compose(step);
      await page.waitForTimeout(120);
    }
    await ime.end(steps.at(-1));
  }
  assert.equal(await line(page).inputValue(), "안녕");
}, { locale: "ko-KR" }));

test("the selector lab follows a composition and keeps its text", begun(async ({ page }) => {
  await page.getByRole("tab", { name: "Selector" }).click();
  const field = page.locator("#selector-lab-input");
  await field.fill("app=");
  await field.focus();
  const ime = await method(page);
  await ime.compose("ㅇ", "우", "웹");
  assert.equal(await field.inputValue(), "app=웹");
  await page.locator("#selector-lab-error").getByText("a valid label must be").waitFor();
  await ime.key("Enter");
  await ime.end("웹");
  assert.equal(await field.inputValue(), "app=웹");
  await field.fill("");
  await ime.compose("ㅎ", "하");
  await ime.compose("");
  assert.equal(await field.inputValue(), "");
}));

test("the editor keeps what is put together, also while it is checked", begun(async ({ page }) => {
  await play(page, "1×");
  await editor(page).click();
  await page.keyboard.insertText("apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  annotations:\n    note: ");
  const ime = await method(page);
  for (const steps of [["ㅎ", "하", "한"], ["ㄱ", "그", "글"]]) {
    for (const step of steps) {
      await ime.compose(step);
      // Longer than keys have to rest before the text is checked: problems are drawn in the middle of a syllable.
      await page.waitForTimeout(400);
    }
    await ime.end(steps.at(-1));
  }
  await ime.compose("ㅇ", "이");
  await ime.key("Enter");
  await ime.end("이");
  await page.keyboard.press("Enter");
  await page.keyboard.insertText("x: y");
  const text = (await page.locator("#pane-editor .cm-line").allInnerTexts()).map((text) => text.trimEnd());
  assert.deepEqual(text.slice(5), ["    note: 한글이", "    x: y"]);
}));

test("a file's new name may be put together", begun(async ({ page }) => {
  await page.locator("#pane-editor").getByRole("tab", { name: "pod.yaml" }).press("F2");
  const field = page.locator("#pane-editor input.file-name");
  await field.fill("");
  const ime = await method(page);
  await ime.compose("ㅇ", "우", "웹");
  await ime.key("Enter");
  await ime.end("웹");
  await field.waitFor();
  await page.keyboard.insertText(".yaml");
  await page.keyboard.press("Enter");
  await page.locator("#pane-editor").getByRole("tab", { name: "웹.yaml" }).waitFor();
}));
