//! Lists: order, filter, pages, and the aggregated form over all places of a project.
//!
//! Works on anything that has a name and can be shown; resources and operations share it.

use crate::error::ApiError;
use crate::filter::Filter;
use crate::scope::Scope;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// The query parameters of a list.
pub(crate) struct ListQuery {
    most: usize,
    after: Option<Cursor>,
    filter: Option<Filter>,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    ByName,
    NewestFirst,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Cursor {
    scope: String,
    name: String,
    created: String,
}

/// Something to list.
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a str,
    pub(crate) created: Timestamp,
    pub(crate) show: Box<dyn FnOnce() -> Map<String, Value> + 'a>,
}

/// One page of a place.
pub(crate) struct Page {
    pub(crate) items: Vec<Value>,
    pub(crate) next: Option<String>,
}

/// What Google gives when a request does not say.
const DEFAULT_RESULTS: usize = 500;

impl ListQuery {
    pub(crate) fn parse(query: &BTreeMap<String, String>) -> Result<Self, ApiError> {
        let most = match query.get("maxResults") {
            None => DEFAULT_RESULTS,
            Some(text) => match text.parse::<u32>().map(|most| most as usize) {
                Ok(0) => DEFAULT_RESULTS,
                Ok(most) if most <= DEFAULT_RESULTS => most,
                Ok(_) => {
                    let why = "Acceptable values are 0 to 500, inclusive.";
                    return Err(ApiError::invalid("maxResults", text, why));
                }
                Err(_) => {
                    let message = format!("Invalid value at 'max_results' (TYPE_UINT32), \"{text}\"");
                    return Err(ApiError::payload("max_results", message));
                }
            },
        };
        let after = match query.get("pageToken").filter(|token| !token.is_empty()) {
            None => None,
            Some(token) => Some(
                URL_SAFE_NO_PAD
                    .decode(token)
                    .ok()
                    .and_then(|json| serde_json::from_slice::<Cursor>(&json).ok())
                    .filter(|cursor| cursor.created.parse::<Timestamp>().is_ok())
                    .ok_or_else(|| ApiError::invalid("pageToken", token, "The page token is not valid."))?,
            ),
        };
        let filter =
            query.get("filter").filter(|text| !text.trim().is_empty()).map(|text| Filter::parse(text));
        let order = match query.get("orderBy").map(String::as_str) {
            None | Some("" | "name") => Order::ByName,
            Some("creationTimestamp desc") => Order::NewestFirst,
            Some(other) => {
                return Err(ApiError::invalid(
                    "orderBy",
                    other,
                    "Only 'name' and 'creationTimestamp desc' are supported.",
                ));
            }
        };
        Ok(Self { most, after, filter: filter.transpose()?, order })
    }

    /// One page of one place. `entries` come by name.
    pub(crate) fn page<'a>(&self, entries: impl Iterator<Item = Entry<'a>>) -> Page {
        let (items, next) = self.take("", self.after.as_ref(), self.most, entries);
        Page { items: items.into_iter().map(Value::Object).collect(), next }
    }

    /// What passes, up to `room`; and the token of the next page if more passes.
    fn take<'a>(
        &self,
        scope: &str,
        after: Option<&Cursor>,
        room: usize,
        entries: impl Iterator<Item = Entry<'a>>,
    ) -> (Vec<Map<String, Value>>, Option<String>) {
        let entries: Box<dyn Iterator<Item = Entry<'a>>> = match self.order {
            Order::ByName => Box::new(entries),
            Order::NewestFirst => {
                let mut sorted: Vec<_> = entries.collect();
                sorted.sort_by(|a, b| (Reverse(a.created), a.name).cmp(&(Reverse(b.created), b.name)));
                Box::new(sorted.into_iter())
            }
        };
        // Where a full page ends if nothing of this place fits: before everything in it.
        let mut last =
            Cursor { scope: scope.to_owned(), name: String::new(), created: Timestamp::MAX.to_string() };
        let mut items = Vec::new();
        for entry in entries {
            if !after.is_none_or(|after| self.is_after(&entry, after)) {
                continue;
            }
            let Entry { name, created, show } = entry;
            let body = show();
            if self.filter.as_ref().is_some_and(|filter| !filter.admits(&body)) {
                continue;
            }
            if items.len() == room {
                let token = serde_json::to_vec(&last).ok().map(|json| URL_SAFE_NO_PAD.encode(json));
                return (items, token);
            }
            items.push(body);
            name.clone_into(&mut last.name);
            last.created = created.to_string();
        }
        (items, None)
    }

    /// Whether an entry comes after the end of the page before.
    fn is_after(&self, entry: &Entry<'_>, after: &Cursor) -> bool {
        match self.order {
            Order::ByName => entry.name > after.name.as_str(),
            Order::NewestFirst => after.created.parse::<Timestamp>().is_ok_and(|moment| {
                (Reverse(entry.created), entry.name) > (Reverse(moment), after.name.as_str())
            }),
        }
    }

    /// The `items` map of an aggregated list and the token of its next page. A place without results on this page says
    /// so in a warning.
    pub(crate) fn aggregate<'a>(
        &self,
        collection: &str,
        places: impl Iterator<Item = (Scope, Box<dyn Iterator<Item = Entry<'a>> + 'a>)>,
    ) -> (Map<String, Value>, Option<String>) {
        let mut result = Map::new();
        let mut count = 0;
        let mut next: Option<String> = None;
        // Places before the one the last page ended in have been shown.
        let mut behind = self.after.is_some();
        let mut seen = BTreeSet::new();
        for (scope, entries) in places {
            let key = scope.to_string();
            if !seen.insert(key.clone()) {
                continue;
            }
            let begins_here = self.after.as_ref().filter(|after| after.scope == key);
            let mut items = Vec::new();
            if next.is_none() && (!behind || begins_here.is_some()) {
                (items, next) = self.take(&key, begins_here, self.most - count, entries);
                behind = false;
            }
            count += items.len();
            let value = if items.is_empty() {
                json!({ "warning": {
                    "code": "NO_RESULTS_ON_PAGE",
                    "message": format!("There are no results for scope '{key}' on this page."),
                    "data": [{ "key": "scope", "value": key }],
                } })
            } else {
                json!({ collection: items })
            };
            result.insert(key, value);
        }
        (result, next)
    }
}
