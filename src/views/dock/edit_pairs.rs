//! Labels and taints as chips: take one away, add or change one; the kubectl line is shown before it runs.

use super::shared::act;
use crate::components::{Icon, IconKind, Notices};
use crate::i18n::{dock as texts, use_lang};
use crate::session::LabContext;
use crate::state::lab::command_line;
use yew::prelude::*;

/// What is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pairs {
    /// Labels of a pod.
    PodLabels,
    /// Labels of a node.
    NodeLabels,
    /// Taints of a node.
    Taints,
}

/// Properties of [`EditPairs`].
#[derive(Clone, PartialEq, Properties)]
pub(super) struct EditPairsProps {
    pub(super) what: Pairs,
    /// Name of the object.
    pub(super) name: AttrValue,
    /// Its namespace; empty for nodes.
    #[prop_or_default]
    pub(super) namespace: AttrValue,
    /// As shown (`key=value`), and what kubectl calls it to take it away.
    pub(super) pairs: Vec<(String, String)>,
}

impl EditPairsProps {
    /// The words of kubectl for one change: `key=value`, `key-`.
    fn args(&self, change: &str) -> Vec<String> {
        let mut args: Vec<&str> = match self.what {
            Pairs::PodLabels => vec!["label", "pod", &self.name],
            Pairs::NodeLabels => vec!["label", "node", &self.name],
            Pairs::Taints => vec!["taint", "node", &self.name],
        };
        if !self.namespace.is_empty() && self.namespace != "default" {
            args.extend(["-n", &self.namespace]);
        }
        args.push(change);
        let key = change.split('=').next().unwrap_or_default();
        let replaces =
            change.contains('=') && self.pairs.iter().any(|(shown, _)| shown.split('=').next() == Some(key));
        if replaces {
            args.push("--overwrite");
        }
        args.into_iter().map(str::to_owned).collect()
    }
}

/// The chips with a field for one more.
#[component]
pub(super) fn EditPairs(props: &EditPairsProps) -> Html {
    let lang = use_lang();
    let draft = use_state(String::new);
    let notices = use_context::<Notices>();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let is_past = lab.read(|l| l.is_past());
    let run = {
        let (lab, notices, props) = (lab, notices, props.clone());
        Callback::from(move |change: String| -> bool {
            let args = props.args(&change);
            let words: Vec<&str> = args.iter().map(String::as_str).collect();
            act(&lab, notices.as_ref(), lang, &words)
        })
    };
    let add = {
        let (run, draft) = (run.clone(), draft.clone());
        Callback::from(move |()| {
            let change = draft.trim().to_owned();
            if !change.is_empty() && run.emit(change) {
                draft.set(String::new());
            }
        })
    };
    let oninput = {
        let draft = draft.clone();
        crate::dom::on_typed(Callback::from(move |typed| draft.set(typed)))
    };
    let onkeydown = crate::dom::on_enter(add.clone());
    let line = (!draft.trim().is_empty()).then(|| {
        let args = props.args(draft.trim());
        command_line(&args.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let (label, none) = match props.what {
        Pairs::Taints => (texts::ADD_TAINT, texts::TAINTS_NONE),
        _ => (texts::ADD_LABEL, texts::LABELS_NONE),
    };
    html! {
        <div class="pairs">
            if props.pairs.is_empty() { <p class="muted">{none.get(lang)}</p> }
            <ul class="chips">
                {for props.pairs.iter().map(|(shown, removal)| {
                    let onclick = {
                        let (run, change) = (run.clone(), format!("{removal}-"));
                        move |_: MouseEvent| {
                            run.emit(change.clone());
                        }
                    };
                    let (key, value) = shown.split_once('=').unwrap_or((shown, ""));
                    html! {
                        <li key={shown.clone()} class="chip">
                            <code>{key}{if shown.contains('=') { "=" } else { "" }}<b>{value}</b></code>
                            if !is_past {
                                <button type="button" aria-label={texts::REMOVE.with(lang, &[("name", removal)])} {onclick}><Icon kind={IconKind::Close} /></button>
                            }
                        </li>
                    }
                })}
            </ul>
            if !is_past {
                <div class="pairs-add">
                    <input class="field mono" aria-label={label.get(lang)} placeholder={label.get(lang)} value={(*draft).clone()} {oninput} {onkeydown} spellcheck="false" autocomplete="off" autocapitalize="off" />
                    <button type="button" class="button small" onclick={add.reform(|_: MouseEvent| ())}>{texts::ADD.get(lang)}</button>
                </div>
                if let Some(line) = line { <p class="will-run"><code>{line}</code></p> }
            }
        </div>
    }
}
