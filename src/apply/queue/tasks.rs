//! What is in hand, for people: what is under way since when, and what waits for what.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Doing, Job, NotYet, Priority, Queue, Ready, State};
use crate::apply::quota::Group;
use crate::apply::{Ending, Failure, Unfinished};
use crate::model::ResourceId;
use crate::plan::{Blocked, Change};

/// Something that is under way or to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Of what.
    pub id: ResourceId,
    /// Which change. `None` for an operation that was found running at the start: only its resource is known.
    pub change: Option<Arc<Change>>,
    /// How far it is.
    pub stage: Stage,
}

/// How far a change is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Its call has been made.
    UnderWay {
        /// When.
        since: Instant,
    },
    /// It waits for its turn.
    Ready {
        /// Since when.
        since: Instant,
    },
    /// It waits for the quota of its group of calls.
    Quota {
        /// Since when it could have begun.
        since: Instant,
        /// Which group.
        group: Group,
        /// When there is room, as far as is known.
        until: Option<Instant>,
    },
    /// Another change of the same resource is under way.
    Busy {
        /// Since when it could have begun.
        since: Instant,
    },
    /// It waits until another change of the plan is done.
    After(ResourceId),
    /// The cloud was not ready for it.
    NotReady {
        /// When it is tried again.
        until: Instant,
    },
    /// What it waits for, in the cloud, has not come about yet.
    NotYet {
        /// For what, in words that follow the name of the resource.
        message: String,
        /// When it is asked for again.
        until: Instant,
    },
    /// It failed before.
    SetBack {
        /// When it is tried again.
        until: Instant,
        /// How it failed.
        failure: Failure,
    },
    /// Something that the plan did not know of concerns it: the next plan decides.
    Undecided {
        /// What.
        behind: ResourceId,
    },
    /// It failed; the next plan decides.
    Failed(Failure),
}

impl Stage {
    /// One word for it, of a fixed set, for metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::UnderWay { .. } => "under_way",
            Self::Ready { .. } => "turn",
            Self::Quota { .. } => "quota",
            Self::Busy { .. } => "same_resource",
            Self::After(_) => "dependency",
            Self::NotReady { .. } => "not_ready",
            Self::NotYet { .. } => "healthy",
            Self::SetBack { .. } | Self::Failed(_) => "setback",
            Self::Undecided { .. } => "next_plan",
        }
    }
}

/// What is in hand, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many changes are under way, operations found at the start included.
    pub under_way: usize,
    /// How many wait, by the [word](Stage::word) for what they wait for.
    pub waiting: BTreeMap<&'static str, usize>,
    /// How long the one that has been ready longest has been so, by the word of its priority.
    pub queue_age: BTreeMap<&'static str, Duration>,
}

impl Queue {
    /// What is in hand, in numbers.
    pub(in crate::apply) fn counts(&self, now: Instant) -> Counts {
        let mut counts = Counts { under_way: self.under_way.len(), ..Counts::default() };
        for job in &self.jobs {
            let Some(stage) = self.stage(job) else { continue };
            *counts.waiting.entry(stage.word()).or_default() += 1;
            if let (State::Ready, Some(Ready { since, .. })) = (&job.state, job.ready) {
                let age = now.saturating_duration_since(since);
                let oldest = counts.queue_age.entry(Priority::of(&job.change.action).word()).or_default();
                *oldest = age.max(*oldest);
            }
        }
        counts
    }

    /// What waits for something else than its turn or another change.
    pub(in crate::apply) fn held_up(&self) -> Vec<(ResourceId, Stage)> {
        let may_be = |job: &&Job| matches!(job.state, State::Ready | State::SetBack(..) | State::Pausing(_));
        let held_up = self.jobs.iter().filter(may_be).filter_map(|job| {
            let stage = self.stage(job)?;
            let is_held_up =
                matches!(stage, Stage::Quota { .. } | Stage::SetBack { .. } | Stage::NotReady { .. });
            is_held_up.then(|| (job.change.id.clone(), stage))
        });
        held_up.collect()
    }

    /// What the newest plan needs and could not plan.
    pub(in crate::apply) fn blocked(&self) -> &[Blocked] {
        &self.blocked
    }

    /// Everything that is in hand: first what is under way, the longest first, then what waits, in the plan's order.
    pub(in crate::apply) fn tasks(&self) -> Vec<Task> {
        let mut under_way: Vec<Task> = self
            .under_way
            .iter()
            .map(|(id, under_way)| {
                let change = match &under_way.doing {
                    Doing::Change(change) => Some(Arc::clone(change)),
                    Doing::Found => None,
                };
                Task { id: id.clone(), change, stage: Stage::UnderWay { since: under_way.since } }
            })
            .collect();
        under_way.sort_by(|one, other| match (&one.stage, &other.stage) {
            (Stage::UnderWay { since }, Stage::UnderWay { since: than }) => {
                since.cmp(than).then_with(|| one.id.cmp(&other.id))
            }
            _ => std::cmp::Ordering::Equal,
        });
        let waiting = self.jobs.iter().filter_map(|job| {
            let stage = self.stage(job)?;
            Some(Task { id: job.change.id.clone(), change: Some(Arc::clone(&job.change)), stage })
        });
        under_way.extend(waiting);
        under_way
    }

    /// What of the newest plan cannot be done for now.
    pub(in crate::apply) fn unfinished(&self) -> Unfinished {
        let mut unfinished = Unfinished::new();
        let mut behind = Vec::new();
        for job in &self.jobs {
            if let State::Failed(failure) | State::SetBack(failure, _) = &job.state {
                unfinished.insert(job.change.id.clone(), Ending::Failed(failure.clone()));
                behind.push((job, &job.change.id));
            } else if let (true, Some(NotYet { message, long: _ })) = (job.state.is_open(), &job.awaits) {
                let waiting = Ending::Waiting { message: message.clone() };
                unfinished.entry(job.change.id.clone()).or_insert(waiting);
            }
        }
        let mut seen = BTreeSet::new();
        while let Some((job, by)) = behind.pop() {
            for index in job.behind.iter().copied().filter(|index| seen.insert(*index)) {
                let next = &self.jobs[index];
                if next.state == State::Waiting {
                    unfinished
                        .entry(next.change.id.clone())
                        .or_insert_with(|| Ending::Blocked { by: by.clone() });
                }
                behind.push((next, by));
            }
        }
        unfinished
    }

    fn stage(&self, job: &Job) -> Option<Stage> {
        Some(match &job.state {
            State::Waiting => {
                let before = job.before.iter().find(|before| self.jobs[**before].state != State::Done)?;
                Stage::After(self.jobs[*before].change.id.clone())
            }
            State::Ready => {
                let Ready { since, .. } = job.ready?;
                let group = Group::of_change(&job.change.id);
                if self.under_way.contains_key(&job.change.id) {
                    Stage::Busy { since }
                } else if let Some(until) = self.shut.until(&group) {
                    Stage::Quota { since, until: *until, group }
                } else {
                    Stage::Ready { since }
                }
            }
            State::Failed(failure) => Stage::Failed(failure.clone()),
            State::SetBack(failure, until) => Stage::SetBack { until: *until, failure: failure.clone() },
            State::Pausing(until) => match &job.awaits {
                Some(NotYet { message, long: _ }) => {
                    Stage::NotYet { message: message.clone(), until: *until }
                }
                None => Stage::NotReady { until: *until },
            },
            State::Stale(behind) => Stage::Undecided { behind: behind.clone() },
            State::UnderWay | State::Done | State::Overtaken => return None,
        })
    }
}
