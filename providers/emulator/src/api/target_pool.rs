//! Target pools: instances that packets are passed to unchanged. Kept and shown; nothing is served.

use super::iam;
use crate::declaration::{
    CustomVerb, Effect, Fields, Question, Resource, ScopeKind, Standard, Type, VerbAddress, choice, link,
    list, number, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::world::World;
use serde_json::{Map, Value, json};

pub(super) static RESOURCE: Resource = Resource {
    collection: "targetPools",
    singular: "target_pool",
    kind: "compute#targetPool",
    scopes: &[ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "addHealthCheck",
            request: HEALTH_CHECKS,
            effect: Effect::Change(|draft, request, _| {
                add(draft, "healthChecks", members(request, "healthChecks", "healthCheck"));
                Ok(())
            }),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "addInstance",
            request: INSTANCES,
            effect: Effect::Change(|draft, request, _| {
                add(draft, "instances", members(request, "instances", "instance"));
                Ok(())
            }),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "getHealth",
            request: &[link("instance", &["instances"]).required()],
            effect: Effect::Answer(get_health),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "removeHealthCheck",
            request: HEALTH_CHECKS,
            effect: Effect::Change(|draft, request, _| {
                remove(draft, "healthChecks", &members(request, "healthChecks", "healthCheck"))
            }),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "removeInstance",
            request: INSTANCES,
            effect: Effect::Change(|draft, request, _| {
                remove(draft, "instances", &members(request, "instances", "instance"))
            }),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setBackup",
            request: &[
                link("target", &["targetPools"]),
                number("failoverRatio").fraction(0.0, 1.0).in_query(),
            ],
            effect: Effect::Set(&[("target", "backupPool"), ("failoverRatio", "failoverRatio")]),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setSecurityPolicy",
            request: &[link("securityPolicy", &["securityPolicies"])],
            effect: Effect::Set(&[("securityPolicy", "securityPolicy")]),
            address: VerbAddress::Scoped,
        },
        iam::TEST_PERMISSIONS,
    ],
    check,
    ..Resource::PLAIN
};

const HEALTH_CHECK: Fields = &[link("healthCheck", &["httpHealthChecks"]).required()];
const HEALTH_CHECKS: Fields = &[list("healthChecks", &Type::Object(HEALTH_CHECK)).required()];
const INSTANCE: Fields = &[link("instance", &["instances"]).required()];
const INSTANCES: Fields = &[list("instances", &Type::Object(INSTANCE)).required()];

const FIELDS: Fields = &[
    link("backupPool", &["targetPools"]),
    text("description"),
    number("failoverRatio").fraction(0.0, 1.0),
    list("healthChecks", &Type::Link(&["httpHealthChecks"])).at_most(1),
    list("instances", &Type::Link(&["instances"])),
    link("securityPolicy", &["securityPolicies"]).by_verb(),
    choice(
        "sessionAffinity",
        &[
            "CLIENT_IP",
            "CLIENT_IP_NO_DESTINATION",
            "CLIENT_IP_PORT_PROTO",
            "CLIENT_IP_PROTO",
            "GENERATED_COOKIE",
            "HEADER_FIELD",
            "HTTP_COOKIE",
            "NONE",
            "STRONG_COOKIE_AFFINITY",
        ],
    )
    .default_text("NONE"),
];

fn check(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    let body = draft.body();
    if body.contains_key("backupPool") && !body.contains_key("failoverRatio") {
        return Err(ApiError::required("resource.failoverRatio"));
    }
    if body.contains_key("failoverRatio") && !body.contains_key("backupPool") {
        return Err(ApiError::required("resource.backupPool"));
    }
    Ok(())
}

/// The references of a request: a list of objects of one field each.
fn members(request: &Map<String, Value>, list: &str, of: &str) -> Vec<Value> {
    let given = request.get(list).and_then(Value::as_array).into_iter().flatten();
    given.filter_map(|item| item.get(of).cloned()).collect()
}

/// Adding what is there already changes nothing.
fn add(draft: &mut Draft, field: &str, new: Vec<Value>) {
    let body = draft.body_mut();
    if let Value::Array(all) = body.entry(field).or_insert_with(|| json!([])) {
        for item in new {
            if !all.contains(&item) {
                all.push(item);
            }
        }
    }
}

fn remove(draft: &mut Draft, field: &str, gone: &[Value]) -> Result<(), ApiError> {
    let path = draft.path.to_string();
    let Some(Value::Array(all)) = draft.body_mut().get_mut(field) else {
        return Err(not_a_member(gone.first(), &path));
    };
    for item in gone {
        let before = all.len();
        all.retain(|member| member != item);
        if all.len() == before {
            return Err(not_a_member(Some(item), &path));
        }
    }
    if all.is_empty() {
        draft.body_mut().shift_remove(field);
    }
    Ok(())
}

fn not_a_member(item: Option<&Value>, pool: &str) -> ApiError {
    let item = item.and_then(Value::as_str).unwrap_or_default();
    ApiError::bad_request("memberNotFound", format!("Resource '{item}' is not a member of '{pool}'"))
}

/// Pools are not probed, so nothing is known.
fn get_health(question: &Question<'_>, _: &World<'_>) -> Result<Value, ApiError> {
    let given = question.request.get("instance").cloned().unwrap_or_default();
    let members = question.stored.fields().get("instances").and_then(Value::as_array);
    if !members.is_some_and(|members| members.contains(&given)) {
        return Err(not_a_member(Some(&given), &question.path.to_string()));
    }
    Ok(json!({ "kind": "compute#targetPoolInstanceHealth" }))
}
