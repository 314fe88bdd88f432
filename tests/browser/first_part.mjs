// Opens the page, begins, comes back, and says which functions of the wasm file ran: what `cargo xtask first-part` keeps in
// the file that the page begins with. The page is one whose functions leave marks (see xtask/src/dist/split/marks.rs).
//
// Writes the marks, one byte a function, to the file PODLAB_MARKS.

import { writeFile } from "node:fs/promises";
import { close, launch } from "./browser.mjs";
import { ready, url } from "./lab.mjs";

/** Keeps the wasm file's exports where the marks can be read from. */
function keepExports() {
  const real = WebAssembly.instantiate;
  WebAssembly.instantiate = async (...given) => {
    const instance = await real(...given);
    if (instance.exports?.podlab_marks) globalThis.podlabMarks = instance.exports.podlab_marks;
    return instance;
  };
}

const marks = [];
async function keep(page, stage) {
  const set = Buffer.from(await page.evaluate(() => btoa(new Uint8Array(globalThis.podlabMarks.buffer).reduce((text, byte) => text + String.fromCharCode(byte), ""))), "base64");
  set.forEach((mark, at) => (marks[at] |= mark));
  const count = marks.reduce((sum, mark) => sum + mark, 0);
  console.log(`${stage}: ${count} functions`);
}

async function open(browser, options) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  await page.addInitScript(keepExports);
  await page.goto(url);
  await ready(page);
  return page;
}

const browser = await launch();
// First visits, in both languages, light and dark.
for (const options of [{ locale: "en-US" }, { locale: "ko-KR", colorScheme: "dark" }]) {
  const page = await open(browser, options);
  await page.waitForTimeout(1000);
  await keep(page, `opened in ${options.locale}`);
  await page.close();
}

// A lab that is begun, runs for a while, is kept and comes back.
const page = await open(browser, { locale: "en-US" });
const first = page.locator("[data-first-run] button, .first button").first();
if (await first.count()) await first.click();
await page.waitForTimeout(3000);
await page.reload();
await ready(page);
await page.waitForTimeout(1000);
await keep(page, "begun");
await page.close();
await writeFile(process.env.PODLAB_MARKS, Buffer.from(marks));
await close();
