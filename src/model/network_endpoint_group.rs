//! A zonal network endpoint group: pods, reached directly (Compute API `networkEndpointGroups`, type `GCE_VM_IP_PORT`).

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::ResourceId;

/// Endpoints in one zone. Everything but the members is immutable, so it is in the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroup {
    /// Short name of the VPC network.
    pub network: String,
    /// Short name of the subnetwork, in the zone's region.
    pub subnetwork: String,
    /// Who is in it. Changed by attaching and detaching, never by an update.
    pub members: BTreeSet<Endpoint>,
}

/// One pod's address and port, on the instance that carries it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Short name of the instance, in the group's zone.
    pub instance: String,
    /// An address of the instance or of its alias ranges.
    pub address: Ipv4Addr,
    /// Where it serves.
    pub port: u16,
}

impl NetworkEndpointGroup {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self { network: _, subnetwork: _, members: _ } = self;
        Vec::new()
    }
}
