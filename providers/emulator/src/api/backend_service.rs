//! Backend services: groups of endpoints, how they are probed, and how load is spread over them.

mod fields;
mod groups;
pub(super) mod rules;

use super::{iam, signed_url_key};
use crate::declaration::{
    CollectionAnswer, CollectionVerb, CustomVerb, Effect, ListItem, Locking, Question, Resource, ScopeKind,
    Standard, VerbAddress, VerbPlace, link,
};
use crate::draft::Draft;
use crate::error::{ApiError, OperationError};
use crate::plane::state_name;
use crate::scope::ResourcePath;
use crate::state::Stored;
use crate::world::World;
use http::StatusCode;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

pub(super) static RESOURCE: Resource = Resource {
    collection: "backendServices",
    singular: "backend_service",
    kind: "compute#backendService",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: fields::FIELDS,
    verbs: &[Standard::Insert, Standard::Update, Standard::Patch, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "getHealth",
            request: &[link("group", GROUPS).required()],
            effect: Effect::Answer(get_health),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setSecurityPolicy",
            request: &[link("securityPolicy", &["securityPolicies"])],
            effect: Effect::Set(&[("securityPolicy", "securityPolicy")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setEdgeSecurityPolicy",
            request: &[link("securityPolicy", &["securityPolicies"])],
            effect: Effect::Set(&[("securityPolicy", "edgeSecurityPolicy")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "getEffectiveSecurityPolicies",
            request: &[],
            // The discovery document gives the answer no fields.
            effect: Effect::Answer(|_, _| Ok(json!({}))),
            address: VerbAddress::Read,
        },
        signed_url_key::ADD,
        signed_url_key::DELETE,
        iam::GET_POLICY,
        iam::SET_POLICY,
        iam::TEST_PERMISSIONS,
    ],
    collection_verbs: &[CollectionVerb {
        name: "listUsable",
        place: VerbPlace::Scoped,
        answer: CollectionAnswer::List { kind: "compute#usableBackendServiceList", item: ListItem::Whole },
    }],
    lacks: &[(
        ScopeKind::Region,
        &["addSignedUrlKey", "deleteSignedUrlKey", "getEffectiveSecurityPolicies", "setEdgeSecurityPolicy"],
    )],
    locking: Locking::Fingerprint,
    fill,
    check,
    check_late,
    render,
    ..Resource::PLAIN
};

/// What a backend may be.
const GROUPS: &[&str] = &["instanceGroups", "networkEndpointGroups"];

/// The protocol, the port and its name where a request gives the first alone.
const PORTS: &[(&str, u16, &str)] =
    &[("HTTP", 80, "http"), ("HTTPS", 443, "https"), ("HTTP2", 443, "https"), ("H2C", 80, "http")];

/// A backend of a body, with its group.
struct Backend<'a> {
    at: String,
    body: &'a Map<String, Value>,
    group: ResourcePath,
}

fn backends(body: &Map<String, Value>) -> impl Iterator<Item = Backend<'_>> {
    body.get("backends").and_then(Value::as_array).into_iter().flatten().enumerate().filter_map(
        |(index, value)| {
            let body = value.as_object()?;
            let group = ResourcePath::parse(body.get("group")?.as_str()?)?;
            Some(Backend { at: format!("resource.backends[{index}]"), body, group })
        },
    )
}

fn fill(draft: &mut Draft, _: &World<'_>) {
    draft.fill("connectionDraining", json!({ "drainingTimeoutSec": 0 }));
    let internal = draft.text("loadBalancingScheme") == Some("INTERNAL");
    if let Some((_, port, name)) =
        PORTS.iter().find(|(protocol, ..)| draft.text("protocol") == Some(protocol))
    {
        draft.fill("port", *port);
        draft.fill("portName", *name);
    }
    if let Some(Value::Array(backends)) = draft.body_mut().get_mut("backends") {
        for backend in backends.iter_mut().filter_map(Value::as_object_mut) {
            let group = backend.get("group").and_then(Value::as_str).unwrap_or_default();
            let in_instances = group.contains("/instanceGroups/");
            if internal {
                backend.entry("balancingMode").or_insert_with(|| json!("CONNECTION"));
            } else {
                if in_instances {
                    backend.entry("balancingMode").or_insert_with(|| json!("UTILIZATION"));
                }
                backend.entry("capacityScaler").or_insert_with(|| json!(1));
            }
        }
    }
    hide_secret(draft);
    signed_url_key::fill(draft);
}

/// The client secret of IAP is kept, and shown as its hash only.
fn hide_secret(draft: &mut Draft) {
    let Some(Value::Object(iap)) = draft.body_mut().get_mut("iap") else { return };
    let given = match iap.shift_remove("oauth2ClientSecret") {
        Some(Value::String(secret)) => Some(secret),
        _ => None,
    };
    let kept = draft.next.secrets.get("oauth2ClientSecret").and_then(Value::as_str).map(str::to_owned);
    let Some(secret) = given.or(kept) else { return };
    let hash = Sha256::digest(secret.as_bytes()).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    if let Some(Value::Object(iap)) = draft.body_mut().get_mut("iap") {
        iap.insert("oauth2ClientSecretSha256".to_owned(), json!(hash));
    }
    draft.next.secrets.insert("oauth2ClientSecret".to_owned(), json!(secret));
}

fn check(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    rules::check(draft)?;
    groups::check(draft, world)?;
    super::scheme::check_placed(draft, world)
}

/// An instance may be in one load-balanced instance group only. The real API finds out when it makes the change.
fn check_late(draft: &Draft, world: &World<'_>) -> Result<(), OperationError> {
    let groups: Vec<ResourcePath> = backends(draft.body())
        .map(|backend| backend.group)
        .filter(|group| group.collection == "instanceGroups")
        .collect();
    for group in &groups {
        if let Some(members) = world.latest(group) {
            instances_in_one_group(group, members.members.keys(), &groups, world)?;
        }
    }
    Ok(())
}

/// Refuses instances of a load-balanced `group` that are in another load-balanced group as well. `coming`: groups that are
/// about to be load-balanced.
pub(super) fn instances_in_one_group<'a>(
    group: &ResourcePath,
    instances: impl Iterator<Item = &'a String>,
    coming: &[ResourcePath],
    world: &World<'_>,
) -> Result<(), OperationError> {
    let instances: Vec<&String> = instances.collect();
    for (other, members) in world.state.all("instanceGroups") {
        if other == *group || !(coming.contains(&other) || is_load_balanced(&other, world)) {
            continue;
        }
        if let Some(instance) = instances.iter().find(|instance| members.members.contains_key(**instance)) {
            return Err(OperationError {
                code: "INSTANCE_IN_MULTIPLE_LOAD_BALANCED_IGS".into(),
                status: Some(StatusCode::BAD_REQUEST),
                message: format!(
                    "Validation failed for instance '{instance}': instance may belong to at most one load-balanced \
                     instance group."
                ),
            });
        }
    }
    Ok(())
}

/// Whether a backend service names an instance group.
pub(super) fn is_load_balanced(group: &ResourcePath, world: &World<'_>) -> bool {
    world.state.referrers(group).any(|user| user.collection == RESOURCE.collection)
}

fn get_health(question: &Question<'_>, world: &World<'_>) -> Result<Value, ApiError> {
    let given = question.request.get("group").and_then(Value::as_str).unwrap_or_default();
    let named = backends(question.stored.fields()).any(|backend| backend.group.to_string() == given);
    if !named {
        return Err(ApiError::invalid(
            "resource.group",
            given,
            "The group is not a backend of the backend service.",
        ));
    }
    let mut answer = json!({ "kind": "compute#backendServiceGroupHealth" });
    let endpoints = world.plane.health(&question.path.to_string(), given);
    // A group that was never probed has no status at all.
    if !endpoints.is_empty() {
        answer["healthStatus"] = endpoints
            .into_iter()
            .map(|endpoint| {
                let mut status = json!({
                    "ipAddress": endpoint.address.to_string(),
                    "port": endpoint.port,
                    "healthState": state_name(endpoint.state),
                });
                if let Some(instance) = endpoint.instance {
                    status["instance"] = json!(format!("{}{instance}", question.base));
                }
                status
            })
            .collect();
    }
    Ok(answer)
}

/// Who refers to the service is shown in it.
fn render(path: &ResourcePath, _: &Stored, world: &World<'_>, base: &str, body: &mut Map<String, Value>) {
    let users: Vec<Value> =
        world.state.referrers(path).map(|user| json!({ "reference": format!("{base}{user}") })).collect();
    if !users.is_empty() {
        body.insert("usedBy".to_owned(), json!(users));
    }
}
