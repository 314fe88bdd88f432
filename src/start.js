// Starts the page: loads the wasm file that index.html has already asked for, then the editor and the wasm file's second
// part, and keeps the page for offline use.
import init, { bench, history, start } from "@podlab/wasm";
import { bringEditor } from "./editor/lazy.js";
import { loadSecond, wholeSoon } from "./second.js";
import { warmUp } from "./warm_up.js";

const wasm = document.getElementById("podlab-wasm");
const page = document.documentElement;
// Only what `cargo xtask dist` makes is kept and warmed up: during development every build should be seen at once.
const made = page.dataset.profile === "dist";

/** Compiles a wasm file while it comes; or afterwards, where the host does not say what it is. */
async function compile(file) {
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
  if (answer.headers.get("content-type") === "application/wasm") return WebAssembly.compileStreaming(answer);
  return WebAssembly.compile(await answer.arrayBuffer());
}

try {
  const first = await compile(wasm.href);
  const exports = await init({ module_or_path: first });
  // A page that is kept has both parts at hand. So it begins with both: what the first can't do would ask the network.
  if (navigator.serviceWorker?.controller) await loadSecond(exports).catch(wholeSoon);
  start();
  globalThis.podlabBench = bench;
  globalThis.podlabHistory = history;
  performance.mark("podlab-ready");
  page.dataset.ready = "true";
  bringEditor();
  loadSecond(exports)
    .then((second) => made && warmUp(first, second))
    .catch(wholeSoon);
} catch (error) {
  page.dataset.ready = "failed";
  const line = document.getElementById("podlab-start-state");
  if (line) line.textContent = `podlab could not start: ${error}`;
  throw error;
}

if ("serviceWorker" in navigator && made) {
  navigator.serviceWorker.register("./sw.js").catch((error) => {
    // Some browsers refuse in private windows; the page works without it, only not offline.
    console.info(`not kept for offline use: ${error}`);
  });
}
