//! A pod's card.

use super::model::{PodView, Same, Verdict};
use crate::components::{Glyph, Icon, IconKind, PodState};
use crate::i18n::{stage as texts, use_lang};
use crate::state::Lang;
use yew::prelude::*;

/// Properties of [`Card`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct CardProps {
    /// The pod.
    pub(crate) pod: Same<PodView>,
    /// Its age, as kubectl prints it.
    pub(crate) age: AttrValue,
    /// Seconds until its back-off or grace period ends, and the part of a back-off that is left.
    #[prop_or_default]
    pub(crate) countdown: Option<(u32, f64)>,
    /// What the selector says.
    #[prop_or_default]
    pub(crate) verdict: Verdict,
    /// Whether it is selected.
    #[prop_or_default]
    pub(crate) selected: bool,
    /// Whether Tab reaches it: one card of the stage is.
    #[prop_or_default]
    pub(crate) tab: bool,
    /// Whether the namespace is shown too.
    #[prop_or_default]
    pub(crate) namespaced: bool,
    /// As a dot alone.
    #[prop_or_default]
    pub(crate) dot: bool,
    /// Called with the pod that is clicked.
    pub(crate) on_select: Callback<Same<PodView>>,
}

/// What a screen reader says of a pod.
fn spoken(props: &CardProps, lang: Lang) -> String {
    let pod = &props.pod;
    let number = |n: &dyn ToString| n.to_string();
    let mut parts = vec![pod.name.clone(), pod.status.clone()];
    parts.push(
        texts::ARIA_READY.with(lang, &[("ready", &number(&pod.ready)), ("total", &number(&pod.total))]),
    );
    if pod.restarts > 0 {
        parts.push(texts::ARIA_RESTARTS.with(lang, &[("count", &number(&pod.restarts))]));
    }
    match (pod.state, props.countdown) {
        (PodState::Terminating, Some((s, _))) => {
            parts.push(texts::ARIA_GRACE.with(lang, &[("seconds", &number(&s))]));
        }
        (_, Some((s, _))) => parts.push(texts::ARIA_BACKOFF.with(lang, &[("seconds", &number(&s))])),
        _ => {}
    }
    match &props.verdict {
        Verdict::None => {}
        Verdict::Hit(_) => parts.push(texts::ARIA_MATCHES.get(lang).to_owned()),
        Verdict::Miss(requirement) => {
            parts.push(texts::ARIA_MISSES.with(lang, &[("requirement", requirement)]));
        }
    }
    parts.join(", ")
}

/// A pod as one button: glyph, name, ready; word, countdown, restarts, age; two labels.
#[component]
pub(crate) fn Card(props: &CardProps) -> Html {
    let lang = use_lang();
    let pod = &props.pod;
    let onclick = {
        let (on_select, pod) = (props.on_select.clone(), pod.clone());
        move |event: MouseEvent| {
            event.stop_propagation();
            on_select.emit(pod.clone());
        }
    };
    let class = classes!(
        "pod",
        pod.state.class(),
        props.dot.then_some("dot"),
        props.selected.then_some("selected"),
        match props.verdict {
            Verdict::None => None,
            Verdict::Hit(_) => Some("hit"),
            Verdict::Miss(_) => Some("dim"),
        },
    );
    let left = match pod.state {
        PodState::Crash => props.countdown.map(|(_, left)| left),
        _ => None,
    };
    let glyph = html! { <Glyph key={format!("{:?}", pod.state)} state={pod.state} {left} /> };
    let label = spoken(props, lang);
    let tabindex = if props.tab { "0" } else { "-1" };
    if props.dot {
        return html! {
            <button type="button" class={classes!(class, "pod-button")} data-uid={pod.uid.clone()} title={label.clone()} aria-label={label} aria-pressed={props.selected.to_string()} {tabindex} {onclick}>
                {glyph}<i class="pulse" />
            </button>
        };
    }
    // The stem may be cut short; what tells a ReplicaSet's pods apart never is.
    let (stem, tail) = match pod.name.rfind('-') {
        Some(at) if pod.name.len() - at == 6 && at > 0 => pod.name.split_at(at),
        _ => (pod.name.as_str(), ""),
    };
    let ready = format!("{}/{}", pod.ready, pod.total);
    let half = pod.state == PodState::NotReady;
    html! {
        <div {class} data-uid={pod.uid.clone()}>
            // What is seen is cut short where there is no room; the button over it says all of it.
            <button type="button" class="pod-button" data-uid={pod.uid.clone()} title={label.clone()} aria-label={label} aria-pressed={props.selected.to_string()} {tabindex} {onclick} />
            <span class="pod-head" aria-hidden="true">
                {glyph}<i class="pulse" />
                <span class="pod-name" title={pod.name.clone()}><span class="stem">{stem}</span>{tail}</span>
                <span class={classes!("pod-ready", half.then_some("half"))}>{ready}</span>
            </span>
            <span class="pod-state" aria-hidden="true">
                <b>{&pod.status}</b>
                if half { <span>{texts::NOT_READY.get(lang)}</span> }
                if let Some((seconds, _)) = props.countdown { <span class="countdown">{format!("{seconds}s")}</span> }
                <span class="pod-meta">
                    if pod.restarts > 0 { <span>{format!("↻{}", pod.restarts)}</span> }
                    <span>{props.age.clone()}</span>
                </span>
            </span>
            <span class="pod-labels" aria-hidden="true">
                if props.namespaced { <span class="label"><b>{&pod.namespace}</b></span> }
                {match &props.verdict {
                    Verdict::Hit(keys) if !keys.is_empty() => keys.iter().map(|key| html! {
                        <span class="verdict"><Icon kind={IconKind::Check} />{key}</span>
                    }).collect::<Html>(),
                    Verdict::Miss(requirement) => html! { <span class="verdict miss" title={requirement.to_string()}><Icon kind={IconKind::Close} /><span>{requirement}</span></span> },
                    _ => labels(pod),
                }}
            </span>
        </div>
    }
}

/// Two labels, a third where the card is wide, and how many more there are.
fn labels(pod: &PodView) -> Html {
    let count = pod.labels.len();
    let shown = pod.labels.iter().take(3).enumerate().map(|(index, (key, value))| {
        html! { <span class={classes!("label", (index == 2).then_some("third"))}>{key}{"="}<b>{value}</b></span> }
    });
    html! {
        <>
            {for shown}
            if count > 2 { <span class="label more">{format!("+{}", count - 2)}</span> }
            if count > 3 { <span class="label more-wide">{format!("+{}", count - 3)}</span> }
        </>
    }
}
