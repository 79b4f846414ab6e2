//! The rules of the endpoints of a network endpoint group.

use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::ScopeKind;
use serde_json::{Map, Value};
use std::net::IpAddr;

fn type_of(draft: &Draft) -> &str {
    draft.text("networkEndpointType").unwrap_or_default()
}

/// What an endpoint must say and must not, for the type of its group.
pub(super) fn endpoint(draft: &Draft, endpoint: &Map<String, Value>, at: &str) -> Result<(), ApiError> {
    let (required, refused): (&[&str], &[&str]) = match type_of(draft) {
        "NON_GCP_PRIVATE_IP_PORT" | "INTERNET_IP_PORT" => (&["ipAddress"], &["instance", "fqdn"]),
        "INTERNET_FQDN_PORT" => (&["fqdn"], &["instance", "ipAddress"]),
        "GCE_VM_IP" => (&["instance"], &["port", "fqdn"]),
        "GCE_VM_IP_PORT" | "GCE_VM_IP_PORTMAP" => (&["instance"], &["fqdn"]),
        given => {
            let why = format!("Endpoints cannot be attached to a network endpoint group of type {given}.");
            return Err(ApiError::invalid(at, "", &why));
        }
    };
    let empty = |field: &str| match endpoint.get(field) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(_) => false,
    };
    if let Some(field) = required.iter().find(|field| empty(field)) {
        return Err(ApiError::required(&format!("{at}.{field}")));
    }
    if let Some(field) = refused.iter().find(|field| !empty(field)) {
        let value =
            endpoint.get(*field).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        return Err(ApiError::invalid(
            &format!("{at}.{field}"),
            &value.unwrap_or_default(),
            &format!("The field is not supported in a network endpoint group of type {}.", type_of(draft)),
        ));
    }
    match endpoint.get("ipAddress").and_then(Value::as_str) {
        Some(text) if !text.is_empty() && text.parse::<IpAddr>().is_err() => {
            Err(ApiError::invalid(&format!("{at}.ipAddress"), text, "Must be a valid IP address."))
        }
        _ => Ok(()),
    }
}

/// A global group of something on the internet has one endpoint.
pub(super) fn members(draft: &Draft) -> Result<(), ApiError> {
    if draft.path.scope.kind() == ScopeKind::Global && draft.next.members.len() > 1 {
        return Err(ApiError::invalid(
            "resource.networkEndpoints",
            "",
            "A global network endpoint group can have one endpoint only.",
        ));
    }
    Ok(())
}
