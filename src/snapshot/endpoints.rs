//! From EndpointSlice objects to the endpoints of each Service.
//!
//! A Service's endpoints come in several slices. [`ServiceSlice`] is one slice in compact form, so that a store can keep and
//! replace slices one by one; [`ServiceEndpoints::add`] joins the slices of a Service.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

use k8s_openapi::api::discovery::v1 as discovery;

use super::{PodEndpoint, ServiceEndpoints};
use crate::model::ObjectKey;

/// The label by which a slice belongs to a Service.
pub const SERVICE_NAME_LABEL: &str = "kubernetes.io/service-name";

/// One EndpointSlice, in compact form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSlice {
    /// Whose endpoints they are.
    pub service: ObjectKey,
    /// What the slice holds. Ports without endpoints are here too, with none.
    pub endpoints: Arc<ServiceEndpoints>,
}

impl ServiceSlice {
    /// Reads a slice. `None` where there is nothing for a load balancer in it: it belongs to no Service, or its addresses are not IPv4.
    ///
    /// Left out are terminating endpoints, endpoints that no node is named for (nothing could say in which zone they are),
    /// and ports that are not TCP. The first address of an endpoint stands for it; the API says that consumers may not use others.
    #[must_use]
    pub fn read(slice: &discovery::EndpointSlice) -> Option<Self> {
        if slice.address_type != "IPv4" {
            return None;
        }
        let name = slice.metadata.labels.as_ref()?.get(SERVICE_NAME_LABEL)?;
        let service = ObjectKey::new(slice.metadata.namespace.clone().unwrap_or_default(), name);
        let endpoints: Vec<_> = slice.endpoints.iter().flatten().filter_map(address).collect();
        let mut by_port: BTreeMap<String, BTreeSet<PodEndpoint>> = BTreeMap::new();
        for port in slice.ports.iter().flatten() {
            let Some(number) = tcp_port(port) else { continue };
            let at_port = by_port.entry(port.name.clone().unwrap_or_default()).or_default();
            at_port.extend(endpoints.iter().map(|(address, node, ready)| PodEndpoint {
                address: *address,
                port: number,
                node: node.clone(),
                ready: *ready,
            }));
        }
        Some(Self { service, endpoints: Arc::new(ServiceEndpoints { by_port }) })
    }
}

impl ServiceEndpoints {
    /// Adds the endpoints of another slice of the same Service.
    ///
    /// While an endpoint moves from one slice to another both may name it; it counts once, and as ready if either says so.
    pub fn add(&mut self, slice: &Self) {
        for (port, endpoints) in &slice.by_port {
            let known = self.by_port.entry(port.clone()).or_default();
            for endpoint in endpoints {
                // A Service may have ten thousand endpoints, so the set's order is made use of.
                let first = PodEndpoint { node: String::new(), ready: false, ..*endpoint };
                let twin = known
                    .range(first..)
                    .next()
                    .filter(|known| (known.address, known.port) == (endpoint.address, endpoint.port))
                    .cloned();
                match twin {
                    Some(twin) if twin.ready || !endpoint.ready => {}
                    Some(twin) => {
                        known.remove(&twin);
                        known.insert(endpoint.clone());
                    }
                    None => {
                        known.insert(endpoint.clone());
                    }
                }
            }
        }
    }
}

fn tcp_port(port: &discovery::EndpointPort) -> Option<u16> {
    if port.protocol.as_deref().unwrap_or("TCP") != "TCP" {
        return None;
    }
    port.port.and_then(|number| u16::try_from(number).ok()).filter(|number| *number != 0)
}

/// Address, node and readiness. An unknown readiness counts as ready, as the API says.
fn address(endpoint: &discovery::Endpoint) -> Option<(Ipv4Addr, String, bool)> {
    let conditions = endpoint.conditions.as_ref();
    if conditions.and_then(|conditions| conditions.terminating) == Some(true) {
        return None;
    }
    let node = endpoint.node_name.clone().filter(|node| !node.is_empty())?;
    let address = endpoint.addresses.first()?.parse().ok()?;
    Some((address, node, conditions.and_then(|conditions| conditions.ready).unwrap_or(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(endpoints: &serde_json::Value) -> ServiceSlice {
        let object = serde_json::json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": "web-1", "namespace": "shop", "labels": {SERVICE_NAME_LABEL: "web"}},
            "ports": [{"name": "http", "port": 8080}, {"name": "dns", "port": 53, "protocol": "UDP"}],
            "endpoints": endpoints,
        });
        ServiceSlice::read(&serde_json::from_value(object).unwrap()).unwrap()
    }

    fn endpoint(address: [u8; 4], ready: bool) -> PodEndpoint {
        PodEndpoint { address: address.into(), port: 8080, node: "n1".to_owned(), ready }
    }

    #[test]
    fn unready_endpoints_stay_and_terminating_ones_go() {
        let read = slice(&serde_json::json!([
            {"addresses": ["10.0.1.1"], "nodeName": "n1"},
            {"addresses": ["10.0.1.2"], "nodeName": "n1", "conditions": {"ready": false}},
            {"addresses": ["10.0.1.3"], "nodeName": "n1", "conditions": {"ready": false, "terminating": true}},
            {"addresses": ["10.0.1.4"]},
        ]));
        assert_eq!(read.service, ObjectKey::new("shop", "web"));
        assert_eq!(
            read.endpoints.by_port,
            BTreeMap::from([(
                "http".to_owned(),
                BTreeSet::from([endpoint([10, 0, 1, 1], true), endpoint([10, 0, 1, 2], false)])
            )])
        );
    }

    #[test]
    fn an_endpoint_in_two_slices_counts_once() {
        let unready = slice(&serde_json::json!([
            {"addresses": ["10.0.1.1"], "nodeName": "n1", "conditions": {"ready": false}}]));
        let ready = slice(&serde_json::json!([{"addresses": ["10.0.1.1"], "nodeName": "n1"}]));
        for order in [[&unready, &ready], [&ready, &unready]] {
            let mut all = ServiceEndpoints::default();
            for slice in order {
                all.add(&slice.endpoints);
            }
            assert_eq!(all.by_port["http"], BTreeSet::from([endpoint([10, 0, 1, 1], true)]));
        }
    }

    #[test]
    fn slices_of_no_service_or_of_ipv6_hold_nothing_for_us() {
        let mut object = discovery::EndpointSlice { address_type: "IPv4".to_owned(), ..Default::default() };
        assert_eq!(ServiceSlice::read(&object), None);
        object.metadata.labels = Some([(SERVICE_NAME_LABEL.to_owned(), "web".to_owned())].into());
        assert!(ServiceSlice::read(&object).is_some());
        object.address_type = "IPv6".to_owned();
        assert_eq!(ServiceSlice::read(&object), None);
    }
}
