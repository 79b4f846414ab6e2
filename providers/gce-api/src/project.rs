//! The project resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/projects>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Resource, Uint64};

/// `Project` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Project {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_service_account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled_features: Option<Vec<String>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quotas: Option<Vec<Quota>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// Set by the server. One of `HOST`, `UNSPECIFIED_XPN_PROJECT_STATUS`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub xpn_project_status: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for Project {
    const KIND: &'static str = "compute#project";
    const COLLECTION: &'static str = "projects";
    const NOUN: &'static str = "project";
    const SET_BY_SERVER: &'static [&'static str] = &[
        "cloudArmorTier",
        "creationTimestamp",
        "defaultServiceAccount",
        "id",
        "kind",
        "quotas",
        "selfLink",
        "vmDnsSetting",
        "xpnProjectStatus",
    ];
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
        None
    }
}

/// `Quota` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Quota {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub limit: Option<f64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::number::shortest")]
    pub usage: Option<f64>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
