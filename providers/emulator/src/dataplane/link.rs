//! Resolving a program's references: which endpoints each backend service has and how they are probed.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use super::config::DataPlaneConfig;
use super::dial::DialTable;
use super::endpoint::{Endpoint, EndpointKey};
use super::firewall::Firewalls;
use super::prober::{Admission, Probing};
use super::program::{
    BackendService, Group, HealthCheck, Instance, NetworkEndpoint, NetworkEndpoints, ProbePort, Program,
};
use super::resource_id::{BackendServiceId, GroupId, HealthCheckId, InstanceId, NetworkId};
use super::tables::{ServiceTable, Serving};

/// A backend service with its references resolved.
#[derive(Debug)]
pub(super) struct Linked {
    pub(super) table: ServiceTable,
    /// Every endpoint, and how it is probed if it is.
    pub(super) endpoints: Vec<(Arc<Endpoint>, Option<Probing>)>,
}

/// What backend services are linked with.
#[derive(Debug)]
pub(super) struct Linker<'a> {
    program: &'a Program,
    firewalls: Firewalls<'a>,
    dial: &'a DialTable,
    sources: &'a [ipnet::IpNet],
}

impl<'a> Linker<'a> {
    pub(super) fn new(program: &'a Program, config: &'a DataPlaneConfig) -> Self {
        let firewalls = Firewalls::new(&program.firewalls);
        Self { program, firewalls, dial: &config.dial, sources: &config.probe_sources }
    }

    /// Links one backend service. `existing` finds the endpoint of a key if there is one already; `turn` is carried
    /// over.
    pub(super) fn link(
        &self,
        id: &BackendServiceId,
        service: &BackendService,
        existing: impl Fn(&EndpointKey) -> Option<Arc<Endpoint>>,
        turn: Arc<AtomicUsize>,
    ) -> Linked {
        let check =
            service.health_check.as_ref().and_then(|id| Some((id, self.program.health_checks.get(id)?)));
        let mut serving = Vec::new();
        let mut groups: BTreeMap<GroupId, Vec<Arc<Endpoint>>> = BTreeMap::new();
        let mut endpoints = Vec::new();
        let mut seen = HashSet::new();
        for backend in &service.backends {
            for member in members(self.program, service, &backend.group) {
                let key = EndpointKey {
                    service: id.clone(),
                    group: backend.group.clone(),
                    endpoint: member.endpoint,
                };
                if !seen.insert(key.clone()) {
                    continue;
                }
                let admission = |port| match &member.place {
                    Place::Outside => Admission::Open,
                    Place::Nowhere => Admission::NoInstance,
                    Place::On(network, instance)
                        if self.firewalls.admit(network, instance, port, self.sources) =>
                    {
                        Admission::Open
                    }
                    Place::On(..) => Admission::Firewall,
                };
                let endpoint =
                    existing(&key).unwrap_or_else(|| Arc::new(Endpoint::new(key.clone(), self.dial)));
                endpoint.set_admitted(admission(key.endpoint.port) == Admission::Open);
                let probing =
                    check.map(|(id, check)| probing(id, check, &key.endpoint, self.dial, admission));
                let weight = backend.capacity.per_mille;
                if weight > 0 {
                    serving.push(Serving { endpoint: endpoint.clone(), weight });
                }
                groups.entry(key.group).or_default().push(endpoint.clone());
                endpoints.push((endpoint, probing));
            }
        }
        let table = ServiceTable {
            protocol: service.protocol,
            timeout: service.timeout,
            draining: service.draining,
            affinity: service.affinity.clone(),
            headers: service.headers.clone(),
            guard: service.guard.clone(),
            logging: service.logging,
            serving,
            groups,
            turn,
        };
        Linked { table, endpoints }
    }
}

fn probing(
    id: &HealthCheckId,
    check: &HealthCheck,
    endpoint: &NetworkEndpoint,
    dial: &DialTable,
    admission: impl Fn(u16) -> Admission,
) -> Probing {
    let port = match check.port {
        ProbePort::Fixed(port) => port,
        ProbePort::Serving => endpoint.port,
    };
    Probing {
        id: id.clone(),
        check: check.clone(),
        port,
        target: dial.resolve(endpoint.address, port),
        admission: admission(port),
    }
}

struct Member<'a> {
    endpoint: NetworkEndpoint,
    place: Place<'a>,
}

/// Where an endpoint stands, as firewalls see it.
enum Place<'a> {
    /// On this instance, in this network.
    On(&'a NetworkId, &'a Instance),
    /// Not on Compute Engine: no VPC firewall.
    Outside,
    /// On an instance that is not known, or not in the network: nothing gets there.
    Nowhere,
}

fn members<'a>(program: &'a Program, service: &BackendService, group: &GroupId) -> Vec<Member<'a>> {
    match program.groups.get(group) {
        None => Vec::new(),
        Some(Group::NetworkEndpoints(NetworkEndpoints::Outside(endpoints))) => endpoints
            .iter()
            .map(|endpoint| Member { endpoint: endpoint.clone(), place: Place::Outside })
            .collect(),
        Some(Group::NetworkEndpoints(NetworkEndpoints::OnInstances { network, endpoints })) => endpoints
            .iter()
            .map(|endpoint| {
                let place = place(program, network.as_ref(), endpoint);
                Member { endpoint: endpoint.clone(), place }
            })
            .collect(),
        Some(Group::Instances { named_ports, members }) => {
            // Of two ports with one name the first counts.
            let Some(named) = named_ports.iter().find(|named| named.name == service.port_name) else {
                return Vec::new();
            };
            members.iter().filter_map(|member| on_instance(program, member, named.port)).collect()
        }
    }
}

fn on_instance<'a>(program: &'a Program, id: &InstanceId, port: u16) -> Option<Member<'a>> {
    let instance = program.instances.get(id)?;
    let primary = instance.interfaces.first()?;
    let endpoint = NetworkEndpoint { instance: Some(id.clone()), address: primary.address, port };
    Some(Member { endpoint, place: Place::On(&primary.network, instance) })
}

fn place<'a>(program: &'a Program, network: Option<&NetworkId>, endpoint: &NetworkEndpoint) -> Place<'a> {
    let instance = endpoint.instance.as_ref().and_then(|id| program.instances.get(id));
    let found = instance.and_then(|instance| {
        let interface = instance.interfaces.iter().find(|interface| {
            network.is_none_or(|network| *network == interface.network)
                && (interface.address == endpoint.address
                    || interface.alias_ranges.iter().any(|range| range.contains(&endpoint.address)))
        })?;
        Some(Place::On(&interface.network, instance))
    });
    found.unwrap_or(Place::Nowhere)
}
