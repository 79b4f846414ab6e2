//! The route rule parts of other resources.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{HttpHeaderAction, HttpRouteAction, Int64};

/// `HttpRouteRule` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_error_response_policy: Option<CustomErrorResponsePolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_action: Option<HttpHeaderAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_rules: Option<Vec<HttpRouteRuleMatch>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_action: Option<HttpRouteAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_redirect: Option<HttpRedirectAction>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `CustomErrorResponsePolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomErrorResponsePolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_response_rules: Option<Vec<CustomErrorResponsePolicyCustomErrorResponseRule>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_service: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpRouteRuleMatch` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteRuleMatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_path_match: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_matches: Option<Vec<HttpHeaderMatch>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_case: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata_filters: Option<Vec<MetadataFilter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_template_match: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_match: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_parameter_matches: Option<Vec<HttpQueryParameterMatch>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex_match: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpRedirectAction` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRedirectAction {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_redirect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub https_redirect: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_redirect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_redirect: Option<String>,
    /// One of `FOUND`, `MOVED_PERMANENTLY_DEFAULT`, `PERMANENT_REDIRECT`, `SEE_OTHER`, `TEMPORARY_REDIRECT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_response_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strip_query: Option<bool>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `CustomErrorResponsePolicyCustomErrorResponseRule` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CustomErrorResponsePolicyCustomErrorResponseRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_response_codes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub override_response_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpHeaderMatch` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpHeaderMatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact_match: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invert_match: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_match: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present_match: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_match: Option<Int64RangeMatch>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex_match: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suffix_match: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `MetadataFilter` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetadataFilter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_labels: Option<Vec<MetadataFilterLabelMatch>>,
    /// One of `MATCH_ALL`, `MATCH_ANY`, `NOT_SET`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter_match_criteria: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpQueryParameterMatch` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpQueryParameterMatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact_match: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub present_match: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex_match: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `Int64RangeMatch` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Int64RangeMatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_end: Option<Int64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range_start: Option<Int64>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `MetadataFilterLabelMatch` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetadataFilterLabelMatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
