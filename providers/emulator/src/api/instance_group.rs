//! Instance groups: machines that serve the same, and the names of their ports.
//!
//! Unmanaged ones only: instances are added and removed by hand.

use super::iam;
use crate::declaration::{
    CustomVerb, Effect, Fields, ListOf, Locking, Question, Resource, ScopeKind, Standard, Type, VerbAddress,
    choice, integer, link, list, text,
};
use crate::draft::Draft;
use crate::error::{ApiError, OperationError};
use crate::list::{Entry, ListQuery};
use crate::scope::ResourcePath;
use crate::state::Stored;
use crate::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(super) static RESOURCE: Resource = Resource {
    collection: "instanceGroups",
    singular: "instance_group",
    kind: "compute#instanceGroup",
    scopes: &[ScopeKind::Zone, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Delete],
    // Groups of a region belong to managers, which nobody can make here.
    lacks: &[(ScopeKind::Region, &["insert", "delete", "addInstances", "removeInstances"])],
    list_kinds: &[(ListOf::Region, "compute#regionInstanceGroupList")],
    custom: &[
        CustomVerb {
            name: "addInstances",
            request: INSTANCES,
            effect: Effect::Change(add),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "removeInstances",
            request: INSTANCES,
            effect: Effect::Change(remove),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "listInstances",
            request: &[
                choice("instanceState", &["ALL", "RUNNING"]),
                // Clients repeat the path in the body, and are not refused.
                text("instanceGroup"),
                text("portName"),
                text("project"),
                text("zone"),
            ],
            effect: Effect::Answer(list_instances),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setNamedPorts",
            request: &[list("namedPorts", &Type::Object(NAMED_PORT)), text("fingerprint")],
            effect: Effect::Set(&[("namedPorts", "namedPorts")]),
            address: VerbAddress::Scoped,
        },
        iam::TEST_PERMISSIONS,
    ],
    locking: Locking::Fingerprint,
    check,
    check_late,
    render,
    ..Resource::PLAIN
};

const NAMED_PORT: Fields = &[text("name").required().named(), integer("port").required().range(1, 65535)];

const INSTANCES: Fields =
    &[list("instances", &Type::Object(&[link("instance", &["instances"]).required()])).required()];

const FIELDS: Fields = &[
    text("description"),
    list("namedPorts", &Type::Object(NAMED_PORT)),
    link("network", &["networks"]),
    integer("size").output(),
    link("subnetwork", &["subnetworks"]),
];

fn check(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    let ports = draft.body().get("namedPorts").and_then(Value::as_array);
    let mut seen = BTreeSet::new();
    for (index, port) in ports.into_iter().flatten().enumerate() {
        if !seen.insert(port.to_string()) {
            return Err(ApiError::invalid(
                &format!("resource.namedPorts[{index}]"),
                &port.to_string(),
                "The named port is given twice.",
            ));
        }
    }
    Ok(())
}

fn instances(request: &Map<String, Value>) -> impl Iterator<Item = (usize, ResourcePath)> {
    request
        .get("instances")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, item)| Some((index, ResourcePath::parse(item.get("instance")?.as_str()?)?)))
}

fn add(draft: &mut Draft, request: &Map<String, Value>, world: &World<'_>) -> Result<(), ApiError> {
    for (index, instance) in instances(request) {
        let at = format!("resource.instances[{index}].instance");
        let name = instance.to_string();
        if instance.scope != draft.path.scope {
            return Err(ApiError::invalid(
                &at,
                &name,
                "The instance must be in the zone of the instance group.",
            ));
        }
        let found = world.latest(&instance).ok_or_else(|| ApiError::not_found(&instance))?;
        if draft.next.members.contains_key(&name) {
            return Err(ApiError::bad_request(
                "memberAlreadyExists",
                format!("Resource '{name}' is already a member of '{}'", draft.path),
            ));
        }
        match draft.text("network").map(str::to_owned) {
            Some(network) if super::instance::interface_in(found, Some(&network)).is_none() => {
                return Err(ApiError::invalid(
                    &at,
                    &name,
                    &format!("The instance is not in the network '{network}' of the instance group."),
                ));
            }
            Some(_) => {}
            // The first instance decides.
            None => {
                if let Some(network) = super::instance::first_network(found) {
                    draft.fill("network", network);
                }
            }
        }
        draft.next.members.insert(name.clone(), json!(name));
    }
    Ok(())
}

fn remove(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    for (_, instance) in instances(request) {
        if draft.next.members.remove(&instance.to_string()).is_none() {
            return Err(ApiError::bad_request(
                "memberNotFound",
                format!("Resource '{instance}' is not a member of '{}'", draft.path),
            ));
        }
    }
    Ok(())
}

/// Adding to a group that is load-balanced counts the same as load-balancing a group.
fn check_late(draft: &Draft, world: &World<'_>) -> Result<(), OperationError> {
    super::group_member::check_late(draft, world)?;
    if !super::backend_service::is_load_balanced(&draft.path, world) {
        return Ok(());
    }
    super::backend_service::instances_in_one_group(&draft.path, draft.next.members.keys(), &[], world)
}

fn list_instances(question: &Question<'_>, world: &World<'_>) -> Result<Value, ApiError> {
    let running_only = question.request.get("instanceState").is_some_and(|value| value == "RUNNING");
    let ports = question.stored.fields().get("namedPorts");
    let entries = question.stored.members.keys().filter_map(|name| {
        let instance = ResourcePath::parse(name)?;
        let status = world.state.get(&instance)?.text("status").unwrap_or("RUNNING");
        if running_only && status != "RUNNING" {
            return None;
        }
        Some(Entry {
            name,
            created: question.stored.created,
            show: Box::new(move || {
                let mut item = Map::new();
                item.insert("instance".to_owned(), json!(format!("{}{name}", question.base)));
                item.insert("status".to_owned(), json!(status));
                if let Some(ports) = ports {
                    item.insert("namedPorts".to_owned(), ports.clone());
                }
                item
            }),
        })
    });
    let page = ListQuery::parse(question.query)?.page(entries);
    let mut answer =
        json!({ "kind": "compute#instanceGroupsListInstances", "id": question.stored.id.to_string() });
    if !page.items.is_empty() {
        answer["items"] = json!(page.items);
    }
    if let Some(next) = page.next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer)
}

fn render(_: &ResourcePath, stored: &Stored, _: &World<'_>, _: &str, body: &mut Map<String, Value>) {
    body.insert("size".to_owned(), json!(stored.members.len()));
}
