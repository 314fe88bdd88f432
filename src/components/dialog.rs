//! A dialog over the page.

use super::{Icon, IconKind};
use crate::i18n::{bars as texts, use_lang};
use web_sys::HtmlDialogElement;
use yew::prelude::*;

/// Properties of [`Dialog`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct DialogProps {
    /// Its heading.
    pub(crate) title: AttrValue,
    /// Called when it was closed, by its button, Esc or a click beside it.
    pub(crate) on_close: Callback<()>,
    /// What it holds.
    pub(crate) children: Html,
    /// Wide enough for columns.
    #[prop_or_default]
    pub(crate) wide: bool,
}

/// A modal dialog. The browser keeps the focus inside and gives it back afterwards.
#[component]
pub(crate) fn Dialog(props: &DialogProps) -> Html {
    let lang = use_lang();
    let place = use_node_ref();
    {
        let place = place.clone();
        use_effect_with((), move |()| {
            let before = gloo::utils::document().active_element();
            let dialog = place.cast::<HtmlDialogElement>();
            if let Some(dialog) = &dialog {
                let _ = dialog.show_modal();
            }
            move || {
                if let Some(dialog) = dialog {
                    dialog.close();
                }
                crate::dom::focus(before);
            }
        });
    }
    let on_close = props.on_close.clone();
    let oncancel = props.on_close.reform(|event: Event| event.prevent_default());
    let onclick = {
        let (place, on_close) = (place.clone(), props.on_close.clone());
        Callback::from(move |event: MouseEvent| {
            // Only the backdrop has the dialog itself as target.
            let target = event.target_dyn_into::<web_sys::Element>();
            if target.is_some() && target == place.cast::<web_sys::Element>() {
                on_close.emit(());
            }
        })
    };
    // Keys inside are the dialog's own.
    let onkeydown = Callback::from(|event: KeyboardEvent| event.stop_propagation());
    html! {
        <dialog class={classes!("dialog", props.wide.then_some("wide"))} aria-label={props.title.clone()} ref={place} {oncancel} {onclick} {onkeydown}>
            <div class="dialog-in">
                <header>
                    <h2>{props.title.clone()}</h2>
                    <button type="button" class="icon-button" aria-label={texts::CLOSE.get(lang)} onclick={move |_| on_close.emit(())}>
                        <Icon kind={IconKind::Close} />
                    </button>
                </header>
                {props.children.clone()}
            </div>
        </dialog>
    }
}
