//! Network endpoint groups: addresses and ports of pods or servers.
//!
//! Endpoints are members, not part of the body: they are attached, detached and listed by verbs of their own.

mod listing;
mod members;
mod rules;

use self::listing::list_endpoints;
use self::members::{ENDPOINTS, attach, detach};
use super::iam;
use crate::declaration::{
    CustomVerb, Effect, Fields, Resource, ScopeKind, Standard, Type, VerbAddress, choice, integer, link,
    list, long, map, object, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::ResourcePath;
use crate::state::Stored;
use crate::world::World;
use serde_json::{Map, Value, json};

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

fn render(_: &ResourcePath, stored: &Stored, _: &World<'_>, _: &str, body: &mut Map<String, Value>) {
    body.insert("size".to_owned(), json!(stored.members.len()));
}
