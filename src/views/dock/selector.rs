//! The selector lab: each requirement explained, who matches, who does not and why, the same in kubectl and YAML.

use super::shared::{Command, CopyButton, block};
use crate::app::UiContext;
use crate::components::{Glyph, Icon, IconKind, PodState};
use crate::i18n::{Text, dock as texts, use_lang};
use crate::session::LabContext;
use crate::state::lab::command_line;
use crate::state::selector_lab::{Miss, Selection, Step, from_yaml, select, to_yaml, without};
use crate::state::{Dock, Lang, Selected, UiAction};
use podlab_api::printers::pod_cells;
use podlab_api::selector::{Mismatch, Operator, Requirement};
use podlab_api::{Object, kinds};
use std::sync::Arc;
use yew::prelude::*;

/// One sentence about a requirement.
fn sentence(requirement: &Requirement, lang: Lang) -> String {
    let text: Text = match requirement.operator() {
        Operator::Equals | Operator::DoubleEquals => texts::REQ_EQUALS,
        Operator::NotEquals => texts::REQ_NOT_EQUALS,
        Operator::In => texts::REQ_IN,
        Operator::NotIn => texts::REQ_NOT_IN,
        Operator::Exists => texts::REQ_EXISTS,
        Operator::DoesNotExist => texts::REQ_ABSENT,
        Operator::GreaterThan => texts::REQ_GREATER,
        Operator::LessThan => texts::REQ_LESS,
    };
    text.with(lang, &[("key", requirement.key()), ("value", &requirement.values().join(", "))])
}

/// Why a pod does not meet a requirement.
pub(super) fn mismatch(key: &str, why: &Mismatch, lang: Lang) -> String {
    let (text, value) = match why {
        Mismatch::MissingKey => (texts::MISS_KEY, ""),
        Mismatch::KeyExists { value } => (texts::MISS_EXISTS, value.as_str()),
        Mismatch::ValueNotIn { value }
        | Mismatch::ValueExcluded { value }
        | Mismatch::OutOfRange { value } => (texts::MISS_VALUE, value.as_str()),
        Mismatch::NotAnInteger { value } => (texts::MISS_NUMBER, value.as_str()),
    };
    text.with(lang, &[("key", key), ("value", value)])
}

/// A requirement as a chip, its operator in the accent colour.
fn chip(step: &Step) -> Html {
    let text = step.text.as_str();
    let key = step.requirement.key();
    match text.find(key) {
        Some(at) => {
            let (before, rest) = (&text[..at], &text[at + key.len()..]);
            let values = rest.find(|c: char| c.is_alphanumeric() || c == '(').map_or(rest.len(), |i| {
                // A word operator is followed by its list.
                if rest.trim_start().starts_with("in") || rest.trim_start().starts_with("notin") {
                    rest.find('(').unwrap_or(rest.len())
                } else {
                    i
                }
            });
            html! { <code class="requirement"><i>{before}</i>{key}<i>{&rest[..values]}</i>{&rest[values..]}</code> }
        }
        None => html! { <code class="requirement">{text}</code> },
    }
}

/// The selector lab.
#[component]
pub(super) fn SelectorLab() -> Html {
    let lang = use_lang();
    let fields = use_state(String::new);
    // The last selector that could be read, whose result stays in sight.
    let valid = use_mut_ref(String::new);
    let manifest = use_state(|| None::<(String, Option<String>)>);
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    if ui.dock != Dock::Selector {
        return html! {};
    }
    let text = ui.selector.clone();
    let evaluate = |labels: &str| -> Selection {
        lab.read(|l| {
            let store = l.shown().world().api.store();
            match &ui.namespace {
                Some(ns) => select(labels, &fields, store.list_namespace(&kinds::POD, ns)),
                None => select(labels, &fields, store.list(&kinds::POD)),
            }
        })
    };
    let newest = evaluate(&text);
    let error = newest.error.clone();
    let field_error = newest.field_error.clone();
    let (selection, stale) = if error.is_some() {
        (evaluate(&valid.borrow().clone()), true)
    } else {
        valid.borrow_mut().clone_from(&text);
        (newest, field_error.is_some())
    };

    let set = {
        let (ui, manifest) = (ui.clone(), manifest.clone());
        Callback::from(move |text: String| {
            manifest.set(None);
            ui.dispatch(UiAction::Selector(text));
        })
    };
    let oninput = crate::dom::on_typed(set.clone());
    let on_fields = {
        let fields = fields.clone();
        crate::dom::on_typed(Callback::from(move |typed| fields.set(typed)))
    };
    let yaml = to_yaml(selection.steps.iter().map(|s| &s.requirement));
    let yaml_text = match (&*manifest, &yaml) {
        (Some((typed, _)), _) => typed.clone(),
        (None, Ok(yaml)) => yaml.clone(),
        (None, Err(_)) => String::new(),
    };
    let on_manifest = {
        let (ui, manifest) = (ui.clone(), manifest.clone());
        Callback::from(move |event: InputEvent| {
            let Some(typed) = crate::dom::value(&event) else { return };
            let error = match from_yaml(&typed) {
                Ok(text) => {
                    ui.dispatch(UiAction::Selector(text));
                    None
                }
                Err(error) => Some(error),
            };
            manifest.set(Some((typed, error)));
        })
    };
    let mut args = vec!["get", "pods"];
    match ui.namespace.as_deref() {
        None => args.push("-A"),
        Some("default") => {}
        Some(ns) => args.extend(["-n", ns]),
    }
    let labels = valid.borrow().clone();
    if !labels.trim().is_empty() {
        args.extend(["-l", &labels]);
    }
    if !fields.trim().is_empty() {
        args.extend(["--field-selector", &fields]);
    }
    let line = command_line(&args);
    let place = match &ui.namespace {
        Some(ns) => texts::SEL_IN_NS.with(lang, &[("ns", ns)]),
        None => texts::SEL_ALL_NS.get(lang).to_owned(),
    };
    let invalid = error.is_some().then_some("true");
    html! {
        <>
            <section class="block">
                <label class="selector-field">
                    <span class="sr">{texts::SEL_LABEL.get(lang)}</span>
                    <code aria-hidden="true">{"-l"}</code>
                    <input id="selector-lab-input" value={text} {oninput} placeholder={texts::SEL_HINT.get(lang)} aria-invalid={invalid} aria-describedby="selector-lab-error" spellcheck="false" autocomplete="off" autocapitalize="off" />
                </label>
                <div id="selector-lab-error" role="status">
                    if let Some((message, _)) = &error { <p class="selector-error"><code>{format!("error: {message}")}</code></p><p class="note">{texts::SEL_KEPT.get(lang)}</p> }
                </div>
                <label class="selector-field">
                    <span class="sr">{texts::SEL_FIELD.get(lang)}</span>
                    <code aria-hidden="true">{"--field-selector"}</code>
                    <input value={(*fields).clone()} oninput={on_fields} placeholder={texts::SEL_FIELD_HINT.get(lang)} aria-invalid={field_error.is_some().then_some("true")} spellcheck="false" autocomplete="off" autocapitalize="off" />
                </label>
                if let Some(error) = &field_error { <p class="selector-error"><code>{error}</code></p> }
                {funnel(&selection, !fields.trim().is_empty() && field_error.is_none(), &place, stale, lang)}
            </section>
            <div class={classes!("selector-result", stale.then_some("stale"))}>
                {block(texts::SEL_REQUIREMENTS.get(lang), html! { <span class="muted">{if selection.steps.is_empty() { texts::SEL_ALL } else { texts::SEL_AND }.get(lang)}</span> }, html! {
                    <ul class="requirements">
                        {for selection.steps.iter().enumerate().map(|(index, step)| {
                            let onclick = {
                                let (set, rest) = (set.clone(), without(&labels, &selection.steps, index));
                                move |_: MouseEvent| set.emit(rest.clone())
                            };
                            html! {
                                <li key={index}>
                                    <p>{chip(step)}<span class="gap" /><span class="requirement-count">{format!("{}/{}", step.alone, selection.all)}</span>
                                        <button type="button" class="icon-button small" aria-label={texts::REMOVE.with(lang, &[("name", &step.text)])} {onclick}><Icon kind={IconKind::Close} /></button></p>
                                    <p class="note">{sentence(&step.requirement, lang)}</p>
                                </li>
                            }
                        })}
                    </ul>
                })}
                {block(texts::SAME_IN_KUBECTL.get(lang), html! {}, html! { <Command {line} /> })}
                {block(texts::SEL_MATCHING.get(lang), html! { <span class="muted">{selection.count}</span> }, pods(&selection.hits, selection.count, &ui, lang))}
                {block(texts::SEL_NOT.get(lang), html! { <span class="muted">{selection.all - selection.count}</span> }, misses(&selection, &ui, lang))}
                {block(texts::SEL_YAML.get(lang), html! { <CopyButton text={yaml_text.clone()} /> }, html! {
                    <>
                        if let Err(operator) = &yaml { if manifest.is_none() { <p class="note">{texts::SEL_YAML_CANNOT.with(lang, &[("operator", operator)])}</p> } }
                        <div class="manifest">
                            <textarea aria-label={texts::SEL_YAML.get(lang)} value={yaml_text.clone()} oninput={on_manifest} rows={(yaml_text.matches('\n').count() + 1).to_string()} spellcheck="false" autocomplete="off" autocapitalize="off" />
                        </div>
                        if let Some((_, Some(error))) = &*manifest { <p class="selector-error"><code>{error}</code></p> }
                        <p class="note">{texts::SEL_YAML_NOTE.get(lang)}</p>
                    </>
                })}
            </div>
        </>
    }
}

fn funnel(selection: &Selection, by_field: bool, place: &str, stale: bool, lang: Lang) -> Html {
    let arrow = || html! { <span class="funnel-arrow" aria-hidden="true">{"→"}</span> };
    html! {
        <p class={classes!("funnel", stale.then_some("stale"))} role="status">
            <span><b>{selection.all}</b>{" "}{if selection.all == 1 { texts::SEL_POD } else { texts::SEL_PODS }.get(lang)}{" "}{place}</span>
            {for selection.steps.iter().map(|step| html! { <>{arrow()}<span><b>{step.left}</b>{" "}{step.requirement.key()}</span></> })}
            if by_field { {arrow()}<span><b>{selection.count}</b>{" "}{"--field-selector"}</span> }
        </p>
    }
}

/// A pod as a button that inspects it.
fn pod_button(pod: &Arc<Object>, ui: &UiContext, note: Html) -> Html {
    let cells = pod_cells(pod);
    let scheduled = pod.node_name().is_some();
    let state = PodState::of(&cells.status, cells.ready, cells.total, scheduled);
    let ui = ui.clone();
    let selected = Selected {
        kind: "Pod".to_owned(),
        namespace: pod.namespace().to_owned(),
        name: pod.name().to_owned(),
        uid: pod.uid().to_owned(),
    };
    html! {
        <li key={pod.uid().to_owned()} class={state.class()}>
            <button type="button" onclick={move |_| ui.dispatch(UiAction::Select(Some(selected.clone())))}>
                <Glyph {state} /><code>{pod.name()}</code><span class="gap" />{note}
            </button>
        </li>
    }
}

fn pods(hits: &[Arc<Object>], count: usize, ui: &UiContext, lang: Lang) -> Html {
    if count == 0 {
        return html! { <p class="muted">{texts::SEL_NONE.get(lang)}</p> };
    }
    html! {
        <>
            <ul class="node-pods">{for hits.iter().map(|pod| pod_button(pod, ui, html! { <span class="muted">{labels_of(pod)}</span> }))}</ul>
            if count > hits.len() { <p class="muted">{texts::SEL_MORE.with(lang, &[("count", &(count - hits.len()).to_string())])}</p> }
        </>
    }
}

fn labels_of(pod: &Object) -> String {
    let labels = pod.metadata.labels.iter().flatten();
    labels.take(3).map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",")
}

fn misses(selection: &Selection, ui: &UiContext, lang: Lang) -> Html {
    let count = selection.all - selection.count;
    if count == 0 {
        return html! { <p class="muted">{texts::SEL_NONE.get(lang)}</p> };
    }
    let note = |miss: &Miss| {
        let step = miss.step.and_then(|i| selection.steps.get(i));
        let failed = step.map_or("--field-selector", |s| s.text.as_str());
        let why = match (step, &miss.why) {
            (Some(step), Some(why)) => mismatch(step.requirement.key(), why, lang),
            _ => String::new(),
        };
        html! { <span class="miss"><span aria-hidden="true">{"× "}</span><code>{failed.to_owned()}</code>{" "}<small>{why}</small></span> }
    };
    html! {
        <>
            <ul class="node-pods dim">{for selection.misses.iter().map(|miss| pod_button(&miss.pod, ui, note(miss)))}</ul>
            if count > selection.misses.len() { <p class="muted">{texts::SEL_MORE.with(lang, &[("count", &(count - selection.misses.len()).to_string())])}</p> }
        </>
    }
}
