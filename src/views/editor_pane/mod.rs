//! The editor: file tabs, the text with its problems, the field at the caret, Apply.

mod apply;
mod checker;
mod field_strip;
mod file_tabs;

use crate::app::UiContext;
use crate::components::{Icon, IconKind, Notices};
use crate::editor::{CodeEditor, CompletionRequest, Completions, EditorHandle, Hover, HoverRequest};
use crate::i18n::{bars, editor as texts, use_lang};
use crate::session::LabContext;
use crate::state::manifest::{self, Level};
use apply::{apply, dry_run};
use checker::use_checker;
use field_strip::FieldStrip;
use file_tabs::FileTabs;
use podlab_api::descriptions;
use yew::prelude::*;

/// Fetches the descriptions beside the page; says whether they are there. Without them the short ones of ours are shown.
#[hook]
fn use_descriptions() -> bool {
    let arrived = use_state_eq(|| descriptions::get().is_some());
    {
        let arrived = arrived.setter();
        use_effect_with((), move |()| {
            yew::platform::spawn_local(async move {
                let Ok(answer) = gloo::net::http::Request::get("./descriptions.txt").send().await else {
                    return;
                };
                if !answer.ok() {
                    return;
                }
                if let Ok(text) = answer.text().await {
                    descriptions::install(text);
                    arrived.set(true);
                }
            });
        });
    }
    *arrived
}

/// What the editor shows of a file that something else may have changed.
#[derive(Default)]
struct Shown {
    name: String,
    text: String,
    revision: u32,
}

/// The editor pane.
#[component]
pub(crate) fn EditorPane() -> Html {
    let lang = use_lang();
    let described = use_descriptions();
    let handle = use_mut_ref(|| None::<EditorHandle>);
    let caret = use_state_eq(|| None::<u32>);
    let shown = use_mut_ref(Shown::default);
    let (Some(lab), Some(ui)) = (use_context::<LabContext>(), use_context::<UiContext>()) else {
        return html! {};
    };
    let notices = use_context::<Notices>();
    let (name, text, is_past, awaits_save) = lab.read(|l| {
        let file = l.files.active();
        (file.name.clone(), AttrValue::from(file.text.clone()), l.is_past(), l.awaits_save())
    });
    // The editor owns its text; only what something else wrote into the file replaces it.
    let revision = {
        let mut shown = shown.borrow_mut();
        if shown.name == name && shown.text != text.as_str() {
            shown.revision = shown.revision.wrapping_add(1);
        }
        if shown.text != text.as_str() {
            shown.text = text.to_string();
        }
        shown.name.clone_from(&name);
        shown.revision
    };
    let checker =
        use_checker(&lab, (name.clone(), text.clone(), lab.read(|l| l.live().inputs().len())), lang);

    let on_change = {
        let (lab, shown, typed) = (lab.clone(), shown.clone(), checker.typed.clone());
        Callback::from(move |text: String| {
            shown.borrow_mut().text.clone_from(&text);
            lab.ask(|l| l.edit(&text));
            typed.emit(());
        })
    };
    let on_caret = {
        let caret = caret.clone();
        Callback::from(move |(from, _): (u32, u32)| caret.set(Some(from)))
    };
    let on_ready = {
        let handle = handle.clone();
        Callback::from(move |ready: EditorHandle| *handle.borrow_mut() = Some(ready))
    };
    let complete = Callback::from(move |request: CompletionRequest| -> Completions {
        manifest::complete(&request, lang)
    });
    let hover =
        Callback::from(move |request: HoverRequest| -> Option<Hover> { manifest::hover(&request, lang) });
    let on_apply = {
        let (lab, notices, handle) = (lab.clone(), notices.clone(), handle.clone());
        Callback::from(move |()| {
            if !lab.read(|l| l.is_past()) {
                apply(&lab, notices.as_ref(), &handle, lang);
            }
        })
    };
    let on_dry_run = {
        let (lab, notices, handle) = (lab.clone(), notices, handle.clone());
        move |_: MouseEvent| dry_run(&lab, notices.as_ref(), &handle, lang)
    };
    let on_problem = {
        let (lab, handle, findings) = (lab.clone(), handle.clone(), checker.findings.clone());
        let next = use_mut_ref(|| 0usize);
        Callback::from(move |_: MouseEvent| {
            let mut next = next.borrow_mut();
            let Some(finding) = findings.get(*next % findings.len().max(1)) else { return };
            *next += 1;
            let (from, to) = lab.read(|l| {
                let text = &l.files.active().text;
                (manifest::utf16(text, finding.range.start), manifest::utf16(text, finding.range.end))
            });
            if let Some(editor) = handle.borrow().as_ref() {
                editor.reveal(from, to);
                editor.focus();
            }
        })
    };
    let errors = checker.findings.iter().filter(|f| f.level == Level::Error).count();
    let others = checker.findings.len() - errors;
    let state = match (errors, others, text.trim().is_empty()) {
        _ if checker.busy => html! { <span class="editor-state muted">{texts::CHECKING.get(lang)}</span> },
        (0, 0, true) => html! { <span class="editor-state muted">{texts::EMPTY.get(lang)}</span> },
        (0, 0, false) => html! {
            <span class="editor-state valid"><Icon kind={IconKind::Check} />{texts::VALID.get(lang)}</span>
        },
        (errors, others, _) => {
            let (count, one, many, class, kind) = if errors > 0 {
                (errors, texts::ONE_PROBLEM, texts::PROBLEMS, "wrong", IconKind::Warning)
            } else {
                (others, texts::ONE_WARNING, texts::WARNINGS, "noted", IconKind::Info)
            };
            let label = if count == 1 {
                one.get(lang).to_owned()
            } else {
                many.with(lang, &[("count", &count.to_string())])
            };
            html! {
                <button type="button" class={classes!("editor-state", class)} title={texts::PROBLEMS_HINT.get(lang)} onclick={on_problem}>
                    <Icon {kind} />{label}
                </button>
            }
        }
    };
    let apply_click = on_apply.reform(|_: MouseEvent| ());
    let label = texts::LABEL.with(lang, &[("name", &name)]);
    html! {
        <section class="pane edit" id="pane-editor" aria-label={bars::PANE_EDITOR.get(lang)} tabindex="-1">
            <FileTabs has_problems={errors > 0} />
            if is_past { <p class="pane-past">{texts::PAST.get(lang)}</p> }
            <div class="editor-text">
                <CodeEditor {label} document={name} text={text.clone()} {revision} read_only={is_past} lang={lang.code()}
                    problems={checker.problems.clone()} {on_change} on_submit={on_apply} {on_caret} {complete} {hover} {on_ready} />
            </div>
            if !ui.presenter { <FieldStrip text={text.clone()} caret={*caret} {described} /> }
            <footer class="editor-bar">
                <div class="editor-said" role="status">{state}</div>
                <button type="button" class="button ghost" disabled={is_past || awaits_save} onclick={on_dry_run}>{texts::DRY_RUN.get(lang)}</button>
                <button type="button" class="button primary" disabled={is_past} title={is_past.then(|| texts::PAST.get(lang))} onclick={apply_click}>
                    {if awaits_save { texts::SAVE } else { texts::APPLY }.get(lang)}<span class="keys hide-phone" aria-hidden="true"><kbd>{command_key()}</kbd><kbd>{"↵"}</kbd></span>
                </button>
            </footer>
        </section>
    }
}

/// What the command key is called on this machine.
fn command_key() -> &'static str {
    let platform = gloo::utils::window().navigator().platform().unwrap_or_default();
    if platform.starts_with("Mac") { "⌘" } else { "Ctrl" }
}
