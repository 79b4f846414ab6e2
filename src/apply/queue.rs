//! What is under way and what is to be done: the state of the executor, with no call, no waiting and no clock in it.
//!
//! The rules are those of the [executor](super::executor).

mod lanes;
mod shut;
mod tasks;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use petgraph::Direction;
use petgraph::graph::NodeIndex;
use tokio::time::Instant;

use super::quota::Group;
use super::setbacks::Setbacks;
use super::{Ended, Ending, Failure, Pace, what};
use crate::cloud::Found;
use crate::model::{Holder, LoadBalancerKey, ResourceId};
use crate::plan::{Action, Blocked, Change, Plan};
use lanes::{Entry, Lanes, Nth};
use shut::Shut;

pub use lanes::Priority;
pub use tasks::{Counts, Stage, Task};

const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Before a wait asks for the second time; doubled each time. A probe comes every few seconds.
const FIRST_ASK: Duration = Duration::from_millis(500);

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Queue {
    pace: Pace,
    /// The changes of the newest plan, by their places in it, and behind them those of the short path.
    jobs: Vec<Job>,
    /// What the newest plan needs and could not plan.
    blocked: Vec<Blocked>,
    under_way: HashMap<ResourceId, UnderWay>,
    lanes: Lanes,
    /// Waits for healthy backends that are to ask again: no calls that change anything, so they stand in no lane.
    asks: VecDeque<usize>,
    /// Jobs that are ready but for another change of the same resource that is under way.
    parked: HashMap<ResourceId, Vec<usize>>,
    /// When a job that pauses becomes ready.
    timers: BTreeSet<(Instant, usize)>,
    setbacks: Setbacks,
    /// Whether the cloud has been looked at for a plan that is not here yet, and what ended since.
    looking: bool,
    ended_since: Vec<EndedSince>,
    /// Groups of calls that the quota holds up.
    shut: Shut,
    nth: Nth,
    /// The newest plan does not fit any more.
    wants_plan: bool,
}

/// One change that is to be made.
#[derive(Debug)]
struct Job {
    change: Arc<Change>,
    path: Path,
    /// What must be done before it, and what waits for it.
    before: Vec<usize>,
    behind: Vec<usize>,
    /// How many of `before` are not done.
    waits_for: usize,
    state: State,
    /// How many times the cloud was not ready for it.
    not_ready: u32,
    /// For what it waits that is not in our hands.
    awaits: Option<NotYet>,
    /// It keeps this while the quota or a newer plan sends it back.
    ready: Option<Ready>,
}

/// When a change became ready.
#[derive(Debug, Clone, Copy)]
struct Ready {
    /// As the how manieth.
    nth: Nth,
    since: Instant,
    /// How long its group of calls had been shut until then.
    shut_before: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    /// It is in the newest plan.
    Plan,
    /// It came by the short path for members.
    Short(Heard),
}

/// Whether the look at the cloud for the next plan was before or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Before,
    Since,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// Waits for what is before it.
    Waiting,
    Ready,
    UnderWay,
    Done,
    Failed(Failure),
    /// It failed before.
    SetBack(Failure, Instant),
    /// The cloud was not ready for it.
    Pausing(Instant),
    /// What was decided is no longer to be relied on: something else of, or about, this resource is under way or has just ended. It
    /// waits for the next plan.
    Stale(ResourceId),
    /// Given up, for newer changes of the same group.
    Overtaken,
}

/// A change that has begun.
#[derive(Debug)]
struct UnderWay {
    doing: Doing,
    /// `None`: the newest plan does not contain it.
    job: Option<usize>,
    since: Instant,
}

#[derive(Debug, Clone)]
enum Doing {
    Change(Arc<Change>),
    /// An operation that was found running, and of which only the resource is known.
    Found,
}

#[derive(Debug)]
struct EndedSince {
    id: ResourceId,
    doing: Doing,
    done: bool,
}

/// What is waited for has not come about yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotYet {
    /// In words that follow the name of the resource.
    pub(super) message: String,
    /// Whether it has been waited for so long that nobody should sit and wait with it.
    pub(super) long: bool,
}

/// How a change that was begun came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Back {
    Done,
    Failed(Failure),
    /// The cloud was not ready for it: it goes back to ready after a pause.
    NotReady,
    /// What it waits for has not come about: it asks again after a pause, however often.
    NotYet(NotYet),
    /// It was one call too many: it goes back to ready, and the quota says when.
    Throttled,
    /// Nobody knows, since the right to write ended.
    Dropped,
}

/// A change that is to be begun now.
#[derive(Debug)]
pub(super) struct Begin<T> {
    pub(super) change: Arc<Change>,
    /// Whether being not ready is a failure by now.
    pub(super) last_try: bool,
    /// How long the quota held it up.
    pub(super) waited: Duration,
    /// What the quota gave for it.
    pub(super) pass: T,
}

/// Whether a call of a group may be sent now.
#[derive(Debug)]
pub(super) enum Admitted<T> {
    Now(T),
    /// Not before then, or if that is not known, before another call is answered.
    Later(Option<Instant>),
}

impl Queue {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            jobs: Vec::new(),
            blocked: Vec::new(),
            under_way: HashMap::new(),
            lanes: Lanes::default(),
            asks: VecDeque::new(),
            parked: HashMap::new(),
            timers: BTreeSet::new(),
            setbacks: Setbacks::default(),
            looking: false,
            ended_since: Vec::new(),
            shut: Shut::default(),
            nth: 0,
            wants_plan: false,
        }
    }

    /// The cloud is about to be looked at for the next plan.
    pub(super) fn mark(&mut self) {
        self.looking = true;
        self.ended_since.clear();
        self.wants_plan = false;
        for job in &mut self.jobs {
            if let Path::Short(heard) = &mut job.path {
                *heard = Heard::Before;
            }
        }
    }

    /// A new plan instead of what has not begun of the one before.
    pub(super) fn take(&mut self, plan: &Plan, now: Instant) {
        self.looking = false;
        self.setbacks.keep_to(plan);
        self.blocked.clone_from(&plan.blocked);
        let old = std::mem::take(&mut self.jobs);
        self.lanes.clear();
        self.asks.clear();
        self.parked.clear();
        self.timers.clear();
        for under_way in self.under_way.values_mut() {
            under_way.job = None;
        }
        let mut known: HashMap<ResourceId, Vec<Job>> = HashMap::new();
        let mut short = Vec::new();
        for job in old {
            match job.path {
                Path::Short(Heard::Since) if job.state.is_open() => short.push(job),
                _ if job.ready.is_some() && job.state.is_open() => {
                    known.entry(job.change.id.clone()).or_default().push(job);
                }
                _ => {}
            }
        }
        for at in plan.graph.node_indices() {
            let beside =
                |direction| plan.graph.neighbors_directed(at, direction).map(NodeIndex::index).collect();
            let change = &plan.graph[at];
            let before = known.get_mut(&change.id).and_then(|jobs| {
                jobs.iter().position(|job| is(&job.change, change)).map(|at| jobs.remove(at))
            });
            let change = Arc::new(change.clone());
            let mut job =
                Job::new(change, Path::Plan, beside(Direction::Incoming), beside(Direction::Outgoing));
            if let Some(before) = before {
                job.not_ready = before.not_ready;
                job.awaits = before.awaits;
                job.ready = before.ready;
                if let State::Pausing(until) = before.state {
                    job.state = State::Pausing(until);
                }
            }
            self.jobs.push(job);
        }
        let of_plan = self.jobs.len();
        for job in short {
            let index = self.jobs.len();
            self.jobs.push(job);
            if let (State::UnderWay, Some(under_way)) =
                (&self.jobs[index].state, self.under_way.get_mut(&self.jobs[index].change.id))
            {
                under_way.job = Some(index);
            }
        }
        self.adopt(of_plan);
        self.distrust(of_plan);
        for index in of_plan..self.jobs.len() {
            let id = self.jobs[index].change.id.clone();
            self.overtake(&id, of_plan);
        }
        for index in 0..self.jobs.len() {
            let waits_for = self.jobs[index]
                .before
                .iter()
                .filter(|before| self.jobs[**before].state != State::Done)
                .count();
            let job = &mut self.jobs[index];
            job.waits_for = waits_for;
            match job.state {
                State::Pausing(until) if waits_for == 0 => {
                    self.timers.insert((until, index));
                }
                State::Waiting | State::Ready | State::SetBack(..) | State::Pausing(_) => {
                    job.state = State::Waiting;
                    if waits_for == 0 {
                        self.make_ready(index, now);
                    }
                }
                State::UnderWay | State::Done | State::Failed(_) | State::Stale(_) | State::Overtaken => {}
            }
        }
    }

    /// A change of the new plan that is under way, or was done since the cloud was looked at, is that one.
    fn adopt(&mut self, of_plan: usize) {
        for (index, job) in self.jobs.iter_mut().enumerate().take(of_plan) {
            let id = &job.change.id;
            if let Some(under_way) = self.under_way.get_mut(id)
                && under_way.doing.is(&job.change)
                && under_way.job.is_none()
            {
                under_way.job = Some(index);
                job.state = State::UnderWay;
            } else if self
                .ended_since
                .iter()
                .any(|ended| ended.done && ended.id == *id && ended.doing.is(&job.change))
            {
                job.state = State::Done;
            }
        }
    }

    /// What was decided without knowing of something that is under way, or ended since, may be wrong.
    fn distrust(&mut self, of_plan: usize) {
        let orphans = self.under_way.iter().filter(|(_, under_way)| match under_way.job {
            None => true,
            Some(job) => job >= of_plan,
        });
        let running: Vec<(&ResourceId, &Doing)> =
            orphans.map(|(id, under_way)| (id, &under_way.doing)).collect();
        // What was adopted as done the plan knew of.
        let jobs = &self.jobs[..of_plan];
        let adopted = |ended: &&EndedSince| {
            jobs.iter().any(|job| {
                job.state == State::Done && job.change.id == ended.id && ended.doing.is(&job.change)
            })
        };
        let ended: Vec<(&ResourceId, &Doing)> = self
            .ended_since
            .iter()
            .filter(|ended| !adopted(ended))
            .map(|ended| (&ended.id, &ended.doing))
            .collect();
        let mut touched: HashMap<&ResourceId, &ResourceId> = HashMap::new();
        let mut referred_to: HashMap<&ResourceId, &ResourceId> = HashMap::new();
        let mut deleted: HashMap<&ResourceId, &ResourceId> = HashMap::new();
        let mut unclear: Option<&ResourceId> = None;
        for (id, doing) in running.iter().chain(&ended) {
            touched.insert(id, id);
            match doing {
                Doing::Change(change) => {
                    referred_to.extend(change.action.references().into_iter().map(|at| (at, *id)));
                    if change.action == Action::Delete {
                        deleted.insert(id, id);
                    }
                }
                Doing::Found => unclear = Some(id),
            }
        }
        let mut stale = Vec::new();
        for (index, job) in jobs.iter().enumerate() {
            if matches!(job.state, State::UnderWay | State::Done) {
                continue;
            }
            let id = &job.change.id;
            let goes = job.change.action == Action::Delete;
            let behind = touched
                .get(id)
                .or_else(|| goes.then(|| referred_to.get(id)).flatten())
                .or_else(|| unclear.as_ref().filter(|_| goes))
                .or_else(|| job.change.action.references().into_iter().find_map(|at| deleted.get(at)));
            if let Some(behind) = behind {
                stale.push((index, (*behind).clone()));
            }
        }
        // The end of what runs will ask for the next plan; what has ended, and the plan did not know of, cannot.
        let wants_plan = !ended.is_empty();
        self.wants_plan |= wants_plan;
        self.ended_since.clear();
        for (index, behind) in stale {
            self.jobs[index].state = State::Stale(behind);
        }
    }

    /// The changes of one group's members by the short path, in their order, instead of those that have not begun.
    pub(super) fn take_members(&mut self, id: &ResourceId, changes: Vec<Change>, now: Instant) {
        let of_plan = self.of_plan();
        for job in &mut self.jobs[of_plan..] {
            if job.change.id == *id && job.state.is_open() && job.state != State::UnderWay {
                job.state = State::Overtaken;
            }
        }
        self.overtake(id, of_plan);
        self.sweep();
        while self.jobs.len() > of_plan && self.jobs.last().is_some_and(|job| !job.state.is_open()) {
            self.jobs.pop();
        }
        let under_way = self.under_way.get(id).map(|under_way| under_way.doing.clone());
        let mut changes = changes.into_iter().peekable();
        // The one under way may be the first of these.
        changes.next_if(|first| under_way.is_some_and(|doing| doing.is(first)));
        for change in changes {
            let index = self.jobs.len();
            // They keep their order without edges: one lane and one turn-taker has them all, and one at a time is under way.
            self.jobs.push(Job::new(Arc::new(change), Path::Short(Heard::Since), Vec::new(), Vec::new()));
            self.make_ready(index, now);
        }
    }

    fn of_plan(&self) -> usize {
        self.jobs.iter().take_while(|job| job.path == Path::Plan).count()
    }

    /// The plan's changes of these members were decided before.
    fn overtake(&mut self, id: &ResourceId, of_plan: usize) {
        for index in 0..of_plan {
            let job = &mut self.jobs[index];
            let members = Priority::of(&job.change.action) == Priority::Members;
            if members && job.change.id == *id && job.state.is_open() && job.state != State::UnderWay {
                job.state = State::Stale(id.clone());
                // So that what waits for them need not wait for another reason to plan.
                self.wants_plan = true;
            }
        }
    }

    /// Takes out of the lanes and timers what is no longer ready there.
    fn sweep(&mut self) {
        let Self { jobs, timers, lanes, asks, parked, .. } = self;
        timers.retain(|(_, index)| jobs[*index].state.is_open());
        for indices in parked.values_mut() {
            indices.retain(|index| jobs[*index].state == State::Ready);
        }
        lanes.retain(|index| jobs[index].state == State::Ready);
        asks.retain(|index| jobs[*index].state == State::Ready);
    }

    /// Operations that were found running: what they change is busy until they end.
    pub(super) fn found(&mut self, found: &[Found], now: Instant) {
        for Found { id, .. } in found {
            let under_way = UnderWay { doing: Doing::Found, job: None, since: now };
            self.under_way.entry(id.clone()).or_insert(under_way);
        }
    }

    fn make_ready(&mut self, index: usize, now: Instant) {
        let job = &mut self.jobs[index];
        if let Some(setback) = self.setbacks.holds_back(&job.change, now) {
            job.state = State::SetBack(setback.failure.clone(), setback.until);
            self.timers.insert((setback.until, index));
            return;
        }
        job.state = State::Ready;
        let id = &job.change.id;
        let group = Group::of_change(id);
        let Ready { nth, .. } = *job.ready.get_or_insert_with(|| {
            self.nth += 1;
            Ready { nth: self.nth, since: now, shut_before: self.shut.altogether(&group, now) }
        });
        if self.under_way.contains_key(id) {
            self.parked.entry(id.clone()).or_default().push(index);
            return;
        }
        if !job.change.action.is_call() {
            self.asks.push_back(index);
            return;
        }
        self.lanes.put(Entry {
            job: index,
            nth,
            priority: Priority::of(&job.change.action),
            group,
            holder: job.change.mark.holder.clone(),
        });
    }

    /// What is to be begun next, if anything can be.
    pub(super) fn begin<T>(
        &mut self,
        now: Instant,
        mut admit: impl FnMut(&Group) -> Admitted<T>,
    ) -> Option<Begin<T>> {
        let due: Vec<(Instant, usize)> = self.timers.range(..=(now, usize::MAX)).copied().collect();
        for timer in due {
            self.timers.remove(&timer);
            if matches!(self.jobs[timer.1].state, State::Pausing(_) | State::SetBack(..)) {
                self.make_ready(timer.1, now);
            }
        }
        // What is still shut is heard of again below.
        self.shut.ask_anew();
        loop {
            let (all, others, by_group) = self.running();
            let Self { lanes, pace, shut, .. } = self;
            let mut asked: BTreeSet<Group> = BTreeSet::new();
            let (index, pass) = lanes.next(|priority, group| {
                let in_group = by_group.get(group).copied().unwrap_or_default();
                let room = all < pace.concurrency
                    && in_group < pace.per_group()
                    && (priority == Priority::Members || others < pace.without_members());
                if !room || asked.contains(group) {
                    return None;
                }
                match admit(group) {
                    Admitted::Now(pass) => {
                        shut.opened(group, now);
                        Some(pass)
                    }
                    Admitted::Later(until) => {
                        asked.insert(group.clone());
                        shut.shut(group, until, now);
                        None
                    }
                }
            })?;
            let job = &mut self.jobs[index];
            if self.under_way.contains_key(&job.change.id) {
                // It became so while this one stood in the lane.
                self.parked.entry(job.change.id.clone()).or_default().push(index);
                continue;
            }
            job.state = State::UnderWay;
            let change = Arc::clone(&job.change);
            let last_try = job.not_ready + 1 >= self.pace.tries_when_not_ready;
            let group = Group::of_change(&change.id);
            let shut = self.shut.altogether(&group, now);
            let waited = job.ready.as_mut().map_or(Duration::ZERO, |ready| {
                // Should it be sent back, the same wait is not counted again.
                shut.saturating_sub(std::mem::replace(&mut ready.shut_before, shut))
            });
            let under_way =
                UnderWay { doing: Doing::Change(Arc::clone(&change)), job: Some(index), since: now };
            self.under_way.insert(change.id.clone(), under_way);
            return Some(Begin { change, last_try, waited, pass });
        }
    }

    /// The next wait that is to ask whether it is over.
    pub(super) fn begin_ask(&mut self, now: Instant) -> Option<Arc<Change>> {
        loop {
            let index = self.asks.pop_front()?;
            let job = &mut self.jobs[index];
            let id = &job.change.id;
            if self.under_way.contains_key(id) {
                self.parked.entry(id.clone()).or_default().push(index);
                continue;
            }
            job.state = State::UnderWay;
            let change = Arc::clone(&job.change);
            let under_way =
                UnderWay { doing: Doing::Change(Arc::clone(&change)), job: Some(index), since: now };
            self.under_way.insert(change.id.clone(), under_way);
            return Some(change);
        }
    }

    /// How many changes are under way: in all, of those that are not of members, and by group.
    fn running(&self) -> (usize, usize, BTreeMap<Group, usize>) {
        let (mut all, mut others, mut by_group) = (0, 0, BTreeMap::new());
        for under_way in self.under_way.values() {
            let Doing::Change(change) = &under_way.doing else { continue };
            if !change.action.is_call() {
                continue;
            }
            all += 1;
            others += usize::from(Priority::of(&change.action) != Priority::Members);
            *by_group.entry(Group::of_change(&change.id)).or_default() += 1;
        }
        (all, others, by_group)
    }

    /// A change that was begun has come back. Yields what is to be told.
    pub(super) fn back(&mut self, id: &ResourceId, back: Back, now: Instant) -> Option<Ended> {
        let UnderWay { doing, job, since: _ } = self.under_way.remove(id)?;
        let ended = self.settle(id, &doing, job, back, now);
        for parked in self.parked.remove(id).unwrap_or_default() {
            if self.jobs[parked].state == State::Ready {
                self.make_ready(parked, now);
            }
        }
        ended
    }

    fn settle(
        &mut self,
        id: &ResourceId,
        doing: &Doing,
        job: Option<usize>,
        back: Back,
        now: Instant,
    ) -> Option<Ended> {
        let Doing::Change(change) = doing else {
            if self.looking {
                self.ended_since.push(EndedSince { id: id.clone(), doing: doing.clone(), done: false });
            }
            self.wants_plan = true;
            return None;
        };
        let done = back == Back::Done;
        if job.is_none() {
            self.wants_plan = true;
        }
        if self.looking && !matches!(back, Back::NotReady | Back::NotYet(_) | Back::Throttled) {
            self.ended_since.push(EndedSince { id: id.clone(), doing: doing.clone(), done });
        }
        let result = match back {
            Back::Done => {
                self.setbacks.done(id);
                if let Some(job) = job {
                    self.done(job, now);
                }
                Ending::Done
            }
            Back::Failed(failure) => {
                self.setbacks.failed(change, &failure, now);
                self.wants_plan = true;
                if let Some(job) = job {
                    self.jobs[job].state = State::Failed(failure.clone());
                }
                Ending::Failed(failure)
            }
            Back::NotReady => {
                if let Some(index) = job {
                    let doubled = 2_u32.saturating_pow(self.jobs[index].not_ready.min(16));
                    let until = now + self.pace.first_pause.saturating_mul(doubled).min(LONGEST_PAUSE);
                    let job = &mut self.jobs[index];
                    job.not_ready += 1;
                    job.state = State::Pausing(until);
                    self.timers.insert((until, index));
                }
                return None;
            }
            Back::NotYet(not_yet) => {
                if let Some(index) = job {
                    let grown = 2_u32.saturating_pow(self.jobs[index].not_ready.min(16));
                    let until = now + FIRST_ASK.saturating_mul(grown).min(LONGEST_PAUSE);
                    let job = &mut self.jobs[index];
                    job.not_ready += 1;
                    job.awaits = Some(not_yet);
                    job.state = State::Pausing(until);
                    self.timers.insert((until, index));
                }
                return None;
            }
            Back::Throttled => {
                if let Some(index) = job {
                    // The quota says when there is room; this is for where nothing is known of any.
                    let until = now + self.pace.first_pause;
                    self.jobs[index].state = State::Pausing(until);
                    self.timers.insert((until, index));
                }
                return None;
            }
            Back::Dropped => {
                if let Some(job) = job {
                    self.jobs[job].state = State::Stale(id.clone());
                }
                self.wants_plan = true;
                Ending::Superseded
            }
        };
        let Change { id, mark, action, reason: _, seen: _ } = &**change;
        Some(Ended { id: id.clone(), holder: mark.holder.clone(), what: what(action), result })
    }

    fn done(&mut self, index: usize, now: Instant) {
        self.jobs[index].state = State::Done;
        for behind in self.jobs[index].behind.clone() {
            let job = &mut self.jobs[behind];
            job.waits_for = job.waits_for.saturating_sub(1);
            if job.waits_for == 0 && job.state == State::Waiting {
                self.make_ready(behind, now);
            }
        }
    }

    /// When to look again even if nothing happens.
    pub(super) fn next_wake(&self) -> Option<Instant> {
        let quota = if self.lanes.is_empty() { None } else { self.shut.first() };
        let timer = self.timers.first().map(|(until, _)| *until);
        timer.into_iter().chain(quota).min()
    }

    /// Whether something waits until another call is answered.
    pub(super) fn waits_for_answer(&self) -> bool {
        !self.lanes.is_empty() && self.shut.is_one_without_a_time()
    }

    /// When the first of what failed is tried again.
    pub(super) fn next_try(&self) -> Option<Instant> {
        self.setbacks.next_try()
    }

    pub(super) const fn wants_plan(&self) -> bool {
        self.wants_plan
    }

    /// Whether something is under way that may be for this load balancer.
    pub(super) fn works_for(&self, key: &LoadBalancerKey) -> bool {
        self.under_way.values().any(|under_way| match &under_way.doing {
            Doing::Found => true,
            Doing::Change(change) => match &change.mark.holder {
                Holder::LoadBalancer(holder) => holder == key,
                // It may be what is left of this one.
                Holder::Service { .. } | Holder::Secret(_) | Holder::Cluster => under_way.job.is_none(),
            },
        })
    }

    /// Whether nothing is under way, ready or soon to be: what is left failed, or waits for what did.
    pub(super) fn is_at_rest(&self) -> bool {
        !self.wants_plan
            && self.is_spent()
            && !self.jobs.iter().any(|job| matches!(job.state, State::Stale(_)))
    }

    /// The same, whatever a next plan would bring.
    pub(super) fn is_spent(&self) -> bool {
        self.under_way.is_empty()
            && self.lanes.is_empty()
            && self.asks.is_empty()
            && !self.jobs.iter().any(|job| {
                matches!(job.state, State::Pausing(_))
                    && !job.awaits.as_ref().is_some_and(|awaits| awaits.long)
            })
    }
}

impl Job {
    fn new(change: Arc<Change>, path: Path, before: Vec<usize>, behind: Vec<usize>) -> Self {
        Self {
            change,
            path,
            before,
            behind,
            waits_for: 0,
            state: State::Waiting,
            not_ready: 0,
            awaits: None,
            ready: None,
        }
    }
}

impl State {
    /// Whether it is still to be done.
    const fn is_open(&self) -> bool {
        match self {
            Self::Waiting | Self::Ready | Self::UnderWay | Self::SetBack(..) | Self::Pausing(_) => true,
            Self::Done | Self::Failed(_) | Self::Stale(_) | Self::Overtaken => false,
        }
    }
}

impl Doing {
    fn is(&self, other: &Change) -> bool {
        match self {
            Self::Change(change) => is(change, other),
            Self::Found => false,
        }
    }
}

/// Whether two are the same change: what else a change says does not alter what is done.
fn is(one: &Change, other: &Change) -> bool {
    one.id == other.id && one.action == other.action
}

#[cfg(test)]
mod tests;
