//! Makes changes, and outlives the plans that ask for them.
//!
//! # What becomes of a new plan
//! [`Executor::take`] puts a new plan in the place of what has not begun of the one before. What is under way goes on, so the stream of
//! calls never runs dry because something changed. In particular:
//! * A change of the new plan that equals one under way (same resource, same action) *is* that one. So is one that was done after the
//!   cloud was looked at for this plan ([`Executor::looking`]): nothing is made twice.
//! * A change of a resource of which something *else* is under way is not begun: it was decided without knowing how that ends. Neither
//!   is the deletion of what a change under way refers to, nor a change that refers to what is being deleted. All of them wait for the next
//!   plan.
//! * When a change under way that the newest plan does not contain comes to its end, the next plan is asked for
//!   ([`Executor::wants_plan`]); also when a change fails, since its resource has then been read again.
//! * Changes of a group's members may come by a shorter path ([`Executor::take_members`]). They take the place of those of the plan for
//!   that group, until the next plan, which knows of them.
//! * An operation that was found running at the start ([`Executor::found`]) is waited for as if it were ours: its resource is busy, and
//!   is read when it ends. Since it is not known what it will refer to, no deletion begins before.
//!
//! # When a change begins
//! As soon as the last change before it is done, if none of the same resource is under way, the quota of its group of calls has room, and
//! it is its turn (`queue/lanes.rs` has who goes first). So many may be under way at a time: [`Pace`]. A change that fails blocks what waits
//! for it, and nothing else; it is not tried again before its own pause is over (`setbacks.rs`). One for which the cloud was *not ready* or
//! that was one call *too many* is no failure: it goes back to ready, and holds no place while it pauses.
//!
//! # The end
//! Once `stop` is cancelled nothing is begun; what is under way is waited for. Whoever cannot wait drops the future: the cloud goes on with
//! what it has begun, and the next start finds it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use std::collections::VecDeque;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, info, info_span, warn};

use super::queue::{Admitted, Back, Begin, NotYet, Queue};
use super::quota::{Admission, Group, Quota};
use super::warm::{self, Waits};
use super::{Counts, Ended, Failure, Next, Pace, Permit, Stage, Task, Unfinished, what};
use crate::cloud::mirror::Mirror;
use crate::cloud::{Cloud, CloudError, Found, KeyPairs};
use crate::metrics::Metrics;
use crate::model::{LoadBalancerKey, ResourceId};
use crate::plan::{Action, Blocked, Change, Plan, shows};

/// The longest pause between two looks for an operation that cannot be waited for, or for what it did. All of them are about twice as
/// long; most operations take seconds.
const LOST: Duration = Duration::from_secs(32);

/// With what changes are made.
#[derive(Debug)]
pub struct Hands<C, K> {
    /// Where the changes are made.
    pub cloud: Arc<C>,
    /// Where they are written through.
    pub mirror: Arc<Mirror>,
    /// Who has the private keys.
    pub keys: Arc<K>,
    /// The right to write.
    pub permit: Permit,
    /// How many calls the cloud takes.
    pub quota: Quota,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Executor<C, K> {
    hands: Hands<C, K>,
    pace: Pace,
    queue: Mutex<Queue>,
    found: Mutex<Vec<Found>>,
    waits: Arc<Waits>,
    endings: Mutex<VecDeque<Ended>>,
    /// Something can perhaps be begun.
    stirred: Notify,
    told: Notify,
    plan_wanted: Notify,
}

/// What is running, and how it came back.
type Running = FuturesUnordered<BoxFuture<'static, (ResourceId, Back)>>;

impl<C: Cloud, K: KeyPairs + 'static> Executor<C, K> {
    /// With nothing to do yet. It does nothing until it is [run](Self::run).
    #[must_use]
    pub fn new(hands: Hands<C, K>, pace: Pace) -> Self {
        Self {
            hands,
            pace,
            queue: Mutex::new(Queue::new(pace)),
            found: Mutex::default(),
            waits: Arc::default(),
            endings: Mutex::default(),
            stirred: Notify::new(),
            told: Notify::new(),
            plan_wanted: Notify::new(),
        }
    }

    /// The cloud is about to be looked at for the next plan. To be said right before [`Mirror::observed`]: what ends after that is held
    /// against the plan when it comes.
    pub fn looking(&self) {
        self.queue().mark();
    }

    /// Puts a new plan in the place of what has not begun of the one before: see the [module](self).
    pub fn take(&self, plan: &Plan) {
        let mut queue = self.queue();
        queue.take(plan, Instant::now());
        self.after(queue);
    }

    /// The changes of one network endpoint group's members, in their order, in the place of those of this group that have not begun.
    pub fn take_members(&self, group: &ResourceId, changes: Vec<Change>) {
        let mut queue = self.queue();
        queue.take_members(group, changes, Instant::now());
        self.after(queue);
    }

    /// Operations that were found running, from before this process began.
    pub fn found(&self, found: Vec<Found>) {
        let mut queue = self.queue();
        queue.found(&found, Instant::now());
        self.lock(&self.found).extend(found);
        self.after(queue);
    }

    /// The next change that ended. Cancel-safe; for one listener.
    pub async fn next(&self) -> Ended {
        loop {
            if let Some(ended) = self.try_next() {
                return ended;
            }
            self.told.notified().await;
        }
    }

    /// The next change that has ended already.
    pub fn try_next(&self) -> Option<Ended> {
        self.lock(&self.endings).pop_front()
    }

    /// Resolves when the newest plan does not fit any more. Cancel-safe; for one listener.
    pub async fn wants_plan(&self) {
        loop {
            if self.queue().wants_plan() {
                return;
            }
            self.plan_wanted.notified().await;
        }
    }

    /// What is in hand: what is under way since when, what waits for what, and what the newest plan needs and could not plan.
    #[must_use]
    pub fn progress(&self) -> (Vec<Task>, Vec<Blocked>) {
        let queue = self.queue();
        (queue.tasks(), queue.blocked().to_vec())
    }

    /// What waits for something else than its turn or another change, and for what.
    #[must_use]
    pub fn held_up(&self) -> Vec<(ResourceId, Stage)> {
        self.queue().held_up()
    }

    /// The same in numbers.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.queue().counts(Instant::now())
    }

    /// Whether the newest plan still fits: nothing has happened since that asks for another.
    #[must_use]
    pub fn plan_holds(&self) -> bool {
        !self.queue().wants_plan()
    }

    /// Whether something is under way that may be for this load balancer, so that it is not known to be gone.
    #[must_use]
    pub fn works_for(&self, key: &LoadBalancerKey) -> bool {
        self.queue().works_for(key)
    }

    /// What of the newest plan cannot be done for now, and why.
    #[must_use]
    pub fn unfinished(&self) -> Unfinished {
        self.queue().unfinished()
    }

    /// Whether nothing is under way or will be without something new: what is left failed, or waits for what did.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.queue().is_at_rest() && self.lock(&self.endings).is_empty()
    }

    /// Whether the newest plan has got as far as it can: what is left of it failed, or waits for what did.
    pub(super) fn is_spent(&self) -> bool {
        self.queue().is_spent()
    }

    /// When the first of what failed is tried again.
    #[must_use]
    pub fn next_try(&self) -> Option<Instant> {
        self.queue().next_try()
    }

    /// Makes changes until `stop`, and then until none is under way any more.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut running = Running::new();
        let mut answers = self.hands.quota.answers();
        loop {
            answers.mark_unchanged();
            self.wait_for_found(&mut running);
            let may_write = self.hands.permit.lasts(self.pace.longest_call);
            let begins = may_write && !stop.is_cancelled();
            if begins {
                self.begin(&mut running);
            }
            if stop.is_cancelled() && running.is_empty() {
                return;
            }
            let (wake, waits_for_answer) = {
                let queue = self.queue();
                (queue.next_wake(), queue.waits_for_answer())
            };
            tokio::select! {
                Some((id, back)) = running.next() => self.back(&id, back),
                () = self.stirred.notified() => {}
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                () = self.hands.permit.lasting(self.pace.longest_call), if !may_write => {}
                // Who begins nothing is woken by nothing: what is due stays due, and this would go round and round.
                () = sleep_until(wake), if begins => {}
                Ok(()) = answers.changed(), if begins && waits_for_answer => {}
            }
        }
    }

    fn begin(&self, running: &mut Running) {
        let mut queue = self.queue();
        let admit = |group: &_| match self.hands.quota.admit(group) {
            Admission::Now(pass) => Admitted::Now(pass),
            Admission::AfterAnswer => Admitted::Later(None),
            Admission::NotBefore(at) => Admitted::Later(Some(at)),
        };
        while let Some(begin) = queue.begin(Instant::now(), admit) {
            let Begin { change, last_try, waited, pass } = begin;
            if !waited.is_zero() {
                self.hands.metrics.waited_for_quota(Group::of_change(&change.id).calls.word(), waited);
            }
            let span = info_span!("change", id = %change.id, what = %what(&change.action));
            let hands = self.hands.clone();
            let making = async move {
                let back = pass.around(make(&change, &hands, last_try)).await;
                (change.id.clone(), back)
            };
            running.push(making.instrument(span).boxed());
        }
        while let Some(change) = queue.begin_ask(Instant::now()) {
            let (hands, waits) = (self.hands.clone(), Arc::clone(&self.waits));
            let asking = async move { (change.id.clone(), ask(&change, &hands, &waits).await) };
            running.push(asking.boxed());
        }
    }

    fn wait_for_found(&self, running: &mut Running) {
        for found in std::mem::take(&mut *self.lock(&self.found)) {
            let span = info_span!("found", id = %found.id);
            let hands = self.hands.clone();
            let waiting = async move {
                see_out(&found, &hands).await;
                (found.id, Back::Done)
            };
            running.push(waiting.instrument(span).boxed());
        }
    }

    fn back(&self, id: &ResourceId, back: Back) {
        let mut queue = self.queue();
        let ended = queue.back(id, back, Instant::now());
        if let Some(ended) = ended {
            self.lock(&self.endings).push_back(ended);
            self.told.notify_one();
        }
        self.after(queue);
    }

    /// Wakes whoever has to know.
    fn after(&self, queue: MutexGuard<'_, Queue>) {
        let wants_plan = queue.wants_plan();
        drop(queue);
        self.stirred.notify_one();
        if wants_plan {
            self.plan_wanted.notify_one();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.lock(&self.queue)
    }

    #[allow(clippy::unused_self, reason = "it reads as what it is")]
    fn lock<'a, T>(&self, what: &'a Mutex<T>) -> MutexGuard<'a, T> {
        // Nothing that holds a lock can panic half-way through a change that matters.
        what.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Derived, this would ask for hands that can be cloned themselves.
impl<C, K> Clone for Hands<C, K> {
    fn clone(&self) -> Self {
        let Self { cloud, mirror, keys, permit, quota, metrics } = self;
        Self {
            cloud: Arc::clone(cloud),
            mirror: Arc::clone(mirror),
            keys: Arc::clone(keys),
            permit: permit.clone(),
            quota: quota.clone(),
            metrics: Arc::clone(metrics),
        }
    }
}

/// One try of one change.
async fn make<C: Cloud, K: KeyPairs>(change: &Change, hands: &Hands<C, K>, last_try: bool) -> Back {
    let result = tokio::select! {
        result = hands.cloud.execute(change, &*hands.keys) => result,
        () = hands.permit.ended() => {
            warn!("no longer the leader: the change is left as it is");
            hands.mirror.doubt(&change.id);
            return Back::Dropped;
        }
    };
    match result {
        Ok(executed) => {
            hands.mirror.wrote(change, executed);
            info!("done");
            Back::Done
        }
        Err(error @ CloudError::NotReady { .. }) if !last_try => {
            debug!(error = error.line(), "not ready yet");
            Back::NotReady
        }
        Err(error @ CloudError::Throttled { .. }) => {
            debug!(error = error.line(), "one call too many");
            Back::Throttled
        }
        Err(error) => fail(&error, change, hands).await,
    }
}

/// Asks once whether a wait is over.
async fn ask<C: Cloud, K>(change: &Change, hands: &Hands<C, K>, waits: &Waits) -> Back {
    let Action::AwaitHealthy { map: _, instead_of } = &change.action else { return Back::Done };
    match warm::ask(&change.id, instead_of, &*hands.cloud, &hands.mirror, waits).await {
        warm::Answer::Over => Back::Done,
        warm::Answer::NotYet { message, long } => Back::NotYet(NotYet { message, long }),
    }
}

async fn fail<C: Cloud, K>(error: &CloudError, change: &Change, hands: &Hands<C, K>) -> Back {
    let failure = Failure { message: error.line(), next: error.next() };
    match failure.next {
        Next::LookAgain => info!(error = failure.message, "not as planned: looking again"),
        Next::Later | Next::Person => warn!(error = failure.message, "failed"),
    }
    let mut doubtful = Vec::new();
    if error.may_have_changed_it() {
        doubtful.push(&change.id);
    }
    // What is missing may be something that it points at.
    if failure.next == Next::LookAgain {
        doubtful.extend(change.action.references());
    }
    if error.may_have_changed_it() {
        see_out_what_runs(&change.id, hands).await;
    }
    for id in doubtful {
        look_again(id, hands).await;
    }
    if let CloudError::Lost { .. } = error {
        wait_until_it_shows(change, hands).await;
    }
    Back::Failed(failure)
}

/// Nobody can say whether an operation that is lost has ended. What it does is looked for a few times, so that what is being made is not
/// taken for absent.
async fn wait_until_it_shows<C: Cloud, K>(change: &Change, hands: &Hands<C, K>) {
    while_leading(hands, async {
        for pause in pauses() {
            if shows(&hands.mirror.observed(), change) {
                return;
            }
            tokio::time::sleep(pause).await;
            look_again(&change.id, hands).await;
        }
    })
    .await;
}

/// Where an answer was lost, or the waiting was refused, the operation may be running still. To look before it has ended is to see what
/// was, and to take what is being made for absent: nobody would look for it again. So whoever is told nothing asks again for a while.
async fn see_out_what_runs<C: Cloud, K>(id: &ResourceId, hands: &Hands<C, K>) {
    while_leading(hands, async {
        for pause in pauses() {
            match seen_out(id, hands).await {
                Ok(()) => return,
                Err(error) => debug!(%id, error = error.line(), "what is under way is not known"),
            }
            tokio::time::sleep(pause).await;
        }
    })
    .await;
}

/// From a second, twice as long each time, to [`LOST`].
fn pauses() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(Duration::from_secs(1)), |pause| Some(*pause * 2))
        .take_while(|pause| *pause <= LOST)
}

async fn while_leading<C, K>(hands: &Hands<C, K>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = hands.permit.ended() => {}
    }
}

/// Waits until every operation that is under way for a resource has ended.
async fn seen_out<C: Cloud, K>(id: &ResourceId, hands: &Hands<C, K>) -> Result<(), CloudError> {
    for found in hands.cloud.under_way().await?.into_iter().filter(|found| found.id == *id) {
        hands.cloud.see_out(&found).await?;
    }
    Ok(())
}

/// Waits until an operation that was found running has ended, and reads what became of its resource.
async fn see_out<C: Cloud, K>(found: &Found, hands: &Hands<C, K>) {
    info!("an operation from before is still running; its resource is left alone until it ends");
    if let Err(error) = hands.cloud.see_out(found).await {
        info!(error = error.line(), "it could not be waited for; asking again");
        see_out_what_runs(&found.id, hands).await;
    }
    look_again(&found.id, hands).await;
}

async fn look_again<C: Cloud, K>(id: &ResourceId, hands: &Hands<C, K>) {
    if let Err(error) = hands.mirror.look_again(&*hands.cloud, id).await {
        warn!(%id, error = error.line(), "could not be read again; nothing is planned until it can");
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
