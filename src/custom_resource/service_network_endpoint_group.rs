//! `ServiceNetworkEndpointGroup`: what became of a network endpoint group of a Service, for whoever wants to use it too.
//!
//! There is one for each name of a group, in the Service's namespace and with the group's name. Comments on fields are what
//! `kubectl explain` prints.

#![allow(clippy::doc_markdown, reason = "kubectl prints comments on fields as they stand")]

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked for stands on the Service; nothing is asked here.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "networking.gke.io",
    version = "v1beta1",
    kind = "ServiceNetworkEndpointGroup",
    plural = "servicenetworkendpointgroups",
    shortname = "svcneg",
    namespaced,
    status = "ServiceNetworkEndpointGroupStatus",
    derive = "PartialEq",
    doc = "The network endpoint groups of a port of a Service. It is written by the controller and has the name of the groups."
)]
pub struct ServiceNetworkEndpointGroupSpec {}

/// The groups, and how far they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceNetworkEndpointGroupStatus {
    /// The groups that there are: one in each zone and subnetwork.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_endpoint_groups: Vec<NetworkEndpointGroup>,
    /// Whether the groups were made (Initialized) and hold the endpoints of the Service (Synced).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// When the endpoints were last compared with the groups' members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_sync_time: Option<String>,
}

/// A network endpoint group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkEndpointGroup {
    /// Its number, which no other group has or will have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// The URL of the subnetwork that its endpoints are in.
    #[serde(rename = "subnetURL", default, skip_serializing_if = "Option::is_none")]
    pub subnet_url: Option<String>,
    /// What its endpoints are: GCE_VM_IP_PORT (pods), GCE_VM_IP (nodes) or NON_GCP_PRIVATE_IP_PORT (elsewhere).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_endpoint_type: Option<NetworkEndpointType>,
    /// ACTIVE while endpoints are kept in it; INACTIVE when its zone has no nodes any more; TO_BE_DELETED when nothing needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NetworkEndpointGroupState>,
}

/// What the endpoints of a group are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "a comment on a variant would make the schema of an enum another one")]
pub enum NetworkEndpointType {
    GceVmIpPort,
    GceVmIp,
    NonGcpPrivateIpPort,
}

/// Whether a group is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "a comment on a variant would make the schema of an enum another one")]
pub enum NetworkEndpointGroupState {
    Active,
    Inactive,
    ToBeDeleted,
}

/// Something that can be told of the groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What it is about: Initialized or Synced.
    #[serde(rename = "type")]
    pub type_: String,
    /// Whether it is so.
    pub status: ConditionStatus,
    /// The generation of the object that this was said of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub observed_generation: Option<i64>,
    /// When its status last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: Option<String>,
    /// Why, in one word: NegInitializationSuccessful, NegInitializationFailed, NegSyncSuccessful or NegSyncFailed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Whether something is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "a comment on a variant would make the schema of an enum another one")]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}
