//! The Events tab: grouped and aged as `kubectl describe` has them.

use super::inspector::ObjectProps;
use super::shared::block;
use crate::components::{Icon, IconKind};
use crate::i18n::{dock as texts, use_lang};
use crate::session::LabContext;
use crate::state::inspect::events;
use yew::prelude::*;

/// The tab.
#[component]
pub(super) fn EventsTab(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let lines = lab.read(|l| events(l.shown(), &props.object));
    let body = html! {
        <>
            if lines.is_empty() { <p class="note">{texts::EVENTS_NONE.get(lang)}</p> }
            <ul class="events">
                {for lines.iter().enumerate().map(|(index, line)| {
                    let is_warning = line.kind == "Warning";
                    html! {
                        <li key={index} class={classes!(is_warning.then_some("warning"))}>
                            <Icon kind={if is_warning { IconKind::Warning } else { IconKind::Info }} />
                            <div>
                                <p class="event-head"><b>{&line.reason}</b><span class="sr">{format!(" {}", line.kind)}</span><span class="gap" /><span class="event-age">{&line.age}</span></p>
                                <p class="event-text">{&line.message}</p>
                                <p class="event-from">{&line.from}</p>
                            </div>
                        </li>
                    }
                })}
            </ul>
        </>
    };
    block(texts::EVENTS.get(lang), html! {}, body)
}
