//! A button that copies a text.

use super::{Icon, IconKind, Notice, NoticeKind, Notices};
use crate::i18n::{dock as texts, use_lang};
use crate::state::Lang;
use yew::prelude::*;

/// Puts a text on the clipboard and says so.
fn copy(text: &str, notices: Option<&Notices>, lang: Lang) {
    let Some(promise) = crate::dom::write_clipboard(text) else { return };
    let notices = notices.cloned();
    yew::platform::spawn_local(async move {
        let kept = wasm_bindgen_futures::JsFuture::from(promise).await.is_ok();
        if let (true, Some(notices)) = (kept, notices) {
            notices.show(Notice::new(NoticeKind::Done, texts::COPIED.get(lang)));
        }
    });
}

/// Properties of [`CopyButton`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct CopyButtonProps {
    /// What is copied.
    pub(crate) text: AttrValue,
    /// What the button is called; empty: Copy.
    #[prop_or_default]
    pub(crate) label: AttrValue,
}

/// A button that copies a text.
#[component]
pub(crate) fn CopyButton(props: &CopyButtonProps) -> Html {
    let lang = use_lang();
    let notices = use_context::<Notices>();
    let label: AttrValue =
        if props.label.is_empty() { texts::COPY.get(lang).into() } else { props.label.clone() };
    let text = props.text.clone();
    let onclick = move |_: MouseEvent| copy(&text, notices.as_ref(), lang);
    html! {
        <button type="button" class="icon-button small" aria-label={label.clone()} title={label} {onclick}><Icon kind={IconKind::Copy} /></button>
    }
}
