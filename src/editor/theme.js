// How the editor looks: colours are the page's own variables, so it follows light, dark and presenter mode by itself.

import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--ink)", backgroundColor: "var(--panel)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.21875rem" },
  ".cm-content": { caretColor: "var(--ink)", padding: "0.25rem 0" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "1.5px" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--ink-3)", border: "none" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--sunk)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--soft)",
  },
  ".cm-selectionMatch": { backgroundColor: "var(--soft)" },
  ".cm-matchingBracket": { backgroundColor: "var(--soft)", outline: "1px solid var(--line-2)" },
  ".cm-tooltip": {
    color: "var(--ink)",
    backgroundColor: "var(--raised)",
    border: "1px solid var(--line-2)",
    borderRadius: "0.375rem",
    maxWidth: "30rem",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { color: "var(--ink)", backgroundColor: "var(--soft)" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent)", fontWeight: "600" },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal" },
  ".cm-panels": { color: "var(--ink)", backgroundColor: "var(--raised)" },
  ".cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "0.375rem 2rem 0.375rem 0.5rem", fontFamily: "var(--sans)" },
  ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", fontSize: "0.75rem" },
  ".cm-panel.cm-search [name=close]": { top: "0.25rem", right: "0.25rem", width: "1.5rem", height: "1.5rem", color: "var(--ink-2)", fontSize: "1rem" },
  ".cm-textfield": {
    color: "var(--ink)",
    backgroundColor: "var(--panel)",
    border: "1px solid var(--line-2)",
    borderRadius: "0.375rem",
    padding: "0.1875rem 0.375rem",
    fontSize: "0.75rem",
  },
  ".cm-button": {
    color: "var(--ink)",
    backgroundColor: "var(--raised)",
    backgroundImage: "none",
    border: "1px solid var(--line-2)",
    borderRadius: "0.375rem",
    minHeight: "1.5rem",
    padding: "0.125rem 0.5rem",
    fontSize: "0.75rem",
  },
  ".cm-button:active": { backgroundImage: "none", backgroundColor: "var(--soft)" },
  ".cm-searchMatch": { backgroundColor: "var(--soft)", outline: "1px solid var(--line-2)" },
  ".cm-searchMatch-selected": { outline: "2px solid var(--accent)" },
});

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key, var(--accent))" },
  { tag: tags.string, color: "var(--code-string, var(--ink))" },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: "var(--code-literal, var(--term))" },
  { tag: [tags.comment, tags.lineComment], color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--ink-2)" },
  { tag: [tags.meta, tags.documentMeta, tags.typeName, tags.labelName], color: "var(--code-meta, var(--wait))" },
]);

export const theme = [look, syntaxHighlighting(colours)];
