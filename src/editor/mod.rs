//! The YAML editor: CodeMirror 6 as a Yew component. `editor.js` is the JavaScript half.

mod bridge;
mod component;
mod model;

pub use bridge::EditorHandle;
pub use component::{CodeEditor, CodeEditorProps};
pub use model::{
    Completion, CompletionRequest, Completions, Edit, Fix, Hover, HoverRequest, Problem, Severity,
};
