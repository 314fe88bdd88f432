//! First run.
use crate::app::UiContext;
use crate::state::UiAction;
use yew::prelude::*;
#[component]
pub(crate) fn FirstRun() -> Html {
    let Some(ui) = use_context::<UiContext>() else { return html! {} };
    html! { <section class="first"><button onclick={move |_| ui.dispatch(UiAction::Begin)}>{"Begin"}</button></section> }
}
