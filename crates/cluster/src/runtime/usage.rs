//! What containers use, reckoned for the ends of spans of time rather than measured at them: nothing ticks.
//!
//! A container that rests or computes without end uses CPU as a straight line, which can be asked for any instant since its
//! processes last did something. Only before they do something after the end of a span is the value at that end kept.

use super::Runtime;
use super::container::Container;
use super::cri::ContainerId;
use podlab_sim::{SimDuration, SimTime};

/// How long a span is.
///
/// Source: metrics-server's `--metric-resolution`.
pub(crate) const SPAN: SimDuration = SimDuration::from_secs(15);

fn span_of(at: SimTime) -> i64 {
    at.as_nanos().div_euclid(i64::try_from(SPAN.as_nanos()).unwrap_or(i64::MAX))
}

fn start_of(span: i64) -> SimTime {
    SimTime::from_nanos(span.saturating_mul(i64::try_from(SPAN.as_nanos()).unwrap_or(i64::MAX)))
}

/// CPU time at the start of the span in which something ran last, and of the one before, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CpuMarks {
    span: i64,
    start: u64,
    before: u64,
}

impl Default for CpuMarks {
    fn default() -> CpuMarks {
        CpuMarks { span: i64::MIN, start: 0, before: 0 }
    }
}

impl Container {
    /// CPU time at the starts of a span and of the one before. Nothing may have run since that span ended.
    fn cpu_at_start(&self, span: i64) -> (u64, u64) {
        let marks = self.cpu_marks;
        if marks.span == span {
            return (marks.start, marks.before);
        }
        let Some(machine) = &self.machine else { return (marks.start, marks.start) };
        let before = match marks.span == span - 1 {
            true => marks.start,
            false => machine.cpu_nanos(start_of(span - 1)),
        };
        (machine.cpu_nanos(start_of(span)), before)
    }

    /// Its processes are about to do something.
    pub(super) fn mark_cpu(&mut self, now: SimTime) {
        let span = span_of(now);
        if self.cpu_marks.span < span && self.machine.is_some() {
            let (start, before) = self.cpu_at_start(span);
            self.cpu_marks = CpuMarks { span, start, before };
        }
    }
}

/// What a container used in the latest span that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ContainerStats {
    /// The end of the span.
    pub(crate) at: SimTime,
    /// How long the container ran in it.
    pub(crate) window: SimDuration,
    /// Billionths of a CPU, on average.
    pub(crate) nanocores: u64,
    /// Bytes of memory.
    pub(crate) bytes: u64,
}

/// A container that has run for less has no rate.
///
/// Source: metrics-server pkg/storage/pod.go `freshContainerMinMetricsResolution`.
const FRESH: SimDuration = SimDuration::from_secs(10);

impl Runtime {
    /// When the latest span ended.
    pub(crate) fn latest_span(now: SimTime) -> SimTime {
        start_of(span_of(now))
    }

    /// What a running container used; `None` while it is too new.
    pub(crate) fn container_stats(&self, id: &ContainerId, now: SimTime) -> Option<ContainerStats> {
        let container = self.containers.get(id).filter(|container| container.is_running())?;
        let machine = container.machine.as_ref()?;
        let at = Runtime::latest_span(now);
        let ran = at.since(container.started_at?);
        if ran < FRESH {
            return None;
        }
        let window = ran.min(SPAN);
        let (end, start) = container.cpu_at_start(span_of(now));
        let used = u128::from(end.saturating_sub(start)) * 1_000_000_000;
        let nanocores = u64::try_from(used.checked_div(window.as_nanos()).unwrap_or(0)).unwrap_or(u64::MAX);
        let (most, resting) = machine.cpu_bounds();
        // The kernel lets a container compute no more than its limit.
        let limit = container.config.cpu_limit.map_or(u64::MAX, |limit| limit.saturating_mul(1_000_000));
        let nanocores = nanocores.saturating_add(resting).min(most).min(limit);
        Some(ContainerStats { at, window, nanocores, bytes: machine.memory_bytes() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_begin_at_whole_multiples() {
        for (seconds, start) in [(0, 0), (14, 0), (15, 15), (29, 15), (-1, -15)] {
            assert_eq!(start_of(span_of(SimTime::from_secs(seconds))), SimTime::from_secs(start));
        }
    }
}
