// Parsing in small pieces. CodeMirror parses a long text up to 100 ms at a time while nobody types; here the cluster and the
// picture of it share the thread, so each piece is short and the next one follows in the next frame.

import { ensureSyntaxTree, ParseContext, syntaxTreeAvailable } from "@codemirror/language";
import { ViewPlugin } from "@codemirror/view";

/** How long one piece may take, in milliseconds. */
const PIECE_MS = 3;
/** How far behind what can be seen is parsed, in characters; folding and indenting look there. */
const AHEAD = 100_000;

const { work } = ParseContext.prototype;
ParseContext.prototype.work = function (until, upto) {
  const end = performance.now() + (typeof until === "number" ? Math.min(until, PIECE_MS) : PIECE_MS);
  return work.call(this, () => performance.now() >= end || (typeof until === "function" && until()), upto);
};

/** Goes on with parsing in each frame until what is seen, and some more, is done. */
export const parsing = ViewPlugin.fromClass(
  class {
    constructor(view) {
      this.view = view;
      this.frame = 0;
      this.go = this.go.bind(this);
      this.plan();
    }

    update(update) {
      if (update.docChanged || update.viewportChanged) this.plan();
    }

    plan() {
      if (this.frame === 0 && !syntaxTreeAvailable(this.view.state, this.end())) this.frame = requestAnimationFrame(this.go);
    }

    end() {
      return Math.min(this.view.viewport.to + AHEAD, this.view.state.doc.length);
    }

    go() {
      this.frame = 0;
      if (ensureSyntaxTree(this.view.state, this.end(), PIECE_MS)) this.view.dispatch({});
      else this.plan();
    }

    destroy() {
      cancelAnimationFrame(this.frame);
    }
  },
);
