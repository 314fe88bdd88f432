//! The bar between two panes: drag it, or move it with the arrow keys; a double click resets it.

use wasm_bindgen::JsCast;
use yew::prelude::*;

/// Which pane a splitter sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// The editor, to its left.
    Left,
    /// The dock, to its right.
    Right,
    /// The terminal, below.
    Bottom,
}

/// Properties of [`Splitter`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct SplitterProps {
    /// Which pane it sizes.
    pub(crate) edge: Edge,
    /// What a screen reader says.
    pub(crate) label: AttrValue,
    /// The pane's size in rem.
    pub(crate) size: f64,
    /// Called with a new size in rem; `None`: back to the first.
    pub(crate) on_size: Callback<Option<f64>>,
}

/// A splitter.
#[component]
pub(crate) fn Splitter(props: &SplitterProps) -> Html {
    // Where the drag began, in pixels, and the size then.
    let drag = use_mut_ref(|| None::<(f64, f64)>);
    let edge = props.edge;
    let along = move |event: &PointerEvent| match edge {
        Edge::Left => f64::from(event.client_x()),
        Edge::Right => -f64::from(event.client_x()),
        Edge::Bottom => -f64::from(event.client_y()),
    };
    let onpointerdown = {
        let (drag, size) = (drag.clone(), props.size);
        Callback::from(move |event: PointerEvent| {
            *drag.borrow_mut() = Some((along(&event), size));
            if let Some(bar) = event.target().and_then(|t| t.dyn_into::<web_sys::Element>().ok()) {
                let _ = bar.set_pointer_capture(event.pointer_id());
            }
            event.prevent_default();
        })
    };
    let onpointermove = {
        let (drag, on_size) = (drag.clone(), props.on_size.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some((from, size)) = *drag.borrow() {
                on_size.emit(Some(size + (along(&event) - from) / crate::dom::rem()));
            }
        })
    };
    let onpointerup = Callback::from(move |_: PointerEvent| {
        drag.borrow_mut().take();
    });
    let ondblclick = props.on_size.reform(|_| None);
    let onkeydown = {
        let (on_size, size) = (props.on_size.clone(), props.size);
        Callback::from(move |event: KeyboardEvent| {
            let step = match (edge, event.key().as_str()) {
                (Edge::Left, "ArrowRight") | (Edge::Right, "ArrowLeft") | (Edge::Bottom, "ArrowUp") => 1.0,
                (Edge::Left, "ArrowLeft") | (Edge::Right, "ArrowRight") | (Edge::Bottom, "ArrowDown") => -1.0,
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            on_size.emit(Some(size + step));
        })
    };
    let (class, orientation) = match edge {
        Edge::Left => ("split-left", "vertical"),
        Edge::Right => ("split-right", "vertical"),
        Edge::Bottom => ("split-bottom", "horizontal"),
    };
    html! {
        <div class={classes!("split", class)} role="separator" tabindex="0" aria-orientation={orientation} aria-label={props.label.clone()}
            aria-valuenow={format!("{:.0}", props.size)} aria-valuemin="10" aria-valuemax="60"
            {onpointerdown} {onpointermove} {onpointerup} {ondblclick} {onkeydown} />
    }
}
