// Lets the browser compile the cluster before the learner's first pods need it.
//
// Browsers compile each function of a wasm file when it is first called, quickly, and again and well once it has been
// called often. What they compiled belongs to the file, not to who runs it: so a worker of this page runs a cluster that
// nobody sees (src/warm_up.rs) for a moment, and this page's own is quick from its first pod on.

const page = document.documentElement;
const file = page.dataset.warmUp;

/** Runs the worker once, with the modules of both parts. */
export function warmUp(first, second) {
  const done = () => {
    worker.terminate();
    page.dataset.warm = "true";
  };
  const worker = new Worker(file, { type: "module" });
  worker.onmessage = done;
  // A browser that can't do this compiles as it goes.
  worker.onerror = done;
  worker.onmessageerror = done;
  worker.postMessage({ first, second });
}
