// What the browser tests share: a real Chromium, a page that is ready, and two rules that hold in every test: nothing is
// written to the console as an error, and nothing is asked of another host.
//
//   import { test } from "node:test";
//   import { lab } from "./lab.mjs";
//   test("a sentence of behaviour", lab(async ({ page }) => { … }));
//
// `cargo xtask test --only browser [--filter TEXT]` builds the page, serves it and runs all `*.test.mjs`. By hand, beside
// a running `cargo xtask serve`: PODLAB_URL=http://127.0.0.1:8417/ node --test tests/browser/start.test.mjs

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { after } from "node:test";
import { close, launch } from "./browser.mjs";

/** Where the page is served; ends with a slash. */
export const url = process.env.PODLAB_URL;
if (!url) throw new Error("PODLAB_URL is not set: run the browser tests with `cargo xtask test --only browser`");

after(close);

/**
 * Wraps a test body: opens the page in a fresh browser profile, waits until podlab has started, runs the body with
 * `{ page, context, problems }`, then fails on any problem the page had.
 *
 * Options: `path` (what follows the address, as "#…"), `width`, `height`, `locale`, `colorScheme`, `reducedMotion`,
 * `open` (false: don't open the page, the body does), `wait` (false: don't wait for podlab), `begun` (false: a first visit; else the page shows
 * the empty lab at once), `allow` (patterns of console errors that this test means to cause).
 */
export function lab(body, options = {}) {
  return async (t) => {
    const { path = "", width = 1440, height = 900, locale = "en-US", open = true, wait = open, begun = true, allow = [], ...rest } = options;
    const context = await (await launch()).newContext({ viewport: { width, height }, locale, ...rest });
    try {
      if (begun) await context.addInitScript(() => sessionStorage.setItem("podlab.begun", "1"));
      const page = await context.newPage();
      const problems = watch(page);
      if (open) await page.goto(new URL(path, url).href);
      if (wait) await ready(page);
      await body({ t, page, context, problems });
      const meant = (problem) => allow.some((pattern) => pattern.test(problem));
      assert.deepEqual(problems.filter((problem) => !meant(problem)), [], "problems the page had");
    } finally {
      // What the page still asks for in the background must not fail a test that is over.
      for (const page of context.pages()) await page.unrouteAll({ behavior: "ignoreErrors" });
      await context.unrouteAll({ behavior: "ignoreErrors" });
      await context.close();
    }
  };
}

/** Collects what must not happen: console errors, uncaught errors, failed requests, requests to other hosts. */
export function watch(page) {
  const problems = [];
  const host = new URL(url).host;
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`uncaught: ${error.stack ?? error}`));
  page.on("request", (request) => {
    const asked = new URL(request.url());
    if (/^(https?|wss?):$/.test(asked.protocol) && asked.host !== host) {
      problems.push(`request to another host: ${asked.href}`);
    }
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`);
  });
  return problems;
}

/** Waits until podlab has started (`<html data-ready="true">`). */
export async function ready(page) {
  await page.waitForFunction(() => document.documentElement.dataset.ready, null, { timeout: 30_000 });
  assert.equal(await page.evaluate(() => document.documentElement.dataset.ready), "true", "podlab did not start");
}

/** Saves a picture of the page; returns the file. The folder is PODLAB_SCREENSHOTS. */
export async function screenshot(page, name) {
  const folder = process.env.PODLAB_SCREENSHOTS ?? "target/page/screenshots";
  mkdirSync(folder, { recursive: true });
  const path = `${folder}/${name}.png`;
  await page.screenshot({ path, animations: "disabled" });
  return path;
}

let axe;

/** Fails on what axe finds wrong for people with a screen reader, a keyboard or weak sight (WCAG 2.2 A and AA). */
export async function accessible(page, { within, allow = [] } = {}) {
  axe ??= await readFile(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
  await page.evaluate(axe);
  const found = await page.evaluate(async (within) => {
    // What fades in has its colours only at the end.
    const passing = document.getAnimations().filter((one) => one.playState === "running" && Number.isFinite(one.effect?.getComputedTiming().endTime));
    await Promise.race([Promise.allSettled(passing.map((one) => one.finished)), new Promise((done) => setTimeout(done, 2000))]);
    const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    const { violations } = await window.axe.run(within ?? document, { runOnly });
    return violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((node) => node.target.join(" ")) }));
  }, within);
  assert.deepEqual(found.filter(({ id }) => !allow.includes(id)), [], "accessibility");
}
