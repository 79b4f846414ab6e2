//! What a `cdnPolicy` must be, of a backend service or bucket. The rules are those of the reference; nothing is cached.

use crate::error::ApiError;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The statuses that negative caching knows.
const NEGATIVE: [i64; 11] = [300, 301, 302, 307, 308, 404, 405, 410, 421, 451, 501];

/// The times that a cache mode must leave out.
const WITHOUT: &[(&str, &[&str])] =
    &[("USE_ORIGIN_HEADERS", &["clientTtl", "defaultTtl", "maxTtl"]), ("FORCE_CACHE_ALL", &["maxTtl"])];

pub(super) fn check(body: &Map<String, Value>) -> Result<(), ApiError> {
    let Some(policy) = body.get("cdnPolicy").and_then(Value::as_object) else { return Ok(()) };
    let refuse = |field: &str, why: &str| {
        let value = policy.get(field).map(ToString::to_string).unwrap_or_default();
        Err(ApiError::invalid(&format!("resource.cdnPolicy.{field}"), &value, why))
    };
    let number = |field: &str| policy.get(field).and_then(Value::as_i64);
    let mode = policy.get("cacheMode").and_then(Value::as_str).unwrap_or_default();
    for (_, fields) in WITHOUT.iter().filter(|(word, _)| *word == mode) {
        if let Some(field) = fields.iter().find(|field| policy.contains_key(**field)) {
            return refuse(field, &format!("The field must be omitted with cache mode {mode}."));
        }
    }
    if let (Some(default), Some(most)) = (number("defaultTtl"), number("maxTtl"))
        && default > most
    {
        return refuse("defaultTtl", "The default TTL cannot be greater than the maximum TTL.");
    }
    let negative = policy.get("negativeCachingPolicy").and_then(Value::as_array);
    let negative = negative.map(Vec::as_slice).unwrap_or_default();
    if !negative.is_empty() && policy.get("negativeCaching") != Some(&Value::Bool(true)) {
        return refuse("negativeCachingPolicy", "The field requires negativeCaching.");
    }
    let mut seen = BTreeSet::new();
    for entry in negative {
        let code = entry.get("code").and_then(Value::as_i64).unwrap_or_default();
        if !NEGATIVE.contains(&code) {
            return refuse("negativeCachingPolicy", &format!("The status {code} cannot be cached."));
        }
        if !seen.insert(code) {
            return refuse("negativeCachingPolicy", &format!("The status {code} may be named once."));
        }
    }
    let listed = |field: &str| {
        let list = policy.get("cacheKeyPolicy").and_then(|key| key.get(field));
        list.and_then(Value::as_array).is_some_and(|list| !list.is_empty())
    };
    if listed("queryStringWhitelist") && listed("queryStringBlacklist") {
        let why = "Only one of queryStringWhitelist and queryStringBlacklist may be specified.";
        return refuse("cacheKeyPolicy", why);
    }
    Ok(())
}
