//! Answers of list calls, for every resource type alike.

use std::collections::BTreeMap;

use serde::de::{Deserializer, Error as _};
use serde::ser::{Error as _, SerializeMap};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{Resource, Warning};

/// One page of a list within one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: serde::de::DeserializeOwned"))]
pub struct List<T> {
    /// For instance `compute#urlMapList`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The path of the collection that was listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The page's resources. The API leaves the key out when there is none.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<T>,
    /// Present where another page follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// The URL of this list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// Places that could not be asked. What they hold is unknown, not absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreachables: Vec<String>,
    /// What went wrong in part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<Warning>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            kind: None,
            id: None,
            items: Vec::new(),
            next_page_token: None,
            self_link: None,
            unreachables: Vec::new(),
            warning: None,
            extra: Map::new(),
        }
    }
}

/// One page of a list over all scopes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Resource")]
pub struct AggregatedList<T> {
    /// For instance `compute#urlMapAggregatedList`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The path of the aggregation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// By scope, as the API spells it: `global`, `regions/r`, `zones/z`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub items: BTreeMap<String, ScopedList<T>>,
    /// Present where another page follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
    /// The URL of this list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub self_link: Option<String>,
    /// Scopes that could not be asked. What they hold is unknown, not absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreachables: Vec<String>,
    /// What went wrong in part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<Warning>,
    /// What the API sent and this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl<T> Default for AggregatedList<T> {
    fn default() -> Self {
        Self {
            kind: None,
            id: None,
            items: BTreeMap::new(),
            next_page_token: None,
            self_link: None,
            unreachables: Vec::new(),
            warning: None,
            extra: Map::new(),
        }
    }
}

/// What an aggregated list holds for one scope: either resources, under the name of their collection, or a warning
/// that says why there are none.
#[derive(Clone, Debug, PartialEq)]
pub struct ScopedList<T> {
    /// The resources of this scope on this page.
    pub items: Vec<T>,
    /// `NO_RESULTS_ON_PAGE` for an empty scope; anything else is a failure of this scope.
    pub warning: Option<Warning>,
    /// What the API sent and this version does not know.
    pub extra: Map<String, Value>,
}

impl<T> Default for ScopedList<T> {
    fn default() -> Self {
        Self { items: Vec::new(), warning: None, extra: Map::new() }
    }
}

const WARNING: &str = "warning";

impl<T: Resource> Serialize for ScopedList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { items, warning, extra } = self;
        if extra.contains_key(T::COLLECTION) || extra.contains_key(WARNING) {
            return Err(S::Error::custom("`extra` repeats a known key"));
        }
        let mut map = serializer.serialize_map(None)?;
        if !items.is_empty() {
            map.serialize_entry(T::COLLECTION, items)?;
        }
        if let Some(warning) = warning {
            map.serialize_entry(WARNING, warning)?;
        }
        for (key, value) in extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de, T: Resource> Deserialize<'de> for ScopedList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut extra = Map::deserialize(deserializer)?;
        let items = match extra.shift_remove(T::COLLECTION) {
            None => Vec::new(),
            Some(items) => serde_json::from_value(items).map_err(D::Error::custom)?,
        };
        let warning = match extra.shift_remove(WARNING) {
            None => None,
            Some(warning) => serde_json::from_value(warning).map_err(D::Error::custom)?,
        };
        Ok(Self { items, warning, extra })
    }
}
