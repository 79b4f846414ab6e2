//! Groups of calls that the quota holds up: until when, as last heard, and for how long altogether.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::apply::quota::Group;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Shut {
    /// As last heard; `None` where nobody knows.
    until: BTreeMap<Group, Option<Instant>>,
    /// Since when each has been shut, and how long it was before that.
    spells: BTreeMap<Group, (Option<Instant>, Duration)>,
}

impl Shut {
    /// Each of them is asked for again.
    pub(super) fn ask_anew(&mut self) {
        self.until.clear();
    }

    pub(super) fn opened(&mut self, group: &Group, now: Instant) {
        self.until.remove(group);
        if let Some((since, before)) = self.spells.get_mut(group)
            && let Some(since) = since.take()
        {
            *before += now.saturating_duration_since(since);
        }
    }

    pub(super) fn shut(&mut self, group: &Group, until: Option<Instant>, now: Instant) {
        self.until.insert(group.clone(), until);
        self.spells.entry(group.clone()).or_default().0.get_or_insert(now);
    }

    /// `None`: it is open. Otherwise until when, as far as that is known.
    pub(super) fn until(&self, group: &Group) -> Option<&Option<Instant>> {
        self.until.get(group)
    }

    /// When the first of them opens, of those of which that is known.
    pub(super) fn first(&self) -> Option<Instant> {
        self.until.values().flatten().min().copied()
    }

    /// Whether of some nobody knows when it opens.
    pub(super) fn is_one_without_a_time(&self) -> bool {
        self.until.values().any(Option::is_none)
    }

    /// How long it has been shut since the beginning: between two moments the difference of these.
    pub(super) fn altogether(&self, group: &Group, now: Instant) -> Duration {
        self.spells.get(group).map_or(Duration::ZERO, |(since, before)| {
            *before + since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
        })
    }
}
