//! The data plane: load balancers that serve.
//!
//! Give it a [`program::Program`] and every frontend listens on its own loopback address, requests are routed by
//! the URL map to healthy endpoints, and endpoints are probed. A new program replaces the old one while requests
//! run: [`DataPlane::apply`].
//!
//! It does not know the API: no JSON, no operations, no names but those of the program. It decides nothing that
//! the program does not say; where Google's behaviour is not documented, what it does instead is written down in
//! `docs/choices.md`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`program`] | the data it is programmed with |
//! | [`route`], [`path_template`] | the router, pure |
//! | `link`, `tables` | a program with its references resolved |
//! | `state`, `services` | what is running, brought from one program to the next |
//! | `guard`, [`expression`] | who is let through |
//! | [`bucket`] | the files behind backend buckets |
//! | [`traffic_log`] | what became of requests |
//! | `listener`, `connection`, `tls` | from the socket to a request |
//! | `proxy`, `affinity`, `pick`, `pool`, `connect` | from a request to a backend |
//! | `endpoint` | what outlives a change of program |
//! | `prober`, `probe`, `health`, `firewall` | which endpoints get traffic |

mod affinity;
mod answer;
pub mod bucket;
pub mod config;
mod connect;
mod connection;
pub mod dial;
pub mod disturbance;
mod draining;
mod endpoint;
pub mod expression;
mod firewall;
mod guard;
mod health;
mod link;
mod listener;
pub mod path_template;
mod pick;
mod pool;
mod probe;
mod prober;
pub mod program;
mod proxy;
pub mod resource_id;
pub mod route;
mod services;
mod shared;
mod state;
mod tables;
mod tasks;
mod tls;
pub mod traffic_log;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

pub use self::config::{DataPlaneConfig, FirstProbe};
pub use self::health::{EndpointHealth, HealthState};
pub use self::listener::{Listener, Refusal, RefusalReason};
use self::program::{NetworkEndpoint, Program};
use self::resource_id::{BackendServiceId, ForwardingRuleId, GroupId};
use self::shared::Shared;
use self::state::State;
use self::traffic_log::TrafficLog;

/// A running data plane. Dropping it cuts everything; [`DataPlane::shutdown`] ends it in order.
#[derive(Debug)]
pub struct DataPlane {
    shared: Arc<Shared>,
    /// Programs are applied one after the other.
    state: tokio::sync::Mutex<State>,
    /// What the last program came to.
    applied: Mutex<Applied>,
}

/// Which frontends of a program listen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a frontend that was refused serves nobody, and somebody should be told"]
pub struct Applied {
    /// Those that listen.
    pub listening: Vec<Listener>,
    /// Those that do not, and why. Each program that is applied tries again.
    pub refused: Vec<Refusal>,
}

/// Where a program can differ from the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Differing {
    /// Anywhere.
    All,
    /// In these frontends, and in these backend services with their groups and health checks. Firewalls and instances are
    /// the same.
    These { frontends: BTreeSet<ForwardingRuleId>, backend_services: BTreeSet<BackendServiceId> },
}

/// Why a data plane cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address to dial from is not loopback.
    #[error("starting the data plane: it may dial from loopback addresses only, not from {address}")]
    DialFrom {
        /// The address.
        address: std::net::IpAddr,
    },
    /// TLS towards backends cannot be set up.
    #[error("starting the data plane: setting up TLS towards backends")]
    Tls(#[source] rustls::Error),
}

impl DataPlane {
    /// A data plane with an empty program. Must be called within a tokio runtime.
    pub fn start(config: DataPlaneConfig) -> Result<Self, StartError> {
        if let Some(address) = config.dial_from.filter(|address| !address.is_loopback()) {
            return Err(StartError::DialFrom { address });
        }
        let connector =
            connect::Connector::new(config.dial_from, config.connect_timeout).map_err(StartError::Tls)?;
        let shared = Arc::new(Shared::new(config, connector));
        Ok(Self { shared, state: tokio::sync::Mutex::default(), applied: Mutex::default() })
    }

    /// Replaces the program. When this returns, requests that begin are served by the new one, removed frontends
    /// accept no more, and new ones listen.
    ///
    /// A request sees one program from its beginning to its end. Listeners, connections, endpoints, their health and
    /// their running requests go on untouched where the new program has them too.
    pub async fn apply(&self, program: Program) -> Applied {
        self.follow(&program, &Differing::All).await
    }

    /// As [`Self::apply`], for a program that stays with the caller, who knows where it can differ from the one before.
    pub(crate) async fn follow(&self, program: &Program, differing: &Differing) -> Applied {
        let mut state = self.state.lock().await;
        let before = self.listeners();
        let applied = state.apply(&self.shared, program, differing, &before).await;
        drop(state);
        for refusal in &applied.refused {
            tracing::warn!(%refusal, "a frontend does not listen");
        }
        *self.applied.lock().unwrap_or_else(PoisonError::into_inner) = applied.clone();
        applied
    }

    /// Which frontends listen and which were refused, as of the last program.
    pub fn listeners(&self) -> Applied {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The health of a group's endpoints as backends of one backend service. Empty if the service is reached by no
    /// frontend, has no health check, or does not have the group: then nothing is probed and nothing is known.
    #[must_use]
    pub fn health(&self, service: &BackendServiceId, group: &GroupId) -> Vec<EndpointHealth> {
        let tables = self.shared.tables();
        let endpoints = tables.services.get(service).and_then(|service| service.groups.get(group));
        endpoints.into_iter().flatten().filter_map(|endpoint| endpoint.health()).collect()
    }

    /// The endpoints that were taken out of a group, as backends of one backend service, while requests that run on them
    /// have time left.
    #[must_use]
    pub fn draining(&self, service: &BackendServiceId, group: &GroupId) -> Vec<NetworkEndpoint> {
        self.shared.draining.of(service, group)
    }

    /// The health of a group's endpoints in every backend service that has the group and is probed.
    #[must_use]
    pub fn group_health(&self, group: &GroupId) -> Vec<(BackendServiceId, EndpointHealth)> {
        let tables = self.shared.tables();
        let mut services: Vec<_> = tables.services.iter().collect();
        services.sort_by_key(|(id, _)| *id);
        services
            .into_iter()
            .flat_map(|(id, service)| {
                let endpoints = service.groups.get(group).into_iter().flatten();
                endpoints.filter_map(|endpoint| Some((id.clone(), endpoint.health()?)))
            })
            .collect()
    }

    /// What became of the last requests that are logged.
    #[must_use]
    pub fn traffic(&self) -> &TrafficLog {
        &self.shared.traffic
    }

    /// A number that grows whenever some endpoint's state changes or a program is applied, to wait on.
    #[must_use]
    pub fn watch_health(&self) -> watch::Receiver<u64> {
        self.shared.watch_health()
    }

    /// Stops accepting at once, lets requests in flight finish within the configured grace, cuts the rest and
    /// returns when every task has ended. Afterwards every frontend of a program is refused.
    pub async fn shutdown(&self) {
        let mut state = self.state.lock().await;
        state.shut_down(&self.shared).await;
        self.shared.tasks.abort();
        self.shared.tasks.wait().await;
        *self.applied.lock().unwrap_or_else(PoisonError::into_inner) = Applied::default();
    }
}

impl Drop for DataPlane {
    fn drop(&mut self) {
        self.shared.tasks.abort();
    }
}
