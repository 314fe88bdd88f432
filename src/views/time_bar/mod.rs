//! The time bar governs all panes: play, step, speed, clock, scrubber, what happens next.

mod agenda;
mod scrubber;
mod ticks;

use crate::components::{Choice, Icon, IconKind, Segmented};
use crate::i18n::{bars as texts, use_lang};
use crate::session::LabContext;
use crate::state::words::clock;
use crate::state::{Lab, Speed};
use agenda::Next;
use podlab_api::printers::human_duration;
use podlab_sim::SimTime;
use scrubber::Scrubber;
use ticks::Ticks;
use yew::prelude::*;

/// How a speed reads: `0.5×`.
fn speed_text(speed: Speed) -> String {
    format!("{}×", speed.0)
}

/// The instant of the last tick before another instant.
pub(crate) fn last_tick_before(lab: &mut Lab, at: SimTime) -> Option<SimTime> {
    let mut ticks = Ticks::default();
    ticks.read(lab);
    ticks.past.iter().map(|t| t.at).filter(|t| *t < at).max()
}

/// The time bar.
#[component]
pub(crate) fn TimeBar() -> Html {
    let lang = use_lang();
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let (now, live, start, playing, past, speed) = lab.read(|l| {
        let start = l.live().world().settings.start;
        (l.shown().sim_now(), l.live().sim_now(), start, l.is_playing(), l.is_past(), l.speed())
    });
    let act = |change: fn(&mut Lab)| {
        let lab = lab.clone();
        move |_: MouseEvent| lab.update(change)
    };
    let play_label = if playing { texts::PAUSE } else { texts::PLAY }.get(lang);
    let chosen = Speed::ALL.iter().position(|s| *s == speed).unwrap_or(1);
    let on_speed = {
        let lab = lab.clone();
        Callback::from(move |i: usize| {
            if let Some(speed) = Speed::ALL.get(i) {
                lab.update(|l| l.set_speed(*speed));
            }
        })
    };
    let cycle = on_speed.reform(move |_: MouseEvent| (chosen + 1) % Speed::ALL.len());
    let gone = now.since(start).as_nanos();
    let since = format!("t+{}", human_duration(i128::try_from(gone).unwrap_or(0)));
    html! {
        <section class={classes!("time", past.then_some("past"))} aria-label={texts::CLOCK.get(lang)}>
            <div class="transport">
                <button type="button" class="icon-button" aria-label={texts::STEP_BACK.get(lang)} title={texts::STEP_BACK.get(lang)} onclick={act(super::keys::step_back)}><Icon kind={IconKind::StepBack} /></button>
                <button type="button" class="icon-button play" aria-label={play_label} title={play_label} onclick={act(|l| l.set_playing(!l.is_playing()))}>
                    <Icon kind={if playing { IconKind::Pause } else { IconKind::Play }} />
                </button>
                <button type="button" class="icon-button" aria-label={texts::STEP.get(lang)} title={texts::STEP.get(lang)} onclick={act(Lab::step)}><Icon kind={IconKind::StepNext} /></button>
            </div>
            <Segmented class="speeds" label={texts::SPEED.get(lang)} choices={Speed::ALL.map(|s| Choice::text(speed_text(s))).to_vec()} {chosen} on_choose={on_speed} />
            <div class="clock">
                <b>{clock(now)}</b>
                if lab.held {
                    <span class="held" title={texts::HELD_WHY.get(lang)}>{texts::HELD.with(lang, &[("speed", &held_speed(&lab))])}</span>
                } else {
                    <span>{since}<i>{" · "}{texts::VIRTUAL.get(lang)}</i></span>
                }
            </div>
            <button type="button" class="speed-one" aria-label={texts::SPEED_NOW.with(lang, &[("speed", &speed_text(speed))])} onclick={cycle}>{speed_text(speed)}</button>
            <Scrubber lab={lab.clone()} {start} {now} {live} {past} />
            <Next {lab} />
        </section>
    }
}

/// The speed that the machine keeps, as far as one frame tells: at most the chosen one.
fn held_speed(lab: &LabContext) -> String {
    thread_local! {
        /// Real time, virtual time and the last answer, at most twice a second.
        static LAST: std::cell::RefCell<(f64, SimTime, String)> = std::cell::RefCell::new((0.0, SimTime::START, "…".to_owned()));
    }
    let now = lab.read(|l| l.live().sim_now());
    let real = crate::session::now_ms();
    LAST.with_borrow_mut(|last| {
        if real - last.0 > 500.0 {
            let kept = now.since(last.1).as_secs_f64() * 1000.0 / (real - last.0);
            let text = if real - last.0 < 3000.0 { format!("{:.0}", kept.max(1.0)) } else { last.2.clone() };
            *last = (real, now, text);
        }
        last.2.clone()
    })
}
