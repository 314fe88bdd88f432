//! The page's dialogs: shortcuts, a new lab, examples, another node, labels and taints.

use super::faults::BreakDialog;
use super::stage::{Acting, use_acting};
use crate::app::{DialogContext, OpenDialog, UiContext};
use crate::components::{Dialog, Glyph, Icon, IconKind, PodState};
use crate::i18n::{bars as texts, stage, use_lang};
use crate::session::LabContext;
use crate::state::{EXAMPLES, Example, Lab, Pane, UiAction};
use podlab_api::kinds::{NODE, POD};
use podlab_api::{Door, Quantity, Request};
use podlab_cluster::cluster::Act;
use podlab_cluster::settings::{NodeSettings, Settings};
use std::collections::BTreeSet;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

/// The dialog that is open.
#[component]
pub(crate) fn Dialogs() -> Html {
    let Some(dialog) = use_context::<DialogContext>() else { return html! {} };
    let on_close = {
        let dialog = dialog.clone();
        Callback::from(move |()| dialog.set(None))
    };
    match &*dialog {
        None => html! { <Building /> },
        Some(OpenDialog::Shortcuts) => html! { <Shortcuts {on_close} /> },
        Some(OpenDialog::NewLab) => html! { <Machines {on_close} whole={true} /> },
        Some(OpenDialog::AddNode) => html! { <Machines {on_close} whole={false} /> },
        Some(OpenDialog::Break) => html! { <BreakDialog {on_close} /> },
        Some(OpenDialog::Examples) => html! { <Examples {on_close} /> },
        Some(OpenDialog::Labels(kind, namespace, name)) => {
            html! { <Pairs {on_close} taints={false} kind={*kind} namespace={namespace.clone()} name={name.clone()} /> }
        }
        Some(OpenDialog::Taints(name)) => {
            html! { <Pairs {on_close} taints={true} kind="node" namespace="" name={name.clone()} /> }
        }
    }
}

/// How far a large cluster is set up.
#[component]
fn Building() -> Html {
    let lang = use_lang();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let Some((nodes, done)) = lab.read(Lab::building) else { return html! {} };
    let on_close = {
        let lab = lab.clone();
        Callback::from(move |()| lab.update(Lab::stop_building))
    };
    let text = texts::BUILDING_TEXT.with(lang, &[("nodes", &nodes.to_string())]);
    let percent = format!("{:.0}", done * 100.0);
    html! {
        <Dialog title={texts::BUILDING.get(lang)} on_close={on_close.clone()}>
            <p class="note">{text}</p>
            <p class="building"><progress max="100" value={percent.clone()} aria-label={texts::BUILDING.get(lang)} /><b>{percent}{" %"}</b></p>
            <footer><button type="button" class="button" onclick={on_close.reform(|_: MouseEvent| ())}>{texts::CANCEL.get(lang)}</button></footer>
        </Dialog>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct CloseProps {
    on_close: Callback<()>,
}

/// Shortcuts, and what the glyphs mean.
#[component]
fn Shortcuts(props: &CloseProps) -> Html {
    let lang = use_lang();
    let ui = use_context::<UiContext>();
    let on = ui.as_ref().is_some_and(|ui| ui.shortcuts);
    let toggle = move |_: Event| {
        if let Some(ui) = &ui {
            ui.dispatch(UiAction::Shortcuts(!ui.shortcuts));
        }
    };
    let anywhere: [(&[&str], _); 5] = [
        (&["Ctrl", "↵"], texts::APPLY),
        (&["Ctrl", "`"], texts::KEY_TERMINAL),
        (&["F6"], texts::KEY_PANE),
        (&["Esc"], texts::KEY_ESCAPE),
        (&["?"], texts::SHORTCUTS),
    ];
    let stage: [(&[&str], _); 8] = [
        (&["Space"], texts::KEY_PLAY),
        (&["."], texts::STEP),
        (&[","], texts::STEP_BACK),
        (&["1", "…", "5"], texts::SPEED),
        (&["/"], texts::KEY_SELECTOR),
        (&["←", "→", "↑", "↓"], texts::KEY_MOVE),
        (&["↵"], texts::KEY_INSPECT),
        (&["W"], texts::KEY_WHY),
    ];
    let editor: [(&[&str], _); 3] = [
        (&["Ctrl", "."], texts::KEY_FIX),
        (&["F8"], texts::KEY_PROBLEM),
        (&["Esc", "Tab"], texts::KEY_LEAVE),
    ];
    let list = |rows: &[(&[&str], crate::i18n::Text)]| {
        html! {
            <dl>
                {for rows.iter().map(|(keys, text)| html! {
                    <div><dt>{for keys.iter().map(|k| html! { <kbd>{*k}</kbd> })}</dt><dd>{text.get(lang)}</dd></div>
                })}
            </dl>
        }
    };
    let states = [
        (PodState::Running, "Running"),
        (PodState::NotReady, "Running (not ready)"),
        (PodState::Pending, "Pending"),
        (PodState::Waiting, "ContainerCreating"),
        (PodState::Crash, "CrashLoopBackOff"),
        (PodState::Image, "ImagePullBackOff"),
        (PodState::Failed, "Error"),
        (PodState::Completed, "Completed"),
        (PodState::Terminating, "Terminating"),
    ];
    html! {
        <Dialog title={texts::SHORTCUTS.get(lang)} wide={true} on_close={props.on_close.clone()}>
            <div class="key-grid">
                <div><h3>{texts::KEYS_ANYWHERE.get(lang)}</h3>{list(&anywhere)}</div>
                <div><h3>{texts::KEYS_STAGE.get(lang)}</h3>{list(&stage)}</div>
                <div>
                    <h3>{texts::KEYS_EDITOR.get(lang)}</h3>{list(&editor)}
                    <h3 class="legend-head">{texts::KEYS_STATES.get(lang)}</h3>
                    <ul class="legend">
                        {for states.iter().map(|(state, name)| html! { <li class={state.class()}><Glyph state={*state} /><b>{*name}</b></li> })}
                    </ul>
                </div>
            </div>
            <label class="row"><input type="checkbox" checked={on} onchange={toggle} />{texts::SHORTCUTS_ON.get(lang)}</label>
            <p class="note">{texts::SHORTCUTS_NOTE.get(lang)}</p>
        </Dialog>
    }
}

/// Opens an example as a file, applies it and lets time run.
pub(crate) fn run_example(acting: &Acting, ui: &UiContext, example: &Example) {
    run_manifest(acting, ui, example.slug, example.yaml);
}

/// Opens a manifest as a file, applies it and lets time run.
pub(crate) fn run_manifest(acting: &Acting, ui: &UiContext, stem: &str, yaml: &str) {
    let name = acting.lab.update(|lab| {
        lab.return_to_now();
        // An untouched first file makes room.
        let empty = lab.files.active().text.trim().is_empty();
        let index = lab.files.active_index();
        lab.files.add(stem, yaml);
        if empty && lab.files.all().len() > 1 {
            let last = lab.files.all().len() - 1;
            lab.files.remove(index);
            lab.files.select(last - 1);
            lab.files.rename(last - 1, &format!("{stem}.yaml"));
        }
        lab.files.active().name.clone()
    });
    ui.dispatch(UiAction::Begin);
    ui.dispatch(UiAction::Pane(Pane::Cluster));
    acting.kubectl(&["apply", "-f", &name]);
    acting.lab.update(|lab| lab.set_playing(true));
}

/// The gallery.
#[component]
fn Examples(props: &CloseProps) -> Html {
    let lang = use_lang();
    let (acting, ui) = (use_acting(), use_context::<UiContext>());
    html! {
        <Dialog title={texts::EXAMPLES.get(lang)} wide={true} on_close={props.on_close.clone()}>
            <p class="note">{texts::EXAMPLES_TEXT.get(lang)}</p>
            <ul class="examples">
                {for EXAMPLES.iter().map(|example| {
                    let (acting, ui, on_close) = (acting.clone(), ui.clone(), props.on_close.clone());
                    let run = move |_: MouseEvent| {
                        on_close.emit(());
                        if let (Some(acting), Some(ui)) = (&acting, &ui) {
                            run_example(acting, ui, example);
                        }
                    };
                    html! { <li><button type="button" onclick={run}><b>{example.title(lang)}</b><span>{example.about(lang)}</span></button></li> }
                })}
            </ul>
        </Dialog>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct MachinesProps {
    on_close: Callback<()>,
    /// A whole lab, not one more node.
    whole: bool,
}

/// Names of `count` nodes: one control plane, the others workers as in exam labs.
fn machines(count: usize, cpu: &str, memory: &str, pods: u32) -> Vec<NodeSettings> {
    let worker = |i: usize| NodeSettings::worker(&format!("node{i:02}"));
    let nodes =
        std::iter::once(NodeSettings::control_plane("controlplane")).chain((1..).map(worker)).take(count);
    nodes.map(|node| NodeSettings { cpu: cpu.to_owned(), memory: memory.to_owned(), pods, ..node }).collect()
}

/// Whether a text can name a machine: lower case letters, digits, `-`, an alphanumeric at both ends.
fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    text.len() <= 63
        && text.chars().all(inner)
        && text.starts_with(|c| c != '-' && c != '.')
        && !text.is_empty()
        && !text.ends_with(['-', '.'])
}

/// A new lab, or one more node: how many, how big.
#[component]
fn Machines(props: &MachinesProps) -> Html {
    let lang = use_lang();
    let (Some(acting), Some(ui)) = (use_acting(), use_context::<UiContext>()) else { return html! {} };
    let whole = props.whole;
    let place = use_node_ref();
    let error = use_state(|| None::<String>);
    let free = use_memo((), |()| {
        let nodes = acting.lab.ask(|l| l.shown_mut().request(Request::list(&NODE, "")).into_list());
        let names: BTreeSet<String> =
            nodes.map(|l| l.items.iter().map(|n| n.name().to_owned()).collect()).unwrap_or_default();
        (1..).map(|i| format!("node{i:02}")).find(|n| !names.contains(n)).unwrap_or_default()
    });
    let onsubmit = {
        let (place, error, acting, ui, on_close) =
            (place.clone(), error.clone(), acting.clone(), ui.clone(), props.on_close.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            let value = |name: &str| {
                let form = place.cast::<web_sys::Element>()?;
                let input = form.query_selector(&format!("[name={name}]")).ok()??;
                Some(
                    wasm_bindgen::JsCast::dyn_into::<HtmlInputElement>(input).ok()?.value().trim().to_owned(),
                )
            };
            let text = |name: &str| value(name).unwrap_or_default();
            let (name, cpu, memory) = (text("name"), text("cpu"), text("memory"));
            let wrong =
                [&cpu, &memory].into_iter().find(|q| !Quantity::parse(q).is_ok_and(|q| q.signum() > 0));
            if let Some(value) = wrong {
                return error.set(Some(texts::QUANTITY_WRONG.with(lang, &[("value", value)])));
            }
            let Some(pods) = text("pods").parse::<u32>().ok().filter(|p| (1..=1000).contains(p)) else {
                return error.set(Some(texts::PODS_WRONG.get(lang).to_owned()));
            };
            if whole {
                let Some(count) = text("nodes").parse::<usize>().ok().filter(|n| (1..=5000).contains(n))
                else {
                    return error.set(Some(texts::NODES_WRONG.get(lang).to_owned()));
                };
                let Ok(seed) = text("seed").parse() else {
                    return error.set(Some(texts::SEED_WRONG.get(lang).to_owned()));
                };
                let settings =
                    Settings { seed, nodes: machines(count, &cpu, &memory, pods), ..Settings::default() };
                let name = if name.is_empty() { "lab".to_owned() } else { name };
                acting.lab.update(|lab| lab.open(&name, settings));
                ui.dispatch(UiAction::Select(None));
                ui.dispatch(UiAction::Begin);
                ui.dispatch(UiAction::Pane(Pane::Cluster));
            } else {
                let exists = acting
                    .lab
                    .ask(|l| l.shown_mut().request(Request::get(&NODE, "", &name)).into_object().is_ok());
                if exists || !is_name(&name) {
                    return error.set(Some(stage::NODE_NAME_WRONG.with(lang, &[("name", &name)])));
                }
                let node = NodeSettings { cpu, memory, pods, ..NodeSettings::worker(&name) };
                acting.machine(&stage::NODE_ADDED.with(lang, &[("name", &name)]), Act::AddNode(node));
            }
            on_close.emit(());
        })
    };
    let field = |name: &'static str, label: &'static str, value: String, hint: &'static str, number: bool| {
        html! {
            <label>{label}
                <input class="field mono" {name} value={value} inputmode={number.then_some("numeric")} autocomplete="off" spellcheck="false" />
                if !hint.is_empty() { <small>{hint}</small> }
            </label>
        }
    };
    let title = if whole { texts::NEW_LAB } else { texts::ADD_NODE }.get(lang);
    html! {
        <Dialog {title} on_close={props.on_close.clone()}>
            <form ref={place} {onsubmit} novalidate={true}>
                if whole && ui.begun { <p class="note">{texts::NEW_LAB_TEXT.get(lang)}</p> }
                <div class="form">
                    {field("name", texts::LAB_NAME.get(lang), if whole { "lab".to_owned() } else { (*free).clone() }, "", false)}
                    if whole { {field("nodes", texts::NODES.get(lang), "3".to_owned(), texts::NODES_HINT.get(lang), true)} }
                    {field("cpu", texts::CPU.get(lang), "2".to_owned(), "", false)}
                    {field("memory", texts::MEMORY.get(lang), "4Gi".to_owned(), "", false)}
                    {field("pods", texts::PODS.get(lang), "110".to_owned(), "", true)}
                    if whole { {field("seed", texts::SEED.get(lang), "1".to_owned(), texts::SEED_HINT.get(lang), true)} }
                </div>
                if let Some(error) = &*error { <p class="form-error" role="alert">{error}</p> }
                <footer>
                    <button type="button" class="button ghost" onclick={props.on_close.reform(|_| ())}>{texts::CANCEL.get(lang)}</button>
                    <button type="submit" class="button primary">{if whole { texts::CREATE } else { texts::ADD }.get(lang)}</button>
                </footer>
            </form>
        </Dialog>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct PairsProps {
    on_close: Callback<()>,
    /// Taints, not labels.
    taints: bool,
    kind: &'static str,
    namespace: AttrValue,
    name: AttrValue,
}

/// A label, or a taint with its effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Pair {
    key: String,
    value: String,
    effect: String,
}

const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// The pairs that the object has now.
fn pairs_of(lab: &LabContext, props: &PairsProps) -> Vec<Pair> {
    let kind = if props.kind == "pod" { &POD } else { &NODE };
    let object =
        lab.ask(|l| l.shown_mut().request(Request::get(kind, &props.namespace, &props.name)).into_object());
    let Ok(object) = object else { return Vec::new() };
    if props.taints {
        let taints = object.node_spec().into_iter().flat_map(|s| s.taints.iter().flatten());
        let pair = |t: &k8s_openapi::api::core::v1::Taint| Pair {
            key: t.key.clone(),
            value: t.value.clone().unwrap_or_default(),
            effect: t.effect.clone(),
        };
        taints.map(pair).collect()
    } else {
        let labels = object.metadata.labels.iter().flatten();
        labels
            .map(|(key, value)| Pair { key: key.clone(), value: value.clone(), effect: String::new() })
            .collect()
    }
}

/// The words of the kubectl line that makes `after` of `before`; `None` where nothing has changed.
fn pairs_line(props: &PairsProps, before: &[Pair], after: &[Pair]) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let same = |a: &Pair, b: &Pair| a.key == b.key && a.effect == b.effect;
    let mut overwrites = false;
    for pair in after.iter().filter(|p| !p.key.trim().is_empty()) {
        let old = before.iter().find(|b| same(b, pair));
        if old.is_some_and(|o| o.value == pair.value) {
            continue;
        }
        overwrites |= old.is_some();
        let (key, value) = (pair.key.trim(), pair.value.trim());
        words.push(match (props.taints, value.is_empty()) {
            (false, _) => format!("{key}={value}"),
            (true, true) => format!("{key}:{}", pair.effect),
            (true, false) => format!("{key}={value}:{}", pair.effect),
        });
    }
    for old in before.iter().filter(|b| !after.iter().any(|a| same(a, b))) {
        words.push(if props.taints {
            format!("{}:{}-", old.key, old.effect)
        } else {
            format!("{}-", old.key)
        });
    }
    if words.is_empty() {
        return None;
    }
    let verb = if props.taints { "taint" } else { "label" };
    let mut line = vec![verb.to_owned(), props.kind.to_owned(), props.name.to_string()];
    line.extend(words);
    if !props.namespace.is_empty() {
        line.extend(["-n".to_owned(), props.namespace.to_string()]);
    }
    if overwrites {
        line.push("--overwrite".to_owned());
    }
    Some(line)
}

/// Edits labels or taints; the kubectl line that does the same is shown and run.
#[component]
fn Pairs(props: &PairsProps) -> Html {
    let lang = use_lang();
    let acting = use_acting();
    let before = use_memo((), |()| acting.as_ref().map(|a| pairs_of(&a.lab, props)).unwrap_or_default());
    let pairs = use_state(|| (*before).clone());
    let line = pairs_line(props, &before, &pairs);
    let set = |index: usize, change: fn(&mut Pair, String)| {
        let pairs = pairs.clone();
        move |value: String| {
            let mut next = (*pairs).clone();
            if let Some(pair) = next.get_mut(index) {
                change(pair, value);
            }
            pairs.set(next);
        }
    };
    let typed = |event: InputEvent| {
        event.target_dyn_into::<HtmlInputElement>().map(|i| i.value()).unwrap_or_default()
    };
    let add = {
        let (pairs, taints) = (pairs.clone(), props.taints);
        move |_: MouseEvent| {
            let mut next = (*pairs).clone();
            next.push(Pair {
                effect: if taints { EFFECTS[0].to_owned() } else { String::new() },
                ..Pair::default()
            });
            pairs.set(next);
        }
    };
    let onsubmit = {
        let (line, acting, on_close) = (line.clone(), acting.clone(), props.on_close.clone());
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            on_close.emit(());
            if let (Some(line), Some(acting)) = (&line, &acting) {
                acting.kubectl(&line.iter().map(String::as_str).collect::<Vec<_>>());
            }
        })
    };
    let title = if props.taints { stage::TAINTS_TITLE } else { stage::LABELS_TITLE }
        .with(lang, &[("name", &props.name)]);
    html! {
        <Dialog {title} on_close={props.on_close.clone()}>
            <form {onsubmit}>
                <ul class="edit-list">
                    {for pairs.iter().enumerate().map(|(index, pair)| {
                        let (key, value, effect) = (set(index, |p, v| p.key = v), set(index, |p, v| p.value = v), set(index, |p, v| p.effect = v));
                        let remove = {
                            let pairs = pairs.clone();
                            move |_: MouseEvent| {
                                let mut next = (*pairs).clone();
                                next.remove(index);
                                pairs.set(next);
                            }
                        };
                        html! {
                            <li>
                                <input class="field mono" aria-label={stage::KEY.get(lang)} placeholder={stage::KEY.get(lang)} value={pair.key.clone()} autocomplete="off" spellcheck="false" oninput={move |e| key(typed(e))} />
                                <input class="field mono" aria-label={stage::VALUE.get(lang)} placeholder={stage::VALUE.get(lang)} value={pair.value.clone()} autocomplete="off" spellcheck="false" oninput={move |e| value(typed(e))} />
                                if props.taints {
                                    <select class="field mono" aria-label={stage::EFFECT.get(lang)} onchange={move |e: Event| effect(e.target_dyn_into::<HtmlSelectElement>().map(|s| s.value()).unwrap_or_default())}>
                                        {for EFFECTS.iter().map(|e| html! { <option value={*e} selected={pair.effect == *e}>{*e}</option> })}
                                    </select>
                                }
                                <button type="button" class="icon-button" aria-label={stage::REMOVE.with(lang, &[("name", &pair.key)])} onclick={remove}><Icon kind={IconKind::Trash} /></button>
                            </li>
                        }
                    })}
                </ul>
                <button type="button" class="button small ghost" onclick={add}><Icon kind={IconKind::Plus} />{stage::ADD_ROW.get(lang)}</button>
                <code class="kubectl-line" aria-label={stage::SAME_LINE.get(lang)}>
                    {line.as_ref().map_or_else(|| stage::NO_CHANGE.get(lang).to_owned(), |l| format!("$ kubectl {}", l.join(" ")))}
                </code>
                <footer>
                    <button type="button" class="button ghost" onclick={props.on_close.reform(|_| ())}>{texts::CANCEL.get(lang)}</button>
                    <button type="submit" class="button primary" disabled={line.is_none()}>{texts::APPLY.get(lang)}</button>
                </footer>
            </form>
        </Dialog>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_what_has_changed() {
        let pair = |key: &str, value: &str, effect: &str| Pair {
            key: key.into(),
            value: value.into(),
            effect: effect.into(),
        };
        let props = |taints, kind, namespace: &'static str| PairsProps {
            on_close: Callback::noop(),
            taints,
            kind,
            namespace: namespace.into(),
            name: "x".into(),
        };
        let line = |props: &PairsProps, before: &[Pair], after: &[Pair]| {
            pairs_line(props, before, after).map(|l| l.join(" "))
        };
        let labels = props(false, "pod", "default");
        let before = [pair("app", "web", ""), pair("old", "1", "")];
        let after = [pair("app", "api", ""), pair("tier", "front", "")];
        assert_eq!(line(&labels, &before, &before), None);
        assert_eq!(
            line(&labels, &before, &after).unwrap(),
            "label pod x app=api tier=front old- -n default --overwrite"
        );
        let taints = props(true, "node", "");
        assert_eq!(
            line(&taints, &[], &[pair("gpu", "", "NoExecute")]).unwrap(),
            "taint node x gpu:NoExecute"
        );
        assert_eq!(
            line(&taints, &[pair("gpu", "", "NoExecute")], &[]).unwrap(),
            "taint node x gpu:NoExecute-"
        );
    }

    #[test]
    fn the_first_machine_is_the_control_plane() {
        let nodes = machines(3, "4", "8Gi", 50);
        assert_eq!(
            nodes.iter().map(|n| n.name.as_str()).collect::<Vec<_>>(),
            ["controlplane", "node01", "node02"]
        );
        assert!(nodes[0].control_plane && !nodes[1].control_plane);
        assert_eq!(nodes[2].cpu, "4");
    }
}
