// The page as a host serves it: optimised, its wasm file in two parts, kept for offline use.
import assert from "node:assert/strict";
import { test } from "node:test";
import { brotliCompressSync, constants } from "node:zlib";
import { POD, answer, apply, begun, enter, play } from "../begun.mjs";
import { lab } from "../lab.mjs";

/** What may load before the page is usable, in bytes after brotli. */
const BUDGET = 900_000;

const whole = (page) => page.waitForFunction(() => document.documentElement.dataset.whole === "true");

test("what loads before the page is usable stays within its budget", lab(async ({ page }) => {
  const before = await page.evaluate(() => {
    const ready = performance.getEntriesByName("podlab-ready")[0].startTime;
    return [location.href, ...performance.getEntriesByType("resource").filter((entry) => entry.startTime < ready).map((entry) => entry.name)];
  });
  let sum = 0;
  for (const file of new Set(before)) {
    const bytes = Buffer.from(await (await fetch(file)).arrayBuffer());
    sum += brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  }
  assert.ok(before.some((file) => file.endsWith(".wasm")), before.join(" "));
  assert.ok(sum <= BUDGET, `${sum} bytes: ${before.join(" ")}`);
}));

test("the second part comes behind the first picture", begun(async ({ page }) => {
  await whole(page);
  assert.match(await answer(page, "kubectl get nodes -o wide"), /node01 +Ready/);
}));

test("a plain field stands in for the editor until that has come, and loses nothing", begun(async ({ page }) => {
  let letThrough;
  const held = new Promise((resolve) => (letThrough = resolve));
  let asked = 0;
  // The first try fails as on a bad network; the second takes its time.
  await page.route(/editor-/, async (route) => {
    if (++asked === 1) return route.abort();
    await held;
    return route.continue();
  });
  await page.reload();
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  const plain = page.locator("#pane-editor textarea.plain-editor");
  await plain.click();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("kind: Pod\n# more");
  await page.keyboard.press("ArrowLeft");
  letThrough();
  const editor = page.locator("#pane-editor .cm-content");
  await editor.waitFor();
  assert.equal(await plain.count(), 0);
  await page.keyboard.type("!");
  assert.deepEqual(await editor.locator(".cm-line").allInnerTexts(), ["kind: Pod", "# mor!e"]);
}, { allow: [/./], serviceWorkers: "block" }));

/** Lets the page's own try to fetch the second part fail, so that the first call of something in it has to wait. */
async function withoutSecond(page, then) {
  let asked = 0;
  await page.route(/podlab-second/, (route) => (++asked === 1 ? route.abort() : then(route)));
  await page.reload();
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true");
  return () => asked;
}

test("what is called before the second part is there waits for it", begun(async ({ page }) => {
  const asked = await withoutSecond(page, (route) => route.continue());
  await apply(page, POD);
  await play(page, "1×");
  await page.getByRole("button", { name: /^web, Running, ready 1\/1/ }).waitFor();
  assert.match(await answer(page, "kubectl get pods"), /web +1\/1 +Running/);
  assert.equal(asked(), 2);
}, { allow: [/Failed to load resource/], serviceWorkers: "block" }));

test("a page whose second part can't be fetched says so", begun(async ({ page }) => {
  await withoutSecond(page, (route) => route.abort());
  // The page stops where the call is, so the line may never be taken.
  enter(page, "kubectl get pods").catch(() => {});
  await page.getByRole("alert").getByText("The rest of podlab could not be loaded").waitFor();
}, { allow: [/./], serviceWorkers: "block" }));

test("a visited page works without a network, its second part too", lab(async ({ page, context }) => {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  await page.waitForFunction(async () => (await caches.keys()).length > 0);
  await page.reload();
  await whole(page);
  await context.setOffline(true);
  await page.reload();
  await whole(page);
}));

test("a worker lets the browser compile the cluster, and ends", begun(async ({ page }) => {
  await page.waitForFunction(() => document.documentElement.dataset.warm === "true");
  // Chromium tells of the worker's end a moment after the page has ended it.
  for (let tries = 0; page.workers().length > 0 && tries < 200; tries++) await page.waitForTimeout(50);
  assert.equal(page.workers().length, 0);
  assert.match(await answer(page, "kubectl get nodes"), /node01 +Ready/);
}));
