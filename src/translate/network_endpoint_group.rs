//! The network endpoint groups of a Service's port: one in every zone that has nodes, whether or not a pod runs there now. So a pod
//! that moves to another zone changes members only.
//!
//! And the way back, for the short path of endpoints: which pods belong into which of the groups that are there ([`PodPort::members`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::{
    Endpoint, Holder, Mark, Members, NetworkEndpointGroup, ObjectKey, Ref, ResourceId, Scope, Zone,
};
use crate::naming;
use crate::snapshot::{Cluster, Node, PodEndpoint, ServiceEndpoints};

use super::draft::Draft;
use super::service_port::Resolved;

/// The ports of Services that are reached at their pods, by Service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PodPorts {
    by_service: BTreeMap<ObjectKey, Vec<PodPort>>,
}

/// A port of a Service that is reached at its pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodPort {
    /// By which endpoints are found; empty where it has none.
    pub name: String,
    /// The mark of its groups.
    pub mark: Mark,
    /// Its group in each zone.
    pub groups: BTreeMap<Zone, ResourceId>,
    /// At which ports of pods it was reached when it was translated: these are open.
    pub open: BTreeSet<u16>,
}

/// Who should be in a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// All of them.
    pub members: BTreeSet<Endpoint>,
    /// Those of them that are not ready.
    pub unready: BTreeSet<Endpoint>,
}

/// Members alone are not enough: something else changes with them, and only a translation can say what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NeedsTranslation;

impl PodPorts {
    /// The ports of one Service.
    #[must_use]
    pub fn of(&self, service: &ObjectKey) -> &[PodPort] {
        self.by_service.get(service).map_or(&[], Vec::as_slice)
    }

    /// Who should be in the groups of these Services. Endpoints of a Service that is not reached at its pods matter to nobody.
    #[must_use]
    pub fn churn(
        &self,
        services: &BTreeSet<ObjectKey>,
        endpoints: &BTreeMap<ObjectKey, Arc<ServiceEndpoints>>,
        nodes: &BTreeMap<String, Node>,
    ) -> Churn {
        let nobody = ServiceEndpoints::default();
        let mut churn = Churn::default();
        for service in services {
            let endpoints = endpoints.get(service).map_or(&nobody, |endpoints| &**endpoints);
            for port in self.of(service) {
                match port.members(endpoints, nodes) {
                    Ok(wanted) => churn
                        .groups
                        .extend(wanted.into_iter().map(|(id, wanted)| (id, (port.mark.clone(), wanted)))),
                    Err(NeedsTranslation) => churn.needs_translation = true,
                }
            }
        }
        churn
    }
}

/// Who should be in the groups of some Services.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Churn {
    /// Each group with its mark.
    pub groups: BTreeMap<ResourceId, (Mark, Wanted)>,
    /// Whether something else changes with the endpoints of one of these Services: then a translation must say what, and nothing is said
    /// here of that Service's groups.
    pub needs_translation: bool,
}

impl PodPort {
    /// Who should be in each of its groups.
    ///
    /// # Errors
    /// [`NeedsTranslation`] where a pod runs in a zone that has no group yet, and where the ports at which pods serve are not those that
    /// are open: the firewall rule follows them, and what is said of a Service that has got its first pod or lost its last.
    pub fn members(
        &self,
        endpoints: &ServiceEndpoints,
        nodes: &BTreeMap<String, Node>,
    ) -> Result<BTreeMap<ResourceId, Wanted>, NeedsTranslation> {
        let mut wanted: BTreeMap<ResourceId, Wanted> =
            self.groups.values().map(|id| (id.clone(), Wanted::default())).collect();
        let mut open = BTreeSet::new();
        let pods = endpoints.by_port.get(&self.name);
        for (zone, endpoint, ready) in placed(nodes, pods.into_iter().flatten()) {
            open.insert(endpoint.port);
            let group = self.groups.get(zone).and_then(|id| wanted.get_mut(id)).ok_or(NeedsTranslation)?;
            group.add(endpoint, ready);
        }
        if open == self.open { Ok(wanted) } else { Err(NeedsTranslation) }
    }
}

impl Wanted {
    fn add(&mut self, endpoint: Endpoint, ready: bool) {
        if !ready {
            self.unready.insert(endpoint.clone());
        }
        self.members.insert(endpoint);
    }
}

pub(super) fn draw_all(
    draft: &mut Draft<'_>,
    resolved: &Resolved<'_>,
    endpoints: &[&PodEndpoint],
) -> Vec<Ref<NetworkEndpointGroup>> {
    let Cluster { id, network, subnetwork, .. } = &draft.snapshot.cluster;
    let name = naming::network_endpoint_group(id, &resolved.service, &resolved.port, network, subnetwork);
    let nodes = &draft.snapshot.nodes;
    let mut wanted: BTreeMap<&Zone, Wanted> =
        nodes.values().map(|node| (&node.zone, Wanted::default())).collect();
    let mut open = BTreeSet::new();
    for (zone, endpoint, ready) in placed(nodes, endpoints.iter().copied()) {
        open.insert(endpoint.port);
        wanted.entry(zone).or_default().add(endpoint, ready);
    }
    let holder = Holder::Service { service: resolved.service.clone(), port: resolved.port.to_string() };
    let mut groups = BTreeMap::new();
    let mut drawn = Vec::new();
    for (zone, Wanted { members, unready }) in wanted {
        let group = NetworkEndpointGroup {
            network: network.clone(),
            subnetwork: subnetwork.clone(),
            members: Members::Known(members),
        };
        let group = draft.place(Scope::Zone(zone.clone()), name.clone(), holder.clone(), group);
        if !unready.is_empty() {
            draft.unready.insert(group.id().clone(), unready);
        }
        groups.insert(zone.clone(), group.id().clone());
        drawn.push(group);
    }
    let mark = Mark { cluster: id.clone(), holder };
    let port = PodPort { name: resolved.port_name.clone(), mark, groups, open };
    let ports = draft.pod_ports.by_service.entry(resolved.service.clone()).or_default();
    // Two names for one port of a Service, its number and its name, lead to the same groups.
    if !ports.contains(&port) {
        ports.push(port);
    }
    drawn
}

/// The endpoints whose node is known, each with its zone, and whether it is ready. One on an unknown node is left out: without the
/// instance and its zone there is no way to say where it is.
pub(super) fn placed<'a>(
    nodes: &'a BTreeMap<String, Node>,
    endpoints: impl Iterator<Item = &'a PodEndpoint>,
) -> impl Iterator<Item = (&'a Zone, Endpoint, bool)> {
    endpoints.filter_map(move |endpoint| {
        let PodEndpoint { address, port, node, ready } = endpoint;
        let node = nodes.get(node)?;
        let endpoint = Endpoint { instance: node.instance.clone(), address: *address, port: *port };
        Some((&node.zone, endpoint, *ready))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClusterId, Kind, ResourceName};

    fn zone(name: &str) -> Zone {
        Zone(name.to_owned())
    }

    fn group(zone_name: &str) -> ResourceId {
        let scope = Scope::Zone(zone(zone_name));
        ResourceId { kind: Kind::NetworkEndpointGroup, scope, name: ResourceName::new("neg").unwrap() }
    }

    fn port() -> PodPort {
        let holder = Holder::Service { service: ObjectKey::new("shop", "web"), port: "80".to_owned() };
        PodPort {
            name: "http".to_owned(),
            mark: Mark { cluster: ClusterId::new("0a1b2c3d").unwrap(), holder },
            groups: ["a", "b"].map(|name| (zone(name), group(name))).into(),
            open: [8080].into(),
        }
    }

    fn nodes() -> BTreeMap<String, Node> {
        let node = |name: &str, zone_name: &str| {
            let node = Node { instance: name.to_owned(), zone: zone(zone_name), takes_traffic: true };
            (name.to_owned(), node)
        };
        [node("node-a", "a"), node("node-b", "b"), node("node-c", "c")].into()
    }

    fn pods(list: &[(&str, u8, u16, bool)]) -> ServiceEndpoints {
        let pods = list.iter().map(|(node, n, port, ready)| PodEndpoint {
            address: [10, 0, 0, *n].into(),
            port: *port,
            node: (*node).to_owned(),
            ready: *ready,
        });
        ServiceEndpoints { by_port: [("http".to_owned(), pods.collect())].into() }
    }

    #[test]
    fn pods_belong_into_the_group_of_their_zone() {
        let pods = pods(&[("node-a", 1, 8080, true), ("node-b", 2, 8080, false), ("nobody", 3, 8080, true)]);
        let wanted = port().members(&pods, &nodes()).unwrap();
        let counts: Vec<_> =
            wanted.values().map(|wanted| (wanted.members.len(), wanted.unready.len())).collect();
        assert_eq!(counts, [(1, 0), (1, 1)]);
    }

    #[test]
    fn what_is_more_than_members_needs_a_translation() {
        let refused = |list: &[(&str, u8, u16, bool)]| port().members(&pods(list), &nodes()).unwrap_err();
        assert_eq!(
            refused(&[("node-a", 1, 8080, true), ("node-c", 2, 8080, true)]),
            NeedsTranslation,
            "a zone"
        );
        assert_eq!(
            refused(&[("node-a", 1, 8080, true), ("node-a", 1, 9090, true)]),
            NeedsTranslation,
            "a port"
        );
        assert_eq!(refused(&[]), NeedsTranslation, "the last pod is gone");
        let first = PodPort { open: [].into(), ..port() };
        assert_eq!(first.members(&pods(&[("node-a", 1, 8080, true)]), &nodes()), Err(NeedsTranslation));
        assert!(first.members(&pods(&[]), &nodes()).is_ok());
    }
}
