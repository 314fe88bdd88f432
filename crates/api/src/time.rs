//! From virtual seconds to the API's times.

use crate::Time;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;

/// The API's `Time` for whole seconds since the Unix epoch; an instant that no timestamp can hold becomes
/// the epoch.
pub fn time(unix_seconds: i64) -> Time {
    Time(Timestamp::from_second(unix_seconds).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// The API's `MicroTime` for nanoseconds since the Unix epoch, cut to microseconds.
pub fn micro_time(unix_nanos: i64) -> MicroTime {
    MicroTime(Timestamp::from_microsecond(unix_nanos.div_euclid(1000)).unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Whole seconds since the Unix epoch.
pub fn unix_seconds(time: &Time) -> i64 {
    time.0.as_second()
}

/// A timestamp for nanoseconds since the Unix epoch.
pub fn time_nanos(unix_nanos: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(unix_nanos)).unwrap_or(Timestamp::UNIX_EPOCH)
}
