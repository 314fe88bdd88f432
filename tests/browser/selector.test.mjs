// The selector lab.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begun, apply } from "./begun.mjs";
import { accessible, screenshot } from "./lab.mjs";

const pod = (name, labels) =>
  `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  labels: {${labels}}\nspec:\n  containers:\n  - name: c\n    image: nginx:1.27\n`;
const PODS = [
  pod("a", "app: web, tier: front"),
  pod("b", "app: web, tier: cache"),
  pod("c", "app: api"),
].join("---\n");

const dock = (page) => page.locator("#pane-dock");

const open = (body, options) =>
  begun(async (given) => {
    await apply(given.page, PODS);
    await given.page.locator(".notices").getByText("3 objects applied").or(given.page.locator(".notices").getByText("객체 3개 적용됨")).waitFor();
    await given.page.locator("#dock-mode-selector").click();
    await body({ ...given, field: given.page.locator("#selector-lab-input") });
  }, options);

test("each requirement is explained and narrows the funnel", open(async ({ page, field }) => {
  await field.fill("app=web,tier!=cache");
  await dock(page).getByText("label app is exactly web").waitFor();
  await dock(page).getByText("label tier is not cache. Pods without the label match too").waitFor();
  assert.match((await dock(page).locator(".funnel").innerText()).replace(/\s+/g, " "), /^3 pods .*→ 2 app → 1 tier$/);
  await dock(page).locator(".miss").getByText("tier=cache").waitFor();
  await dock(page).getByText("kubectl get pods -l 'app=web,tier!=cache'").waitFor();
  await screenshot(page, "selector");
}));

test("an invalid selector shows kubectl's words and keeps the last result", open(async ({ page, field }) => {
  await field.fill("app=web");
  await field.fill("app=web,tier in (");
  await dock(page).getByText("unable to parse requirement").waitFor();
  await dock(page).getByText("label app is exactly web").waitFor();
  assert.equal(await dock(page).locator(".selector-result.stale").count(), 1);
}));

test("the manifest and the text say the same, both ways", open(async ({ page, field }) => {
  await field.fill("app in (web,api)");
  const manifest = dock(page).getByRole("textbox", { name: "As a manifest" });
  assert.match(await manifest.inputValue(), /operator: In\n {4}values: \[api, web\]/);
  await manifest.fill("selector:\n  matchLabels:\n    tier: front\n");
  assert.equal(await field.inputValue(), "tier=front");
}));

test("a field selector narrows as well", open(async ({ page }) => {
  await dock(page).getByRole("textbox", { name: "Field selector" }).fill("status.phase=Running");
  await dock(page).getByText("kubectl get pods --field-selector status.phase=Running").waitFor();
  await dock(page).getByRole("textbox", { name: "Field selector" }).fill("status.phas=Running");
  await dock(page).getByText('field label not supported: "status.phas"', { exact: false }).or(dock(page).locator(".selector-error")).first().waitFor();
}));

test("a requirement is taken away by its button", open(async ({ page, field }) => {
  await field.fill("app=web,tier=front");
  await dock(page).getByRole("button", { name: "Remove tier=front" }).click();
  assert.equal(await field.inputValue(), "app=web");
}));

test("the selector lab speaks Korean and is accessible", open(async ({ page, field }) => {
  await field.fill("app=web,!canary");
  await dock(page).getByText("label app: 값이 정확히 web").waitFor();
  await screenshot(page, "selector-ko");
  await accessible(page, { within: "#pane-dock" });
}, { locale: "ko-KR", colorScheme: "dark" }));
