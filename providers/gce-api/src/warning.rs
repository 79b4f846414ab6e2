//! What a successful answer has to add: on a list, on one scope of an aggregated list, on an operation.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A warning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// For instance `NO_RESULTS_ON_PAGE` or `UNREACHABLE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Details as pairs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Vec<WarningData>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Warning {
    /// The code of an empty scope in an aggregated list: the only one there that does not mean "unknown".
    pub const NO_RESULTS_ON_PAGE: &'static str = "NO_RESULTS_ON_PAGE";
}

/// One detail of a [`Warning`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WarningData {
    /// For instance `scope`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// For instance `regions/us-central1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
