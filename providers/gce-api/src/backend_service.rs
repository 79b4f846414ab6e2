//! The backend service resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/backendServices>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::{
    BackendServiceCdnPolicy, BackendServiceHttpCookie, CircuitBreakers, ConsistentHashLoadBalancerSettings,
    Duration, OutlierDetection, Resource, Secret, Uint64,
};

/// `BackendService` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendService {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity_cookie_ttl_sec: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backends: Option<Vec<Backend>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cdn_policy: Option<BackendServiceCdnPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_breakers: Option<CircuitBreakers>,
    /// One of `AUTOMATIC`, `DISABLED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_draining: Option<ConnectionDraining>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_tracking_policy: Option<BackendServiceConnectionTrackingPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consistent_hash: Option<ConsistentHashLoadBalancerSettings>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_metrics: Option<Vec<BackendServiceCustomMetric>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_request_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_response_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge_security_policy: Option<String>,
    #[serde(rename = "enableCDN", skip_serializing_if = "Option::is_none")]
    pub enable_cdn: Option<bool>,
    /// One of `PREPARE`, `TEST_ALL_TRAFFIC`, `TEST_BY_PERCENTAGE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_managed_migration_state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub external_managed_migration_testing_percentage: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover_policy: Option<BackendServiceFailoverPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ha_policy: Option<BackendServiceHaPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_checks: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iap: Option<BackendServiceIap>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    /// One of `IPV4_ONLY`, `IPV6_ONLY`, `IP_ADDRESS_SELECTION_POLICY_UNSPECIFIED`, `PREFER_IPV6`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address_selection_policy: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// One of `EXTERNAL`, `EXTERNAL_MANAGED`, `INTERNAL`, `INTERNAL_MANAGED`, `INTERNAL_SELF_MANAGED`,
    /// `INVALID_LOAD_BALANCING_SCHEME`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancing_scheme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality_lb_policies: Option<Vec<BackendServiceLocalityLoadBalancingPolicyConfig>>,
    /// One of `INVALID_LB_POLICY`, `LEAST_REQUEST`, `MAGLEV`, `ORIGINAL_DESTINATION`, `RANDOM`, `RING_HASH`,
    /// `ROUND_ROBIN`, `WEIGHTED_GCP_RENDEZVOUS`, `WEIGHTED_MAGLEV`, `WEIGHTED_ROUND_ROBIN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locality_lb_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_config: Option<BackendServiceLogConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stream_duration: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadatas: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_pass_through_lb_traffic_policy: Option<BackendServiceNetworkPassThroughLbTrafficPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orchestration_info: Option<BackendServiceOrchestrationInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outlier_detection: Option<OutlierDetection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<BackendServiceParams>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port_name: Option<String>,
    /// One of `GRPC`, `H2C`, `HTTP`, `HTTP2`, `HTTPS`, `SSL`, `TCP`, `UDP`, `UNSPECIFIED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_settings: Option<SecuritySettings>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_bindings: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_lb_policy: Option<String>,
    /// One of `CLIENT_IP`, `CLIENT_IP_NO_DESTINATION`, `CLIENT_IP_PORT_PROTO`, `CLIENT_IP_PROTO`,
    /// `GENERATED_COOKIE`, `HEADER_FIELD`, `HTTP_COOKIE`, `NONE`, `STRONG_COOKIE_AFFINITY`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_affinity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strong_session_affinity_cookie: Option<BackendServiceHttpCookie>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subsetting: Option<Subsetting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_sec: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_settings: Option<BackendServiceTlsSettings>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used_by: Option<Vec<BackendServiceUsedBy>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for BackendService {
    const KIND: &'static str = "compute#backendService";
    const COLLECTION: &'static str = "backendServices";
    const NOUN: &'static str = "backend service";
    const SET_BY_SERVER: &'static [&'static str] = &[
        "creationTimestamp",
        "edgeSecurityPolicy",
        "id",
        "kind",
        "region",
        "securityPolicy",
        "selfLink",
        "usedBy",
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

/// `SecurityPolicyReference` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `Backend` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// One of `CONNECTION`, `CUSTOM_METRICS`, `IN_FLIGHT`, `RATE`, `UTILIZATION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balancing_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub capacity_scaler: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_metrics: Option<Vec<BackendCustomMetric>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failover: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connections_per_endpoint: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_connections_per_instance: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_in_flight_requests: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_in_flight_requests_per_endpoint: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_in_flight_requests_per_instance: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rate: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub max_rate_per_endpoint: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub max_rate_per_instance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub max_utilization: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orchestration_info: Option<BackendBackendOrchestrationInfo>,
    /// One of `DEFAULT`, `PREFERENCE_UNSPECIFIED`, `PREFERRED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preference: Option<String>,
    /// One of `LONG`, `SHORT`, `TRAFFIC_DURATION_UNSPECIFIED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_duration: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `ConnectionDraining` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionDraining {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draining_timeout_sec: Option<i32>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceConnectionTrackingPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceConnectionTrackingPolicy {
    /// One of `ALWAYS_PERSIST`, `DEFAULT_FOR_PROTOCOL`, `NEVER_PERSIST`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_persistence_on_unhealthy_backends: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_strong_affinity: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout_sec: Option<i32>,
    /// One of `INVALID_TRACKING_MODE`, `PER_CONNECTION`, `PER_SESSION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_mode: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceCustomMetric` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceCustomMetric {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceFailoverPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceFailoverPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disable_connection_drain_on_failover: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drop_traffic_if_unhealthy: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub failover_ratio: Option<f64>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceHAPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceHaPolicy {
    /// One of `DISABLED`, `GARP_RA`.
    #[serde(rename = "fastIPMove", skip_serializing_if = "Option::is_none")]
    pub fast_ip_move: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leader: Option<BackendServiceHaPolicyLeader>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceIAP` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceIap {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth2_client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth2_client_secret: Option<Secret>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth2_client_secret_sha256: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceLocalityLoadBalancingPolicyConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceLocalityLoadBalancingPolicyConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_policy: Option<BackendServiceLocalityLoadBalancingPolicyConfigCustomPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<BackendServiceLocalityLoadBalancingPolicyConfigPolicy>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceLogConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceLogConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging_http_request_headers: Option<Vec<BackendServiceLogConfigLoggingHttpHeader>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging_http_response_headers: Option<Vec<BackendServiceLogConfigLoggingHttpHeader>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional_fields: Option<Vec<String>>,
    /// One of `CUSTOM`, `EXCLUDE_ALL_OPTIONAL`, `INCLUDE_ALL_OPTIONAL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub sample_rate: Option<f64>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceNetworkPassThroughLbTrafficPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceNetworkPassThroughLbTrafficPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zonal_affinity: Option<BackendServiceNetworkPassThroughLbTrafficPolicyZonalAffinity>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceOrchestrationInfo` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceOrchestrationInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_uri: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceParams` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceParams {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_manager_tags: Option<BTreeMap<String, String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecuritySettings` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecuritySettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws_v4_authentication: Option<AwsV4Signature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_tls_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_alt_names: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `Subsetting` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subsetting {
    /// One of `CONSISTENT_HASH_SUBSETTING`, `NONE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceTlsSettings` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceTlsSettings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication_config: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_alt_names: Option<Vec<BackendServiceTlsSettingsSubjectAltName>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceUsedBy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceUsedBy {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendCustomMetric` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendCustomMetric {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub max_utilization: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendBackendOrchestrationInfo` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendBackendOrchestrationInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_uri: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceHAPolicyLeader` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceHaPolicyLeader {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_endpoint: Option<BackendServiceHaPolicyLeaderNetworkEndpoint>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceLocalityLoadBalancingPolicyConfigCustomPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceLocalityLoadBalancingPolicyConfigCustomPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceLocalityLoadBalancingPolicyConfigPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceLocalityLoadBalancingPolicyConfigPolicy {
    /// One of `INVALID_LB_POLICY`, `LEAST_REQUEST`, `MAGLEV`, `ORIGINAL_DESTINATION`, `RANDOM`, `RING_HASH`,
    /// `ROUND_ROBIN`, `WEIGHTED_GCP_RENDEZVOUS`, `WEIGHTED_MAGLEV`, `WEIGHTED_ROUND_ROBIN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceLogConfigLoggingHttpHeader` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceLogConfigLoggingHttpHeader {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_name: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceNetworkPassThroughLbTrafficPolicyZonalAffinity` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceNetworkPassThroughLbTrafficPolicyZonalAffinity {
    /// One of `ZONAL_AFFINITY_DISABLED`, `ZONAL_AFFINITY_SPILL_CROSS_ZONE`, `ZONAL_AFFINITY_STAY_WITHIN_ZONE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spillover: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub spillover_ratio: Option<f64>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `AWSV4Signature` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AwsV4Signature {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin_region: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceTlsSettingsSubjectAltName` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceTlsSettingsSubjectAltName {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uniform_resource_identifier: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceHAPolicyLeaderNetworkEndpoint` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceHaPolicyLeaderNetworkEndpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
