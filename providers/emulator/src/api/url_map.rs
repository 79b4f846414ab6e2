//! URL maps: which host and path go where. What a map does to a request is the data plane's business; here it is only
//! refused if it cannot mean anything.

mod actions;
mod fields;
mod rules;

use crate::declaration::{Locking, Resource, ScopeKind, Standard};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::state::Stored;
use crate::world::World;
use serde_json::Value;

pub(super) static RESOURCE: Resource = Resource {
    collection: "urlMaps",
    singular: "url_map",
    kind: "compute#urlMap",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: fields::FIELDS,
    verbs: &[Standard::Insert, Standard::Update, Standard::Patch, Standard::Delete],
    locking: Locking::Fingerprint,
    check,
    ..Resource::PLAIN
};

pub(super) const HTTPS_REDIRECT_REFUSED: &str =
    "A URL map with httpsRedirect cannot be used by a target HTTPS proxy.";

fn check(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    rules::check(draft.body())?;
    super::place::check(draft)?;
    super::scheme::check(draft, world)?;
    let https = world.users(&draft.path).into_iter().find(|user| user.collection == "targetHttpsProxies");
    if https.is_some() && redirects_to_https(&draft.next) {
        return Err(ApiError::invalid("resource", &draft.path.name, HTTPS_REDIRECT_REFUSED));
    }
    Ok(())
}

/// Whether any redirect of a map goes to HTTPS.
pub(super) fn redirects_to_https(map: &Stored) -> bool {
    fn found(value: &Value) -> bool {
        match value {
            Value::Object(fields) => {
                fields.get("httpsRedirect") == Some(&Value::Bool(true)) || fields.values().any(found)
            }
            Value::Array(items) => items.iter().any(found),
            _ => false,
        }
    }
    found(map.body())
}
