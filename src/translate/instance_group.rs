//! The instance groups of the cluster: one in every zone that has nodes, with a named port for every node port in use. All load
//! balancers share them, since an instance may be in one load-balanced group only.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Holder, InstanceGroup, Ref, Scope, Zone};
use crate::naming;

use super::draft::Draft;
use super::service_port::{self, Resolved};

/// None where no node port is in use.
pub(super) fn draw_all<'r, 'a: 'r>(
    draft: &mut Draft<'a>,
    resolved: impl Iterator<Item = &'r Resolved<'a>>,
) -> Vec<Ref<InstanceGroup>> {
    let node_ports = service_port::node_ports(resolved);
    if node_ports.is_empty() {
        return Vec::new();
    }
    let named_ports: BTreeMap<String, u16> =
        node_ports.into_iter().map(|port| (naming::named_port(port), port)).collect();
    let mut members: BTreeMap<&Zone, BTreeSet<String>> = BTreeMap::new();
    for node in draft.snapshot.nodes.values() {
        let zone = members.entry(&node.zone).or_default();
        if node.takes_traffic {
            zone.insert(node.instance.clone());
        }
    }
    let network = &draft.snapshot.cluster.network;
    let name = naming::instance_group(&draft.snapshot.cluster.id, network);
    members
        .into_iter()
        .map(|(zone, members)| {
            let group =
                InstanceGroup { network: Some(network.clone()), named_ports: named_ports.clone(), members };
            draft.place(Scope::Zone(zone.clone()), name.clone(), Holder::Cluster, group)
        })
        .collect()
}
