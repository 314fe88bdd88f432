//! What one does to a pod directly, each with the kubectl line that does the same.

use super::inspector::ObjectProps;
use super::shared::{act, propose};
use crate::app::UiContext;
use crate::components::{IconKind, Menu, MenuItem, Notices};
use crate::i18n::{dock as texts, use_lang};
use crate::session::LabContext;
use crate::state::lab::command_line;
use podlab_cluster::cluster::Act;
use yew::prelude::*;

/// A command that makes a probe fail or pass again, if one can be told from its settings.
fn probe_lines(probe: &k8s_openapi::api::core::v1::Probe, image: &str) -> Option<(Vec<String>, Vec<String>)> {
    let words = |list: &[&str]| list.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    if let Some(command) = probe.exec.as_ref().and_then(|e| e.command.as_ref()) {
        let reads_file = matches!(
            command.iter().map(String::as_str).collect::<Vec<_>>().as_slice(),
            ["cat" | "ls" | "stat", _] | ["test", "-f" | "-e", _]
        );
        let path = command.last().filter(|_| reads_file)?;
        return Some((words(&["rm", path]), words(&["touch", path])));
    }
    let get = probe.http_get.as_ref()?;
    let root = if image.contains("nginx") {
        "/usr/share/nginx/html"
    } else if image.contains("httpd") {
        "/usr/local/apache2/htdocs"
    } else {
        return None;
    };
    let path = get.path.as_deref().unwrap_or("/");
    let file = if path == "/" { format!("{root}/index.html") } else { format!("{root}{path}") };
    Some((words(&["mv", &file, "/tmp/"]), words(&["touch", &file])))
}

/// The pod's menu of actions.
#[component]
pub(super) fn PodActions(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let notices = use_context::<Notices>();
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    let object = props.object.clone();
    let items = Callback::from(move |()| {
        let (name, ns) = (object.name().to_owned(), object.namespace().to_owned());
        let mut items = Vec::new();
        let containers = object.pod_spec().map(|s| s.containers.clone()).unwrap_or_default();
        let several = containers.len() > 1;
        let line = |container: &str, command: &[String], terminal: bool| {
            let mut args = vec!["exec"];
            if terminal {
                args.push("-it");
            }
            args.push(&name);
            if ns != "default" {
                args.extend(["-n", &ns]);
            }
            if several {
                args.extend(["-c", container]);
            }
            args.push("--");
            args.extend(command.iter().map(String::as_str));
            command_line(&args)
        };
        let typed = |label: String, icon: IconKind, line: String| {
            let (lab, ui, shown) = (lab.clone(), ui.clone(), line.clone());
            MenuItem {
                label: label.into(),
                detail: shown.into(),
                icon,
                danger: false,
                act: Callback::from(move |()| propose(&lab, &ui, &line)),
            }
        };
        for container in &containers {
            let shell = line(&container.name, &["sh".to_owned()], true);
            let label = if several {
                format!("{}: {}", texts::EXEC.get(lang), container.name)
            } else {
                texts::EXEC.get(lang).to_owned()
            };
            items.push(typed(label, IconKind::Terminal, shell));
            let probes = [
                ("liveness", &container.liveness_probe),
                ("readiness", &container.readiness_probe),
                ("startup", &container.startup_probe),
            ];
            let image = container.image.as_deref().unwrap_or_default();
            for (kind, probe) in probes {
                let Some((fail, pass)) = probe.as_ref().and_then(|p| probe_lines(p, image)) else { continue };
                items.push(typed(
                    texts::BREAK_PROBE.with(lang, &[("kind", kind)]),
                    IconKind::Probe,
                    line(&container.name, &fail, false),
                ));
                items.push(typed(
                    texts::MEND_PROBE.with(lang, &[("kind", kind)]),
                    IconKind::Probe,
                    line(&container.name, &pass, false),
                ));
            }
            let what = format!("kill {name}/{}", container.name);
            let act = Act::KillContainer {
                namespace: ns.clone(),
                pod: name.clone(),
                container: container.name.clone(),
            };
            let lab = lab.clone();
            items.push(MenuItem {
                label: texts::KILL_WHAT.with(lang, &[("name", &container.name)]).into(),
                detail: "kill -9 1".into(),
                icon: IconKind::Restart,
                danger: true,
                act: Callback::from(move |()| lab.update(|l| l.act_on_machine(&what, act.clone()))),
            });
        }
        let mut args = vec!["delete".to_owned(), "pod".to_owned(), name.clone()];
        if ns != "default" {
            args.extend(["-n".to_owned(), ns.clone()]);
        }
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let shown = command_line(&words);
        let (lab, notices) = (lab.clone(), notices.clone());
        items.push(MenuItem {
            label: texts::DELETE.get(lang).into(),
            detail: shown.into(),
            icon: IconKind::Trash,
            danger: true,
            act: Callback::from(move |()| {
                let words: Vec<&str> = args.iter().map(String::as_str).collect();
                act(&lab, notices.as_ref(), lang, &words);
            }),
        });
        items
    });
    html! { <Menu label={texts::ACTIONS.get(lang)} {items} /> }
}
