//! Small parts that several views of the dock use.

pub(super) use crate::components::CopyButton;
use crate::components::{Notice, NoticeKind, Notices};
use crate::i18n::dock as texts;
use crate::session::LabContext;
use crate::state::{Lang, Pane, UiAction};
use podlab_sim::SimTime;
use yew::prelude::*;

/// Properties of [`Command`].
#[derive(Clone, PartialEq, Properties)]
pub(super) struct CommandProps {
    /// The line, without the prompt.
    pub(super) line: AttrValue,
}

/// A kubectl line to take away.
#[component]
pub(super) fn Command(props: &CommandProps) -> Html {
    html! {
        <div class="command"><pre tabindex="0"><i aria-hidden="true">{"$ "}</i>{props.line.clone()}</pre><CopyButton text={props.line.clone()} /></div>
    }
}

/// Carries out a kubectl line for a button, and says what came of it where it was refused.
pub(super) fn act(lab: &LabContext, notices: Option<&Notices>, lang: Lang, args: &[&str]) -> bool {
    let outcome = lab.update(|l| l.act(args));
    let Some(notices) = notices else { return outcome.ok() };
    if outcome.ok() {
        let text = outcome.text();
        let title = text.lines().next().unwrap_or(&outcome.line).to_owned();
        notices.show(Notice::new(NoticeKind::Done, title).code(outcome.line.clone()));
    } else {
        let errors = outcome.errors();
        notices.show(Notice::new(NoticeKind::Error, texts::FAILED.get(lang)).code(errors.trim_end()));
    }
    outcome.ok()
}

/// Puts a line into the terminal, to be sent or changed.
pub(super) fn propose(lab: &LabContext, ui: &crate::app::UiContext, line: &str) {
    lab.update(|l| l.terminal.propose(line));
    ui.dispatch(UiAction::Pane(Pane::Terminal));
}

/// `10:12:07`.
pub(super) fn clock(at: SimTime) -> String {
    crate::state::words::clock(at)
}

/// `37 s`, `2 min 53 s` in the page's language.
pub(super) fn left(seconds: i64, lang: Lang) -> String {
    let seconds = seconds.max(0);
    let (minutes, rest) = (seconds / 60, seconds % 60);
    match (lang, minutes, rest) {
        (Lang::En, 0, s) => format!("{s} s"),
        (Lang::En, m, 0) => format!("{m} min"),
        (Lang::En, m, s) => format!("{m} min {s} s"),
        (Lang::Ko, 0, s) => format!("{s}초"),
        (Lang::Ko, m, 0) => format!("{m}분"),
        (Lang::Ko, m, s) => format!("{m}분 {s}초"),
    }
}

/// Whole seconds from now until an instant, rounded up.
pub(super) fn until(now: SimTime, then: SimTime) -> i64 {
    let nanos = then.as_nanos().saturating_sub(now.as_nanos());
    nanos.saturating_add(999_999_999) / 1_000_000_000
}

/// A block with a heading.
pub(super) fn block(title: &str, extra: Html, body: Html) -> Html {
    html! {
        <section class="block">
            <header class="block-head"><h3>{title.to_owned()}</h3><span class="gap" />{extra}</header>
            {body}
        </section>
    }
}
