//! How things stood a short while ago, for lists that lag behind.
//!
//! Nothing is kept unless lists are to lag.

use super::Stored;
use crate::scope::ResourcePath;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;

/// Tells the time. The state has no clock of its own.
pub(crate) type Now = Box<dyn Fn() -> Timestamp + Send>;

/// What was changed lately.
#[derive(Default)]
pub(crate) struct History {
    keeping: Option<Keeping>,
}

struct Keeping {
    lag: SignedDuration,
    now: Now,
    /// Oldest first.
    past: VecDeque<Past>,
}

/// What stood at a path until a moment.
struct Past {
    until: Timestamp,
    path: ResourcePath,
    was: Option<Arc<Stored>>,
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kept = self.keeping.as_ref().map(|keeping| keeping.past.len());
        f.debug_struct("History").field("kept", &kept).finish()
    }
}

impl History {
    /// From now on keeps what is younger than the lag. What was changed before it was set counts as old.
    pub(crate) fn keep(&mut self, lag: SignedDuration, now: Now) {
        let past = self.keeping.take().map(|keeping| keeping.past).unwrap_or_default();
        self.keeping = lag.is_positive().then_some(Keeping { lag, now, past });
    }

    /// Takes down what is about to be replaced.
    pub(super) fn record(&mut self, path: &ResourcePath, was: Option<&Arc<Stored>>) {
        let Some(Keeping { lag, now, past }) = &mut self.keeping else { return };
        let now = now();
        while past.front().is_some_and(|oldest| now.duration_since(oldest.until) > *lag) {
            past.pop_front();
        }
        past.push_back(Past { until: now, path: path.clone(), was: was.cloned() });
    }

    /// What stood as long ago as the lag is, where that is not what stands now. Newest first: the last of one path counts.
    /// None: lists do not lag.
    pub(super) fn before(&self) -> Option<impl Iterator<Item = (&ResourcePath, Option<&Arc<Stored>>)>> {
        let Keeping { lag, now, past } = self.keeping.as_ref()?;
        let now = now();
        let young = move |past: &&Past| now.duration_since(past.until) < *lag;
        Some(past.iter().rev().take_while(young).map(|past| (&past.path, past.was.as_ref())))
    }
}
