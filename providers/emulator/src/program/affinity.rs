//! Session affinity.

use std::time::Duration;

use http::HeaderName;
use serde_json::Value;

use super::json::{field, integer, seconds, text};
use crate::dataplane::program::{Affinity, AffinityCookie, CookieSays, Program};

/// What one asks a client to keep when nobody says a name.
const EXTERNAL_COOKIE: &str = "GCLB";
const INTERNAL_COOKIE: &str = "GCILB";

/// The affinity of a backend service; none where it cannot be served.
pub(super) fn compile(path: &str, body: &Value, program: &mut Program) -> Affinity {
    let internal = text(body, "loadBalancingScheme").is_some_and(|scheme| scheme.starts_with("INTERNAL"));
    let own_name = if internal { INTERNAL_COOKIE } else { EXTERNAL_COOKIE };
    let lifetime = || seconds(body, "affinityCookieTtlSec").filter(|time| !time.is_zero());
    let hash = field(body, "consistentHash");
    match text(body, "sessionAffinity") {
        None | Some("NONE") => Affinity::None,
        Some("CLIENT_IP") => Affinity::ClientAddress,
        Some("GENERATED_COOKIE") => Affinity::Cookie(AffinityCookie {
            name: own_name.to_owned(),
            path: "/".to_owned(),
            lifetime: lifetime(),
            says: CookieSays::Endpoint,
        }),
        Some("STRONG_COOKIE_AFFINITY") => {
            let cookie = field(body, "strongSessionAffinityCookie");
            Affinity::Cookie(named_cookie(cookie, own_name, CookieSays::Endpoint))
        }
        Some("HTTP_COOKIE") => {
            let cookie = hash.and_then(|hash| field(hash, "httpCookie"));
            let mut cookie = named_cookie(cookie, own_name, CookieSays::Key);
            cookie.lifetime = cookie.lifetime.or_else(lifetime);
            Affinity::Cookie(cookie)
        }
        Some("HEADER_FIELD") => {
            let name = hash.and_then(|hash| text(hash, "httpHeaderName"));
            if let Some(name) = name.and_then(|name| HeaderName::try_from(name).ok()) {
                return Affinity::Header(name);
            }
            program.problem(path, "asks for affinity by a header and names none: requests go round robin");
            Affinity::None
        }
        Some(other) => {
            let why =
                format!("asks for session affinity {other}, which is not served: requests go round robin");
            program.problem(path, why);
            Affinity::None
        }
    }
}

fn named_cookie(cookie: Option<&Value>, own_name: &str, says: CookieSays) -> AffinityCookie {
    let part = |name: &str| cookie.and_then(|cookie| text(cookie, name)).map(str::to_owned);
    AffinityCookie {
        name: part("name").unwrap_or_else(|| own_name.to_owned()),
        path: part("path").unwrap_or_else(|| "/".to_owned()),
        lifetime: cookie
            .and_then(|cookie| field(cookie, "ttl"))
            .and_then(|ttl| u64::try_from(integer(ttl, "seconds")?).ok())
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs),
        says,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_affinity_of_an_http_load_balancer_is_served() {
        let cookie = |name: &str, path: &str, lifetime: Option<u64>, says| {
            let lifetime = lifetime.map(Duration::from_secs);
            Affinity::Cookie(AffinityCookie { name: name.to_owned(), path: path.to_owned(), lifetime, says })
        };
        for (body, expected, problems) in [
            (json!({}), Affinity::None, 0),
            (json!({ "sessionAffinity": "NONE" }), Affinity::None, 0),
            (json!({ "sessionAffinity": "CLIENT_IP" }), Affinity::ClientAddress, 0),
            (
                json!({ "sessionAffinity": "GENERATED_COOKIE", "affinityCookieTtlSec": 0 }),
                cookie("GCLB", "/", None, CookieSays::Endpoint),
                0,
            ),
            (
                json!({ "sessionAffinity": "GENERATED_COOKIE", "affinityCookieTtlSec": 9,
                        "loadBalancingScheme": "INTERNAL_MANAGED" }),
                cookie("GCILB", "/", Some(9), CookieSays::Endpoint),
                0,
            ),
            (
                json!({ "sessionAffinity": "HTTP_COOKIE", "affinityCookieTtlSec": 9,
                        "consistentHash": { "httpCookie": { "name": "u", "path": "/u" } } }),
                cookie("u", "/u", Some(9), CookieSays::Key),
                0,
            ),
            (
                json!({ "sessionAffinity": "STRONG_COOKIE_AFFINITY",
                        "strongSessionAffinityCookie": { "name": "s", "ttl": { "seconds": "4" } } }),
                cookie("s", "/", Some(4), CookieSays::Endpoint),
                0,
            ),
            (
                json!({ "sessionAffinity": "HEADER_FIELD", "consistentHash": { "httpHeaderName": "X-User" } }),
                Affinity::Header(HeaderName::from_static("x-user")),
                0,
            ),
            (json!({ "sessionAffinity": "HEADER_FIELD" }), Affinity::None, 1),
            (json!({ "sessionAffinity": "CLIENT_IP_PROTO" }), Affinity::None, 1),
        ] {
            let mut program = Program::default();
            assert_eq!(compile("b", &body, &mut program), expected, "{body}");
            assert_eq!(program.problems.len(), problems, "{body}");
        }
    }
}
