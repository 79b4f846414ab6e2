//! The network endpoint parts of other resources.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::Warning;

/// `NetworkEndpoint` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_destination_port: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `NetworkEndpointGroupsAttachEndpointsRequest` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroupsAttachEndpointsRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_endpoints: Option<Vec<NetworkEndpoint>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `NetworkEndpointGroupsDetachEndpointsRequest` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroupsDetachEndpointsRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_endpoints: Option<Vec<NetworkEndpoint>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `NetworkEndpointGroupsListEndpointsRequest` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroupsListEndpointsRequest {
    /// One of `SHOW`, `SKIP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_status: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `NetworkEndpointGroupsListNetworkEndpoints` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroupsListNetworkEndpoints {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<NetworkEndpointWithHealthStatus>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<Warning>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `NetworkEndpointWithHealthStatus` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointWithHealthStatus {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healths: Option<Vec<HealthStatusForNetworkEndpoint>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_endpoint: Option<NetworkEndpoint>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HealthStatusForNetworkEndpoint` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthStatusForNetworkEndpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_service: Option<BackendServiceReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarding_rule: Option<ForwardingRuleReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheckReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_service: Option<HealthCheckServiceReference>,
    /// One of `DRAINING`, `HEALTHY`, `UNHEALTHY`, `UNKNOWN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_state: Option<String>,
    /// One of `DRAINING`, `HEALTHY`, `UNHEALTHY`, `UNKNOWN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_health_state: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceReference` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_service: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `ForwardingRuleReference` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardingRuleReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forwarding_rule: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HealthCheckReference` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheckReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HealthCheckServiceReference` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheckServiceReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_service: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
