//! What failed before, so that it is not tried again at every turn: a change that the cloud refused for want of a permission is not
//! asked for again each time that some pod comes or goes.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::{Failure, Next};
use crate::model::ResourceId;
use crate::plan::{Action, Change, Plan};

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Setbacks {
    by_resource: BTreeMap<ResourceId, Vec<Setback>>,
}

/// A change that failed, and is not to be tried again yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setback {
    action: Action,
    /// How it failed.
    pub(super) failure: Failure,
    /// How many times in a row.
    times: u32,
    /// When it may be tried again.
    pub(super) until: Instant,
}

impl Setbacks {
    /// Why this change is not to be tried now, where it has failed before and its pause is not over. Another change of the same
    /// resource is not concerned.
    pub(super) fn holds_back(&self, change: &Change, now: Instant) -> Option<&Setback> {
        let setbacks = self.by_resource.get(&change.id)?;
        setbacks.iter().find(|setback| setback.action == change.action && now < setback.until)
    }

    /// When the first of them is to be tried again.
    pub(super) fn next_try(&self) -> Option<Instant> {
        self.by_resource.values().flatten().map(|setback| setback.until).min()
    }

    /// Forgets what this plan no longer asks for.
    pub(super) fn keep_to(&mut self, plan: &Plan) {
        if self.by_resource.is_empty() {
            return;
        }
        let mut asked: BTreeMap<&ResourceId, Vec<&Action>> = BTreeMap::new();
        for change in plan.graph.node_weights() {
            asked.entry(&change.id).or_default().push(&change.action);
        }
        self.by_resource.retain(|id, setbacks| {
            setbacks
                .retain(|setback| asked.get(id).is_some_and(|actions| actions.contains(&&setback.action)));
            !setbacks.is_empty()
        });
    }

    /// A change was made: all is well with its resource.
    pub(super) fn done(&mut self, id: &ResourceId) {
        self.by_resource.remove(id);
    }

    /// A change was tried, and failed.
    pub(super) fn failed(&mut self, change: &Change, failure: &Failure, now: Instant) {
        let of_resource = self.by_resource.entry(change.id.clone()).or_default();
        let before = of_resource
            .iter()
            .position(|setback| setback.action == change.action)
            .map(|at| of_resource.swap_remove(at));
        let times = before.map_or(1, |before| before.times.saturating_add(1));
        of_resource.push(Setback {
            action: change.action.clone(),
            failure: failure.clone(),
            times,
            until: now + pause(failure.next, times),
        });
    }
}

/// How long to wait after the `times`th failure in a row.
fn pause(next: Next, times: u32) -> Duration {
    let doubled = |first: Duration, most: Duration, steps: u32| {
        first.saturating_mul(2_u32.saturating_pow(steps.min(16))).min(most)
    };
    match next {
        // At once the first time, since looking again mostly mends it; then like any failure, since it evidently does not.
        Next::LookAgain if times <= 1 => Duration::ZERO,
        Next::LookAgain => doubled(Duration::from_millis(500), Duration::from_mins(1), times - 2),
        Next::Later => doubled(Duration::from_secs(1), Duration::from_mins(1), times - 1),
        Next::Person => doubled(Duration::from_mins(2), Duration::from_mins(30), times - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_by_cause() {
        let pauses = |next| [1, 2, 3, 20].map(|times| pause(next, times).as_millis());
        assert_eq!(pauses(Next::LookAgain), [0, 500, 1000, 60_000]);
        assert_eq!(pauses(Next::Later), [1000, 2000, 4000, 60_000]);
        assert_eq!(pauses(Next::Person), [120_000, 240_000, 480_000, 1_800_000]);
    }
}
