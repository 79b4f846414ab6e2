//! The last requests, for people and tests who ask what a client has really done.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A ring of the last requests.
#[derive(Debug)]
pub(crate) struct RequestLog {
    most: usize,
    entries: Mutex<VecDeque<Entry>>,
}

/// One request that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) method: String,
    /// Path and query, as they came.
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) took: Duration,
    pub(crate) user_agent: String,
}

impl RequestLog {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, entries: Mutex::new(VecDeque::new()) }
    }

    pub(crate) fn add(&self, entry: Entry) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= self.most {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// Oldest first.
    pub(crate) fn show(&self) -> Value {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .iter()
            .map(|Entry { at, method, path, status, took, user_agent }| {
                json!({
                    "time": at.to_string(),
                    "method": method,
                    "path": path,
                    "status": status,
                    "ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                    "userAgent": user_agent,
                })
            })
            .collect()
    }
}
