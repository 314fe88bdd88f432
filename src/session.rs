//! The lab in the browser: the clock's pump, autosave, and how components reach the lab.
//!
//! The pump runs in animation frames and gives the cluster at most [`BUDGET_MS`] of each; the cluster never looks at a
//! clock itself.

use crate::state::{Lab, SavedText};
use gloo::render::{AnimationFrame, request_animation_frame};
use gloo::storage::{LocalStorage, SessionStorage, Storage};
use podlab_cluster::Turn;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;
use yew::prelude::*;

/// What the cluster gets of each frame, in milliseconds.
const BUDGET_MS: f64 = 4.0;
/// What a command in the terminal that has much to do gets of each frame.
const TERMINAL_MS: f64 = 2.5;
/// What setting up a large cluster gets of each frame: nobody can do anything else meanwhile.
const BUILD_MS: f64 = 24.0;
/// How often the lab is kept, in milliseconds, if it has changed.
const SAVE_EVERY_MS: f64 = 2_000.0;
/// What bringing its kept text up to date gets of each frame, in milliseconds.
const SAVE_MS: f64 = 1.5;
/// Where keeping it takes long (thousands of nodes), it is kept less often: it gets one part in so many of the time.
const SAVE_PART: f64 = 50.0;
/// Where the lab is kept in the browser.
pub const STORAGE_KEY: &str = "podlab.lab";
/// Where a tab notes that the learner has begun.
pub const BEGUN_KEY: &str = "podlab.begun";

/// The lab as components get it. Two are equal while nothing that is shown has changed.
#[derive(Clone)]
pub struct LabContext {
    lab: Rc<RefCell<Lab>>,
    revision: u64,
    redraw: Callback<()>,
    /// Whether the machine could not keep the chosen speed in the last frames.
    pub held: bool,
    /// Whether the browser kept the lab when it was last asked to; `None` before that.
    pub saved: Option<bool>,
}

impl PartialEq for LabContext {
    fn eq(&self, other: &LabContext) -> bool {
        self.revision == other.revision
            && self.held == other.held
            && self.saved == other.saved
            && Rc::ptr_eq(&self.lab, &other.lab)
    }
}

impl LabContext {
    /// Reads from the lab. Nothing inside may call [`LabContext::update`].
    pub fn read<R>(&self, read: impl FnOnce(&Lab) -> R) -> R {
        read(&self.lab.borrow())
    }

    /// Asks the lab something that needs it whole (a request to the cluster) and changes nothing that is shown.
    pub fn ask<R>(&self, ask: impl FnOnce(&mut Lab) -> R) -> R {
        ask(&mut self.lab.borrow_mut())
    }

    /// Changes the lab and draws the page anew.
    pub fn update<R>(&self, update: impl FnOnce(&mut Lab) -> R) -> R {
        let result = {
            let mut lab = self.lab.borrow_mut();
            let result = update(&mut lab);
            // Files and terminal do not count their changes; two contexts of one revision are equal.
            lab.touch();
            result
        };
        self.redraw.emit(());
        result
    }

    /// Grows with every change of what is shown.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}

thread_local! {
    /// The lab on the page, for what is called from outside of it (benches).
    static CURRENT: RefCell<Option<Rc<RefCell<Lab>>>> = const { RefCell::new(None) };
}

/// Acts on the lab that is on the page; `None` where there is none or a component holds it.
pub fn with_current<R>(act: impl FnOnce(&mut Lab) -> R) -> Option<R> {
    let lab = CURRENT.with_borrow(|current| current.clone())?;
    let mut open = lab.try_borrow_mut().ok()?;
    Some(act(&mut open))
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

/// Milliseconds of a clock that never goes back. The cluster's turns ask it every few events, so the window is not looked up
/// for it.
pub fn now_ms() -> f64 {
    performance_now()
}

/// Starts the pump over a lab and gives the context for the page.
#[hook]
pub fn use_session(start: impl FnOnce() -> Lab + 'static) -> LabContext {
    let lab = use_mut_ref(start);
    let drawn = use_state(Drawn::default);
    let redraw = {
        let lab = lab.clone();
        let setter = drawn.setter();
        use_callback(drawn.saved, move |(), saved| {
            let revision = lab.borrow().revision();
            setter.set(Drawn { revision, held: false, saved: *saved });
        })
    };
    {
        let lab = lab.clone();
        let drawn = drawn.setter();
        use_effect_with((), move |()| {
            CURRENT.set(Some(lab.clone()));
            let frame: Rc<RefCell<Option<AnimationFrame>>> = Rc::default();
            // Before the page goes away, what the last seconds brought is kept.
            let leaving = {
                let lab = lab.clone();
                gloo::events::EventListener::new(&gloo::utils::window(), "pagehide", move |_| {
                    if let Ok(lab) = lab.try_borrow()
                        && has_begun()
                        && !lab.is_replaying()
                    {
                        keep(&lab);
                    }
                })
            };
            let now = now_ms();
            pump(
                lab,
                drawn,
                frame.clone(),
                Pace {
                    last: now,
                    save_at: now + SAVE_EVERY_MS,
                    saved_revision: 0,
                    text: SavedText::default(),
                    drawn: Drawn::default(),
                },
            );
            move || {
                drop(leaving);
                frame.borrow_mut().take();
            }
        });
    }
    LabContext { lab, revision: drawn.revision, redraw, held: drawn.held, saved: drawn.saved }
}

/// What the page draws of the session.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Drawn {
    revision: u64,
    held: bool,
    saved: Option<bool>,
}

struct Pace {
    last: f64,
    /// When it is kept next.
    save_at: f64,
    saved_revision: u64,
    /// What is kept, as far as it is written.
    text: SavedText,
    drawn: Drawn,
}

fn pump(
    lab: Rc<RefCell<Lab>>,
    drawn: yew::UseStateSetter<Drawn>,
    frame: Rc<RefCell<Option<AnimationFrame>>>,
    mut pace: Pace,
) {
    let next = frame.clone();
    let handle = request_animation_frame(move |_| {
        let begun = now_ms();
        let elapsed = Duration::from_secs_f64(((begun - pace.last) / 1000.0).max(0.0));
        pace.last = begun;
        // A component may hold the lab while it asks something; the next frame comes soon.
        if let Ok(mut open) = lab.try_borrow_mut() {
            let budget = if open.building().is_some() { BUILD_MS } else { BUDGET_MS };
            let mut turn = Turn::new(begun, budget);
            let mut terminal: Option<Turn> = None;
            let advance = open.advance_in_turns(elapsed, &mut || turn.goes_on(now_ms), &mut || {
                // Its turn begins when it is asked first: the cluster's came before.
                terminal.get_or_insert_with(|| Turn::new(now_ms(), TERMINAL_MS)).goes_on(now_ms)
            });
            let revision = open.revision();
            let mut shown = pace.drawn;
            if advance.changed {
                (shown.revision, shown.held) = (revision, advance.held);
            }
            if begun > pace.save_at && revision != pace.saved_revision && !open.is_replaying() {
                let before = now_ms();
                if !has_begun() {
                    pace.saved_revision = revision;
                    pace.save_at = begun + SAVE_EVERY_MS;
                } else if pace.text.follow(&open, &mut || now_ms() - before < SAVE_MS) {
                    pace.saved_revision = revision;
                    shown.saved = Some(keep_text(&pace.text.whole(&open)));
                    pace.save_at = begun + ((now_ms() - before) * SAVE_PART).max(SAVE_EVERY_MS);
                }
            }
            if shown != pace.drawn {
                pace.drawn = shown;
                drawn.set(Drawn { revision, ..shown });
            }
        }
        pump(lab, drawn, next, pace);
    });
    *frame.borrow_mut() = Some(handle);
}

/// Keeps the lab in this browser. Where the browser refuses (no room, private mode) the lab goes on unsaved and the
/// answer is `false`.
pub fn keep(lab: &Lab) -> bool {
    keep_text(&lab.save().to_text())
}

fn keep_text(text: &str) -> bool {
    LocalStorage::raw().set_item(STORAGE_KEY, text).is_ok()
}

/// Whether the learner has begun in this tab: only then is a lab kept, and opened again by a reload.
pub fn has_begun() -> bool {
    SessionStorage::raw().get_item(BEGUN_KEY).ok().flatten().is_some()
}

/// Notes that the learner has begun in this tab.
pub fn begin() {
    let _ = SessionStorage::raw().set_item(BEGUN_KEY, "1");
}

/// The lab that was kept in this browser, if it can be read.
pub fn kept() -> Option<crate::state::Saved> {
    let text = LocalStorage::raw().get_item(STORAGE_KEY).ok()??;
    crate::state::Saved::from_text(&text).ok()
}
