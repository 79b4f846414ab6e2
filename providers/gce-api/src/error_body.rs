//! The body of a refusal: any answer whose status is not 2xx.
//!
//! Proxies in front of the API answer in HTML, so a reader must be ready for a body that is not this.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The outermost object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// The refusal.
    pub error: ErrorStatus,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The refusal as a whole.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorStatus {
    /// The HTTP status once more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// For people. Clients print it, and some search it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The reasons. In practice one, whose message repeats the one above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<ErrorReason>>,
    /// The canonical code of newer services, e.g. `NOT_FOUND`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Typed details of newer services, each with an `@type`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Vec<Value>>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One reason of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorReason {
    /// The word to decide by, e.g. `notFound`, `resourceInUseByAnotherResource`, `rateLimitExceeded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `global`, or `usageLimits` for quotas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// What was wrong, e.g. the header `If-Match`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// What kind of thing `location` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_type: Option<String>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
