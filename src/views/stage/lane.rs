//! The queue: pods that are on no node, in the scheduler's three queues.

use super::model::{Model, PodView, Same};
use crate::i18n::{stage as texts, use_lang};
use yew::prelude::*;

/// How many cards the lane holds before it only counts.
pub(crate) const CARDS: usize = 24;

/// Properties of [`Lane`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct LaneProps {
    pub(crate) model: Same<Model>,
    /// A card a pod, in the order of the queue.
    pub(crate) cards: Vec<Html>,
    pub(crate) on_why: Callback<Same<PodView>>,
}

/// The lane.
#[component]
pub(crate) fn Lane(props: &LaneProps) -> Html {
    let lang = use_lang();
    let (active, backoff, unschedulable) = props.model.queues;
    let queue = |name: &'static str, count: usize, hot: bool| {
        html! { <span class={classes!((hot && count > 0).then_some("hot"))}>{name}<b>{count}</b></span> }
    };
    let empty = props.model.queue.is_empty();
    html! {
        <section class={classes!("lane", empty.then_some("empty"))} aria-label={texts::QUEUE.get(lang)}>
            <header>
                <h3>{texts::QUEUE.get(lang)}</h3>
                <p class="queues">
                    {queue("activeQ", active, false)}
                    {queue("backoffQ", backoff, true)}
                    {queue("unschedulable", unschedulable, true)}
                </p>
            </header>
            if empty {
                <p class="no-pods">{texts::EMPTY.get(lang)}</p>
            } else {
                <ul class="lane-pods">
                    {for props.model.queue.iter().zip(&props.cards).map(|(pod, card)| {
                        let (on_why, why) = (props.on_why.clone(), pod.clone());
                        html! {
                            <li key={pod.uid.clone()}>
                                {card.clone()}
                                <p class="reason">
                                    {if pod.reason.is_empty() { texts::NOT_SCHEDULED.get(lang).to_owned() } else { pod.reason.clone() }}
                                    {" "}
                                    if !pod.reason.is_empty() {
                                        <button type="button" class="link" onclick={move |_| on_why.emit(why.clone())}>{texts::WHY_PENDING.get(lang)}</button>
                                    }
                                </p>
                            </li>
                        }
                    })}
                    if props.model.queue.len() > CARDS { <li class="no-pods">{format!("+{}", props.model.queue.len() - CARDS)}</li> }
                </ul>
            }
        </section>
    }
}
