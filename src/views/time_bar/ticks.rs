//! What has happened and what will, as marks on the scrubber: read from the cluster's Event objects and its agenda.

use crate::state::Lab;
use podlab_api::kinds::EVENT;
use podlab_api::{Door, Object, Request};
use podlab_cluster::observe::UpcomingKind;
use podlab_sim::SimTime;
use std::collections::BTreeSet;

/// What a tick marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TickKind {
    Scheduled,
    Started,
    Deleted,
    ProbeFailed,
    Restarted,
}

impl TickKind {
    pub(crate) const ALL: [TickKind; 5] = [
        TickKind::Scheduled,
        TickKind::Started,
        TickKind::ProbeFailed,
        TickKind::Restarted,
        TickKind::Deleted,
    ];

    /// Its CSS class.
    pub(crate) fn class(self) -> &'static str {
        match self {
            TickKind::Scheduled => "tick-scheduled",
            TickKind::Started => "tick-started",
            TickKind::Deleted => "tick-deleted",
            TickKind::ProbeFailed => "tick-probe",
            TickKind::Restarted => "tick-restarted",
        }
    }

    /// Its shape on a 12 by 12 grid.
    pub(crate) fn path(self) -> &'static str {
        match self {
            TickKind::Scheduled => "M5.2 1h1.6v10H5.2z",
            TickKind::Started => "M2.5 1v10l8-5z",
            TickKind::Deleted => "M1.5 1.5h9v9h-9zM3.2 3.2v5.6h5.6V3.2z",
            TickKind::ProbeFailed => {
                "M2.6 1.2 6 4.6l3.4-3.4 1.4 1.4L7.4 6l3.4 3.4-1.4 1.4L6 7.4l-3.4 3.4-1.4-1.4L4.6 6 1.2 2.6z"
            }
            TickKind::Restarted => "M6 .8 11.2 6 6 11.2.8 6z",
        }
    }

    /// Trouble stands in the upper row.
    pub(crate) fn is_trouble(self) -> bool {
        matches!(self, TickKind::ProbeFailed | TickKind::Restarted)
    }
}

/// A tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick {
    pub(crate) at: SimTime,
    pub(crate) kind: TickKind,
}

/// How many ticks are kept.
const MOST: usize = 2_000;

/// All ticks. An Event object that counts repeats keeps only its first and last time; what was read while time ran is
/// kept here, so that no repeat is lost.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ticks {
    pub(crate) past: BTreeSet<Tick>,
    pub(crate) planned: BTreeSet<Tick>,
    /// Events up to this resourceVersion have been read, at this instant.
    seen: (u64, SimTime),
}

impl Ticks {
    /// Reads what is new.
    pub(crate) fn read(&mut self, lab: &mut Lab) {
        let live = lab.live();
        let now = live.sim_now();
        let version = live.world().api.store().resource_version();
        // Undo, a branch or another lab: what came after is not so any more.
        if now < self.seen.1 || version < self.seen.0 {
            self.past.retain(|t| t.at <= now);
            self.seen.0 = 0;
        }
        let seen = std::mem::replace(&mut self.seen, (version, now)).0;
        if version != seen && !lab.is_past() {
            let list = lab.shown_mut().request(Request::list(&EVENT, "")).into_list();
            for event in list.iter().flat_map(|l| &l.items) {
                if event.resource_version() > seen {
                    self.past.extend(ticks_of(event).into_iter().filter(|t| t.at <= now));
                }
            }
            while self.past.len() > MOST {
                self.past.pop_first();
            }
        }
        let planned = lab.live().upcoming(40).into_iter().filter_map(|u| {
            let kind = match u.what {
                UpcomingKind::Schedule | UpcomingKind::SchedulerBackoffEnds => TickKind::Scheduled,
                UpcomingKind::BackoffEnds { .. } => TickKind::Restarted,
                UpcomingKind::PullEnds { .. } => TickKind::Started,
                UpcomingKind::GraceEnds => TickKind::Deleted,
                _ => return None,
            };
            Some(Tick { at: u.at, kind })
        });
        self.planned = planned.collect();
    }
}

fn time(object: &Object, field: &str) -> Option<SimTime> {
    let text = object.field(field)?.as_str()?;
    let at: podlab_api::door::Timestamp = text.parse().ok()?;
    Some(SimTime::from_nanos(i64::try_from(at.as_nanosecond()).ok()?))
}

fn text<'a>(object: &'a Object, field: &str) -> &'a str {
    object.field(field).and_then(|v| v.as_str()).unwrap_or_default()
}

fn ticks_of(event: &Object) -> Vec<Tick> {
    let first = time(event, "firstTimestamp").or_else(|| time(event, "eventTime"));
    let last = time(event, "lastTimestamp").or(first);
    let (kind, again) = match text(event, "reason") {
        "Scheduled" => (TickKind::Scheduled, TickKind::Scheduled),
        "Started" => (TickKind::Started, TickKind::Restarted),
        "Unhealthy" => (TickKind::ProbeFailed, TickKind::ProbeFailed),
        // A container that failed its liveness probe is killed too, and started again.
        "Killing" if text(event, "message").starts_with("Stopping") => (TickKind::Deleted, TickKind::Deleted),
        _ => return Vec::new(),
    };
    let mut ticks: Vec<Tick> = first.into_iter().map(|at| Tick { at, kind }).collect();
    if let Some(at) = last
        && last != first
    {
        ticks.push(Tick { at, kind: again });
    }
    ticks
}
