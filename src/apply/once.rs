//! One plan and nothing after it, for `gclb apply`: what fails is said and not tried again, and there is no next plan.

use std::sync::Arc;

use futures::FutureExt as _;
use tokio_util::sync::CancellationToken;

use super::{Ended, Ending, Executor, Hands, Outcome, Pace, Task, what};
use crate::cloud::{Cloud, KeyPairs};
use crate::plan::Plan;

/// Makes the changes of `plan` as far as they can be made, and tells of each how it ended, also of those that were not begun. Once `stop`
/// is cancelled none is begun any more; those under way are waited for.
pub async fn once<C: Cloud, K: KeyPairs + 'static>(
    plan: &Plan,
    hands: Hands<C, K>,
    pace: Pace,
    stop: &CancellationToken,
    mut tell: impl FnMut(&Ended) + Send,
) -> Outcome {
    let executor = Arc::new(Executor::new(hands, pace));
    executor.looking();
    executor.take(plan);
    let stop = stop.child_token();
    let mut running = Arc::clone(&executor).run(stop.clone()).boxed();
    let mut outcome = Outcome::default();
    let mut told = |ended: Ended, outcome: &mut Outcome| {
        tell(&ended);
        outcome.ended.push(ended);
    };
    if executor.is_spent() {
        stop.cancel();
    }
    loop {
        tokio::select! {
            () = &mut running => break,
            ended = executor.next() => {
                told(ended, &mut outcome);
                if executor.is_spent() {
                    stop.cancel();
                }
            }
        }
    }
    while let Some(ended) = executor.try_next() {
        told(ended, &mut outcome);
    }
    let mut unfinished = executor.unfinished();
    for Task { id, change, stage: _ } in executor.progress().0 {
        let Some(change) = change else { continue };
        // What failed has been told.
        match unfinished.remove(&id).unwrap_or(Ending::Superseded) {
            Ending::Failed(_) => {}
            result => {
                let (holder, what) = (change.mark.holder.clone(), what(&change.action));
                told(Ended { id, holder, what, result }, &mut outcome);
            }
        }
    }
    outcome
}
