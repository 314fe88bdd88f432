//! TimeBar.
use crate::state::Lab;
use podlab_sim::SimTime;
use yew::prelude::*;
#[component]
pub(crate) fn TimeBar() -> Html {
    html! { <section class="time" /> }
}
pub(crate) fn last_tick_before(_lab: &mut Lab, _at: SimTime) -> Option<SimTime> {
    None
}
