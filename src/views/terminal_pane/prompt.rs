//! The line that is being typed: completion, ghost text, history, search, input of a running command.

use crate::i18n::{terminal as texts, use_lang};
use crate::session::LabContext;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// Most completions that the list shows.
const MOST: usize = 12;

/// Properties of [`Prompt`].
#[derive(Clone, PartialEq, Properties)]
pub(super) struct PromptProps {
    /// The line.
    pub(super) line: UseStateHandle<String>,
}

/// A completion that is offered.
#[derive(Clone, Debug, PartialEq)]
struct Offer {
    word: String,
    about: String,
}

/// The offers for the word at the end of the line, and where that word begins.
fn offers(lab: &LabContext, line: &str) -> (usize, Vec<Offer>) {
    let start = line.rfind([' ', '|', ';', '&', '(', '>', '<']).map_or(0, |i| i + 1);
    let word = &line[start..];
    let first = line[..start].trim_end();
    if first.is_empty() || first.ends_with(['|', ';', '&', '(']) {
        let programs = [
            "kubectl", "awk", "bash", "cat", "clear", "cut", "echo", "grep", "head", "help", "ls", "rm",
            "sed", "sleep", "sort", "tail", "uniq", "wc",
        ];
        let found = programs.iter().filter(|p| p.starts_with(word));
        return (start, found.map(|p| Offer { word: (*p).to_owned(), about: String::new() }).collect());
    }
    let command = line.rfind(['|', ';', '&']).map_or(line, |i| &line[i + 1..]).trim_start();
    let is_kubectl = matches!(command.split(' ').next(), Some("kubectl" | "k"));
    let mut found: Vec<Offer> = Vec::new();
    if is_kubectl {
        let completions = lab.ask(|l| l.complete(command, command.len()));
        found.extend(completions.into_iter().map(|c| Offer { word: c.word, about: c.about }));
    }
    let is_file = first.ends_with("-f") || first.ends_with("--filename") || !is_kubectl;
    if found.is_empty() && is_file {
        found = lab.read(|l| {
            let names = l.files.all().iter().map(|f| f.name.clone()).filter(|n| n.starts_with(word));
            names.map(|word| Offer { word, about: String::new() }).collect()
        });
    }
    (start, found)
}

/// What all offers begin with.
fn common(offers: &[Offer]) -> String {
    let mut common = offers.first().map(|o| o.word.clone()).unwrap_or_default();
    for offer in offers {
        let same = common.char_indices().zip(offer.word.chars()).take_while(|((_, a), b)| a == b).last();
        common.truncate(same.map_or(0, |((i, c), _)| i + c.len_utf8()));
    }
    common
}

/// The prompt.
#[component]
pub(super) fn Prompt(props: &PromptProps) -> Html {
    let lang = use_lang();
    let input = use_node_ref();
    // Which completion is chosen; `None`: no list.
    let list = use_state(|| None::<usize>);
    // How far back in the history the line is, and what was typed before.
    let recalled = use_mut_ref(|| (0usize, String::new()));
    let search = use_state(|| None::<(String, usize)>);
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let line = props.line.clone();
    let (running, wants_input, waits, is_past, playing) = lab.read(|l| {
        let wait = l.terminal.wait();
        let waits = wait.is_some_and(|w| w.until.is_some() || w.change);
        (l.terminal.is_running(), l.terminal.wants_input(), waits, l.is_past(), l.is_playing())
    });
    let history: Vec<String> = lab.read(|l| {
        let mut lines: Vec<String> = Vec::new();
        for entry in l.terminal.entries().iter().filter(|e| !e.line.trim().is_empty()) {
            if lines.last() != Some(&entry.line) {
                lines.push(entry.line.clone());
            }
        }
        lines
    });
    let (word_start, found) =
        if running || is_past || line.trim().is_empty() { (0, Vec::new()) } else { offers(&lab, &line) };
    let ghost: String = if running || line.is_empty() {
        String::new()
    } else if let Some(rest) =
        history.iter().rev().find_map(|h| h.strip_prefix(line.as_str()).filter(|r| !r.is_empty()))
    {
        rest.to_owned()
    } else {
        let word = &line[word_start.min(line.len())..];
        let best = found.first().and_then(|o| o.word.strip_prefix(word));
        best.filter(|_| !word.is_empty()).unwrap_or_default().to_owned()
    };
    let found_line = search.as_ref().and_then(|(query, skip)| {
        if query.is_empty() {
            return None;
        }
        history.iter().rev().filter(|h| h.contains(query.as_str())).nth(*skip).cloned()
    });

    let set_line = {
        let (line, list) = (line.clone(), list.clone());
        move |text: String| {
            list.set(None);
            line.set(text);
        }
    };
    let accept = {
        let (line, list, found) = (line.clone(), list.clone(), found.clone());
        Callback::from(move |index: usize| {
            if let Some(offer) = found.get(index) {
                let ends = if offer.word.ends_with(['=', '/', ':']) { "" } else { " " };
                line.set(format!("{}{}{ends}", &line[..word_start.min(line.len())], offer.word));
            }
            list.set(None);
            crate::dom::focus_on("#terminal-line");
        })
    };
    let submit = {
        let (lab, set_line, recalled) = (lab.clone(), set_line.clone(), recalled.clone());
        move |text: &str| {
            *recalled.borrow_mut() = (0, String::new());
            lab.update(|l| l.enter(text));
            set_line(String::new());
        }
    };
    let recall = {
        let (history, recalled, line, set_line) = (history, recalled, line.clone(), set_line.clone());
        Callback::from(move |back: bool| {
            let mut recalled = recalled.borrow_mut();
            if recalled.0 == 0 {
                recalled.1.clone_from(&line);
            }
            recalled.0 =
                if back { (recalled.0 + 1).min(history.len()) } else { recalled.0.saturating_sub(1) };
            set_line(match recalled.0 {
                0 => recalled.1.clone(),
                n => history.get(history.len() - n).cloned().unwrap_or_default(),
            });
        })
    };
    let interrupt = {
        let (lab, set_line) = (lab.clone(), set_line.clone());
        Callback::from(move |()| {
            if lab.read(|l| l.terminal.is_running()) {
                lab.update(|l| l.interrupt());
            } else {
                set_line(String::new());
            }
        })
    };
    let complete = {
        let (found, list, line, accept) = (found.clone(), list.clone(), line.clone(), accept.clone());
        Callback::from(move |()| {
            if let Some(chosen) = *list {
                return accept.emit(chosen);
            }
            match found.len() {
                0 => {}
                1 => accept.emit(0),
                _ => {
                    let common = common(&found);
                    let start = word_start.min(line.len());
                    if common.len() > line.len() - start {
                        line.set(format!("{}{common}", &line[..start]));
                    }
                    list.set(Some(0));
                }
            }
        })
    };

    let oninput = {
        let (line, search, list) = (line.clone(), search.clone(), list.clone());
        Callback::from(move |event: InputEvent| {
            let Some(text) = event.target_dyn_into::<HtmlInputElement>().map(|i| i.value()) else { return };
            if search.is_some() {
                search.set(Some((text, 0)));
            } else {
                // An open list follows what is typed.
                list.set(list.map(|_| 0).filter(|_| !text.is_empty() && !text.ends_with(' ')));
                line.set(text);
            }
        })
    };
    let onkeydown = {
        let (lab, line, list, search) = (lab.clone(), line.clone(), list.clone(), search.clone());
        let (complete, recall, interrupt, submit, ghost, accept) = (
            complete.clone(),
            recall.clone(),
            interrupt.clone(),
            submit.clone(),
            ghost.clone(),
            accept.clone(),
        );
        let (found_line, count, input) = (found_line.clone(), found.len().min(MOST), input.clone());
        Callback::from(move |event: KeyboardEvent| {
            if crate::dom::is_composing(&event) {
                return;
            }
            let key = crate::dom::key_name(&event);
            let control = event.ctrl_key() && !event.meta_key() && !event.alt_key();
            if control && key == "c" {
                let in_line = input
                    .cast::<HtmlInputElement>()
                    .is_some_and(|i| i.selection_start().ok().flatten() != i.selection_end().ok().flatten());
                if in_line || crate::dom::has_selection() {
                    // What is selected is copied.
                    return;
                }
                event.prevent_default();
                search.set(None);
                return interrupt.emit(());
            }
            if let Some((query, skip)) = &*search {
                match key.as_str() {
                    "r" if control => search.set(Some((query.clone(), skip + 1))),
                    "Escape" => search.set(None),
                    "Enter" | "Tab" | "ArrowRight" => {
                        if let Some(found) = &found_line {
                            line.set(found.clone());
                        }
                        search.set(None);
                        if key == "Enter"
                            && let Some(found) = &found_line
                        {
                            submit(found);
                        }
                    }
                    _ => return,
                }
                event.prevent_default();
                event.stop_propagation();
                return;
            }
            match (key.as_str(), *list) {
                ("d", _) if control && line.is_empty() => lab.update(|l| l.end_input()),
                ("l", _) if control => lab.update(|l| l.terminal.clear()),
                ("r", _) if control => search.set(Some((String::new(), 0))),
                ("u", _) if control => line.set(String::new()),
                ("Enter", Some(chosen)) => accept.emit(chosen),
                // The field knows its text even before the drawing that its last change leads to.
                ("Enter", None) => submit(&crate::dom::value(&event).unwrap_or_else(|| (*line).clone())),
                // With nothing to complete, Tab leaves the line.
                ("Tab", _) if !event.shift_key() && !line.trim().is_empty() && count > 0 => complete.emit(()),
                ("Escape", Some(_)) => {
                    event.stop_propagation();
                    list.set(None);
                }
                ("ArrowDown", Some(chosen)) => list.set(Some((chosen + 1) % count.max(1))),
                ("ArrowUp", Some(chosen)) => list.set(Some((chosen + count.max(1) - 1) % count.max(1))),
                ("ArrowUp", None) => recall.emit(true),
                ("ArrowDown", None) => recall.emit(false),
                ("ArrowRight" | "End", _) if !ghost.is_empty() => {
                    let at_end = input.cast::<HtmlInputElement>().is_some_and(|i| {
                        let length = u32::try_from(line.encode_utf16().count()).unwrap_or(0);
                        i.selection_start().ok().flatten() == Some(length)
                    });
                    if !at_end {
                        return;
                    }
                    line.set(format!("{}{ghost}", *line));
                }
                _ => return,
            }
            event.prevent_default();
        })
    };
    // Setting the value from outside leaves the caret at its end.
    let text = search.as_ref().map_or_else(|| (*line).clone(), |(query, _)| query.clone());
    let play = {
        let lab = lab.clone();
        move |_: MouseEvent| lab.update(|l| l.set_playing(true))
    };
    let stop = interrupt.reform(|_: MouseEvent| ());
    let label = if search.is_some() {
        texts::SEARCH
    } else if running {
        texts::INPUT
    } else {
        texts::COMMAND
    };
    let expanded = list.is_some();
    let active = list.map(|chosen| format!("terminal-offer-{chosen}"));
    if is_past {
        return html! { <p class="term-note">{texts::PAST.get(lang)}</p> };
    }
    let insert = |text: &'static str| {
        let line = line.clone();
        Callback::from(move |_: MouseEvent| {
            line.set(format!("{}{text}", *line));
            crate::dom::focus_on("#terminal-line");
        })
    };
    html! {
        <div class="prompt">
            if running {
                <p class="term-note">
                    if waits && !playing {
                        <span>{texts::WAITS_FOR_TIME.get(lang)}</span>
                        <button type="button" class="button small" onclick={play}>{texts::PLAY.get(lang)}</button>
                    } else if wants_input && !waits {
                        // Most commands listen for Ctrl C as well; these wait for nothing else.
                        <span>{texts::WAITS_FOR_INPUT.get(lang)}</span>
                    } else {
                        <span>{texts::RUNNING.get(lang)}</span>
                    }
                    <button type="button" class="button small" onclick={stop}>{texts::STOP.get(lang)}{" "}<kbd>{"Ctrl C"}</kbd></button>
                </p>
            }
            if expanded {
                <div class="offers">
                    <ul role="listbox" id="terminal-offers" aria-label={texts::COMPLETIONS.get(lang)}>
                        {for found.iter().take(MOST).enumerate().map(|(index, offer)| {
                            let chosen = *list == Some(index);
                            let onmousedown = {
                                let accept = accept.clone();
                                move |event: MouseEvent| {
                                    event.prevent_default();
                                    accept.emit(index);
                                }
                            };
                            let typed = line.len() - word_start.min(line.len());
                            let (begun, rest) = offer.word.split_at_checked(typed).unwrap_or(("", &offer.word));
                            html! {
                                <li key={index} role="option" id={format!("terminal-offer-{index}")} aria-selected={chosen.to_string()} {onmousedown}>
                                    <span><b>{begun}</b>{rest}</span><i>{&offer.about}</i>
                                </li>
                            }
                        })}
                    </ul>
                    <p class="offers-keys" aria-hidden="true"><kbd>{"Tab"}</kbd>{texts::ACCEPT.get(lang)}<kbd>{"↑"}</kbd><kbd>{"↓"}</kbd>{texts::MOVE.get(lang)}
                        if found.len() > MOST { <span>{format!("+{}", found.len() - MOST)}</span> }
                    </p>
                </div>
            }
            <div class="prompt-line">
                if let Some((query, _)) = &*search {
                    <span class="prompt-sign" aria-hidden="true">{format!("(reverse-i-search)`{query}': {}", found_line.clone().unwrap_or_default())}</span>
                } else if !running {
                    <span class="prompt-sign" aria-hidden="true">{"$"}</span>
                }
                <span class="prompt-field">
                    <span class="prompt-ghost" aria-hidden="true">
                        if search.is_none() { <i>{(*line).clone()}</i>{
                            if line.is_empty() && !running { texts::HINT.get(lang).to_owned() } else { ghost }
                        } }
                    </span>
                    <input id="terminal-line" ref={input} value={text} {oninput} {onkeydown} aria-label={label.get(lang)} autocomplete="off" autocapitalize="off" spellcheck="false"
                        role="combobox" aria-expanded={expanded.to_string()} aria-controls={expanded.then_some("terminal-offers")} aria-activedescendant={active} aria-autocomplete="list" />
                </span>
            </div>
            <div class="key-row" role="group" aria-label={texts::KEYS.get(lang)}>
                <button type="button" onclick={complete.reform(|_: MouseEvent| ())}>{"Tab"}</button>
                <button type="button" aria-label="↑" onclick={recall.reform(|_: MouseEvent| true)}>{"↑"}</button>
                <button type="button" aria-label="↓" onclick={recall.reform(|_: MouseEvent| false)}>{"↓"}</button>
                {for ["-", "/", "=", "'", "|"].into_iter().map(|sign| html! { <button key={sign} type="button" onclick={insert(sign)}>{sign}</button> })}
                <button type="button" aria-label="Ctrl C" onclick={interrupt.reform(|_: MouseEvent| ())}>{"^C"}</button>
            </div>
        </div>
    }
}
