//! The Logs tab: a container's log, letter for letter, from the container's present or last run.

use super::inspector::ObjectProps;
use super::shared::{Command, clock};
use crate::components::{Choice, Segmented};
use crate::i18n::{dock as texts, use_lang};
use crate::session::LabContext;
use crate::state::inspect::log;
use crate::state::lab::command_line;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// How many lines are drawn, from the newest back.
const LINES: usize = 500;

/// The tab.
#[component]
pub(super) fn LogsTab(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let chosen = use_state(|| None::<String>);
    let previous = use_state(|| false);
    let follow = use_state(|| true);
    let place = use_node_ref();
    let lab = use_context::<LabContext>();
    let object = &props.object;
    let statuses: Vec<_> = object
        .pod_status()
        .map(|s| {
            s.container_statuses
                .iter()
                .flatten()
                .chain(s.init_container_statuses.iter().flatten())
                .cloned()
                .collect()
        })
        .unwrap_or_default();
    let names: Vec<String> = object
        .pod_spec()
        .map(|s| {
            s.containers.iter().chain(s.init_containers.iter().flatten()).map(|c| c.name.clone()).collect()
        })
        .unwrap_or_default();
    let name = chosen.as_ref().filter(|c| names.contains(c)).or(names.first()).cloned().unwrap_or_default();
    let status = statuses.iter().find(|s| s.name == name);
    let last = status.and_then(|s| s.last_state.as_ref()).and_then(|s| s.terminated.as_ref());
    let ended = status.and_then(|s| s.state.as_ref()).and_then(|s| s.terminated.as_ref());
    let (id, ended) = if *previous {
        (last.and_then(|t| t.container_id.clone()), last)
    } else {
        (
            status.and_then(|s| s.container_id.clone()),
            ended.or(last.filter(|t| t.container_id == status.and_then(|s| s.container_id.clone()))),
        )
    };
    let lines = match (&lab, &id) {
        (Some(lab), Some(id)) => lab.read(|l| log(l.shown(), id, LINES)),
        _ => Vec::new(),
    };
    {
        let (place, follow, count) = (place.clone(), *follow, lines.len());
        let newest = lines.last().map(|l| l.at);
        use_effect_with((count, newest, follow), move |_| {
            if follow && let Some(place) = place.cast::<web_sys::Element>() {
                place.set_scroll_top(place.scroll_height());
            }
        });
    }
    let on_container = {
        let chosen = chosen.clone();
        crate::dom::on_chosen(Callback::from(move |name| chosen.set(Some(name))))
    };
    let on_run = {
        let previous = previous.clone();
        Callback::from(move |index: usize| previous.set(index == 1))
    };
    let on_follow = {
        let follow = follow.clone();
        Callback::from(move |event: Event| {
            if let Some(input) = event.target_dyn_into::<HtmlInputElement>() {
                follow.set(input.checked());
            }
        })
    };
    let mut args = vec!["logs", object.name()];
    if object.namespace() != "default" {
        args.extend(["-n", object.namespace()]);
    }
    if names.len() > 1 {
        args.extend(["-c", &name]);
    }
    if *previous {
        args.push("--previous");
    } else if *follow {
        args.push("-f");
    }
    html! {
        <section class="block">
            <div class="logs-bar">
                if names.len() > 1 {
                    <select class="field mono" aria-label={texts::CONTAINER.get(lang)} onchange={on_container}>
                        {for names.iter().map(|n| html! { <option key={n.clone()} value={n.clone()} selected={*n == name}>{n}</option> })}
                    </select>
                }
                <Segmented label={texts::LOGS.get(lang)} choices={vec![Choice::text(texts::CURRENT.get(lang)), Choice::text(texts::PREVIOUS.get(lang))]} chosen={usize::from(*previous)} on_choose={on_run} />
                <span class="gap" />
                <label class="check"><input type="checkbox" checked={*follow} onchange={on_follow} />{texts::FOLLOW.get(lang)}</label>
            </div>
            <div class="log" ref={place} tabindex="0" role="log" aria-label={texts::LOGS.get(lang)}>
                if lines.is_empty() { <p class="muted">{texts::LOGS_NONE.get(lang)}</p> }
                {for lines.iter().enumerate().map(|(index, line)| html! { <p key={index}><span>{clock(line.at)}</span><code>{&line.text}</code></p> })}
                if let Some(ended) = ended { <p class="log-end">{texts::EXITED.with(lang, &[("code", &ended.exit_code.to_string())])}</p> }
            </div>
            <Command line={command_line(&args)} />
        </section>
    }
}
