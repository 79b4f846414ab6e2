//! What the caller may watch: each try of each call, for metrics.

use std::time::Duration;

use crate::Retry;

/// Told about every try of every call, successful or not. Called from the task that makes the call: count and return.
pub trait Observer: Send + Sync + 'static {
    /// One try has ended.
    fn attempt(&self, attempt: &Attempt<'_>);
}

/// One try of one call.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// The API's verb, e.g. `insert` or `setUrlMap`. One of a fixed set.
    pub verb: &'static str,
    /// The collection, e.g. `urlMaps`. One of a fixed set.
    pub collection: &'static str,
    /// What the call was about, for people: `url map web`. Not for labels: there are as many as resources.
    pub resource: &'a str,
    /// 1 for the first try.
    pub number: u32,
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// From before credentials were asked for until the answer was read.
    pub latency: Duration,
    /// `None` for success, else the class of the failure.
    pub failure: Option<Retry>,
}

impl Attempt<'_> {
    /// Whether the API said that it is asked too much.
    #[must_use]
    pub fn throttled(&self) -> bool {
        self.failure == Some(Retry::Throttled)
    }
}
