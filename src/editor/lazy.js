// The editor as the page knows it: CodeMirror (editor.js) is a third of the page's script and nothing that the first
// picture needs, so it comes right behind it. Until it is there, a plain text field does the same work, and what was
// typed, its document and the caret go over.

let real;
let isHere;
const here = new Promise((resolve) => (isHere = resolve));
/** How long to wait before asking for it again, in milliseconds. */
const AGAIN = 4000;

/** Fetches the real editor. What comes in its way is tried again: meanwhile the plain field goes on. */
export async function bringEditor() {
  try {
    real = await import("./editor.js");
    isHere();
  } catch (error) {
    console.info(`the editor is not here yet: ${error}`);
    setTimeout(bringEditor, AGAIN);
  }
}

/** Makes an editor inside `parent`; see editor.js for what is given and what it can do. */
export function create(parent, settings, callbacks) {
  return real ? real.create(parent, settings, callbacks) : new Plain(parent, JSON.parse(settings), callbacks);
}

/** A plain text field that becomes the real editor. */
class Plain {
  constructor(parent, { document: name, text, ...setUp }, callbacks) {
    Object.assign(this, { parent, name, setUp, callbacks, problems: "[]" });
    const field = (this.field = document.createElement("textarea"));
    field.className = "plain-editor";
    field.spellcheck = false;
    field.value = text;
    this.appear();
    field.addEventListener("input", () => callbacks.change(field.value));
    for (const event of ["input", "keyup", "click"]) {
      field.addEventListener(event, () => callbacks.caret(field.selectionStart, field.selectionEnd));
    }
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      callbacks.submit();
    });
    // A syllable that is being composed would be lost with the field.
    field.addEventListener("compositionstart", () => (this.composing = true));
    field.addEventListener("compositionend", () => {
      this.composing = false;
      if (real) setTimeout(() => this.become());
    });
    parent.append(field);
    here.then(() => this.become());
  }

  become() {
    const { field, parent, name, setUp, callbacks } = this;
    if (this.editor || this.gone || this.composing) return;
    const focused = document.activeElement === field;
    const { value: text, selectionStart, selectionEnd } = field;
    field.remove();
    this.editor = real.create(parent, JSON.stringify({ document: name, text, ...setUp }), callbacks);
    this.editor.setProblems(this.problems);
    if (!focused) return;
    this.editor.reveal(selectionStart, selectionEnd);
    this.editor.focus();
  }

  appear() {
    const { field, setUp } = this;
    field.setAttribute("aria-label", setUp.label);
    field.readOnly = setUp.readOnly;
  }

  text() {
    return this.editor ? this.editor.text() : this.field.value;
  }

  show(name, text) {
    if (this.editor) return this.editor.show(name, text);
    this.name = name;
    if (this.field.value !== text) this.field.value = text;
  }

  keepOnly(documents) {
    this.editor?.keepOnly(documents);
  }

  setUpAgain(settings) {
    if (this.editor) return this.editor.setUpAgain(settings);
    this.setUp = JSON.parse(settings);
    this.appear();
  }

  setProblems(list) {
    this.problems = list;
    this.editor?.setProblems(list);
  }

  replace(from, to, insert) {
    if (this.editor) return this.editor.replace(from, to, insert);
    const { length } = this.field.value;
    const start = Math.min(from, length);
    this.field.setRangeText(insert, start, Math.min(Math.max(to, start), length), "end");
    this.callbacks.change(this.field.value);
  }

  reveal(from, to) {
    if (this.editor) return this.editor.reveal(from, to);
    this.field.setSelectionRange(from, Math.max(from, to));
  }

  focus() {
    (this.editor ?? this.field).focus();
  }

  destroy() {
    this.gone = true;
    this.editor?.destroy();
    this.field.remove();
  }
}
