//! A rollout over virtual time: how many pods of the old and of the new template there were, up to the instant that is shown.

use super::inspector::ObjectProps;
use super::shared::{block, clock};
use crate::i18n::{use_lang, workloads as texts};
use crate::session::LabContext;
use crate::state::Lang;
use crate::state::workloads::rollout::{Point, Rollout, Share, revision};
use crate::state::workloads::{Counts, workload};
use podlab_sim::SimTime;
use std::time::Duration;
use yew::prelude::*;

/// The drawing's size, in its own units.
const SIZE: (f64, f64) = (320.0, 72.0);
/// The end of the second in which a step came: times of objects are whole seconds.
const SECOND: Duration = Duration::from_nanos(999_999_999);
/// How many steps are told in words.
const STEPS: usize = 12;
/// Colours of the templates, the newest first; further ones are all of the last.
const COLOURS: usize = 3;

/// The block with the drawing, its key and its steps.
#[component]
pub(super) fn RolloutChart(props: &ObjectProps) -> Html {
    let lang = use_lang();
    let followed = use_mut_ref(Rollout::default);
    let Some(lab) = use_context::<LabContext>() else { return html! {} };
    let object = &props.object;
    let mut rollout = followed.borrow_mut();
    let (now, names) = lab.read(|l| {
        let cluster = l.shown();
        rollout.follow(cluster, object);
        let name = |hash: &String| match revision(cluster, object, hash) {
            Some(n) => texts::REVISION.with(lang, &[("n", &n.to_string())]),
            None => hash.clone(),
        };
        (cluster.sim_now(), rollout.templates().iter().map(name).collect::<Vec<String>>())
    });
    let points = rollout.latest();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return html! {} };
    let Counts::Replicas { desired, .. } = workload(object).counts else { return html! {} };
    let (from, until) = (rollout.from().unwrap_or(first.at), rollout.until(now));
    // The newest template lies at the bottom; those without pods in this time are left out.
    let seen = |place: &usize| points.iter().any(|p| share(p, *place).all > 0);
    let layers: Vec<usize> = rollout.order().iter().rev().copied().filter(seen).collect();
    let told = |point: &Point| told(point, &layers, &names, lang);
    let label = texts::ROLLOUT_LABEL
        .with(lang, &[("from", &clock(from)), ("to", &clock(until)), ("shares", &told(last))]);
    let desired = usize::try_from(desired).unwrap_or(0);
    let body = html! {
        <>
            <svg class="rollout" viewBox={format!("0 0 {} {}", SIZE.0, SIZE.1)} preserveAspectRatio="none" role="img" aria-label={label}>
                {drawing(points, &layers, (from, until), desired)}
            </svg>
            <p class="rollout-ends"><span>{clock(from)}</span><span class="gap" /><span>{clock(until)}</span></p>
            <ul class="rollout-key">
                {for layers.iter().enumerate().map(|(index, place)| html! {
                    <li key={*place}><i class={colour(index)} />{share_text(&names[*place], share(last, *place), lang)}</li>
                })}
            </ul>
            <p class="note">{texts::ROLLOUT_NOTE.get(lang)}{" "}
                if until < now { {texts::ROLLOUT_STEADY.with(lang, &[("time", &clock(last.at))])} }
            </p>
            <details class="rollout-steps">
                <summary>{texts::ROLLOUT_STEPS.get(lang)}</summary>
                <ol>
                    {for points.iter().rev().take(STEPS).map(|point| {
                        let onclick = {
                            let (lab, at) = (lab.clone(), point.at + SECOND);
                            move |_: MouseEvent| lab.update(|l| l.look_at(at))
                        };
                        let label = texts::ROLLOUT_LOOK.with(lang, &[("time", &clock(point.at))]);
                        html! {
                            <li key={point.at.as_nanos().to_string()}>
                                <button type="button" class="link" aria-label={label.clone()} title={label} {onclick}>{clock(point.at)}</button>
                                <span>{told(point)}</span>
                            </li>
                        }
                    })}
                </ol>
            </details>
        </>
    };
    block(texts::ROLLOUT.get(lang), html! {}, body)
}

fn share(point: &Point, place: usize) -> Share {
    point.shares.get(place).copied().unwrap_or_default()
}

fn colour(index: usize) -> &'static str {
    ["t0", "t1", "t2"][index.min(COLOURS - 1)]
}

fn share_text(name: &str, share: Share, lang: Lang) -> String {
    if share.all == 0 {
        return texts::SHARE_GONE.with(lang, &[("name", name)]);
    }
    let (ready, all) = (share.ready.to_string(), share.all.to_string());
    texts::SHARE.with(lang, &[("name", name), ("ready", &ready), ("all", &all)])
}

fn told(point: &Point, layers: &[usize], names: &[String], lang: Lang) -> String {
    let words = layers.iter().filter_map(|place| {
        let share = share(point, *place);
        names.get(*place).filter(|_| share.all > 0).map(|name| share_text(name, share, lang))
    });
    words.collect::<Vec<String>>().join(", ")
}

/// A step of the drawing: left, top, width, height, template's index, whether ready.
type Bar = (f64, f64, f64, f64, usize, bool);

/// The bars of all steps: the newest template at the bottom, of each the ready ones first.
fn bars(points: &[Point], layers: &[usize], (from, until): (SimTime, SimTime), top: usize) -> Vec<Bar> {
    let span = until.since(from).as_secs_f64().max(0.001);
    let x = |at: SimTime| (at.since(from).as_secs_f64() / span).min(1.0) * SIZE.0;
    let unit = SIZE.1 / top.max(1) as f64;
    let mut bars = Vec::new();
    for (index, point) in points.iter().enumerate() {
        let left = x(point.at);
        let right = points.get(index + 1).map_or(SIZE.0, |next| x(next.at));
        let mut height = 0usize;
        for (layer, place) in layers.iter().enumerate() {
            let share = share(point, *place);
            for (count, ready) in [(share.ready, true), (share.all.saturating_sub(share.ready), false)] {
                if count > 0 {
                    height += count;
                    let y = SIZE.1 - height as f64 * unit;
                    bars.push((left, y, right - left, count as f64 * unit, layer, ready));
                }
            }
        }
    }
    bars
}

fn drawing(points: &[Point], layers: &[usize], span: (SimTime, SimTime), desired: usize) -> Html {
    let most = points.iter().map(|p| p.shares.iter().map(|s| s.all).sum::<usize>()).max().unwrap_or(0);
    let top = most.max(desired);
    let line = SIZE.1 - desired as f64 * SIZE.1 / top.max(1) as f64;
    let line = line.clamp(0.5, SIZE.1 - 0.5);
    html! {
        <>
            {for bars(points, layers, span, top).into_iter().map(|(x, y, width, height, layer, ready)| html! {
                <rect x={format!("{x:.2}")} y={format!("{y:.2}")} width={format!("{width:.2}")} height={format!("{height:.2}")} class={classes!(colour(layer), (!ready).then_some("pale"))} />
            })}
            <line x1="0" x2={SIZE.0.to_string()} y1={format!("{line:.2}")} y2={format!("{line:.2}")} vector-effect="non-scaling-stroke" />
        </>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_fill_the_time_and_stack_the_newest_first() {
        let share = |ready, all| Share { ready, all };
        let points = [
            Point { at: SimTime::from_secs(0), shares: vec![share(2, 2)] },
            Point { at: SimTime::from_secs(5), shares: vec![share(2, 2), share(0, 1)] },
        ];
        let bars = bars(&points, &[1, 0], (SimTime::from_secs(0), SimTime::from_secs(10)), 3);
        assert_eq!(bars[0], (0.0, 24.0, 160.0, 48.0, 1, true));
        assert_eq!(bars[1], (160.0, 48.0, 160.0, 24.0, 0, false));
        assert_eq!(bars[2], (160.0, 0.0, 160.0, 48.0, 1, true));
        assert_eq!(super::bars(&[], &[], (SimTime::from_secs(1), SimTime::from_secs(1)), 0), []);
    }
}
