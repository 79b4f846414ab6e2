//! Caching of responses.

#![allow(clippy::doc_markdown, reason = "kubectl prints comments on fields as they stand")]

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::custom_resource::concealed::Concealed;

/// Caching of responses close to users.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cdn {
    /// Whether responses are cached at all.
    #[serde(default)]
    pub enabled: bool,
    /// Requests with one of these headers are not answered from the cache. At most five.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 5))]
    pub bypass_cache_on_request_headers: Option<Vec<BypassCacheOnRequestHeader>>,
    /// By what two requests are known to ask for the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_policy: Option<CachePolicy>,
    /// What is cached: CACHE_ALL_STATIC (what is known to be static, and what the backend allows), USE_ORIGIN_HEADERS (only what the backend allows), or FORCE_CACHE_ALL (everything, private responses too). CACHE_ALL_STATIC if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_mode: Option<CacheMode>,
    /// How many seconds a client may keep a response, at most. 3600 if left out; without meaning under USE_ORIGIN_HEADERS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_622_400))]
    pub client_ttl: Option<u32>,
    /// How many seconds a response is cached that does not say so itself. 3600 if left out; without meaning under USE_ORIGIN_HEADERS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_622_400))]
    pub default_ttl: Option<u32>,
    /// How many seconds a response is cached at most, whatever it says. 86400 if left out; it has a meaning only under CACHE_ALL_STATIC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_622_400))]
    pub max_ttl: Option<u32>,
    /// Whether errors and redirects are cached too, for a short while. True if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative_caching: Option<bool>,
    /// For how long, for each status code; codes that are not named are cached for as long as the backend's headers say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["code"]))]
    pub negative_caching_policy: Option<Vec<NegativeCachingPolicy>>,
    /// Whether requests for the same that arrive together reach a backend only once. True if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_coalescing: Option<bool>,
    /// For how many seconds beyond its time a response may be served while a new one is fetched. 86400 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 604_800))]
    pub serve_while_stale: Option<u32>,
    /// How many seconds the response to a signed request is cached, whatever it says. 0 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_622_400))]
    pub signed_url_cache_max_age_sec: Option<u32>,
    /// Keys with which requests are signed. At most three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["keyName"]))]
    pub signed_url_keys: Option<Vec<SignedUrlKey>>,
}

/// A header with which a request is not answered from the cache.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BypassCacheOnRequestHeader {
    /// The name of the header; capitals do not matter.
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"))]
    pub header_name: String,
}

/// By what two requests are known to ask for the same. Left out, it is host, protocol and the whole query.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CachePolicy {
    /// Whether the host counts.
    #[serde(default)]
    pub include_host: bool,
    /// Whether it counts that it is http or https.
    #[serde(default)]
    pub include_protocol: bool,
    /// Whether the query counts. Which of its parameters do, the two lists say; all of them without.
    #[serde(default)]
    pub include_query_string: bool,
    /// Parameters of the query that do not count; all others do. Not together with queryStringWhitelist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_string_blacklist: Option<Vec<String>>,
    /// Parameters of the query that count; no others do. Not together with queryStringBlacklist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_string_whitelist: Option<Vec<String>>,
}

/// What is cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "a comment on a variant would make the schema of an enum another one")]
pub enum CacheMode {
    CacheAllStatic,
    UseOriginHeaders,
    ForceCacheAll,
}

/// For how long one kind of error or redirect is cached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NegativeCachingPolicy {
    /// The status code of the response: 300, 301, 302, 307, 308, 404, 405, 410, 421, 451 or 501.
    #[schemars(extend("enum" = [300, 301, 302, 307, 308, 404, 405, 410, 421, 451, 501]))]
    pub code: u16,
    /// For how many seconds it is cached, half an hour at most.
    #[serde(default)]
    #[schemars(range(min = 0, max = 1800))]
    pub ttl: u32,
}

/// A key with which requests are signed: either the name of a Secret, or the key itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedUrlKey {
    /// By this name a signed request says which key it was signed with.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"))]
    pub key_name: String,
    /// The key: 16 bytes, as base64 for URLs. Whoever may read this object can read it: a Secret is the better place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^([A-Za-z0-9_-]{22}(==)?)?$"))]
    pub key_value: Option<Concealed>,
    /// The Secret, in the namespace of this object, that holds the key under key_value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253), regex(pattern = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"))]
    pub secret_name: Option<String>,
}
