//! The route action parts of other resources.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Duration;

/// `HttpRouteAction` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRouteAction {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_policy: Option<CachePolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors_policy: Option<CorsPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault_injection_policy: Option<HttpFaultInjection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_stream_duration: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_mirror_policy: Option<RequestMirrorPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_policy: Option<HttpRetryPolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_rewrite: Option<UrlRewrite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighted_backend_services: Option<Vec<WeightedBackendService>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpHeaderAction` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpHeaderAction {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers_to_add: Option<Vec<HttpHeaderOption>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers_to_remove: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_headers_to_add: Option<Vec<HttpHeaderOption>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_headers_to_remove: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `CachePolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachePolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_bypass_request_header_names: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_key_policy: Option<CachePolicyCacheKeyPolicy>,
    /// One of `CACHE_ALL_STATIC`, `FORCE_CACHE_ALL`, `USE_ORIGIN_HEADERS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ttl: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_ttl: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ttl: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_caching: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_caching_policy: Option<Vec<CachePolicyNegativeCachingPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_coalescing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serve_while_stale: Option<Duration>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `CorsPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CorsPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_methods: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_origin_regexes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_origins: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expose_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<i32>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpFaultInjection` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpFaultInjection {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abort: Option<HttpFaultAbort>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<HttpFaultDelay>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `RequestMirrorPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestMirrorPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub mirror_percent: Option<f64>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpRetryPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRetryPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_retries: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_try_timeout: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_conditions: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `UrlRewrite` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlRewrite {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_rewrite: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_prefix_rewrite: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_template_rewrite: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `WeightedBackendService` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WeightedBackendService {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_action: Option<HttpHeaderAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpHeaderOption` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpHeaderOption {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replace: Option<bool>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `CachePolicyCacheKeyPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachePolicyCacheKeyPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excluded_query_parameters: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_host: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_protocol: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_query_string: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub included_cookie_names: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub included_header_names: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub included_query_parameters: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `CachePolicyNegativeCachingPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachePolicyNegativeCachingPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Duration>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpFaultAbort` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpFaultAbort {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub percentage: Option<f64>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HttpFaultDelay` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpFaultDelay {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_delay: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub percentage: Option<f64>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
