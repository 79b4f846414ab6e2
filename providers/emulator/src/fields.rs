//! Partial answers: the `fields` parameter, such as `items(name,backends/group),nextPageToken`.

use crate::error::ApiError;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is to be shown of an object. Nothing below a field: all of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection(BTreeMap<String, Selection>);

/// Parentheses deeper than this are refused.
const MAX_DEPTH: usize = 20;

impl Selection {
    pub(crate) fn parse(fields: &str) -> Result<Self, ApiError> {
        let mut rest = fields;
        Self::read(&mut rest, 0).filter(|_| rest.is_empty()).ok_or_else(|| {
            ApiError::bad_request("invalidParameter", format!("Invalid field selection {fields}"))
        })
    }

    fn read(rest: &mut &str, depth: usize) -> Option<Self> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut selection = Self::default();
        loop {
            selection.path(rest, depth)?;
            match rest.strip_prefix(',') {
                Some(more) => *rest = more,
                None => return Some(selection),
            }
        }
    }

    /// `name`, `name/path` or `name(list)`.
    fn path(&mut self, rest: &mut &str, depth: usize) -> Option<()> {
        let end = rest.find([',', '/', '(', ')']).unwrap_or(rest.len());
        let (name, more) = rest.split_at_checked(end)?;
        let name = name.trim();
        if name.is_empty() || depth > MAX_DEPTH {
            return None;
        }
        *rest = more;
        let below = self.0.entry(name.to_owned()).or_default();
        if let Some(more) = rest.strip_prefix('/') {
            *rest = more;
            below.path(rest, depth + 1)?;
        } else if let Some(more) = rest.strip_prefix('(') {
            *rest = more;
            let inner = Self::read(rest, depth + 1)?;
            *rest = rest.strip_prefix(')')?;
            below.0.extend(inner.0);
        }
        Some(())
    }

    /// Leaves of a body what is asked for.
    pub(crate) fn of(&self, value: &Value) -> Value {
        if self.0.is_empty() {
            return value.clone();
        }
        match value {
            Value::Object(fields) => {
                let shown: Map<String, Value> = fields
                    .iter()
                    .filter_map(|(name, value)| {
                        let selection = self.0.get(name).or_else(|| self.0.get("*"))?;
                        Some((name.clone(), selection.of(value)))
                    })
                    .collect();
                Value::Object(shown)
            }
            Value::Array(items) => items.iter().map(|item| self.of(item)).collect(),
            leaf => leaf.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_asked_for_is_left() {
        let body = json!({
            "kind": "k",
            "items": [{ "name": "a", "backends": [{ "group": "g", "port": 1 }], "id": "1" }],
            "scopes": { "x": { "n": 1, "m": 2 }, "y": { "n": 3 } },
        });
        for (fields, expected) in [
            ("kind", json!({ "kind": "k" })),
            ("items/name,kind", json!({ "kind": "k", "items": [{ "name": "a" }] })),
            (
                "items(name,backends/group)",
                json!({ "items": [{ "name": "a", "backends": [{ "group": "g" }] }] }),
            ),
            ("scopes/*/n", json!({ "scopes": { "x": { "n": 1 }, "y": { "n": 3 } } })),
            ("nothing", json!({})),
            ("*", body.clone()),
        ] {
            assert_eq!(Selection::parse(fields).unwrap().of(&body), expected, "{fields}");
        }
        let deep = "a(".repeat(100);
        for bad in ["", ",", "a(", "a)", "a//b", "a(b", deep.as_str()] {
            let error = Selection::parse(bad).unwrap_err();
            assert_eq!((error.reason, error.status.as_u16()), ("invalidParameter", 400), "{bad}");
        }
    }
}
