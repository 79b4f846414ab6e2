//! The url map resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/urlMaps>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    CustomErrorResponsePolicy, HttpHeaderAction, HttpRedirectAction, HttpRouteAction, HttpRouteRule,
    Resource, Uint64,
};

/// `UrlMap` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlMap {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_custom_error_response_policy: Option<CustomErrorResponsePolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_route_action: Option<HttpRouteAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_url_redirect: Option<HttpRedirectAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_action: Option<HttpHeaderAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_rules: Option<Vec<HostRule>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_matchers: Option<Vec<PathMatcher>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<Vec<UrlMapTest>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for UrlMap {
    const KIND: &'static str = "compute#urlMap";
    const COLLECTION: &'static str = "urlMaps";
    const NOUN: &'static str = "url map";
    const SET_BY_SERVER: &'static [&'static str] = &["creationTimestamp", "id", "kind", "region", "selfLink"];
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

/// `UrlMapsValidateRequest` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlMapsValidateRequest {
    /// One of `EXTERNAL`, `EXTERNAL_MANAGED`, `LOAD_BALANCING_SCHEME_UNSPECIFIED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancing_schemes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<UrlMap>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `UrlMapsValidateResponse` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlMapsValidateResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<UrlMapValidationResult>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `CacheInvalidationRule` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheInvalidationRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_tags: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `HostRule` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_matcher: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `PathMatcher` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathMatcher {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_custom_error_response_policy: Option<CustomErrorResponsePolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_route_action: Option<HttpRouteAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_url_redirect: Option<HttpRedirectAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_action: Option<HttpHeaderAction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_rules: Option<Vec<PathRule>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route_rules: Option<Vec<HttpRouteRule>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `UrlMapTest` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlMapTest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_output_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_redirect_response_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<UrlMapTestHeader>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `UrlMapValidationResult` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlMapValidationResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_errors: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_succeeded: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_failures: Option<Vec<TestFailure>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_passed: Option<bool>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `PathRule` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PathRule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_error_response_policy: Option<CustomErrorResponsePolicy>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
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

/// `UrlMapTestHeader` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlMapTestHeader {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TestFailure` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestFailure {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_output_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_redirect_response_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_output_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_redirect_response_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<UrlMapTestHeader>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
