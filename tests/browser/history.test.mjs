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

/** The history as the native test of the same name makes it; that test is part of what cargo has built already. */
async function native() {
  const folder = await mkdtemp(join(tmpdir(), "podlab-history-"));
  try {
    const out = join(folder, "history.txt");
    const flags = ["test", "--quiet", "--workspace", "--features", "xtask/crates", "--test", "history"];
    await promisify(execFile)("cargo", flags, { cwd: root, env: { ...process.env, PODLAB_HISTORY_OUT: out } });
    return await readFile(out, "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("wasm and native give one history, line for line", lab(async ({ page }) => {
  const script = await readFile(new URL("tests/history.yaml", root), "utf8");
  const [here, there] = [await page.evaluate((text) => globalThis.podlabHistory(text), script), await native()];
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
