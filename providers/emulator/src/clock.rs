//! The emulator's clock: all of its time, in one place.
//!
//! Whatever the emulated cloud would take time for goes by this clock: timestamps, the stages of operations and their
//! retention, how long a `wait` is held, the intervals of health checks, programming delays, windows of rate quotas,
//! lagging lists, the life of tokens. It runs as fast as the machine's unless it is [held](Clock::hold) or
//! [runs at another pace](Clock::run), it can be [stepped](Clock::step), and it never goes backwards: it starts at the
//! machine's time and from then on counts for itself, so setting the machine's clock does not move it.
//!
//! What belongs to real traffic goes by the machine: time-outs of sockets, handshakes and backends, the time a probe's
//! answer may take, connection draining, the grace at shutdown.
//!
//! # What a step promises
//! Everything that sleeps until a moment the step passes is woken at exactly that moment, one after the other, in the
//! order of the moments (and of going to sleep, where they are equal), and the next is woken when the one before has
//! finished or sleeps again: what it does then, such as beginning another sleep that ends within the step, has its turn
//! in order as well. When the step returns, all of it has been done. Answers to requests that were held are made, though
//! perhaps not written to the socket. A sleeper that is busy for more than [`PATIENCE`] is no longer waited for; so is a
//! probe that has waited a second for its answer, as that is real traffic.

mod turn;

#[cfg(test)]
mod tests;

pub use self::turn::{Sleep, Turn};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::Instant;

/// How long a step waits for one sleeper to finish what it was woken for, in the machine's time.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How the time goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Pace {
    /// It stands still until it is stepped or runs again.
    Held,
    /// So many seconds for one second of the machine.
    Running(f64),
}

impl Pace {
    /// So many seconds for one second of the machine.
    pub fn running(scale: f64) -> Result<Self, NoPace> {
        if scale > 0.0 && scale <= FASTEST { Ok(Self::Running(scale)) } else { Err(NoPace(scale)) }
    }
}

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stepped {
    /// The time after it.
    pub now: Timestamp,
    /// How many sleepers were woken.
    pub woken: usize,
    /// How many of those were still busy after [`PATIENCE`].
    pub unfinished: usize,
}

/// A pace that no clock can have.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a clock cannot run {0} times as fast as the machine's: give a number above 0 and at most {FASTEST}")]
pub struct NoPace(f64);

/// Above this, the timers of the machine are too coarse for anything to come out.
const FASTEST: f64 = 1e6;

/// A clock. Clones are the same clock.
#[derive(Debug, Clone)]
pub struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    core: Mutex<Core>,
    /// Steps go one after the other.
    steps: tokio::sync::Mutex<()>,
    /// How many that were woken have not finished.
    turns: watch::Sender<usize>,
    /// Tells the one who wakes in time that the next moment to wake at may have changed.
    rearranged: Arc<Notify>,
}

#[derive(Debug)]
struct Core {
    /// At `since` by the machine, it was `base`.
    base: Timestamp,
    since: Instant,
    pace: Pace,
    /// Held by a step, whatever the pace.
    stepping: bool,
    /// By the moment they sleep until, and the order in which they went to sleep.
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<Turn>>,
    next_sleeper: u64,
    /// Whether somebody wakes sleepers in time.
    attended: bool,
}

impl Default for Clock {
    /// One that shows the machine's time, and runs as fast.
    fn default() -> Self {
        Self::starting_at(Timestamp::now())
    }
}

impl Clock {
    /// One that shows another time, and runs as fast as the machine's.
    #[must_use]
    pub fn starting_at(base: Timestamp) -> Self {
        Self::with(base, Pace::Running(1.0))
    }

    /// One that is held at a moment.
    #[must_use]
    pub fn held_at(base: Timestamp) -> Self {
        Self::with(base, Pace::Held)
    }

    fn with(base: Timestamp, pace: Pace) -> Self {
        let core = Core {
            base,
            since: Instant::now(),
            pace,
            stepping: false,
            sleepers: BTreeMap::new(),
            next_sleeper: 0,
            attended: false,
        };
        Self(Arc::new(Inner {
            core: Mutex::new(core),
            steps: tokio::sync::Mutex::default(),
            turns: watch::Sender::new(0),
            rearranged: Arc::default(),
        }))
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.core().now()
    }

    /// How the time goes.
    #[must_use]
    pub fn pace(&self) -> Pace {
        self.0.core().pace
    }

    /// Lets the time stand still.
    pub fn hold(&self) {
        self.0.core().set_pace(Pace::Held);
        self.0.rearranged.notify_one();
    }

    /// Lets the time go, `scale` seconds for one of the machine.
    pub fn run(&self, scale: f64) -> Result<(), NoPace> {
        self.0.core().set_pace(Pace::running(scale)?);
        self.0.rearranged.notify_one();
        Ok(())
    }

    /// Sets the clock forward to a moment, as it starts with a state that another emulator left. Nothing happens if it is
    /// past that already.
    pub fn not_before(&self, moment: Timestamp) {
        let mut core = self.0.core();
        if core.now() < moment {
            core.base = moment;
            core.since = Instant::now();
        }
        drop(core);
        self.0.rearranged.notify_one();
    }

    /// Sleeps. The span begins now, not when the sleep is first waited for. What comes with waking up says to a
    /// [step](Self::step) that there is something to do: keep it until that is done.
    pub fn sleep(&self, span: Duration) -> Sleep {
        self.sleep_until(later(self.now(), span))
    }

    /// Sleeps until a moment; not at all if that is past.
    pub fn sleep_until(&self, due: Timestamp) -> Sleep {
        let (sender, receiver) = oneshot::channel();
        let mut core = self.0.core();
        if due <= core.now() {
            // Nobody waits for it here: the receiver is in our hand.
            drop(sender.send(self.0.turn()));
            return Sleep::new(self.clone(), None, receiver);
        }
        let key = (due, core.next_sleeper);
        core.next_sleeper += 1;
        core.sleepers.insert(key, sender);
        let first = core.sleepers.first_key_value().is_some_and(|(first, _)| *first == key);
        let unattended = !std::mem::replace(&mut core.attended, true);
        drop(core);
        if unattended {
            tokio::spawn(attend(Arc::downgrade(&self.0), Arc::clone(&self.0.rearranged)));
        } else if first {
            self.0.rearranged.notify_one();
        }
        Sleep::new(self.clone(), Some(key), receiver)
    }

    /// Sets the clock forward, and lets everything happen that is due by then; what exactly is promised, the module says.
    /// A clock that runs is held meanwhile.
    pub async fn step(&self, span: Duration) -> Stepped {
        let _alone = self.0.steps.lock().await;
        let held = Step::begin(&self.0);
        let target = later(self.now(), span);
        let mut stepped = Stepped { now: target, woken: 0, unfinished: 0 };
        // Who was woken before finishes first.
        self.0.settled().await;
        while self.0.core().wake_next(&self.0, target) {
            stepped.woken += 1;
            stepped.unfinished += usize::from(!self.0.settled().await);
        }
        drop(held);
        stepped
    }

    /// How many sleep, for people.
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.0.core().sleepers.len()
    }

    fn forget(&self, key: (Timestamp, u64)) {
        self.0.core().sleepers.remove(&key);
    }
}

impl Inner {
    fn core(&self) -> MutexGuard<'_, Core> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self) -> Turn {
        Turn::new(&self.turns)
    }

    /// Waits until nobody who was woken is busy any more. False: somebody still is after [`PATIENCE`].
    async fn settled(&self) -> bool {
        let mut turns = self.turns.subscribe();
        let none = turns.wait_for(|turns| *turns == 0);
        tokio::time::timeout(PATIENCE, none).await.is_ok()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.rearranged.notify_one();
    }
}

impl Core {
    fn now(&self) -> Timestamp {
        match self.pace {
            Pace::Running(scale) if !self.stepping => later(self.base, scaled(self.since.elapsed(), scale)),
            Pace::Running(_) | Pace::Held => self.base,
        }
    }

    /// Lets `now` count from here on.
    fn anchor(&mut self) {
        self.base = self.now();
        self.since = Instant::now();
    }

    fn set_pace(&mut self, pace: Pace) {
        self.anchor();
        self.pace = pace;
    }

    /// Goes to the moment of the next sleeper that is due by `target` and wakes it, or goes to `target`.
    fn wake_next(&mut self, inner: &Inner, target: Timestamp) -> bool {
        let due = self.sleepers.first_key_value().map(|((due, _), _)| *due).filter(|due| *due <= target);
        self.base = self.base.max(due.unwrap_or(target));
        let next = due.and_then(|_| self.sleepers.pop_first());
        let Some((_, sleeper)) = next else { return false };
        // Whoever went away takes no turn.
        drop(sleeper.send(inner.turn()));
        true
    }

    /// Wakes whoever is due, and says how long the next one sleeps on by the machine's time.
    fn wake_due(&mut self, inner: &Inner) -> Option<Duration> {
        let Pace::Running(scale) = self.pace else { return None };
        if self.stepping {
            return None;
        }
        let now = self.now();
        while let Some(entry) = self.sleepers.first_entry().filter(|entry| entry.key().0 <= now) {
            drop(entry.remove().send(inner.turn()));
        }
        let ((due, _), _) = self.sleepers.first_key_value()?;
        Some(scaled(due.duration_since(now).unsigned_abs(), 1.0 / scale))
    }
}

/// Holds the time for a step. Also ends it where the step is given up in the middle.
struct Step<'a>(&'a Inner);

impl<'a> Step<'a> {
    fn begin(inner: &'a Inner) -> Self {
        let mut core = inner.core();
        core.anchor();
        core.stepping = true;
        Self(inner)
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        let mut core = self.0.core();
        core.stepping = false;
        core.since = Instant::now();
        drop(core);
        self.0.rearranged.notify_one();
    }
}

/// Wakes sleepers in time, for as long as there is the clock.
async fn attend(clock: Weak<Inner>, rearranged: Arc<Notify>) {
    loop {
        let next = {
            let Some(inner) = clock.upgrade() else { return };
            inner.core().wake_due(&inner)
        };
        match next {
            // A little late is in time; a little early would be for nothing.
            Some(span) => {
                tokio::select! {
                    () = tokio::time::sleep(span) => {}
                    () = rearranged.notified() => {}
                }
            }
            None => rearranged.notified().await,
        }
    }
}

/// A moment `span` after another one; the last moment there is, if that is too far.
pub(crate) fn later(moment: Timestamp, span: Duration) -> Timestamp {
    SignedDuration::try_from(span)
        .ok()
        .and_then(|span| moment.checked_add(span).ok())
        .unwrap_or(Timestamp::MAX)
}

fn scaled(span: Duration, factor: f64) -> Duration {
    Duration::try_from_secs_f64(span.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}
