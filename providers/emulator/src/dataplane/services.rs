//! The backend services that are running, and how they are brought from one program to the next.
//!
//! A backend service whose own part of the program did not change is not looked at again, so that a change costs
//! what it changes and not what there is.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::Differing;
use super::endpoint::{Endpoint, EndpointKey};
use super::link::{Linked, Linker};
use super::prober::Prober;
use super::program::{BackendService, Firewall, Group, HealthCheck, Instance, Program};
use super::resource_id::{BackendServiceId, InstanceId};
use super::shared::Shared;
use super::tables::ServiceTable;

/// The backend services of the program in force.
#[derive(Debug, Default)]
pub(super) struct Services {
    held: HashMap<BackendServiceId, HeldService>,
    /// What all of them were linked with.
    firewalls: Vec<Firewall>,
    instances: BTreeMap<InstanceId, Instance>,
}

#[derive(Debug)]
struct HeldService {
    part: Part,
    table: Arc<ServiceTable>,
    endpoints: HashMap<EndpointKey, HeldEndpoint>,
}

#[derive(Debug)]
struct HeldEndpoint {
    endpoint: Arc<Endpoint>,
    prober: Option<Prober>,
}

/// What of a program one backend service depends on, firewalls and instances apart.
#[derive(Debug)]
struct Part {
    service: BackendService,
    groups: Vec<Option<Group>>,
    check: Option<HealthCheck>,
}

impl Part {
    fn of(program: &Program, service: &BackendService) -> Self {
        let groups = service.backends.iter().map(|backend| program.groups.get(&backend.group).cloned());
        Self { service: service.clone(), groups: groups.collect(), check: check(program, service).cloned() }
    }

    fn is_of(&self, program: &Program, service: &BackendService) -> bool {
        let Self { service: held, groups, check: held_check } = self;
        held == service
            && held_check.as_ref() == check(program, service)
            && groups
                .iter()
                .zip(&service.backends)
                .all(|(held, backend)| held.as_ref() == program.groups.get(&backend.group))
    }
}

fn check<'a>(program: &'a Program, service: &BackendService) -> Option<&'a HealthCheck> {
    program.health_checks.get(service.health_check.as_ref()?)
}

/// An endpoint that the new program does not have.
#[derive(Debug)]
pub(super) struct Retired {
    endpoint: HeldEndpoint,
    /// After which time requests that run on it are cut; none where they run to their end.
    cut_after: Option<Duration>,
}

impl Services {
    /// The tables of the new program's services, and the endpoints to retire once those are in force. `old` are the tables
    /// of the program before.
    pub(super) fn prepare(
        &mut self,
        shared: &Arc<Shared>,
        program: &Program,
        old: &HashMap<BackendServiceId, Arc<ServiceTable>>,
        differing: &Differing,
    ) -> (HashMap<BackendServiceId, Arc<ServiceTable>>, Vec<Retired>) {
        let linker = Linker::new(program, &shared.config);
        let mut retired = Vec::new();
        if let Differing::These { backend_services, .. } = differing {
            let mut tables = old.clone();
            for id in backend_services {
                let before = self.held.remove(id);
                if let Some(service) = program.backend_services.get(id) {
                    let held = hold(shared, &linker, program, (id, service), before, true, &mut retired);
                    tables.insert(id.clone(), held.table.clone());
                    self.held.insert(id.clone(), held);
                } else {
                    tables.remove(id);
                    leave(before, &mut retired);
                }
            }
            return (tables, retired);
        }
        let surroundings_same = self.firewalls == program.firewalls && self.instances == program.instances;
        if !surroundings_same {
            self.firewalls.clone_from(&program.firewalls);
            self.instances.clone_from(&program.instances);
        }
        let mut before = std::mem::take(&mut self.held);
        let mut tables = HashMap::with_capacity(program.backend_services.len());
        for (id, service) in &program.backend_services {
            let held = before.remove(id);
            let held = hold(shared, &linker, program, (id, service), held, surroundings_same, &mut retired);
            tables.insert(id.clone(), held.table.clone());
            self.held.insert(id.clone(), held);
        }
        leave(before.into_values(), &mut retired);
        (tables, retired)
    }
}

/// A service as the new program has it: what is held, where nothing about it has changed.
fn hold(
    shared: &Arc<Shared>,
    linker: &Linker<'_>,
    program: &Program,
    (id, service): (&BackendServiceId, &BackendService),
    before: Option<HeldService>,
    surroundings_same: bool,
    retired: &mut Vec<Retired>,
) -> HeldService {
    match before {
        Some(held) if surroundings_same && held.part.is_of(program, service) => held,
        held => {
            let resolved = link(linker, id, service, held.as_ref());
            replace(shared, Part::of(program, service), resolved, held, retired)
        }
    }
}

/// Services that are gone or out of reach. Nobody took an endpoint out of them, so what runs there runs to its end.
fn leave(services: impl IntoIterator<Item = HeldService>, retired: &mut Vec<Retired>) {
    let endpoints = services.into_iter().flat_map(|held| held.endpoints.into_values());
    retired.extend(endpoints.map(|endpoint| Retired { endpoint, cut_after: None }));
}

fn link(
    linker: &Linker<'_>,
    id: &BackendServiceId,
    service: &BackendService,
    before: Option<&HeldService>,
) -> Linked {
    let existing =
        |key: &EndpointKey| before.and_then(|held| held.endpoints.get(key)).map(|held| held.endpoint.clone());
    let turn = before.map(|held| held.table.turn.clone()).unwrap_or_default();
    linker.link(id, service, existing, turn)
}

/// Begins, changes and ends probing, and sets aside the endpoints that are no more.
fn replace(
    shared: &Arc<Shared>,
    part: Part,
    linked: Linked,
    before: Option<HeldService>,
    retired: &mut Vec<Retired>,
) -> HeldService {
    let Linked { table, endpoints: linked } = linked;
    let (mut old, old_draining) =
        before.map(|held| (held.endpoints, held.table.draining)).unwrap_or_default();
    let mut endpoints = HashMap::with_capacity(linked.len());
    for (endpoint, probing) in linked {
        let prober = old.remove(&endpoint.key).and_then(|held| held.prober);
        let prober = match (probing, prober) {
            (None, _) => None,
            (Some(probing), Some(prober)) => {
                prober.update(probing);
                Some(prober)
            }
            (Some(probing), None) => Some(Prober::start(shared, endpoint.clone(), probing)),
        };
        endpoints.insert(endpoint.key.clone(), HeldEndpoint { endpoint, prober });
    }
    // The longer of both times, so that setting it together with taking an endpoint out counts.
    let cut_after = Some(table.draining.max(old_draining));
    retired.extend(old.into_values().map(|endpoint| Retired { endpoint, cut_after }));
    HeldService { part, table: Arc::new(table), endpoints }
}

impl Retired {
    /// Ends probing, closes kept connections, and cuts what still runs when its time is over.
    pub(super) fn retire(self, shared: &Shared) {
        let Self { endpoint: HeldEndpoint { endpoint, prober }, cut_after } = self;
        drop(prober);
        endpoint.pool.close();
        match cut_after {
            None => {}
            Some(Duration::ZERO) => endpoint.gone.cancel(),
            Some(time) => {
                let draining = shared.draining.clone();
                draining.begin(endpoint.clone());
                shared.tasks.spawn(async move {
                    tokio::time::sleep(time).await;
                    endpoint.gone.cancel();
                    draining.end(&endpoint);
                });
            }
        }
    }
}
