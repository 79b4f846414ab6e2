//! The seam between the API and the data plane.
//!
//! The API's side tells it that the state has changed and asks it for health; what is served and probed is decided behind
//! it. Nothing of the API's state is shared: the data plane gets a program that was compiled from a snapshot.

mod catalog;
mod delay;

pub use self::delay::ProgrammingDelay;

use self::catalog::Catalog;
use self::delay::{Known, Waiting};
use crate::clock::{Clock, Sleep, later};
use crate::config::Config;
use crate::dataplane::bucket::Buckets;
use crate::dataplane::dial::DialTable;
use crate::dataplane::disturbance::Disturbance;
use crate::dataplane::program::NetworkEndpoint;
use crate::dataplane::resource_id::{BackendServiceId, GroupId};
use crate::dataplane::traffic_log::TrafficLog;
use crate::dataplane::{DataPlane, DataPlaneConfig, Differing, EndpointHealth, HealthState, StartError};
use crate::program::Compiler;
use crate::state::{State, Unserved};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// The data plane, as the API sees it.
pub(crate) struct Plane {
    serving: DataPlane,
    buckets: Buckets,
    /// What is being served. Programs are compiled and applied one after the other.
    published: tokio::sync::Mutex<Published>,
    /// What the last program could not express.
    problems: Mutex<Value>,
    clock: Clock,
    delay: Mutex<ProgrammingDelay>,
}

/// A state that is served, and what it takes to come from it to the next.
#[derive(Default)]
struct Published {
    version: u64,
    catalog: Catalog,
    compiler: Compiler,
    waiting: Waiting,
}

impl Plane {
    /// Must be called within a tokio runtime.
    pub(crate) fn start(
        config: &Config,
        clock: Clock,
        disturbance: Arc<dyn Disturbance>,
    ) -> Result<Self, StartError> {
        let buckets = Buckets::default();
        let serving = DataPlane::start(DataPlaneConfig {
            buckets: buckets.clone(),
            dial: DialTable::new(config.dial.clone()),
            port_offset: config.port_offset,
            health_time_scale: config.health_time_scale,
            first_probe: config.first_probe,
            clock: clock.clone(),
            disturbance: Some(disturbance),
            sockets: config.sockets,
            traffic_log: config.request_log,
            ..DataPlaneConfig::default()
        })?;
        Ok(Self {
            serving,
            buckets,
            published: tokio::sync::Mutex::default(),
            problems: Mutex::new(json!([])),
            clock,
            delay: Mutex::new(config.programming_delay),
        })
    }

    /// How long changes wait.
    pub(crate) fn delay(&self) -> ProgrammingDelay {
        *self.delay.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets changes wait, from now on.
    pub(crate) fn set_delay(&self, delay: ProgrammingDelay) {
        *self.delay.lock().unwrap_or_else(PoisonError::into_inner) = delay;
    }

    /// Lets the data plane take up the state, as it is when the turn comes. Returns when a state at least as new as the
    /// one at the call is served, but for what waits its programming delay; publish again when that is due, which is
    /// when the answer says. Changes that end together cost one program.
    pub(crate) async fn publish(&self, state: &Mutex<State>) -> Vec<Sleep> {
        let wanted = state.lock().unwrap_or_else(PoisonError::into_inner).version;
        let mut published = self.published.lock().await;
        let Published { version, catalog, compiler, waiting } = &mut *published;
        let mut due = BTreeSet::new();
        let moment = self.clock.now();
        let ripe = waiting.take(moment);
        if *version >= wanted && ripe.is_empty() {
            return Vec::new();
        }
        let mut ripe: Vec<String> =
            ripe.iter().map(|(path, became)| catalog.take_up(path, became.as_ref())).collect();
        let (changed, now) = {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let changed: Option<Vec<String>> = match state.take_unserved() {
                Unserved::Everything => {
                    *catalog = Catalog::of(&state);
                    waiting.clear();
                    None
                }
                Unserved::These(paths) => {
                    let delay = self.delay();
                    for path in paths {
                        let known = if catalog.has(&path) { Known::Before } else { Known::Not };
                        let span = delay.of(&path, known);
                        let became = state.get(&path);
                        if span.is_zero() && !waiting.holds(&path) {
                            ripe.push(catalog.take_up(&path, became));
                        } else {
                            let became = became.cloned();
                            due.insert(waiting.add(later(moment, span), path, became));
                        }
                    }
                    Some(ripe)
                }
            };
            (changed, state.version)
        };
        // They sleep from now on, so a step of the clock that follows takes them along.
        let due = due.into_iter().map(|due| self.clock.sleep_until(due)).collect();
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
        due
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

    /// The files behind backend buckets.
    pub(crate) fn buckets(&self) -> &Buckets {
        &self.buckets
    }

    /// What became of requests to load balancers.
    pub(crate) fn traffic(&self) -> &TrafficLog {
        self.serving.traffic()
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
