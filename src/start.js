// Starts the page: loads the wasm file that index.html has already asked for, then its second part, and keeps the page
// for offline use.
import init, { bench, history } from "@podlab/wasm";
import { loadBehind } from "./second.js";

const wasm = document.getElementById("podlab-wasm");
const page = document.documentElement;

try {
  const exports = await init({ module_or_path: wasm.href });
  globalThis.podlabBench = bench;
  globalThis.podlabHistory = history;
  performance.mark("podlab-ready");
  page.dataset.ready = "true";
  loadBehind(exports);
} catch (error) {
  page.dataset.ready = "failed";
  const line = document.getElementById("podlab-start-state");
  if (line) line.textContent = `podlab could not start: ${error}`;
  throw error;
}

// Only what `cargo xtask dist` makes is kept: during development every build should be seen at once.
if ("serviceWorker" in navigator && page.dataset.profile === "dist") {
  navigator.serviceWorker.register("./sw.js").catch((error) => {
    // Some browsers refuse in private windows; the page works without it, only not offline.
    console.info(`not kept for offline use: ${error}`);
  });
}
