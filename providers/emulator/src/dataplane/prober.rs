//! The task that probes one endpoint for as long as its backend service is reachable.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::dial::DialRefused;
use super::endpoint::Endpoint;
use super::health::{HealthRecord, HealthState};
use super::probe::{ProbeTarget, probe};
use super::program::HealthCheck;
use super::resource_id::HealthCheckId;
use super::shared::Shared;
use super::tasks::unless;
use crate::clock::{Sleep, Turn, later};
use crate::in_process::Sockets;

/// How an endpoint is probed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Probing {
    pub(super) id: HealthCheckId,
    pub(super) check: HealthCheck,
    /// The port asked, as the API knows it.
    pub(super) port: u16,
    pub(super) target: Result<std::net::SocketAddr, DialRefused>,
    pub(super) admission: Admission,
}

/// Whether packets of the load balancer get to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Open,
    /// A firewall drops them.
    Firewall,
    /// No known instance has the address in the group's network.
    NoInstance,
}

/// A running prober; dropping it ends the task and forgets the endpoint's health.
#[derive(Debug)]
pub(super) struct Prober {
    probing: watch::Sender<Probing>,
    endpoint: Arc<Endpoint>,
    stop: CancellationToken,
}

impl Prober {
    pub(super) fn start(shared: &Arc<Shared>, endpoint: Arc<Endpoint>, probing: Probing) -> Self {
        endpoint.reset_health(Some(HealthRecord::new()));
        let stop = CancellationToken::new();
        // Set before the task begins, so a step of the clock waits for the first probe as for any other.
        let due = shared.config.clock.sleep(shared.config.until_first_probe(probing.check.interval));
        let (sender, receiver) = watch::channel(probing);
        let task = run(shared.clone(), endpoint.clone(), receiver, due);
        shared.tasks.spawn(unless(stop.clone(), task));
        Self { probing: sender, endpoint, stop }
    }

    /// Probes on in another way. Another health check begins from unhealthy; the same one, edited, keeps the state.
    pub(super) fn update(&self, probing: Probing) {
        self.probing.send_if_modified(|held| {
            if *held == probing {
                return false;
            }
            if held.id != probing.id {
                self.endpoint.reset_health(Some(HealthRecord::new()));
            }
            *held = probing;
            true
        });
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.stop.cancel();
        self.endpoint.reset_health(None);
    }
}

/// How long a step of the clock waits for the answer to a probe, in the machine's time.
const PATIENCE: Duration = Duration::from_secs(1);

async fn run(
    shared: Arc<Shared>,
    endpoint: Arc<Endpoint>,
    mut probing: watch::Receiver<Probing>,
    first: Sleep,
) {
    let clock = &shared.config.clock;
    let mut turn = first.await;
    loop {
        let mut now = probing.borrow_and_update().clone();
        let begun = clock.now();
        let (outcome, busy) = once(&shared, &endpoint, &now, turn).await;
        let known = &endpoint.key.endpoint;
        let disturbance = shared.config.disturbance.as_ref();
        let outcome =
            match disturbance.and_then(|room| room.probe(&endpoint.key.service, known.address, known.port)) {
                None => outcome,
                Some(HealthState::Healthy) => Ok(()),
                Some(HealthState::Unhealthy) => Err("a fault rule says so".to_owned()),
            };
        // A record that was reset meanwhile is for another health check: this probe says nothing about that.
        if probing.borrow().id == now.id {
            if let Err(why) = &outcome {
                tracing::debug!(endpoint = ?endpoint.key, why, "probe failed");
            }
            if endpoint.update_health(|record| record.observe(outcome, &now.check)) == Some(true) {
                shared.health_changed();
            }
        }
        let next = |interval| clock.sleep_until(later(begun, shared.config.scaled(interval)));
        let mut due = next(now.check.interval);
        drop(busy);
        turn = loop {
            tokio::select! {
                turn = &mut due => break turn,
                changed = probing.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let new = probing.borrow_and_update().clone();
                    due = if new.id == now.id {
                        next(new.check.interval)
                    } else {
                        clock.sleep(shared.config.until_first_probe(new.check.interval))
                    };
                    now = new;
                }
            }
        };
    }
}

/// One probe. Gives the turn back, unless a step of the clock need not wait for the rest any more.
async fn once(
    shared: &Shared,
    endpoint: &Endpoint,
    probing: &Probing,
    turn: Turn,
) -> (Result<(), String>, Option<Turn>) {
    let Probing { id: _, check, port, target, admission } = probing;
    let why = match admission {
        Admission::Open if shared.config.sockets == Sockets::None => return (Ok(()), Some(turn)),
        Admission::Open => {
            let target = match target {
                Ok(socket) => ProbeTarget {
                    address: endpoint.key.endpoint.address,
                    socket: *socket,
                    preamble: check.preamble,
                },
                Err(refused) => return (Err(refused.to_string()), Some(turn)),
            };
            let answer = probe(&shared.connector, &shared.tasks, check, target);
            tokio::pin!(answer);
            if let Ok(outcome) = tokio::time::timeout(PATIENCE, &mut answer).await {
                return (outcome, Some(turn));
            }
            drop(turn);
            return (answer.await, None);
        }
        Admission::Firewall => {
            let sources: Vec<_> = shared.config.probe_sources.iter().map(ToString::to_string).collect();
            format!(
                "no answer: no firewall rule lets health checks through; allow tcp:{port} from {}",
                sources.join(" and ")
            )
        }
        Admission::NoInstance => {
            "no answer: no instance has the endpoint's address in the group's network".to_owned()
        }
    };
    // Packets that are dropped: nobody answers until the time is up.
    let turn = turn.sleep(&shared.config.clock, shared.config.scaled(check.timeout)).await;
    (Err(why), Some(turn))
}
