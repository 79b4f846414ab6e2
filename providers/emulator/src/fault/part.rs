//! What is left of a change that succeeds in part.

use super::kind::Effect;
use crate::draft::Draft;
use crate::state::Change;
use std::collections::BTreeSet;

impl Effect {
    /// The change that is really made.
    pub(crate) fn of(self, change: Change) -> Option<Change> {
        match (self, change) {
            (Self::None, _) => None,
            (Self::Part, Change::Put(draft)) => Some(Change::Put(Box::new(part(*draft)))),
            (Self::Whole | Self::Part, change) => Some(change),
        }
    }
}

/// Every other field and member that changes, beginning with the first by name. What is new is whole.
fn part(mut draft: Draft) -> Draft {
    let Some(previous) = draft.previous.clone() else { return draft };
    let (before, after) = (previous.fields(), draft.next.fields().clone());
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    for name in changed.skip(1).step_by(2) {
        match before.get(name) {
            Some(value) => draft.body_mut().insert(name.clone(), value.clone()),
            None => draft.body_mut().shift_remove(name),
        };
    }
    let members = draft.next.members.clone();
    let keys: BTreeSet<&String> = previous.members.keys().chain(members.keys()).collect();
    let changed = keys.into_iter().filter(|key| previous.members.get(*key) != members.get(*key));
    for key in changed.skip(1).step_by(2) {
        match previous.members.get(key) {
            Some(member) => draft.next.members.insert(key.clone(), member.clone()),
            None => draft.next.members.remove(key),
        };
    }
    draft
}
