// Problems: a wavy line below what is wrong, the message under its line, quick fixes as real buttons.

import { Prec, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, WidgetType } from "@codemirror/view";

/** Replaces all problems: `[{from, to, severity: "error"|"warning"|"info", message, fixes: [{label, edits}]}]`. */
export const setProblems = StateEffect.define();

/** The problems of a document, moved along when the text around them changes, and what is drawn for them. */
const field = StateField.define({
  create: () => ({ list: [], drawn: Decoration.none }),
  update({ list, drawn }, transaction) {
    const { doc } = transaction.state;
    for (const effect of transaction.effects) {
      if (effect.is(setProblems)) {
        list = effect.value.map((problem) => inside(problem, doc)).sort((a, b) => a.from - b.from);
        return { list, drawn: draw(list, doc) };
      }
    }
    if (!transaction.docChanged) return { list, drawn };
    const { changes } = transaction;
    list = list.map((problem) => {
      const from = changes.mapPos(problem.from, 1);
      // Its fixes were made for the text before this change.
      return { ...problem, from, to: Math.max(from, changes.mapPos(problem.to, -1)), fixes: [] };
    });
    return { list, drawn: draw(list, doc) };
  },
  provide: (self) => EditorView.decorations.from(self, ({ drawn }) => drawn),
});

function inside(problem, doc) {
  const from = Math.min(Math.max(problem.from, 0), doc.length);
  return { ...problem, from, to: Math.min(Math.max(problem.to, from), doc.length) };
}

function draw(list, doc) {
  const ranges = [];
  for (const problem of list) {
    const [from, to] = visible(problem, doc);
    if (from < to) ranges.push(Decoration.mark({ class: `cm-wrong cm-wrong-${problem.severity}` }).range(from, to));
    const line = doc.lineAt(problem.from);
    ranges.push(Decoration.line({ class: `cm-wrong-line cm-wrong-line-${problem.severity}` }).range(line.from));
    ranges.push(Decoration.widget({ widget: new Note(problem), block: true, side: 1 }).range(line.to));
  }
  return Decoration.set(ranges, true);
}

/** What the wavy line is drawn under: an empty range is widened to the word at it, a line break to the line's text. */
function visible({ from, to }, doc) {
  const line = doc.lineAt(from);
  const start = Math.min(from, Math.max(line.from, line.to - 1));
  const word = /^[^\s:,[\]{}]+/.exec(line.text.slice(start - line.from));
  const end = to > from ? Math.min(to, line.to) : start + (word ? word[0].length : 1);
  return [start, Math.min(Math.max(end, start + 1), line.to)];
}

/** The message below a line. */
class Note extends WidgetType {
  constructor(problem) {
    super();
    this.problem = problem;
  }

  eq({ problem }) {
    return (
      problem.severity === this.problem.severity &&
      problem.message === this.problem.message &&
      JSON.stringify(problem.fixes) === JSON.stringify(this.problem.fixes)
    );
  }

  toDOM(view) {
    const { severity, message, fixes = [] } = this.problem;
    const dom = document.createElement("div");
    dom.className = `cm-note cm-note-${severity}`;
    dom.setAttribute("role", "note");
    const text = document.createElement("span");
    text.className = "cm-note-text";
    // The program's own words stay English in a Korean page.
    text.lang = "en";
    text.textContent = message;
    dom.append(text);
    for (const fix of fixes) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "cm-note-fix";
      button.textContent = fix.label;
      button.addEventListener("click", () => apply(view, fix));
      dom.append(button);
    }
    return dom;
  }

  ignoreEvent() {
    return true;
  }
}

function apply(view, { edits }) {
  if (view.state.readOnly) return;
  const { length } = view.state.doc;
  const changes = edits.filter(({ from, to }) => from <= to && to <= length);
  view.dispatch({ changes, scrollIntoView: true, userEvent: "input.fix" });
  view.focus();
}

/** Applies the fix at the caret's line; with several to choose from, goes to the first button. */
function fixHere(view) {
  const { list } = view.state.field(field);
  const here = view.state.doc.lineAt(view.state.selection.main.head);
  const fixes = list
    .filter(({ from, to }) => from <= here.to && to >= here.from)
    .flatMap((problem) => problem.fixes ?? []);
  if (fixes.length === 0) return false;
  if (fixes.length === 1) {
    apply(view, fixes[0]);
    return true;
  }
  const buttons = [...view.contentDOM.querySelectorAll(".cm-note-fix")];
  const first = buttons.find((button) => button.textContent === fixes[0].label);
  first?.focus();
  return first !== undefined;
}

/** Moves the caret to the next problem (backwards: the one before), around the end of the text. */
function step(forward) {
  return (view) => {
    const { list } = view.state.field(field);
    if (list.length === 0) return false;
    const caret = view.state.selection.main.head;
    const next = forward
      ? (list.find(({ from }) => from > caret) ?? list[0])
      : (list.findLast(({ from }) => from < caret) ?? list[list.length - 1]);
    view.dispatch({ selection: { anchor: next.from }, effects: EditorView.scrollIntoView(next.from, { y: "center" }) });
    return true;
  };
}

/** F8 and Shift-F8 step through problems, Ctrl/⌘ . fixes. */
export const problemKeymap = [
  { key: "F8", run: step(true), shift: step(false), preventDefault: true },
  { key: "Mod-.", run: fixHere, preventDefault: true },
];

export const problems = Prec.high(field);
