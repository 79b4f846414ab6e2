//! The meter against simulated servers that keep the quota in their own ways, in simulated time.

use std::collections::VecDeque;
use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::meter::{Meter, Say, WINDOW};
use super::*;

/// How a server counts.
#[derive(Debug, Clone, Copy)]
enum Counts {
    /// In windows that begin so long after the simulation.
    Windows(Duration),
    /// What came in the last minute.
    Sliding,
    /// By a bucket that fills evenly and holds a minute's worth.
    Bucket,
}

/// A server that allows so many calls a minute.
struct Server {
    counts: Counts,
    limit: u32,
    began: Instant,
    accepted: VecDeque<Instant>,
    tokens: f64,
    filled: Instant,
}

impl Server {
    fn new(counts: Counts, limit: u32, began: Instant) -> Self {
        Self { counts, limit, began, accepted: VecDeque::new(), tokens: f64::from(limit), filled: began }
    }

    fn window(&self, at: Instant, offset: Duration) -> u128 {
        (at.duration_since(self.began) + WINDOW).saturating_sub(offset).as_nanos() / WINDOW.as_nanos()
    }

    fn lets_through(&mut self, at: Instant) -> bool {
        let lets = match self.counts {
            Counts::Windows(offset) => {
                while self
                    .accepted
                    .front()
                    .is_some_and(|first| self.window(*first, offset) < self.window(at, offset))
                {
                    self.accepted.pop_front();
                }
                self.accepted.len() < self.limit as usize
            }
            Counts::Sliding => {
                while self.accepted.front().is_some_and(|first| *first + WINDOW <= at) {
                    self.accepted.pop_front();
                }
                self.accepted.len() < self.limit as usize
            }
            Counts::Bucket => {
                let since = at.duration_since(self.filled).as_secs_f64();
                self.tokens = (self.tokens + since * f64::from(self.limit) / 60.0).min(f64::from(self.limit));
                self.filled = at;
                self.tokens >= 1.0
            }
        };
        if lets {
            self.tokens -= 1.0;
            self.accepted.push_back(at);
        }
        lets
    }
}

/// What became of the calls of each minute of a simulation.
#[derive(Debug, Default, Clone, Copy)]
struct Minute {
    accepted: u32,
    refused: u32,
}

/// Who else calls, and how the calls travel.
#[derive(Debug, Clone, Copy)]
struct World {
    counts: Counts,
    limit: u32,
    believed: u32,
    /// From sending to arriving, and from there to the answer.
    one_way: Duration,
    /// Somebody else calls this often in each second.
    foreign_per_second: u32,
    /// Used up by somebody else before the start.
    spent: u32,
    late_answers: bool,
}

const PLAIN: World = World {
    counts: Counts::Windows(Duration::ZERO),
    limit: 1500,
    believed: 1500,
    one_way: Duration::from_millis(25),
    foreign_per_second: 0,
    spent: 0,
    late_answers: false,
};

/// Calls as much as the meter admits, for so many minutes.
fn simulate(world: World, minutes: usize) -> Vec<Minute> {
    let began = Instant::now();
    let mut server = Server::new(world.counts, world.limit, began);
    for _ in 0..world.spent {
        server.lets_through(began);
    }
    let mut meter = Meter::new(world.believed, began, world.late_answers);
    let mut out = vec![Minute::default(); minutes];
    // Calls that were sent at the first moment and are answered at the second.
    let mut under_way: VecDeque<(Instant, Instant, bool)> = VecDeque::new();
    let end = began + WINDOW * u32::try_from(minutes).unwrap();
    let mut now = began;
    let mut foreign = began;
    let apart =
        1_000_000_u32.checked_div(world.foreign_per_second).map(|us| Duration::from_micros(us.into()));
    // Sending takes time too.
    let busy = Duration::from_micros(200);
    while now < end {
        let say = meter.admit(now);
        if say == Say::Now {
            let arrives = now + world.one_way;
            while let Some(apart) = apart.filter(|_| foreign <= arrives) {
                server.lets_through(foreign);
                foreign += apart;
            }
            let through = server.lets_through(arrives);
            meter.sent(now);
            under_way.push_back((now, arrives + world.one_way, through));
            now += busy;
        }
        let answer = under_way.front().map(|(_, answered, _)| *answered);
        now = match say {
            Say::Now => now,
            Say::AfterAnswer => answer.expect("it waits for one"),
            Say::NotBefore(at) => {
                assert!(at > now, "it is not held back by the past");
                answer.map_or(at, |answer| answer.min(at))
            }
        }
        .max(now);
        while let Some((sent, answered, through)) = under_way.pop_front() {
            if answered > now {
                under_way.push_front((sent, answered, through));
                break;
            }
            let at = usize::try_from(answered.duration_since(began).as_secs() / 60).unwrap();
            let minute = &mut out[at.min(minutes - 1)];
            if through {
                meter.accepted(sent, answered);
                minute.accepted += 1;
            } else {
                meter.refused(sent, answered, None);
                minute.refused += 1;
            }
        }
    }
    out
}

fn total(minutes: &[Minute]) -> (u32, u32, u32) {
    let accepted = minutes.iter().map(|minute| minute.accepted).sum();
    let refused = minutes.iter().map(|minute| minute.refused).sum();
    (accepted, refused, minutes.iter().map(|minute| minute.refused).max().unwrap_or_default())
}

#[test]
fn windows_are_used_to_the_full_with_few_refusals() {
    let minutes = simulate(PLAIN, 10);
    let (accepted, _, most) = total(&minutes);
    assert!(accepted >= 10 * 1500 - 64, "{minutes:?}");
    assert!(most <= 16, "{minutes:?}");
}

#[test]
fn a_window_that_is_used_up_at_the_start_costs_a_handful_of_refusals() {
    let minutes = simulate(World { spent: 1500, ..PLAIN }, 3);
    assert!(minutes[0].accepted == 0 && minutes[0].refused <= 16, "{minutes:?}");
    assert!(minutes[1].accepted >= 1480, "{minutes:?}");
}

#[test]
fn windows_that_begin_at_another_moment_are_found() {
    for offset in [1, 7, 20, 29, 31, 45, 59] {
        let counts = Counts::Windows(Duration::from_secs(offset));
        let minutes = simulate(World { counts, ..PLAIN }, 15);
        let (accepted, _, most) = total(&minutes[5..]);
        assert!(accepted >= 10 * 1500 * 97 / 100, "offset {offset}: {minutes:?}");
        assert!(most <= 24, "offset {offset}: {minutes:?}");
    }
}

#[test]
fn a_clock_that_is_a_little_off_costs_little() {
    for millis in [5, 80, 400, 2000] {
        let counts = Counts::Windows(Duration::from_millis(millis));
        let minutes = simulate(World { counts, ..PLAIN }, 6);
        let (accepted, _, most) = total(&minutes[1..]);
        assert!(accepted >= 5 * 1500 * 97 / 100, "{millis} ms: {minutes:?}");
        assert!(most <= 24, "{millis} ms: {minutes:?}");
    }
}

#[test]
fn limits_that_differ_from_the_belief_are_learnt() {
    for limit in [60, 300, 6000] {
        let minutes = simulate(World { limit, ..PLAIN }, 10);
        let (accepted, _, most) = total(&minutes[2..]);
        assert!(accepted >= 8 * limit * 97 / 100, "{limit}: {minutes:?}");
        assert!(most <= 24, "{limit}: {minutes:?}");
    }
}

#[test]
fn somebody_else_takes_part_of_the_quota() {
    for foreign_per_second in [1, 10, 20, 24] {
        let minutes = simulate(World { foreign_per_second, ..PLAIN }, 10);
        let (accepted, _, most) = total(&minutes[2..]);
        // What the other one has not got by the time at which we have taken the rest.
        assert!(accepted >= 8 * 1200, "{foreign_per_second}: {minutes:?}");
        assert!(most <= 80, "{foreign_per_second}: {minutes:?}");
    }
}

#[test]
fn quotas_that_slide_are_called_evenly() {
    for counts in [Counts::Sliding, Counts::Bucket] {
        let minutes = simulate(World { counts, ..PLAIN }, 20);
        let (accepted, _, most) = total(&minutes[8..]);
        assert!(accepted >= 12 * 1500 * 90 / 100, "{counts:?}: {minutes:?}");
        assert!(most <= 80, "{counts:?}: {minutes:?}");
    }
}

proptest! {
    #[test]
    fn it_never_starves_and_never_storms(
        kind in 0..3,
        offset in 0_u64..60_000,
        limit in 30_u32..4000,
        believed in 30_u32..4000,
        one_way in 1_u64..400,
        foreign_per_second in prop_oneof![Just(0_u32), 1_u32..40],
        spent in prop_oneof![Just(0_u32), Just(4000_u32)],
        late_answers: bool,
    ) {
        let counts = match kind {
            0 => Counts::Windows(Duration::from_millis(offset)),
            1 => Counts::Sliding,
            _ => Counts::Bucket,
        };
        let one_way = Duration::from_millis(one_way);
        let world = World { counts, limit, believed, one_way, foreign_per_second, spent, late_answers };
        let minutes = simulate(world, 14);
        let (accepted, _, most) = total(&minutes[4..]);
        // Calls that are answered late go out without a bound of their own: whoever makes them has one.
        let bound = match counts {
            Counts::Windows(_) => 100,
            Counts::Sliding | Counts::Bucket => 160 + limit / 3,
        };
        prop_assert!(late_answers || most <= bound, "{minutes:?}");
        let left = limit.saturating_sub(foreign_per_second * 60);
        prop_assert!(left < limit / 2 || accepted >= left * 10 / 2, "{minutes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn everybody_waits_while_one_probes_and_all_go_on_then() {
    let group = Group { calls: Calls::Mutations, place: Place::Global };
    let quota = Quota::starting(&[], Instant::now() - Duration::from_secs(40));
    let Admission::Now(pass) = quota.admit(&group) else { panic!("nothing is known against it") };
    pass.answered(Answer::Refused { retry_after: Some(Duration::from_secs(20)) });
    let waits = quota.waits();
    assert_eq!(waits.len(), 1);
    assert_eq!(waits[0].to_string(), "waiting for quota (mutations), about 20 s");
    let began = Instant::now();
    let mut all = Vec::new();
    for _ in 0..5 {
        let (quota, group) = (quota.clone(), group.clone());
        all.push(tokio::spawn(async move { quota.pass(&group).await }));
    }
    let (probe, _, rest) = futures::future::select_all(all).await;
    assert_eq!(began.elapsed().as_secs(), 20);
    // Who is let through is answered.
    let rest: Vec<_> = rest
        .into_iter()
        .map(|waiting| tokio::spawn(async { waiting.await.unwrap().answered(Answer::Accepted) }))
        .collect();
    assert!(matches!(quota.admit(&group), Admission::AfterAnswer), "one probes");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(rest.iter().all(|waiting| !waiting.is_finished()), "and the others wait for it");
    probe.unwrap().answered(Answer::Accepted);
    futures::future::join_all(rest).await;
    assert_eq!(began.elapsed().as_secs(), 21);
    assert!(quota.waits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_was_not_sent_is_followed_by_another() {
    let group = Group { calls: Calls::Mutations, place: Place::Global };
    let quota = Quota::starting(&[], Instant::now());
    quota.pass(&group).await.answered(Answer::Refused { retry_after: None });
    drop(quota.pass(&group).await);
    quota.pass(&group).await.answered(Answer::Accepted);
    assert!(quota.waits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_change_uses_the_pass_that_it_was_given() {
    let group = Group { calls: Calls::Mutations, place: Place::Global };
    let quota = Quota::starting(&[], Instant::now());
    quota.pass(&group).await.answered(Answer::Refused { retry_after: None });
    tokio::time::sleep(WINDOW).await;
    let Admission::Now(probe) = quota.admit(&group) else { panic!("a minute has passed") };
    let reads = Group { calls: Calls::Reads, place: Place::Global };
    // Another call of the change does not take it.
    probe
        .around(async {
            quota.pass(&reads).await.answered(Answer::Accepted);
            quota.pass(&group).await.answered(Answer::Accepted);
        })
        .await;
    assert!(quota.waits().is_empty());
}

#[tokio::test(start_paused = true)]
async fn without_quotas_nothing_waits() {
    let group = Group { calls: Calls::Mutations, place: Place::Global };
    let quota = Quota::unlimited();
    for _ in 0..10_000 {
        quota.pass(&group).await.answered(Answer::Refused { retry_after: None });
    }
    assert!(quota.waits().is_empty());
}
