//! Walks a plan. A change is begun as soon as the last one that it waits for is done, several at a time, but never two of one resource.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashSet};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use petgraph::Direction;
use petgraph::graph::NodeIndex;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug, info, info_span, warn};

use super::{Ended, Ending, Failure, Next, Outcome, Permit, Setbacks};
use crate::cloud::mirror::Mirror;
use crate::cloud::{Cloud, CloudError, KeyPairs};
use crate::model::ResourceId;
use crate::plan::{Action, Change, Plan};

/// With what a plan is applied.
#[derive(Debug)]
pub struct Hands<'a, C, K> {
    /// Where the changes are made.
    pub cloud: &'a C,
    /// Where they are written through.
    pub mirror: &'a Mirror,
    /// Who has the private keys.
    pub keys: &'a K,
    /// The right to write.
    pub permit: &'a Permit,
    /// What is not to be tried again yet.
    pub setbacks: &'a Setbacks,
}

/// How a plan is applied.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many changes may be under way at a time. Each waits for an operation of seconds, so this bounds the requests in flight.
    pub concurrency: usize,
    /// How long a change waits after the cloud said that the resource is not ready for it; doubled each time.
    pub first_pause: Duration,
    /// How many times a change is tried while the resource is not ready for it.
    pub tries_when_not_ready: u32,
    /// How long the right to write must last for a change to be begun: what a request takes that goes well. One that takes longer is
    /// dropped when the right ends.
    pub longest_call: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            concurrency: 32,
            first_pause: Duration::from_millis(250),
            // With the pauses doubling to at most ten seconds that is about a minute.
            tries_when_not_ready: 10,
            longest_call: Duration::from_secs(2),
        }
    }
}

const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Makes the changes of `plan` and says of each, to `tell`, how it ended. Once `stop` is cancelled, or the permit is over, none is begun
/// any more; those under way are waited for while the permit lasts.
pub async fn apply<C: Cloud, K: KeyPairs>(
    plan: &Plan,
    hands: &Hands<'_, C, K>,
    pace: &Pace,
    stop: &CancellationToken,
    mut tell: impl FnMut(&Ended) + Send,
) -> Outcome {
    hands.setbacks.keep_to(plan);
    let mut walk = Walk::new(plan);
    // Boxed, since what is known of the lifetimes would otherwise not do for a task.
    let mut under_way: FuturesUnordered<BoxFuture<'_, (NodeIndex, Ending)>> = FuturesUnordered::new();
    let mut stopped = stop.is_cancelled();
    loop {
        while !stopped && under_way.len() < pace.concurrency {
            let Some(next) = walk.next_ready() else { break };
            let change = &plan.graph[next];
            if let Some(failure) = hands.setbacks.holds_back(change) {
                walk.end(next, Ending::Failed(failure), &mut tell);
            } else if hands.permit.lasts(pace.longest_call) {
                walk.begin(next);
                let span = info_span!("change", id = %change.id, what = %what(&change.action));
                let making = async move { (next, make(change, hands, pace, stop).await) };
                under_way.push(making.instrument(span).boxed());
            } else {
                stopped = true;
            }
        }
        if under_way.is_empty() {
            break;
        }
        tokio::select! {
            () = stop.cancelled(), if !stopped => stopped = true,
            Some((at, ending)) = under_way.next() => {
                hands.setbacks.note(&plan.graph[at], &ending);
                walk.end(at, ending, &mut tell);
            }
        }
    }
    walk.finish(stopped, &mut tell)
}

/// One change, from its first try to its end.
async fn make<C: Cloud, K: KeyPairs>(
    change: &Change,
    hands: &Hands<'_, C, K>,
    pace: &Pace,
    stop: &CancellationToken,
) -> Ending {
    let mut pause = pace.first_pause;
    let mut tries = 1;
    loop {
        let result = tokio::select! {
            result = hands.cloud.execute(change, hands.keys) => result,
            () = hands.permit.ended() => {
                warn!("no longer the leader: the change is left as it is");
                hands.mirror.doubt(&change.id);
                return Ending::Superseded;
            }
        };
        let error = match result {
            Ok(executed) => {
                hands.mirror.wrote(change, executed);
                info!("done");
                return Ending::Done;
            }
            Err(error) => error,
        };
        if !matches!(error, CloudError::NotReady { .. }) || tries >= pace.tries_when_not_ready {
            return fail(&error, change, hands).await;
        }
        debug!(error = error.line(), ?pause, "not ready yet");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return Ending::Superseded,
        }
        if !hands.permit.lasts(pace.longest_call) {
            return Ending::Superseded;
        }
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        tries += 1;
    }
}

async fn fail<C: Cloud, K>(error: &CloudError, change: &Change, hands: &Hands<'_, C, K>) -> Ending {
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
    for id in doubtful {
        if let Err(error) = hands.mirror.look_again(hands.cloud, id).await {
            warn!(%id, error = error.line(), "could not be read again; nothing is planned until it can");
        }
    }
    Ending::Failed(failure)
}

/// Where a walk through a plan stands.
struct Walk<'a> {
    plan: &'a Plan,
    /// How many changes each change still waits for.
    waits_for: Vec<usize>,
    /// What can be begun, the most urgent first.
    ready: BinaryHeap<Reverse<(Urgency, usize)>>,
    /// Resources of which a change is under way.
    busy: HashSet<&'a ResourceId>,
    ended: HashSet<NodeIndex>,
    outcome: Outcome,
}

/// What goes first where not everything can go at once: what serves users now, then what is new, then what differs, then what is no
/// longer needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Members,
    Create,
    Update,
    Delete,
}

impl<'a> Walk<'a> {
    fn new(plan: &'a Plan) -> Self {
        let waits_for: Vec<usize> = plan
            .graph
            .node_indices()
            .map(|at| plan.graph.neighbors_directed(at, Direction::Incoming).count())
            .collect();
        let mut walk = Self {
            plan,
            waits_for,
            ready: BinaryHeap::new(),
            busy: HashSet::new(),
            ended: HashSet::new(),
            outcome: Outcome::default(),
        };
        for at in plan.graph.node_indices() {
            if walk.waits_for[at.index()] == 0 {
                walk.make_ready(at);
            }
        }
        walk
    }

    fn make_ready(&mut self, at: NodeIndex) {
        self.ready.push(Reverse((urgency(&self.plan.graph[at].action), at.index())));
    }

    fn next_ready(&mut self) -> Option<NodeIndex> {
        let mut passed_over = Vec::new();
        let mut found = None;
        while let Some(Reverse((urgency, index))) = self.ready.pop() {
            let at = NodeIndex::new(index);
            if self.busy.contains(&self.plan.graph[at].id) {
                passed_over.push(Reverse((urgency, index)));
            } else {
                found = Some(at);
                break;
            }
        }
        self.ready.extend(passed_over);
        found
    }

    fn begin(&mut self, at: NodeIndex) {
        self.busy.insert(&self.plan.graph[at].id);
    }

    fn end(&mut self, at: NodeIndex, ending: Ending, tell: &mut impl FnMut(&Ended)) {
        self.busy.remove(&self.plan.graph[at].id);
        match ending {
            Ending::Done => {
                self.record(at, ending, tell);
                for waiting in self.plan.graph.neighbors_directed(at, Direction::Outgoing) {
                    self.waits_for[waiting.index()] -= 1;
                    if self.waits_for[waiting.index()] == 0 && !self.ended.contains(&waiting) {
                        self.make_ready(waiting);
                    }
                }
            }
            Ending::Failed(_) | Ending::Blocked { .. } => {
                self.record(at, ending, tell);
                self.block_behind(at, tell);
            }
            Ending::Superseded => self.record(at, ending, tell),
        }
    }

    /// Everything that waits for a change that failed is not begun.
    fn block_behind(&mut self, failed: NodeIndex, tell: &mut impl FnMut(&Ended)) {
        let by = &self.plan.graph[failed].id;
        let mut todo = vec![failed];
        let mut behind = BTreeSet::new();
        while let Some(at) = todo.pop() {
            let next = self.plan.graph.neighbors_directed(at, Direction::Outgoing);
            todo.extend(next.filter(|next| behind.insert(*next)));
        }
        for at in behind {
            if !self.ended.contains(&at) {
                self.record(at, Ending::Blocked { by: by.clone() }, tell);
            }
        }
    }

    fn record(&mut self, at: NodeIndex, result: Ending, tell: &mut impl FnMut(&Ended)) {
        let Change { id, mark, action, reason: _, seen: _ } = &self.plan.graph[at];
        self.ended.insert(at);
        let ended = Ended { id: id.clone(), holder: mark.holder.clone(), what: what(action), result };
        tell(&ended);
        self.outcome.ended.push(ended);
    }

    fn finish(mut self, stopped: bool, tell: &mut impl FnMut(&Ended)) -> Outcome {
        for at in self.plan.graph.node_indices() {
            if self.ended.contains(&at) {
                continue;
            }
            // A change behind one that was superseded is so too. Else this can only be a plan whose changes wait for each other, which
            // `plan::check` rules out.
            let superseded =
                stopped || self.outcome.ended.iter().any(|ended| ended.result == Ending::Superseded);
            let ending = if superseded {
                Ending::Superseded
            } else {
                Ending::Failed(Failure {
                    message:
                        "the plan's changes wait for each other; this is a defect of gclb, please report it"
                            .to_owned(),
                    next: Next::Person,
                })
            };
            self.record(at, ending, tell);
        }
        self.outcome
    }
}

const fn urgency(action: &Action) -> Urgency {
    match action {
        Action::AttachEndpoints(_)
        | Action::DetachEndpoints(_)
        | Action::AddInstances(_)
        | Action::RemoveInstances(_) => Urgency::Members,
        Action::Create(_) => Urgency::Create,
        Action::Update { .. } => Urgency::Update,
        Action::Delete => Urgency::Delete,
    }
}

/// A change in words that an Event can use.
fn what(action: &Action) -> String {
    fn counted(verb: &str, count: usize, one: &str) -> String {
        let plural = if count == 1 { "" } else { "s" };
        format!("{verb} {count} {one}{plural}")
    }
    match action {
        Action::Create(_) => "created".to_owned(),
        Action::Update { verb: _, to: _, fields } => {
            let fields: Vec<_> = fields.iter().map(|field| field.field.as_str()).collect();
            format!("changed ({})", fields.join(", "))
        }
        Action::AttachEndpoints(endpoints) => counted("attached", endpoints.len(), "endpoint"),
        Action::DetachEndpoints(endpoints) => counted("detached", endpoints.len(), "endpoint"),
        Action::AddInstances(instances) => counted("added", instances.len(), "instance"),
        Action::RemoveInstances(instances) => counted("removed", instances.len(), "instance"),
        Action::Delete => "deleted".to_owned(),
    }
}

#[cfg(test)]
mod tests;
