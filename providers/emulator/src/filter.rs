//! The `filter` parameter of lists: the old grammar (`name eq REGEX`) or AIP-160 (`name = value`), never both at once.
//!
//! What neither grammar knows is refused, never ignored: a filter that is dropped in silence lists what nobody asked for.

mod aip160;
mod compare;
mod legacy;
mod lex;

use crate::error::ApiError;
use compare::{Comparison, Wanted, text};
use regex::Regex;
use serde_json::{Map, Value};

/// A parsed filter.
#[derive(Debug)]
pub(crate) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// `field eq REGEX` and `field ne REGEX`: the whole value must match.
    Pattern {
        field: Vec<String>,
        pattern: Regex,
        wanted: bool,
    },
    /// `field OP value` with one of AIP-160's comparisons.
    Compare {
        field: Vec<String>,
        comparison: Comparison,
        wanted: Wanted,
    },
}

/// The longest filter. Google documents none; this is far beyond what clients send.
const MAX_LENGTH: usize = 16 << 10;

impl Filter {
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let parsed = if text.len() > MAX_LENGTH {
            None
        } else if legacy::begins(text) {
            legacy::parse(text)
        } else {
            aip160::parse(text)
        };
        parsed.ok_or_else(|| ApiError::invalid("filter", text, "Invalid list filter expression."))
    }

    /// Whether a resource, as it is shown, passes.
    pub(crate) fn admits(&self, body: &Map<String, Value>) -> bool {
        match self {
            Self::All(filters) => filters.iter().all(|filter| filter.admits(body)),
            Self::Any(filters) => filters.iter().any(|filter| filter.admits(body)),
            Self::Not(filter) => !filter.admits(body),
            Self::Pattern { field, pattern, wanted } => {
                // A field that is not there equals nothing.
                values(body, field).iter().any(|value| pattern.is_match(&text(value))) == *wanted
            }
            Self::Compare { field, comparison, wanted } => {
                let values = values(body, field);
                match comparison {
                    Comparison::NotEqual => values.iter().all(|found| comparison.holds(found, wanted)),
                    Comparison::Has if wanted.is_anything() => !values.is_empty(),
                    comparison => values.iter().any(|found| comparison.holds(found, wanted)),
                }
            }
        }
    }
}

/// The values at a dotted path; through lists, the values of every item.
fn values<'a>(body: &'a Map<String, Value>, field: &[String]) -> Vec<&'a Value> {
    let Some((first, rest)) = field.split_first() else { return Vec::new() };
    let mut found: Vec<&Value> = body.get(first).into_iter().flat_map(items).collect();
    for name in rest {
        found = found.into_iter().filter_map(|value| value.get(name)).flat_map(items).collect();
    }
    found
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.as_slice(),
        value => std::slice::from_ref(value),
    }
    .iter()
}

#[cfg(test)]
mod tests;
