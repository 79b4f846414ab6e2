//! How long operations take.

use std::time::Duration;

/// The latency of every method: one for all, and exceptions by pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latency {
    /// For methods that no pattern names.
    pub default: Duration,
    /// Patterns of method ids (`forwardingRules.insert`, `urlMaps.*`, `*.delete`); the first that matches counts.
    pub methods: Vec<(String, Duration)>,
}

impl Latency {
    /// The same for every method.
    #[must_use]
    pub fn of(default: Duration) -> Self {
        Self { default, methods: Vec::new() }
    }

    /// How long an operation of this method takes.
    #[must_use]
    pub fn method(&self, id: &str) -> Duration {
        self.methods
            .iter()
            .find(|(pattern, _)| matches(pattern, id))
            .map_or(self.default, |(_, latency)| *latency)
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
        let latency = Latency {
            default: Duration::from_millis(1),
            methods: vec![
                ("forwardingRules.insert".to_owned(), Duration::from_millis(2)),
                ("*.delete".to_owned(), Duration::from_millis(3)),
                ("urlMaps.*".to_owned(), Duration::from_millis(4)),
            ],
        };
        for (method, millis) in [
            ("forwardingRules.insert", 2),
            ("forwardingRules.delete", 3),
            ("urlMaps.delete", 3),
            ("urlMaps.patch", 4),
            ("addresses.insert", 1),
        ] {
            assert_eq!(latency.method(method), Duration::from_millis(millis), "{method}");
        }
    }
}
