//! The endpoints of a group, listed, with what the backend services know of their health.

use super::members::key;
use crate::declaration::Question;
use crate::error::ApiError;
use crate::list::{Entry, ListQuery};
use crate::plane::state_name;
use crate::scope::ResourcePath;
use crate::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(super) fn list_endpoints(question: &Question<'_>, world: &World<'_>) -> Result<Value, ApiError> {
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
