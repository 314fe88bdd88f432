//! What goes over the bridge, as plain data. Offsets are UTF-16 code units from the start of the text, ranges half-open.

use serde::Serialize;

/// How bad a problem is; decides colour and wording, not behaviour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The manifest won't be applied.
    Error,
    /// It will be applied, with a warning.
    Warning,
    /// Something to know, for example that a field is not simulated.
    Info,
}

/// A message under its line, with a wavy line below what it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Start of what is wrong (UTF-16).
    pub from: u32,
    /// Its end (UTF-16); equal to `from` where there is only a place.
    pub to: u32,
    /// How bad it is.
    pub severity: Severity,
    /// kubectl's own text.
    pub message: String,
    /// Quick fixes: one button each.
    pub fixes: Vec<Fix>,
}

/// A quick fix: what its button says and what it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// The button's text, in the page's language.
    pub label: String,
    /// Changes, all counted in the text as it was when the problem was found; they don't overlap.
    pub edits: Vec<Edit>,
}

/// One replaced range.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    /// Start of the replaced range (UTF-16).
    pub from: u32,
    /// Its end (UTF-16).
    pub to: u32,
    /// What stands there afterwards.
    pub insert: String,
}

/// The editor asks what could stand at the caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletionRequest {
    /// The whole text.
    pub text: String,
    /// The caret (UTF-16).
    pub position: u32,
    /// Whether the user asked for it (Ctrl-Space) rather than just typed.
    pub explicit: bool,
}

/// The answer to a [`CompletionRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Completions {
    /// Where the word being completed starts (UTF-16, at most the caret).
    pub from: u32,
    /// What could stand there, best first; none: no list is shown.
    pub options: Vec<Completion>,
}

/// One line of the completion list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Completion {
    /// What the list shows and typing is matched against.
    pub label: String,
    /// What is put into the text; `None`: the label.
    pub insert: Option<String>,
    /// A short note behind the label, such as the type.
    pub detail: Option<String>,
    /// A longer text beside the list.
    pub info: Option<String>,
    /// -99 to 99: moves the line down or up among lines that match equally well.
    pub boost: Option<i8>,
}

/// The pointer rests on a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HoverRequest {
    /// The whole text.
    pub text: String,
    /// The place (UTF-16).
    pub position: u32,
}

/// What is shown for a place the pointer rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hover {
    /// Start of what the card is about (UTF-16).
    pub from: u32,
    /// Its end (UTF-16).
    pub to: u32,
    /// First line, in code letters; empty: none.
    pub title: String,
    /// Sentences; an empty line starts a paragraph.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_names_that_the_script_reads() {
        let edit = Edit { from: 1, to: 3, insert: "kind".to_owned() };
        let fix = Fix { label: "Fix".to_owned(), edits: vec![edit] };
        let problem =
            Problem { from: 1, to: 3, severity: Severity::Error, message: "no".to_owned(), fixes: vec![fix] };
        insta::assert_snapshot!(
            serde_json::to_string(&problem).unwrap(),
            @r#"{"from":1,"to":3,"severity":"error","message":"no","fixes":[{"label":"Fix","edits":[{"from":1,"to":3,"insert":"kind"}]}]}"#
        );
    }
}
