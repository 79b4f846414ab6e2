//! The state while somebody holds it.

use crate::journal::Journal;
use crate::snapshot::Snapshot;
use crate::state::{State, Touched};
use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;

/// The state, locked. What was changed while it was held is queued for the state file as one, when it is let go.
pub(crate) struct Guard<'a> {
    state: MutexGuard<'a, State>,
    journal: Option<&'a Journal>,
}

impl<'a> Guard<'a> {
    pub(super) fn new(state: MutexGuard<'a, State>, journal: Option<&'a Journal>) -> Self {
        Self { state, journal }
    }
}

impl Deref for Guard<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Guard<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let touched = self.state.take_touched();
        let Some(journal) = self.journal else { return };
        if touched.contains(&Touched::Everything) || (!touched.is_empty() && journal.has_grown()) {
            journal.replace(Snapshot::of(&self.state));
        } else if !touched.is_empty() {
            journal
                .append(touched.iter().filter_map(|touched| Snapshot::entry(&self.state, touched)).collect());
        }
    }
}
