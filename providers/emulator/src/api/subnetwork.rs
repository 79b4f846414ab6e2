//! Subnetworks, in a plain form: a range of a network in a region.

use super::iam;
use crate::declaration::{
    CollectionAnswer, CollectionVerb, CustomVerb, Effect, Fields, ListItem, Locking, Resource, ScopeKind,
    Standard, UnknownFields, VerbAddress, VerbPlace, choice, flag, link, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::ResourcePath;
use crate::world::World;
use ipnet::Ipv4Net;
use serde_json::{Map, Value, json};

pub(super) static RESOURCE: Resource = Resource {
    collection: "subnetworks",
    singular: "subnetwork",
    kind: "compute#subnetwork",
    scopes: &[ScopeKind::Region],
    fields: FIELDS,
    unknown_fields: UnknownFields::Keep,
    verbs: &[Standard::Insert, Standard::Patch, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "expandIpCidrRange",
            request: &[text("ipCidrRange").required()],
            effect: Effect::Change(expand),
            address: VerbAddress::Scoped,
        },
        CustomVerb {
            name: "setPrivateIpGoogleAccess",
            request: &[flag("privateIpGoogleAccess")],
            effect: Effect::Set(&[("privateIpGoogleAccess", "privateIpGoogleAccess")]),
            address: VerbAddress::Scoped,
        },
        iam::GET_POLICY,
        iam::SET_POLICY,
        iam::TEST_PERMISSIONS,
    ],
    collection_verbs: &[CollectionVerb {
        name: "listUsable",
        place: VerbPlace::Aggregated,
        answer: CollectionAnswer::List {
            kind: "compute#usableSubnetworksAggregatedList",
            item: ListItem::Form(usable),
        },
    }],
    locking: Locking::Fingerprint,
    fill,
    check,
    ..Resource::PLAIN
};

const FIELDS: Fields = &[
    text("description"),
    text("gatewayAddress").output(),
    text("ipCidrRange").required(),
    link("network", &["networks"]).required(),
    flag("privateIpGoogleAccess").default_flag(false),
    choice(
        "purpose",
        &[
            "CUSTOM_HARDWARE_LINK",
            "GLOBAL_MANAGED_PROXY",
            "INTERNAL_HTTPS_LOAD_BALANCER",
            "PEER_MIGRATION",
            "PRIVATE",
            "PRIVATE_NAT",
            "PRIVATE_RFC_1918",
            "PRIVATE_SERVICE_CONNECT",
            "REGIONAL_MANAGED_PROXY",
        ],
    )
    .default_text("PRIVATE"),
    choice("role", &["ACTIVE", "BACKUP"]),
    choice("stackType", &["IPV4_IPV6", "IPV4_ONLY", "IPV6_ONLY"]).default_text("IPV4_ONLY"),
];

/// The first address of the range is the network's own.
fn fill(draft: &mut Draft, _: &World<'_>) {
    if let Some(first) =
        draft.text("ipCidrRange").and_then(|range| range.parse::<Ipv4Net>().ok()?.hosts().next())
    {
        draft.fill("gatewayAddress", json!(first.to_string()));
    }
}

fn check(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    match draft.text("ipCidrRange") {
        Some(range) if range.parse::<Ipv4Net>().is_err() => {
            Err(ApiError::invalid("resource.ipCidrRange", range, "Must be a CIDR address range."))
        }
        _ => Ok(()),
    }
}

/// A range may only grow.
fn expand(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let given = request.get("ipCidrRange").and_then(Value::as_str).unwrap_or_default();
    let refuse = |why: &str| Err(ApiError::invalid("resource.ipCidrRange", given, why));
    let Ok(wider) = given.parse::<Ipv4Net>() else { return refuse("Must be a CIDR address range.") };
    let current = draft.text("ipCidrRange").and_then(|range| range.parse::<Ipv4Net>().ok());
    if current.is_some_and(|current| !wider.contains(&current) || wider == current) {
        return refuse("The new range must contain the current range and be larger.");
    }
    draft.body_mut().insert("ipCidrRange".to_owned(), json!(given));
    Ok(())
}

/// A subnetwork as those see it who may use it.
fn usable(path: &ResourcePath, whole: &Map<String, Value>, base: &str) -> Map<String, Value> {
    let mut shown = Map::new();
    for field in ["ipCidrRange", "network", "purpose", "role", "secondaryIpRanges", "stackType"] {
        if let Some(value) = whole.get(field) {
            shown.insert(field.to_owned(), value.clone());
        }
    }
    shown.insert("subnetwork".to_owned(), json!(format!("{base}{path}")));
    shown
}

/// Puts the default subnetwork of a draft's region where the draft names none, if the project has one.
pub(super) fn fill_default(draft: &mut Draft, world: &World<'_>) {
    let path =
        ResourcePath { collection: RESOURCE.collection, name: "default".to_owned(), ..draft.path.clone() };
    if world.latest(&path).is_some() {
        draft.fill("subnetwork", path.to_string());
    }
}

/// The range of the subnetwork that a stored reference names.
pub(super) fn range(subnetwork: Option<&str>, world: &World<'_>) -> Option<Ipv4Net> {
    let path = ResourcePath::parse(subnetwork?)?;
    world.latest(&path)?.text("ipCidrRange")?.parse().ok()
}
