//! Network endpoint groups and their endpoints.

use std::collections::BTreeSet;

use gce_api::{
    NetworkEndpoint, NetworkEndpointGroup as WireNetworkEndpointGroup, NetworkEndpointWithHealthStatus,
};

use super::link::{Links, short_name};
use super::wire::{NotUnderstood, Unspeakable, Wire};
use crate::model::{Endpoint, Mark, Members, NetworkEndpointGroup, ResourceId, Scope, Unlisted};

/// The only type that we make: an address and port on an instance.
const TYPE: &str = "GCE_VM_IP_PORT";

impl Wire for WireNetworkEndpointGroup {
    type Model = NetworkEndpointGroup;

    fn write(
        model: &NetworkEndpointGroup,
        id: &ResourceId,
        mark: &Mark,
        links: &Links,
    ) -> Result<Self, Unspeakable> {
        // Members join by a call of their own.
        let NetworkEndpointGroup { network, subnetwork, members: _ } = model;
        let Scope::Zone(zone) = &id.scope else {
            return Err(Unspeakable(format!("such a group is in a zone, not in {}", id.scope)));
        };
        Ok(Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            network_endpoint_type: Some(TYPE.to_owned()),
            network: Some(links.network(network)),
            subnetwork: Some(links.subnetwork(zone, subnetwork)),
            ..Self::default()
        })
    }

    fn read(&self, _: &Scope) -> Result<NetworkEndpointGroup, NotUnderstood> {
        let of_type = self.network_endpoint_type.as_deref();
        if of_type != Some(TYPE) {
            return Err(NotUnderstood::new("networkEndpointType", of_type));
        }
        Ok(NetworkEndpointGroup {
            network: short_name(self.network.as_deref()).unwrap_or_default(),
            subnetwork: short_name(self.subnetwork.as_deref()).unwrap_or_default(),
            // A group says how many are in it, not who.
            members: match self.size.and_then(|size| usize::try_from(size).ok()) {
                Some(0) => Members::nobody(),
                size => Members::Unlisted(Unlisted { size, believed: None }),
            },
        })
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }
}

pub(super) fn endpoints_to_wire(endpoints: &[Endpoint]) -> Vec<NetworkEndpoint> {
    endpoints
        .iter()
        .map(|endpoint| {
            let Endpoint { instance, address, port } = endpoint;
            NetworkEndpoint {
                instance: Some(instance.clone()),
                ip_address: Some(address.to_string()),
                port: Some(i32::from(*port)),
                ..NetworkEndpoint::default()
            }
        })
        .collect()
}

/// Endpoints of other forms, such as IPv6 ones that somebody else attached, are not ours and do not exist here.
pub(super) fn members_from(listed: &[NetworkEndpointWithHealthStatus]) -> BTreeSet<Endpoint> {
    listed
        .iter()
        .filter_map(|listed| {
            let endpoint = listed.network_endpoint.as_ref()?;
            Some(Endpoint {
                instance: short_name(endpoint.instance.as_deref())?,
                address: endpoint.ip_address.as_deref()?.parse().ok()?,
                port: u16::try_from(endpoint.port?).ok()?,
            })
        })
        .collect()
}
