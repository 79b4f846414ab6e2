//! Load balancers that were taken down before our eyes.
//!
//! Their objects are let go when nothing of them is left. Something may show up all the same: what was being made for them when a process
//! died, what an operation made that the cloud had forgotten, what a wrong answer said was absent. Nobody would come back for it, so that
//! they were unwanted is remembered for a while. Another process does not remember it, and reports a leak.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::LoadBalancerKey;
use crate::translate::{Disposition, Translation};

/// Longer than it takes until everything has been listed anew a few times, and than any operation.
const REMEMBERED: Duration = Duration::from_hours(1);

/// See the [module](self): when each was last on its way out.
#[derive(Debug, Default)]
pub(super) struct Departed {
    last: BTreeMap<LoadBalancerKey, Instant>,
}

impl Departed {
    /// Takes note of what goes, and of what is wanted again or kept.
    pub(super) fn note(&mut self, translation: &Translation) {
        let now = Instant::now();
        for (key, translated) in &translation.load_balancers {
            match translated.disposition {
                Disposition::TearDown => _ = self.last.insert(key.clone(), now),
                Disposition::Serve(_) | Disposition::Keep => _ = self.last.remove(key),
            }
        }
        self.last.retain(|_, last| now.duration_since(*last) < REMEMBERED);
    }

    pub(super) fn keys(&self) -> BTreeSet<LoadBalancerKey> {
        self.last.keys().cloned().collect()
    }
}
