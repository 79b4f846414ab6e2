//! The firewall rule of the cluster: lets Google's proxies and health checks reach the node ports and pod ports in use.
//!
//! Where no port is in use there is no rule: to the API, a rule without ports admits all of them.

use std::collections::BTreeSet;

use crate::model::{Firewall, HealthPort, Holder, Ref, Scope};
use crate::naming;

use super::draft::Draft;
use super::network_endpoint_group;
use super::service_port::{Reach, Resolved};

pub(super) fn draw<'r, 'a: 'r>(
    draft: &mut Draft<'a>,
    resolved: impl Iterator<Item = &'r Resolved<'a>>,
    probed: impl Iterator<Item = HealthPort>,
) -> Option<Ref<Firewall>> {
    let mut ports = BTreeSet::new();
    for resolved in resolved {
        match &resolved.reach {
            Reach::NodePort(port) => {
                ports.insert(*port);
            }
            Reach::Pods(endpoints) => {
                let placed = network_endpoint_group::placed(&draft.snapshot.nodes, endpoints.iter().copied());
                ports.extend(placed.map(|(_, endpoint, _)| endpoint.port));
            }
            Reach::Nowhere(_) => {}
        }
    }
    // A port that only probes ask for. Where nobody serves, nobody is probed.
    if !ports.is_empty() {
        ports.extend(probed.filter_map(|port| match port {
            HealthPort::Fixed(port) => Some(port),
            HealthPort::Serving => None,
        }));
    }
    if ports.is_empty() {
        return None;
    }
    let cluster = &draft.snapshot.cluster;
    let name = naming::firewall(&cluster.id, &cluster.network);
    let firewall = Firewall {
        network: cluster.network.clone(),
        source_ranges: Firewall::GOOGLE_RANGES.iter().filter_map(|range| range.parse().ok()).collect(),
        ports: ranges(&ports),
        target_tags: cluster.node_tags.clone(),
    };
    Some(draft.place(Scope::Global, name, Holder::Cluster, firewall))
}

/// Neighbours make one range.
fn ranges(ports: &BTreeSet<u16>) -> BTreeSet<(u16, u16)> {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for port in ports {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*port) => *last = *port,
            _ => ranges.push((*port, *port)),
        }
    }
    ranges.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_ports_make_one_range() {
        let ports = BTreeSet::from([80, 30000, 30001, 30002, 30004, 65535]);
        let ranges: Vec<_> = ranges(&ports).into_iter().collect();
        assert_eq!(ranges, [(80, 80), (30000, 30002), (30004, 30004), (65535, 65535)]);
    }

    #[test]
    fn googles_ranges_can_be_read() {
        for range in Firewall::GOOGLE_RANGES {
            assert!(range.parse::<ipnet::Ipv4Net>().is_ok(), "{range}");
        }
    }
}
