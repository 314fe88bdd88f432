//! When a schedule fires next.
//!
//! Source: github.com/robfig/cron/v3 spec.go `Next`, pkg/controller/cronjob/utils.go (v1.37).

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use podlab_api::validation::cron::{Schedule, parse_schedule};
use podlab_api::validation::time_zones;
use podlab_sim::{SimDuration, SimTime};

/// How far ahead a time is looked for: the library gives up after five years.
const MAX_DAYS: usize = 366 * 5;

/// A schedule in a time zone.
#[derive(Clone, Debug)]
pub(super) struct ZonedSchedule {
    schedule: Schedule,
    zone: TimeZone,
}

/// The zone of a name; `None` where there is none.
pub(super) fn zone(name: &str) -> Option<TimeZone> {
    if matches!(name, "" | "UTC" | "Local") {
        return Some(TimeZone::UTC);
    }
    TimeZone::posix(time_zones::rule(name)?).ok()
}

impl ZonedSchedule {
    /// Reads a schedule; one that names a zone itself (`TZ=`) goes by that.
    ///
    /// # Errors
    /// The library's text.
    pub(super) fn parse(text: &str, zone_name: Option<&str>) -> Result<ZonedSchedule, String> {
        let schedule = parse_schedule(text)?;
        let own = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ="));
        let name = own.and_then(|rest| rest.split(' ').next()).or(zone_name).unwrap_or("");
        Ok(ZonedSchedule { schedule, zone: zone(name).unwrap_or(TimeZone::UTC) })
    }

    /// The first instant after `after` at which it fires; `None` where there is none in sight.
    pub(super) fn next(&self, after: SimTime) -> Option<SimTime> {
        let Schedule::Fields { minute, hour, .. } = self.schedule else {
            let Schedule::Every(seconds) = self.schedule else { return None };
            return Some(SimTime::from_secs(after.as_secs()) + SimDuration::from_secs(seconds));
        };
        let start = Timestamp::from_second(after.as_secs()).ok()?;
        let civil: DateTime = start.to_zoned(self.zone.clone()).datetime();
        let mut day = civil.date();
        for offset in 0..MAX_DAYS {
            if self.fits(day) {
                for (h, m) in times(hour, minute) {
                    let Ok(time) = Time::new(h, m, 0, 0) else { continue };
                    let at = day.to_datetime(time);
                    if offset == 0 && at < civil {
                        continue;
                    }
                    let Ok(zoned) = at.to_zoned(self.zone.clone()) else { continue };
                    // A time that the clock skips does not come.
                    if zoned.datetime() == at && zoned.timestamp() > start {
                        return Some(SimTime::from_secs(zoned.timestamp().as_second()));
                    }
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    fn fits(&self, day: Date) -> bool {
        let Schedule::Fields { day_of_month, month, day_of_week, any_day_of_month, any_day_of_week, .. } =
            self.schedule
        else {
            return false;
        };
        let has = |bits: u64, value: i8| u32::try_from(value).is_ok_and(|bit| bits >> bit & 1 == 1);
        let of_month = has(day_of_month, day.day());
        let of_week = has(day_of_week, day.weekday().to_sunday_zero_offset());
        let fits =
            if any_day_of_month || any_day_of_week { of_month && of_week } else { of_month || of_week };
        has(month, day.month()) && fits
    }

    /// An instant as the zone's clock shows it.
    pub(super) fn rfc3339(&self, at: SimTime, zone_name: Option<&str>) -> String {
        let zone = zone(zone_name.unwrap_or("")).unwrap_or(TimeZone::UTC);
        let Ok(at) = Timestamp::from_second(at.as_secs()) else { return String::new() };
        let zoned = at.to_zoned(zone);
        let offset = zoned.offset().seconds();
        let clock = zoned.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        if offset == 0 {
            return format!("{clock}Z");
        }
        let sign = if offset < 0 { '-' } else { '+' };
        let minutes = offset.abs() / 60;
        format!("{clock}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// The hours and minutes of a day, in order.
fn times(hours: u64, minutes: u64) -> impl Iterator<Item = (i8, i8)> {
    let of = |bits: u64, most: i8| (0..most).filter(move |bit| bits >> *bit & 1 == 1);
    of(hours, 24).flat_map(move |hour| of(minutes, 60).map(move |minute| (hour, minute)))
}

/// What a CronJob has missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Missed {
    None,
    Few,
    Many,
}

/// What came of looking for the latest time that has passed.
pub(super) struct MostRecent {
    pub(super) earliest: SimTime,
    pub(super) at: Option<SimTime>,
    pub(super) missed: Missed,
}

/// The latest time since `earliest` at which the schedule fired.
///
/// # Errors
/// In the words of the event.
///
/// Source: `mostRecentScheduleTime`.
pub(super) fn most_recent(
    schedule: &ZonedSchedule,
    earliest: SimTime,
    now: SimTime,
) -> Result<MostRecent, &'static str> {
    let found = |at, missed| Ok(MostRecent { earliest, at, missed });
    let Some(first) = schedule.next(earliest).filter(|first| *first <= now) else {
        return found(None, Missed::None);
    };
    let Some(second) = schedule.next(first).filter(|second| *second <= now) else {
        return found(Some(first), Missed::None);
    };
    let between = second.as_secs() - first.as_secs();
    if between < 1 {
        return Err("time difference between two schedules is less than 1 second");
    }
    let missed = (now.as_secs() - first.as_secs()) / between + 1;
    // The spacing of the first two is a guess for the others, from which the latest is found.
    let back = u64::try_from((missed - 2).max(0) * between).unwrap_or(0);
    let mut at = None;
    let mut next = schedule.next(first + SimDuration::from_secs(back));
    while let Some(candidate) = next.filter(|candidate| *candidate <= now) {
        at = Some(candidate);
        next = schedule.next(candidate);
    }
    found(at, if missed > 100 { Missed::Many } else { Missed::Few })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SimTime {
        SimTime::from_secs(text.parse::<Timestamp>().unwrap().as_second())
    }

    #[track_caller]
    fn check(schedule: &str, zone: &str, after: &str, expected: &str) {
        let schedule = ZonedSchedule::parse(schedule, Some(zone)).unwrap();
        assert_eq!(schedule.next(at(after)), Some(at(expected)), "{schedule:?}");
    }

    /// Source: github.com/robfig/cron/v3 spec_test.go.
    #[test]
    fn schedules_fire_as_the_library_has_them() {
        check("*/15 * * * *", "", "2026-07-09T14:45:00Z", "2026-07-09T15:00:00Z");
        check("20-35/15 * * * *", "", "2026-07-09T14:45:00Z", "2026-07-09T15:20:00Z");
        check("0 0 29 2 *", "", "2026-07-09T23:35:00Z", "2028-02-29T00:00:00Z");
        check("0 0 * Feb Mon", "", "2026-07-09T23:35:00Z", "2027-02-01T00:00:00Z");
        check("0 9 13 * Fri", "", "2026-11-14T00:00:00Z", "2026-11-20T09:00:00Z");
        check("@every 90s", "", "2026-11-14T00:00:00Z", "2026-11-14T00:01:30Z");
    }

    #[test]
    fn a_zone_moves_the_day() {
        check("0 0 * * *", "Asia/Seoul", "2026-11-21T12:00:00Z", "2026-11-21T15:00:00Z");
        check("30 2 * * *", "America/New_York", "2027-03-14T05:00:00Z", "2027-03-15T06:30:00Z");
    }

    #[test]
    fn a_schedule_that_never_comes_has_no_next() {
        assert_eq!(ZonedSchedule::parse("0 0 31 2 *", None).unwrap().next(at("2026-01-01T00:00:00Z")), None);
    }
}
