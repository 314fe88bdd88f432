//! The terminal: what was typed, what came of it, and the line that is being typed.

mod output;
mod prompt;

use super::frame::WideButton;
use crate::components::{CopyButton, Icon, IconKind};
use crate::i18n::{bars, terminal as texts, use_lang};
use crate::session::LabContext;
use crate::state::Pane;
use output::{SHOWN, entry_view};
use prompt::Prompt;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use yew::prelude::*;

/// The terminal pane.
#[component]
pub(crate) fn TerminalPane() -> Html {
    let lang = use_lang();
    let history_shown = use_state(|| false);
    let line = use_state(String::new);
    let body = use_node_ref();
    let lab = use_context::<LabContext>();
    let revision = lab.as_ref().map_or(0, |lab| lab.read(|l| l.terminal.revision()));
    let entries = {
        let lab = lab.clone();
        use_memo((revision, lang), move |_| {
            lab.map(|lab| {
                lab.read(|l| {
                    let entries = l.terminal.entries();
                    let from = entries.len().saturating_sub(SHOWN);
                    entries[from..]
                        .iter()
                        .enumerate()
                        .map(|(i, entry)| entry_view(from + i, entry, lang))
                        .collect::<Html>()
                })
            })
        })
    };
    {
        let (lab, line, history_shown) = (lab.clone(), line.clone(), history_shown.clone());
        use_effect_with(revision, move |_| {
            if let Some(proposal) = lab.and_then(|lab| lab.ask(|l| l.terminal.take_proposal())) {
                line.set(proposal);
                history_shown.set(false);
                crate::dom::focus_on("#terminal-line");
            }
        });
    }
    // What is newest is in sight, unless somebody has scrolled up to read.
    let follows = use_mut_ref(|| true);
    {
        let (body, follows) = (body.clone(), follows.clone());
        use_effect_with(*history_shown, move |_| follow_growth(body, follows));
    }
    let Some(lab) = lab else { return html! {} };
    let onscroll = {
        let (body, follows) = (body.clone(), follows.clone());
        Callback::from(move |_: Event| {
            if let Some(body) = body.cast::<web_sys::Element>() {
                *follows.borrow_mut() = body.scroll_top() + body.client_height() >= body.scroll_height() - 24;
            }
        })
    };
    let (context, namespace) = lab.read(|l| {
        let (context, namespace) = l.terminal.context();
        (context.to_owned(), namespace.to_owned())
    });
    let lines: Vec<String> = if *history_shown {
        lab.read(|l| {
            let mut seen: Vec<String> = Vec::new();
            for entry in l.terminal.entries().iter().rev().filter(|e| !e.line.trim().is_empty()) {
                if !seen.contains(&entry.line) && seen.len() < 100 {
                    seen.push(entry.line.clone());
                }
            }
            seen
        })
    } else {
        Vec::new()
    };
    let count = lab.read(|l| l.terminal.entries().iter().filter(|e| !e.line.trim().is_empty()).count());
    let last_output: String = lab.read(|l| {
        let last = l.terminal.entries().iter().rev().find(|e| !e.output.is_empty());
        last.into_iter().flat_map(|e| &e.output).map(|piece| piece.text.as_str()).collect()
    });
    let clear = {
        let lab = lab.clone();
        move |_: MouseEvent| {
            lab.update(|l| l.terminal.clear());
            crate::dom::focus_on("#terminal-line");
        }
    };
    let show = |shown: bool| {
        let history_shown = history_shown.clone();
        move |_: MouseEvent| history_shown.set(shown)
    };
    // A click into empty space goes to the line, a selection stays.
    let onclick = Callback::from(|event: MouseEvent| {
        let on_control = event
            .target_dyn_into::<web_sys::Element>()
            .is_some_and(|e| e.closest("button, input, .entry-output").ok().flatten().is_some());
        if !on_control {
            crate::dom::focus_on("#terminal-line");
        }
    });
    let tabs_keydown = {
        let history_shown = history_shown.clone();
        Callback::from(move |event: KeyboardEvent| {
            if matches!(event.key().as_str(), "ArrowLeft" | "ArrowRight") {
                event.prevent_default();
                history_shown.set(!*history_shown);
                let selector = if *history_shown { "#terminal-tab-output" } else { "#terminal-tab-history" };
                crate::dom::focus_on(selector);
            }
        })
    };
    html! {
        <section class="pane term" id="pane-terminal" aria-label={bars::PANE_TERMINAL.get(lang)} tabindex="-1">
            <header class="term-head">
                <div class="term-tabs" role="tablist" aria-label={texts::TABS.get(lang)} onkeydown={tabs_keydown}>
                    <button type="button" role="tab" id="terminal-tab-output" aria-selected={(!*history_shown).to_string()} tabindex={if *history_shown { "-1" } else { "0" }} onclick={show(false)}>
                        {bars::PANE_TERMINAL.get(lang)}
                    </button>
                    <button type="button" role="tab" id="terminal-tab-history" aria-selected={history_shown.to_string()} tabindex={if *history_shown { "0" } else { "-1" }} onclick={show(true)}>
                        {texts::HISTORY.get(lang)}{" "}<span class="term-count">{count}</span>
                    </button>
                </div>
                <span class="gap" />
                <span class="term-facts hide-phone">
                    <span>{texts::CONTEXT.get(lang)}{" "}<b>{context}</b></span>
                    <span>{texts::NS.get(lang)}{" "}<b>{namespace}</b></span>
                    <span class="keys" aria-hidden="true"><kbd>{"Ctrl"}</kbd><kbd>{"`"}</kbd></span>
                </span>
                if !last_output.is_empty() { <CopyButton text={last_output} label={texts::COPY_OUTPUT.get(lang)} /> }
                <button type="button" class="icon-button small" aria-label={texts::CLEAR.get(lang)} title={texts::CLEAR.get(lang)} onclick={clear}><Icon kind={IconKind::Trash} /></button>
                <WideButton pane={Pane::Terminal} />
            </header>
            if *history_shown {
                <ul class="term-history" aria-label={texts::HISTORY.get(lang)}>
                    if lines.is_empty() { <li class="muted">{texts::HISTORY_EMPTY.get(lang)}</li> }
                    {for lines.into_iter().map(|entered| {
                        let (line, history_shown) = (line.clone(), history_shown.clone());
                        let text = entered.clone();
                        let onclick = move |_: MouseEvent| {
                            line.set(text.clone());
                            history_shown.set(false);
                        };
                        html! { <li key={entered.clone()}><button type="button" {onclick}>{entered}</button></li> }
                    })}
                </ul>
            } else {
                <div class="term-body" ref={body} {onscroll} {onclick}>
                    <div class="term-log" role="log" aria-label={texts::OUTPUT.get(lang)} tabindex="0">{(*entries).clone().unwrap_or_default()}</div>
                    <Prompt line={line.clone()} />
                </div>
            }
        </section>
    }
}

/// Keeps the end of the terminal in sight while what it holds grows. An observer is called when the browser has laid out the
/// page anyway: asking for heights at any other time makes it lay out once more.
fn follow_growth(body: NodeRef, follows: Rc<RefCell<bool>>) -> impl FnOnce() {
    let inside = body.cast::<web_sys::Element>().map(|body| body.children());
    let grown = Closure::<dyn Fn()>::new(move || {
        if let Some(body) = body.cast::<web_sys::Element>()
            && *follows.borrow()
        {
            body.set_scroll_top(body.scroll_height());
        }
    });
    let observer = web_sys::ResizeObserver::new(grown.as_ref().unchecked_ref()).ok();
    if let (Some(observer), Some(inside)) = (&observer, inside) {
        (0..inside.length()).filter_map(|i| inside.item(i)).for_each(|child| observer.observe(&child));
    }
    move || {
        if let Some(observer) = observer {
            observer.disconnect();
        }
        drop(grown);
    }
}
