//! Forwarding rules: an address and a port, and the proxy that answers there.

mod rules;

use super::iam;
use crate::address_pool::IPV6;
use crate::declaration::{
    CustomVerb, Effect, Fields, Locking, Resource, ScopeKind, Standard, Type, VerbAddress, choice, flag,
    link, list, long, map, number, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::{ResourcePath, Scope};
use crate::state::Stored;
use crate::world::World;
use serde_json::{Map, Value, json};
use std::net::IpAddr;

pub(super) static RESOURCE: Resource = Resource {
    collection: "forwardingRules",
    singular: "forwarding_rule",
    kind: "compute#forwardingRule",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Patch, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "setTarget",
            request: &[link("target", TARGETS).required()],
            effect: Effect::Change(set_target),
            address: VerbAddress::Scoped,
        },
        super::SET_LABELS_VERB,
        iam::TEST_PERMISSIONS,
    ],
    locking: Locking::Fingerprint,
    operation_types: &[("setTarget", "SetTarget")],
    complete,
    check,
    allocate,
    ..Resource::PLAIN
};

const TARGETS: &[&str] = &[
    "targetHttpProxies",
    "targetHttpsProxies",
    "targetGrpcProxies",
    "targetPools",
    "targetSslProxies",
    "targetTcpProxies",
];

/// The schemes whose addresses the outside world sees.
const EXTERNAL_SCHEMES: &[&str] = &["EXTERNAL", "EXTERNAL_MANAGED"];

const METADATA_FILTER: Fields = &[
    list("filterLabels", &Type::Object(&[text("name").length(1, 1024), text("value").length(1, 1024)])),
    choice("filterMatchCriteria", &["MATCH_ALL", "MATCH_ANY", "NOT_SET"]),
];

const FIELDS: Fields = &[
    text("IPAddress"),
    choice("IPProtocol", &["AH", "ESP", "ICMP", "L3_DEFAULT", "SCTP", "TCP", "UDP"]).default_text("TCP"),
    flag("allPorts"),
    flag("allowGlobalAccess"),
    flag("allowPscGlobalAccess"),
    flag("allowPscPacketInjection").beta(),
    list("attachedExtensions", &Type::Object(&[text("reference").output()])).output(),
    link("backendService", &["backendServices"]),
    text("baseForwardingRule").output(),
    text("description"),
    choice(
        "externalManagedBackendBucketMigrationState",
        &["PREPARE", "TEST_ALL_TRAFFIC", "TEST_BY_PERCENTAGE"],
    ),
    number("externalManagedBackendBucketMigrationTestingPercentage").fraction(0.0, 100.0),
    text("ipCollection"),
    choice("ipVersion", &["IPV4", "IPV6", "UNSPECIFIED_VERSION"]),
    flag("isMirroringCollector"),
    // As recorded: an insert takes no labels, setLabels does.
    map("labels", &Type::Text).by_verb(),
    choice(
        "loadBalancingScheme",
        &["EXTERNAL", "EXTERNAL_MANAGED", "INTERNAL", "INTERNAL_MANAGED", "INTERNAL_SELF_MANAGED", "INVALID"],
    )
    .default_text("EXTERNAL"),
    list("metadataFilters", &Type::Object(METADATA_FILTER)),
    link("network", &["networks"]),
    choice("networkTier", &["FIXED_STANDARD", "PREMIUM", "STANDARD", "STANDARD_OVERRIDES_FIXED_STANDARD"]),
    flag("noAutomateDnsZone"),
    text("portRange"),
    list("ports", &Type::Text).at_most(5),
    long("pscConnectionId").output(),
    choice(
        "pscConnectionStatus",
        &["ACCEPTED", "CLOSED", "NEEDS_ATTENTION", "PENDING", "REJECTED", "STATUS_UNSPECIFIED"],
    )
    .output(),
    list(
        "serviceDirectoryRegistrations",
        &Type::Object(&[text("namespace"), text("service"), text("serviceDirectoryRegion")]),
    ),
    text("serviceLabel").named(),
    text("serviceName").output(),
    list("sourceIpRanges", &Type::Text).at_most(64),
    link("subnetwork", &["subnetworks"]),
    link("target", TARGETS),
];

fn is_external(rule: &Stored) -> bool {
    rule.text("loadBalancingScheme").is_some_and(|scheme| EXTERNAL_SCHEMES.contains(&scheme))
}

/// Whether only a network sees the address.
fn is_internal(rule: &Stored) -> bool {
    matches!(rule.text("loadBalancingScheme"), Some("INTERNAL" | "INTERNAL_MANAGED"))
}

/// What an internal rule of a region is given, if it does not say: its network, its subnetwork, and the name that its label
/// makes.
fn inside_a_network(draft: &mut Draft, world: &World<'_>) {
    draft.fill("networkTier", "PREMIUM");
    let Scope::Region(region) = draft.path.scope.clone() else { return };
    if !draft.body().contains_key("network") {
        super::subnetwork::fill_default(draft, world);
        let default = format!("projects/{}/global/networks/default", draft.path.project);
        draft.fill("network", default);
    }
    if let Some(label) = draft.text("serviceLabel") {
        let ResourcePath { project, name, .. } = &draft.path;
        let service = format!("{label}.{name}.il4.{region}.lb.{project}.internal");
        draft.fill("serviceName", service);
    }
}

fn complete(draft: &mut Draft, world: &World<'_>) -> Result<(), ApiError> {
    if let Some(previous) = &draft.previous {
        // Where a rule listens cannot be changed, nor its scheme, but for the way from classic to managed and back.
        let migrates = is_external(previous) && is_external(&draft.next);
        for field in ["IPAddress", "IPProtocol", "portRange", "ports", "loadBalancingScheme"] {
            if migrates && field == "loadBalancingScheme" {
                continue;
            }
            if previous.fields().get(field) != draft.body().get(field) {
                return Err(ApiError::invalid(
                    &format!("resource.{field}"),
                    &draft.body().get(field).map(ToString::to_string).unwrap_or_default(),
                    "The field cannot be changed.",
                ));
            }
        }
        return Ok(());
    }
    if is_external(&draft.next) {
        draft.fill("networkTier", "PREMIUM");
    } else if is_internal(&draft.next) {
        inside_a_network(draft, world);
    }
    let to_pool = draft.text("target").is_some_and(|target| target.contains("/targetPools/"));
    if to_pool && !draft.body().contains_key("ports") && !draft.body().contains_key("allPorts") {
        draft.fill("portRange", "1-65535");
    }
    if let Some(given) = draft.text("portRange").map(str::to_owned) {
        let (from, to) = port_range(&given).ok_or_else(|| {
            ApiError::invalid("resource.portRange", &given, "Must be a port or a range of ports.")
        })?;
        draft.body_mut().insert("portRange".to_owned(), json!(format!("{from}-{to}")));
    }
    match draft.text("IPAddress").map(str::to_owned) {
        None => Ok(()),
        Some(given) if given.is_empty() => {
            draft.body_mut().shift_remove("IPAddress");
            Ok(())
        }
        Some(given) => settle_address(draft, &given, world),
    }
}

/// The number an address reference stands for; and the reservation, if there is one, is held.
fn settle_address(draft: &mut Draft, given: &str, world: &World<'_>) -> Result<(), ApiError> {
    if let Ok(number) = given.parse::<IpAddr>() {
        let reserved = world.every("addresses").find(|(path, address)| {
            path.project == draft.path.project
                && address.text("address").and_then(|text| text.parse().ok()) == Some(number)
        });
        draft.next.holds.extend(reserved.map(|(path, _)| path));
        return Ok(());
    }
    let path = ResourcePath::resolve(given, &["addresses"], &draft.path.place(world.state.identities()))
        .ok_or_else(|| ApiError::invalid("resource.IPAddress", given, "The URL is malformed."))?;
    if world.state.in_flight(&path).is_some() {
        return Err(ApiError::not_ready(&path));
    }
    let number = world
        .latest(&path)
        .and_then(|address| address.text("address"))
        .ok_or_else(|| ApiError::not_found(&path))?
        .to_owned();
    draft.next.holds.push(path);
    draft.body_mut().insert("IPAddress".to_owned(), json!(number));
    Ok(())
}

fn check(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    rules::check(draft)?;
    super::scheme::check_placed(draft, world)?;
    if draft.previous.is_some() { Ok(()) } else { rules::check_new(draft, world) }
}

fn allocate(draft: &mut Draft, world: &World<'_>) -> Result<(), ApiError> {
    if draft.body().contains_key("IPAddress") {
        return Ok(());
    }
    if draft.text("ipVersion") == Some("IPV6") && is_external(&draft.next) {
        draft.fill("IPAddress", IPV6.to_string());
        return rules::clash(draft, world);
    }
    // What only passes packets on within a network is not served here, so its address need not be of the pool.
    let passes_on = draft.text("loadBalancingScheme") == Some("INTERNAL");
    let number = if passes_on { super::address::internal(draft, world) } else { world.free_address() };
    let number = number.ok_or_else(|| {
        ApiError::invalid_text(format!(
            "No address is left in the pool {}; give the emulator a larger one with --address-pool.",
            world.config.address_pool
        ))
    })?;
    draft.fill("IPAddress", json!(number.to_string()));
    Ok(())
}

fn set_target(draft: &mut Draft, request: &Map<String, Value>, _: &World<'_>) -> Result<(), ApiError> {
    let Some(Value::String(target)) = request.get("target") else {
        return Err(ApiError::required("resource.target"));
    };
    let collection = |text: &str| ResourcePath::parse(text).map(|path| path.collection);
    if draft.text("target").and_then(collection) != collection(target) {
        return Err(ApiError::invalid(
            "resource.target",
            target,
            "The new target must be of the same type as the current target.",
        ));
    }
    draft.body_mut().insert("target".to_owned(), json!(target));
    Ok(())
}

/// The ports of a rule: its range, or its list; all ports where it names none.
fn ports(rule: &Stored) -> Vec<(u16, u16)> {
    if let Some(range) = rule.text("portRange").and_then(port_range) {
        return vec![range];
    }
    match rule.fields().get("ports").and_then(Value::as_array) {
        Some(ports) => ports.iter().filter_map(Value::as_str).filter_map(port_range).collect(),
        None => vec![(0, u16::MAX)],
    }
}

/// `80` and `80-90`.
fn port_range(text: &str) -> Option<(u16, u16)> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (from >= 1 && from <= to).then_some((from, to))
}
