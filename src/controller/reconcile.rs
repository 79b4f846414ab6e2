//! The loop, read aloud: something changed; take a snapshot, translate it, claim the objects, look at the cloud, plan, and give the plan to
//! the [executor](crate::apply::Executor), which puts it in the place of the one before. Meanwhile, tell of what ends, and let go of what is
//! gone.
//!
//! A turn concerns all load balancers together: what they share makes a plan for each alone impossible, and what did not change costs
//! nothing. Nothing here waits for a plan to be done. It decides nothing about resources; what it does decide is when: see
//! [`Reconciler::run`].

mod departed;
mod desk;
mod stage;
mod tell;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, debug, info, info_span, warn};

use super::endpoints::Endpoints;
use super::foreign;
use super::health::HealthBoard;
use super::members;
use super::preflight::Preflight;
use super::source::{Source, SourceError};
use super::{Observer, Options, Progress};
use crate::apply::{Ended, Ending, Executor};
use crate::cloud::mirror::Mirror;
use crate::cloud::mirror::foreign::News;
use crate::cloud::{Cloud, CloudError, chain};
use crate::model::{Holder, Kind, LoadBalancerKey, ObjectKey, Observed, ResourceId};
use crate::plan::drift::{Drift, drift};
use crate::plan::{Action, Block, FieldChange, Plan, plan};
use crate::problem::Reason;
use crate::status;
use crate::translate::{Disposition, Moves, Translation, translate_beside};
use departed::Departed;
use desk::{Desk, Write, Written};
use stage::{pure_stage, stage};
use tell::Telling;

/// Input that changes is let come to rest for so long: objects that are applied together arrive within milliseconds of each other,
/// and acting on the first of them alone would begin operations of seconds that the others make wrong.
const QUIET: Duration = Duration::from_millis(40);

/// Input that does not come to rest is not waited for any longer than this.
const UNREST: Duration = Duration::from_millis(100);

/// What the executor asks for a new plan for comes in flocks too.
const FLOCK: Duration = Duration::from_millis(5);

/// Planning takes no more than a third of the time, however much changes and however large it all is.
const REST_PER_TURN: u32 = 2;

/// Who is still refused after pauses that have grown to this is refused for good.
const REFUSED_FOR_GOOD: Duration = Duration::from_secs(4);

/// So long a turn waits for objects to be claimed. Almost always that is soon; those that take longer are planned for when they are.
const PATIENCE: Duration = Duration::from_millis(250);

/// Everything that the loop needs.
pub(super) struct Reconciler<S, C, O> {
    source: Arc<S>,
    cloud: Arc<C>,
    mirror: Arc<Mirror>,
    board: Arc<HealthBoard>,
    executor: Arc<Executor<C, S>>,
    endpoints: Arc<Endpoints>,
    options: Options,
    observer: O,
    shutdown: CancellationToken,
    desk: Desk<S>,
    /// Objects that cannot vanish unseen, and which shared load balancers they remember.
    claimed: BTreeMap<ObjectKey, BTreeSet<LoadBalancerKey>>,
    /// Objects for which nothing is made by the newest plan, since they could.
    withheld: BTreeSet<ObjectKey>,
    newest: Option<Newest>,
    telling: Telling,
    preflight: Preflight,
    when: When,
    /// How many turns or writes in a row went wrong.
    troubles: u32,
    /// Whether it has been said that nothing is left to do.
    said_settled: bool,
    /// What others changed, as it was last said.
    drift: Vec<Drift>,
    /// What was last said about load balancers whose objects are gone.
    leaks: Vec<LoadBalancerKey>,
    /// What was said of them: those that were given up are none.
    told_leaks: Vec<LoadBalancerKey>,
    /// Load balancers that were given up, as the record said when something was last seen to belong to nobody.
    released: BTreeSet<LoadBalancerKey>,
    departed: Departed,
    /// Whether the record is to be read again.
    reads_record: bool,
}

/// What is being made at present.
struct Newest {
    translation: Translation,
    plan: Plan,
    began: Instant,
    /// Whether it has come to its end.
    is_over: bool,
}

/// When the next turn is.
struct When {
    /// Something changed: the first time since the last turn, and when it is acted on.
    changed: Option<(Instant, Instant)>,
    /// Something went wrong, and is tried again.
    retry: Option<Instant>,
    /// Time alone changes things too (a certificate expires).
    at_last: Instant,
    /// Not before this: see [`REST_PER_TURN`].
    not_before: Instant,
}

impl When {
    fn new(now: Instant) -> Self {
        Self { changed: Some((now, now)), retry: None, at_last: now, not_before: now }
    }

    /// Something changed, and more of it may come within `quiet`.
    fn soon(&mut self, quiet: Duration) {
        let now = Instant::now();
        let first = self.changed.map_or(now, |(first, _)| first);
        self.changed = Some((first, (now + quiet).min(first + UNREST)));
    }

    fn again(&mut self, at: Instant) {
        self.retry = Some(self.retry.map_or(at, |retry| retry.min(at)));
    }

    fn next(&self) -> Instant {
        let changed = self.changed.map(|(_, at)| at);
        changed.into_iter().chain(self.retry).fold(self.at_last, Instant::min).max(self.not_before)
    }
}

/// Why there was no plan in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NoPlan {
    /// The source has not listed everything yet.
    NotReady,
    /// The cloud could not be read.
    Troubled,
}

impl NoPlan {
    const fn word(self) -> &'static str {
        match self {
            Self::NotReady => "not_ready",
            Self::Troubled => "troubled",
        }
    }
}

impl<S: Source, C: Cloud, O: Observer> Reconciler<S, C, O> {
    #[allow(clippy::too_many_arguments, reason = "each is another part of the controller")]
    pub(super) fn new(
        source: Arc<S>,
        cloud: Arc<C>,
        mirror: Arc<Mirror>,
        board: Arc<HealthBoard>,
        executor: Arc<Executor<C, S>>,
        endpoints: Arc<Endpoints>,
        options: Options,
        observer: O,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            desk: Desk::new(Arc::clone(&source)),
            source,
            cloud,
            mirror,
            board,
            executor,
            endpoints,
            options,
            observer,
            shutdown,
            claimed: BTreeMap::new(),
            withheld: BTreeSet::new(),
            newest: None,
            telling: Telling::default(),
            preflight: Preflight::default(),
            when: When::new(Instant::now()),
            troubles: 0,
            said_settled: false,
            drift: Vec::new(),
            leaks: Vec::new(),
            told_leaks: Vec::new(),
            released: BTreeSet::new(),
            departed: Departed::default(),
            reads_record: true,
        }
    }

    /// Goes on until the shutdown. A turn is made when the source or the cloud shows something new; when the executor asks for it; when
    /// the pause after a failure is over; and once in every drift interval.
    pub(super) async fn run(mut self) {
        let shutdown = self.shutdown.clone();
        if shutdown.run_until_cancelled(self.fill()).await.is_none() {
            return;
        }
        // In a task of its own: calls are begun and answered also while a large plan is being made.
        let executing: JoinHandle<()> =
            tokio::spawn(Arc::clone(&self.executor).run(shutdown.clone()).in_current_span());
        let mut executing = AbortOnDropHandle::new(executing);
        loop {
            let (turn, telling) = (self.when.next(), self.telling.due);
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.source.changed() => self.when.soon(QUIET),
                () = self.endpoints.need_long_path() => self.when.soon(QUIET),
                () = self.mirror.changed() => {
                    info!("the cloud is not as we left it");
                    self.when.soon(FLOCK);
                }
                () = self.executor.wants_plan(), if self.when.changed.is_none() => self.when.soon(FLOCK),
                ended = self.executor.next() => self.ended(ended),
                written = self.desk.next() => self.written(written),
                () = self.board.changed() => self.telling.stir(),
                () = tokio::time::sleep_until(turn) => self.turn().instrument(info_span!("turn")).await,
                () = sleep_until(telling) => {
                    self.tell();
                    self.let_go();
                }
            }
            self.settle();
        }
        loop {
            tokio::select! {
                ended = self.executor.next() => self.ended(ended),
                written = self.desk.next() => self.written(written),
                _ = &mut executing => break,
            }
        }
        while let Some(ended) = self.executor.try_next() {
            self.ended(ended);
        }
        while !self.desk.is_idle() {
            let written = self.desk.next().await;
            self.written(written);
        }
        self.tell();
        while !self.desk.is_idle() {
            let written = self.desk.next().await;
            self.written(written);
        }
    }

    /// The first look at the cloud; for one that stood by, at what whoever led until now has changed. What is under way there is asked for
    /// first: what has ended by then shows in the lists.
    async fn fill(&mut self) {
        match self.source.checkpoints().await {
            Ok(kept) => self.mirror.remember(kept),
            Err(error) => {
                warn!(error = chain(&error), "there are no checkpoints of members; groups are listed");
            }
        }
        let mut pause = Duration::from_secs(1);
        loop {
            match self.cloud.under_way().await {
                Ok(found) => break self.executor.found(found),
                // A right that is missing will not come by itself; credentials that are refused once may be taken the next time.
                Err(error @ CloudError::Forbidden { .. }) if pause > REFUSED_FOR_GOOD => {
                    warn!(
                        error = error.line(),
                        "operations from before cannot be seen; going on without them"
                    );
                    break;
                }
                Err(error) => self.trouble("the operations under way cannot be listed", &error),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_mins(1));
        }
        while let Err(error) = self.mirror.fill(&*self.cloud).await {
            self.trouble("the cloud's resources cannot be listed", &error);
            self.tell_unlisted(&chain(&error)).await;
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_mins(1));
        }
        // What the first look shows is no news.
        let _ = self.mirror.changed().now_or_never();
    }

    async fn turn(&mut self) {
        let began = Instant::now();
        self.when.changed = None;
        self.when.retry = None;
        self.withheld.clear();
        self.when.at_last = began + self.options.drift_interval;
        self.said_settled = false;
        if let Err(no_plan) = self.replan(began).await {
            self.options.metrics.turn_ended(no_plan.word(), began.elapsed());
            self.said_settled = no_plan == NoPlan::NotReady;
        }
        self.when.not_before = Instant::now() + REST_PER_TURN * began.elapsed();
    }

    async fn replan(&mut self, began: Instant) -> Result<(), NoPlan> {
        self.read_record().await;
        let mut translation = self.translated(&self.mirror.observed()).ok_or(NoPlan::NotReady)?;
        let looking_up = foreign::settle(&self.mirror, &*self.cloud, &translation);
        if stage(&self.options.metrics, "lookups", looking_up).await == News::Something {
            translation = self.translated(&self.mirror.observed()).ok_or(NoPlan::NotReady)?;
        }
        // Somebody may take the entry out that an object is refused for.
        self.reads_record = !self.released.is_empty()
            && translation.problems().any(|(_, problem)| problem.reason == Reason::Released);
        if let Err(error) = self.mirror.resolve_doubts(&*self.cloud).await {
            self.trouble("what became of a change cannot be read", &error);
            self.try_again();
            return Err(NoPlan::Troubled);
        }
        let metrics = Arc::clone(&self.options.metrics);
        let settling = members::settle(&self.mirror, &*self.cloud, &translation);
        match stage(&metrics, "members", settling).await {
            Ok(members::Left::Nothing) => {}
            Ok(members::Left::More) => self.when.soon(FLOCK),
            Err(error) => {
                self.trouble("the members of a group cannot be listed", &error);
                self.try_again();
            }
        }
        stage(&metrics, "claim", self.claim(&translation)).await;
        let observed = self.mirror.observed();
        let looking = self.preflight.refresh(&*self.cloud, &translation, &observed);
        stage(&metrics, "preflight", looking).await;

        self.mirror.hear(&self.board.known());
        // From here on nothing is waited for, but for permissions that nobody has asked for yet: then it is planned once more.
        self.executor.looking();
        let mut before = self.mirror.observed();
        if let Some(limit) = self.options.mass_deletion_limit {
            self.preflight.brake(&mut translation, &before, limit);
        }
        self.departed.note(&translation);
        let planned = |before: &Observed| pure_stage(&metrics, "plan", || plan(&translation, before));
        let mut plan = planned(&before);
        if stage(&metrics, "preflight", self.preflight.ask(&*self.cloud, &plan)).await {
            self.executor.looking();
            before = self.mirror.observed();
            plan = planned(&before);
        }
        self.take_note(&translation, &before, &plan);
        let mut plan = self.preflight.examine(plan, &before);
        if let Some(at) = self.preflight.next_look() {
            self.when.again(at);
        }
        for (object, remembered) in translation.claims(&before.holdings()) {
            let claimed = self.claimed.get(object).is_some_and(|claimed| claimed.is_superset(&remembered));
            let home = translation.claimants.get(object).and_then(|claimant| claimant.home.as_ref());
            // What several share is held by each of them that is claimed: one that cannot be is in nobody's way.
            let held_by_another = home.is_some_and(|home| {
                home.is_shared() && self.claimed.values().any(|remembered| remembered.contains(home))
            });
            if let (false, false, Some(home)) = (claimed, held_by_another, home) {
                withhold(&mut plan, home);
                self.withheld.insert(object.clone());
            }
        }
        if self.is_news(&plan) {
            self.observer.on(Progress::Planned(&plan));
        }
        self.executor.take(&plan);
        self.telling.planned(&before);
        if let Some(Newest { began, is_over: false, .. }) = self.newest {
            self.options.metrics.turn_ended("superseded", began.elapsed());
        }
        self.newest = Some(Newest { translation, plan, began, is_over: false });
        Ok(())
    }

    /// Whether a plan is empty, or has a change in it that the one before had not.
    fn is_news(&self, plan: &Plan) -> bool {
        let Some(Newest { plan: before, .. }) = &self.newest else { return true };
        let known: HashSet<(&ResourceId, &'static str)> =
            before.graph.node_weights().map(|change| (&change.id, change.action.word())).collect();
        plan.is_empty()
            || plan.graph.node_weights().any(|change| !known.contains(&(&change.id, change.action.word())))
    }

    /// What should be. `None`: the source is not ready to say.
    fn translated(&self, observed: &Observed) -> Option<Translation> {
        self.endpoints.looking();
        let mut held = observed.held();
        held.released.clone_from(&self.released);
        held.departed = self.departed.keys();
        let metrics = &self.options.metrics;
        let snapshot = match pure_stage(metrics, "snapshot", || self.source.snapshot(held)) {
            Ok(snapshot) => snapshot,
            Err(not_ready) => {
                debug!(%not_ready, "waiting");
                return None;
            }
        };
        let translation = pure_stage(metrics, "translate", || translate_beside(&snapshot, &observed.graph));
        self.endpoints.translated(&translation);
        Some(translation)
    }

    /// Reads which load balancers were given up, where something belongs to nobody that we see: and says so of what was not given up.
    async fn read_record(&mut self) {
        if !std::mem::take(&mut self.reads_record) {
            return;
        }
        match self.source.released().await {
            Ok(released) => self.released = released,
            Err(error) => {
                warn!(
                    error = chain(&error),
                    "which load balancers were released is not known; going on with what was"
                );
            }
        }
        let leaks: Vec<LoadBalancerKey> =
            self.leaks.iter().filter(|key| !self.released.contains(*key)).cloned().collect();
        self.options.metrics.leaks(leaks.len());
        if leaks == self.told_leaks {
            return;
        }
        for key in &leaks {
            warn!(
                load_balancer = %key,
                "its object is gone without having been deleted in our sight; nothing of it is touched. If it is really to go, create \
                 the object again and delete it while gclb runs"
            );
        }
        self.told_leaks = leaks;
    }

    /// Counts what is planned, and tells of drift and leaks.
    fn take_note(&mut self, translation: &Translation, observed: &Observed, plan: &Plan) {
        for change in plan.graph.node_weights() {
            self.options.metrics.planned(change.id.kind, change.action.word());
        }
        self.tell_drift(drift(translation, observed));
        self.options.metrics.leaks(plan.leaks.iter().filter(|key| !self.released.contains(*key)).count());
        if plan.leaks != self.leaks {
            self.leaks.clone_from(&plan.leaks);
            // Some of them may have been given up.
            self.reads_record = true;
            self.when.soon(QUIET);
        }
    }

    /// Counts what others changed, and says so once for each field.
    fn tell_drift(&mut self, found: Vec<Drift>) {
        let mut by_kind: BTreeMap<Kind, BTreeSet<&ResourceId>> = BTreeMap::new();
        for drift in &found {
            by_kind.entry(drift.id.kind).or_default().insert(&drift.id);
        }
        let by_kind = by_kind.into_iter().map(|(kind, ids)| (kind, ids.len())).collect();
        self.options.metrics.drift(&by_kind);
        for drift in found.iter().filter(|drift| !self.drift.contains(drift)) {
            let Drift { id, holder: _, field, since, undo, objects } = drift;
            let FieldChange { field, from, to } = field;
            warn!(%id, field, from, to, %since, ?undo, "somebody else changed it");
            for object in objects {
                self.telling.happened(object, status::drifted(drift));
            }
        }
        self.drift = found;
    }

    /// Makes sure that no object can vanish unseen that something is about to be made for.
    async fn claim(&mut self, translation: &Translation) {
        let observed = self.mirror.observed();
        let claims: BTreeMap<&ObjectKey, BTreeSet<LoadBalancerKey>> = {
            let held = observed.holdings();
            translation.claims(&held).collect()
        };
        self.claimed.retain(|object, _| claims.contains_key(object));
        let mut claiming: BTreeSet<ObjectKey> = BTreeSet::new();
        for (object, mut remembered) in claims {
            if self.desk.is_busy(object) {
                continue;
            }
            // What is still being done there may be done for it, also where another process began it.
            let of_others =
                translation.claimants.get(object).into_iter().flat_map(|claimant| &claimant.elsewhere);
            let before = self.claimed.get(object).into_iter().flatten().chain(of_others);
            let shared = before.filter(|key| key.is_shared());
            remembered.extend(shared.filter(|key| self.executor.works_for(key)).cloned());
            self.desk.claim(object, remembered);
            claiming.insert(object.clone());
        }
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        while !claiming.is_empty() {
            tokio::select! {
                biased;
                written = self.desk.next() => {
                    if matches!(written.what, Write::Claim(_)) {
                        claiming.remove(&written.object);
                    }
                    self.written(written);
                }
                () = &mut patience => break,
            }
        }
    }

    fn ended(&mut self, ended: Ended) {
        self.endpoints.ended(&ended);
        self.observer.on(Progress::Ended(&ended));
        self.said_settled = false;
        // An object that moves takes its next step when the cloud has got further.
        let moves = self.newest.as_ref().is_some_and(|newest| newest.translation.moves == Moves::UnderWay);
        if moves && ended.result == Ending::Done {
            self.when.soon(FLOCK);
        }
        self.telling.ended(ended);
    }

    /// An object has been written.
    fn written(&mut self, written: Written) {
        let Written { object, what, result } = written;
        if self.withheld.remove(&object) {
            // What is to be made for it can perhaps be planned now.
            self.when.soon(FLOCK);
        }
        if let Err(error) = result {
            if matches!(what, Write::Claim(_)) {
                self.claimed.remove(&object);
            }
            self.telling.forget(&object);
            return self.failed(what.verb(), &object, &error);
        }
        match what {
            Write::Claim(remembered) => {
                self.claimed.insert(object, remembered);
            }
            Write::Report(report) => {
                self.observer.on(Progress::Reported(&object, &report));
                self.telling.told(object, *report);
            }
            Write::Release => {
                info!(%object, "nothing of it is left in the cloud; it is let go");
                self.observer.on(Progress::Released(&object));
                self.telling.forget(&object);
            }
        }
    }

    /// Lets objects go of which nothing is left, and lets those that have left a shared load balancer forget it.
    fn let_go(&mut self) {
        let Some(Newest { translation, plan, .. }) = &self.newest else { return };
        let mut leaving = translation
            .claimants
            .iter()
            .filter(|(_, claimant)| claimant.home.is_none() || !claimant.elsewhere.is_empty())
            .peekable();
        if leaving.peek().is_none() || self.shutdown.is_cancelled() || !self.executor.plan_holds() {
            return;
        }
        let observed = self.mirror.observed();
        // What they shared must be gone too: the last one to leave clears up, and nobody would come back for what it leaves. Where that
        // needs a person, the status says so until somebody has seen to it.
        let shared_is_going = plan.graph.node_weights().any(|change| {
            change.action == Action::Delete
                && !matches!(change.mark.holder, Holder::LoadBalancer(_))
                && observed.graph.contains(&change.id)
        });
        // Nor may the last one leave while it cannot be seen whether what was shared is still in use: nobody would come back for it.
        let last = !translation
            .load_balancers
            .values()
            .any(|translated| !matches!(translated.disposition, Disposition::TearDown));
        let shared_is_unseen = last
            && plan.blocked.iter().any(|blocked| {
                let shared = !matches!(blocked.holder, Holder::LoadBalancer(_));
                shared && blocked.why == Block::Unseen && observed.graph.contains(&blocked.id)
            });
        let shared_is_going = shared_is_going || shared_is_unseen;
        let held = observed.holdings();
        for (object, claimant) in leaving {
            if claimant.elsewhere.iter().any(|key| self.executor.works_for(key)) {
                continue;
            }
            let is_gone = !shared_is_going && translation.is_gone(object, claimant, &held);
            let remembered = translation.remembered(object, claimant, &held);
            let forgets = claimant.home.is_some()
                && self.claimed.get(object).is_some_and(|before| before.len() > remembered.len());
            if !is_gone && !forgets {
                continue;
            }
            if self.desk.is_busy(object) {
                self.telling.passed_over();
            } else if is_gone {
                self.desk.release(object);
            } else {
                self.desk.claim(object, remembered);
            }
        }
    }

    /// Says so where nothing is left to do, except what failed and is tried again in its time.
    fn settle(&mut self) {
        let idle = self.when.changed.is_none()
            && self.telling.due.is_none()
            && self.desk.is_idle()
            && self.executor.is_at_rest();
        if !idle || self.said_settled {
            return;
        }
        self.said_settled = true;
        if let Some(newest) = &mut self.newest
            && !newest.is_over
        {
            newest.is_over = true;
            self.options.metrics.turn_ended("settled", newest.began.elapsed());
            if !newest.plan.is_empty() {
                info!(planned = newest.plan.graph.node_count(), took = ?newest.began.elapsed(), "applied");
            }
        }
        let retry = self.when.retry.into_iter().chain(self.executor.next_try()).min();
        if self.when.retry.is_none() {
            self.troubles = 0;
            let now = jiff::Timestamp::now().as_second();
            self.options.metrics.settled(u64::try_from(now).unwrap_or_default());
        }
        let retry = retry.map(|at| at.saturating_duration_since(Instant::now()));
        self.observer.on(Progress::Settled(retry));
    }

    fn failed(&mut self, doing: &'static str, object: &ObjectKey, error: &SourceError) {
        match error {
            SourceError::Changed { .. } => {
                debug!(%object, error = chain(error), doing, "looking again");
                self.when.soon(QUIET);
            }
            SourceError::Failed { .. } => {
                self.trouble(&format!("{doing} {object}"), error);
                self.try_again();
            }
        }
    }

    /// A turn after a growing pause.
    fn try_again(&mut self) {
        if self.when.retry.is_none() {
            self.troubles = self.troubles.saturating_add(1);
        }
        let pause = Duration::from_millis(500).saturating_mul(2_u32.saturating_pow(self.troubles.min(7)));
        self.when.again(Instant::now() + pause.min(Duration::from_mins(1)));
    }

    fn trouble(&self, what: &str, error: &dyn std::error::Error) {
        let error = chain(error);
        warn!(error, "{what}");
        self.observer.on(Progress::Troubled(&format!("{what}: {error}")));
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
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
    // What is made anew is not deleted either.
    let anew: BTreeSet<_> = withheld.iter().map(|at| plan.graph[*at].id.clone()).collect();
    plan.graph.retain_nodes(|graph, at| {
        let change = &graph[at];
        !(withheld.contains(&at) || change.action == Action::Delete && anew.contains(&change.id))
    });
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
