// Same seed and inputs, same history: in the page's wasm and natively.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { lab } from "./lab.mjs";

const root = new URL("../../", import.meta.url);
const hash = (text) => createHash("sha256").update(text).digest("hex");

/** What the native test of this name writes where a variable says; it is part of what cargo has built already. */
async function native(name, variable) {
  const folder = await mkdtemp(join(tmpdir(), "podlab-history-"));
  try {
    const out = join(folder, "out");
    const flags = ["test", "--quiet", "--workspace", "--features", "xtask/crates", "--test", name];
    await promisify(execFile)("cargo", flags, { cwd: root, env: { ...process.env, [variable]: out } });
    return await readFile(out, "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("wasm and native give one history, line for line", lab(async ({ page }) => {
  const script = await readFile(new URL("tests/history.yaml", root), "utf8");
  const [here, there] = [await page.evaluate((text) => globalThis.podlabHistory(text), script), await native("history", "PODLAB_HISTORY_OUT")];
  const [mine, theirs] = [here.split("\n"), there.split("\n")];
  assert.ok(mine.length > 300, `only ${mine.length} lines: ${here.slice(0, 400)}`);
  for (const seen of ["CrashLoopBackOff", "OOMKilled", "Unhealthy", "end of numbers", "ADDED", "DELETED"]) {
    assert.ok(there.includes(seen), `the script brings about ${seen}`);
  }
  const first = theirs.findIndex((line, index) => line !== mine[index]);
  assert.equal(mine[first], theirs[first], `line ${first + 1} of ${theirs.length}`);
  assert.equal(mine.length, theirs.length);
  assert.equal(hash(here), hash(there));
}));

test("wasm and native give a thousand random histories, byte for byte", lab(async ({ page }) => {
  const histories = JSON.parse(await native("random_histories", "PODLAB_HISTORIES_OUT"));
  assert.ok(histories.length > 0);
  const differ = await page.evaluate(async (histories) => {
    const differ = [];
    for (const [index, { script, sha256 }] of histories.entries()) {
      const bytes = new TextEncoder().encode(globalThis.podlabHistory(script));
      const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      if (Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("") !== sha256) differ.push(index);
    }
    return differ;
  }, histories);
  assert.deepEqual(differ, [], `of ${histories.length}`);
}));
