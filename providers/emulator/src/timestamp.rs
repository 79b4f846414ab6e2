//! Moments as the API writes them.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::sync::LazyLock;

/// The API writes Pacific time. Where the machine has no time zone data, the standard offset stands in for it all year:
/// the moment is right in any case, only its spelling differs.
static PACIFIC: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::get("America/Los_Angeles").unwrap_or_else(|_| TimeZone::fixed(Offset::constant(-8)))
});

/// RFC 3339 with milliseconds and Pacific offset: `2026-11-22T12:48:09.123-08:00`.
pub(crate) fn show(moment: Timestamp) -> String {
    moment.to_zoned(PACIFIC.clone()).strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_and_offset() {
        let moment: Timestamp = "2026-11-22T20:48:09.123456Z".parse().unwrap();
        assert_eq!(show(moment), "2026-11-22T12:48:09.123-08:00");
    }
}
