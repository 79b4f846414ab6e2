//! The endpoints of Services: from the folder's EndpointSlices or, for a Service without any, one supplied pod.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::{ServicePort, ServiceSpec};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::services::Given;
use super::{World, about};
use crate::model::ObjectKey;
use crate::snapshot::manifests::diagnostic::{Code, DiagnosticSeverity};
use crate::snapshot::manifests::node_port::spread;
use crate::snapshot::manifests::object::Workload;
use crate::snapshot::{PodEndpoint, ServiceEndpoints, ServiceSlice};

impl World {
    pub(super) fn supply_endpoints(
        &mut self,
        services: &Given<'_>,
        slices: &[&Arc<EndpointSlice>],
        workloads: &[(String, &Arc<Workload>)],
    ) {
        for slice in slices {
            let Some(slice) = ServiceSlice::read(&self.placed(slice)) else { continue };
            Arc::make_mut(self.endpoints.entry(slice.service).or_default()).add(&slice.endpoints);
        }
        let given = self.endpoints.values().flat_map(|endpoints| endpoints.by_port.values().flatten());
        let mut taken =
            Taken { addresses: given.map(|endpoint| endpoint.address).collect(), full: HashSet::new() };
        for (key, (object, service)) in services {
            let Some(spec) = &service.spec else { continue };
            if self.endpoints.contains_key(key) || spec.type_.as_deref() == Some("ExternalName") {
                continue;
            }
            let Some((node, address)) = self.free_address(key, &mut taken) else {
                let help = "give the nodes larger ranges for pods (spec.podCIDR)";
                let message = "no address is left for its pod".to_owned();
                self.diagnostics.push(about(
                    object,
                    DiagnosticSeverity::Warning,
                    Code::NotSupplied,
                    message,
                    help,
                ));
                continue;
            };
            taken.addresses.insert(address);
            let mut by_port = BTreeMap::new();
            for port in spec.ports.iter().flatten().filter(|port| port.protocol.as_deref() == Some("TCP")) {
                let Some(number) = target_port(key, spec, port, workloads) else { continue };
                let endpoint = PodEndpoint { address, port: number, node: node.clone(), ready: true };
                by_port.insert(port.name.clone().unwrap_or_default(), BTreeSet::from([endpoint]));
            }
            self.endpoints.insert(key.clone(), Arc::new(ServiceEndpoints { by_port }));
        }
    }

    /// The readiness probes of each Service's pods: those of the first workload that has some, in the order of kinds and names, since in a
    /// folder none is older than the other.
    pub(super) fn find_probes(&mut self, services: &Given<'_>, workloads: &[(String, &Arc<Workload>)]) {
        for (key, (_, service)) in services {
            let Some(spec) = &service.spec else { continue };
            let found = selected(key, spec, workloads).find_map(|workload| workload.containers.clone());
            self.probes.extend(found.map(|containers| (key.clone(), containers)));
        }
    }

    /// With a node for each endpoint that names none: the one in whose range it is, or the first.
    fn placed(&self, slice: &EndpointSlice) -> EndpointSlice {
        let mut slice = slice.clone();
        for endpoint in slice.endpoints.iter_mut().flatten().filter(|endpoint| endpoint.node_name.is_none()) {
            let address: Option<Ipv4Addr> =
                endpoint.addresses.first().and_then(|address| address.parse().ok());
            let within = self.machines.iter().find(|(_, machine)| {
                address.is_some_and(|address| machine.pod_ranges.iter().any(|range| range.contains(&address)))
            });
            endpoint.node_name = within.or_else(|| self.machines.iter().next()).map(|(name, _)| name.clone());
        }
        slice
    }

    /// A node and an address in its range, both by the Service's name.
    fn free_address(&self, key: &ObjectKey, taken: &mut Taken) -> Option<(String, Ipv4Addr)> {
        let text = key.to_string();
        let count = self.machines.len();
        let first = spread(&format!("node of {text}"), u32::try_from(count).ok()?) as usize;
        let machines = self.machines.iter().cycle().skip(first).take(count);
        for (name, machine) in machines {
            for range in &machine.pod_ranges {
                if taken.full.contains(range) {
                    continue;
                }
                let network = u32::from(range.network());
                let size = u32::from(range.broadcast()) - network;
                // Neither the first address of the range nor the last is a pod's.
                let usable = size.saturating_sub(1);
                let first = spread(&format!("pod of {text}"), usable);
                let free = (0..usable)
                    .map(|step| Ipv4Addr::from(network + 1 + (first + step) % usable))
                    .find(|address| !taken.addresses.contains(address) && *address != machine.address);
                if let Some(address) = free {
                    return Some((name.clone(), address));
                }
                taken.full.insert(*range);
            }
        }
        None
    }
}

/// Addresses that pods have, and ranges in which no other is left: those are not searched again for each Service.
struct Taken {
    addresses: HashSet<Ipv4Addr>,
    full: HashSet<Ipv4Net>,
}

/// Where the pod listens. A name is looked up in the pods that the Service selects; where none has it, the Service's own port
/// will do, since what listens there is ours as well.
fn target_port(
    key: &ObjectKey,
    spec: &ServiceSpec,
    port: &ServicePort,
    workloads: &[(String, &Arc<Workload>)],
) -> Option<u16> {
    let number = match &port.target_port {
        Some(IntOrString::Int(number)) => *number,
        Some(IntOrString::String(name)) => {
            let named = selected(key, spec, workloads).find_map(|workload| workload.ports.get(name));
            named.map_or(port.port, |number| i32::from(*number))
        }
        None => port.port,
    };
    u16::try_from(number).ok().filter(|number| *number != 0)
}

/// What makes the pods that a Service selects.
fn selected<'a>(
    key: &ObjectKey,
    spec: &ServiceSpec,
    workloads: &'a [(String, &'a Arc<Workload>)],
) -> impl Iterator<Item = &'a Arc<Workload>> {
    let selector = spec.selector.as_ref().filter(|selector| !selector.is_empty());
    workloads
        .iter()
        .filter(move |(namespace, workload)| {
            *namespace == key.namespace
                && selector.is_some_and(|selector| {
                    selector.iter().all(|(key, value)| workload.labels.get(key) == Some(value))
                })
        })
        .map(|(_, workload)| *workload)
}
