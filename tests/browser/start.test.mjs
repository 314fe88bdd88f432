// How the page starts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { lab, ready, screenshot, url } from "./lab.mjs";

test("the page starts and names itself", lab(async ({ page }) => {
  await page.getByRole("banner").getByText("podlab").waitFor();
  await screenshot(page, "start");
}));

test("there is something to read before the wasm file arrives", lab(async ({ page, context }) => {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await context.route("**/*.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(url);
  await page.getByText("A Kubernetes that fits in one browser tab").waitFor();
  await page.getByText("Kubernetes입니다").waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.ready), undefined);
  release();
  await ready(page);
}, { open: false }));
