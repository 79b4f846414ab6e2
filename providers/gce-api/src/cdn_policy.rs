//! The cdn policy parts of other resources.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Int64, Secret};

/// `BackendServiceCdnPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceCdnPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_cache_on_request_headers: Option<Vec<BackendServiceCdnPolicyBypassCacheOnRequestHeader>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_key_policy: Option<CacheKeyPolicy>,
    /// One of `CACHE_ALL_STATIC`, `FORCE_CACHE_ALL`, `INVALID_CACHE_MODE`, `USE_ORIGIN_HEADERS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ttl: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_ttl: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ttl: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_caching: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_caching_policy: Option<Vec<BackendServiceCdnPolicyNegativeCachingPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_coalescing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serve_while_stale: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_url_cache_max_age_sec: Option<Int64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_url_key_names: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendBucketCdnPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendBucketCdnPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bypass_cache_on_request_headers: Option<Vec<BackendBucketCdnPolicyBypassCacheOnRequestHeader>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_key_policy: Option<BackendBucketCdnPolicyCacheKeyPolicy>,
    /// One of `CACHE_ALL_STATIC`, `FORCE_CACHE_ALL`, `INVALID_CACHE_MODE`, `USE_ORIGIN_HEADERS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ttl: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_ttl: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ttl: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_caching: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_caching_policy: Option<Vec<BackendBucketCdnPolicyNegativeCachingPolicy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_coalescing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serve_while_stale: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_url_cache_max_age_sec: Option<Int64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_url_key_names: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SignedUrlKey` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedUrlKey {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_value: Option<Secret>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceCdnPolicyBypassCacheOnRequestHeader` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceCdnPolicyBypassCacheOnRequestHeader {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_name: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `CacheKeyPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheKeyPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_host: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_http_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_named_cookies: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_protocol: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_query_string: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_string_blacklist: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_string_whitelist: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendServiceCdnPolicyNegativeCachingPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendServiceCdnPolicyNegativeCachingPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<i32>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendBucketCdnPolicyBypassCacheOnRequestHeader` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendBucketCdnPolicyBypassCacheOnRequestHeader {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_name: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendBucketCdnPolicyCacheKeyPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendBucketCdnPolicyCacheKeyPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_http_headers: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query_string_whitelist: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `BackendBucketCdnPolicyNegativeCachingPolicy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendBucketCdnPolicyNegativeCachingPolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<i32>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
