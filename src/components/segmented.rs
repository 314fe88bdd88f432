//! A row of choices of which one is chosen: a radio group.

use yew::prelude::*;

/// One choice.
#[derive(Clone, PartialEq)]
pub(crate) struct Choice {
    /// What is shown.
    pub(crate) content: Html,
    /// What a screen reader says; empty: what is shown.
    pub(crate) label: AttrValue,
    /// The language of the label, where it is not the page's.
    pub(crate) lang: Option<AttrValue>,
}

impl Choice {
    /// A choice that shows its text.
    pub(crate) fn text(text: impl Into<AttrValue>) -> Choice {
        let text = text.into();
        Choice { content: html! { {text.clone()} }, label: AttrValue::default(), lang: None }
    }

    /// A choice that shows an icon and is called `label`.
    pub(crate) fn icon(kind: super::IconKind, label: impl Into<AttrValue>) -> Choice {
        Choice { content: html! { <super::Icon {kind} /> }, label: label.into(), lang: None }
    }
}

/// Properties of [`Segmented`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct SegmentedProps {
    /// What the choice is about.
    pub(crate) label: AttrValue,
    /// The choices.
    pub(crate) choices: Vec<Choice>,
    /// Which is chosen.
    pub(crate) chosen: usize,
    /// Called with the one that is chosen next.
    pub(crate) on_choose: Callback<usize>,
    /// Further classes.
    #[prop_or_default]
    pub(crate) class: Classes,
}

/// A radio group in one row: Tab reaches the chosen one, arrows choose.
#[component]
pub(crate) fn Segmented(props: &SegmentedProps) -> Html {
    let group = use_node_ref();
    let count = props.choices.len();
    let onkeydown = {
        let (group, on_choose, chosen) = (group.clone(), props.on_choose.clone(), props.chosen);
        Callback::from(move |event: KeyboardEvent| {
            let next = match event.key().as_str() {
                "ArrowRight" | "ArrowDown" => (chosen + 1) % count.max(1),
                "ArrowLeft" | "ArrowUp" => (chosen + count.saturating_sub(1)) % count.max(1),
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            on_choose.emit(next);
            let button =
                group.cast::<web_sys::Element>().and_then(|g| g.children().item(u32::try_from(next).ok()?));
            crate::dom::focus(button);
        })
    };
    html! {
        <div class={classes!("seg", props.class.clone())} role="radiogroup" aria-label={props.label.clone()} ref={group} {onkeydown}>
            {for props.choices.iter().enumerate().map(|(index, choice)| {
                let checked = index == props.chosen;
                let onclick = props.on_choose.reform(move |_| index);
                let label = (!choice.label.is_empty()).then(|| choice.label.clone());
                html! {
                    <button key={index} type="button" role="radio" aria-checked={checked.to_string()} tabindex={if checked { "0" } else { "-1" }}
                        aria-label={label.clone()} title={label} lang={choice.lang.clone()} {onclick}>
                        {choice.content.clone()}
                    </button>
                }
            })}
        </div>
    }
}
