//! The instance resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/instances>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::{Resource, Uint64};

/// `Instance` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Instance {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_interfaces: Option<Vec<NetworkInterface>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// Set by the server. One of `DEPROVISIONING`, `PENDING`, `PENDING_STOP`, `PROVISIONING`, `REPAIRING`,
    /// `RUNNING`, `STAGING`, `STOPPED`, `STOPPING`, `SUSPENDED`, `SUSPENDING`, `TERMINATED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for Instance {
    const KIND: &'static str = "compute#instance";
    const COLLECTION: &'static str = "instances";
    const NOUN: &'static str = "instance";
    const SET_BY_SERVER: &'static [&'static str] = &[
        "cpuPlatform",
        "creationTimestamp",
        "id",
        "kind",
        "lastStartTimestamp",
        "lastStopTimestamp",
        "lastSuspendedTimestamp",
        "resourceStatus",
        "satisfiesPzi",
        "satisfiesPzs",
        "selfLink",
        "startRestricted",
        "status",
        "statusMessage",
        "zone",
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

/// `NetworkInterface` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkInterface {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_configs: Option<Vec<AccessConfig>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_ip_ranges: Option<Vec<AliasIpRange>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_ipv6_ranges: Option<Vec<AliasIpRange>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_vpc_scoped_dns: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// One of `IGMP_QUERY_DISABLED`, `IGMP_QUERY_V2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub igmp_query: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_ipv6_prefix_length: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_access_configs: Option<Vec<AccessConfig>>,
    /// Set by the server. One of `EXTERNAL`, `INTERNAL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_access_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_attachment: Option<String>,
    #[serde(rename = "networkIP", skip_serializing_if = "Option::is_none")]
    pub network_ip: Option<String>,
    /// One of `GVNIC`, `IDPF`, `IRDMA`, `MRDMA`, `UNSPECIFIED_NIC_TYPE`, `VIRTIO_NET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nic_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_nic_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue_count: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_class_id: Option<String>,
    /// One of `IPV4_IPV6`, `IPV4_ONLY`, `IPV6_ONLY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnetwork: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<i32>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `Tags` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tags {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `AccessConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_ipv6: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_ipv6_prefix_length: Option<i32>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(rename = "natIP", skip_serializing_if = "Option::is_none")]
    pub nat_ip: Option<String>,
    /// One of `FIXED_STANDARD`, `PREMIUM`, `STANDARD`, `STANDARD_OVERRIDES_FIXED_STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_tier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ptr_domain_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_public_ptr: Option<bool>,
    /// One of `DIRECT_IPV6`, `ONE_TO_ONE_NAT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `AliasIpRange` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AliasIpRange {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_cidr_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnetwork_range_name: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
