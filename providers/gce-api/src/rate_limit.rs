//! The rate limit parts of other resources.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `SecurityPolicyRuleRateLimitOptions` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleRateLimitOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_duration_sec: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ban_threshold: Option<SecurityPolicyRuleRateLimitOptionsThreshold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conform_action: Option<String>,
    /// One of `ALL`, `HTTP_COOKIE`, `HTTP_HEADER`, `HTTP_PATH`, `IP`, `REGION_CODE`, `SNI`,
    /// `TLS_JA3_FINGERPRINT`, `TLS_JA4_FINGERPRINT`, `USER_IP`, `XFF_IP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_on_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_on_key_configs: Option<Vec<SecurityPolicyRuleRateLimitOptionsEnforceOnKeyConfig>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_on_key_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exceed_action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exceed_redirect_options: Option<SecurityPolicyRuleRedirectOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit_threshold: Option<SecurityPolicyRuleRateLimitOptionsThreshold>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleRateLimitOptionsThreshold` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleRateLimitOptionsThreshold {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_sec: Option<i32>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleRateLimitOptionsEnforceOnKeyConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleRateLimitOptionsEnforceOnKeyConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_on_key_name: Option<String>,
    /// One of `ALL`, `HTTP_COOKIE`, `HTTP_HEADER`, `HTTP_PATH`, `IP`, `REGION_CODE`, `SNI`,
    /// `TLS_JA3_FINGERPRINT`, `TLS_JA4_FINGERPRINT`, `USER_IP`, `XFF_IP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforce_on_key_type: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleRedirectOptions` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleRedirectOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// One of `EXTERNAL_302`, `GOOGLE_RECAPTCHA`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
