//! How many calls the cloud takes, learnt from what it refuses, and shared by everything that calls it: the executor of plans, the
//! endpoints' short path, health polling, verification.
//!
//! A [`Quota`] is asked before each call and told what became of it. A group of calls that was refused stops once for all who call, is
//! probed by one call, and goes on for all when a probe is let through. How it learns is in `quota/meter.rs`.
//!
//! # Who asks
//! The executor asks [`Quota::admit`] when it picks a change, since what has to wait should give its place to something else. It gets
//! a [`Pass`] and makes the change inside [`Pass::around`]; the client finds the pass there, sends the call with it and tells how it
//! was answered. Whoever has no pass is held by the client's gate until there is one ([`Quota::pass`]). A change that was refused all
//! the same comes back as [`CloudError::Throttled`](crate::cloud::CloudError::Throttled) and is no failure: it goes back to where
//! it was picked.

mod group;
mod meter;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tokio::time::Instant;

pub use group::{Belief, Calls, Group, InvalidBelief, Place};
use meter::{Meter, Say};

/// What a project is allowed by default (Compute Engine, all common groups).
const PER_MINUTE: u32 = 1500;

tokio::task_local! {
    /// The pass of the change that is being made.
    static HELD: RefCell<Option<Pass>>;
}

/// See the [module](self). Cheap to clone; clones are one.
#[derive(Debug, Clone)]
pub struct Quota {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// `None`: nothing is ever held back.
    meters: Option<Mutex<Meters>>,
    /// Counts answers.
    answered: watch::Sender<u64>,
}

#[derive(Debug)]
struct Meters {
    beliefs: BTreeMap<Calls, u32>,
    /// A moment at which a minute began.
    minute: Instant,
    groups: BTreeMap<Group, Meter>,
}

/// Whether a call may be sent.
#[derive(Debug)]
pub enum Admission {
    /// With this, at once.
    Now(Pass),
    /// Not before another call of the group is answered: ask again when [`Quota::answers`] says so.
    AfterAnswer,
    /// There is no use in sending it before this.
    NotBefore(Instant),
}

/// What became of a call, as far as the quota is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It was let through, whatever came of it then.
    Accepted,
    /// It was one too many.
    Refused {
        /// How long the cloud asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// It was not sent, or nobody answered.
    Unknown,
}

/// The right to send one call. Dropped, it counts as not used.
#[derive(Debug)]
pub struct Pass {
    quota: Quota,
    group: Group,
    given: Instant,
    settled: bool,
}

/// A group that is shut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// Which.
    pub group: Group,
    /// How long, as far as is known.
    pub about: Duration,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.about.as_millis().div_ceil(1000).max(1);
        write!(f, "waiting for quota ({}), about {seconds} s", self.group)
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self::unlimited()
    }
}

impl Quota {
    /// Holds nothing back: for clouds without quotas, and for tests of other things.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { shared: Arc::new(Shared { meters: None, answered: watch::channel(0).0 }) }
    }

    /// Starts from what is believed, and with windows that begin with each minute of the clock on the wall.
    #[must_use]
    pub fn believed(beliefs: &[Belief]) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let into_minute = Duration::from_nanos(
            u64::try_from(since_epoch.as_nanos() % meter::WINDOW.as_nanos()).unwrap_or_default(),
        );
        let now = Instant::now();
        Self::starting(beliefs, now.checked_sub(into_minute).unwrap_or(now))
    }

    /// As [`believed`](Self::believed), with windows that begin at `minute` and each minute after.
    #[must_use]
    pub fn starting(beliefs: &[Belief], minute: Instant) -> Self {
        let beliefs = beliefs.iter().map(|belief| (belief.calls, belief.per_minute)).collect();
        let meters = Meters { beliefs, minute, groups: BTreeMap::new() };
        Self { shared: Arc::new(Shared { meters: Some(Mutex::new(meters)), answered: watch::channel(0).0 }) }
    }

    /// Whether a call of this group may be sent now.
    #[must_use]
    pub fn admit(&self, group: &Group) -> Admission {
        let now = Instant::now();
        if let Some(mut meters) = self.lock() {
            let meter = meters.meter(group);
            match meter.admit(now) {
                Say::Now => meter.sent(now),
                Say::AfterAnswer => return Admission::AfterAnswer,
                Say::NotBefore(at) => return Admission::NotBefore(at),
            }
        }
        Admission::Now(Pass { quota: self.clone(), group: group.clone(), given: now, settled: false })
    }

    /// A pass of this group: the one that the change at hand has been given, or else one that is waited for.
    pub async fn pass(&self, group: &Group) -> Pass {
        let held = HELD.try_with(|held| held.borrow_mut().take_if(|pass| pass.group == *group));
        if let Ok(Some(pass)) = held {
            return pass;
        }
        let mut answers = self.answers();
        loop {
            answers.mark_unchanged();
            match self.admit(group) {
                Admission::Now(pass) => return pass,
                // The sender is ours, so there is always one.
                Admission::AfterAnswer => answers.changed().await.unwrap_or_default(),
                Admission::NotBefore(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at) => {}
                        _ = answers.changed() => {}
                    }
                }
            }
        }
    }

    /// Changes whenever a call is answered, so that what had to wait may ask again.
    #[must_use]
    pub fn answers(&self) -> watch::Receiver<u64> {
        self.shared.answered.subscribe()
    }

    /// The groups that are shut, and for how long.
    #[must_use]
    pub fn waits(&self) -> Vec<Wait> {
        let now = Instant::now();
        let Some(meters) = self.lock() else { return Vec::new() };
        let shut = meters.groups.iter().filter_map(|(group, meter)| {
            let until = meter.shut_until(now)?;
            Some(Wait { group: group.clone(), about: until.saturating_duration_since(now) })
        });
        shut.collect()
    }

    /// How many calls of a group a minute is expected to allow, as far as is known.
    #[must_use]
    pub fn expected(&self, group: &Group) -> Option<u32> {
        self.lock()?.groups.get(group).map(Meter::expected)
    }

    fn lock(&self) -> Option<MutexGuard<'_, Meters>> {
        // Nothing that holds the lock can panic half-way through a change that matters.
        self.shared.meters.as_ref().map(|meters| meters.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answered(&self, group: &Group, sent: Instant, answer: Answer) {
        let now = Instant::now();
        if let Some(mut meters) = self.lock() {
            let meter = meters.meter(group);
            match answer {
                Answer::Accepted => meter.accepted(sent, now),
                Answer::Refused { retry_after } => meter.refused(sent, now, retry_after),
                Answer::Unknown => meter.unknown(sent, now),
            }
        }
        self.shared.answered.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Meters {
    fn meter(&mut self, group: &Group) -> &mut Meter {
        let Self { beliefs, minute, groups } = self;
        if !groups.contains_key(group) {
            let believed = beliefs.get(&group.calls).copied().unwrap_or(PER_MINUTE);
            groups.insert(group.clone(), Meter::new(believed, *minute, group.calls.are_answered_late()));
        }
        groups.get_mut(group).expect("it was put there if it was missing")
    }
}

impl Pass {
    /// What it is for.
    #[must_use]
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// The call that was sent with it was answered.
    pub fn answered(mut self, answer: Answer) {
        self.settle(answer);
    }

    /// Makes a change with it: the first call of this pass's group inside `making` uses it.
    pub async fn around<F: Future>(self, making: F) -> F::Output {
        HELD.scope(RefCell::new(Some(self)), making).await
    }

    fn settle(&mut self, answer: Answer) {
        if !std::mem::replace(&mut self.settled, true) {
            self.quota.answered(&self.group, self.given, answer);
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.settle(Answer::Unknown);
    }
}
