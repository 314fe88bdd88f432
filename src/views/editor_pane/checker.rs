//! Validation while typing: when the keys have rested, the API server is asked what it would answer.

use crate::editor::{Edit, Fix, Problem, Severity};
use crate::i18n::editor as texts;
use crate::session::LabContext;
use crate::state::Lang;
use crate::state::manifest::{Finding, Level, utf16};
use gloo::timers::callback::Timeout;
use std::rc::Rc;
use yew::prelude::*;

/// How long the keys have to rest, in milliseconds.
const REST_MS: u32 = 300;

/// What the checker has found.
#[derive(Clone)]
pub(super) struct Checker {
    /// What is wrong, in the order of the text.
    pub(super) findings: Rc<[Finding]>,
    /// The same for the editor.
    pub(super) problems: Rc<[Problem]>,
    /// Says that something was typed.
    pub(super) typed: Callback<()>,
}

/// Checks the file in the editor after typing has rested, and again when `about` (name, text, inputs of the cluster)
/// changes.
#[hook]
pub(super) fn use_checker(lab: &LabContext, about: (String, AttrValue, usize), lang: Lang) -> Checker {
    let findings = use_state(|| (Rc::<[Finding]>::from([]), Rc::<[Problem]>::from([])));
    let timer = use_mut_ref(|| None::<Timeout>);
    let check = {
        let (lab, findings) = (lab.clone(), findings.setter());
        Callback::from(move |()| {
            let (found, problems) = lab.read(|l| {
                let mut found = l.findings();
                found.sort_by_key(|f| f.range.start);
                let text = &l.files.active().text;
                let problems: Vec<Problem> = found.iter().map(|f| problem(f, text, lang)).collect();
                (found, problems)
            });
            findings.set((found.into(), problems.into()));
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
    Checker { findings: findings.0.clone(), problems: findings.1.clone(), typed }
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
        Level::NotSimulated => {
            (Severity::Info, texts::NOT_SIMULATED.with(lang, &[("field", &finding.message)]))
        }
    };
    Problem { from, to, severity, message, fixes }
}
