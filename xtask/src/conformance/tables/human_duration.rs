//! `tables/human_duration.json`: ages.

use anyhow::Result;
use podlab_api::duration::{human_duration, short_human_duration};

use super::{Row, Use};
use crate::conformance::report::{Figure, Outcome, Recording};

pub(in crate::conformance) fn read(recording: &Recording<'_>) -> Result<Vec<Figure>> {
    let long: fn(&Row<'_>) -> Outcome = |row| Outcome::equal(row.text("want"), human_duration(row.int("d")));
    let short: fn(&Row<'_>) -> Outcome =
        |row| Outcome::equal(row.text("want"), short_human_duration(row.int("d")));
    super::read(
        recording,
        &[
            ("TestHumanDuration", Use::Compare(long)),
            ("TestHumanDurationBoundaries", Use::Compare(long)),
            ("TestShortHumanDurationBoundaries", Use::Compare(short)),
        ],
    )
}
