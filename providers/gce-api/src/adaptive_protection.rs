//! The adaptive protection parts of other resources.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `SecurityPolicyAdaptiveProtectionConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyAdaptiveProtectionConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer7_ddos_defense_config: Option<SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfig>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable: Option<bool>,
    /// One of `PREMIUM`, `STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_visibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_configs:
        Option<Vec<SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfigThresholdConfig>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfigThresholdConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfigThresholdConfig {
#[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
pub auto_deploy_confidence_threshold: Option<f64>,
#[serde(skip_serializing_if = "Option::is_none")]
pub auto_deploy_expiration_sec: Option<i32>,
#[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
pub auto_deploy_impacted_baseline_threshold: Option<f64>,
#[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
pub auto_deploy_load_threshold: Option<f64>,
#[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
pub detection_absolute_qps: Option<f64>,
#[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
pub detection_load_threshold: Option<f64>,
#[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
pub detection_relative_to_baseline_qps: Option<f64>,
#[serde(skip_serializing_if = "Option::is_none")]
pub name: Option<String>,
#[serde(skip_serializing_if = "Option::is_none")]
pub traffic_granularity_configs: Option<Vec<SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfigThresholdConfigTrafficGranularityConfig>>,
/// What the API sent and this version does not know.
#[serde(flatten)]
pub extra: Map<String, Value>,
}

/// `SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfigThresholdConfigTrafficGranularityConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyAdaptiveProtectionConfigLayer7DdosDefenseConfigThresholdConfigTrafficGranularityConfig
{
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_each_unique_value: Option<bool>,
    /// One of `HTTP_HEADER_HOST`, `HTTP_PATH`, `UNSPECIFIED_TYPE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
