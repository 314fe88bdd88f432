//! The files: a tab each, new, rename, close.

use crate::app::{DialogContext, OpenDialog};
use crate::components::{Icon, IconKind, Menu, MenuItem, Notice, NoticeKind, Notices};
use crate::i18n::{editor as texts, use_lang};
use crate::session::LabContext;
use crate::state::Pane;
use crate::views::frame::WideButton;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Properties of [`FileTabs`].
#[derive(Clone, PartialEq, Properties)]
pub(super) struct FileTabsProps {
    /// Whether the file that is shown cannot be applied.
    pub(super) has_problems: bool,
}

/// The tabs above the text.
#[component]
pub(super) fn FileTabs(props: &FileTabsProps) -> Html {
    let lang = use_lang();
    let renaming = use_state(|| None::<usize>);
    let list = use_node_ref();
    let notices = use_context::<Notices>();
    let dialog = use_context::<DialogContext>();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let (names, active, is_past) = lab.read(|l| {
        let names: Vec<String> = l.files.all().iter().map(|f| f.name.clone()).collect();
        (names, l.files.active_index(), l.is_past())
    });
    let onkeydown = {
        let (lab, list, count) = (lab.clone(), list.clone(), names.len());
        let renaming = renaming.clone();
        Callback::from(move |event: KeyboardEvent| {
            if renaming.is_some() {
                return;
            }
            let next = match event.key().as_str() {
                "ArrowRight" => (active + 1) % count.max(1),
                "ArrowLeft" => (active + count - 1) % count.max(1),
                "F2" if !is_past => {
                    event.prevent_default();
                    return renaming.set(Some(active));
                }
                _ => return,
            };
            event.prevent_default();
            lab.update(|l| l.files.select(next));
            if let Some(list) = list.cast::<web_sys::Element>() {
                crate::dom::focus(crate::dom::all(&list, "[role=tab]").get(next).cloned());
            }
        })
    };
    let add = {
        let lab = lab.clone();
        move |_: MouseEvent| {
            lab.update(|l| l.files.add("pod", ""));
            crate::dom::focus_on("#pane-editor .cm-content");
        }
    };
    let examples = {
        let dialog = dialog.clone();
        move |_: MouseEvent| {
            if let Some(dialog) = &dialog {
                dialog.set(Some(OpenDialog::Examples));
            }
        }
    };
    let items = {
        let (lab, renaming, names) = (lab.clone(), renaming.clone(), names.clone());
        Callback::from(move |()| {
            let (renaming, lab) = (renaming.clone(), lab.clone());
            let name = names.get(active).cloned().unwrap_or_default();
            vec![
                MenuItem {
                    label: texts::RENAME.get(lang).into(),
                    detail: "F2".into(),
                    icon: IconKind::File,
                    danger: false,
                    act: Callback::from(move |()| renaming.set(Some(active))),
                },
                MenuItem {
                    label: texts::CLOSE_FILE.get(lang).into(),
                    detail: name.into(),
                    icon: IconKind::Close,
                    danger: true,
                    act: Callback::from(move |()| lab.update(|l| l.files.remove(active))),
                },
            ]
        })
    };
    let tabs = names.iter().enumerate().map(|(index, name)| {
        if *renaming == Some(index) {
            let finish = {
                let (lab, renaming, notices) = (lab.clone(), renaming.clone(), notices.clone());
                move |name: String| {
                    renaming.set(None);
                    let renamed = lab.update(|l| {
                        l.files.all().get(index).is_some_and(|f| f.name == name.trim()) || l.files.rename(index, &name)
                    });
                    if let (false, Some(notices)) = (renamed, &notices) {
                        notices.show(Notice::new(NoticeKind::Warning, texts::NAME_TAKEN.get(lang)).code(name));
                    }
                }
            };
            let value = |event: &Event| event.target_dyn_into::<HtmlInputElement>().map(|i| i.value());
            let onchange = {
                let finish = finish.clone();
                move |event: Event| {
                    if let Some(name) = value(&event) {
                        finish(name);
                    }
                }
            };
            let onkeydown = {
                let renaming = renaming.clone();
                move |event: KeyboardEvent| match event.key().as_str() {
                    "Enter" | "Escape" if crate::dom::is_composing(&event) => event.stop_propagation(),
                    "Enter" => {
                        event.prevent_default();
                        if let Some(name) = value(&event) {
                            finish(name);
                        }
                    }
                    "Escape" => {
                        event.stop_propagation();
                        renaming.set(None);
                    }
                    _ => event.stop_propagation(),
                }
            };
            let onblur = {
                let renaming = renaming.clone();
                move |_: FocusEvent| renaming.set(None)
            };
            html! {
                <RenameField key={index} name={name.clone()} label={texts::RENAME_LABEL.get(lang)} {onchange} {onkeydown} {onblur} />
            }
        } else {
            let selected = index == active;
            let onclick = {
                let lab = lab.clone();
                move |_: MouseEvent| lab.update(|l| l.files.select(index))
            };
            let ondblclick = {
                let renaming = renaming.clone();
                move |_: MouseEvent| {
                    if !is_past {
                        renaming.set(Some(index));
                    }
                }
            };
            html! {
                <button key={index} type="button" role="tab" aria-selected={selected.to_string()} tabindex={if selected { "0" } else { "-1" }} {onclick} {ondblclick}>
                    if selected && props.has_problems { <span class="file-wrong" aria-hidden="true" /> }
                    {name}
                </button>
            }
        }
    });
    let menu = texts::FILE_MENU.with(lang, &[("name", names.get(active).map_or("", String::as_str))]);
    html! {
        <div class="file-tabs">
            <div class="file-tabs-list" role="tablist" aria-label={texts::FILES.get(lang)} ref={list} {onkeydown}>{for tabs}</div>
            <button type="button" class="icon-button small" aria-label={texts::ADD_FILE.get(lang)} title={texts::ADD_FILE.get(lang)} onclick={add}><Icon kind={IconKind::Plus} /></button>
            <span class="gap" />
            <button type="button" class="icon-button small" aria-label={texts::EXAMPLES.get(lang)} title={texts::EXAMPLES.get(lang)} onclick={examples}><Icon kind={IconKind::Cards} /></button>
            <Menu label={menu} {items} />
            <WideButton pane={Pane::Editor} />
        </div>
    }
}

/// Properties of [`RenameField`].
#[derive(Clone, PartialEq, Properties)]
struct RenameFieldProps {
    name: String,
    label: AttrValue,
    onchange: Callback<Event>,
    onkeydown: Callback<KeyboardEvent>,
    onblur: Callback<FocusEvent>,
}

/// The field in place of a tab.
#[component]
fn RenameField(props: &RenameFieldProps) -> Html {
    let place = use_node_ref();
    {
        let (place, name) = (place.clone(), props.name.clone());
        use_effect_with((), move |()| {
            if let Some(input) = place.cast::<HtmlInputElement>() {
                // Set once and not by a property: every redraw would put the old name back over what is typed.
                input.set_value(&name);
                let _ = input.focus();
                input.select();
            }
        });
    }
    html! {
        <input class="field mono file-name" aria-label={props.label.clone()} spellcheck="false" ref={place}
            onchange={props.onchange.clone()} onkeydown={props.onkeydown.clone()} onblur={props.onblur.clone()} />
    }
}
