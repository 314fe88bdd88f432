//! The layout of the page: bars, panes, splitters, tabs on a phone.

use super::dialogs::Dialogs;
use super::first_run::FirstRun;
use super::keys::use_keys;
use super::{DockPane, EditorPane, Stage, TerminalPane, TimeBar, TopBar};
use crate::app::UiContext;
use crate::components::{Edge, Icon, IconKind, NoticesView, Splitter};
use crate::i18n::{bars as texts, use_lang};
use crate::session::begin;
use crate::state::{Pane, Sizes, UiAction};
use yew::prelude::*;

/// What a pane may shrink and grow to, in rem.
const LEAST: f64 = 10.0;
const MOST: f64 = 60.0;

/// Sizes of the panes that nobody has chosen: left, right, bottom, in rem.
fn usual_sizes(presenter: bool) -> (f64, f64, f64) {
    if crate::dom::media("(min-width: 1680px)") && !presenter {
        (27.0, 31.0, 15.5)
    } else {
        (23.0, 26.0, 11.75)
    }
}

/// Everything but the contexts.
#[component]
pub(crate) fn Frame() -> Html {
    let lang = use_lang();
    let Some(ui) = use_context::<UiContext>() else { return html! {} };
    use_keys();
    use_effect_with(ui.begun, |begun| {
        if *begun {
            begin();
        }
    });
    let sizes = ui.sizes;
    let style: String = [("--left", sizes.left), ("--right", sizes.right), ("--bottom", sizes.bottom)]
        .into_iter()
        .filter_map(|(name, size)| Some(format!("{name}:{}rem;", size?)))
        .collect();
    let (left, right, bottom) = usual_sizes(ui.presenter);
    let resize = |change: fn(&mut Sizes, Option<f64>)| {
        let ui = ui.clone();
        Callback::from(move |size: Option<f64>| {
            let mut sizes = ui.sizes;
            change(&mut sizes, size.map(|s| s.clamp(LEAST, MOST)));
            ui.dispatch(UiAction::Sizes(sizes));
        })
    };
    html! {
        <div class="app" data-pane={pane_name(ui.pane)} data-first={(!ui.begun).then_some("true")} data-wide={ui.wide.map(pane_name)}>
            <a class="skip" href="#pane-cluster" onclick={skip()}>{texts::SKIP.get(lang)}</a>
            <TopBar />
            <TimeBar />
            <main class="main" {style}>
                if ui.begun {
                    <EditorPane />
                    <Splitter edge={Edge::Left} label={texts::SPLIT_EDITOR.get(lang)} size={sizes.left.unwrap_or(left)} on_size={resize(|s, v| s.left = v)} />
                    <Stage />
                    <Splitter edge={Edge::Right} label={texts::SPLIT_DOCK.get(lang)} size={sizes.right.unwrap_or(right)} on_size={resize(|s, v| s.right = v)} />
                    <div class="side"><DockPane /><NoticesView /></div>
                    <Splitter edge={Edge::Bottom} label={texts::SPLIT_TERMINAL.get(lang)} size={sizes.bottom.unwrap_or(bottom)} on_size={resize(|s, v| s.bottom = v)} />
                    <TerminalPane />
                } else {
                    <FirstRun />
                    <NoticesView />
                }
            </main>
            if ui.begun { <PhoneTabs /> }
            <Dialogs />
        </div>
    }
}

/// Moves the focus without changing the address, which may carry a lab.
fn skip() -> Callback<MouseEvent> {
    Callback::from(|event: MouseEvent| {
        event.prevent_default();
        crate::dom::focus_on("#pane-cluster");
    })
}

fn pane_name(pane: Pane) -> &'static str {
    match pane {
        Pane::Editor => "editor",
        Pane::Cluster => "cluster",
        Pane::Inspect => "inspect",
        Pane::Terminal => "terminal",
    }
}

/// Properties of [`WideButton`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct WideButtonProps {
    /// The pane it stands in.
    pub(crate) pane: Pane,
}

/// The button in a pane's corner that gives it the whole width, and back.
#[component]
pub(crate) fn WideButton(props: &WideButtonProps) -> Html {
    let lang = use_lang();
    let Some(ui) = use_context::<UiContext>() else { return html! {} };
    let pane = props.pane;
    let is_wide = ui.wide == Some(pane);
    let label = if is_wide { texts::PANE_NARROW.get(lang) } else { texts::PANE_WIDE.get(lang) };
    let kind = if is_wide { IconKind::Narrow } else { IconKind::Wide };
    let onclick = move |_: MouseEvent| ui.dispatch(UiAction::Wide((!is_wide).then_some(pane)));
    html! {
        <button type="button" class="icon-button small wide-button hide-phone" aria-label={label} title={label} aria-pressed={is_wide.to_string()} {onclick}><Icon {kind} /></button>
    }
}

/// The tabs at the bottom of a phone's page.
#[component]
fn PhoneTabs() -> Html {
    let lang = use_lang();
    let Some(ui) = use_context::<UiContext>() else { return html! {} };
    let tabs = [
        (Pane::Editor, IconKind::File, texts::PANE_EDITOR),
        (Pane::Cluster, IconKind::Cluster, texts::PANE_CLUSTER),
        (Pane::Inspect, IconKind::Inspect, texts::PANE_INSPECT),
        (Pane::Terminal, IconKind::Terminal, texts::PANE_TERMINAL),
    ];
    html! {
        <nav class="phone-tabs" aria-label={texts::PHONE_TABS.get(lang)}>
            {for tabs.into_iter().map(|(pane, icon, text)| {
                let ui = ui.clone();
                let current = (ui.pane == pane).then_some("true");
                html! {
                    <button type="button" aria-current={current} onclick={move |_| ui.dispatch(UiAction::Pane(pane))}>
                        <Icon kind={icon} /><span>{text.get(lang)}</span>
                    </button>
                }
            })}
        </nav>
    }
}
