//! What failed before, so that it is not tried again at every turn: a change that the cloud refused for want of a permission is not
//! asked for again each time that some pod comes or goes.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Ending, Failure, Next};
use crate::model::ResourceId;
use crate::plan::{Action, Change, Plan};

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Setbacks {
    by_resource: Mutex<BTreeMap<ResourceId, Vec<Setback>>>,
}

#[derive(Debug)]
struct Setback {
    action: Action,
    failure: Failure,
    /// How many times in a row.
    times: u32,
    until: Instant,
}

impl Setbacks {
    /// Why this change is not to be tried now, where it has failed before and its pause is not over. Another change of the same
    /// resource is not concerned.
    #[must_use]
    pub fn holds_back(&self, change: &Change) -> Option<Failure> {
        let setbacks = self.lock();
        let setback = setbacks.get(&change.id)?.iter().find(|setback| setback.action == change.action)?;
        (Instant::now() < setback.until).then(|| setback.failure.clone())
    }

    /// Whether some change is waiting for a second try at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// When the first of them is to be tried again.
    #[must_use]
    pub fn next_try(&self) -> Option<Instant> {
        self.lock().values().flatten().map(|setback| setback.until).min()
    }

    /// Forgets what this plan no longer asks for.
    pub fn keep_to(&self, plan: &Plan) {
        let mut setbacks = self.lock();
        if setbacks.is_empty() {
            return;
        }
        let mut asked: BTreeMap<&ResourceId, Vec<&Action>> = BTreeMap::new();
        for change in plan.graph.node_weights() {
            asked.entry(&change.id).or_default().push(&change.action);
        }
        setbacks.retain(|id, setbacks| {
            setbacks
                .retain(|setback| asked.get(id).is_some_and(|actions| actions.contains(&&setback.action)));
            !setbacks.is_empty()
        });
    }

    /// Learns how a change ended that was tried.
    pub(super) fn note(&self, change: &Change, ending: &Ending) {
        let mut setbacks = self.lock();
        match ending {
            Ending::Done => {
                setbacks.remove(&change.id);
            }
            Ending::Failed(failure) => {
                let of_resource = setbacks.entry(change.id.clone()).or_default();
                let before = of_resource
                    .iter()
                    .position(|setback| setback.action == change.action)
                    .map(|at| of_resource.swap_remove(at));
                let times = before.map_or(1, |before| before.times.saturating_add(1));
                of_resource.push(Setback {
                    action: change.action.clone(),
                    failure: failure.clone(),
                    times,
                    until: Instant::now() + pause(failure.next, times),
                });
            }
            Ending::Blocked { .. } | Ending::Superseded => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ResourceId, Vec<Setback>>> {
        self.by_resource.lock().unwrap_or_else(PoisonError::into_inner)
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
