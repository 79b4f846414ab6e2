//! The answers that faults put in the place of the engine's, or make of them. All of it is about JSON and nothing else.

use super::kind::{ShownHealth, ThrottleStatus};
use crate::engine::Reply;
use http::StatusCode;
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// The usual reason and text of a status.
fn usual(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        401 => (
            "authError",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
             valid authentication credential.",
        ),
        403 => ("forbidden", "The caller does not have permission."),
        404 => ("notFound", "The resource was not found."),
        409 => ("alreadyExists", "The resource already exists."),
        412 => ("conditionNotMet", "Invalid fingerprint."),
        429 => ("rateLimitExceeded", "Rate Limit Exceeded"),
        500 => ("internalError", "Internal error encountered."),
        502 => ("backendError", "Bad Gateway"),
        503 => ("backendError", "The service is currently unavailable."),
        504 => ("backendError", "Deadline exceeded."),
        400..500 => ("badRequest", "Bad Request"),
        _ => ("backendError", "Backend Error"),
    }
}

/// An error of any status.
pub(crate) fn error(status: u16, reason: Option<&str>, message: Option<&str>, domain: &str) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (usual_reason, usual_message) = usual(status);
    let message = message.unwrap_or(usual_message);
    let item = json!({ "message": message, "domain": domain, "reason": reason.unwrap_or(usual_reason) });
    let body = json!({ "error": { "code": status.as_u16(), "message": message, "errors": [item] } });
    Reply { status, body: Some(body) }
}

/// Too many requests in a minute.
pub(crate) fn throttled(status: ThrottleStatus, project_number: u64) -> Reply {
    let message = format!(
        "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service \
         'compute.googleapis.com' for consumer 'project_number:{project_number}'."
    );
    error(status.into(), Some("rateLimitExceeded"), Some(&message), "usageLimits")
}

/// The page that a front end answers with when what is behind it does not.
pub(crate) fn html(status: u16) -> String {
    let phrase =
        StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
    format!(
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n  <title>Error {status} ({phrase})!!1</title>\n  \
         <p><b>{status}.</b> <ins>That's an error.</ins>\n  <p>The server encountered a temporary error and could \
         not complete your request.<p>Please try again in 30 seconds.\n"
    )
}

/// An aggregated list without some of its places.
pub(crate) fn without(mut list: Value, scopes: &[String], base: &str, project: &str) -> Value {
    let mut unreachable = Vec::new();
    for scope in scopes {
        unreachable.push(json!(format!("{base}projects/{project}/{scope}")));
        let Some(items) = list.get_mut("items").and_then(Value::as_object_mut) else { continue };
        let mut lacking = Map::new();
        let warning = json!({
            "code": "UNREACHABLE",
            "message": format!("The scope '{scope}' is unreachable."),
            "data": [{ "key": "scope", "value": scope }],
        });
        lacking.insert("warning".to_owned(), warning);
        items.insert(scope.clone(), Value::Object(lacking));
    }
    list["unreachables"] = Value::Array(unreachable);
    list
}

/// What `getHealth` answered, with another state of the endpoints that have the address, or of all.
pub(crate) fn with_health(mut health: Value, state: ShownHealth, address: Option<IpAddr>) -> Value {
    let meant = |status: &Value| {
        let of = status.get("ipAddress").and_then(Value::as_str).and_then(|text| text.parse::<IpAddr>().ok());
        address.is_none_or(|address| of == Some(address))
    };
    let Some(statuses) = health.get_mut("healthStatus").and_then(Value::as_array_mut) else { return health };
    let shown = match state {
        ShownHealth::Missing => {
            statuses.retain(|status| !meant(status));
            if statuses.is_empty()
                && let Some(health) = health.as_object_mut()
            {
                health.shift_remove("healthStatus");
            }
            return health;
        }
        ShownHealth::Healthy => "HEALTHY",
        ShownHealth::Unhealthy => "UNHEALTHY",
        ShownHealth::Unknown => "UNKNOWN",
    };
    for status in statuses.iter_mut().filter(|status| meant(status)) {
        status["healthState"] = json!(shown);
    }
    health
}
