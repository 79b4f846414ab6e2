//! How long things take: operations in their two stages, and answers.

mod distribution;
mod text;

pub use self::distribution::Distribution;
pub use self::text::LatencyError;

use std::time::Duration;

/// The latency of every method: one for all, and exceptions by pattern.
#[derive(Debug, Clone, PartialEq)]
pub struct Latency {
    /// For methods that no pattern names.
    pub default: MethodLatency,
    /// Patterns of method ids (`forwardingRules.insert`, `urlMaps.*`, `*.delete`); the first that matches counts.
    pub methods: Vec<(String, MethodLatency)>,
    /// Where drawing begins: the same seed draws the same for the same calls in the same order.
    pub seed: u64,
}

/// How long a method takes, by the emulator's clock.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodLatency {
    /// Its operation, if it has one.
    pub operation: OperationLatency,
    /// Its answer: how long it takes until the call is carried out.
    pub answer: Distribution,
}

/// How long an operation takes.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationLatency {
    /// Altogether; for a tenth of it, it is PENDING.
    Whole(Distribution),
    /// Each stage by itself.
    Stages {
        /// PENDING.
        pending: Distribution,
        /// RUNNING.
        running: Distribution,
    },
}

/// How long one call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Drawn {
    pub(crate) pending: Duration,
    pub(crate) running: Duration,
    pub(crate) answer: Duration,
}

/// How much of a whole operation's time is PENDING: a tenth.
const PENDING_SHARE: u32 = 10;

impl Latency {
    /// The same for every method.
    #[must_use]
    pub fn of(operation: impl Into<Distribution>) -> Self {
        Self { default: MethodLatency::of(operation), methods: Vec::new(), seed: 0 }
    }

    /// How long a method takes.
    #[must_use]
    pub fn method(&self, id: &str) -> &MethodLatency {
        let named = self.methods.iter().find(|(pattern, _)| matches(pattern, id));
        named.map_or(&self.default, |(_, latency)| latency)
    }

    /// How long the nth call of all takes, if it is of this method.
    pub(crate) fn draw(&self, method: &str, nth: u64) -> Drawn {
        let MethodLatency { operation, answer } = self.method(method);
        // Three numbers of chance for each call, whichever are needed.
        let draw = |distribution: &Distribution, part: u64| {
            distribution.draw(self.seed, nth.wrapping_mul(3).wrapping_add(part))
        };
        let (pending, running) = match operation {
            OperationLatency::Whole(whole) => {
                let whole = draw(whole, 0);
                (whole / PENDING_SHARE, whole.saturating_sub(whole / PENDING_SHARE))
            }
            OperationLatency::Stages { pending, running } => (draw(pending, 0), draw(running, 1)),
        };
        Drawn { pending, running, answer: draw(answer, 2) }
    }
}

impl MethodLatency {
    /// An operation that takes so long altogether, answered at once.
    #[must_use]
    pub fn of(operation: impl Into<Distribution>) -> Self {
        Self { operation: OperationLatency::Whole(operation.into()), answer: Distribution::default() }
    }
}

/// Whether a pattern with `*` for any text covers a whole text.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            // Try every place the star may end at; patterns are short and few.
            tail.char_indices()
                .map(|(at, _)| at)
                .chain([tail.len()])
                .any(|at| tail.get(at..).is_some_and(|tail| matches(rest, tail)))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_counts() {
        let millis = |millis| MethodLatency::of(Duration::from_millis(millis));
        let latency = Latency {
            default: millis(1),
            methods: vec![
                ("forwardingRules.insert".to_owned(), millis(2)),
                ("*.delete".to_owned(), millis(3)),
                ("urlMaps.*".to_owned(), millis(4)),
            ],
            seed: 0,
        };
        for (method, expected) in [
            ("forwardingRules.insert", 2),
            ("forwardingRules.delete", 3),
            ("urlMaps.delete", 3),
            ("urlMaps.patch", 4),
            ("addresses.insert", 1),
        ] {
            assert_eq!(latency.method(method), &millis(expected), "{method}");
        }
    }

    #[test]
    fn stages_are_a_tenth_and_the_rest_or_drawn_apart() {
        let millis = Duration::from_millis;
        let drawn = Latency::of(millis(100)).draw("urlMaps.insert", 0);
        assert_eq!(drawn, Drawn { pending: millis(10), running: millis(90), answer: Duration::ZERO });
        let stages = OperationLatency::Stages { pending: millis(5).into(), running: millis(7).into() };
        let latency = MethodLatency { operation: stages, answer: millis(3).into() };
        let drawn = Latency { default: latency, methods: Vec::new(), seed: 0 }.draw("x", 9);
        assert_eq!(drawn, Drawn { pending: millis(5), running: millis(7), answer: millis(3) });
    }
}
