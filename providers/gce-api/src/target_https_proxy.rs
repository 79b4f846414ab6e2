//! The target HTTPS proxy resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/targetHttpsProxies>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Resource, Uint64};

/// `TargetHttpsProxy` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetHttpsProxy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_map: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_keep_alive_timeout_sec: Option<i32>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_bind: Option<bool>,
    /// One of `DISABLE`, `ENABLE`, `NONE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quic_override: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_tls_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_certificates: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_policy: Option<String>,
    /// One of `DISABLED`, `PERMISSIVE`, `STRICT`, `UNRESTRICTED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_early_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_map: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for TargetHttpsProxy {
    const KIND: &'static str = "compute#targetHttpsProxy";
    const COLLECTION: &'static str = "targetHttpsProxies";
    const NOUN: &'static str = "target HTTPS proxy";
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

/// `TargetHttpsProxiesSetSslCertificatesRequest` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetHttpsProxiesSetSslCertificatesRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_certificates: Option<Vec<String>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TargetHttpsProxiesSetQuicOverrideRequest` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetHttpsProxiesSetQuicOverrideRequest {
    /// One of `DISABLE`, `ENABLE`, `NONE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quic_override: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `TargetHttpsProxiesSetCertificateMapRequest` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetHttpsProxiesSetCertificateMapRequest {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_map: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// `SslPolicyReference` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SslPolicyReference {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ssl_policy: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
