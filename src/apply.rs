//! Makes the changes of a plan. Chooses nothing: what can be chosen was chosen in the plan.

mod permit;
pub mod quota;
mod run;
mod setbacks;

use std::collections::BTreeMap;

pub use permit::{Grantor, Permit};
pub use run::{Hands, Pace, apply};
pub use setbacks::Setbacks;

use crate::model::{Holder, ResourceId};

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
    /// It was not begun, since a newer plan was asked for or the process is to stop. Not an error.
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
