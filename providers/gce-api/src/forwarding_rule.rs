//! The forwarding rule resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/forwardingRules>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::{MetadataFilter, Resource, Uint64};

/// `ForwardingRule` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardingRule {
    #[serde(rename = "IPAddress", skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// One of `AH`, `ESP`, `ICMP`, `L3_DEFAULT`, `SCTP`, `TCP`, `UDP`.
    #[serde(rename = "IPProtocol", skip_serializing_if = "Option::is_none")]
    pub ip_protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_ports: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_global_access: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_psc_global_access: Option<bool>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attached_extensions: Option<Vec<ForwardingRuleAttachedExtension>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_service: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_forwarding_rule: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// One of `PREPARE`, `TEST_ALL_TRAFFIC`, `TEST_BY_PERCENTAGE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_managed_backend_bucket_migration_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub external_managed_backend_bucket_migration_testing_percentage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_collection: Option<String>,
    /// One of `IPV4`, `IPV6`, `UNSPECIFIED_VERSION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_mirroring_collector: Option<bool>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// One of `EXTERNAL`, `EXTERNAL_MANAGED`, `INTERNAL`, `INTERNAL_MANAGED`, `INTERNAL_SELF_MANAGED`,
    /// `INVALID`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancing_scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata_filters: Option<Vec<MetadataFilter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// One of `FIXED_STANDARD`, `PREMIUM`, `STANDARD`, `STANDARD_OVERRIDES_FIXED_STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_tier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_automate_dns_zone: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_range: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ports: Option<Vec<String>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psc_connection_id: Option<Uint64>,
    /// Set by the server. One of `ACCEPTED`, `CLOSED`, `NEEDS_ATTENTION`, `PENDING`, `REJECTED`,
    /// `STATUS_UNSPECIFIED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psc_connection_status: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link_with_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_directory_registrations: Option<Vec<ForwardingRuleServiceDirectoryRegistration>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_label: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ip_ranges: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnetwork: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for ForwardingRule {
    const KIND: &'static str = "compute#forwardingRule";
    const COLLECTION: &'static str = "forwardingRules";
    const NOUN: &'static str = "forwarding rule";
    const SET_BY_SERVER: &'static [&'static str] = &[
        "attachedExtensions",
        "baseForwardingRule",
        "creationTimestamp",
        "id",
        "kind",
        "pscConnectionId",
        "pscConnectionStatus",
        "region",
        "selfLink",
        "selfLinkWithId",
        "serviceName",
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

/// `TargetReference` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `ForwardingRuleAttachedExtension` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardingRuleAttachedExtension {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `ForwardingRuleServiceDirectoryRegistration` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardingRuleServiceDirectoryRegistration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_directory_region: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
