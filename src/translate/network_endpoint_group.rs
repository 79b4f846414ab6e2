//! The network endpoint groups of a Service's port: one in every zone that has nodes, whether or not a pod runs there now. So a pod
//! that moves to another zone changes members only.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Endpoint, Holder, NetworkEndpointGroup, Ref, Scope, Zone};
use crate::naming;
use crate::snapshot::{Cluster, PodEndpoint, Snapshot};

use super::draft::Draft;
use super::service_port::Resolved;

pub(super) fn draw_all(
    draft: &mut Draft<'_>,
    resolved: &Resolved<'_>,
    endpoints: &[&PodEndpoint],
) -> Vec<Ref<NetworkEndpointGroup>> {
    let Cluster { id, network, subnetwork, .. } = &draft.snapshot.cluster;
    let name = naming::network_endpoint_group(id, &resolved.service, &resolved.port, network, subnetwork);
    let mut members: BTreeMap<&Zone, BTreeSet<Endpoint>> =
        draft.snapshot.nodes.values().map(|node| (&node.zone, BTreeSet::new())).collect();
    for (zone, endpoint) in placed(draft.snapshot, endpoints) {
        members.entry(zone).or_default().insert(endpoint);
    }
    let holder = Holder::Service { service: resolved.service.clone(), port: resolved.port.to_string() };
    members
        .into_iter()
        .map(|(zone, members)| {
            let group =
                NetworkEndpointGroup { network: network.clone(), subnetwork: subnetwork.clone(), members };
            draft.place(Scope::Zone(zone.clone()), name.clone(), holder.clone(), group)
        })
        .collect()
}

/// The endpoints whose node is known, each with its zone. One on an unknown node is left out: without the instance and its zone there
/// is no way to say where it is.
pub(super) fn placed<'a>(
    snapshot: &'a Snapshot,
    endpoints: &[&'a PodEndpoint],
) -> impl Iterator<Item = (&'a Zone, Endpoint)> {
    endpoints.iter().filter_map(move |endpoint| {
        let PodEndpoint { address, port, node, ready: _ } = endpoint;
        let node = snapshot.nodes.get(node)?;
        let endpoint = Endpoint { instance: node.instance.clone(), address: *address, port: *port };
        Some((&node.zone, endpoint))
    })
}
