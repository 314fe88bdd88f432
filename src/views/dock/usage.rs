//! What a container uses: cpu and memory now, and a line of what it used while one has looked.

use crate::i18n::{dock as texts, use_lang};
use crate::state::inspect::amount;
use podlab_sim::SimTime;
use std::cell::RefCell;
use yew::prelude::*;

/// As many values are kept: a quarter of an hour of spans of 15 s.
const KEPT: usize = 60;
/// The drawing's size, in its own units.
const SIZE: (f64, f64) = (120.0, 24.0);

/// What a container used in a span, and what it may use.
#[derive(Clone, Copy, Debug, PartialEq, Properties)]
pub(super) struct UsageProps {
    /// The end of the span.
    pub at: SimTime,
    /// Thousandths of a CPU, rounded up.
    pub cpu: i64,
    /// Bytes.
    pub memory: i64,
    /// The limit of cpu, in thousandths; 0 for none.
    pub cpu_limit: i64,
    /// The limit of memory, in bytes; 0 for none.
    pub memory_limit: i64,
}

/// Keeps a value for each span, oldest first; what is later than the present is gone when time goes back.
fn remember(history: &mut Vec<(SimTime, i64, i64)>, props: &UsageProps) {
    history.retain(|(at, ..)| *at < props.at);
    history.push((props.at, props.cpu, props.memory));
    let surplus = history.len().saturating_sub(KEPT);
    history.drain(..surplus);
}

/// The points of a line whose top is `most`; the newest value is at the right.
fn points(values: impl DoubleEndedIterator<Item = i64>, most: i64) -> String {
    let step = SIZE.0 / (KEPT - 1) as f64;
    let points = values.rev().enumerate().map(|(back, value)| {
        let height = (value as f64 / most.max(1) as f64).clamp(0.0, 1.0) * (SIZE.1 - 2.0);
        format!("{:.1},{:.1}", SIZE.0 - back as f64 * step, SIZE.1 - 1.0 - height)
    });
    points.collect::<Vec<_>>().join(" ")
}

/// The figures and their lines.
#[component]
pub(super) fn Usage(props: &UsageProps) -> Html {
    let lang = use_lang();
    let history = use_mut_ref(Vec::new);
    remember(&mut RefCell::borrow_mut(&history), props);
    let history = RefCell::borrow(&history);
    let row = |name: &'static str,
               resource: &'static str,
               value: i64,
               limit: i64,
               of: fn(&(SimTime, i64, i64)) -> i64| {
        let most = history.iter().map(of).max().unwrap_or(0);
        // A limit is the top of the drawing while it is near; else the line would lie on the ground.
        let top = if limit > 0 && limit <= most.saturating_mul(4) { limit } else { most };
        let limit =
            (limit > 0).then(|| texts::USAGE_LIMIT.with(lang, &[("limit", &amount(resource, limit))]));
        html! {
            <div class="usage-row">
                <dt>{name}</dt>
                <dd>{amount(resource, value)}{limit.map(|limit| html! { <small>{" "}{limit}</small> })}</dd>
                <svg viewBox={format!("0 0 {} {}", SIZE.0, SIZE.1)} preserveAspectRatio="none" aria-hidden="true">
                    <polyline points={points(history.iter().map(of), top)} vector-effect="non-scaling-stroke" />
                </svg>
            </div>
        }
    };
    html! {
        <dl class="usage" aria-label={texts::USAGE.get(lang)}>
            {row("cpu", "cpu", props.cpu, props.cpu_limit, |value| value.1)}
            {row("memory", "memory", props.memory, props.memory_limit, |value| value.2)}
        </dl>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(at: i64, cpu: i64) -> UsageProps {
        UsageProps { at: SimTime::from_secs(at), cpu, memory: 0, cpu_limit: 0, memory_limit: 0 }
    }

    #[test]
    fn a_span_is_kept_once_and_forgotten_when_time_goes_back() {
        let mut history = Vec::new();
        for (at, cpu) in [(15, 1), (15, 2), (30, 3), (45, 4), (30, 5)] {
            remember(&mut history, &used(at, cpu));
        }
        let kept: Vec<i64> = history.iter().map(|value| value.1).collect();
        assert_eq!(kept, [2, 5]);
        for at in 10..200 {
            remember(&mut history, &used(at * 15, at));
        }
        assert_eq!((history.len(), history[0].1), (KEPT, 140));
    }

    #[test]
    fn the_newest_value_is_at_the_right_and_the_top_is_the_most() {
        assert_eq!(points([0, 10].into_iter(), 10), "120.0,1.0 118.0,23.0");
        assert_eq!(points([].into_iter(), 0), "");
    }
}
