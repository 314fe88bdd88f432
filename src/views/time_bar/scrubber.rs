//! The scrubber: what happened when, and looking back by dragging or by keys.

use super::ticks::{Tick, TickKind, Ticks};
use crate::i18n::{bars as texts, use_lang};
use crate::session::LabContext;
use crate::state::words::clock;
use podlab_sim::SimTime;
use std::time::Duration;
use web_sys::HtmlElement;
use yew::prelude::*;

/// Properties of [`Scrubber`].
#[derive(Clone, PartialEq, Properties)]
pub(crate) struct ScrubberProps {
    pub(crate) lab: LabContext,
    pub(crate) start: SimTime,
    pub(crate) now: SimTime,
    pub(crate) live: SimTime,
    pub(crate) past: bool,
}

/// What of time is shown: from the start to a while ahead, in steps that make the scale move seldom.
#[derive(Clone, Copy, PartialEq)]
struct Scale {
    start: SimTime,
    /// Seconds.
    length: f64,
    step: f64,
}

impl Scale {
    fn of(start: SimTime, live: SimTime) -> Scale {
        // 5 minutes at first, then so that now stays within the first four fifths.
        const STEPS: [f64; 11] =
            [60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 43_200.0];
        let gone = live.since(start).as_secs_f64();
        let step = STEPS
            .into_iter()
            .find(|step| gone <= step * 4.0)
            .unwrap_or((gone / 4.0 / 86_400.0).ceil() * 86_400.0);
        Scale { start, length: step * 5.0, step }
    }

    /// Per cent of the width.
    fn place(&self, at: SimTime) -> f64 {
        at.since(self.start).as_secs_f64() * 100.0 / self.length
    }

    fn at(&self, part: f64) -> SimTime {
        self.start + Duration::from_secs_f64((part.clamp(0.0, 1.0) * self.length).max(0.0))
    }
}

/// The scrubber.
#[component]
pub(crate) fn Scrubber(props: &ScrubberProps) -> Html {
    let lang = use_lang();
    let ScrubberProps { lab, start, now, live, past } = props.clone();
    let track = use_node_ref();
    let dragging = use_mut_ref(|| false);
    let ticks = use_mut_ref(|| (f64::MIN, std::rc::Rc::new(Ticks::default())));
    // Reading events costs more than a frame should; four times a second is enough to see.
    let shown = {
        let mut ticks = ticks.borrow_mut();
        let real = crate::session::now_ms();
        if real - ticks.0 > 250.0 || !lab.read(|l| l.is_playing()) {
            let mut next = (*ticks.1).clone();
            lab.ask(|l| next.read(l));
            *ticks = (real, if next == *ticks.1 { ticks.1.clone() } else { std::rc::Rc::new(next) });
        }
        ticks.1.clone()
    };
    let scale = Scale::of(start, live);
    let look = {
        let lab = lab.clone();
        move |at: SimTime| lab.update(|l| l.look_at(at.max(start)))
    };
    let point = {
        let (track, look) = (track.clone(), look.clone());
        move |event: &PointerEvent| {
            if let Some(track) = track.cast::<HtmlElement>() {
                let rect = track.get_bounding_client_rect();
                let part = (f64::from(event.client_x()) - rect.left()) / rect.width().max(1.0);
                look(scale.at(part));
            }
        }
    };
    let onpointerdown = {
        let (track, dragging, point) = (track.clone(), dragging.clone(), point.clone());
        Callback::from(move |event: PointerEvent| {
            *dragging.borrow_mut() = true;
            if let Some(track) = track.cast::<HtmlElement>() {
                let _ = track.set_pointer_capture(event.pointer_id());
                let _ = track.focus();
            }
            event.prevent_default();
            point(&event);
        })
    };
    let onpointermove = {
        let dragging = dragging.clone();
        Callback::from(move |event: PointerEvent| {
            if *dragging.borrow() {
                point(&event);
            }
        })
    };
    let onpointerup = Callback::from(move |_: PointerEvent| *dragging.borrow_mut() = false);
    let onkeydown = {
        let look = look.clone();
        Callback::from(move |event: KeyboardEvent| {
            let step = Duration::from_secs(if event.shift_key() { 10 } else { 1 });
            let at = match event.key().as_str() {
                "ArrowLeft" | "ArrowDown" => {
                    SimTime::from_nanos(now.as_nanos() - i64::try_from(step.as_nanos()).unwrap_or(0))
                }
                "ArrowRight" | "ArrowUp" => now + step,
                "Home" => start,
                "End" => live,
                _ => return,
            };
            event.prevent_default();
            event.stop_propagation();
            look(at);
        })
    };
    let place = |at| format!("left:{:.3}%", scale.place(at));
    html! {
        <div class="scrubber">
            <div class="track" ref={track} role="slider" tabindex="0" aria-label={texts::SCRUBBER.get(lang)} aria-valuemin="0"
                aria-valuemax={live.since(start).as_secs().to_string()} aria-valuenow={now.since(start).as_secs().to_string()} aria-valuetext={clock(now)}
                {onpointerdown} {onpointermove} {onpointerup} {onkeydown}>
                <i class="gone" style={format!("width:{:.3}%", scale.place(now))} />
                if past { <i class="undone" style={format!("left:{:.3}%;width:{:.3}%", scale.place(now), scale.place(live) - scale.place(now))} /> }
                <i class="ahead" style={place(live)} />
                <Marks ticks={crate::components::Same(shown)} scale={(scale.start, scale.length)} {now} is_past={past} />
                if past { <span class="now-mark" style={place(live)}><i>{texts::NOW_DUE.get(lang)}</i></span> }
                <i class="head" style={place(now)} />
            </div>
            <div class="ruler" aria-hidden="true">
                {for (0..6).map(|i| {
                    let at = scale.start + Duration::from_secs_f64(scale.step * f64::from(i));
                    let text = clock(at);
                    let text = text.get(..5).unwrap_or(&text).to_owned();
                    html! { <i style={place(at)}>{text}</i> }
                })}
            </div>
        </div>
    }
}

#[derive(Clone, PartialEq, Properties)]
struct MarksProps {
    ticks: crate::components::Same<Ticks>,
    /// Start, length in seconds.
    scale: (SimTime, f64),
    now: SimTime,
    is_past: bool,
}

/// The ticks; those of one kind that would overlap are merged.
#[component]
fn Marks(props: &MarksProps) -> Html {
    let scale = Scale { start: props.scale.0, length: props.scale.1, step: 0.0 };
    // About 6 pixels of a usual width.
    let near = 0.8;
    let mark = |ticks: &std::collections::BTreeSet<Tick>, planned: bool| {
        let mut places: Vec<(TickKind, f64, SimTime)> = Vec::new();
        for kind in TickKind::ALL {
            let mut last = f64::MIN;
            for tick in ticks.iter().filter(|t| t.kind == kind) {
                let place = scale.place(tick.at);
                if place - last >= near && place <= 100.0 {
                    places.push((kind, place, tick.at));
                    last = place;
                }
            }
        }
        places.into_iter().map(move |(kind, place, at)| {
            let after = !planned && props.is_past && at > props.now;
            html! {
                <svg class={classes!("tick", kind.class(), kind.is_trouble().then_some("trouble"), planned.then_some("planned"), after.then_some("after"))}
                    style={format!("left:{place:.2}%")} viewBox="0 0 12 12" aria-hidden="true"><path d={kind.path()} fill="currentColor" fill-rule="evenodd" /></svg>
            }
        }).collect::<Html>()
    };
    html! { <>{mark(&props.ticks.past, false)}{mark(&props.ticks.planned, true)}</> }
}
