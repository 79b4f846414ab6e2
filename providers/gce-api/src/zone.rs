//! The zone resource and the bodies of its own verbs.
//!
//! Reference: <https://cloud.google.com/compute/docs/reference/rest/v1/zones>.
//!
//! Generated from revision 20260729 of the Compute Engine v1 discovery document by this crate's example
//! `generate`. Do not edit: change the catalogue there and run it again.

#![allow(missing_docs, reason = "the published reference describes every field; its prose is not ours")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Resource, Uint64};

/// `Zone` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Zone {
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_cpu_platforms: Option<Vec<String>>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_timestamp: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<DeprecationStatus>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Uint64>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// Set by the server. One of `DOWN`, `UP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_pzs: Option<bool>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Resource for Zone {
    const KIND: &'static str = "compute#zone";
    const COLLECTION: &'static str = "zones";
    const NOUN: &'static str = "zone";
    const SET_BY_SERVER: &'static [&'static str] = &[
        "availableCpuPlatforms",
        "creationTimestamp",
        "deprecated",
        "description",
        "id",
        "kind",
        "name",
        "region",
        "resourceStatus",
        "selfLink",
        "status",
        "supportsPzs",
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

/// `DeprecationStatus` of the Compute API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeprecationStatus {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obsolete: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replacement: Option<String>,
    /// One of `ACTIVE`, `DELETED`, `DEPRECATED`, `OBSOLETE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
