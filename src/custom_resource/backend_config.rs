//! `BackendConfig`: how a load balancer treats the backends of a Service.
//!
//! A Service names one in its annotation `cloud.google.com/backend-config`, for all of its ports or for each. Comments on fields are what
//! `kubectl explain` prints.

#![allow(clippy::doc_markdown, reason = "kubectl prints comments on fields as they stand")]

mod cdn;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use cdn::{BypassCacheOnRequestHeader, CacheMode, CachePolicy, Cdn, NegativeCachingPolicy, SignedUrlKey};

use super::concealed::Concealed;
use super::rule::Rule;

/// How a load balancer treats the backends of the Services that name this BackendConfig. A field that is left out leaves the matter to its default.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "cloud.google.com",
    version = "v1",
    kind = "BackendConfig",
    plural = "backendconfigs",
    shortname = "bc",
    namespaced,
    derive = "PartialEq",
    doc = "How a load balancer treats the backends of a Service: caching, access, affinity, time-outs, headers, health checks, logs. A Service names it in its annotation cloud.google.com/backend-config."
)]
pub struct BackendConfigSpec {
    /// Access only for people who are signed in (Identity-Aware Proxy). It cannot be enabled together with cdn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iap: Option<Iap>,
    /// Caching of responses close to users (Cloud CDN). It cannot be enabled together with iap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cdn: Option<Cdn>,
    /// The security policy (Google Cloud Armor) that requests must pass. An empty name takes the policy off; leaving this out leaves alone what is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_policy: Option<SecurityPolicy>,
    /// How many seconds a backend has for its whole response before the load balancer gives up. For a WebSocket it is how long the connection may last. 30 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub timeout_sec: Option<u32>,
    /// How requests that are under way are treated when a backend leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_draining: Option<ConnectionDraining>,
    /// Whether requests of one client keep going to one backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_affinity: Option<SessionAffinity>,
    /// Headers that are added to requests on their way to a backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_request_headers: Option<CustomHeaders>,
    /// Headers that are added to responses on their way to a client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_response_headers: Option<CustomHeaders>,
    /// How it is found out whether a backend can serve. What is left out is taken from the readiness probe of the pods, or is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// Which requests are written to the request log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
}

/// Identity-Aware Proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Iap {
    /// Whether only people who are signed in and may do so reach the backends.
    #[serde(default)]
    pub enabled: bool,
    /// The OAuth client that signs people in. Left out, it is the one that Google manages.
    #[serde(rename = "oauthclientCredentials", default, skip_serializing_if = "Option::is_none")]
    pub oauthclient_credentials: Option<OauthClientCredentials>,
}

/// An OAuth client: either the name of a Secret, or the client itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OauthClientCredentials {
    /// The Secret, in the namespace of this object, that holds the client under the keys client_id and client_secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253), regex(pattern = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"))]
    pub secret_name: Option<String>,
    /// The client's id, where no Secret is named.
    #[serde(rename = "clientID", default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The client's secret, where no Secret is named. Whoever may read this object can read it: a Secret is the better place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Concealed>,
}

/// A security policy, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicy {
    /// The name of a security policy of the project. Empty takes off the one that is there.
    #[schemars(length(max = 63), regex(pattern = r"^([a-z]([-a-z0-9]*[a-z0-9])?)?$"))]
    pub name: String,
}

/// How requests that are under way are treated when a backend leaves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionDraining {
    /// How many seconds requests that are under way have to end when their backend leaves. New requests go elsewhere at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3600))]
    pub draining_timeout_sec: Option<u32>,
}

/// Whether requests of one client keep going to one backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionAffinity {
    /// By what a client is known again: NONE, CLIENT_IP (its address), or GENERATED_COOKIE (a cookie that the load balancer sets).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity_type: Option<AffinityType>,
    /// How many seconds the generated cookie lasts. 0 means as long as the client's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub affinity_cookie_ttl_sec: Option<u32>,
}

/// By what a client is known again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "a comment on a variant would make the schema of an enum another one")]
pub enum AffinityType {
    None,
    ClientIp,
    GeneratedCookie,
}

/// Headers that are added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomHeaders {
    /// Each as "Name: value". A value may hold variables such as {client_region}, which the load balancer fills in. An empty list takes all of them off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), inner(regex(pattern = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n]*$")))]
    pub headers: Option<Vec<String>>,
}

/// How it is found out whether a backend can serve.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// How many seconds lie between the beginnings of two probes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 300))]
    pub check_interval_sec: Option<u32>,
    /// How many seconds a probe waits for its answer; no more than checkIntervalSec.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 300))]
    pub timeout_sec: Option<u32>,
    /// So many probes in a row must succeed before an unhealthy backend gets requests again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub healthy_threshold: Option<u32>,
    /// So many probes in a row must fail before a healthy backend gets no more requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub unhealthy_threshold: Option<u32>,
    /// How a probe asks: HTTP, HTTPS, HTTP2, GRPC or TCP. Left out, it is the protocol of the backend.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<HealthCheckType>,
    /// The port that is probed: of the pod where the Service is container-native, of the node otherwise. Left out, it is the port that serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<u16>,
    /// The path that a probe asks for; 200 is the one good answer. It has no meaning for GRPC and TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), regex(pattern = r"^/\S*$"))]
    pub request_path: Option<String>,
}

/// How a probe asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "a comment on a variant would make the schema of an enum another one")]
pub enum HealthCheckType {
    Http,
    Https,
    #[serde(rename = "HTTP2")]
    Http2,
    Grpc,
    Tcp,
}

/// Which requests are written to the request log.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Logging {
    /// Whether requests are logged at all.
    #[serde(default)]
    pub enable: bool,
    /// The share of requests that is logged, from 0 to 1. 1 if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub sample_rate: Option<f64>,
}

/// The rules between fields.
pub(crate) const RULES: &[Rule<BackendConfigSpec>] = &[
    Rule {
        at: "spec",
        field: ".cdn.enabled",
        message: "cdn and iap cannot both be enabled: Compute Engine refuses that for one backend service",
        cel: "!(has(self.iap) && has(self.iap.enabled) && self.iap.enabled && has(self.cdn) && has(self.cdn.enabled) && self.cdn.enabled)",
        holds: |spec| {
            let iap = spec.iap.as_ref().is_some_and(|iap| iap.enabled);
            !(iap && spec.cdn.as_ref().is_some_and(|cdn| cdn.enabled))
        },
    },
    Rule {
        at: "spec.healthCheck",
        field: ".timeoutSec",
        message: "timeoutSec must be no more than checkIntervalSec",
        cel: "!has(self.timeoutSec) || !has(self.checkIntervalSec) || self.timeoutSec <= self.checkIntervalSec",
        holds: |spec| {
            let check = spec.health_check.as_ref();
            let both = check.and_then(|check| check.timeout_sec.zip(check.check_interval_sec));
            both.is_none_or(|(timeout, interval)| timeout <= interval)
        },
    },
    Rule {
        at: "spec.cdn.cachePolicy",
        field: ".queryStringWhitelist",
        message: "queryStringWhitelist and queryStringBlacklist exclude each other: keep the one that says it shorter",
        cel: "!has(self.queryStringWhitelist) || size(self.queryStringWhitelist) == 0 || !has(self.queryStringBlacklist) || size(self.queryStringBlacklist) == 0",
        holds: |spec| {
            let policy = spec.cdn.as_ref().and_then(|cdn| cdn.cache_policy.as_ref());
            let named = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
            policy.is_none_or(|policy| {
                !(named(&policy.query_string_whitelist) && named(&policy.query_string_blacklist))
            })
        },
    },
];
