// The real Chromium of the browser tests and of what measures the page.

import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const executablePath =
  process.env.CHROME ??
  ["/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
// Chromium's own sandbox does not work for root, as which test machines often run.
if (process.getuid?.() === 0) FLAGS.push("--no-sandbox");

let browser;

/** The browser of this program, started when it is first wanted. */
export async function launch() {
  browser ??= await chromium.launch({ executablePath, args: FLAGS });
  return browser;
}

/** Ends it. */
export async function close() {
  await browser?.close();
}
