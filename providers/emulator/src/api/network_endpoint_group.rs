//! Network endpoint groups: addresses and ports of pods or servers.
//!
//! Endpoints are members, not part of the body: they are attached, detached and listed by verbs of their own.

use super::iam;
use crate::declaration::{
    CustomVerb, Effect, Fields, Question, Resource, ScopeKind, Standard, Type, VerbAddress, choice, integer,
    link, list, long, map, object, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::list::{Entry, ListQuery};
use crate::plane::state_name;
use crate::scope::ResourcePath;
use crate::state::Stored;
use crate::world::World;
use ipnet::IpNet;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

pub(super) static RESOURCE: Resource = Resource {
    collection: "networkEndpointGroups",
    singular: "network_endpoint_group",
    kind: "compute#networkEndpointGroup",
    scopes: &[ScopeKind::Zone, ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "attachNetworkEndpoints",
            request: ENDPOINTS,
            effect: Effect::Change(attach),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "detachNetworkEndpoints",
            request: ENDPOINTS,
            effect: Effect::Change(detach),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "listNetworkEndpoints",
            request: &[
                list("endpointFilters", &Type::Opaque).beta(),
                choice("healthStatus", &["SHOW", "SKIP"]),
            ],
            effect: Effect::Answer(list_endpoints),
            address: VerbAddress::Scoped,
        },
        iam::TEST_PERMISSIONS,
    ],
    check_late: super::group_member::check_late,
    fill,
    check,
    render,
    ..Resource::PLAIN
};

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

const ENDPOINTS: Fields =
    &[list("networkEndpoints", &Type::Object(ENDPOINT)).required().at_most(MAX_ENDPOINTS)];

const FIELDS: Fields = &[
    map("annotations", &Type::Text),
    object("appEngine", &[text("service").length(1, 63), text("urlMask"), text("version").length(1, 100)]),
    object("cloudFunction", &[text("function").length(1, 63), text("urlMask")]),
    object("cloudRun", &[text("service").length(1, 63), text("tag").length(1, 63), text("urlMask")]),
    integer("defaultPort").range(1, 65535),
    text("description"),
    object(
        "loadBalancer",
        &[integer("defaultPort"), text("network"), text("subnetwork"), text("zone").output()],
    )
    .beta(),
    link("network", &["networks"]),
    choice(
        "networkEndpointType",
        &[
            "GCE_VM_IP",
            "GCE_VM_IP_PORT",
            "GCE_VM_IP_PORTMAP",
            "INTERNET_FQDN_PORT",
            "INTERNET_IP_PORT",
            "NON_GCP_PRIVATE_IP_PORT",
            "PRIVATE_SERVICE_CONNECT",
            "SERVERLESS",
        ],
    ),
    object(
        "pscData",
        &[
            text("consumerPscAddress").output(),
            integer("producerPort"),
            long("pscConnectionId").output(),
            text("pscConnectionStatus").output(),
        ],
    ),
    text("pscTargetService"),
    object("serverlessDeployment", &[text("platform"), text("resource"), text("urlMask"), text("version")])
        .beta(),
    integer("size").output(),
    link("subnetwork", &["subnetworks"]),
];

fn is_of_instances(group: &Stored) -> bool {
    matches!(group.text("networkEndpointType"), Some("GCE_VM_IP_PORT" | "GCE_VM_IP"))
}

/// The types that a kind of place has; the first is the default, where there is one.
fn types_in(place: ScopeKind) -> (&'static [&'static str], Option<&'static str>) {
    match place {
        ScopeKind::Global => (&["INTERNET_FQDN_PORT", "INTERNET_IP_PORT"], None),
        ScopeKind::Region => (
            &[
                "GCE_VM_IP_PORTMAP",
                "INTERNET_FQDN_PORT",
                "INTERNET_IP_PORT",
                "PRIVATE_SERVICE_CONNECT",
                "SERVERLESS",
            ],
            Some("SERVERLESS"),
        ),
        ScopeKind::Zone | ScopeKind::Project => {
            (&["GCE_VM_IP", "GCE_VM_IP_PORT", "NON_GCP_PRIVATE_IP_PORT"], Some("GCE_VM_IP_PORT"))
        }
    }
}

/// What stands behind a serverless group: exactly one of these.
const SERVERLESS: &[&str] = &["appEngine", "cloudFunction", "cloudRun", "serverlessDeployment"];

fn check(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    let (types, _) = types_in(draft.path.scope.kind());
    let Some(of) = draft.text("networkEndpointType") else {
        return Err(ApiError::required("resource.networkEndpointType"));
    };
    if !types.contains(&of) {
        return Err(ApiError::invalid(
            "resource.networkEndpointType",
            of,
            &format!("Must be one of [{}] here.", types.join(", ")),
        ));
    }
    let body = draft.body();
    let behind: Vec<&&str> = SERVERLESS.iter().filter(|field| body.contains_key(**field)).collect();
    match (of, behind.as_slice()) {
        ("SERVERLESS", [_]) => Ok(()),
        ("SERVERLESS", _) => Err(ApiError::invalid_text(format!(
            "Invalid value for field 'resource': ''. A SERVERLESS network endpoint group needs exactly one of {}.",
            SERVERLESS.join(", ")
        ))),
        (_, [field, ..]) => Err(ApiError::invalid(
            &format!("resource.{field}"),
            "",
            "The field applies to SERVERLESS network endpoint groups only.",
        )),
        ("PRIVATE_SERVICE_CONNECT", []) if !body.contains_key("pscTargetService") => {
            Err(ApiError::required("resource.pscTargetService"))
        }
        (_, []) => Ok(()),
    }
}

fn fill(draft: &mut Draft, _: &World<'_>) {
    if let (_, Some(default)) = types_in(draft.path.scope.kind()) {
        draft.fill("networkEndpointType", default);
    }
    if is_of_instances(&draft.next) {
        let default = format!("projects/{}/global/networks/default", draft.path.project);
        draft.fill("network", json!(default));
    }
}

/// What makes an endpoint the same as another.
fn key(endpoint: &Map<String, Value>) -> String {
    let text = |field: &str| endpoint.get(field).and_then(Value::as_str).unwrap_or_default();
    let port = endpoint.get("port").and_then(Value::as_u64).unwrap_or_default();
    format!("{}|{}|{}|{port:05}", text("instance"), text("ipAddress"), text("fqdn"))
}

/// What an endpoint of some types is: a name, or an address.
const NEEDED: &[(&str, &str)] = &[
    ("INTERNET_FQDN_PORT", "fqdn"),
    ("INTERNET_IP_PORT", "ipAddress"),
    ("NON_GCP_PRIVATE_IP_PORT", "ipAddress"),
];

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
        if is_of_instances(&draft.next) {
            place_on_instance(&mut endpoint, &at, draft, world)?;
        }
        for (of, field) in NEEDED {
            if draft.text("networkEndpointType") == Some(of) && !endpoint.contains_key(*field) {
                return Err(ApiError::required(&format!("{at}.{field}")));
            }
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
    let interface = super::instance::interface_in(found, draft.text("network")).ok_or_else(|| {
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
fn attach(draft: &mut Draft, request: &Map<String, Value>, world: &World<'_>) -> Result<(), ApiError> {
    let endpoints = endpoints(draft, request, world)?;
    draft.next.members.extend(endpoints);
    Ok(())
}

/// Detaching needs no instance: it may be gone. What is not there is refused.
fn detach(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let given = request.get("networkEndpoints").and_then(Value::as_array);
    for (index, endpoint) in given.into_iter().flatten().enumerate() {
        let Value::Object(endpoint) = endpoint else { continue };
        let fits = |member: &Value| {
            ["instance", "ipAddress", "port", "fqdn"]
                .iter()
                .all(|field| endpoint.get(*field).is_none_or(|value| member.get(*field) == Some(value)))
        };
        let keys: Vec<String> = draft
            .next
            .members
            .iter()
            .filter(|(_, member)| fits(member))
            .map(|(key, _)| key.clone())
            .collect();
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

fn list_endpoints(question: &Question<'_>, world: &World<'_>) -> Result<Value, ApiError> {
    let show_health = question.request.get("healthStatus").is_some_and(|value| value == "SHOW");
    let mut listed: BTreeMap<String, Value> = question.stored.members.clone();
    let mut health = Vec::new();
    if show_health {
        health = found_health(question, world);
        for (endpoint, service) in draining(question, world) {
            // One that was attached again meanwhile is as healthy as it was found.
            let key = key(&endpoint);
            if !question.stored.members.contains_key(&key) {
                let shown =
                    json!({ "backendService": { "backendService": service }, "healthState": "DRAINING" });
                health.push((key.clone(), shown));
                listed.insert(key, Value::Object(endpoint));
            }
        }
    }
    let health = &health;
    let entries = listed.iter().map(|(name, endpoint)| Entry {
        name,
        created: question.stored.created,
        show: Box::new(move || {
            let mut shown = endpoint.clone();
            if let Some(Value::String(instance)) = shown.get_mut("instance") {
                *instance = format!("{}{instance}", question.base);
            }
            let healths: Vec<&Value> =
                health.iter().filter(|(key, _)| key == name).map(|(_, health)| health).collect();
            let mut item = Map::new();
            item.insert("networkEndpoint".to_owned(), shown);
            if !healths.is_empty() {
                item.insert("healths".to_owned(), json!(healths));
            }
            item
        }),
    });
    let page = ListQuery::parse(question.query)?.page(entries);
    let mut answer = json!({
        "kind": "compute#networkEndpointGroupsListNetworkEndpoints",
        "id": question.stored.id.to_string(),
    });
    if !page.items.is_empty() {
        answer["items"] = json!(page.items);
    }
    if let Some(next) = page.next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer)
}

/// The backend services that name the group.
fn services<'a>(question: &'a Question<'_>, world: &'a World<'_>) -> impl Iterator<Item = &'a ResourcePath> {
    world.state.referrers(question.path).filter(|user| user.collection == "backendServices")
}

/// What every backend service that names the group has found, by the keys of the members.
fn found_health(question: &Question<'_>, world: &World<'_>) -> Vec<(String, Value)> {
    let group = question.path.to_string();
    let mut health = Vec::new();
    for service in services(question, world) {
        for found in world.plane.health(&service.to_string(), &group) {
            let is_meant = |endpoint: &Value| {
                let address = endpoint.get("ipAddress").and_then(Value::as_str);
                let port = endpoint.get("port").and_then(Value::as_u64);
                address == Some(&found.address.to_string())
                    && port.is_none_or(|number| number == u64::from(found.port))
            };
            let members = question.stored.members.iter().filter(|(_, endpoint)| is_meant(endpoint));
            let shown = json!({
                "backendService": { "backendService": format!("{}{service}", question.base) },
                "healthState": state_name(found.state),
            });
            health.extend(members.map(|(key, _)| (key.clone(), shown.clone())));
        }
    }
    health
}

/// The endpoints that were detached and whose requests have time left, with the backend service that waits for them.
fn draining(question: &Question<'_>, world: &World<'_>) -> Vec<(Map<String, Value>, String)> {
    let group = question.path.to_string();
    let mut draining = Vec::new();
    for service in services(question, world) {
        for endpoint in world.plane.draining(&service.to_string(), &group) {
            let mut shown = Map::new();
            if let Some(instance) = endpoint.instance {
                shown.insert("instance".to_owned(), json!(instance.as_str()));
            }
            shown.insert("ipAddress".to_owned(), json!(endpoint.address.to_string()));
            shown.insert("port".to_owned(), json!(endpoint.port));
            draining.push((shown, format!("{}{service}", question.base)));
        }
    }
    draining
}

fn render(_: &ResourcePath, stored: &Stored, _: &World<'_>, _: &str, body: &mut Map<String, Value>) {
    body.insert("size".to_owned(), json!(stored.members.len()));
}
