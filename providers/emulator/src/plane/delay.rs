//! The time between DONE and being served: what has changed waits here, as it was when it changed.

use crate::scope::ResourcePath;
use crate::span::Span;
use crate::state::Stored;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long after its operation is DONE a change is served, by the emulator's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProgrammingDelay {
    /// A new forwarding rule.
    #[serde(default)]
    pub new: Span,
    /// A change of what is served: of anything that the data plane knew before, its end included.
    #[serde(default)]
    pub changes: Span,
}

/// Where the data plane begins to read. Anything else that is new is served by nobody until one of these leads to it.
const BEGINNING: &str = "forwardingRules";

impl ProgrammingDelay {
    /// How long a change of this resource waits.
    pub(super) fn of(&self, path: &ResourcePath, known: Known) -> Duration {
        match known {
            Known::Before => self.changes.0,
            Known::Not if path.collection == BEGINNING => self.new.0,
            Known::Not => Duration::ZERO,
        }
    }
}

/// Whether the data plane has a resource already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Before,
    Not,
}

/// What a resource has become; nothing where it is gone.
pub(super) type Became = Option<Arc<Stored>>;

/// Changes that wait, in the order in which they are due.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    due: BTreeMap<(Timestamp, u64), (ResourcePath, Became)>,
    counted: u64,
}

impl Waiting {
    /// Lets a change wait; never less long than an earlier one of the same resource. Answers with when it is due.
    pub(super) fn add(&mut self, due: Timestamp, path: ResourcePath, became: Became) -> Timestamp {
        let last = self.due.iter().rev().find(|(_, (waiting, _))| *waiting == path);
        let due = last.map_or(due, |((last, _), _)| due.max(*last));
        self.due.insert((due, self.counted), (path, became));
        self.counted += 1;
        due
    }

    /// Whether a change of this resource waits.
    pub(super) fn holds(&self, path: &ResourcePath) -> bool {
        self.due.values().any(|(waiting, _)| waiting == path)
    }

    /// What is due.
    pub(super) fn take(&mut self, now: Timestamp) -> Vec<(ResourcePath, Became)> {
        let mut taken = Vec::new();
        while let Some(first) = self.due.first_entry().filter(|first| first.key().0 <= now) {
            taken.push(first.remove());
        }
        taken
    }

    /// Nothing waits any more: everything is read anew.
    pub(super) fn clear(&mut self) {
        self.due.clear();
    }
}
