//! The last requests, for people and tests who ask what a client has really done.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A ring of the last requests.
#[derive(Debug)]
pub(crate) struct RequestLog {
    most: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    /// The number of the first entry that is still there.
    first: u64,
    ring: VecDeque<Entry>,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    /// Path and query, as they came.
    pub(crate) path: String,
    pub(crate) user_agent: String,
    /// What was answered, and after how long. None: it is still under way.
    pub(crate) outcome: Option<(u16, Duration)>,
}

/// A request in the log that will be answered.
#[derive(Debug)]
pub(crate) struct Begun(u64);

impl RequestLog {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, entries: Mutex::default() }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn begin(&self, entry: Entry) -> Begun {
        let mut entries = self.entries();
        if entries.ring.len() >= self.most && entries.ring.pop_front().is_some() {
            entries.first += 1;
        }
        entries.ring.push_back(entry);
        Begun(entries.first + entries.ring.len() as u64 - 1)
    }

    pub(crate) fn end(&self, begun: &Begun, status: u16, took: Duration) {
        let mut entries = self.entries();
        // It may have left the ring meanwhile.
        let at = begun.0.checked_sub(entries.first).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| entries.ring.get_mut(at)) {
            entry.outcome = Some((status, took));
        }
    }

    /// Oldest first.
    pub(crate) fn show(&self) -> Value {
        self.entries()
            .ring
            .iter()
            .map(|Entry { at, method, path, user_agent, outcome }| {
                json!({
                    "time": at.to_string(),
                    "method": method,
                    "path": path,
                    "status": outcome.map(|(status, _)| status),
                    "ms": outcome.map(|(_, took)| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
                    "userAgent": user_agent,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_are_kept_and_each_gets_its_own_answer() {
        let log = RequestLog::new(2);
        let entry = |path: &str| Entry {
            at: Timestamp::UNIX_EPOCH,
            method: "GET".to_owned(),
            path: path.to_owned(),
            user_agent: String::new(),
            outcome: None,
        };
        let begun: Vec<Begun> = ["a", "b", "c"].into_iter().map(|path| log.begin(entry(path))).collect();
        log.end(&begun[0], 200, Duration::ZERO);
        log.end(&begun[2], 404, Duration::from_millis(7));
        let shown = log.show();
        assert_eq!((&shown[0]["path"], &shown[0]["status"]), (&json!("b"), &Value::Null));
        assert_eq!(
            (&shown[1]["path"], &shown[1]["status"], &shown[1]["ms"]),
            (&json!("c"), &json!(404), &json!(7))
        );
        assert_eq!(shown.as_array().unwrap().len(), 2);
    }
}
