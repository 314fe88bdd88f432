//! For teachers: the dialog that breaks something of the learner's, and the banner that says no more than that.

use crate::app::UiContext;
use crate::components::{Dialog, Icon, IconKind, Notice, NoticeKind, Notices};
use crate::i18n::{Text, faults as texts, use_lang};
use crate::session::LabContext;
use crate::state::UiAction;
use crate::state::faults::{Broken, Fault};
use yew::prelude::*;

/// Properties of [`BreakDialog`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct BreakDialogProps {
    /// Called when it is to close.
    pub(crate) on_close: Callback<()>,
}

/// What can be broken, and what that is.
fn words(fault: Fault) -> (Text, Text) {
    match fault {
        Fault::BadImage => (texts::BAD_IMAGE, texts::BAD_IMAGE_TEXT),
        Fault::Crash => (texts::CRASH, texts::CRASH_TEXT),
        Fault::LostNode => (texts::LOST_NODE, texts::LOST_NODE_TEXT),
        Fault::WrongSelector => (texts::WRONG_SELECTOR, texts::WRONG_SELECTOR_TEXT),
        Fault::FullNode => (texts::FULL_NODE, texts::FULL_NODE_TEXT),
        Fault::FailingProbe => (texts::FAILING_PROBE, texts::FAILING_PROBE_TEXT),
    }
}

/// What the lab would have to have.
fn missing(fault: Option<Fault>) -> Text {
    match fault {
        Some(Fault::LostNode) => texts::NOTHING_NODE,
        Some(Fault::WrongSelector) => texts::NOTHING_SERVICE,
        _ => texts::NOTHING_WORKLOAD,
    }
}

/// The dialog.
#[component]
pub(crate) fn BreakDialog(props: &BreakDialogProps) -> Html {
    let lang = use_lang();
    let (lab, ui) = (use_context::<LabContext>(), use_context::<UiContext>());
    let notices = use_context::<Notices>();
    let on_close = props.on_close.clone();
    let act = Callback::from(move |fault: Option<Fault>| {
        let (Some(lab), Some(ui)) = (&lab, &ui) else { return };
        let what = texts::UNDO_NAME.get(lang);
        let broken = lab.update(|l| match fault {
            Some(fault) => l.break_something(fault, what),
            None => l.break_anything(what),
        });
        if broken.is_none()
            && let Some(notices) = &notices
        {
            let notice = Notice::new(NoticeKind::Info, texts::NOTHING.get(lang));
            notices.show(notice.text(missing(fault).get(lang)));
        } else {
            ui.dispatch(UiAction::Broken(broken));
        }
        on_close.emit(());
    });
    let button = |fault: Option<Fault>, (name, text): (Text, Text)| {
        let act = act.clone();
        html! {
            <li key={name.en}>
                <button type="button" class="break-one" onclick={move |_| act.emit(fault)}>
                    <b>{name.get(lang)}</b><span>{text.get(lang)}</span>
                </button>
            </li>
        }
    };
    html! {
        <Dialog title={texts::BREAK.get(lang)} on_close={props.on_close.clone()}>
            <p class="note">{texts::BREAK_TEXT.get(lang)}</p>
            <ul class="break-list">
                {button(None, (texts::ANYTHING, texts::ANYTHING_TEXT))}
                {for Fault::ALL.into_iter().map(|fault| button(Some(fault), words(fault)))}
            </ul>
        </Dialog>
    }
}

/// Properties of [`BrokenBanner`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct BrokenBannerProps {
    /// What was broken last.
    pub(crate) broken: Broken,
}

/// Says that something was broken, and on demand what; gone once that is undone.
#[component]
pub(crate) fn BrokenBanner(props: &BrokenBannerProps) -> Html {
    let lang = use_lang();
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    let broken = &props.broken;
    if !lab.read(|l| broken.stands(l)) {
        return html! {};
    }
    let text = match broken.fault {
        Fault::BadImage => texts::IS_BAD_IMAGE,
        Fault::Crash => texts::IS_CRASH,
        Fault::LostNode => texts::IS_LOST_NODE,
        Fault::WrongSelector => texts::IS_WRONG_SELECTOR,
        Fault::FullNode => texts::IS_FULL_NODE,
        Fault::FailingProbe => texts::IS_FAILING_PROBE,
    };
    let text = text.with(lang, &[("object", &broken.object), ("value", &broken.value)]);
    html! {
        <div class="banner broken">
            <Icon kind={IconKind::Warning} />
            <div>
                <b role="status">{texts::BROKEN.get(lang)}</b>
                <details>
                    <summary>{texts::SHOW.get(lang)}</summary>
                    <p>{text}</p>
                    <dl>
                        <dt>{texts::DONE.get(lang)}</dt><dd><code>{&broken.done}</code></dd>
                        <dt>{texts::LOOK.get(lang)}</dt><dd><code>{&broken.look}</code></dd>
                    </dl>
                </details>
            </div>
            <button type="button" class="icon-button small" aria-label={texts::CLOSE.get(lang)} title={texts::CLOSE.get(lang)}
                onclick={move |_| ui.dispatch(UiAction::Broken(None))}><Icon kind={IconKind::Close} /></button>
        </div>
    }
}
