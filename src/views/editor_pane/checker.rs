//! Validation while typing: when the keys have rested, the API server is asked what it would answer.

use crate::editor::{Edit, Fix, Problem, Severity};
use crate::i18n::editor as texts;
use crate::session::{LabContext, now_ms};
use crate::state::manifest::{Finding, Level, utf16};
use crate::state::{Checking, Lang};
use gloo::timers::callback::Timeout;
use std::cell::RefCell;
use std::rc::Rc;
use yew::prelude::*;

/// How long the keys have to rest, in milliseconds.
const REST_MS: u32 = 300;

/// How long it goes on in one go, in milliseconds, and how long it then lets others go on.
const TURN_MS: f64 = 6.0;
const BETWEEN_MS: u32 = 4;

/// What the checker has found.
#[derive(Clone)]
pub(super) struct Checker {
    /// What is wrong, in the order of the text.
    pub(super) findings: Rc<[Finding]>,
    /// The same for the editor.
    pub(super) problems: Rc<[Problem]>,
    /// Whether it is still looking.
    pub(super) busy: bool,
    /// Says that something was typed.
    pub(super) typed: Callback<()>,
}

/// Checks the file in the editor after typing has rested, and again when `about` (name, text, inputs of the cluster)
/// changes.
#[hook]
pub(super) fn use_checker(lab: &LabContext, about: (String, AttrValue, usize), lang: Lang) -> Checker {
    let findings = use_state(|| (Rc::<[Finding]>::from([]), Rc::<[Problem]>::from([])));
    let timer = use_mut_ref(|| None::<Timeout>);
    let busy = use_state_eq(|| false);
    let check = {
        let (lab, findings, timer, busy) = (lab.clone(), findings.setter(), timer.clone(), busy.setter());
        Callback::from(move |()| {
            let checking = lab.read(|l| l.begin_check());
            let done = {
                let (lab, findings) = (lab.clone(), findings.clone());
                Callback::from(move |mut found: Vec<Finding>| {
                    found.sort_by_key(|f| f.range.start);
                    let problems: Vec<Problem> = lab.read(|l| {
                        let text = &l.files.active().text;
                        found.iter().map(|f| problem(f, text, lang)).collect()
                    });
                    findings.set((found.into(), problems.into()));
                })
            };
            turn(Turn { lab: lab.clone(), timer: timer.clone(), busy: busy.clone(), done }, checking);
        })
    };
    let newest = use_mut_ref(|| check.clone());
    *newest.borrow_mut() = check;
    let typed = {
        let (timer, newest) = (timer.clone(), newest.clone());
        use_callback((), move |(), ()| {
            let newest = newest.clone();
            *timer.borrow_mut() = Some(Timeout::new(REST_MS, move || {
                let check = newest.borrow().clone();
                check.emit(());
            }));
        })
    };
    {
        let typed = typed.clone();
        use_effect_with((about, lang), move |_| typed.emit(()));
    }
    Checker { findings: findings.0.clone(), problems: findings.1.clone(), busy: *busy, typed }
}

/// What a turn of checking needs and changes.
#[derive(Clone)]
struct Turn {
    lab: LabContext,
    /// What is typed puts another timer in place of this one, which ends the checking.
    timer: Rc<RefCell<Option<Timeout>>>,
    busy: UseStateSetter<bool>,
    done: Callback<Vec<Finding>>,
}

/// Checks a while; goes on after others had their turn.
fn turn(turns: Turn, mut checking: Checking) {
    let begun = now_ms();
    let is_done = turns.lab.read(|l| checking.go_on(l, &mut || now_ms() - begun < TURN_MS));
    turns.busy.set(!is_done);
    if is_done {
        return turns.done.emit(checking.found());
    }
    let timer = turns.timer.clone();
    let next = Timeout::new(BETWEEN_MS, move || turn(turns, checking));
    *timer.borrow_mut() = Some(next);
}

fn problem(finding: &Finding, text: &str, lang: Lang) -> Problem {
    let (from, to) = (utf16(text, finding.range.start), utf16(text, finding.range.end));
    let fixes = finding
        .fix
        .iter()
        .map(|name| Fix {
            label: texts::CHANGE_TO.with(lang, &[("name", name)]),
            edits: vec![Edit { from, to, insert: name.clone() }],
        })
        .collect();
    let (severity, message) = match finding.level {
        Level::Error => (Severity::Error, finding.message.clone()),
        Level::Warning => (Severity::Warning, finding.message.clone()),
        Level::Twice => (Severity::Warning, texts::TWICE.with(lang, &[("key", &finding.message)])),
        Level::NotSimulated => {
            (Severity::Info, texts::NOT_SIMULATED.with(lang, &[("field", &finding.message)]))
        }
    };
    Problem { from, to, severity, message, fixes }
}
