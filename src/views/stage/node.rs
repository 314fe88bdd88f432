//! A node with its taints, labels, requests and pods.

use super::actions::{node_items, use_acting};
use super::model::{Column, NodeView, PodView, Same, cpu_text, memory_text};
use super::strip::Strip;
use crate::components::{Icon, IconKind, Menu};
use crate::i18n::{stage as texts, use_lang};
use yew::prelude::*;

/// Properties of [`Node`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct NodeProps {
    /// The node and its pods.
    pub(crate) column: Column,
    /// The cards of its pods.
    pub(crate) children: Html,
    /// Uid of the selected pod or node.
    #[prop_or_default]
    pub(crate) selected: AttrValue,
    /// What the scheduler found about it, while a pod's Why is open.
    pub(crate) strip: Option<Strip>,
    /// Called when its name is clicked.
    pub(crate) on_select: Callback<Same<NodeView>>,
    /// Called to show all namespaces.
    pub(crate) on_show_all: Callback<()>,
    /// Whether nothing can be changed.
    pub(crate) read_only: bool,
}

/// A node.
#[component]
pub(crate) fn Node(props: &NodeProps) -> Html {
    let lang = use_lang();
    let acting = use_acting();
    let Column { node, pods, others } = &props.column;
    // `Ready,SchedulingDisabled`: the first word stands in the head, the others among the taints.
    let mut words = node.status.split(',');
    let condition = words.next().unwrap_or_default().to_owned();
    let ready = condition == "Ready";
    let select = {
        let (on_select, node) = (props.on_select.clone(), node.clone());
        move |_| on_select.emit(node.clone())
    };
    let items = {
        let node = node.clone();
        Callback::from(move |()| acting.as_ref().map(|a| node_items(a, &node, lang)).unwrap_or_default())
    };
    // What says what a node is for comes first, then what every node has.
    let mut labels: Vec<(&String, &String)> = node.labels.iter().collect();
    labels.sort_by_key(|(key, _)| key.contains("kubernetes.io/") || key.contains("k8s.io/"));
    let own =
        labels.iter().filter(|(key, _)| !key.contains("kubernetes.io/") && !key.contains("k8s.io/")).count();
    let shown = own.min(2);
    let name_label = texts::NODE.with(lang, &[("name", &node.name)]);
    html! {
        <section class={classes!("node", (!ready).then_some("not-ready"), (*props.selected == *node.uid).then_some("selected"))} aria-label={name_label}>
            <header>
                <h3><button type="button" onclick={select} title={format!("{} {}", node.name, node.role)}>{&node.name}</button></h3>
                // Where it has no room it is in the name's title; half a word would say nothing.
                <span class="role"><span>{&node.role}</span></span>
                <span class={classes!("node-status", if ready { "s-run" } else { "s-fail" })}><i />{condition}</span>
                if !props.read_only {
                    <Menu label={texts::NODE_ACTIONS.with(lang, &[("name", &node.name)])} {items} />
                }
            </header>
            if let Some(strip) = &props.strip {
                <p class={classes!("strip", strip.chosen.then_some("chosen"), (!strip.fits).then_some("ruled-out"))} title={strip.text.clone()}>
                    <Icon kind={if strip.fits { IconKind::Check } else { IconKind::Close }} /><span>{&strip.text}</span>
                </p>
            }
            <div class="node-labels">
                {for words.map(|word| html! { <span class="taint"><Icon kind={IconKind::Minus} />{word}</span> })}
                {for node.taints.iter().map(|taint| {
                    let short = taint.strip_prefix("node-role.kubernetes.io/").or_else(|| taint.strip_prefix("node.kubernetes.io/")).unwrap_or(taint);
                    html! { <span class="taint" title={taint.clone()}><Icon kind={IconKind::Taint} />{short.to_owned()}</span> }
                })}
                {for labels.iter().take(shown).map(|(key, value)| html! { <span class="label" title={format!("{key}={value}")}>{*key}{"="}<b>{*value}</b></span> })}
                if labels.len() > shown {
                    <span class="label" title={labels.iter().skip(shown).map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("\n")}>{format!("+{}", labels.len() - shown)}</span>
                }
            </div>
            <Requests name="cpu" all={node.cpu} pods={pods.clone()} others={others.clone()} selected={props.selected.clone()} />
            <Requests name="mem" all={node.memory} pods={pods.clone()} others={others.clone()} selected={props.selected.clone()} />
            <div class="pods">
                {props.children.clone()}
                if pods.is_empty() { <p class="no-pods">{texts::NO_PODS.get(lang)}</p> }
            </div>
            <p class="node-foot">
                <span>{texts::PODS_OF.with(lang, &[("count", &(pods.len() + others.len()).to_string()), ("all", &node.pods.to_string())])}</span>
                if !others.is_empty() {
                    <button type="button" class="others" onclick={props.on_show_all.reform(|_| ())}
                        aria-label={texts::SHOW_ALL.with(lang, &[("count", &others.len().to_string())])}>
                        <span class="other-dots" aria-hidden="true">{for (0..others.len().min(4)).map(|_| html! { <i /> })}</span>
                        {texts::OTHERS.with(lang, &[("count", &others.len().to_string())])}
                    </button>
                }
            </p>
        </section>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct RequestsProps {
    name: AttrValue,
    /// What is allocatable.
    all: i64,
    pods: Vec<Same<PodView>>,
    others: Vec<Same<PodView>>,
    selected: AttrValue,
}

/// Requests over allocatable, one segment a pod.
#[component]
fn Requests(props: &RequestsProps) -> Html {
    let lang = use_lang();
    let is_cpu = props.name == "cpu";
    let ask = |pod: &PodView| if is_cpu { pod.cpu } else { pod.memory };
    let text = |amount| if is_cpu { cpu_text(amount) } else { memory_text(amount) };
    // A pod that has ended takes no room any more.
    let counts = |pod: &&Same<PodView>| {
        !matches!(
            pod.status.as_str(),
            "Completed" | "Succeeded" | "Error" | "Failed" | "Evicted" | "OOMKilled"
        )
    };
    let others = props.others.iter().filter(counts).map(|p| (p, true));
    let own = props.pods.iter().filter(counts).map(|p| (p, false));
    let segments: Vec<(&Same<PodView>, bool)> = others.chain(own).filter(|(p, _)| ask(p) > 0).collect();
    let used: i64 = segments.iter().map(|(p, _)| ask(p)).sum();
    let all = props.all.max(1);
    let label = texts::BAR.with(
        lang,
        &[
            ("name", &props.name),
            ("used", &text(used)),
            ("all", &text(props.all)),
            ("count", &segments.len().to_string()),
        ],
    );
    html! {
        <div class="requests" role="img" aria-label={label}>
            <span>{props.name.clone()}</span>
            <span class="bar">
                {for segments.iter().map(|(pod, other)| {
                    let width = format!("flex:0 0 calc({:.2}% - 1px)", ask(pod) as f64 * 100.0 / all as f64);
                    let class = classes!(other.then_some("other"), (*props.selected == *pod.uid).then_some("selected"));
                    html! { <i {class} style={width} title={format!("{} {}", pod.name, text(ask(pod)))} /> }
                })}
            </span>
            <span><b>{text(used)}</b>{"/"}{text(props.all)}</span>
        </div>
    }
}
