//! The ground of the Workloads view: a Deployment over its ReplicaSets over their pods, other workloads likewise, then
//! the pods that nothing keeps alive.

use super::Asked;
use super::actions::use_acting;
use super::cards::{Cards, on_keys};
use super::groups::{Answering, Group, GroupCache, Groups, Space};
use super::model::{Model, PodView, Same};
use super::motion::{Motion, use_motion};
use super::nodes::{Announce, Announced, DOM_PODS, counts, word};
use crate::app::UiContext;
use crate::components::{Glyph, Icon, IconKind, PodState};
use crate::i18n::{stage, use_lang, workloads as texts};
use crate::session::LabContext;
use crate::state::workloads::{Counts, Workload};
use crate::state::{Density, Lang, Selected, UiAction};
use std::collections::BTreeMap;
use std::rc::Rc;
use yew::prelude::*;

/// More pods than this: dots in place of cards.
const CARD_PODS: usize = 40;

/// Properties of [`Workloads`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct WorkloadsProps {
    pub(crate) model: Same<Model>,
    pub(crate) asked: Same<Asked>,
    /// Uid of what is selected.
    pub(crate) selected: AttrValue,
    pub(crate) density: Density,
    /// The namespace that is shown; `None` for all.
    pub(crate) namespace: Option<String>,
    pub(crate) read_only: bool,
    /// Whether nothing travels: paused, past, or too fast.
    pub(crate) calm: bool,
    pub(crate) on_select: Callback<Same<PodView>>,
    pub(crate) on_show_all: Callback<()>,
}

/// The ground.
#[component]
pub(crate) fn Workloads(props: &WorkloadsProps) -> Html {
    let lang = use_lang();
    let ground = use_node_ref();
    let zoomed = use_state(|| None::<String>);
    let acting = use_acting();
    let made = use_mut_ref(|| None::<(Same<Model>, Rc<Groups>)>);
    let cache = use_mut_ref(GroupCache::default);
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    let model = &props.model;
    let groups = {
        let mut made = made.borrow_mut();
        match &*made {
            Some((before, groups)) if before == model => groups.clone(),
            _ => {
                let namespace = props.namespace.as_deref();
                let groups = lab.read(|l| Groups::of(l, model, namespace, &mut cache.borrow_mut()));
                let groups = Rc::new(groups);
                *made = Some((model.clone(), groups.clone()));
                groups
            }
        }
    };
    let all_groups = || groups.spaces.iter().flat_map(|(_, space)| &space.groups);
    let zoom = zoomed.as_ref().and_then(|uid| all_groups().find(|g| g.head.uid == *uid));
    // Above so many pods only a workload that is looked at closely shows its own.
    let tally = zoom.is_none() && model.pods > DOM_PODS;
    let shown_pods = zoom.map_or(model.pods, Group::count);
    let dots = match props.density {
        Density::Auto => shown_pods > CARD_PODS,
        Density::Cards => shown_pods > DOM_PODS,
        Density::Dots => true,
    };
    use_motion(&ground, Motion { model: model.clone(), calm: props.calm, drawn: !tally });
    let mut pods: Vec<Same<PodView>> = Vec::new();
    if !tally {
        match zoom {
            Some(group) => gather(group, &mut pods),
            None => {
                for (_, space) in &groups.spaces {
                    space.groups.iter().for_each(|group| gather(group, &mut pods));
                    pods.extend(space.loose.iter().cloned());
                }
            }
        }
    }
    let cards = Cards {
        model: model.clone(),
        asked: props.asked.clone(),
        selected: props.selected.clone(),
        tab: pods.iter().find(|p| *props.selected == *p.uid).or(pods.first()).map(|p| p.uid.clone()),
        namespaced: false,
        read_only: props.read_only,
        acting,
        on_select: props.on_select.clone(),
    };
    let onkeydown = on_keys(&ground, pods, Some(ui.clone()));
    let on_zoom = use_callback(zoomed.setter(), |uid: Option<String>, zoomed| zoomed.set(uid));
    let drawing = Drawing { cards, dots, tally, lang, ui, on_zoom: on_zoom.clone() };
    let others: usize = if props.namespace.is_some() {
        model.columns.iter().map(|column| column.others.len()).sum()
    } else {
        0
    };
    html! {
        <div class={classes!("ground", "workloads", dots.then_some("dots"))} ref={ground} {onkeydown}>
            {counts(model, lang)}
            {match zoom {
                Some(group) => html! {
                    <>
                        <button type="button" class="button small zoom-out" onclick={move |_| on_zoom.emit(None)}>
                            <Icon kind={IconKind::Dots} />{texts::ALL_WORKLOADS.get(lang)}
                        </button>
                        {drawing.group(group)}
                    </>
                },
                None => html! {
                    {for groups.spaces.iter().map(|(name, space)| drawing.space(name, space, props.namespace.is_none()))}
                },
            }}
            if groups.spaces.iter().all(|(_, s)| s.groups.is_empty() && s.loose.is_empty()) {
                <p class="no-pods">{texts::NO_WORKLOADS.get(lang)}</p>
            }
            if others > 0 {
                <p class="node-foot"><button type="button" class="others" onclick={props.on_show_all.reform(|_| ())}
                    aria-label={stage::SHOW_ALL.with(lang, &[("count", &others.to_string())])}>
                    {stage::OTHERS.with(lang, &[("count", &others.to_string())])}
                </button></p>
            }
            <Announce what={Announced::of(model)} selected={props.selected.clone()} />
        </div>
    }
}

/// The pods of a group in the order in which they are drawn.
fn gather(group: &Group, pods: &mut Vec<Same<PodView>>) {
    group.children.iter().for_each(|child| gather(child, pods));
    pods.extend(group.pods.iter().cloned());
}

/// What drawing needs everywhere.
struct Drawing {
    cards: Cards,
    dots: bool,
    /// States of pods are counted in place of the pods.
    tally: bool,
    lang: Lang,
    ui: UiContext,
    on_zoom: Callback<Option<String>>,
}

impl Drawing {
    fn space(&self, name: &str, space: &Space, named: bool) -> Html {
        let lang = self.lang;
        html! {
            <section class="space" key={name.to_owned()} aria-label={texts::NAMESPACE.with(lang, &[("name", name)])}>
                if named { <h3 class="space-name">{name.to_owned()}</h3> }
                {self.services(&space.services)}
                {for space.groups.iter().map(|group| self.group(group))}
                if !space.loose.is_empty() {
                    <section class="owner loose" aria-label={texts::LOOSE.get(lang)}>
                        <header><h3>{texts::LOOSE.get(lang)}</h3></header>
                        {self.pods(&space.loose)}
                    </section>
                }
            </section>
        }
    }

    fn services(&self, services: &[Answering]) -> Html {
        if services.is_empty() {
            return html! {};
        }
        let lang = self.lang;
        html! {
            <section class="services" aria-label={texts::SERVICES.get(lang)}>
                <h3>{texts::SERVICES.get(lang)}</h3>
                <ul>
                    {for services.iter().map(|Answering { service, ready, all }| {
                        let (text, bad) = if service.kind == "ExternalName" {
                            (texts::STANDS_FOR.with(lang, &[("name", &service.address)]), false)
                        } else if *all > 0 {
                            let text = texts::ENDPOINTS_READY.with(lang, &[("ready", &ready.to_string()), ("all", &all.to_string())]);
                            (text, ready < all)
                        } else if service.selects {
                            (texts::NO_ENDPOINTS.get(lang).to_owned(), true)
                        } else {
                            (texts::NO_SELECTOR.get(lang).to_owned(), false)
                        };
                        let selected = *self.cards.selected == *service.uid;
                        html! {
                            <li key={service.uid.clone()}>
                                <button type="button" class={classes!("service", selected.then_some("selected"))} aria-pressed={selected.to_string()}
                                    onclick={self.select("Service", &service.namespace, &service.name, &service.uid)}>
                                    <b>{&service.name}</b><span>{&service.kind}</span><code>{service.ports.join(" ")}</code>
                                    <span class={classes!(bad.then_some("bad"))}>{text}</span>
                                </button>
                            </li>
                        }
                    })}
                </ul>
            </section>
        }
    }

    fn select(&self, kind: &str, namespace: &str, name: &str, uid: &str) -> Callback<MouseEvent> {
        let ui = self.ui.clone();
        let selected =
            Selected { kind: kind.into(), namespace: namespace.into(), name: name.into(), uid: uid.into() };
        Callback::from(move |_| ui.dispatch(UiAction::Select(Some(selected.clone()))))
    }

    fn group(&self, group: &Group) -> Html {
        let (lang, head) = (self.lang, &group.head);
        let label = format!("{} {}", head.kind, head.name);
        let zoom = self.tally && group.count() > 0;
        let on_zoom = {
            let (on_zoom, uid) = (self.on_zoom.clone(), head.uid.clone());
            move |_: MouseEvent| on_zoom.emit(Some(uid.clone()))
        };
        html! {
            <section class={classes!("owner", (*self.cards.selected == *head.uid).then_some("selected"))} key={head.uid.clone()} aria-label={label}>
                {self.head(head)}
                {for group.children.iter().map(|child| html! {
                    <section class={classes!("owned", child.head.is_empty().then_some("old"), (*self.cards.selected == *child.head.uid).then_some("selected"))}
                        key={child.head.uid.clone()} aria-label={format!("{} {}", child.head.kind, child.head.name)}>
                        {self.head(&child.head)}
                        if !child.pods.is_empty() { {self.pods(&child.pods)} }
                    </section>
                })}
                if group.children.is_empty() || !group.pods.is_empty() { {self.pods(&group.pods)} }
                if zoom {
                    <button type="button" class="button small" onclick={on_zoom}>{texts::SHOW_PODS.with(lang, &[("name", &head.name)])}</button>
                }
            </section>
        }
    }

    fn head(&self, head: &Workload) -> Html {
        let lang = self.lang;
        let held = if head.kind == "Deployment" { texts::PAUSED } else { texts::SUSPENDED };
        html! {
            <header>
                <span class="owner-kind">{head.kind}</span>
                <h3><button type="button" aria-pressed={(*self.cards.selected == *head.uid).to_string()}
                    onclick={self.select(head.kind, &head.namespace, &head.name, &head.uid)}>{&head.name}</button></h3>
                if head.revision > 0 && head.kind == "ReplicaSet" { <span class="label"><b>{texts::REVISION.with(lang, &[("n", &head.revision.to_string())])}</b></span> }
                if head.held { <span class="taint"><Icon kind={IconKind::Pause} />{held.get(lang)}</span> }
                if !head.schedule.is_empty() { <code class="owner-schedule">{&head.schedule}</code> }
                <span class={classes!("owner-counts", is_short(head).then_some("short"))}>{counts_text(head, lang)}</span>
                <code class="owner-image" title={head.images.join(" ")}>{head.images.join(" ")}</code>
            </header>
        }
    }

    fn pods(&self, pods: &[Same<PodView>]) -> Html {
        let lang = self.lang;
        if pods.is_empty() {
            return html! { <p class="no-pods">{texts::NO_PODS.get(lang)}</p> };
        }
        if self.tally {
            return tally(pods, lang);
        }
        html! {
            <div class="pods">
                {for pods.iter().take(DOM_PODS).map(|pod| self.cards.card(pod, self.dots, lang))}
                if pods.len() > DOM_PODS { <p class="no-pods">{texts::MORE_PODS.with(lang, &[("count", &(pods.len() - DOM_PODS).to_string())])}</p> }
            </div>
        }
    }
}

/// Pods as numbers and one bar: where there are too many for an element each.
fn tally(pods: &[Same<PodView>], lang: Lang) -> Html {
    let mut states: BTreeMap<PodState, usize> = BTreeMap::new();
    for pod in pods {
        *states.entry(pod.state).or_default() += 1;
    }
    let words: Vec<String> =
        states.iter().map(|(state, count)| format!("{count} {}", word(*state))).collect();
    let label = texts::TALLY.with(lang, &[("count", &pods.len().to_string()), ("states", &words.join(", "))]);
    html! {
        <div class="tally" role="img" aria-label={label}>
            <span class="tally-bar">{for states.iter().map(|(state, count)| html! { <i class={state.class()} style={format!("flex:{count} 0 0")} /> })}</span>
            {for states.iter().map(|(state, count)| html! { <span class={state.class()}><Glyph state={*state} /><b>{*count}</b>{word(*state)}</span> })}
        </div>
    }
}

/// Whether fewer are ready than are asked for.
fn is_short(head: &Workload) -> bool {
    match head.counts {
        Counts::Replicas { desired, ready, .. } => ready < desired,
        Counts::Job { failed, .. } => failed > 0,
        Counts::CronJob { .. } => false,
    }
}

/// `3/3 ready, 3 available, 3 up to date`.
pub(crate) fn counts_text(head: &Workload, lang: Lang) -> String {
    let n = |number: i64| number.to_string();
    match head.counts {
        Counts::Replicas { desired, current, ready, available, updated } => {
            let main = texts::COUNTS
                .with(lang, &[("ready", &n(ready)), ("desired", &n(desired)), ("available", &n(available))]);
            let rest = match updated {
                Some(updated) => texts::UPDATED.with(lang, &[("updated", &n(updated))]),
                None => texts::CURRENT.with(lang, &[("current", &n(current))]),
            };
            format!("{main}, {rest}")
        }
        Counts::Job { completions, succeeded, active, failed } => {
            let main = match completions {
                Some(all) => {
                    texts::JOB_OF.with(lang, &[("succeeded", &n(succeeded)), ("completions", &n(all))])
                }
                None => texts::JOB_ANY.with(lang, &[("succeeded", &n(succeeded))]),
            };
            let rest = texts::JOB_ACTIVE.with(lang, &[("active", &n(active)), ("failed", &n(failed))]);
            format!("{main}, {rest}")
        }
        Counts::CronJob { active } => texts::CRON_ACTIVE.with(lang, &[("active", &active.to_string())]),
    }
}
