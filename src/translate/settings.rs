//! The settings of a backend: what its backend service does with requests, and how its health is found out.

use std::collections::BTreeSet;

use crate::custom_resource::backend_config::BackendConfigSpec;
use crate::model::{BackendPolicy, BackendService, HealthCheck, ObjectKey, Scheme, Scope};
use crate::naming;
use crate::snapshot::{ServiceEndpoints, Snapshot};

use super::service_port::Resolved;
use super::{backend_config, health_check};

/// How long a backend may take for its answer: the API's own default.
const TIMEOUT_SECONDS: u32 = 30;

/// How long requests in flight keep a backend that is taken away. As long as an answer may take, so every request that was sent can
/// still be answered; and as long as Kubernetes lets a pod live on by default.
const DRAINING_SECONDS: u32 = TIMEOUT_SECONDS;

/// What holds for one backend, for load balancers of one scheme.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) policy: BackendPolicy,
    pub(super) health_check: HealthCheck,
    pub(super) admits: Admits,
}

/// Whether requests may be sent there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admits {
    /// To whoever serves.
    Requests,
    /// To nobody: it is not known what protection was asked for.
    Nothing,
}

/// The settings that hold where nobody says anything.
pub(super) fn default_policy() -> BackendPolicy {
    BackendPolicy {
        timeout_seconds: TIMEOUT_SECONDS,
        draining_seconds: DRAINING_SECONDS,
        ..BackendPolicy::default()
    }
}

/// What a backend asks for; where that cannot be known, what it has.
pub(super) fn of(snapshot: &Snapshot, scheme: Scheme, resolved: &Resolved<'_>) -> Settings {
    let there = || held(snapshot, scheme, resolved);
    let asked = |config: Option<&BackendConfigSpec>| Settings {
        policy: config.map_or_else(default_policy, |config| backend_config::policy(default_policy(), config)),
        health_check: health_check::wanted(resolved, without_pods(snapshot, resolved, there), config),
        admits: Admits::Requests,
    };
    match &resolved.config {
        Ok(config) => asked(*config),
        Err(_) => there().unwrap_or_else(|| Settings { admits: Admits::Nothing, ..asked(None) }),
    }
}

/// Where there are no pods nobody says how they are to be asked. They will come back, so they are asked as they were.
fn without_pods(
    snapshot: &Snapshot,
    resolved: &Resolved<'_>,
    there: impl Fn() -> Option<Settings>,
) -> Option<HealthCheck> {
    let nobody = |endpoints: &ServiceEndpoints| endpoints.by_port.values().all(BTreeSet::is_empty);
    let scaled_to_zero = snapshot.probes.is_some()
        && resolved.readiness.is_none()
        && snapshot.endpoints.get(&resolved.service).is_none_or(|endpoints| nobody(endpoints));
    if scaled_to_zero { Some(there()?.health_check) } else { None }
}

fn held(snapshot: &Snapshot, scheme: Scheme, resolved: &Resolved<'_>) -> Option<Settings> {
    let Resolved { service, port, .. } = resolved;
    let service: &ObjectKey = service;
    let name = naming::backend_service(&snapshot.cluster.id, service, port, resolved.mode(), scheme);
    let backends = &snapshot.held.backends;
    let service = backends.get(&backends.reference::<BackendService>(&Scope::Global, &name)?)?;
    let health_check = backends.get(service.health_check.as_ref()?)?;
    // One without backends was made when it was not known either.
    let admits = if service.backends.is_empty() { Admits::Nothing } else { Admits::Requests };
    Some(Settings { policy: service.policy.clone(), health_check: health_check.clone(), admits })
}
