//! Entries of the terminal: the line, and its output letter for letter, status words in their colours.

use crate::components::PodState;
use crate::i18n::terminal as texts;
use crate::state::{Entry, Lang};
use yew::prelude::*;

/// How many entries are drawn, from the newest back.
pub(super) const SHOWN: usize = 80;
/// How much of one entry's output is drawn, from its end, in bytes.
const DRAWN: usize = 64 << 10;

/// One entry.
pub(super) fn entry_view(index: usize, entry: &Entry, lang: Lang) -> Html {
    let mut column = None;
    html! {
        <div class="entry" key={index}>
            if !entry.line.is_empty() {
                <p class="entry-line"><span class="entry-sign" aria-hidden="true">{"$ "}</span>{&entry.line}
                    if entry.code.is_none() { <i class="entry-runs">{texts::RUNNING.get(lang)}</i> }
                </p>
            }
            if !entry.output.is_empty() {
                <pre class="entry-output">
                    {for entry.output.iter().map(|piece| {
                        let from = piece.text.floor_char_boundary(piece.text.len().saturating_sub(DRAWN));
                        let text = &piece.text[from..];
                        if piece.error {
                            let class = if text.starts_with("Warning:") { "entry-warning" } else { "entry-error" };
                            html! { <span {class}>{text}</span> }
                        } else {
                            tinted(text, &mut column)
                        }
                    })}
                </pre>
            }
        </div>
    }
}

/// Output whose STATUS column is in the colours of the states. `column` is where the heading stood.
fn tinted(text: &str, column: &mut Option<usize>) -> Html {
    if !text.contains("STATUS") && column.is_none() {
        return html! { <>{text}</> };
    }
    let mut parts: Vec<Html> = Vec::new();
    let mut plain = String::new();
    for line in text.split_inclusive('\n') {
        let heading = line.find(" STATUS ").or_else(|| line.trim_end().strip_suffix(" STATUS").map(str::len));
        if let Some(at) = heading {
            *column = Some(at + 1);
        }
        let word = column.filter(|_| heading.is_none()).and_then(|at| {
            let rest = line.get(at..)?;
            let end = rest.find([' ', '\n']).unwrap_or(rest.len());
            let word = rest.get(..end).filter(|w| !w.is_empty())?;
            // The column begins behind a gap, else the line is another table's.
            (line.get(..at)?.ends_with(' ')).then_some((at, word))
        });
        match word.and_then(|(at, word)| Some((at, word, class(word)?))) {
            Some((at, word, class)) => {
                plain.push_str(line.get(..at).unwrap_or_default());
                parts.push(html! { <>{std::mem::take(&mut plain)}<span {class}>{word}</span></> });
                plain.push_str(line.get(at + word.len()..).unwrap_or_default());
            }
            None => plain.push_str(line),
        }
    }
    html! { <>{for parts}{plain}</> }
}

/// The colour of a word of a STATUS column.
fn class(word: &str) -> Option<Classes> {
    let state = match word {
        "Ready" | "Active" | "Bound" => PodState::Running,
        "NotReady" | "Ready,SchedulingDisabled" => PodState::Unknown,
        _ => PodState::of(word, 1, 1, word != "Pending"),
    };
    Some(classes!("tint", state.class()))
}
