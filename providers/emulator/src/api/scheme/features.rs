//! What each kind of load balancer can do of what a URL map may ask for.

use super::{LoadBalancer, Reach, Scheme};
use serde_json::{Map, Value};

/// A field, and whether a kind of load balancer supports it.
type Feature = (&'static str, fn(LoadBalancer) -> bool);

/// Fields of a URL map, wherever they stand in it, and who supports them. A field that is not here is for everybody.
const FEATURES: &[Feature] = &[
    ("headerAction", not_classic),
    // Of a route action, classic load balancers know `urlRewrite` alone.
    ("weightedBackendServices", not_classic),
    ("requestMirrorPolicy", not_classic),
    ("retryPolicy", not_classic),
    ("timeout", not_classic),
    ("corsPolicy", not_classic),
    ("faultInjectionPolicy", not_classic),
    ("maxStreamDuration", mesh),
    ("cachePolicy", global_external_managed),
    ("allowOriginRegexes", mesh),
    ("pathTemplateMatch", not_classic),
    ("pathTemplateRewrite", not_classic),
    ("rangeMatch", not_classic),
    ("regexMatch", with_regular_expressions),
    ("metadataFilters", mesh),
    ("httpFilterConfigs", mesh),
    ("httpFilterMetadata", mesh),
    ("customErrorResponsePolicy", global_external_managed),
    ("defaultCustomErrorResponsePolicy", global_external_managed),
];

fn not_classic(kind: LoadBalancer) -> bool {
    kind.scheme != Scheme::External
}

fn mesh(kind: LoadBalancer) -> bool {
    kind.scheme == Scheme::InternalSelfManaged
}

fn global_external_managed(kind: LoadBalancer) -> bool {
    kind == LoadBalancer { scheme: Scheme::ExternalManaged, reach: Reach::Global }
}

fn with_regular_expressions(kind: LoadBalancer) -> bool {
    match kind.scheme {
        Scheme::External => false,
        Scheme::ExternalManaged => kind.reach == Reach::Regional,
        Scheme::InternalManaged | Scheme::InternalSelfManaged => true,
    }
}

/// A field that a kind of load balancer has no use for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsupported {
    pub(super) at: String,
    pub(super) field: &'static str,
    /// Its value, as errors show it.
    pub(super) value: String,
}

/// The first field of a map that a kind of load balancer does not support.
pub(super) fn unsupported(map: &Map<String, Value>, kind: LoadBalancer) -> Option<Unsupported> {
    map.iter()
        .filter(|(name, _)| *name != "tests")
        .find_map(|(name, value)| in_field(name, value, "resource", kind))
}

fn in_field(name: &str, value: &Value, at: &str, kind: LoadBalancer) -> Option<Unsupported> {
    let at = format!("{at}.{name}");
    let feature = FEATURES.iter().find(|(field, supported)| *field == name && !supported(kind));
    if let Some((field, _)) = feature
        && !is_empty(value)
    {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return Some(Unsupported { at, field, value });
    }
    in_value(value, &at, kind)
}

fn in_value(value: &Value, at: &str, kind: LoadBalancer) -> Option<Unsupported> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| in_field(name, value, at, kind)),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| in_value(item, &format!("{at}[{index}]"), kind))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

/// Whether a field asks for nothing, as some clients write what they do not use.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CLASSIC: LoadBalancer = LoadBalancer { scheme: Scheme::External, reach: Reach::Global };
    const MANAGED: LoadBalancer = LoadBalancer { scheme: Scheme::ExternalManaged, reach: Reach::Global };
    const REGIONAL: LoadBalancer = LoadBalancer { scheme: Scheme::ExternalManaged, reach: Reach::Regional };
    const INTERNAL: LoadBalancer = LoadBalancer { scheme: Scheme::InternalManaged, reach: Reach::Regional };
    const MESH: LoadBalancer = LoadBalancer { scheme: Scheme::InternalSelfManaged, reach: Reach::Global };

    fn found(map: &Value, kind: LoadBalancer) -> Option<String> {
        unsupported(map.as_object().unwrap(), kind).map(|found| found.at)
    }

    fn rule(rule: &Value) -> Value {
        json!({ "pathMatchers": [{ "name": "m", "routeRules": [rule] }] })
    }

    #[test]
    fn the_table_of_the_documentation() {
        let action = |action: Value| rule(&json!({ "routeAction": action }));
        let matching = |matching: Value| rule(&json!({ "matchRules": [matching] }));
        // What a map asks for, and whether classic, global managed, regional managed, internal and mesh do it.
        for (map, supported) in [
            (json!({ "defaultUrlRedirect": { "hostRedirect": "a" } }), [true, true, true, true, true]),
            (action(json!({ "urlRewrite": { "hostRewrite": "a" } })), [true, true, true, true, true]),
            (json!({ "headerAction": { "requestHeadersToRemove": ["a"] } }), [false, true, true, true, true]),
            (action(json!({ "weightedBackendServices": [{}] })), [false, true, true, true, true]),
            (action(json!({ "timeout": { "seconds": "1" } })), [false, true, true, true, true]),
            (action(json!({ "retryPolicy": { "numRetries": 1 } })), [false, true, true, true, true]),
            (
                action(json!({ "requestMirrorPolicy": { "backendService": "b" } })),
                [false, true, true, true, true],
            ),
            (action(json!({ "corsPolicy": { "disabled": true } })), [false, true, true, true, true]),
            (
                action(json!({ "faultInjectionPolicy": { "abort": { "httpStatus": 503 } } })),
                [false, true, true, true, true],
            ),
            (action(json!({ "maxStreamDuration": { "seconds": "1" } })), [false, false, false, false, true]),
            (
                action(json!({ "corsPolicy": { "allowOriginRegexes": ["a"] } })),
                [false, false, false, false, true],
            ),
            (
                action(json!({ "cachePolicy": { "cacheMode": "FORCE_CACHE_ALL" } })),
                [false, true, false, false, false],
            ),
            (matching(json!({ "prefixMatch": "/" })), [true, true, true, true, true]),
            (matching(json!({ "pathTemplateMatch": "/{a}" })), [false, true, true, true, true]),
            (matching(json!({ "regexMatch": "/.*" })), [false, false, true, true, true]),
            (
                matching(json!({ "headerMatches": [{ "headerName": "a", "regexMatch": "b" }] })),
                [false, false, true, true, true],
            ),
            (
                matching(json!({ "headerMatches": [{ "rangeMatch": { "rangeStart": "1" } }] })),
                [false, true, true, true, true],
            ),
            (
                matching(json!({ "metadataFilters": [{ "filterMatchCriteria": "MATCH_ALL" }] })),
                [false, false, false, false, true],
            ),
            (
                json!({ "defaultCustomErrorResponsePolicy": { "errorService": "b" } }),
                [false, true, false, false, false],
            ),
            // What asks for nothing is refused by nobody, and what a test expects is no feature.
            (json!({ "headerAction": { "requestHeadersToRemove": [] } }), [true, true, true, true, true]),
            (json!({ "tests": [{ "headerAction": "x" }] }), [true, true, true, true, true]),
        ] {
            let kinds = [CLASSIC, MANAGED, REGIONAL, INTERNAL, MESH];
            let answers = kinds.map(|kind| found(&map, kind).is_none());
            assert_eq!(answers, supported, "{map}");
        }
    }

    #[test]
    fn the_field_is_named() {
        let map = rule(&json!({ "matchRules": [{ "prefixMatch": "/" }, { "regexMatch": "/a.*" }] }));
        let expected = Unsupported {
            at: "resource.pathMatchers[0].routeRules[0].matchRules[1].regexMatch".to_owned(),
            field: "regexMatch",
            value: "/a.*".to_owned(),
        };
        assert_eq!(unsupported(map.as_object().unwrap(), MANAGED), Some(expected));
    }
}
