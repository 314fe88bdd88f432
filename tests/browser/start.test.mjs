// How the page starts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible, lab, ready, screenshot, url } from "./lab.mjs";

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

test("the start page is accessible", lab(async ({ page }) => {
  await accessible(page);
}));

test("the page works below any path", lab(async ({ page, context }) => {
  await context.route("**/some/where/**", async (route) => {
    const path = new URL(route.request().url()).pathname.replace("/some/where/", "");
    await route.fulfill({ response: await route.fetch({ url: new URL(path, url).href }) });
  });
  await page.goto(new URL("some/where/", url).href);
  await ready(page);
}, { open: false }));

test("once visited, the page starts without a network", lab(async ({ page, context }) => {
  await page.evaluate(async () => {
    await navigator.serviceWorker.register("./sw.js");
    await navigator.serviceWorker.ready;
  });
  await context.setOffline(true);
  await page.reload();
  await ready(page);
  assert.ok(await page.evaluate(() => navigator.serviceWorker.controller !== null));
}));

test("the content security policy stops scripts from elsewhere and from strings", lab(async ({ page }) => {
  const outcome = await page.evaluate(async () => {
    const refused = [];
    document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
    const inline = document.createElement("script");
    inline.textContent = "window.injected = true";
    document.body.append(inline);
    await fetch("https://example.invalid/").catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    return { refused, injected: window.injected ?? false };
  });
  assert.equal(outcome.injected, false);
  assert.ok(outcome.refused.includes("script-src-elem"));
  assert.ok(outcome.refused.includes("connect-src"));
}, { allow: [/Content Security Policy|violates/, /example\.invalid/] }));
