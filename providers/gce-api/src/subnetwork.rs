//! The subnetwork resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Resource, Uint64};

/// `Subnetwork` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subnetwork {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_subnet_cidr_routes_overlap: Option<bool>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_flow_logs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_ipv6_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway_address: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_ipv6_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_cidr_range: Option<String>,
    /// One of `EXTERNAL`, `INTERNAL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_access_type: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_cidr_range: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_ip_google_access: Option<bool>,
    /// One of `DISABLE_GOOGLE_ACCESS`, `ENABLE_BIDIRECTIONAL_ACCESS_TO_GOOGLE`,
    /// `ENABLE_OUTBOUND_VM_ACCESS_TO_GOOGLE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_ipv6_google_access: Option<String>,
    /// One of `GLOBAL_MANAGED_PROXY`, `INTERNAL_HTTPS_LOAD_BALANCER`, `PEER_MIGRATION`, `PRIVATE`,
    /// `PRIVATE_NAT`, `PRIVATE_RFC_1918`, `PRIVATE_SERVICE_CONNECT`, `REGIONAL_MANAGED_PROXY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved_internal_range: Option<String>,
    /// One of `ACTIVE`, `BACKUP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secondary_ip_ranges: Option<Vec<SubnetworkSecondaryRange>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// One of `IPV4_IPV6`, `IPV4_ONLY`, `IPV6_ONLY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_type: Option<String>,
    /// Set by the server. One of `DRAINING`, `READY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for Subnetwork {
    const KIND: &'static str = "compute#subnetwork";
    const COLLECTION: &'static str = "subnetworks";
    const NOUN: &'static str = "subnetwork";
    const SET_BY_SERVER: &'static [&'static str] = &[
        "creationTimestamp",
        "gatewayAddress",
        "id",
        "ipv6CidrRange",
        "ipv6GceEndpoint",
        "kind",
        "selfLink",
        "state",
        "systemReservedExternalIpv6Ranges",
        "systemReservedInternalIpv6Ranges",
        "utilizationDetails",
    ];
    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    fn id(&self) -> Option<&Uint64> {
        self.id.as_ref()
    }
    fn self_link(&self) -> Option<&str> {
        self.self_link.as_deref()
    }
    fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
    fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }
}

/// `SubnetworkSecondaryRange` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SubnetworkSecondaryRange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_cidr_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_collection: Option<String>,
    /// One of `IPV4`, `IPV6`, `IP_VERSION_UNSPECIFIED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved_internal_range: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
