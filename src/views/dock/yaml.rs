//! The YAML tab: what `kubectl get -o yaml` prints.

use super::inspector::ObjectProps;
use super::shared::{Command, CopyButton};
use crate::i18n::use_lang;
use crate::session::LabContext;
use crate::state::lab::command_line;
use crate::state::workloads::kubectl_name;
use yew::prelude::*;

/// The tab.
#[component]
pub(super) fn YamlTab(props: &ObjectProps) -> Html {
    let _ = use_lang();
    let lab = use_context::<LabContext>();
    let object = props.object.clone();
    let kind = kubectl_name(object.kind.kind);
    let args: Vec<String> = {
        let mut args = vec!["get", kind.as_str(), object.name()];
        if !object.namespace().is_empty() && object.namespace() != "default" {
            args.extend(["-n", object.namespace()]);
        }
        args.extend(["-o", "yaml"]);
        args.into_iter().map(str::to_owned).collect()
    };
    let key = (object.uid().to_owned(), object.resource_version(), args.clone());
    let text = use_memo(key, |(.., args)| {
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        lab.map(|lab| lab.ask(|l| l.ask(&words)))
            .map(|outcome| format!("{}{}", outcome.text(), outcome.errors()))
            .unwrap_or_default()
    });
    let line = command_line(&args.iter().map(String::as_str).collect::<Vec<_>>());
    html! {
        <section class="block">
            <div class="row"><Command {line} /></div>
            <div class="yaml">
                <div class="yaml-copy"><CopyButton text={(*text).clone()} /></div>
                <pre tabindex="0">{colored(&text)}</pre>
            </div>
        </section>
    }
}

/// Keys in the colour of keys.
fn colored(text: &str) -> Html {
    html! {
        {for text.split_inclusive('\n').map(|line| {
            let content = line.trim_start_matches([' ', '-']);
            let start = line.len() - content.len();
            let end = content.find(':').filter(|i| content[i + 1..].is_empty() || content[i + 1..].starts_with([' ', '\n']));
            match end {
                Some(end) if !content.starts_with(['"', '\'', '#', '{']) => html! {
                    <>{&line[..start]}<span class="yaml-key">{&content[..end]}</span>{&content[end..]}</>
                },
                _ => html! { <>{line}</> },
            }
        })}
    }
}
