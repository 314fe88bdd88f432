// Takes figures in a real Chromium for `cargo xtask bench`: one JSON object a line, `{"name": {…}}`.
//
// The page exports `podlabBench` (see src/bench.rs); every measurement gets a fresh page.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { close, launch } from "./browser.mjs";

const url = process.env.PODLAB_URL;
const names = process.argv.slice(2);
const percentile = (sorted, p) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0;
const round = (figure) => Math.round(figure * 100) / 100;

/** Measures the script of every animation frame, and of what it leaves for right after. */
function meter() {
  globalThis.podlabFrames = [];
  const real = globalThis.requestAnimationFrame.bind(globalThis);
  globalThis.requestAnimationFrame = (callback) =>
    real((time) => {
      const begun = performance.now();
      callback(time);
      // Yew draws in a microtask that the callback has queued; this one comes after it.
      queueMicrotask(() => queueMicrotask(() => globalThis.podlabFrames.push(performance.now() - begun)));
    });
}

async function open(browser) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript(meter);
  const begun = Date.now();
  await page.goto(url);
  await page.waitForFunction(() => document.documentElement.dataset.ready === "true", undefined, { timeout: 60_000 });
  const interactive = Date.now() - begun;
  await page.waitForFunction(() => document.documentElement.dataset.warm === "true", undefined, { timeout: 60_000 });
  return { context, page, interactive };
}

function figures(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    p50_ms: round(percentile(sorted, 0.5)),
    p95_ms: round(percentile(sorted, 0.95)),
    max_ms: round(sorted.at(-1) ?? 0),
    samples: sorted.length,
  };
}

/** Begins a lab, as a learner's first click does, so that the panes are there. */
async function begin(page) {
  const first = page.locator("[data-first-run] button, .first button").first();
  if (await first.count()) await first.click();
}

/** Script time of a frame with 1,000 pods and 30 changes a second. */
async function stageFrame(page) {
  await begin(page);
  await page.evaluate(() => globalThis.podlabBench("stage_setup"));
  await page.waitForTimeout(2000);
  const samples = await page.evaluate(async () => {
    globalThis.podlabFrames.length = 0;
    const changes = setInterval(() => globalThis.podlabBench("stage_change"), 1000 / 30);
    await new Promise((done) => setTimeout(done, 6000));
    clearInterval(changes);
    return globalThis.podlabFrames;
  });
  return figures(samples);
}

/** From a key in the selector's field to the end of the script that shows what matches, with 10,000 pods. */
async function selector(page) {
  await begin(page);
  await page.evaluate(() => globalThis.podlabBench("selector_setup"));
  await page.waitForTimeout(3000);
  const samples = await page.evaluate(async () => {
    const field = document.querySelector('input[type="search"], .stage input[type="text"], .stage input:not([type])');
    const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
    const samples = [];
    const text = "app in (web, db),tier=front";
    for (let round = 0; round < 2; round++) {
      for (let end = 1; end <= text.length; end++) {
        const begun = performance.now();
        set.call(field, text.slice(0, end));
        field.dispatchEvent(new Event("input", { bubbles: true }));
        // The microtasks in which the page draws run before this goes on.
        await new Promise((done) => queueMicrotask(() => queueMicrotask(done)));
        samples.push(performance.now() - begun);
        await new Promise((done) => requestAnimationFrame(done));
      }
    }
    return samples;
  });
  return figures(samples);
}

/** What was asked for before the page was usable, compressed as a host would. */
async function load(page, interactive) {
  const needed = await page.evaluate(() => {
    const ready = performance.getEntriesByName("podlab-ready")[0].startTime;
    const before = performance.getEntriesByType("resource").filter((entry) => entry.startTime < ready);
    return ["index.html", ...before.map((entry) => new URL(entry.name).pathname.split("/").at(-1))];
  });
  const folder = process.env.PODLAB_PAGE;
  let bytes = 0;
  const files = {};
  for (const name of new Set(needed)) {
    const content = await readFile(join(folder, name));
    const size = brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
    files[name] = size;
    bytes += size;
  }
  return { brotli_kb: round(bytes / 1000), interactive_ms: interactive, files };
}

/** One measurement in a page of its own. */
async function measure(browser, name) {
  const { context, page, interactive } = await open(browser);
  let measured;
  if (name === "load") measured = await load(page, interactive);
  else if (name === "stage_frame") measured = await stageFrame(page);
  else if (name === "selector_10000") measured = await selector(page);
  else measured = JSON.parse(await page.evaluate((n) => globalThis.podlabBench(n), name));
  await context.close();
  return measured;
}

const browser = await launch();
for (const name of names) {
  // A workload's time is real time, in which other programs and the host take their part: of three runs the middle one
  // counts, and says how the others were.
  const runs = [];
  for (let run = 0; run < (/^(settle|hour|admit)_/.test(name) ? 3 : 1); run++) runs.push(await measure(browser, name));
  const middle = [...runs].sort((a, b) => a.cpu_ms - b.cpu_ms)[Math.floor(runs.length / 2)];
  const all = runs.length > 1 ? { runs_ms: runs.map((run) => round(run.cpu_ms)) } : {};
  console.log(JSON.stringify({ [name]: { ...middle, ...all } }));
}
await close();
