// The time bar: play, step, speed, the past, what happens next.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, lab } from "./lab.mjs";

const clock = (page) => page.locator(".clock b").innerText();

test("time plays, pauses, steps, at the speed that is chosen", lab(async ({ page }) => {
  assert.equal(await clock(page), "10:00:00");
  await page.getByRole("radio", { name: "60×" }).click();
  await page.locator("#pane-cluster").focus();
  await page.keyboard.press(" ");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await page.waitForFunction(() => document.querySelector(".clock b").innerText > "10:00:30");
  await page.keyboard.press(" ");
  const stopped = await clock(page);
  await page.getByRole("button", { name: "Step to the next event" }).click();
  assert.ok((await clock(page)) >= stopped);
  await page.keyboard.press("2");
  assert.equal(await page.getByRole("radio", { name: "1×", exact: true }).getAttribute("aria-checked"), "true");
}));

test("the past is looked at, marked, returned from and branched from", lab(async ({ page }) => {
  await page.getByRole("radio", { name: "60×" }).click();
  await page.getByRole("button", { name: "Play", exact: true }).click();
  await page.waitForFunction(() => document.querySelector(".clock b").innerText > "10:01:00");
  await page.getByRole("button", { name: "Pause" }).click();
  const now = await clock(page);
  const scrubber = page.getByRole("slider", { name: "Time" });
  await scrubber.focus();
  await page.keyboard.press("Shift+ArrowLeft");
  await page.getByText("You are looking at the past").waitFor();
  assert.ok((await clock(page)) < now);
  assert.equal(await scrubber.getAttribute("aria-valuetext"), await clock(page));
  await accessible(page);
  await page.getByRole("button", { name: "Return to now" }).click();
  assert.equal(await clock(page), now);
  await scrubber.focus();
  await page.keyboard.press("Home");
  assert.equal(await clock(page), "10:00:00");
  await page.getByRole("button", { name: "Branch from here" }).click();
  await page.getByText("You are looking at the past").waitFor({ state: "detached" });
  assert.equal(await clock(page), "10:00:00");
  await page.getByRole("button", { name: "Redo: the lab before the branch" }).click();
  assert.equal(await clock(page), now);
}));

test("the agenda lists what happens next and jumps there", lab(async ({ page }) => {
  await page.getByRole("heading", { name: "Paste a pod. Watch it run." }).waitFor();
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData("text", `apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: web, image: nginx, readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 10}}]}`);
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
  });
  await page.getByRole("button", { name: /^web, Running, ready 1/ }).waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Pause" }).click();
  const before = await clock(page);
  await page.locator(".next").click();
  const agenda = page.getByRole("dialog", { name: "What happens next" });
  await agenda.waitFor();
  await accessible(page, { within: ".agenda" });
  const last = agenda.getByRole("listitem").filter({ has: page.getByRole("button") }).last();
  await last.getByRole("button").click();
  assert.ok((await clock(page)) > before);
  await agenda.locator("button").first().focus();
  await page.keyboard.press("Escape");
  await agenda.waitFor({ state: "detached" });
  assert.ok(await page.evaluate(() => document.activeElement.classList.contains("next")));
}, { begun: false }));
