//! The security policy resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/securityPolicies>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::{
    Resource, SecurityPolicyAdaptiveProtectionConfig, SecurityPolicyRuleRateLimitOptions,
    SecurityPolicyRuleRedirectOptions, Uint64,
};

/// `SecurityPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adaptive_protection_config: Option<SecurityPolicyAdaptiveProtectionConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advanced_options_config: Option<SecurityPolicyAdvancedOptionsConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub associations: Option<Vec<SecurityPolicyAssociation>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ddos_protection_config: Option<SecurityPolicyDdosProtectionConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
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
    pub name: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recaptcha_options_config: Option<SecurityPolicyRecaptchaOptionsConfig>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<SecurityPolicyRule>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_name: Option<String>,
    /// One of `CLOUD_ARMOR`, `CLOUD_ARMOR_EDGE`, `CLOUD_ARMOR_NETWORK`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_defined_fields: Option<Vec<SecurityPolicyUserDefinedField>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for SecurityPolicy {
    const KIND: &'static str = "compute#securityPolicy";
    const COLLECTION: &'static str = "securityPolicies";
    const NOUN: &'static str = "security policy";
    const SET_BY_SERVER: &'static [&'static str] =
        &["creationTimestamp", "id", "kind", "parent", "region", "selfLink"];
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

/// `SecurityPolicyAdvancedOptionsConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyAdvancedOptionsConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_custom_config: Option<SecurityPolicyAdvancedOptionsConfigJsonCustomConfig>,
    /// One of `DISABLED`, `STANDARD`, `STANDARD_WITH_GRAPHQL`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_parsing: Option<String>,
    /// One of `NORMAL`, `VERBOSE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_body_inspection_size: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_ip_request_headers: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyAssociation` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyAssociation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment_id: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded_folders: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded_projects: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_policy_id: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_name: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyDdosProtectionConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyDdosProtectionConfig {
    /// One of `DDOS_ADAPTIVE_PROTECTION_UNSPECIFIED`, `DISABLED`, `ENABLED`, `PREVIEW`,
    /// `UNSPECIFIED_ADAPTIVE_PROTECTION`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ddos_adaptive_protection: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub ddos_impacted_baseline_threshold: Option<f64>,
    /// One of `ADVANCED`, `ADVANCED_PREVIEW`, `STANDARD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ddos_protection: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRecaptchaOptionsConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRecaptchaOptionsConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_site_key: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRule` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_action: Option<SecurityPolicyRuleHttpHeaderAction>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#match: Option<SecurityPolicyRuleMatcher>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_match: Option<SecurityPolicyRuleNetworkMatcher>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preconfigured_waf_config: Option<SecurityPolicyRulePreconfiguredWafConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit_options: Option<SecurityPolicyRuleRateLimitOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_options: Option<SecurityPolicyRuleRedirectOptions>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyUserDefinedField` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyUserDefinedField {
    /// One of `IPV4`, `IPV6`, `TCP`, `UDP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i32>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyAdvancedOptionsConfigJsonCustomConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyAdvancedOptionsConfigJsonCustomConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_types: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleHttpHeaderAction` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleHttpHeaderAction {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers_to_adds: Option<Vec<SecurityPolicyRuleHttpHeaderActionHttpHeaderOption>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleMatcher` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleMatcher {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<SecurityPolicyRuleMatcherConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expr: Option<Expr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expr_options: Option<SecurityPolicyRuleMatcherExprOptions>,
    /// One of `SRC_IPS_V1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versioned_expr: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleNetworkMatcher` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleNetworkMatcher {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest_ip_ranges: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dest_ports: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_protocols: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_asns: Option<Vec<u32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_ip_ranges: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_ports: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_region_codes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_defined_fields: Option<Vec<SecurityPolicyRuleNetworkMatcherUserDefinedFieldMatch>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRulePreconfiguredWafConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRulePreconfiguredWafConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusions: Option<Vec<SecurityPolicyRulePreconfiguredWafConfigExclusion>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleHttpHeaderActionHttpHeaderOption` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleHttpHeaderActionHttpHeaderOption {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_value: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleMatcherConfig` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleMatcherConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_ip_ranges: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `Expr` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Expr {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleMatcherExprOptions` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleMatcherExprOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recaptcha_options: Option<SecurityPolicyRuleMatcherExprOptionsRecaptchaOptions>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleNetworkMatcherUserDefinedFieldMatch` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleNetworkMatcherUserDefinedFieldMatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRulePreconfiguredWafConfigExclusion` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRulePreconfiguredWafConfigExclusion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_cookies_to_exclude: Option<Vec<SecurityPolicyRulePreconfiguredWafConfigExclusionFieldParams>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers_to_exclude: Option<Vec<SecurityPolicyRulePreconfiguredWafConfigExclusionFieldParams>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_query_params_to_exclude:
        Option<Vec<SecurityPolicyRulePreconfiguredWafConfigExclusionFieldParams>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_uris_to_exclude: Option<Vec<SecurityPolicyRulePreconfiguredWafConfigExclusionFieldParams>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_rule_ids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_rule_set: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRuleMatcherExprOptionsRecaptchaOptions` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRuleMatcherExprOptionsRecaptchaOptions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action_token_site_keys: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token_site_keys: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SecurityPolicyRulePreconfiguredWafConfigExclusionFieldParams` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicyRulePreconfiguredWafConfigExclusionFieldParams {
    /// One of `CONTAINS`, `ENDS_WITH`, `EQUALS`, `EQUALS_ANY`, `STARTS_WITH`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
