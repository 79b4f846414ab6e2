//! Cross-origin requests: preflights are answered here, other answers say who may read them.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use http::{HeaderMap, HeaderValue, Method};

use crate::dataplane::program::CorsPolicy;

/// The origin of a request, if the policy lets it ask.
pub(super) fn allowed(policy: &CorsPolicy, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let known = policy.origins.iter().any(|known| known == "*" || known.as_bytes() == origin.as_bytes());
    known.then(|| origin.clone())
}

/// Whether a request asks, before the real one, whether that may be made.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The headers that answer a preflight.
pub(super) fn preflight(policy: &CorsPolicy, origin: HeaderValue) -> HeaderMap {
    let CorsPolicy { origins: _, methods, headers: allowed, expose: _, max_age, credentials } = policy;
    let mut headers = HeaderMap::new();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    for (name, value) in [(ACCESS_CONTROL_ALLOW_METHODS, methods), (ACCESS_CONTROL_ALLOW_HEADERS, allowed)] {
        if let Some(value) = value {
            headers.insert(name, value.clone());
        }
    }
    if let Some(max_age) = max_age {
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(*max_age));
    }
    if *credentials {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    headers
}

/// Lets an origin read an answer; what the backend said of that gives way.
pub(super) fn admit(policy: &CorsPolicy, origin: HeaderValue, headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if policy.credentials {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    if let Some(expose) = &policy.expose {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, expose.clone());
    }
}
