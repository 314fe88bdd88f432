// The editor pane: files, validation, Apply.
import assert from "node:assert/strict";
import { test } from "node:test";
import { POD, answer, apply, begun, editor, write } from "./begun.mjs";
import { accessible, screenshot } from "./lab.mjs";

const pane = (page) => page.locator("#pane-editor");

test("an unknown field is shown under its line in kubectl's words, and its fix is a button", begun(async ({ page }) => {
  await write(page, POD.replace("labels", "lables"));
  const note = page.getByRole("note");
  await note.getByText('strict decoding error: unknown field "metadata.lables"').waitFor();
  await pane(page).getByRole("button", { name: "1 problem" }).waitFor();
  await screenshot(page, "editor-problem");
  await note.getByRole("button", { name: "Change to labels" }).click();
  await pane(page).getByText("Valid").waitFor();
  assert.match(await editor(page).innerText(), /labels:/);
}));

test("a broken YAML is marked where it breaks", begun(async ({ page }) => {
  await write(page, "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a: b\n");
  await page.getByRole("note").getByText("error converting YAML to JSON: yaml: line 4: mapping values are not allowed in this context").waitFor();
}));

test("Ctrl-Enter applies, says so, and leaves the focus in the editor", begun(async ({ page }) => {
  await apply(page, POD);
  await page.locator(".notices").getByText("pod/web created").waitFor();
  await page.locator("#pane-terminal").getByText("kubectl apply -f pod.yaml").waitFor();
  assert.ok(await editor(page).evaluate((element) => element === document.activeElement));
}));

test("what is refused says why and where", begun(async ({ page }) => {
  await apply(page, POD.replace("name: nginx", "name: Nginx"));
  const notice = page.locator(".notices").getByRole("alert");
  await notice.getByText("Not applied: pod.yaml").waitFor();
  await notice.getByRole("button", { name: "Go to line 10" }).click();
  assert.ok(await editor(page).evaluate((element) => element === document.activeElement));
}));

test("Dry run keeps nothing", begun(async ({ page }) => {
  await write(page, POD);
  await pane(page).getByRole("button", { name: "Dry run" }).click();
  await page.locator(".notices").getByText("pod/web created (server dry run)").waitFor();
}));

test("files are added, renamed and closed, each with its own text", begun(async ({ page }) => {
  await write(page, POD);
  await pane(page).getByRole("button", { name: "New file" }).click();
  await pane(page).getByRole("tab", { name: "pod-2.yaml", selected: true }).waitFor();
  await write(page, "kind: Service");
  await pane(page).getByRole("tab", { name: "pod-2.yaml" }).press("F2");
  const field = pane(page).getByRole("textbox", { name: "Name of the file" });
  await field.fill("svc.yaml");
  await field.press("Enter");
  await pane(page).getByRole("tab", { name: "svc.yaml" }).waitFor();
  await pane(page).getByRole("tab", { name: "pod.yaml" }).click();
  await editor(page).getByText("nginx:1.27").waitFor();
  await pane(page).getByRole("tab", { name: "svc.yaml" }).click();
  await pane(page).getByRole("button", { name: "File: svc.yaml" }).click();
  await page.getByRole("menuitem", { name: /Close file/ }).click();
  assert.equal(await pane(page).getByRole("tab").count(), 1);
}));

test("the field at the caret is explained, in Korean in a Korean page", begun(async ({ page }) => {
  await write(page, POD);
  await page.keyboard.press("Control+Home");
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowDown");
  const strip = page.locator(".field-strip");
  await strip.getByText("metadata.labels").waitFor();
  await strip.getByText("<map[string]string>").waitFor();
  await strip.getByText("문자열 map입니다").waitFor();
  await screenshot(page, "editor-ko");
}, { locale: "ko-KR" }));

test("completion knows the fields at the caret", begun(async ({ page }) => {
  await write(page, "apiVersion: v1\nkind: Pod\nspec:\n  restart");
  await page.keyboard.press("Control+Space");
  await page.getByRole("option", { name: /restartPolicy/ }).waitFor();
}));

test("the editor pane is accessible", begun(async ({ page }) => {
  await write(page, POD.replace("labels", "lables"));
  await page.getByRole("note").waitFor();
  await accessible(page, { within: "#pane-editor" });
}));

test("a key that stands twice is pointed out", begun(async ({ page }) => {
  await write(page, `${POD}    image: httpd\n`);
  await page.getByRole("note").getByText("image stands here a second time: only the last one counts").waitFor();
  await pane(page).getByRole("button", { name: "1 note" }).waitFor();
}));

test("a file of thousands of manifests is checked in turns: nothing of it is lost, typing goes on", begun(async ({ page }) => {
  const text = Array.from({ length: 3000 }, (_, i) => POD.replace("name: web", `name: web-${i}`)).join("---\n");
  await page.evaluate(() => {
    globalThis.longest = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((e) => (globalThis.longest = Math.max(globalThis.longest, e.duration)))).observe({ type: "longtask" });
  });
  await write(page, text);
  await pane(page).getByText("Checking").waitFor();
  await page.evaluate(() => (globalThis.longest = 0));
  await page.waitForTimeout(1500);
  await page.keyboard.type("# over");
  await page.locator("#pane-editor .cm-line").last().getByText("# over").waitFor({ timeout: 2_000 });
  assert.ok(await page.evaluate(() => globalThis.longest) < 1000, `${await page.evaluate(() => globalThis.longest)} ms in one go`);
  await pane(page).getByText("Valid").waitFor({ timeout: 60_000 });
  await page.waitForFunction((length) => {
    const kept = JSON.parse(localStorage.getItem("podlab.lab") ?? "null");
    return kept?.files.files[0].text.length === length;
  }, text.length + "# over".length, { timeout: 10_000 });
}));

test("a file of a thousand objects is applied over many frames, and undone as one action", begun(async ({ page }) => {
  const one = (n) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c-${n}\ndata:\n  key: value\n`;
  await apply(page, Array.from({ length: 1000 }, (_, n) => one(n)).join("---\n"));
  await page.locator(".notices").getByText("Applying").waitFor();
  const notices = page.locator(".notices");
  await notices.getByText("1000 objects applied").waitFor({ timeout: 60_000 });
  assert.match(await answer(page, "kubectl get configmaps --no-headers | wc -l"), /1001/);
  await page.getByRole("button", { name: /^Undo: kubectl apply/ }).click();
  assert.match(await answer(page, "kubectl get configmaps --no-headers | wc -l"), /^1$/m);
}));
