//! Makes the changes of plans. Chooses nothing: what can be chosen was chosen in the plan.

mod executor;
mod once;
mod permit;
mod queue;
pub mod quota;
mod setbacks;
mod warm;

use std::collections::BTreeMap;
use std::time::Duration;

pub use executor::{Executor, Hands};
pub use once::once;
pub use permit::{Grantor, Permit};
pub use queue::{Counts, Priority, Stage, Task};
pub use warm::WELL;

use crate::model::{Holder, ResourceId};
use crate::plan::Action;

/// How many changes are made at a time, and how patiently.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How many changes may be under way at a time. Each waits for an operation of seconds, so this bounds the requests in flight. The quota
    /// of a minute may be used at once when the minute begins, so that what one group may have under way is just above the usual quota of
    /// 1,500: it is the quota that is waited for, and not this.
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
            concurrency: 1_800,
            first_pause: Duration::from_millis(250),
            // With the pauses doubling to at most ten seconds that is about a minute.
            tries_when_not_ready: 10,
            longest_call: Duration::from_secs(2),
        }
    }
}

impl Pace {
    /// How many may be under way of one group of calls, so that a region that answers slowly leaves room for the others.
    const fn per_group(&self) -> usize {
        self.concurrency - self.concurrency / 8
    }

    /// How many may be under way that do not change members: those never wait behind slow operations of something else.
    const fn without_members(&self) -> usize {
        self.concurrency - self.concurrency / 16
    }
}

/// What became of a plan: for each change, in the order in which they ended.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Each change that was begun or given up.
    pub ended: Vec<Ended>,
}

/// One change and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Of what.
    pub id: ResourceId,
    /// For whom.
    pub holder: Holder,
    /// Which change, in words that an Event can use: `created`, `changed (certificates)`, `attached 3 endpoints`, `deleted`.
    pub what: String,
    /// What became of it.
    pub result: Ending,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The cloud says that it is done.
    Done,
    /// It was not done, and trying again as it is would not help; a new plan is made after a pause, unless a person must act.
    Failed(Failure),
    /// It was not begun, since this one failed.
    Blocked {
        /// What failed.
        by: ResourceId,
    },
    /// It waits for something that is not in our hands, such as backends that are not healthy yet. Not an error: what comes after it is
    /// done once it has come about.
    Waiting {
        /// For what, in words that follow the name of the resource.
        message: String,
    },
    /// Nobody knows, or it was not begun, since the right to write ended. Not an error.
    Superseded,
}

/// A failed change, for people and for the choice of what is next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The whole chain of causes in one line, without secrets.
    pub message: String,
    /// What is next.
    pub next: Next,
}

/// What is next after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    /// The resource was not as the plan thought (404, 409, 412): it has been read again, and a new plan is made at once.
    LookAgain,
    /// It may pass: a new plan after a growing pause.
    Later,
    /// A person must act (permission, quota, policy): a new plan after a long pause, or when the input changes.
    Person,
}

/// How far the resources of a plan are that are not done: what `status` needs of an [`Outcome`].
pub type Unfinished = BTreeMap<ResourceId, Ending>;

impl Outcome {
    /// Whether every change was done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.ended.iter().all(|ended| ended.result == Ending::Done)
    }

    /// Everything that was not done, by resource.
    #[must_use]
    pub fn unfinished(&self) -> Unfinished {
        self.ended
            .iter()
            .filter(|ended| ended.result != Ending::Done)
            .map(|ended| (ended.id.clone(), ended.result.clone()))
            .collect()
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
        Action::AwaitHealthy { .. } => warm::WELL.to_owned(),
    }
}
