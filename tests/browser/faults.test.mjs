// What teachers break: nothing says what it was until one asks, and undo takes it back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begun, enter, play } from "./begun.mjs";
import { accessible, screenshot } from "./lab.mjs";

const open = async (page, menu = "Lab menu", item = "Break something") => {
  await page.getByRole("button", { name: menu }).click();
  await page.getByRole("menuitem", { name: item }).click();
};

test("something is broken, looked for, shown and taken back", begun(async ({ page }) => {
  await enter(page, "kubectl create deployment web --image=nginx:1.27 --replicas=3");
  await play(page, "10×");
  await page.getByRole("button", { name: /^web-.*, Running/ }).nth(2).waitFor({ timeout: 30_000 });
  await open(page);
  await accessible(page);
  await screenshot(page, "faults-dialog");
  await page.getByRole("dialog", { name: "Break something" }).getByRole("button", { name: /^A bad image/ }).click();
  const banner = page.locator(".banner.broken");
  await banner.getByText("Something was broken. Find out what.").waitFor();
  assert.equal(await banner.getByText("999.0").filter({ visible: true }).count(), 0, "the banner gives it away");
  assert.equal(await page.locator("#pane-terminal .entry").count(), 1, "the terminal gives it away");
  await page.getByRole("button", { name: /ErrImagePull|ImagePullBackOff/ }).first().waitFor({ timeout: 30_000 });
  await banner.getByText("Show what was broken").click();
  await banner.getByText("deployment/web names an image that no registry has: nginx:999.0").waitFor();
  await banner.getByText("kubectl get deployment/web -o wide").waitFor();
  await accessible(page);
  await screenshot(page, "faults-banner");
  await page.getByRole("button", { name: "Undo: what was broken" }).click();
  await banner.waitFor({ state: "detached" });
}));

test("where nothing fits the page says so, in Korean too", begun(async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: /^A wrong Service selector/ }).click();
  await page.getByText("Nothing fits: there is no Service that selects a pod.").waitFor();
  await page.getByRole("radio", { name: "한국어" }).click();
  await open(page, "실습 메뉴", "고장 내기");
  await page.getByRole("dialog", { name: "고장 내기" }).getByRole("button", { name: /^아무거나/ }).click();
  await page.getByText("ready Pod가 있는 Deployment").waitFor();
}));
