//! Asks the cloud how the backends are, since it tells nobody by itself.
//!
//! A service that is not well yet is asked about every second, so that its Ingress says soon when it is; one that stays as it is, ever
//! more rarely. All questions together keep to a budget: see [`HealthPace`].

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

    fn put(&self, id: &ResourceId, health: ServiceHealth) -> bool {
        let before = self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), health);
        let differs = before != Some(health);
        if differs {
            self.changed.notify_one();
        }
        differs
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
    /// The most that the pause grows to while not everything is well.
    pub(super) late_when_unwell: Duration,
    /// The most that the pause grows to while everything is well.
    pub(super) late_when_well: Duration,
    /// Between two requests. There is one for each group of a service, so this is the budget: 150 milliseconds allow 400 requests a
    /// minute, about a quarter of the quota of reads that a project has by default.
    pub(super) between_requests: Duration,
}

impl Default for HealthPace {
    fn default() -> Self {
        Self {
            soon: Duration::from_secs(1),
            late_when_unwell: Duration::from_secs(5),
            late_when_well: Duration::from_mins(1),
            between_requests: Duration::from_millis(150),
        }
    }
}

struct Watched {
    service: BackendService,
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
        let first =
            watched.iter().min_by_key(|(_, watched)| watched.next).map(|(id, at)| (id.clone(), at.next));
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
                        let differs = board.put(&id, health);
                        watched.pause = pause(&pace, health, differs, watched.pause);
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

/// What is wanted anew, or has other backends, is asked about at once.
fn renewed(
    mut before: BTreeMap<ResourceId, Watched>,
    wanted: Wanted,
    pace: &HealthPace,
) -> BTreeMap<ResourceId, Watched> {
    wanted
        .into_iter()
        .map(|(id, service)| {
            let watched = before
                .remove(&id)
                .filter(|before| before.service == service)
                .unwrap_or_else(|| Watched { service, pause: pace.soon, next: Instant::now() });
            (id, watched)
        })
        .collect()
}

fn pause(pace: &HealthPace, health: ServiceHealth, differs: bool, before: Duration) -> Duration {
    let well = health.total > 0 && health.healthy == health.total;
    let longer = before.saturating_mul(5) / 4;
    match (well, differs) {
        (_, true) => pace.soon,
        (true, false) => (before * 2).min(pace.late_when_well),
        // A backend that is about to become well is waited for by somebody: the pause grows slowly.
        (false, false) => longer.min(pace.late_when_unwell.max(pace.soon)),
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
            timeout_seconds: 30,
            draining_seconds: 0,
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
        tokio::time::sleep(Duration::from_mins(5)).await;
        let asked = cloud.asked().len();
        tokio::time::sleep(Duration::from_mins(10)).await;
        assert_eq!(cloud.asked().len() - asked, 10, "once a minute");
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
        let unwell = ServiceHealth { healthy: 0, total: 2 };
        let nothing = ServiceHealth::default();
        assert_eq!(pause(&pace, well, true, Duration::from_secs(40)), pace.soon);
        assert_eq!(pause(&pace, well, false, Duration::from_secs(40)), pace.late_when_well);
        for not_well in [unwell, nothing] {
            let mut grown = pace.soon;
            let mut asked = 0;
            while grown < pace.late_when_unwell {
                grown = pause(&pace, not_well, false, grown);
                asked += 1;
            }
            assert!(asked > 5, "asked only {asked} times before the longest pause");
        }
    }
}
