//! A workload in the inspector: what it counts, how it replaces pods, its conditions, its rollout and what can be done to it.

use super::inspector::{ObjectProps, fact};
use super::rollout::RolloutChart;
use super::shared::{Command, CopyButton, act, block};
use crate::app::UiContext;
use crate::components::{IconKind, Menu, MenuItem, Notices};
use crate::i18n::{Text, dock, use_lang, workloads as texts};
use crate::session::LabContext;
use crate::state::inspect::age_of;
use crate::state::lab::command_line;
use crate::state::workloads::{Counts, KINDS, Strategy, Workload, kubectl_name, strategy, workload};
use crate::state::{Lang, Selected, UiAction};
use podlab_api::kinds::{CONTROLLER_REVISION, REPLICA_SET};
use podlab_api::{Kind, Object};
use serde_json::Value;
use std::sync::Arc;
use yew::prelude::*;

/// Words after `kubectl` about an object: the namespace is named where it is not the usual one.
pub(super) fn about(words: &[&str], object: &Object) -> Vec<String> {
    let mut line: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
    if object.namespace() != "default" {
        line.extend(["-n".to_owned(), object.namespace().to_owned()]);
    }
    line
}

/// `deployment/web`.
fn named(object: &Object) -> String {
    format!("{}/{}", kubectl_name(object.kind.kind), object.name())
}

/// Whether the kind has revisions to go back to.
fn rolls(object: &Object) -> bool {
    matches!(object.kind.kind, "Deployment" | "StatefulSet" | "DaemonSet")
}

/// The name of a workload, what can be done to it, and its facts.
#[component]
pub(super) fn WorkloadHead(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = &props.object;
    let (now, is_past) = lab.read(|l| (l.shown().sim_now(), l.is_past()));
    let age = object.metadata.creation_timestamp.as_ref().map(|t| age_of(now, t)).unwrap_or_default();
    let view = workload(object);
    let held = if view.kind == "Deployment" { texts::PAUSED } else { texts::SUSPENDED };
    html! {
        <header class="inspect-head">
            <div class="inspect-name">
                <h2>{object.name()}</h2>
                <span class="muted">{object.kind.kind}</span>
                if view.held { <span class="inspect-state s-pend">{held.get(lang)}</span> }
                <span class="gap" />
                <CopyButton text={object.name().to_owned()} label={dock::COPY_NAME.get(lang)} />
                if !is_past { <Actions ..props.clone() /> }
            </div>
            <dl class="facts">
                {fact("ns", object.namespace())}
                if view.revision > 0 { {fact("revision", view.revision.to_string())} }
                if !view.schedule.is_empty() { {fact("schedule", view.schedule.clone())} }
                {for limits(object).into_iter().map(|(name, value)| fact(name, value))}
                {fact("age", age)}
                {fact("image", view.images.join(" "))}
            </dl>
        </header>
    }
}

/// What bounds a Job or CronJob, under the names of its fields.
fn limits(object: &Object) -> Vec<(&'static str, String)> {
    let fields: &[&'static str] = match object.kind.kind {
        "Job" => &["parallelism", "backoffLimit", "activeDeadlineSeconds"],
        "CronJob" => &["concurrencyPolicy", "timeZone"],
        "Deployment" => &["minReadySeconds", "progressDeadlineSeconds", "revisionHistoryLimit"],
        "StatefulSet" => &["podManagementPolicy", "minReadySeconds"],
        _ => &[],
    };
    let spec = object.field("spec");
    let text = |name: &'static str| {
        let value = match spec?.get(name)? {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Some((name, value))
    };
    fields.iter().filter_map(|name| text(name)).collect()
}

/// What one does to a workload, each with the kubectl line that does it.
#[component]
fn Actions(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let notices = use_context::<Notices>();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = props.object.clone();
    let items = Callback::from(move |()| {
        let view = workload(&object);
        let name = named(&object);
        let item = |label: Text, icon: IconKind, danger: bool, words: &[&str]| {
            let words = about(words, &object);
            let line = command_line(&words.iter().map(String::as_str).collect::<Vec<_>>());
            let (lab, notices) = (lab.clone(), notices.clone());
            MenuItem {
                label: label.get(lang).into(),
                detail: line.into(),
                icon,
                danger,
                act: Callback::from(move |()| {
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    act(&lab, notices.as_ref(), lang, &words);
                }),
            }
        };
        let mut items = Vec::new();
        if view.kind == "Deployment" {
            items.push(if view.held {
                item(texts::RESUME, IconKind::Play, false, &["rollout", "resume", &name])
            } else {
                item(texts::PAUSE, IconKind::Pause, false, &["rollout", "pause", &name])
            });
        }
        if rolls(&object) {
            items.push(item(texts::RESTART, IconKind::Restart, false, &["rollout", "restart", &name]));
            items.push(item(texts::UNDO_LAST, IconKind::Undo, false, &["rollout", "undo", &name]));
        }
        if matches!(view.kind, "Job" | "CronJob") {
            let (label, icon, patch) = if view.held {
                (texts::UNSUSPEND, IconKind::Play, r#"{"spec":{"suspend":false}}"#)
            } else {
                (texts::SUSPEND, IconKind::Pause, r#"{"spec":{"suspend":true}}"#)
            };
            items.push(item(label, icon, false, &["patch", &name, "-p", patch]));
        }
        if view.kind == "CronJob" {
            let (job, from) = (format!("{}-now", object.name()), format!("--from={name}"));
            items.push(item(texts::RUN_NOW, IconKind::Play, false, &["create", "job", &job, &from]));
        }
        items.push(item(dock::DELETE, IconKind::Trash, true, &["delete", &name]));
        items
    });
    html! { <Menu label={dock::ACTIONS.get(lang)} {items} /> }
}

/// The Status tab.
#[component]
pub(super) fn WorkloadStatus(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    let object = &props.object;
    let view = workload(object);
    let is_past = lab.read(|l| l.is_past());
    let scales = !matches!(view.kind, "DaemonSet" | "Job" | "CronJob");
    let scale = html! {
        if scales && !is_past { <Scale key={object.uid().to_owned()} ..props.clone() /> }
    };
    html! {
        <>
            {block(texts::PODS.get(lang), html! {}, html! { <>{numbers(&view, lang)}{scale}</> })}
            if let Some(strategy) = strategy(object) {
                {block(texts::STRATEGY.get(lang), html! {}, html! { <p class="note">{strategy_text(strategy, lang)}</p> })}
            }
            {block(dock::CONDITIONS.get(lang), html! {}, conditions(object, lang))}
            if rolls(object) {
                <RolloutChart ..props.clone() />
                <History ..props.clone() />
            }
            {related(object, &view, &lab, &ui, lang)}
        </>
    }
}

/// Every number with what it is one of.
fn numbers(view: &Workload, lang: Lang) -> Html {
    let Counts::Replicas { desired, current, ready, available, updated } = view.counts else {
        return html! { <p class="note">{crate::views::stage::counts_text(view, lang)}</p> };
    };
    let of = texts::COUNT_OF.with(lang, &[("desired", &desired.to_string())]);
    let row = |name: Text, value: i64, of: &str| {
        let short = value < desired && name != texts::CURRENT_WORD;
        html! {
            <div class={classes!(short.then_some("short"))}><dt>{name.get(lang)}</dt><dd>{value}{" "}<small>{of.to_owned()}</small></dd></div>
        }
    };
    html! {
        <dl class="numbers">
            {row(texts::DESIRED, desired, "")}
            {row(texts::CURRENT_WORD, current, &of)}
            if let Some(updated) = updated { {row(texts::UPDATED_WORD, updated, &of)} }
            {row(texts::READY_WORD, ready, &of)}
            {row(texts::AVAILABLE_WORD, available, &of)}
        </dl>
    }
}

fn strategy_text(strategy: Strategy, lang: Lang) -> String {
    let n = |number: i64| number.to_string();
    match strategy {
        Strategy::Recreate => texts::RECREATE.get(lang).to_owned(),
        Strategy::OnDelete => texts::ON_DELETE.get(lang).to_owned(),
        Strategy::Rolling { desired, surge, unavailable } => texts::ROLLING.with(
            lang,
            &[
                ("name", "RollingUpdate"),
                ("surge", &n(surge)),
                ("desired", &n(desired)),
                ("unavailable", &n(unavailable)),
            ],
        ),
        Strategy::Ordinals { partition: 0, unavailable, .. } => {
            texts::ORDINALS.with(lang, &[("unavailable", &n(unavailable))])
        }
        Strategy::Ordinals { partition, .. } => texts::PARTITION.with(lang, &[("partition", &n(partition))]),
    }
}

/// Type, status, reason and message, as the API has them.
fn conditions(object: &Object, lang: Lang) -> Html {
    let list = object.field("status").and_then(|s| s.get("conditions")).and_then(Value::as_array);
    let Some(list) = list.filter(|l| !l.is_empty()) else {
        return html! { <p class="muted">{texts::CONDITIONS_NONE.get(lang)}</p> };
    };
    html! {
        <ul class="workload-conditions">
            {for list.iter().map(|condition| {
                let text = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                let (name, status) = (text("type"), text("status"));
                // Of these True is what somebody should look at, of all others anything else.
                let wants_true = !matches!(name.as_str(), "ReplicaFailure" | "Failed" | "FailureTarget" | "Suspended");
                let bad = (status == "True") != wants_true;
                html! {
                    <li key={name.clone()} class={classes!(bad.then_some("bad"))}>
                        <p><b>{name}</b><code>{status}</code><span>{text("reason")}</span></p>
                        <p class="event-text">{text("message")}</p>
                    </li>
                }
            })}
        </ul>
    }
}

/// Another number of pods.
#[component]
fn Scale(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let notices = use_context::<Notices>();
    let object = &props.object;
    let desired = match workload(object).counts {
        Counts::Replicas { desired, .. } => desired,
        _ => 0,
    };
    let draft = use_state(|| None::<String>);
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let text = (*draft).clone().unwrap_or_else(|| desired.to_string());
    let replicas = text.trim().parse::<u32>().ok();
    let words = replicas.map(|n| about(&["scale", &named(object), &format!("--replicas={n}")], object));
    let line = words.as_ref().map(|w| command_line(&w.iter().map(String::as_str).collect::<Vec<_>>()));
    let run = {
        let (draft, words) = (draft.clone(), words.clone());
        Callback::from(move |()| {
            let Some(words) = &words else { return };
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if act(&lab, notices.as_ref(), lang, &words) {
                draft.set(None);
            }
        })
    };
    let oninput = {
        let draft = draft.clone();
        crate::dom::on_typed(Callback::from(move |typed| draft.set(Some(typed))))
    };
    let onkeydown = crate::dom::on_enter(run.clone());
    html! {
        <>
            <div class="pairs-add scale">
                <label class="muted" for="scale-replicas">{texts::SCALE_TO.get(lang)}</label>
                <input id="scale-replicas" class="field mono" type="number" min="0" inputmode="numeric" value={text} {oninput} {onkeydown} />
                <button type="button" class="button small" disabled={words.is_none()} onclick={run.reform(|_: MouseEvent| ())}>{texts::SCALE.get(lang)}</button>
            </div>
            if let Some(line) = line.filter(|_| draft.is_some()) { <p class="will-run"><code>{line}</code></p> }
        </>
    }
}

/// What `kubectl rollout history` says, and a way back to each revision.
#[component]
fn History(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let notices = use_context::<Notices>();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = props.object.clone();
    let words = about(&["rollout", "history", &named(&object)], &object);
    let is_past = lab.read(|l| l.is_past());
    let revisions = lab.read(|l| revisions(l.shown().world().api.store(), &object));
    let key = (object.uid().to_owned(), object.resource_version(), revisions.clone(), is_past);
    let text = {
        let (lab, words) = (lab.clone(), words.clone());
        use_memo(key, move |_| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let outcome = lab.ask(|l| l.ask(&words));
            format!("{}{}", outcome.text(), outcome.errors()).trim_end().to_owned()
        })
    };
    let line = command_line(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let undo = |revision: i64| {
        let words =
            about(&["rollout", "undo", &named(&object), &format!("--to-revision={revision}")], &object);
        let line = command_line(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let (lab, notices) = (lab.clone(), notices.clone());
        let onclick = move |_: MouseEvent| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            act(&lab, notices.as_ref(), lang, &words);
        };
        let label = texts::UNDO_TO.with(lang, &[("n", &revision.to_string())]);
        html! { <button key={revision.to_string()} type="button" class="button small" title={line} {onclick}>{label}</button> }
    };
    // The last one is what there is now.
    let earlier = revisions.split_last().map(|(_, earlier)| earlier).unwrap_or_default();
    let body = html! {
        <>
            <Command {line} />
            <pre class="describe" tabindex="0">{(*text).clone()}</pre>
            if !is_past && !earlier.is_empty() {
                <p class="node-actions undo-to">{for earlier.iter().rev().take(5).map(|revision| undo(*revision))}</p>
            }
        </>
    };
    block(texts::HISTORY.get(lang), html! {}, body)
}

/// The revisions that one can go back to, the oldest first.
fn revisions(store: &podlab_cluster::store::Store, object: &Object) -> Vec<i64> {
    let owned = |o: &&Arc<Object>| crate::state::workloads::controller(o) == object.uid();
    let namespace = object.namespace();
    let mut numbers: Vec<i64> = if object.kind.kind == "Deployment" {
        let sets = store.list_namespace(&REPLICA_SET, namespace).filter(owned);
        sets.filter_map(|s| s.annotation("deployment.kubernetes.io/revision")?.parse().ok()).collect()
    } else {
        let list = store.list_namespace(&CONTROLLER_REVISION, namespace).filter(owned);
        list.filter_map(|r| r.field("revision")?.as_i64()).collect()
    };
    numbers.sort_unstable();
    numbers
}

/// A button that inspects another object.
fn link(object: &Object, note: String, ui: &UiContext) -> Html {
    let ui = ui.clone();
    let selected = Selected {
        kind: object.kind.kind.to_owned(),
        namespace: object.namespace().to_owned(),
        name: object.name().to_owned(),
        uid: object.uid().to_owned(),
    };
    html! {
        <li key={object.uid().to_owned()}>
            <button type="button" onclick={move |_| ui.dispatch(UiAction::Select(Some(selected.clone())))}>
                <span class="muted">{object.kind.kind}</span><code>{object.name()}</code><span class="gap" /><span class="muted">{note}</span>
            </button>
        </li>
    }
}

/// Its owner, and the workloads that it owns: the newest first.
fn related(object: &Object, view: &Workload, lab: &LabContext, ui: &UiContext, lang: Lang) -> Html {
    let find = |kind: &'static Kind, pick: &dyn Fn(&Object) -> bool| -> Vec<Arc<Object>> {
        lab.read(|l| {
            let store = l.shown().world().api.store();
            store.list_namespace(kind, object.namespace()).filter(|o| pick(o)).cloned().collect()
        })
    };
    let owner = (!view.owner.is_empty())
        .then(|| KINDS.iter().flat_map(|kind| find(kind, &|o| o.uid() == view.owner)).next())
        .flatten();
    let mut owned: Vec<Arc<Object>> = KINDS
        .iter()
        .filter(|kind| matches!(kind.kind, "ReplicaSet" | "Job"))
        .flat_map(|kind| find(kind, &|o| crate::state::workloads::controller(o) == object.uid()))
        .collect();
    owned.sort_by_key(|o| {
        let view = workload(o);
        std::cmp::Reverse((view.revision, view.created))
    });
    html! {
        <>
            if let Some(owner) = owner {
                {block(texts::OWNER.get(lang), html! {}, html! { <ul class="node-pods">{link(&owner, String::new(), ui)}</ul> })}
            }
            if !owned.is_empty() {
                {block(texts::OWNED.get(lang), html! { <span class="muted">{owned.len()}</span> }, html! {
                    <ul class="node-pods">{for owned.iter().map(|o| link(o, crate::views::stage::counts_text(&workload(o), lang), ui))}</ul>
                })}
            }
        </>
    }
}
