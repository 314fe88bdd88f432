//! The Status tab of a pod: conditions, containers, labels.

use super::containers::containers;
use super::edit_pairs::{EditPairs, Pairs};
use super::inspector::ObjectProps;
use super::shared::block;
use crate::components::{Icon, IconKind};
use crate::i18n::{dock as texts, use_lang};
use crate::session::LabContext;
use crate::state::inspect::age_of;
use k8s_openapi::api::core::v1::PodCondition;
use podlab_api::Object;
use podlab_cluster::Cluster;
use podlab_cluster::kubelet::observation::PodObservation;
use podlab_cluster::observe::UpcomingKind;
use podlab_sim::SimTime;
use yew::prelude::*;

/// The order in which a pod's conditions become true.
const ORDER: [&str; 5] =
    ["PodScheduled", "Initialized", "PodReadyToStartContainers", "ContainersReady", "Ready"];

fn conditions(list: &[PodCondition], now: SimTime) -> Html {
    let mut found: Vec<(&str, Option<&PodCondition>)> = ORDER
        .iter()
        .map(|name| (*name, list.iter().find(|c| c.type_ == *name)))
        .filter(|(name, c)| c.is_some() || *name != "PodReadyToStartContainers")
        .collect();
    found.extend(
        list.iter().filter(|c| !ORDER.contains(&c.type_.as_str())).map(|c| (c.type_.as_str(), Some(c))),
    );
    let message = found.iter().filter_map(|(_, c)| c.filter(|c| c.status != "True")?.message.clone()).next();
    html! {
        <>
            <ol class="steps">
                {for found.iter().map(|(name, condition)| {
                    let status = condition.map_or("", |c| c.status.as_str());
                    let is_true = status == "True";
                    let age = condition.and_then(|c| c.last_transition_time.as_ref()).map(|t| age_of(now, t));
                    html! {
                        <li key={(*name).to_owned()} class={classes!((!is_true).then_some("no"))}>
                            <span class="step-dot">
                                if is_true { <Icon kind={IconKind::Check} /> } else if status == "False" { <Icon kind={IconKind::Close} /> }
                            </span>
                            <b>{*name}</b>
                            <span class="sr">{format!(": {}", if status.is_empty() { "-" } else { status })}</span>
                            <span class="step-age">{age}</span>
                        </li>
                    }
                })}
            </ol>
            if let Some(message) = message { <p class="note mono">{message}</p> }
        </>
    }
}

/// How many entries of the agenda are looked at.
const PLANNED: usize = 200;

/// A back-off ends when the agenda says so: a kubelet notices it at its next look, not at the end of the pause itself.
fn planned_restarts(cluster: &Cluster, object: &Object, observed: &mut PodObservation) {
    if observed.containers.iter().all(|c| c.back_off.is_none()) {
        return;
    }
    for upcoming in cluster.upcoming(PLANNED) {
        let UpcomingKind::BackoffEnds { container } = &upcoming.what else { continue };
        if upcoming.name != object.name() || upcoming.namespace != object.namespace() {
            continue;
        }
        let of_container = observed.containers.iter_mut().find(|c| c.name == *container);
        if let Some(back_off) = of_container.and_then(|c| c.back_off.as_mut()) {
            back_off.ends = upcoming.at;
        }
    }
}

/// The tab.
#[component]
pub(super) fn StatusTab(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = &props.object;
    let Some(status) = object.pod_status() else { return html! {} };
    let now = lab.read(|l| l.shown().sim_now());
    let mut observed = lab.read(|l| l.shown().world().kubelets.pod(object.uid()));
    if let Some(observed) = &mut observed {
        lab.read(|l| planned_restarts(l.shown(), object, observed));
    }
    let usage = lab.read(|l| l.shown().world().pod_usage(object.uid()));
    let labels = object.metadata.labels.clone().unwrap_or_default();
    html! {
        <>
            {block(texts::CONDITIONS.get(lang), html! {}, conditions(status.conditions.as_deref().unwrap_or_default(), now))}
            {block(texts::CONTAINERS.get(lang), html! {}, containers(object, observed.as_ref(), usage.as_ref(), now, lang))}
            {block(texts::LABELS.get(lang), html! {}, html! {
                <EditPairs what={Pairs::PodLabels} name={object.name().to_owned()} namespace={object.namespace().to_owned()}
                    pairs={labels.into_iter().map(|(k, v)| (format!("{k}={v}"), k)).collect::<Vec<_>>()} />
            })}
        </>
    }
}
