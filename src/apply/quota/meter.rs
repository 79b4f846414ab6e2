//! What is known of the quota of one group, and what follows from it. A plain state machine over instants, without a clock.
//!
//! It starts from a belief (so many calls in each minute, and minutes that begin with the clock's) and learns from answers:
//!
//! * **How much.** Calls go out ever more at a time while they are accepted, and ever fewer as the number nears at which the last window
//!   was used up. So it costs few refusals to find the end of a window, also where somebody else uses part of it.
//! * **When.** After a refusal nothing goes out but a probe now and then: at the moment at which the next window should begin, a few
//!   before in case it begins earlier, and quickly one after the other right after that moment. The probe that is accepted opens the
//!   group; between it and the last one that was refused is the true beginning, and each such interval narrows what is known.
//! * **Whether there are windows at all.** Where the group opens at other moments again and again, the quota slides: then calls go out
//!   evenly, at a rate that is cut by refusals and grows without them.

use std::time::Duration;

use tokio::time::Instant;

/// A minute, for Compute Engine.
pub(super) const WINDOW: Duration = Duration::from_mins(1);

/// The fewest that may be without an answer at a time.
const NARROW: u32 = 2;
/// The most: a surprise costs no more refusals than this.
const WIDE: u32 = 64;
/// So many go out at once while nothing is known.
const FIRST: u32 = 8;
/// Two probes are never closer together.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// After so long without a refusal a call that is answered late counts as accepted: quotas are checked first.
const UNREFUSED: Duration = Duration::from_secs(1);
/// So many openings in a row at another moment than expected, and there are no windows.
const SURPRISES: u32 = 3;
/// After so many windows without a refusal, windows are believed in again.
const FORGETTING: u32 = 10;
/// Between calls that go out evenly so many may be ahead of their time.
const AHEAD: u32 = 4;

/// What the meter says to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// It may be sent.
    Now,
    /// It has to wait for the answer to another one.
    AfterAnswer,
    /// There is no use in sending it before this.
    NotBefore(Instant),
}

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Meter {
    late_answers: bool,
    /// How many calls a window is believed to allow.
    believed: u32,
    regime: Regime,
    state: State,
    /// Calls sent that have no answer yet.
    unanswered: u32,
    /// The server asked not to be called before this.
    asked: Option<Instant>,
}

#[derive(Debug)]
enum Regime {
    Windows(Windows),
    Even(Even),
}

#[derive(Debug, Clone, Copy)]
enum State {
    Open {
        /// Refusals of calls sent before this are about an earlier window.
        since: Instant,
    },
    Shut(Shut),
}

#[derive(Debug, Clone, Copy)]
struct Shut {
    since: Instant,
    /// When the last call was sent that was refused.
    refused: Instant,
    /// When the next probe may be sent.
    next: Instant,
    /// When the probe was sent that has no answer yet.
    probe: Option<Instant>,
}

/// Windows that begin one after the other.
#[derive(Debug)]
struct Windows {
    /// One of them began after this
    early: Instant,
    /// and not after this.
    late: Instant,
    /// Whether one has begun when it was expected.
    confirmed: bool,
    /// How many began otherwise since.
    surprises: u32,
    /// The beginning of the present one.
    current: Instant,
    /// Whether all of it has been watched.
    whole: bool,
    /// What was accepted in it.
    accepted: u32,
    /// How many are expected to be accepted in it.
    expected: u32,
    /// What was accepted in a row since it opened, or since more than expected was.
    streak: u32,
    beyond: bool,
}

/// Calls at even distances.
#[derive(Debug)]
struct Even {
    interval: Duration,
    free: Instant,
    /// When the interval was last changed.
    changed: Instant,
    /// When a call was last refused.
    refused: Instant,
}

impl Meter {
    /// `minute` is a moment at which a window is believed to begin.
    pub(super) fn new(believed: u32, minute: Instant, late_answers: bool) -> Self {
        Self {
            late_answers,
            believed,
            regime: Regime::Windows(Windows::new(minute, believed)),
            state: State::Open { since: minute },
            unanswered: 0,
            asked: None,
        }
    }

    /// Whether a call may be sent now. It changes nothing that is known.
    pub(super) fn admit(&mut self, now: Instant) -> Say {
        self.pass_time(now);
        if let Some(asked) = self.asked.filter(|asked| now < *asked) {
            return Say::NotBefore(asked);
        }
        match &self.state {
            State::Shut(Shut { probe: Some(_), .. }) if !self.late_answers => Say::AfterAnswer,
            State::Shut(Shut { probe: Some(sent), .. }) => Say::NotBefore(*sent + UNREFUSED),
            State::Shut(shut) if now < shut.next => Say::NotBefore(shut.next),
            State::Shut(_) => Say::Now,
            State::Open { .. } => match &self.regime {
                Regime::Windows(windows) => {
                    let room = if self.late_answers { u32::MAX } else { windows.room(self.unanswered) };
                    if self.unanswered < room { Say::Now } else { Say::AfterAnswer }
                }
                Regime::Even(even) => {
                    let ready = even.free.checked_sub(even.interval * AHEAD).unwrap_or(even.free);
                    if !self.late_answers && self.unanswered >= WIDE {
                        Say::AfterAnswer
                    } else if now < ready {
                        Say::NotBefore(ready)
                    } else {
                        Say::Now
                    }
                }
            },
        }
    }

    /// A call that was admitted is on its way.
    pub(super) fn sent(&mut self, now: Instant) {
        self.unanswered = self.unanswered.saturating_add(1);
        if let State::Shut(shut) = &mut self.state {
            shut.probe = Some(now);
        }
        match &mut self.regime {
            Regime::Even(even) => even.free = even.free.max(now) + even.interval,
            Regime::Windows(windows) => {
                if !windows.beyond && windows.accepted.saturating_add(self.unanswered) > windows.expected {
                    windows.beyond = true;
                    windows.streak = 0;
                }
            }
        }
    }

    /// A call that was sent at `sent` was let through.
    pub(super) fn accepted(&mut self, sent: Instant, now: Instant) {
        self.pass_time(now);
        self.unanswered = self.unanswered.saturating_sub(1);
        match self.state {
            State::Shut(shut) if shut.probe == Some(sent) => self.open(shut, sent),
            State::Shut(_) | State::Open { .. } => self.count(now),
        }
    }

    /// A call that was sent at `sent` was one too many.
    pub(super) fn refused(&mut self, sent: Instant, now: Instant, retry_after: Option<Duration>) {
        self.pass_time(now);
        self.unanswered = self.unanswered.saturating_sub(1);
        if let Some(after) = retry_after {
            let asked = now + after.min(WINDOW * 2);
            self.asked = Some(self.asked.map_or(asked, |before| before.max(asked)));
        }
        match self.state {
            State::Open { since } if sent < since => {}
            State::Open { .. } => self.shut(sent, now),
            State::Shut(mut shut) => {
                shut.refused = shut.refused.max(sent);
                if shut.probe == Some(sent) {
                    shut.probe = None;
                    shut.next = self.next_probe(&shut, now);
                }
                self.state = State::Shut(shut);
            }
        }
        if let Regime::Even(even) = &mut self.regime {
            even.refused = now;
        }
    }

    /// Of a call that was sent at `sent` it is not known whether it was let through.
    pub(super) fn unknown(&mut self, sent: Instant, now: Instant) {
        self.unanswered = self.unanswered.saturating_sub(1);
        if let State::Shut(mut shut) = self.state
            && shut.probe == Some(sent)
        {
            shut.probe = None;
            shut.next = self.next_probe(&shut, now);
            self.state = State::Shut(shut);
        }
    }

    /// Until when nothing is expected to be let through; `None` while the group is open.
    pub(super) fn shut_until(&self, now: Instant) -> Option<Instant> {
        let State::Shut(shut) = &self.state else { return None };
        let until = match &self.regime {
            Regime::Windows(windows) => {
                let (_, late) = windows.next(now);
                // Right after the moment at which it should have opened: any time now.
                if shut.since < late - WINDOW && now < late - WINDOW * 7 / 8 { now } else { late }
            }
            Regime::Even(_) => shut.next,
        };
        Some(self.asked.map_or(until, |asked| asked.max(until)))
    }

    /// How many calls a window is expected to allow, as far as is known.
    pub(super) fn expected(&self) -> u32 {
        match &self.regime {
            Regime::Windows(windows) => windows.expected,
            Regime::Even(even) => per_window(even.interval),
        }
    }

    fn pass_time(&mut self, now: Instant) {
        // Somebody waits for an operation: that this was not refused at once says that the group is open.
        if let State::Shut(shut) = self.state
            && let Some(sent) = shut.probe
            && self.late_answers
            && now >= sent + UNREFUSED
        {
            self.open(shut, sent);
        }
        match &mut self.regime {
            Regime::Windows(windows) => {
                windows.roll(now, self.believed, matches!(self.state, State::Shut(_)));
            }
            Regime::Even(even) => {
                if now >= even.refused + WINDOW * FORGETTING {
                    let expected = per_window(even.interval).max(self.believed);
                    self.regime = Regime::Windows(Windows::new(even.free, expected));
                    self.state = State::Open { since: now };
                }
            }
        }
    }

    fn count(&mut self, now: Instant) {
        match &mut self.regime {
            Regime::Windows(windows) => {
                windows.accepted = windows.accepted.saturating_add(1);
                windows.streak = windows.streak.saturating_add(1);
            }
            Regime::Even(even) => {
                if now >= even.changed + Duration::from_secs(1) {
                    even.changed = now;
                    even.interval = even.interval * 99 / 100;
                }
            }
        }
    }

    fn shut(&mut self, sent: Instant, now: Instant) {
        match &mut self.regime {
            Regime::Windows(windows) => {
                if windows.whole {
                    windows.expected = windows.accepted;
                }
                windows.streak = 0;
            }
            Regime::Even(even) => {
                even.changed = now;
                even.interval = (even.interval * 10 / 9).min(WINDOW);
            }
        }
        let mut shut = Shut { since: now, refused: sent, next: now, probe: None };
        shut.next = self.next_probe(&shut, now);
        self.state = State::Shut(shut);
    }

    fn open(&mut self, shut: Shut, sent: Instant) {
        self.state = State::Open { since: sent };
        match &mut self.regime {
            Regime::Windows(windows) => {
                windows.began(shut.refused, sent);
                if windows.surprises >= SURPRISES {
                    let interval = WINDOW / windows.expected.max(self.believed).max(1);
                    self.regime = Regime::Even(Even { interval, free: sent, changed: sent, refused: sent });
                }
            }
            Regime::Even(even) => even.free = sent,
        }
    }

    fn next_probe(&self, shut: &Shut, now: Instant) -> Instant {
        match &self.regime {
            Regime::Even(_) => {
                let pause = now.duration_since(shut.since).clamp(SHORTEST_PAUSE * 10, WINDOW / 10);
                now + pause
            }
            Regime::Windows(windows) => windows.next_probe(shut, now),
        }
    }
}

impl Windows {
    fn new(minute: Instant, expected: u32) -> Self {
        Self {
            early: minute,
            late: minute,
            confirmed: false,
            surprises: 0,
            current: minute,
            whole: false,
            accepted: 0,
            expected,
            streak: 0,
            beyond: false,
        }
    }

    /// How many may be without an answer.
    fn room(&self, unanswered: u32) -> u32 {
        let left = self.expected.saturating_sub(self.accepted.saturating_add(unanswered));
        if left == 0 || self.beyond {
            (self.streak / 2).clamp(NARROW, WIDE)
        } else {
            (left / 4).clamp(NARROW, WIDE).min(self.streak.saturating_add(FIRST))
        }
    }

    /// The next window begins after the first and not after the second.
    fn next(&self, now: Instant) -> (Instant, Instant) {
        let (mut early, mut late) = (self.early, self.late);
        let behind = now.saturating_duration_since(late);
        let windows = whole_windows(behind);
        early += WINDOW * windows;
        late += WINDOW * windows;
        while late <= now {
            early += WINDOW;
            late += WINDOW;
        }
        (early, late)
    }

    /// `used_up`: the window that ends was, so what was accepted in it is all that could be.
    fn roll(&mut self, now: Instant, believed: u32, used_up: bool) {
        let passed = whole_windows(now.saturating_duration_since(self.current));
        if passed == 0 {
            return;
        }
        self.current += WINDOW * passed;
        if !used_up {
            self.expected = self.expected.max(self.accepted);
            self.expected += believed.saturating_sub(self.expected) / 2;
        }
        self.whole = true;
        self.accepted = 0;
        self.streak = self.streak.max(FIRST);
        self.beyond = false;
    }

    /// A window has begun between these two moments.
    fn began(&mut self, refused: Instant, accepted: Instant) {
        let tolerance = WINDOW / 20;
        let (early, late) = self.next(accepted);
        let near = [(early - WINDOW, late - WINDOW), (early, late)];
        let both = |(early, late): (Instant, Instant)| {
            let known = (early.max(refused), late.min(accepted));
            (known.0 <= known.1).then_some(known)
        };
        let almost = |(early, late): &(Instant, Instant)| {
            accepted + tolerance >= *early && refused <= *late + tolerance
        };
        let (known, as_expected) = if let Some(known) = near.into_iter().find_map(both) {
            (known, true)
        } else if near.iter().any(almost) {
            ((refused.max(accepted - tolerance), accepted), true)
        } else {
            ((refused.max(accepted - WINDOW), accepted), false)
        };
        (self.early, self.late) = known;
        self.confirmed = as_expected;
        self.surprises = if as_expected { 0 } else { self.surprises + 1 };
        // Of the windows that have begun, the last.
        self.current = self.late + WINDOW * whole_windows(accepted.saturating_duration_since(self.late));
        self.whole = true;
        self.accepted = 1;
        self.streak = 1;
        self.beyond = false;
        self.expected = self.expected.max(FIRST);
    }

    fn next_probe(&self, shut: &Shut, now: Instant) -> Instant {
        let (early, late) = self.next(now);
        let last = late - WINDOW;
        let since_last = now.duration_since(last);
        // In the middle of the interval, so that each opening halves it.
        let middle = if late - early > SHORTEST_PAUSE { early + (late - early) / 2 } else { late };
        let beginning = if middle > now { middle } else { now + ((late - now) / 2).max(SHORTEST_PAUSE) };
        let pause = if shut.since < last && since_last < WINDOW / 8 {
            // It should have begun by now.
            since_last
        } else {
            let first = if self.confirmed { WINDOW / 4 } else { WINDOW / 60 };
            now.duration_since(shut.since).max(first)
        };
        beginning.min(now + pause.max(SHORTEST_PAUSE))
    }
}

fn whole_windows(time: Duration) -> u32 {
    u32::try_from(time.as_nanos() / WINDOW.as_nanos()).unwrap_or(u32::MAX)
}

fn per_window(interval: Duration) -> u32 {
    u32::try_from(WINDOW.as_nanos() / interval.as_nanos().max(1)).unwrap_or(u32::MAX)
}
