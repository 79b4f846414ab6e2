//! URL maps: which host and path go where. What a map does to a request is the data plane's business; here it is only
//! refused if it cannot mean anything.

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

/// The size of a map that a classic load balancer uses.
const MAX_CLASSIC: usize = 64 << 10;
/// The size of any map.
const MAX_MANAGED: usize = 1 << 20;

fn check(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    rules::check(draft.body())?;
    check_size(draft, world)?;
    let https = world.users(&draft.path).into_iter().find(|user| user.collection == "targetHttpsProxies");
    if https.is_some() && redirects_to_https(&draft.next) {
        return Err(ApiError::invalid("resource", &draft.path.name, HTTPS_REDIRECT_REFUSED));
    }
    Ok(())
}

/// The scheme of a map is that of the backend services it names; a map that names none counts as managed.
fn check_size(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    let size = serde_json::to_vec(draft.body()).map_or(0, |json| json.len());
    let classic = crate::schema::links(fields::FIELDS, draft.body())
        .into_iter()
        .filter_map(|(_, target)| world.latest(&target))
        .any(|service| service.text("loadBalancingScheme") == Some("EXTERNAL"));
    let most = if classic { MAX_CLASSIC } else { MAX_MANAGED };
    if size > most {
        return Err(ApiError::invalid_text(format!(
            "Invalid value for field 'resource': ''. The URL map is too large: {size} bytes, at most {most} bytes are allowed."
        )));
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
