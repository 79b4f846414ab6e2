//! The network endpoint group resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/networkEndpointGroups>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::{Resource, Uint64};

/// `NetworkEndpointGroup` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroup {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_engine: Option<NetworkEndpointGroupAppEngine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_function: Option<NetworkEndpointGroupCloudFunction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud_run: Option<NetworkEndpointGroupCloudRun>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_port: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// One of `GCE_VM_IP`, `GCE_VM_IP_PORT`, `GCE_VM_IP_PORTMAP`, `INTERNET_FQDN_PORT`, `INTERNET_IP_PORT`,
    /// `NON_GCP_PRIVATE_IP_PORT`, `PRIVATE_SERVICE_CONNECT`, `SERVERLESS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_endpoint_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psc_data: Option<NetworkEndpointGroupPscData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psc_target_service: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnetwork: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for NetworkEndpointGroup {
    const KIND: &'static str = "compute#networkEndpointGroup";
    const COLLECTION: &'static str = "networkEndpointGroups";
    const NOUN: &'static str = "network endpoint group";
    const SET_BY_SERVER: &'static [&'static str] =
        &["creationTimestamp", "id", "kind", "region", "selfLink", "size", "zone"];
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

/// `NetworkEndpointGroupAppEngine` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroupAppEngine {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_mask: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `NetworkEndpointGroupCloudFunction` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroupCloudFunction {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_mask: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `NetworkEndpointGroupCloudRun` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroupCloudRun {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_mask: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `NetworkEndpointGroupPscData` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroupPscData {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consumer_psc_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub producer_port: Option<i32>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psc_connection_id: Option<Uint64>,
    /// Set by the server. One of `ACCEPTED`, `CLOSED`, `NEEDS_ATTENTION`, `PENDING`, `REJECTED`,
    /// `STATUS_UNSPECIFIED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psc_connection_status: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
