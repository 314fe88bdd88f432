//! What the field at the caret is: path, type, one sentence.

use super::DescriptionsCell;
use crate::i18n::{editor as texts, use_lang};
use crate::session::LabContext;
use crate::state::manifest::{self, describe_type, field_at};
use yew::prelude::*;

/// Properties of [`FieldStrip`].
#[derive(Clone, Properties)]
pub(super) struct FieldStripProps {
    /// Where the caret is (UTF-16).
    pub(super) caret: Option<u32>,
    /// Kubernetes' descriptions.
    pub(super) descriptions: DescriptionsCell,
}

impl PartialEq for FieldStripProps {
    fn eq(&self, other: &FieldStripProps) -> bool {
        self.caret == other.caret && std::rc::Rc::ptr_eq(&self.descriptions, &other.descriptions)
    }
}

/// The strip below the text.
#[component]
pub(super) fn FieldStrip(props: &FieldStripProps) -> Html {
    let lang = use_lang();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let field = props.caret.and_then(|caret| {
        lab.read(|l| {
            let text = &l.files.active().text;
            field_at(text, manifest::byte(text, caret))
        })
    });
    let body = match &field {
        None => html! { <p>{texts::FIELD_NONE.get(lang)}</p> },
        Some(field) if field.unknown => html! {
            <><code>{&field.path}</code><p>{texts::FIELD_UNKNOWN.get(lang)}</p></>
        },
        Some(field) => {
            let about = describe_type(&field.key, lang, &props.descriptions.borrow());
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
