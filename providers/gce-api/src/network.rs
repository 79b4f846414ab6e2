//! The network resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/networks>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Resource, Uint64};

/// `Network` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    #[serde(rename = "IPv4Range", skip_serializing_if = "Option::is_none")]
    pub ipv4_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_create_subnetworks: Option<bool>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Set by the server.
    #[serde(rename = "gatewayIPv4", skip_serializing_if = "Option::is_none")]
    pub gateway_ipv4: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mtu: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// One of `AFTER_CLASSIC_FIREWALL`, `BEFORE_CLASSIC_FIREWALL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_firewall_policy_enforcement_order: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_config: Option<NetworkRoutingConfig>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link_with_id: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnetworks: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for Network {
    const KIND: &'static str = "compute#network";
    const COLLECTION: &'static str = "networks";
    const NOUN: &'static str = "network";
    const SET_BY_SERVER: &'static [&'static str] = &[
        "creationTimestamp",
        "firewallPolicy",
        "gatewayIPv4",
        "id",
        "kind",
        "peerings",
        "selfLink",
        "selfLinkWithId",
        "subnetworks",
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
        None
    }
}

/// `NetworkRoutingConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkRoutingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp_always_compare_med: Option<bool>,
    /// One of `LEGACY`, `STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp_best_path_selection_mode: Option<String>,
    /// One of `ADD_COST_TO_MED`, `DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bgp_inter_region_cost: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_bgp_always_compare_med: Option<bool>,
    /// Set by the server. One of `ADD_COST_TO_MED`, `DEFAULT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_bgp_inter_region_cost: Option<String>,
    /// One of `GLOBAL`, `REGIONAL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_mode: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
