//! The task that probes one endpoint for as long as its backend service is reachable.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::dial::DialRefused;
use super::endpoint::Endpoint;
use super::health::HealthRecord;
use super::probe::{ProbeTarget, probe};
use super::program::HealthCheck;
use super::resource_id::HealthCheckId;
use super::shared::Shared;
use super::tasks::unless;

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
        let (sender, receiver) = watch::channel(probing);
        let task = run(shared.clone(), endpoint.clone(), receiver);
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

async fn run(shared: Arc<Shared>, endpoint: Arc<Endpoint>, mut probing: watch::Receiver<Probing>) {
    loop {
        let now = probing.borrow_and_update().clone();
        let begun = Instant::now();
        let outcome = once(&shared, &endpoint, &now).await;
        // A record that was reset meanwhile is for another health check: this probe says nothing about that.
        if probing.borrow().id == now.id {
            if let Err(why) = &outcome {
                tracing::debug!(endpoint = ?endpoint.key, why, "probe failed");
            }
            if endpoint.update_health(|record| record.observe(outcome, &now.check)) == Some(true) {
                shared.health_changed();
            }
        }
        let mut check = now;
        loop {
            let next = begun + shared.config.scaled(check.check.interval);
            tokio::select! {
                () = tokio::time::sleep_until(next) => break,
                changed = probing.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let new = probing.borrow_and_update().clone();
                    if new.id != check.id {
                        break;
                    }
                    check = new;
                }
            }
        }
    }
}

async fn once(shared: &Shared, endpoint: &Endpoint, probing: &Probing) -> Result<(), String> {
    let Probing { id: _, check, port, target, admission } = probing;
    // Packets that are dropped: nobody answers until the time is up.
    let nobody_answers = || tokio::time::sleep(shared.config.scaled(check.timeout));
    match admission {
        Admission::Open => {}
        Admission::Firewall => {
            nobody_answers().await;
            let sources: Vec<_> = shared.config.probe_sources.iter().map(ToString::to_string).collect();
            return Err(format!(
                "no answer: no firewall rule lets health checks through; allow tcp:{port} from {}",
                sources.join(" and ")
            ));
        }
        Admission::NoInstance => {
            nobody_answers().await;
            return Err("no answer: no instance has the endpoint's address in the group's network".to_owned());
        }
    }
    let socket = target.map_err(|refused| refused.to_string())?;
    let target = ProbeTarget { address: endpoint.key.endpoint.address, socket };
    probe(&shared.connector, &shared.tasks, check, target).await
}
