//! The rules inside one backend service that need nothing but the service itself: what its scheme and protocol allow.

use crate::draft::Draft;
use crate::error::ApiError;
use crate::program::custom_headers;
use crate::scope::Scope;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

type Body = Map<String, Value>;

pub(super) fn check(draft: &Draft) -> Result<(), ApiError> {
    let body = draft.body();
    let kind = Kind::of(draft);
    scheme_stays(draft)?;
    protocol(body, kind)?;
    affinity(body, kind)?;
    fields_of_schemes(body, kind)?;
    custom_headers(body)?;
    crate::api::cdn_policy::check(body)?;
    cdn_and_iap(body)
}

/// Lines of the form `Name: value`, each name once, of headers that a configuration may change.
pub(in crate::api) fn custom_headers(body: &Body) -> Result<(), ApiError> {
    for field in ["customRequestHeaders", "customResponseHeaders"] {
        let lines = body.get(field).and_then(Value::as_array).into_iter().flatten();
        let mut seen = BTreeSet::new();
        for (index, line) in lines.filter_map(Value::as_str).enumerate() {
            let at = format!("resource.{field}[{index}]");
            let (name, _) = custom_headers::parse(line)
                .map_err(|why| ApiError::invalid(&at, line, &format!("The header {why}.")))?;
            if !seen.insert(name.to_string()) {
                return Err(ApiError::invalid(&at, line, "A header may be named once."));
            }
        }
    }
    Ok(())
}

/// What a backend service is for, as its scheme and place say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A classic load balancer, or one for TCP or SSL of its time.
    Classic,
    /// A load balancer that passes packets on, regional: `INTERNAL`, or `EXTERNAL` in a region.
    PassThrough,
    /// `EXTERNAL_MANAGED` and `INTERNAL_MANAGED`.
    Managed,
    /// `INTERNAL_SELF_MANAGED`.
    Mesh,
}

impl Kind {
    fn of(draft: &Draft) -> Self {
        match draft.text("loadBalancingScheme") {
            Some("EXTERNAL_MANAGED" | "INTERNAL_MANAGED") => Self::Managed,
            Some("INTERNAL_SELF_MANAGED") => Self::Mesh,
            Some("INTERNAL") => Self::PassThrough,
            _ if draft.path.scope == Scope::Global => Self::Classic,
            _ => Self::PassThrough,
        }
    }
}

fn text<'a>(body: &'a Body, field: &str) -> Option<&'a str> {
    body.get(field).and_then(Value::as_str)
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn refuse(body: &Body, field: &str, why: &str) -> ApiError {
    let value = body.get(field).map(shown).unwrap_or_default();
    ApiError::invalid(&format!("resource.{field}"), &value, why)
}

/// A scheme is for good, except that a classic service may become a managed one, and go back, on the documented way.
fn scheme_stays(draft: &Draft) -> Result<(), ApiError> {
    let Some(previous) = &draft.previous else { return Ok(()) };
    let scheme = "loadBalancingScheme";
    let state = "externalManagedMigrationState";
    let ready = match (previous.text(scheme), draft.text(scheme)) {
        (before, after) if before == after => return Ok(()),
        (Some("EXTERNAL"), Some("EXTERNAL_MANAGED")) => previous.text(state),
        (Some("EXTERNAL_MANAGED"), Some("EXTERNAL")) => draft.text(state),
        _ => {
            return Err(refuse(
                draft.body(),
                scheme,
                "The load balancing scheme of a backend service cannot be changed.",
            ));
        }
    };
    if ready == Some("TEST_ALL_TRAFFIC") {
        return Ok(());
    }
    Err(refuse(
        draft.body(),
        scheme,
        "The load balancing scheme of a backend service cannot be changed: externalManagedMigrationState must be \
         TEST_ALL_TRAFFIC.",
    ))
}

const HTTP: [&str; 5] = ["HTTP", "HTTPS", "HTTP2", "H2C", "GRPC"];

fn protocol(body: &Body, kind: Kind) -> Result<(), ApiError> {
    let Some(protocol) = text(body, "protocol") else { return Ok(()) };
    let scheme = text(body, "loadBalancingScheme").unwrap_or("EXTERNAL");
    let fits = match kind {
        // Recorded: a regional `EXTERNAL` service of protocol HTTP.
        Kind::PassThrough => scheme != "INTERNAL" || !HTTP.contains(&protocol) && protocol != "SSL",
        Kind::Classic | Kind::Managed | Kind::Mesh => !matches!(protocol, "UDP" | "UNSPECIFIED"),
    };
    if fits {
        return Ok(());
    }
    Err(refuse(
        body,
        "protocol",
        &format!("The protocol is not supported with load balancing scheme {scheme}."),
    ))
}

fn affinity(body: &Body, kind: Kind) -> Result<(), ApiError> {
    let affinity = text(body, "sessionAffinity").unwrap_or("NONE");
    let fits = match affinity {
        "NONE" | "CLIENT_IP" => true,
        "GENERATED_COOKIE" => kind != Kind::PassThrough,
        "HEADER_FIELD" | "HTTP_COOKIE" | "STRONG_COOKIE_AFFINITY" => {
            matches!(kind, Kind::Managed | Kind::Mesh)
        }
        // Whole connections, by their addresses and ports.
        _ => kind == Kind::PassThrough && !text(body, "protocol").is_some_and(|it| HTTP.contains(&it)),
    };
    if !fits {
        let scheme = text(body, "loadBalancingScheme").unwrap_or("EXTERNAL");
        let why = format!(
            "The session affinity is not supported with load balancing scheme {scheme} and protocol {}.",
            text(body, "protocol").unwrap_or("unspecified")
        );
        return Err(refuse(body, "sessionAffinity", &why));
    }
    let has_ttl = body.get("affinityCookieTtlSec").and_then(Value::as_i64).is_some_and(|seconds| seconds > 0);
    if has_ttl && !matches!(affinity, "GENERATED_COOKIE" | "HTTP_COOKIE") {
        let why = "affinityCookieTtlSec requires session affinity GENERATED_COOKIE or HTTP_COOKIE.";
        return Err(refuse(body, "affinityCookieTtlSec", why));
    }
    let cookie = "strongSessionAffinityCookie";
    match (affinity == "STRONG_COOKIE_AFFINITY", body.contains_key(cookie)) {
        (true, false) => return Err(ApiError::required(&format!("resource.{cookie}"))),
        (false, true) => {
            return Err(refuse(body, cookie, "The field requires session affinity STRONG_COOKIE_AFFINITY."));
        }
        (true, true) | (false, false) => {}
    }
    let locality = text(body, "localityLbPolicy");
    if body.contains_key("consistentHash") && locality.is_some_and(|it| !matches!(it, "MAGLEV" | "RING_HASH"))
    {
        return Err(refuse(
            body,
            "consistentHash",
            "The field is only supported with localityLbPolicy MAGLEV or RING_HASH.",
        ));
    }
    Ok(())
}

/// Fields that only some kinds of load balancer know.
const FIELDS_OF_KINDS: &[(&str, &[Kind])] = &[
    ("circuitBreakers", &[Kind::Managed, Kind::Mesh]),
    ("outlierDetection", &[Kind::Managed, Kind::Mesh]),
    ("consistentHash", &[Kind::Managed, Kind::Mesh]),
    ("localityLbPolicy", &[Kind::Managed, Kind::Mesh, Kind::PassThrough]),
    ("localityLbPolicies", &[Kind::Managed, Kind::Mesh]),
    ("maxStreamDuration", &[Kind::Mesh]),
    ("serviceBindings", &[Kind::Mesh]),
    ("failoverPolicy", &[Kind::PassThrough]),
    ("connectionTrackingPolicy", &[Kind::PassThrough]),
];

fn fields_of_schemes(body: &Body, kind: Kind) -> Result<(), ApiError> {
    let scheme = text(body, "loadBalancingScheme").unwrap_or("EXTERNAL");
    let refused = |field: &str| {
        let why = format!("The field is not supported with load balancing scheme {scheme}.");
        Err(refuse(body, field, &why))
    };
    for (field, kinds) in FIELDS_OF_KINDS {
        let given = body.get(*field).is_some_and(|value| !is_empty(value));
        if given && !kinds.contains(&kind) {
            return refused(field);
        }
    }
    let tls = body.contains_key("tlsSettings");
    if tls && !matches!(text(body, "protocol"), Some("SSL" | "HTTPS" | "HTTP2")) {
        return Err(refuse(body, "tlsSettings", "The field requires protocol SSL, HTTPS or HTTP2."));
    }
    let migration = ["externalManagedMigrationState", "externalManagedMigrationTestingPercentage"];
    for field in migration {
        if body.contains_key(field) && !matches!(scheme, "EXTERNAL" | "EXTERNAL_MANAGED") {
            return refused(field);
        }
    }
    let cdn = body.get("enableCDN") == Some(&Value::Bool(true));
    if cdn && !matches!(scheme, "EXTERNAL" | "EXTERNAL_MANAGED") {
        return refused("enableCDN");
    }
    Ok(())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn cdn_and_iap(body: &Body) -> Result<(), ApiError> {
    let iap = body.get("iap").and_then(|iap| iap.get("enabled")) == Some(&Value::Bool(true));
    if iap && body.get("enableCDN") == Some(&Value::Bool(true)) {
        return Err(refuse(body, "enableCDN", "Cloud CDN and Identity-Aware Proxy cannot both be enabled."));
    }
    Ok(())
}
