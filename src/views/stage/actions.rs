//! What a learner can do to nodes and pods; each is a kubectl line, or says what it is instead.

use super::model::{NodeView, PodView};
use crate::app::{DialogContext, OpenDialog};
use crate::components::{IconKind, MenuItem, Notice, NoticeKind, Notices};
use crate::i18n::{bars, stage as texts, use_lang};
use crate::session::LabContext;
use crate::state::{Lab, Lang};
use podlab_cluster::cluster::Act;
use yew::prelude::*;

/// What actions need.
#[derive(Clone, PartialEq)]
pub(crate) struct Acting {
    pub(crate) lab: LabContext,
    pub(crate) notices: Notices,
    pub(crate) dialog: DialogContext,
    pub(crate) lang: Lang,
}

/// What actions need, from the contexts.
#[hook]
pub(crate) fn use_acting() -> Option<Acting> {
    let lang = use_lang();
    let (lab, notices, dialog) =
        (use_context::<LabContext>(), use_context::<Notices>(), use_context::<DialogContext>());
    Some(Acting { lab: lab?, notices: notices?, dialog: dialog?, lang })
}

impl Acting {
    /// Runs a kubectl line and says what came of it.
    pub(crate) fn kubectl(&self, args: &[&str]) -> bool {
        let outcome = self.lab.update(|lab| lab.act(args));
        let ok = outcome.ok();
        let notice = if ok {
            let text = outcome.text();
            let title = text.trim().lines().next().unwrap_or(bars::DONE.get(self.lang)).to_owned();
            Notice::new(NoticeKind::Done, title)
                .code(outcome.line)
                .action(bars::UNDO.get(self.lang), self.undo())
        } else {
            let text = format!("{}\n{}", outcome.line, outcome.errors().trim());
            Notice::new(NoticeKind::Error, bars::ACTION_FAILED.get(self.lang)).code(text)
        };
        self.notices.show(notice);
        ok
    }

    /// Does something to a machine and says so.
    pub(crate) fn machine(&self, what: &str, act: Act) {
        self.lab.update(|lab| lab.act_on_machine(what, act));
        let notice = Notice::new(NoticeKind::Done, what).action(bars::UNDO.get(self.lang), self.undo());
        self.notices.show(notice);
    }

    fn undo(&self) -> Callback<()> {
        let lab = self.lab.clone();
        Callback::from(move |()| {
            lab.update(Lab::undo);
        })
    }

    fn line(&self, label: &'static str, icon: IconKind, danger: bool, args: &[&str]) -> MenuItem {
        let (acting, words) = (self.clone(), args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        MenuItem {
            label: label.into(),
            detail: format!("kubectl {}", args.join(" ")).into(),
            icon,
            danger,
            act: Callback::from(move |()| {
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                acting.kubectl(&words);
            }),
        }
    }

    fn open(&self, label: &'static str, detail: String, icon: IconKind, what: OpenDialog) -> MenuItem {
        let dialog = self.dialog.clone();
        let act = Callback::from(move |()| dialog.set(Some(what.clone())));
        MenuItem { label: label.into(), detail: detail.into(), icon, danger: false, act }
    }
}

/// Actions on a node.
pub(crate) fn node_items(acting: &Acting, node: &NodeView, lang: Lang) -> Vec<MenuItem> {
    let name = node.name.as_str();
    let kubelet = |label, icon, verb: &'static str, act: fn(String) -> Act| {
        let detail = texts::ON_THE_MACHINE.with(lang, &[("verb", verb)]);
        let (acting, name) = (acting.clone(), name.to_owned());
        let act = Callback::from(move |()| {
            acting.machine(&format!("{name}: systemctl {verb} kubelet"), act(name.clone()));
        });
        MenuItem { label, detail: detail.into(), icon, danger: false, act }
    };
    let stopped = node.status.starts_with("NotReady");
    vec![
        acting.open(
            texts::EDIT_LABELS.get(lang),
            format!("kubectl label node {name} …"),
            IconKind::Tag,
            OpenDialog::Labels("node", String::new(), name.to_owned()),
        ),
        acting.open(
            texts::EDIT_TAINTS.get(lang),
            format!("kubectl taint node {name} …"),
            IconKind::Taint,
            OpenDialog::Taints(name.to_owned()),
        ),
        if node.cordoned {
            acting.line(texts::UNCORDON.get(lang), IconKind::Check, false, &["uncordon", name])
        } else {
            acting.line(texts::CORDON.get(lang), IconKind::Minus, false, &["cordon", name])
        },
        kubelet(texts::STOP_KUBELET.get(lang).into(), IconKind::Pause, "stop", Act::StopKubelet),
        kubelet(texts::START_KUBELET.get(lang).into(), IconKind::Play, "start", Act::StartKubelet),
        acting.line(texts::REMOVE_NODE.get(lang), IconKind::Trash, true, &["delete", "node", name]),
    ]
    .into_iter()
    // Stopping what is known to be down makes no sense; starting it may be needed before the node is NotReady.
    .filter(|item| !(stopped && *item.label == *texts::STOP_KUBELET.get(lang)))
    .collect()
}

/// Actions on a pod.
pub(crate) fn pod_items(acting: &Acting, pod: &PodView, containers: &[String], lang: Lang) -> Vec<MenuItem> {
    let (ns, name) = (pod.namespace.as_str(), pod.name.as_str());
    let mut items = vec![acting.open(
        texts::EDIT_LABELS.get(lang),
        format!("kubectl label pod {name} -n {ns} …"),
        IconKind::Tag,
        OpenDialog::Labels("pod", ns.to_owned(), name.to_owned()),
    )];
    for container in containers {
        let label = texts::KILL.with(lang, &[("name", container)]);
        let detail = texts::ON_THE_NODE.with(lang, &[("name", container)]);
        let act = Act::KillContainer {
            namespace: ns.to_owned(),
            pod: name.to_owned(),
            container: container.clone(),
        };
        let (acting, what) = (acting.clone(), format!("{name}: crictl stop {container}"));
        let act = Callback::from(move |()| acting.machine(&what, act.clone()));
        items.push(MenuItem {
            label: label.into(),
            detail: detail.into(),
            icon: IconKind::Close,
            danger: false,
            act,
        });
    }
    items.push(acting.line(
        texts::DELETE_POD.get(lang),
        IconKind::Trash,
        true,
        &["delete", "pod", name, "-n", ns, "--wait=false"],
    ));
    items
}
