//! `FrontendConfig`: how a load balancer meets its clients.
//!
//! An Ingress names one in its annotation `networking.gke.io/v1beta1.FrontendConfig`. Comments on fields are what `kubectl explain` prints.

#![allow(clippy::doc_markdown, reason = "kubectl prints comments on fields as they stand")]

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a load balancer meets its clients. A field that is left out leaves the matter to its default.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "networking.gke.io",
    version = "v1beta1",
    kind = "FrontendConfig",
    plural = "frontendconfigs",
    namespaced,
    derive = "PartialEq",
    doc = "How a load balancer meets its clients: which versions and ciphers of TLS, and whether plain HTTP is redirected. An Ingress names it in its annotation networking.gke.io/v1beta1.FrontendConfig."
)]
pub struct FrontendConfigSpec {
    /// The name of an SSL policy of the project: which versions and ciphers of TLS a client may use. Empty takes off the one that is there; leaving this out leaves alone what is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 63), regex(pattern = r"^([a-z]([-a-z0-9]*[a-z0-9])?)?$"))]
    pub ssl_policy: Option<String>,
    /// Whether plain HTTP is redirected to HTTPS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_to_https: Option<RedirectToHttps>,
}

/// Whether plain HTTP is redirected to HTTPS.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedirectToHttps {
    /// Whether a request over plain HTTP is answered with a redirect to the same over HTTPS.
    #[serde(default)]
    pub enabled: bool,
    /// How it is redirected: MOVED_PERMANENTLY_DEFAULT (301), FOUND (302), TEMPORARY_REDIRECT (307, the method stays) or PERMANENT_REDIRECT (308, the method stays). 301 if left out or empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_code_name: Option<ResponseCodeName>,
}

/// How a request is redirected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "a comment on a variant would make the schema of an enum another one")]
pub enum ResponseCodeName {
    MovedPermanentlyDefault,
    Found,
    TemporaryRedirect,
    PermanentRedirect,
    #[serde(rename = "")]
    Unset,
}
