//! A button that opens a list of actions.

use super::{Icon, IconKind};
use web_sys::{HtmlElement, Node};
use yew::prelude::*;

/// One action of a [`Menu`].
#[derive(Clone, PartialEq)]
pub(crate) struct MenuItem {
    /// What it is called.
    pub(crate) label: AttrValue,
    /// The kubectl line that does the same, or what stands in its place.
    pub(crate) detail: AttrValue,
    /// Icon.
    pub(crate) icon: IconKind,
    /// Whether it takes something away.
    pub(crate) danger: bool,
    /// What it does.
    pub(crate) act: Callback<()>,
}

/// Properties of [`Menu`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct MenuProps {
    /// What a screen reader calls the button.
    pub(crate) label: AttrValue,
    /// The actions, made when the menu opens.
    pub(crate) items: Callback<(), Vec<MenuItem>>,
    /// Icon of the button.
    #[prop_or(IconKind::More)]
    pub(crate) icon: IconKind,
    /// Further classes of the button.
    #[prop_or_default]
    pub(crate) class: Classes,
}

/// A menu button. Arrows move, Enter acts, Esc closes and gives the focus back.
///
/// The list stands in the browser's top layer, placed against the window, so that no pane cuts it off.
#[component]
pub(crate) fn Menu(props: &MenuProps) -> Html {
    let open = use_state(|| None::<(Vec<MenuItem>, String)>);
    let button = use_node_ref();
    let list = use_node_ref();
    let toggle = {
        let (open, button, items) = (open.clone(), button.clone(), props.items.clone());
        Callback::from(move |event: MouseEvent| {
            event.stop_propagation();
            if open.is_some() {
                open.set(None);
            } else {
                let place = button.cast::<web_sys::Element>().map(|b| placed(&b)).unwrap_or_default();
                open.set(Some((items.emit(()), place)));
            }
        })
    };
    {
        let list = list.clone();
        use_effect_with(open.is_some(), move |is_open| {
            if *is_open && let Some(list) = list.cast::<web_sys::Element>() {
                crate::dom::show_popover(&list);
                crate::dom::focus(list.query_selector("[role=menuitem]").ok().flatten());
            }
        });
    }
    let close = {
        let (open, button) = (open.clone(), button.clone());
        Callback::from(move |()| {
            open.set(None);
            crate::dom::focus(button.cast::<web_sys::Element>());
        })
    };
    let onkeydown = {
        let (list, close) = (list.clone(), close.clone());
        Callback::from(move |event: KeyboardEvent| {
            event.stop_propagation();
            let step: i32 = match event.key().as_str() {
                "Escape" => return close.emit(()),
                "ArrowDown" => 1,
                "ArrowUp" => -1,
                "Tab" => {
                    event.prevent_default();
                    return close.emit(());
                }
                _ => return,
            };
            event.prevent_default();
            if let Some(list) = list.cast::<web_sys::Element>() {
                crate::dom::focus_next(&list, "[role=menuitem]", step);
            }
        })
    };
    let onfocusout = {
        let (open, list) = (open.clone(), list.clone());
        Callback::from(move |event: FocusEvent| {
            let to = event.related_target().and_then(|t| wasm_bindgen::JsCast::dyn_into::<Node>(t).ok());
            if !list.cast::<HtmlElement>().is_some_and(|l| l.contains(to.as_ref())) {
                open.set(None);
            }
        })
    };
    html! {
        <>
            <button type="button" class={classes!("icon-button", "small", props.class.clone())} aria-label={props.label.clone()} title={props.label.clone()}
                aria-haspopup="menu" aria-expanded={open.is_some().to_string()} onclick={toggle} ref={button}>
                <Icon kind={props.icon} />
            </button>
            if let Some((items, place)) = &*open {
                <div class="menu" role="menu" popover="manual" aria-label={props.label.clone()} style={place.clone()} ref={list} {onkeydown} {onfocusout}>
                    {for items.iter().map(|item| {
                        let onclick = {
                            let (close, act) = (close.clone(), item.act.clone());
                            Callback::from(move |event: MouseEvent| {
                                event.stop_propagation();
                                close.emit(());
                                act.emit(());
                            })
                        };
                        html! {
                            <button type="button" role="menuitem" tabindex="-1" class={classes!(item.danger.then_some("danger"))} {onclick}>
                                <Icon kind={item.icon} />
                                <span>{item.label.clone()}<code>{item.detail.clone()}</code></span>
                            </button>
                        }
                    })}
                </div>
            }
        </>
    }
}

/// Where the list stands: below its button, or above where there is more room, within the window.
fn placed(button: &web_sys::Element) -> String {
    let at = button.get_bounding_client_rect();
    let window = gloo::utils::window();
    let side = |value: Result<wasm_bindgen::JsValue, _>| value.ok().and_then(|v| v.as_f64()).unwrap_or(0.0);
    let (width, height) = (side(window.inner_width()), side(window.inner_height()));
    let right = (width - at.right()).max(8.0);
    let vertical = if at.bottom() > height * 0.6 {
        format!("bottom:{:.0}px", height - at.top() + 4.0)
    } else {
        format!("top:{:.0}px", at.bottom() + 4.0)
    };
    // A button at the left edge opens to the right.
    if at.right() < 320.0 {
        format!("left:{:.0}px;{vertical}", at.left().max(8.0))
    } else {
        format!("right:{right:.0}px;{vertical}")
    }
}
