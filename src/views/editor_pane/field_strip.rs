//! What the field at the caret is: path, type, one sentence.

use crate::i18n::{editor as texts, use_lang};
use crate::state::manifest::{self, describe_type, field_at};
use yew::prelude::*;

/// Properties of [`FieldStrip`].
#[derive(Clone, PartialEq, Properties)]
pub(super) struct FieldStripProps {
    /// The text in the editor.
    pub(super) text: AttrValue,
    /// Where the caret is (UTF-16).
    pub(super) caret: Option<u32>,
    /// Whether Kubernetes' descriptions are there.
    pub(super) described: bool,
}

/// The strip below the text.
#[component]
pub(super) fn FieldStrip(props: &FieldStripProps) -> Html {
    let lang = use_lang();
    // Looked for again only when the text or the caret is another: not whenever time passes in the lab.
    let field = use_memo((props.text.clone(), props.caret), |(text, caret)| {
        caret.and_then(|caret| field_at(text, manifest::byte(text, caret)))
    });
    let body = match field.as_ref() {
        None => html! { <p>{texts::FIELD_NONE.get(lang)}</p> },
        Some(field) if field.unknown => html! {
            <><code>{&field.path}</code><p>{texts::FIELD_UNKNOWN.get(lang)}</p></>
        },
        Some(field) => {
            let about = describe_type(&field.key, lang);
            html! {
                <>
                    <code>{&field.path}<i>{format!(" <{}>", field.type_name)}</i></code>
                    <p>{about}</p>
                </>
            }
        }
    };
    html! {
        <div class="field-strip">
            <span class="field-strip-head">{texts::FIELD.get(lang)}</span>
            {body}
        </div>
    }
}
