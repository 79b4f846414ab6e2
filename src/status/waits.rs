//! What changes wait for, other than their turn and each other: as plain data, so that whoever makes the changes can say it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::ResourceId;

/// By the resource whose change waits.
pub type Waits = BTreeMap<ResourceId, Wait>;

/// What a change waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The quota of its group of calls is used up; there is room again after about so long, where that is known.
    Quota(Option<Duration>),
    /// A new backend service must be healthy before requests are sent to it.
    Healthy,
    /// It failed, and is not tried again before its pause is over.
    HeldBack {
        /// When it failed.
        since: Option<Timestamp>,
        /// When it is tried again.
        until: Timestamp,
    },
}

/// Durations are told in steps of so many seconds, so that the text does not change with each look.
const STEP: u64 = 10;

/// `about 40 s`: rounded up.
pub(super) fn about(duration: Duration) -> String {
    let steps = duration.as_millis().div_ceil(u128::from(STEP) * 1000).max(1);
    let seconds = u64::try_from(steps).unwrap_or(u64::MAX).saturating_mul(STEP);
    match seconds {
        0..=119 => format!("about {seconds} s"),
        _ => format!("about {} min", seconds.div_ceil(60)),
    }
}

/// `12:34:50Z`, to the same steps.
pub(super) fn clock(at: Timestamp) -> String {
    let seconds = at.as_second();
    let step = i64::try_from(STEP).unwrap_or(1);
    let rounded = seconds.saturating_add(step / 2) / step * step;
    Timestamp::from_second(rounded).unwrap_or(at).strftime("%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_up_and_times_to_the_nearest() {
        for (seconds, text) in [
            (0, "about 10 s"),
            (10, "about 10 s"),
            (31, "about 40 s"),
            (119, "about 2 min"),
            (121, "about 3 min"),
        ] {
            assert_eq!(about(Duration::from_secs(seconds)), text, "{seconds}");
        }
        for (at, text) in [("2026-06-01T12:34:54Z", "12:34:50Z"), ("2026-06-01T12:34:55.9Z", "12:35:00Z")] {
            assert_eq!(clock(at.parse().unwrap()), text);
        }
    }
}
