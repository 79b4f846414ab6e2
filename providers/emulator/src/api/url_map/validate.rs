//! `urlMaps.validate`: what would become of a URL map, without making it.

use super::expectation::{self, Failure};
use crate::api::scheme::{self, Scheme};
use crate::declaration::{CustomVerb, Effect, Judged, Type, VerbAddress, list, opaque};
use crate::error::ApiError;
use crate::scope::ScopeKind;
use crate::world::World;
use serde_json::{Map, Value, json};

/// Of the published words; `INTERNAL_MANAGED` is missing there, but gcloud sends it.
const SCHEMES: &Type =
    &Type::Choice(&["EXTERNAL", "EXTERNAL_MANAGED", "INTERNAL_MANAGED", "LOAD_BALANCING_SCHEME_UNSPECIFIED"]);

pub(super) const VERB: CustomVerb = CustomVerb {
    name: "validate",
    request: &[opaque("resource"), list("loadBalancingSchemes", SCHEMES)],
    effect: Effect::Judge(validate),
    address: VerbAddress::Scoped,
};

fn validate(judged: &Judged<'_>, world: &World<'_>) -> Result<Value, ApiError> {
    let Judged { draft, complete, request, base } = judged;
    if draft.path.scope.kind() == ScopeKind::Region && request.contains_key("loadBalancingSchemes") {
        return Err(ApiError::payload(
            "resource",
            "Invalid JSON payload received. Unknown name \"loadBalancingSchemes\": Cannot find field.",
        ));
    }
    let asked = asked(request);
    let inferred = scheme::of_map(draft, world).unwrap_or(Scheme::External);
    let schemes = if asked.is_empty() { vec![inferred] } else { asked };
    let mut errors: Vec<String> = Vec::new();
    let rules = complete.clone().and_then(|()| super::check_rules(draft, world));
    if let Err(error) = rules {
        errors.push(error.message);
    } else {
        let against = schemes.iter().filter_map(|scheme| scheme::check_as(draft, world, *scheme).err());
        errors.extend(against.map(|error| error.message));
    }
    if !errors.is_empty() {
        return Ok(json!({ "result": { "loadSucceeded": false, "loadErrors": errors } }));
    }
    let mut failures: Vec<Failure> = Vec::new();
    for scheme in schemes {
        for failure in expectation::failures(draft, Some(scheme)) {
            if !failures.contains(&failure) {
                failures.push(failure);
            }
        }
    }
    let mut result = Map::new();
    result.insert("loadSucceeded".to_owned(), json!(true));
    result.insert("testPassed".to_owned(), json!(failures.is_empty()));
    if !failures.is_empty() {
        let failures: Value = failures.iter().map(|failure| failure.show(base)).collect();
        result.insert("testFailures".to_owned(), failures);
    }
    Ok(json!({ "result": result }))
}

/// The schemes that the request names.
fn asked(request: &Map<String, Value>) -> Vec<Scheme> {
    let words = request.get("loadBalancingSchemes").and_then(Value::as_array).into_iter().flatten();
    words
        .filter_map(Value::as_str)
        .filter_map(|word| Scheme::ALL.into_iter().find(|scheme| scheme.name() == word))
        .collect()
}
