// The editor: CodeMirror 6 behind the few calls that bridge.rs knows. All offsets are UTF-16 code units from the start
// of the text, as JavaScript counts; ranges are half-open. Texts go into the page as text nodes, never as HTML.

import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, foldGutter, foldKeymap, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  hoverTooltip,
  keymap,
  lineNumbers,
} from "@codemirror/view";

import { parsing } from "./parsing.js";
import { koreanPhrases } from "./phrases.js";
import { problemKeymap, problems, setProblems } from "./problems.js";
import { theme } from "./theme.js";

/** Marks a change that came from Rust: it is not reported back. */
const fromOutside = Annotation.define();

/**
 * Makes an editor inside `parent`.
 *
 * `settings`: JSON `{document, text, label, lang, readOnly}`. `callbacks`: `change(text)`, `submit()`,
 * `caret(from, to)`, `complete(text, position, explicit)` and `hover(text, position)`, the last two answering JSON or
 * undefined.
 */
export function create(parent, settings, callbacks) {
  return new Editor(parent, JSON.parse(settings), callbacks);
}

class Editor {
  constructor(parent, { document, text, label, lang, readOnly }, callbacks) {
    this.callbacks = callbacks;
    this.document = document;
    /** What each other document looked like when it was left: document → EditorState, with its undo history. */
    this.left = new Map();
    this.appearance = new Compartment();
    this.setUp = { label, lang, readOnly };
    this.view = new EditorView({ parent, state: this.fresh(text) });
  }

  /** A new state for a text, with empty history. */
  fresh(text) {
    const { callbacks } = this;
    return EditorState.create({
      doc: text,
      extensions: [
        keymap.of([
          { key: "Mod-Enter", run: () => (callbacks.submit(), true), preventDefault: true },
          ...problemKeymap,
          ...closeBracketsKeymap,
          ...searchKeymap,
          ...completionKeymap,
          ...foldKeymap,
          ...historyKeymap,
          ...defaultKeymap,
          indentWithTab,
        ]),
        lineNumbers(),
        foldGutter(),
        history(),
        highlightSpecialChars(),
        drawSelection(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        bracketMatching(),
        closeBrackets(),
        search({ top: true }),
        indentUnit.of("  "),
        EditorState.tabSize.of(2),
        yaml(),
        parsing,
        autocompletion({ override: [(context) => this.complete(context)], icons: false }),
        hoverTooltip((view, position) => this.hover(view, position), { hoverTime: 350 }),
        problems,
        theme,
        this.appearance.of(this.extensions()),
        EditorView.updateListener.of((update) => this.report(update)),
      ],
    });
  }

  /** What can change while the editor lives. */
  extensions() {
    const { label, lang, readOnly } = this.setUp;
    return [
      EditorState.readOnly.of(readOnly),
      EditorView.contentAttributes.of({ "aria-label": label, tabindex: "0", "aria-readonly": String(readOnly), spellcheck: "false" }),
      lang === "ko" ? EditorState.phrases.of(koreanPhrases) : [],
    ];
  }

  report(update) {
    const outside = update.transactions.some((transaction) => transaction.annotation(fromOutside));
    if (update.docChanged && !outside) this.callbacks.change(update.state.doc.toString());
    if (update.selectionSet || update.docChanged) {
      const { from, to } = update.state.selection.main;
      this.callbacks.caret(from, to);
    }
  }

  complete(context) {
    const { doc } = context.state;
    const answer = this.callbacks.complete(doc.toString(), context.pos, context.explicit);
    if (!answer) return null;
    const { from, options } = JSON.parse(answer);
    if (options.length === 0) return null;
    return { from: clamp(from, 0, context.pos), options: options.map(completion), validFor: /^[\w./-]*$/ };
  }

  hover(view, position) {
    const { doc } = view.state;
    const answer = this.callbacks.hover(doc.toString(), position);
    if (!answer) return null;
    const { from, to, title, text } = JSON.parse(answer);
    const pos = clamp(from, 0, doc.length);
    return { pos, end: clamp(to, pos, doc.length), above: true, create: () => ({ dom: card(title, text) }) };
  }

  /** The whole text. */
  text() {
    return this.view.state.doc.toString();
  }

  /**
   * Shows a document. Another document's undo history is kept until it is shown again; the same document's new text is
   * one undoable change.
   */
  show(document, text) {
    const { state } = this.view;
    if (document !== this.document) {
      this.left.set(this.document, state);
      this.document = document;
      const earlier = this.left.get(document);
      this.left.delete(document);
      this.view.setState(earlier && earlier.doc.toString() === text ? earlier : this.fresh(text));
      this.view.dispatch({ effects: this.appearance.reconfigure(this.extensions()) });
    } else if (state.doc.toString() !== text) {
      this.view.dispatch({
        changes: smallest(state.doc.toString(), text),
        annotations: fromOutside.of(true),
      });
    }
  }

  /** Forgets documents that no longer exist. `documents`: JSON array of those that do. */
  keepOnly(documents) {
    const kept = new Set(JSON.parse(documents));
    for (const name of this.left.keys()) if (!kept.has(name)) this.left.delete(name);
  }

  /** Changes label, language or the read-only switch. `settings`: JSON `{label, lang, readOnly}`. */
  setUpAgain(settings) {
    this.setUp = JSON.parse(settings);
    this.view.dispatch({ effects: this.appearance.reconfigure(this.extensions()) });
  }

  /** Shows problems under their lines. `list`: JSON `[{from, to, severity, message, fixes: [{label, edits}]}]`. */
  setProblems(list) {
    this.view.dispatch({ effects: setProblems.of(JSON.parse(list)) });
  }

  /** Replaces a range as if it had been typed. */
  replace(from, to, insert) {
    const { length } = this.view.state.doc;
    const start = clamp(from, 0, length);
    this.view.dispatch({
      changes: { from: start, to: clamp(to, start, length), insert },
      selection: { anchor: start + insert.replace(/\r\n?/g, "\n").length },
      scrollIntoView: true,
      userEvent: "input",
    });
  }

  /** Puts the selection on a range, in the middle of the visible part. */
  reveal(from, to) {
    const { length } = this.view.state.doc;
    const start = clamp(from, 0, length);
    const selection = { anchor: start, head: clamp(to, start, length) };
    this.view.dispatch({ selection, effects: EditorView.scrollIntoView(start, { y: "center" }) });
  }

  focus() {
    this.view.focus();
  }

  destroy() {
    this.view.destroy();
  }
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** One replaced range that turns `before` into `after`, so that caret and problems elsewhere stay where they are. */
function smallest(before, after) {
  let from = 0;
  const shorter = Math.min(before.length, after.length);
  while (from < shorter && before.charCodeAt(from) === after.charCodeAt(from)) from++;
  let end = 0;
  while (end < shorter - from && before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)) {
    end++;
  }
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

function completion({ label, insert, detail, info, kind, boost }) {
  return {
    label,
    apply: insert ?? label,
    detail,
    type: kind,
    boost: boost ?? 0,
    info: info ? () => element("div", "cm-completion-text", info) : undefined,
  };
}

/** A hover card: a title in code letters, then sentences. */
function card(title, text) {
  const dom = element("div", "cm-hover-card");
  if (title) dom.append(element("div", "cm-hover-title", title));
  for (const part of text.split("\n\n")) dom.append(element("p", "", part));
  return dom;
}

function element(name, className, text = "") {
  const dom = document.createElement(name);
  if (className) dom.className = className;
  dom.textContent = text;
  return dom;
}
