//! URL maps: which host and path go where. What a map does to a request is the data plane's business; here it is only
//! refused if it cannot mean anything.

mod actions;
mod expectation;
mod fields;
mod rules;
mod templates;
mod validate;

use super::iam;
use crate::declaration::{
    CustomVerb, Effect, Fields, ListOf, Locking, Resource, ScopeKind, Standard, Type, VerbAddress, list, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::state::Stored;
use crate::world::World;
use serde_json::{Map, Value};

pub(super) static RESOURCE: Resource = Resource {
    collection: "urlMaps",
    singular: "url_map",
    kind: "compute#urlMap",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: fields::FIELDS,
    verbs: &[Standard::Insert, Standard::Update, Standard::Patch, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "invalidateCache",
            request: CACHE_INVALIDATION,
            // There is no cache.
            effect: Effect::Change(check_invalidation),
            address: VerbAddress::Scoped,
        },
        validate::VERB,
        iam::TEST_PERMISSIONS,
    ],
    list_kinds: &[(ListOf::Everywhere, "compute#urlMapsAggregatedList")],
    locking: Locking::Fingerprint,
    check,
    ..Resource::PLAIN
};

const CACHE_INVALIDATION: Fields = &[list("cacheTags", &Type::Text).at_most(10), text("host"), text("path")];

/// A path is exact, or a prefix that ends with `*`.
fn check_invalidation(_: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let path = request.get("path").and_then(Value::as_str).unwrap_or_default();
    if path.is_empty() && request.contains_key("cacheTags") {
        return Ok(());
    }
    if path.is_empty() {
        return Err(ApiError::required("resource.path"));
    }
    let fits = path.starts_with('/')
        && !path.contains(['?', '#'])
        && path.find('*').is_none_or(|at| at == path.len() - 1 && path.ends_with("/*"));
    if fits {
        Ok(())
    } else {
        Err(ApiError::invalid(
            "resource.path",
            path,
            "Must begin with '/' and may have one '*', at its end and after a '/'.",
        ))
    }
}

pub(super) const HTTPS_REDIRECT_REFUSED: &str =
    "A URL map with httpsRedirect cannot be used by a target HTTPS proxy.";

fn check(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    check_rules(draft, world)?;
    let scheme = super::scheme::of_map(draft, world);
    expectation::failures(draft, scheme).first().map_or(Ok(()), |failure| Err(failure.refusal()))
}

/// All rules but that the map's own tests pass.
fn check_rules(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    rules::check(draft.body())?;
    templates::check(draft.body())?;
    super::scheme::check_placed(draft, world)?;
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
