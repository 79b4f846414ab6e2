//! When a failed try is followed by another, and how long after.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use crate::Effect;

/// Classes of failure, as far as trying again is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The same request would fail again, or must not be sent again: look first.
    Never,
    /// The connection or the server failed; nothing is wrong with the request.
    Transient,
    /// Too many requests. The quota's window is a minute long.
    Throttled,
    /// The resource, or one it refers to, is in the middle of a change.
    NotReady,
}

impl Retry {
    /// A word for logs and labels.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Transient => "transient",
            Self::Throttled => "throttled",
            Self::NotReady => "not_ready",
        }
    }
}

/// Growing pauses: each is drawn between a delay and its double, and the delay doubles each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first delay.
    pub first: Duration,
    /// No pause is longer than this, unless the server asks for it.
    pub most: Duration,
    /// How many further tries there are. 0 for none.
    pub times: usize,
}

impl Backoff {
    fn start(self) -> ExponentialBackoff {
        ExponentialBuilder::new()
            .with_min_delay(self.first.min(self.most / 2))
            // Jitter adds up to the delay itself.
            .with_max_delay(self.most / 2)
            .with_factor(2.0)
            .with_max_times(self.times)
            .with_jitter()
            .build()
    }
}

/// Pauses and limits per class of failure. Each class is counted for itself within one call.
///
/// A change that is throttled is never sent again by the client: whoever asked for it may have something more urgent to send when the
/// quota allows it, or may not want it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// After lost connections and 5xx.
    pub transient: Backoff,
    /// After 429 and 403 `rateLimitExceeded`, of calls that change nothing. A longer `Retry-After` is honoured.
    pub throttled: Backoff,
    /// After `resourceNotReady`.
    pub not_ready: Backoff,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            // About 15 s in all: a server that is away for longer is the caller's to wait for.
            transient: Backoff { first: Duration::from_millis(250), most: Duration::from_secs(8), times: 6 },
            // Quota windows last a minute; these pauses sum to more than two of them.
            throttled: Backoff { first: Duration::from_secs(1), most: Duration::from_mins(1), times: 8 },
            // A change of a neighbour takes seconds. What takes longer should give its place to other work.
            not_ready: Backoff { first: Duration::from_millis(500), most: Duration::from_secs(5), times: 4 },
        }
    }
}

impl RetryPolicy {
    /// No second try of anything.
    #[must_use]
    pub fn never() -> Self {
        let none = Backoff { first: Duration::ZERO, most: Duration::ZERO, times: 0 };
        Self { transient: none, throttled: none, not_ready: none }
    }

    pub(crate) fn schedule(&self, effect: Effect) -> Schedule {
        let Self { transient, throttled, not_ready } = self;
        let throttled = match effect {
            Effect::Read => *throttled,
            Effect::Change => Backoff { times: 0, ..*throttled },
        };
        Schedule { transient: transient.start(), throttled: throttled.start(), not_ready: not_ready.start() }
    }
}

/// The pauses that are left for one call.
pub(crate) struct Schedule {
    transient: ExponentialBackoff,
    throttled: ExponentialBackoff,
    not_ready: ExponentialBackoff,
}

impl Schedule {
    /// The pause before the next try; `None` where there is none.
    pub(crate) fn pause(&mut self, class: Retry, retry_after: Option<Duration>) -> Option<Duration> {
        let drawn = match class {
            Retry::Never => return None,
            Retry::Transient => self.transient.next(),
            Retry::Throttled => self.throttled.next(),
            Retry::NotReady => self.not_ready.next(),
        }?;
        Some(retry_after.map_or(drawn, |asked| asked.max(drawn)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_within_their_bounds_and_end() {
        let mut schedule = RetryPolicy::default().schedule(Effect::Read);
        let pauses: Vec<Duration> = std::iter::from_fn(|| schedule.pause(Retry::Throttled, None)).collect();
        assert_eq!(pauses.len(), 8);
        for (at, pause) in pauses.iter().enumerate() {
            let least = Duration::from_secs((1 << at).min(30));
            assert!(*pause >= least && *pause <= least * 2, "pause {at} is {pause:?}");
        }
    }

    #[test]
    fn a_throttled_change_is_not_sent_again() {
        let mut schedule = RetryPolicy::default().schedule(Effect::Change);
        assert_eq!(schedule.pause(Retry::Throttled, Some(Duration::from_secs(1))), None);
        assert!(schedule.pause(Retry::Transient, None).is_some());
    }

    #[test]
    fn classes_are_counted_apart_and_the_server_may_ask_for_more() {
        let mut schedule = RetryPolicy::default().schedule(Effect::Read);
        while schedule.pause(Retry::NotReady, None).is_some() {}
        let asked = Duration::from_secs(45);
        assert_eq!(schedule.pause(Retry::Throttled, Some(asked)), Some(asked));
        assert!(schedule.pause(Retry::Transient, None).is_some());
        assert_eq!(schedule.pause(Retry::Never, Some(asked)), None);
    }
}
