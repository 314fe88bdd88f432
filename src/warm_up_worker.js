// Runs a cluster that nobody sees, see warm_up.js. Nothing of the browser is needed for that.

/** How long, in milliseconds. */
const TIME = 2500;
/** What one round has. */
const NODES = 20;
const PODS = 100;

const nothing = (module) => {
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] = () => {
      throw new Error(`${name} is not needed here`);
    };
  }
  return imports;
};

globalThis.onmessage = ({ data: { first, second } }) => {
  try {
    const { exports } = new WebAssembly.Instance(first, nothing(first));
    if (second) {
      new WebAssembly.Instance(second, { 0: exports });
      exports.podlab_second_loaded.value = 1;
    }
    const begun = performance.now();
    while (performance.now() - begun < TIME) exports.warm_up(NODES, PODS);
  } finally {
    globalThis.postMessage("done");
  }
};
