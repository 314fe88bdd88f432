// Brings the second part of the wasm file (see xtask/src/dist/split): behind the first picture, or at once when something
// in it is called before it is there. `<html data-second>` names the file; it names none where the wasm file is whole.

const page = document.documentElement;
const file = page.dataset.second;
let joined;

/** Joins the second part to the first: it takes what it needs from the first one's exports, and fills its table. */
function join(exports, part) {
  if (joined) return joined;
  new WebAssembly.Instance(part, { 0: exports });
  exports.podlab_second_loaded.value = 1;
  page.dataset.whole = "true";
  return (joined = part);
}

/** Fetches the second part while everything else goes on; gives its module, or nothing where the wasm file is whole. */
export async function loadSecond(exports) {
  if (!file || joined) return joined;
  const answer = await fetch(file, { priority: "low" });
  if (!answer.ok) throw new Error(`${file}: ${answer.status}`);
  return join(exports, await WebAssembly.compile(await answer.arrayBuffer()));
}

/** The second part could not be fetched: the first call of it tries again. */
export function wholeSoon(error) {
  console.info(`the page's second part is not here yet: ${error}`);
}

/** Called by the wasm file (src/second.rs): what is called next is in the second part, so the call waits for it. */
globalThis.podlabSecondPart = (exports) => {
  const asked = new XMLHttpRequest();
  for (let tries = 1; asked.status !== 200; tries++) {
    try {
      asked.open("GET", file, false);
      // Only texts can be waited for; this one carries each byte as it is.
      asked.overrideMimeType("text/plain; charset=x-user-defined");
      asked.send();
    } catch (error) {
      if (tries === 3) throw failed(error);
    }
    if (asked.status !== 200 && tries === 3) throw failed(asked.status);
  }
  join(exports, new WebAssembly.Module(Uint8Array.from(asked.responseText, (letter) => letter.charCodeAt(0))));
};

/** Says on the page that it can't go on; what the learner has written is kept by the browser. */
function failed(reason) {
  const line = document.createElement("p");
  line.className = "start-failed";
  line.setAttribute("role", "alert");
  line.textContent = page.lang === "ko"
    ? "podlab의 나머지를 불러오지 못했습니다. 네트워크를 확인하고 페이지를 새로 고치세요. 작업한 내용은 보관되어 있습니다."
    : "The rest of podlab could not be loaded. Check the network and reload the page; your work is kept.";
  document.body.prepend(line);
  return new Error(`${file}: ${reason}`);
}
