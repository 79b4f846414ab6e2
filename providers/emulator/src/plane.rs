//! The seam between the API and the data plane.
//!
//! The API's side tells it that the state has changed and asks it for health; what is served and probed is decided behind
//! it. Nothing of the API's state is shared: the data plane gets a program that was compiled from a snapshot.

mod catalog;

use self::catalog::Catalog;
use crate::clock::Clock;
use crate::config::Config;
use crate::dataplane::dial::DialTable;
use crate::dataplane::program::NetworkEndpoint;
use crate::dataplane::resource_id::{BackendServiceId, GroupId};
use crate::dataplane::{DataPlane, DataPlaneConfig, Differing, EndpointHealth, HealthState, StartError};
use crate::program::Compiler;
use crate::state::{State, Unserved};
use serde_json::{Value, json};
use std::sync::{Mutex, PoisonError};
use tokio::sync::watch;

/// The data plane, as the API sees it.
pub(crate) struct Plane {
    serving: DataPlane,
    /// What is being served. Programs are compiled and applied one after the other.
    published: tokio::sync::Mutex<Published>,
    /// What the last program could not express.
    problems: Mutex<Value>,
}

/// A state that is served, and what it takes to come from it to the next.
#[derive(Default)]
struct Published {
    version: u64,
    catalog: Catalog,
    compiler: Compiler,
}

impl Plane {
    /// Must be called within a tokio runtime.
    pub(crate) fn start(config: &Config, clock: Clock) -> Result<Self, StartError> {
        let serving = DataPlane::start(DataPlaneConfig {
            dial: DialTable::new(config.dial.clone()),
            port_offset: config.port_offset,
            health_time_scale: config.health_time_scale,
            clock,
            ..DataPlaneConfig::default()
        })?;
        Ok(Self { serving, published: tokio::sync::Mutex::default(), problems: Mutex::new(json!([])) })
    }

    /// Lets the data plane take up the state, as it is when the turn comes. Returns when a state at least as new as the
    /// one at the call is served. Changes that end together cost one program.
    pub(crate) async fn publish(&self, state: &Mutex<State>) {
        let wanted = state.lock().unwrap_or_else(PoisonError::into_inner).version;
        let mut published = self.published.lock().await;
        if published.version >= wanted {
            return;
        }
        let Published { version, catalog, compiler } = &mut *published;
        let (changed, now) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let changed: Option<Vec<String>> = match state.take_unserved() {
                Unserved::Everything => {
                    *catalog = Catalog::of(&state);
                    None
                }
                Unserved::These(paths) => {
                    Some(paths.iter().map(|path| catalog.take_up(path, state.get(path))).collect())
                }
            };
            (changed, state.version)
        };
        let differing = match &changed {
            None => {
                *compiler = Compiler::all(catalog);
                Differing::All
            }
            Some(changed) => compiler.update(catalog, changed.iter().map(String::as_str)),
        };
        let program = compiler.program();
        let problems = program
            .problems
            .iter()
            .map(|problem| json!({ "resource": problem.resource, "message": problem.message }))
            .collect();
        let applied = self.serving.follow(program, &differing).await;
        for refusal in &applied.refused {
            tracing::debug!(%refusal, "published without this frontend");
        }
        *self.problems.lock().unwrap_or_else(PoisonError::into_inner) = problems;
        *version = now;
    }

    /// The health of a backend service's group; empty for one that is not probed.
    pub(crate) fn health(&self, backend_service: &str, group: &str) -> Vec<EndpointHealth> {
        self.serving.health(&BackendServiceId::new(backend_service), &GroupId::new(group))
    }

    /// The endpoints that were taken out of a backend service's group and whose requests have time left.
    pub(crate) fn draining(&self, backend_service: &str, group: &str) -> Vec<NetworkEndpoint> {
        self.serving.draining(&BackendServiceId::new(backend_service), &GroupId::new(group))
    }

    /// What listens where, and what was found wrong; for people.
    pub(crate) fn show(&self) -> Value {
        let applied = self.serving.listeners();
        let listening: Vec<Value> = applied
            .listening
            .iter()
            .map(|listener| {
                json!({ "forwardingRule": listener.frontend.as_str(), "address": listener.address.to_string() })
            })
            .collect();
        let refused: Vec<Value> = applied
            .refused
            .iter()
            .map(|refusal| {
                json!({
                    "forwardingRule": refusal.frontend.as_str(),
                    "address": refusal.address.to_string(),
                    "why": refusal.to_string(),
                })
            })
            .collect();
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone();
        json!({ "listening": listening, "refused": refused, "problems": problems })
    }

    /// A number that grows with every change of health.
    pub(crate) fn watch_health(&self) -> watch::Receiver<u64> {
        self.serving.watch_health()
    }

    pub(crate) async fn shutdown(&self) {
        self.serving.shutdown().await;
    }
}

/// A state of health, as the API spells it.
pub(crate) fn state_name(state: HealthState) -> &'static str {
    match state {
        HealthState::Healthy => "HEALTHY",
        HealthState::Unhealthy => "UNHEALTHY",
    }
}
