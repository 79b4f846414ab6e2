//! The loop. One turn, read aloud: take a snapshot, translate it, look at the cloud, plan, claim the objects, apply, tell, let go.
//!
//! A turn concerns all load balancers together: what they share makes a plan for each alone impossible, and what did not change costs
//! nothing. It decides nothing itself; what it does decide is when: see [`Reconciler::run`].

mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, info, info_span, warn};

use super::health::HealthBoard;
use super::members;
use super::source::{Source, SourceError};
use super::{Observer, Options, Progress};
use crate::apply::{Ended, Ending, Hands, Next, Outcome, Setbacks, Unfinished, apply};
use crate::cloud::mirror::Mirror;
use crate::cloud::{Cloud, chain};
use crate::model::{Held, Holder, LoadBalancerKey, ObjectKey, Observed};
use crate::plan::{Action, Plan, plan};
use crate::translate::{Disposition, Moves, Translation, translate};

/// Input that changes is let come to rest for so long: objects that are applied together arrive within milliseconds of each other,
/// and acting on the first of them alone would begin operations of seconds that the others make wrong.
const QUIET: Duration = Duration::from_millis(40);

/// Input that does not come to rest is not waited for any longer than this.
const UNREST: Duration = Duration::from_millis(100);

/// So many objects are written to the source at a time.
const WRITERS: usize = 16;

/// Everything that a turn needs.
pub(super) struct Reconciler<S, C, O> {
    source: Arc<S>,
    cloud: Arc<C>,
    mirror: Arc<Mirror>,
    board: Arc<HealthBoard>,
    options: Options,
    observer: O,
    shutdown: CancellationToken,
    setbacks: Setbacks,
    /// What the last plan left undone.
    unfinished: Unfinished,
    /// How many turns in a row could not be finished.
    troubles: u32,
    /// What was last said about load balancers whose objects are gone.
    leaks: Vec<LoadBalancerKey>,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing is left to do, except what failed and is tried again in its time.
    Settled,
    /// Something changed meanwhile.
    Again,
    /// The source has not listed everything yet.
    NotReady,
    /// Something outside the plan failed: the source, or reading the cloud.
    Troubled,
}

impl Turn {
    const fn word(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Again => "superseded",
            Self::NotReady => "not_ready",
            Self::Troubled => "troubled",
        }
    }
}

impl<S: Source, C: Cloud, O: Observer> Reconciler<S, C, O> {
    pub(super) fn new(
        source: Arc<S>,
        cloud: Arc<C>,
        mirror: Arc<Mirror>,
        board: Arc<HealthBoard>,
        options: Options,
        observer: O,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            source,
            cloud,
            mirror,
            board,
            options,
            observer,
            shutdown,
            setbacks: Setbacks::default(),
            unfinished: Unfinished::new(),
            troubles: 0,
            leaks: Vec::new(),
        }
    }

    /// Turns until the shutdown: at once when the source or the cloud shows something new; when the pause after a failure is over; and
    /// once in every drift interval, since time alone changes things too (a certificate expires).
    pub(super) async fn run(mut self) {
        let shutdown = self.shutdown.clone();
        if shutdown.run_until_cancelled(self.fill()).await.is_none() {
            return;
        }
        loop {
            let began = Instant::now();
            let turn = self.turn().instrument(info_span!("turn")).await;
            self.options.metrics.turn_ended(turn.word(), began.elapsed());
            if shutdown.is_cancelled() || !self.options.permit.lasts(Duration::ZERO) {
                return;
            }
            let wait = self.wait(turn);
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = wait => {}
            }
        }
    }

    /// Waits for a reason for the next turn.
    async fn wait(&mut self, turn: Turn) {
        let now = Instant::now();
        let next_try = self.setbacks.next_try();
        let until = match turn {
            Turn::Again => return self.rest().await,
            Turn::Settled => {
                self.troubles = 0;
                next_try.unwrap_or(now + self.options.drift_interval)
            }
            Turn::NotReady => now + self.options.drift_interval,
            Turn::Troubled => {
                self.troubles = self.troubles.saturating_add(1);
                let pause =
                    Duration::from_millis(500).saturating_mul(2_u32.saturating_pow(self.troubles.min(7)));
                now + pause.min(Duration::from_mins(1))
            }
        };
        if turn != Turn::NotReady {
            let retry = (turn == Turn::Troubled || next_try.is_some()).then(|| until.duration_since(now));
            self.observer.on(Progress::Settled(retry));
        }
        tokio::select! {
            () = self.source.changed() => self.rest().await,
            () = self.mirror.changed() => info!("the cloud is not as we left it"),
            () = self.board.changed() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }

    /// Waits until the input has come to rest.
    async fn rest(&self) {
        let unrest = Instant::now() + UNREST;
        loop {
            tokio::select! {
                () = self.source.changed() => {}
                () = tokio::time::sleep(QUIET) => return,
                () = tokio::time::sleep_until(unrest) => return,
            }
        }
    }

    /// The first look at the cloud.
    async fn fill(&mut self) {
        match self.source.checkpoints().await {
            Ok(kept) => self.mirror.remember(kept),
            Err(error) => {
                warn!(error = chain(&error), "there are no checkpoints of members; groups are listed")
            }
        }
        let mut pause = Duration::from_secs(1);
        while let Err(error) = self.mirror.fill(&*self.cloud).await {
            self.trouble("the cloud's resources cannot be listed", &error);
            self.tell_unlisted(&chain(&error)).await;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_mins(1));
        }
        // What the first look shows is no news.
        let _ = self.mirror.changed().now_or_never();
    }

    async fn turn(&mut self) -> Turn {
        let held = self.mirror.observed().held();
        let Some(translation) = self.translated(held.clone()) else { return Turn::NotReady };
        if let Err(error) = self.mirror.resolve_doubts(&*self.cloud).await {
            self.trouble("what became of a change cannot be read", &error);
            return Turn::Troubled;
        }
        let mut turn = match members::settle(&self.mirror, &*self.cloud, &translation).await {
            Ok(members::Left::Nothing) => Turn::Settled,
            Ok(members::Left::More) => Turn::Again,
            Err(error) => {
                self.trouble("the members of a group cannot be listed", &error);
                Turn::Troubled
            }
        };
        let before = self.mirror.observed();
        let mut plan = self.planned(&translation, &before);
        for (object, error) in self.claim(&translation, &before).await {
            turn = self.failed("claim", &object, &error, turn);
            if let Some(home) = translation.claimants.get(&object).and_then(|claimant| claimant.home.as_ref())
            {
                withhold(&mut plan, home);
            }
        }
        self.observer.on(Progress::Planned(&plan));

        let applied = self.apply_and_tell(&translation, &plan, &before, &held).await;
        self.unfinished = applied.outcome.unfinished();
        turn = turn.or(applied.turn);
        turn = turn.or(self.release(&translation, &plan).await);
        if self.unfinished.values().any(|ending| *ending == Ending::Superseded) {
            turn = turn.or(Turn::Again);
        }
        // An object that moves takes its next step when the cloud has got further.
        let progress = applied.outcome.ended.iter().any(|ended| ended.result == Ending::Done);
        if translation.moves == Moves::UnderWay && progress {
            turn = turn.or(Turn::Again);
        }
        if turn == Turn::Settled {
            let now = jiff::Timestamp::now().as_second();
            self.options.metrics.settled(u64::try_from(now).unwrap_or_default());
        }
        turn
    }

    /// What should be. `None`: the source is not ready to say.
    fn translated(&self, held: Held) -> Option<Translation> {
        let began = Instant::now();
        let snapshot = match self.source.snapshot(held) {
            Ok(snapshot) => snapshot,
            Err(not_ready) => {
                debug!(%not_ready, "waiting");
                return None;
            }
        };
        self.options.metrics.stage_ended("snapshot", began.elapsed());
        let began = Instant::now();
        let translation = translate(&snapshot);
        self.options.metrics.stage_ended("translate", began.elapsed());
        Some(translation)
    }

    fn planned(&mut self, translation: &Translation, observed: &Observed) -> Plan {
        let began = Instant::now();
        let plan = plan(translation, observed);
        self.options.metrics.stage_ended("plan", began.elapsed());
        for change in plan.graph.node_weights() {
            self.options.metrics.planned(change.id.kind, change.action.word());
        }
        if plan.leaks != self.leaks {
            self.leaks.clone_from(&plan.leaks);
            for key in &plan.leaks {
                warn!(
                    load_balancer = %key,
                    "its object is gone without having been deleted in our sight; nothing of it is touched. If it is really to go, create \
                     the object again and delete it while gclb runs"
                );
            }
        }
        plan
    }

    /// Makes sure that no object can vanish unseen that something is about to be made for. Yields those for which that failed.
    async fn claim(&self, translation: &Translation, observed: &Observed) -> Vec<(ObjectKey, SourceError)> {
        let began = Instant::now();
        // Futures are boxed where several run together: what is known of their lifetimes would otherwise not do for a task.
        let claims: Vec<BoxFuture<'_, _>> = translation
            .claims(observed)
            .map(|(object, remembered)| {
                async move { (object.clone(), self.source.claim(object, &remembered).await) }.boxed()
            })
            .collect();
        let claimed: Vec<_> = futures::stream::iter(claims).buffer_unordered(WRITERS).collect().await;
        let failed = claimed.into_iter().filter_map(|(key, result)| Some((key, result.err()?))).collect();
        self.options.metrics.stage_ended("claim", began.elapsed());
        failed
    }

    /// Applies the plan, and meanwhile tells of what is done, and listens for input that asks for something else.
    async fn apply_and_tell(
        &self,
        translation: &Translation,
        plan: &Plan,
        before: &Observed,
        held: &Held,
    ) -> Applied {
        let began = Instant::now();
        let stop = self.shutdown.child_token();
        let (ended, endings) = mpsc::unbounded_channel();
        let mut heard = false;
        let apply = async {
            // Moved in here, so that the telling ends with the applying.
            let ended = ended;
            let hands = Hands {
                cloud: &*self.cloud,
                mirror: &self.mirror,
                keys: &*self.source,
                permit: &self.options.permit,
                setbacks: &self.setbacks,
            };
            let tell = |change: &Ended| {
                self.observer.on(Progress::Ended(change));
                // Nobody listening any more is no reason to stop.
                let _ = ended.send(change.clone());
            };
            tokio::select! {
                outcome = apply(plan, &hands, &self.options.pace, &stop, tell).boxed() => outcome,
                never = self.supersede(translation, held, &stop, &mut heard) => match never {},
            }
        };
        let (outcome, told) = tokio::join!(apply, self.tell(translation, plan, before, endings));
        self.options.metrics.stage_ended("apply", began.elapsed());
        if !plan.is_empty() {
            let done = outcome.ended.iter().filter(|ended| ended.result == Ending::Done).count();
            info!(planned = plan.graph.node_count(), done, took = ?began.elapsed(), "applied");
        }
        let turn = if heard { Turn::Again } else { Turn::Settled };
        Applied { outcome, turn: turn.or(told) }
    }

    /// Stops the applying when the input has come to ask for something else. Input that changed without asking for anything else is
    /// merely remembered.
    async fn supersede(
        &self,
        translation: &Translation,
        held: &Held,
        stop: &CancellationToken,
        heard: &mut bool,
    ) -> std::convert::Infallible {
        loop {
            self.source.changed().await;
            *heard = true;
            self.rest().await;
            let Some(newer) = self.translated(held.clone()) else { continue };
            if asks_for_the_same(translation, &newer) {
                continue;
            }
            info!(
                "the input asks for something else now; no change is begun any more until there is a new plan"
            );
            stop.cancel();
            std::future::pending::<()>().await;
        }
    }

    /// Lets the objects go of load balancers of which nothing is left.
    async fn release(&self, translation: &Translation, plan: &Plan) -> Turn {
        // What they shared must be gone too, unless it cannot go without a person: the last one to leave clears up.
        let shared_is_going = plan.graph.node_weights().any(|change| {
            change.action == Action::Delete
                && !matches!(change.mark.holder, Holder::LoadBalancer(_))
                && match self.unfinished.get(&change.id) {
                    None => false,
                    Some(Ending::Failed(failure)) => failure.next != Next::Person,
                    Some(Ending::Done | Ending::Blocked { .. } | Ending::Superseded) => true,
                }
        });
        let observed = self.mirror.observed();
        let mut turn = Turn::Settled;
        for (object, claimant) in &translation.claimants {
            if shared_is_going
                || self.shutdown.is_cancelled()
                || !translation.is_gone(object, claimant, &observed)
            {
                continue;
            }
            match self.source.release(object).await {
                Ok(()) => {
                    info!(%object, "nothing of it is left in the cloud; it is let go");
                    self.observer.on(Progress::Released(object));
                }
                Err(error) => turn = self.failed("release", object, &error, turn),
            }
        }
        // Those that have left a shared load balancer need not remember it any longer.
        for (object, claimant) in translation.claimants.iter().filter(|(_, claimant)| claimant.home.is_some())
        {
            let remembered = translation.remembered(object, claimant, &observed);
            let has_left = claimant.elsewhere.iter().any(|key| key.is_shared() && !remembered.contains(key));
            if has_left && let Err(error) = self.source.claim(object, &remembered).await {
                turn = self.failed("claim", object, &error, turn);
            }
        }
        turn
    }

    fn failed(&self, doing: &'static str, object: &ObjectKey, error: &SourceError, turn: Turn) -> Turn {
        match error {
            SourceError::Changed { .. } => {
                debug!(%object, error = chain(error), doing, "looking again");
                turn.or(Turn::Again)
            }
            SourceError::Failed { .. } => {
                self.trouble(&format!("{doing} {object}"), error);
                turn.or(Turn::Troubled)
            }
        }
    }

    fn trouble(&self, what: &str, error: &dyn std::error::Error) {
        let error = chain(error);
        warn!(error, "{what}");
        self.observer.on(Progress::Troubled(&format!("{what}: {error}")));
    }
}

/// What became of a plan, and what follows from it for the turn.
struct Applied {
    outcome: Outcome,
    turn: Turn,
}

impl Turn {
    /// The two together: trouble comes before haste, since looking again at once would only make more of it.
    const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Troubled, _) | (_, Self::Troubled) => Self::Troubled,
            (Self::NotReady, _) | (_, Self::NotReady) => Self::NotReady,
            (Self::Again, _) | (_, Self::Again) => Self::Again,
            (Self::Settled, Self::Settled) => Self::Settled,
        }
    }
}

/// Whether two translations lead to the same cloud.
fn asks_for_the_same(one: &Translation, other: &Translation) -> bool {
    let dispositions = |translation: &Translation| -> BTreeMap<LoadBalancerKey, Disposition> {
        let all = translation.load_balancers.iter();
        all.map(|(key, translated)| (key.clone(), translated.disposition.clone())).collect()
    };
    one.desired == other.desired && dispositions(one) == dispositions(other)
}

/// Takes out of a plan what it would make for a load balancer, and what waits for that.
fn withhold(plan: &mut Plan, key: &LoadBalancerKey) {
    let mut todo: Vec<NodeIndex> = plan
        .graph
        .node_indices()
        .filter(|at| {
            let change = &plan.graph[*at];
            matches!(change.action, Action::Create(_))
                && matches!(&change.mark.holder, Holder::LoadBalancer(holder) if holder == key)
        })
        .collect();
    let mut withheld: BTreeSet<NodeIndex> = todo.iter().copied().collect();
    while let Some(at) = todo.pop() {
        for next in plan.graph.neighbors_directed(at, Direction::Outgoing) {
            if withheld.insert(next) {
                todo.push(next);
            }
        }
    }
    plan.graph.retain_nodes(|_, at| !withheld.contains(&at));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controller::Unobserved;

    /// Whoever runs the loop may do so in a task of its own.
    #[allow(dead_code, reason = "compiling it is the proof")]
    fn it_can_be_spawned<S: Source, C: Cloud>(reconciler: Reconciler<S, C, Unobserved>) {
        fn sent<T: Send>(_: T) {}
        sent(reconciler.run());
    }
}
