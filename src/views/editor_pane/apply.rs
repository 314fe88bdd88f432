//! Apply and Dry run: what kubectl did, as a notice; the line itself is in the terminal.

use crate::components::{Notice, NoticeKind, Notices};
use crate::editor::EditorHandle;
use crate::i18n::editor as texts;
use crate::session::{LabContext, now_ms};
use crate::state::manifest::{self, Level};
use crate::state::{Lang, Outcome};
use gloo::timers::callback::Timeout;
use std::cell::RefCell;
use std::rc::Rc;
use yew::prelude::*;

/// How long the place of an error is looked for, in milliseconds.
const PLACE_MS: f64 = 300.0;

/// How often is looked whether a file of many objects is applied, in milliseconds.
const AGAIN_MS: u32 = 50;

type Handle = Rc<RefCell<Option<EditorHandle>>>;

/// Applies the file in the editor.
pub(super) fn apply(lab: &LabContext, notices: Option<&Notices>, handle: &Handle, lang: Lang) {
    // A file that a command waits for is saved, and the command goes on with it.
    if lab.update(|l| l.save_edit()) {
        return;
    }
    let (empty, name) =
        lab.read(|l| (l.files.active().text.trim().is_empty(), l.files.active().name.clone()));
    let Some(notices) = notices else { return };
    if empty {
        notices.show(Notice::new(NoticeKind::Info, texts::NOTHING.get(lang)));
        return;
    }
    if lab.read(|l| l.is_busy()) {
        notices.show(applying(&name, lang));
        return;
    }
    let outcome = lab.update(|l| l.apply());
    if lab.read(|l| l.is_busy()) {
        notices.show(applying(&name, lang));
        return await_end(lab.clone(), notices.clone(), handle.clone(), name, lang);
    }
    ended(lab, notices, handle, &outcome, &name, lang);
}

fn applying(name: &str, lang: Lang) -> Notice {
    Notice::new(NoticeKind::Info, texts::APPLYING.with(lang, &[("name", name)])).about(name.to_owned())
}

/// A file of many objects is applied over many frames.
fn await_end(lab: LabContext, notices: Notices, handle: Handle, name: String, lang: Lang) {
    Timeout::new(AGAIN_MS, move || {
        if lab.read(|l| l.is_busy()) {
            return await_end(lab, notices, handle, name, lang);
        }
        let outcome = lab.read(|l| l.latest());
        ended(&lab, &notices, &handle, &outcome, &name, lang);
    })
    .forget();
}

/// Says what came of it.
fn ended(lab: &LabContext, notices: &Notices, handle: &Handle, outcome: &Outcome, name: &str, lang: Lang) {
    let name = name.to_owned();
    if !outcome.ok() {
        notices.show(refused(lab, outcome, &name, handle, lang).about(name));
        return;
    }
    let text = outcome.text();
    let mut lines: Vec<&str> = text.lines().collect();
    let title = match lines.as_slice() {
        [one] => (*one).to_owned(),
        many => texts::APPLIED.with(lang, &[("count", &many.len().to_string())]),
    };
    if lines.len() == 1 {
        lines.clear();
    }
    let warnings = outcome.errors();
    let kind = if warnings.is_empty() { NoticeKind::Done } else { NoticeKind::Warning };
    let mut notice = Notice::new(kind, title).about(name);
    let code: Vec<&str> = lines.into_iter().chain(warnings.lines()).take(6).collect();
    notice = notice.code(code.join("\n"));
    let (paused, undoable) = lab.read(|l| (!l.is_playing(), l.undo_what().is_some()));
    if paused {
        let lab = lab.clone();
        let play = Callback::from(move |()| lab.update(|l| l.set_playing(true)));
        notice = notice.text(texts::PAUSED.get(lang)).action(texts::PLAY.get(lang), play).while_paused();
    } else if undoable {
        let lab = lab.clone();
        let undo = Callback::from(move |()| {
            lab.update(|l| l.undo());
        });
        notice = notice.action(texts::UNDO.get(lang), undo);
    }
    notices.show(notice);
}

/// Asks what Apply would answer.
pub(super) fn dry_run(lab: &LabContext, notices: Option<&Notices>, handle: &Handle, lang: Lang) {
    let (empty, name) =
        lab.read(|l| (l.files.active().text.trim().is_empty(), l.files.active().name.clone()));
    let Some(notices) = notices else { return };
    if empty {
        notices.show(Notice::new(NoticeKind::Info, texts::NOTHING.get(lang)));
        return;
    }
    let outcome = lab.update(|l| l.act(&["apply", "--dry-run=server", "-f", &name]));
    if outcome.ok() {
        let code = format!("{}{}", outcome.text(), outcome.errors());
        notices.show(Notice::new(NoticeKind::Done, texts::DRY_RUN_OK.get(lang)).code(code.trim_end()));
    } else {
        notices.show(refused(lab, &outcome, &name, handle, lang));
    }
}

fn refused(lab: &LabContext, outcome: &Outcome, name: &str, handle: &Handle, lang: Lang) -> Notice {
    let notice = Notice::new(NoticeKind::Error, texts::NOT_APPLIED.with(lang, &[("name", name)]))
        .code(outcome.errors().trim_end());
    let place = lab.read(|l| {
        let text = &l.files.active().text;
        // In a file of thousands of documents the place may not be found in time: kubectl has named it then.
        let begun = now_ms();
        let mut check = l.begin_check();
        check.go_on(l, &mut || now_ms() - begun < PLACE_MS);
        let found = check.found().into_iter().find(|f| f.level == Level::Error)?;
        let line = text.get(..found.range.start)?.matches('\n').count() + 1;
        Some((line, manifest::utf16(text, found.range.start), manifest::utf16(text, found.range.end)))
    });
    let Some((line, from, to)) = place else { return notice };
    let handle = handle.clone();
    let go = Callback::from(move |()| {
        if let Some(editor) = handle.borrow().as_ref() {
            editor.reveal(from, to);
            editor.focus();
        }
    });
    notice.action(texts::GO_TO_LINE.with(lang, &[("line", &line.to_string())]), go)
}
