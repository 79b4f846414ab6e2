//! The endpoints of a group: which may come and go.

use super::{is_of_instances, rules};
use crate::declaration::{Fields, Type, integer, link, list, map, text};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::ResourcePath;
use crate::world::World;
use ipnet::IpNet;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What one call may attach or detach.
const MAX_ENDPOINTS: usize = 500;

const ENDPOINT: Fields = &[
    map("annotations", &Type::Text),
    integer("clientDestinationPort").range(1, 65535),
    text("fqdn"),
    link("instance", &["instances"]),
    text("ipAddress"),
    text("ipv6Address"),
    integer("port").range(1, 65535),
];

pub(super) const ENDPOINTS: Fields =
    &[list("networkEndpoints", &Type::Object(ENDPOINT)).required().at_most(MAX_ENDPOINTS)];

/// What makes an endpoint the same as another.
pub(super) fn key(endpoint: &Map<String, Value>) -> String {
    let text = |field: &str| endpoint.get(field).and_then(Value::as_str).unwrap_or_default();
    let port = endpoint.get("port").and_then(Value::as_u64).unwrap_or_default();
    format!("{}|{}|{}|{port:05}", text("instance"), text("ipAddress"), text("fqdn"))
}

/// Types whose endpoints are not listed one by one.
const WITHOUT_ENDPOINTS: &[&str] = &["PRIVATE_SERVICE_CONNECT", "SERVERLESS"];

/// The endpoints of a request, whole: an address where only the instance is given, a port where only the group has one.
fn endpoints(
    draft: &Draft,
    request: &Map<String, Value>,
    world: &World<'_>,
) -> Result<BTreeMap<String, Value>, ApiError> {
    let given = request.get("networkEndpoints").and_then(Value::as_array);
    if let Some(of) = draft.text("networkEndpointType").filter(|of| WITHOUT_ENDPOINTS.contains(of)) {
        return Err(ApiError::invalid(
            "resource.networkEndpoints",
            "",
            &format!("Network endpoints cannot be attached to a network endpoint group of type {of}."),
        ));
    }
    let mut endpoints = BTreeMap::new();
    for (index, endpoint) in given.into_iter().flatten().enumerate() {
        let Value::Object(endpoint) = endpoint else { continue };
        let mut endpoint = endpoint.clone();
        let at = format!("resource.networkEndpoints[{index}]");
        rules::endpoint(draft, &endpoint, &at)?;
        if is_of_instances(&draft.next) {
            place_on_instance(&mut endpoint, &at, draft, world)?;
        }
        if !endpoint.contains_key("port") && draft.text("networkEndpointType") != Some("GCE_VM_IP") {
            match draft.body().get("defaultPort") {
                Some(port) => endpoint.insert("port".to_owned(), port.clone()),
                None => return Err(ApiError::required(&format!("{at}.port"))),
            };
        }
        endpoints.insert(key(&endpoint), Value::Object(endpoint));
    }
    Ok(endpoints)
}

/// An endpoint on an instance has an address that the instance has: its primary one, or one of its alias ranges.
fn place_on_instance(
    endpoint: &mut Map<String, Value>,
    at: &str,
    draft: &Draft,
    world: &World<'_>,
) -> Result<(), ApiError> {
    let instance = endpoint
        .get("instance")
        .and_then(Value::as_str)
        .and_then(ResourcePath::parse)
        .ok_or_else(|| ApiError::required(&format!("{at}.instance")))?;
    if instance.scope != draft.path.scope {
        return Err(ApiError::invalid(
            &format!("{at}.instance"),
            &instance.to_string(),
            "The instance must be in the zone of the network endpoint group.",
        ));
    }
    let found = world.latest(&instance).ok_or_else(|| ApiError::not_found(&instance))?;
    let interface = crate::api::instance::interface_in(found, draft.text("network")).ok_or_else(|| {
        ApiError::invalid(
            &format!("{at}.instance"),
            &instance.to_string(),
            "The instance has no network interface in the network of the network endpoint group.",
        )
    })?;
    let given = match endpoint.get("ipAddress").and_then(Value::as_str).filter(|text| !text.is_empty()) {
        Some(given) => given.to_owned(),
        None => interface.address.map(|address| address.to_string()).unwrap_or_default(),
    };
    let address: IpAddr = given
        .parse()
        .map_err(|_| ApiError::invalid(&format!("{at}.ipAddress"), &given, "Must be a valid IP address."))?;
    let owned = interface.address == Some(address)
        || interface.ranges.iter().any(|range: &IpNet| range.contains(&address));
    if !owned {
        return Err(ApiError::invalid(
            &format!("{at}.ipAddress"),
            &given,
            &format!(
                "The address does not belong to the primary address or to an alias IP range of instance '{instance}'."
            ),
        ));
    }
    endpoint.insert("ipAddress".to_owned(), json!(given));
    Ok(())
}

/// Attaching what is there already changes nothing.
pub(super) fn attach(
    draft: &mut Draft,
    request: &Map<String, Value>,
    world: &World<'_>,
) -> Result<(), ApiError> {
    let endpoints = endpoints(draft, request, world)?;
    draft.next.members.extend(endpoints);
    rules::members(draft)
}

/// Detaching needs no instance: it may be gone. What is not there is refused.
pub(super) fn detach(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let given = request.get("networkEndpoints").and_then(Value::as_array);
    for (index, endpoint) in given.into_iter().flatten().enumerate() {
        let Value::Object(endpoint) = endpoint else { continue };
        let fits = |member: &Value| {
            ["instance", "ipAddress", "port", "fqdn"]
                .iter()
                .all(|field| endpoint.get(*field).is_none_or(|value| member.get(*field) == Some(value)))
        };
        // One that is said in full is found by its key; a group may have ten thousand others.
        let in_full = ["instance", "ipAddress", "port"].iter().all(|field| endpoint.contains_key(*field));
        let known =
            Some(key(endpoint)).filter(|key| in_full && draft.next.members.get(key).is_some_and(fits));
        let keys: Vec<String> = match known {
            Some(key) => vec![key],
            None => draft
                .next
                .members
                .iter()
                .filter(|(_, member)| fits(member))
                .map(|(key, _)| key.clone())
                .collect(),
        };
        if keys.is_empty() {
            return Err(ApiError::invalid(
                &format!("resource.networkEndpoints[{index}]"),
                &Value::Object(endpoint.clone()).to_string(),
                "The network endpoint is not attached to the network endpoint group.",
            ));
        }
        for key in keys {
            draft.next.members.remove(&key);
        }
    }
    Ok(())
}
