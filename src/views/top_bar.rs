//! The top bar: the lab's name and state, undo, language, theme, presenter mode, shortcuts.

use super::key_echo::KeyEcho;
use crate::app::{DialogContext, OpenDialog, UiContext};
use crate::components::{Choice, Icon, IconKind, Menu, MenuItem, Segmented};
use crate::i18n::{bars as texts, faults, use_lang};
use crate::session::LabContext;
use crate::state::{Lab, Lang, Theme, UiAction};
use yew::prelude::*;

/// The top bar.
#[component]
pub(crate) fn TopBar() -> Html {
    let lang = use_lang();
    let (Some(lab), Some(ui), Some(dialog)) =
        (use_context::<LabContext>(), use_context::<UiContext>(), use_context::<DialogContext>())
    else {
        return html! {};
    };
    let languages = vec![
        Choice { lang: Some("ko".into()), ..Choice::text("한국어") },
        Choice { lang: Some("en".into()), ..Choice::text("English") },
    ];
    let on_language = {
        let ui = ui.clone();
        Callback::from(move |index| ui.dispatch(UiAction::Lang(if index == 0 { Lang::Ko } else { Lang::En })))
    };
    let (theme_now, theme_next) = match ui.theme {
        Theme::System => (texts::THEME_SYSTEM, Theme::Light),
        Theme::Light => (texts::THEME_LIGHT, Theme::Dark),
        Theme::Dark => (texts::THEME_DARK, Theme::System),
    };
    let theme_label = texts::THEME.with(lang, &[("theme", theme_now.get(lang))]);
    let on_theme = {
        let ui = ui.clone();
        move |_| ui.dispatch(UiAction::Theme(theme_next))
    };
    let on_presenter = {
        let ui = ui.clone();
        move |_| ui.dispatch(UiAction::Presenter(!ui.presenter))
    };
    let on_keys = {
        let dialog = dialog.clone();
        move |_| dialog.set(Some(OpenDialog::Shortcuts))
    };
    html! {
        <header class="top">
            <span class="logo">
                <svg viewBox="0 0 20 20" aria-hidden="true">
                    <rect x="1.5" y="1.5" width="17" height="17" rx="4.5" fill="none" stroke="currentColor" stroke-width="1.8" />
                    <circle cx="7" cy="10" r="2.4" fill="currentColor" /><circle cx="13" cy="10" r="1.9" fill="none" stroke="currentColor" stroke-width="1.4" />
                </svg>
                <span>{"podlab"}</span>
            </span>
            if ui.begun { <LabState {lab} {dialog} /> }
            <span class="gap" />
            <KeyEcho />
            <Segmented class="lang" label={texts::CHOOSE_LANGUAGE.get(lang)} choices={languages}
                chosen={usize::from(lang == Lang::En)} on_choose={on_language} />
            <button type="button" class="icon-button" aria-label={theme_label.clone()} title={theme_label} onclick={on_theme}><Icon kind={IconKind::Theme} /></button>
            <button type="button" class="icon-button hide-phone" aria-label={texts::PRESENTER.get(lang)} title={texts::PRESENTER.get(lang)}
                aria-pressed={ui.presenter.to_string()} onclick={on_presenter}><Icon kind={IconKind::Presenter} /></button>
            <button type="button" class="icon-button hide-phone" aria-label={texts::SHORTCUTS.get(lang)} title={texts::SHORTCUTS.get(lang)} onclick={on_keys}><Icon kind={IconKind::Keyboard} /></button>
        </header>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct LabStateProps {
    lab: LabContext,
    dialog: DialogContext,
}

/// The lab's name with its menu, whether it is saved, undo and redo.
#[component]
fn LabState(props: &LabStateProps) -> Html {
    let lang = use_lang();
    let lab = &props.lab;
    let (name, undo, redo, replaying) = lab.read(|l| {
        (l.name.clone(), l.undo_what().map(str::to_owned), l.redo_what().map(str::to_owned), l.is_replaying())
    });
    let items = {
        let dialog = props.dialog.clone();
        Callback::from(move |()| {
            let open = |what: OpenDialog| {
                let dialog = dialog.clone();
                Callback::from(move |()| dialog.set(Some(what.clone())))
            };
            let item = |label: &'static str, icon, act| MenuItem {
                label: label.into(),
                detail: AttrValue::default(),
                icon,
                danger: false,
                act,
            };
            vec![
                item(texts::EXAMPLES.get(lang), IconKind::Play, open(OpenDialog::Examples)),
                item(texts::NEW_LAB.get(lang), IconKind::Plus, open(OpenDialog::NewLab)),
                item(texts::ADD_NODE.get(lang), IconKind::Server, open(OpenDialog::AddNode)),
                item(faults::BREAK.get(lang), IconKind::Warning, open(OpenDialog::Break)),
            ]
        })
    };
    let undo_label = match &undo {
        Some(what) => texts::UNDO_WHAT.with(lang, &[("what", what)]),
        None => texts::UNDO.get(lang).to_owned(),
    };
    let redo_label = match redo.as_deref() {
        Some("branch") => texts::REDO_WHAT.with(lang, &[("what", texts::REDO_BRANCH.get(lang))]),
        Some(what) => texts::REDO_WHAT.with(lang, &[("what", what)]),
        None => texts::REDO.get(lang).to_owned(),
    };
    let act = |change: fn(&mut Lab) -> bool| {
        let lab = lab.clone();
        move |_: MouseEvent| {
            lab.update(change);
        }
    };
    let (saved, icon) = match (replaying, lab.saved) {
        (true, _) => (Some(texts::REPLAYING), IconKind::Clock),
        (_, Some(true)) => (Some(texts::SAVED), IconKind::Check),
        (_, Some(false)) => (Some(texts::SAVE_REFUSED), IconKind::Warning),
        (_, None) => (None, IconKind::Check),
    };
    html! {
        <div class="crumb">
            <span class="lab-name">{name}</span>
            <Menu label={texts::OPEN_MENU.get(lang)} {items} icon={IconKind::Chevron} />
            <button type="button" class="icon-button small" disabled={undo.is_none()} aria-label={undo_label.clone()} title={undo_label} onclick={act(Lab::undo)}><Icon kind={IconKind::Undo} /></button>
            <button type="button" class="icon-button small" disabled={redo.is_none()} aria-label={redo_label.clone()} title={redo_label} onclick={act(Lab::redo)}><Icon kind={IconKind::Redo} /></button>
            if let Some(text) = saved {
                <span class="saved" title={text.get(lang)}><Icon kind={icon} /><span>{text.get(lang)}</span></span>
            }
        </div>
    }
}
