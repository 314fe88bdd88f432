//! Short messages in a place of their own: what happened, what to do about it.

use super::{Icon, IconKind};
use crate::i18n::{bars as texts, use_lang};
use crate::session::LabContext;
use gloo::timers::callback::Timeout;
use std::rc::Rc;
use yew::prelude::*;

/// How many are shown at once; older ones make room.
const SHOWN: usize = 4;
/// How long one stays that is no error, in milliseconds.
const STAYS_MS: u32 = 6_000;

/// What a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    /// Something was done.
    Done,
    /// Something to know.
    Info,
    /// Something went another way than one would think.
    Warning,
    /// Something was not done; it stays until it is closed.
    Error,
}

/// A notice.
#[derive(Clone, PartialEq)]
pub(crate) struct Notice {
    /// What it is.
    pub(crate) kind: NoticeKind,
    /// Its heading.
    pub(crate) title: String,
    /// One sentence.
    pub(crate) text: String,
    /// Kubernetes' or kubectl's own text, shown as code.
    pub(crate) code: String,
    /// A button: label and what it does.
    pub(crate) action: Option<(String, Callback<()>)>,
    /// Whether it is of interest only until time runs.
    while_paused: bool,
    /// What it is about.
    about: Option<String>,
}

impl Notice {
    /// A notice with a heading alone.
    pub(crate) fn new(kind: NoticeKind, title: impl Into<String>) -> Notice {
        let (text, code) = (String::new(), String::new());
        Notice { kind, title: title.into(), text, code, action: None, while_paused: false, about: None }
    }

    /// With a sentence.
    #[must_use]
    pub(crate) fn text(mut self, text: impl Into<String>) -> Notice {
        self.text = text.into();
        self
    }

    /// With a text of Kubernetes or kubectl.
    #[must_use]
    pub(crate) fn code(mut self, code: impl Into<String>) -> Notice {
        self.code = code.into();
        self
    }

    /// What it is about: the notice before it about the same goes.
    #[must_use]
    pub(crate) fn about(mut self, about: impl Into<String>) -> Notice {
        self.about = Some(about.into());
        self
    }

    /// Gone once time runs.
    #[must_use]
    pub(crate) fn while_paused(mut self) -> Notice {
        self.while_paused = true;
        self
    }

    /// With a button.
    #[must_use]
    pub(crate) fn action(mut self, label: impl Into<String>, act: Callback<()>) -> Notice {
        self.action = Some((label.into(), act));
        self
    }
}

/// What is shown now.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Shown {
    notices: Vec<(u32, Rc<Notice>)>,
    next: u32,
}

/// A change of what is shown.
pub(crate) enum Change {
    /// One more.
    Show(Notice),
    /// One less.
    Close(u32),
}

impl Reducible for Shown {
    type Action = Change;

    fn reduce(self: Rc<Self>, change: Change) -> Rc<Self> {
        let mut shown = (*self).clone();
        match change {
            Change::Show(notice) => {
                shown.notices.retain(|(_, before)| before.about.is_none() || before.about != notice.about);
                shown.notices.push((shown.next, Rc::new(notice)));
                shown.next = shown.next.wrapping_add(1);
                if shown.notices.len() > SHOWN {
                    shown.notices.remove(0);
                }
            }
            Change::Close(id) => shown.notices.retain(|(other, _)| *other != id),
        }
        Rc::new(shown)
    }
}

/// How a component shows a notice: `notices.show(Notice::new(…))`.
#[derive(Clone, PartialEq)]
pub(crate) struct Notices(UseReducerDispatcher<Shown>);

impl Notices {
    /// Shows a notice.
    pub(crate) fn show(&self, notice: Notice) {
        self.0.dispatch(Change::Show(notice));
    }
}

/// Properties of [`NoticesProvider`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct NoticesProviderProps {
    /// The page.
    pub(crate) children: Html,
}

/// Gives [`Notices`] to everything inside, which shows them with a [`NoticesView`].
#[component]
pub(crate) fn NoticesProvider(props: &NoticesProviderProps) -> Html {
    let shown = use_reducer(Shown::default);
    html! {
        <ContextProvider<Notices> context={Notices(shown.dispatcher())}>
            <ContextProvider<Shown> context={(*shown).clone()}>{props.children.clone()}</ContextProvider<Shown>>
        </ContextProvider<Notices>>
    }
}

/// The notices that are shown.
#[component]
pub(crate) fn NoticesView() -> Html {
    let lang = use_lang();
    let (Some(shown), Some(Notices(dispatcher))) = (use_context::<Shown>(), use_context::<Notices>()) else {
        return html! {};
    };
    let playing = use_context::<LabContext>().is_some_and(|lab| lab.read(|l| l.is_playing()));
    html! {
        <div class="notices" role="region" aria-label={texts::NOTICES.get(lang)} tabindex="-1">
            {for shown.notices.iter().filter(|(_, notice)| !(playing && notice.while_paused)).map(|(id, notice)| {
                let (id, dispatcher) = (*id, dispatcher.clone());
                let on_close = Callback::from(move |()| dispatcher.dispatch(Change::Close(id)));
                html! { <NoticeView key={id} notice={notice.clone()} {on_close} /> }
            })}
        </div>
    }
}

/// Properties of [`NoticeView`].
#[derive(Clone, PartialEq, Properties)]
struct NoticeViewProps {
    notice: Rc<Notice>,
    on_close: Callback<()>,
}

/// One notice. It stays while the pointer is over it or the focus in it.
#[component]
fn NoticeView(props: &NoticeViewProps) -> Html {
    let lang = use_lang();
    let held = use_state(|| false);
    let notice = &props.notice;
    {
        let on_close = props.on_close.clone();
        let stays = notice.kind == NoticeKind::Error || *held;
        use_effect_with(stays, move |stays| {
            let timeout = (!stays).then(|| Timeout::new(STAYS_MS, move || on_close.emit(())));
            move || drop(timeout)
        });
    }
    let hold = |hold: bool| {
        let held = held.clone();
        move || held.set(hold)
    };
    let (enter, leave, focus, blur) = (hold(true), hold(false), hold(true), hold(false));
    let (class, icon, role) = match notice.kind {
        NoticeKind::Done => ("notice-done", IconKind::Check, "status"),
        NoticeKind::Info => ("notice-info", IconKind::Info, "status"),
        NoticeKind::Warning => ("notice-warning", IconKind::Warning, "status"),
        NoticeKind::Error => ("notice-error", IconKind::Warning, "alert"),
    };
    let close = props.on_close.reform(|_| ());
    html! {
        <div class={classes!("notice", class)} {role} onmouseenter={move |_| enter()} onmouseleave={move |_| leave()}
            onfocusin={move |_| focus()} onfocusout={move |_| blur()}>
            <Icon kind={icon} />
            <div>
                <b>{&notice.title}</b>
                if !notice.text.is_empty() { <p>{&notice.text}</p> }
                if !notice.code.is_empty() { <p><code>{&notice.code}</code></p> }
            </div>
            if let Some((label, act)) = &notice.action {
                <button type="button" class="button small" onclick={
                    let (act, on_close) = (act.clone(), props.on_close.clone());
                    move |_| { on_close.emit(()); act.emit(()); }
                }>{label}</button>
            }
            <button type="button" class="icon-button small" aria-label={texts::CLOSE.get(lang)} onclick={close}><Icon kind={IconKind::Close} /></button>
        </div>
    }
}
