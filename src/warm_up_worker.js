// Runs a cluster that nobody sees, see warm_up.js. Nothing of the browser is needed for that.

/** How long, in milliseconds. */
const TIME = 6000;
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

/** A round a task, so that whoever has something to say to this worker (a page that goes, say) is heard in between. */
function rounds(exports, until) {
  exports.warm_up(NODES, PODS);
  if (performance.now() < until) setTimeout(rounds, 0, exports, until);
  else globalThis.postMessage("done");
}

globalThis.onmessage = ({ data: { first, second } }) => {
  const { exports } = new WebAssembly.Instance(first, nothing(first));
  if (second) {
    new WebAssembly.Instance(second, { 0: exports });
    exports.podlab_second_loaded.value = 1;
  }
  rounds(exports, performance.now() + TIME);
};
