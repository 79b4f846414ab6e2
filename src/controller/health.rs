//! Asks the cloud how the backends are, since it tells nobody by itself.
//!
//! A service that is not well yet is asked about every second, so that its Ingress says soon when it is; one that stays as it is, ever
//! more rarely. All questions together keep to a budget, however many services there are: see [`HealthPace`]. Where it does not suffice,
//! what has changed lately comes first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::debug;

use crate::cloud::Cloud;
use crate::model::{BackendService, ResourceId};
use crate::status::{Health, ServiceHealth};

/// What is known of the backends' health, and whose is wanted.
#[derive(Debug)]
pub(super) struct HealthBoard {
    known: Mutex<Health>,
    changed: Notify,
    wanted: watch::Sender<Wanted>,
}

type Wanted = BTreeMap<ResourceId, BackendService>;

impl Default for HealthBoard {
    fn default() -> Self {
        Self { known: Mutex::default(), changed: Notify::new(), wanted: watch::channel(Wanted::new()).0 }
    }
}

impl HealthBoard {
    /// What is known now.
    pub(super) fn known(&self) -> Health {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Resolves when something else is known than at the last call.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// From now on these are wanted, and no others.
    pub(super) fn want(&self, services: Wanted) {
        self.wanted.send_if_modified(|wanted| {
            let differs = *wanted != services;
            *wanted = services;
            differs
        });
    }

    /// Whether it was otherwise before. What is known for the first time was not.
    fn put(&self, id: &ResourceId, health: ServiceHealth) -> bool {
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), health);
        if before != Some(health) {
            self.changed.notify_one();
        }
        before.is_some_and(|before| before != health)
    }

    fn keep_to(&self, wanted: &Wanted) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| wanted.contains_key(id));
    }
}

/// How often is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct HealthPace {
    /// While something is new or changes.
    pub(super) soon: Duration,
    /// The most that the pause grows to while not everything is well. It is a quarter of the time for which nothing has changed, so until
    /// then a change is known after a quarter of the time that it took.
    pub(super) late_when_unwell: Duration,
    /// The most that the pause grows to while everything is well: until then it is as long as nothing has changed.
    pub(super) late_when_well: Duration,
    /// Between two requests. There is one for each group of a service, so this is the budget: 150 milliseconds allow 400 requests a
    /// minute, about a quarter of the quota of such reads that a project has by default. At rest there are fewer: a thousand services in
    /// three zones make 300 a minute.
    pub(super) between_requests: Duration,
}

impl Default for HealthPace {
    fn default() -> Self {
        Self {
            soon: Duration::from_secs(1),
            late_when_unwell: Duration::from_mins(1),
            late_when_well: Duration::from_mins(10),
            between_requests: Duration::from_millis(150),
        }
    }
}

struct Watched {
    service: BackendService,
    /// When its state was last seen to change, or when it was first wanted.
    changed: Instant,
    pause: Duration,
    next: Instant,
}

/// Never returns.
pub(super) async fn poll<C: Cloud>(cloud: Arc<C>, board: Arc<HealthBoard>, pace: HealthPace) {
    let mut wanted = board.wanted.subscribe();
    wanted.mark_changed();
    let mut watched: BTreeMap<ResourceId, Watched> = BTreeMap::new();
    let mut free = Instant::now();
    loop {
        let first = next_of(&watched, free.max(Instant::now()), &pace);
        let due = async {
            match first {
                Some((id, at)) => {
                    tokio::time::sleep_until(at.max(free)).await;
                    id
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // The board outlives this loop, so its sender is there.
            _ = wanted.changed() => {
                let wanted = wanted.borrow_and_update().clone();
                board.keep_to(&wanted);
                watched = renewed(watched, wanted, &pace);
            }
            id = due => {
                let Some(watched) = watched.get_mut(&id) else { continue };
                let groups = u32::try_from(watched.service.backends.len()).unwrap_or(u32::MAX).max(1);
                free = Instant::now() + pace.between_requests.saturating_mul(groups);
                match cloud.health(&id, &watched.service).await {
                    Ok(health) => {
                        if board.put(&id, health) {
                            watched.changed = Instant::now();
                        }
                        watched.pause = pause(&pace, health, watched.changed.elapsed());
                    }
                    Err(error) => {
                        debug!(error = error.line(), "the health is not known");
                        watched.pause = (watched.pause * 2).min(pace.late_when_well);
                    }
                }
                watched.next = Instant::now() + watched.pause;
            }
        }
    }
}

/// Who is asked about next, and when: of those whose turn it is by then, the one whose pause is shortest and then who has waited
/// longest; but first whoever has been passed over for very long. Else the first whose turn it will be.
fn next_of(
    watched: &BTreeMap<ResourceId, Watched>,
    free: Instant,
    pace: &HealthPace,
) -> Option<(ResourceId, Instant)> {
    let of_those_due =
        watched.iter().filter(|(_, watched)| watched.next <= free).min_by_key(|(_, watched)| {
            let waited = free - watched.next;
            (waited < pace.late_when_well, watched.pause, Reverse(waited))
        });
    let next = of_those_due.or_else(|| watched.iter().min_by_key(|(_, watched)| watched.next));
    next.map(|(id, watched)| (id.clone(), watched.next))
}

/// What is wanted anew, or has other backends, is asked about at once.
fn renewed(
    mut before: BTreeMap<ResourceId, Watched>,
    wanted: Wanted,
    pace: &HealthPace,
) -> BTreeMap<ResourceId, Watched> {
    wanted
        .into_iter()
        .map(|(id, service)| {
            let watched =
                before.remove(&id).filter(|before| before.service == service).unwrap_or_else(|| {
                    let now = Instant::now();
                    Watched { service, changed: now, pause: pace.soon, next: now }
                });
            (id, watched)
        })
        .collect()
}

/// The pause after a service was found like this, and has been for so long.
fn pause(pace: &HealthPace, health: ServiceHealth, unchanged: Duration) -> Duration {
    let well = health.total > 0 && health.healthy == health.total;
    if well {
        unchanged.clamp(pace.soon, pace.late_when_well)
    } else {
        (unchanged / 4).clamp(pace.soon, pace.late_when_unwell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::fixture::{Scripted, id};
    use crate::model::{Backend, BackendProtocol, Balancing, Group, Kind, Scheme};

    fn service(groups: usize) -> BackendService {
        let backend =
            |at| Backend { group: Group::Other(format!("group-{at}")), balancing: Balancing::Other };
        BackendService {
            scheme: Scheme::ExternalManaged,
            protocol: BackendProtocol::Http,
            port_name: None,
            backends: (0..groups).map(backend).collect(),
            health_check: None,
            policy: crate::model::BackendPolicy::default(),
        }
    }

    fn wanted(services: usize, groups: usize) -> Wanted {
        (0..services)
            .map(|at| (id(Kind::BackendService, &format!("service-{at}")), service(groups)))
            .collect()
    }

    /// A poller that runs until the test ends.
    fn polled() -> (Arc<Scripted>, Arc<HealthBoard>) {
        let (cloud, board) = (Arc::new(Scripted::default()), Arc::new(HealthBoard::default()));
        tokio::spawn(poll(Arc::clone(&cloud), Arc::clone(&board), HealthPace::default()));
        (cloud, board)
    }

    #[tokio::test(start_paused = true)]
    async fn what_becomes_well_is_known_within_a_second_and_then_asked_about_rarely() {
        let (cloud, board) = polled();
        board.want(wanted(1, 1));
        board.changed().await;
        *cloud.health.lock().unwrap() = ServiceHealth { healthy: 1, total: 1 };
        let began = Instant::now();
        board.changed().await;
        assert!(began.elapsed() <= Duration::from_millis(1250), "known after {:?}", began.elapsed());
        assert_eq!(board.known().len(), 1);
        tokio::time::sleep(Duration::from_mins(30)).await;
        let asked = cloud.asked().len();
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert_eq!(cloud.asked().len() - asked, 6, "once in ten minutes");
    }

    #[tokio::test(start_paused = true)]
    async fn all_questions_together_keep_to_the_budget() {
        let (cloud, board) = polled();
        board.want(wanted(100, 3));
        tokio::time::sleep(Duration::from_mins(1)).await;
        let requests = cloud.asked().len() * 3;
        // The first question is free.
        assert!((300..=400 + 3).contains(&requests), "{requests} requests in a minute");
        let names: std::collections::BTreeSet<_> = cloud.asked().into_iter().collect();
        assert_eq!(names.len(), 100, "everybody has had a turn");
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_services_keep_to_the_budget_and_then_cost_less() {
        const GROUPS: usize = 3;
        let (cloud, board) = polled();
        *cloud.health.lock().unwrap() = ServiceHealth { healthy: 3, total: 3 };
        board.want(wanted(1000, GROUPS));
        let mut requests = Vec::new();
        for _ in 0..90 {
            let before = cloud.asked().len();
            tokio::time::sleep(Duration::from_mins(1)).await;
            requests.push((cloud.asked().len() - before) * GROUPS);
        }
        assert!(requests.iter().all(|requests| *requests <= 400 + GROUPS), "{requests:?}");
        let at_rest: usize = requests[30..].iter().sum();
        assert!(at_rest <= 60 * 300 + 1000 * GROUPS, "an hour at rest: {at_rest}");
        let names: std::collections::BTreeSet<_> = cloud.asked().into_iter().collect();
        assert_eq!(names.len(), 1000, "everybody has had a turn");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_new_comes_before_a_thousand_that_are_as_they_were() {
        let (cloud, board) = polled();
        *cloud.health.lock().unwrap() = ServiceHealth { healthy: 1, total: 1 };
        board.want(wanted(1000, 1));
        // Long enough for everybody to have been asked about, and not for the budget to suffice.
        tokio::time::sleep(Duration::from_mins(4)).await;
        let mut services = wanted(1000, 1);
        services.insert(id(Kind::BackendService, "new"), service(1));
        board.want(services);
        let before = cloud.asked().len();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let asked = cloud.asked().split_off(before);
        assert!(asked.contains(&"health new".to_owned()), "{asked:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_longer_wanted_is_forgotten() {
        let (cloud, board) = polled();
        board.want(wanted(2, 1));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(board.known().len(), 2);
        board.want(wanted(1, 1));
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(board.known().len(), 1);
        board.want(Wanted::new());
        tokio::time::sleep(Duration::from_secs(1)).await;
        let asked = cloud.asked().len();
        tokio::time::sleep(Duration::from_mins(5)).await;
        assert_eq!(cloud.asked().len(), asked);
    }

    #[test]
    fn what_stays_as_it_is_is_asked_about_ever_more_rarely() {
        let pace = HealthPace::default();
        let well = ServiceHealth { healthy: 2, total: 2 };
        assert_eq!(pause(&pace, well, Duration::ZERO), pace.soon);
        assert_eq!(pause(&pace, well, Duration::from_secs(40)), Duration::from_secs(40));
        assert_eq!(pause(&pace, well, Duration::from_hours(1)), pace.late_when_well);
        for not_well in [ServiceHealth { healthy: 0, total: 2 }, ServiceHealth::default()] {
            assert_eq!(pause(&pace, not_well, Duration::from_secs(3)), pace.soon);
            assert_eq!(pause(&pace, not_well, Duration::from_secs(40)), Duration::from_secs(10));
            assert_eq!(pause(&pace, not_well, Duration::from_hours(1)), pace.late_when_unwell);
        }
    }
}
