//! Addresses: reserved numbers that forwarding rules use.
//!
//! External ones come from the pool of loopback addresses, so that they can be listened on. Internal ones are only
//! numbers.

use super::iam;
use crate::address_pool::IPV6;
use crate::declaration::{
    CustomVerb, Effect, Fields, Resource, ScopeKind, Standard, Type, VerbAddress, choice, integer, link,
    list, map, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::ResourcePath;
use crate::state::{State, Stored};
use crate::world::World;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

pub(super) static RESOURCE: Resource = Resource {
    collection: "addresses",
    singular: "address",
    kind: "compute#address",
    scopes: &[ScopeKind::Global, ScopeKind::Region],
    fields: FIELDS,
    verbs: &[Standard::Insert, Standard::Delete],
    custom: &[
        CustomVerb {
            name: "move",
            request: &[text("description"), text("destinationAddress").required()],
            effect: Effect::Leave(leave),
            address: VerbAddress::Scoped,
        },
        super::SET_LABELS_VERB,
        iam::TEST_PERMISSIONS,
    ],
    fill,
    check,
    allocate,
    render,
    deleted: arrive,
    ..Resource::PLAIN
};

const FIELDS: Fields = &[
    text("address"),
    choice("addressType", &["EXTERNAL", "INTERNAL", "UNSPECIFIED_TYPE"]),
    text("description"),
    text("ipCollection"),
    choice("ipVersion", &["IPV4", "IPV6", "UNSPECIFIED_VERSION"]),
    choice("ipv6EndpointType", &["NETLB", "VM"]),
    map("labels", &Type::Text),
    link("network", &["networks"]),
    choice("networkTier", &["FIXED_STANDARD", "PREMIUM", "STANDARD", "STANDARD_OVERRIDES_FIXED_STANDARD"]),
    integer("prefixLength").range(0, 128),
    choice(
        "purpose",
        &[
            "DNS_RESOLVER",
            "GCE_ENDPOINT",
            "IPSEC_INTERCONNECT",
            "NAT_AUTO",
            "PRIVATE_SERVICE_CONNECT",
            "SERVERLESS",
            "SHARED_LOADBALANCER_VIP",
            "VPC_PEERING",
        ],
    ),
    choice("status", &["IN_USE", "RESERVED", "RESERVING"]).output(),
    link("subnetwork", &["subnetworks"]),
    list("users", &Type::Text).output(),
];

/// Recorded answers for global addresses say neither the type nor the tier unless the request did.
fn fill(draft: &mut Draft, world: &World<'_>) {
    if draft.path.scope.kind() == ScopeKind::Region {
        draft.fill("addressType", "EXTERNAL");
        draft.fill("networkTier", "PREMIUM");
        if is_internal(&draft.next) {
            draft.fill("purpose", "GCE_ENDPOINT");
            if !draft.body().contains_key("network") {
                super::subnetwork::fill_default(draft, world);
            }
        }
    }
    if draft.text("address") == Some("") {
        draft.body_mut().shift_remove("address");
    }
}

fn is_internal(address: &Stored) -> bool {
    address.text("addressType") == Some("INTERNAL")
}

fn check(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    if draft.previous.is_some() {
        return Ok(());
    }
    let Some(given) = draft.text("address") else { return Ok(()) };
    let Ok(number) = given.parse::<IpAddr>() else {
        return Err(ApiError::invalid("resource.address", given, "Must be a valid IP address."));
    };
    let there = |other: &Stored| other.text("address").and_then(|text| text.parse().ok()) == Some(number);
    let holder = world.every_that(RESOURCE.collection, there).find(|(path, other)| {
        *path != draft.path
            && is_internal(other) == is_internal(&draft.next)
            && (!is_internal(other) || path.project == draft.path.project)
    });
    match holder {
        None => Ok(()),
        Some((path, _)) => {
            let in_use = format!(
                "IP_IN_USE_BY_ANOTHER_RESOURCE - IP '{given}' is already being used by another resource '{path}'."
            );
            // An internal number is a conflict, an external one a value that cannot be.
            if is_internal(&draft.next) {
                return Err(ApiError::address_conflict(in_use));
            }
            let why = format!("Specified IP address is already reserved: {in_use}");
            Err(ApiError::invalid("resource.address", given, &why))
        }
    }
}

fn allocate(draft: &mut Draft, world: &World<'_>) -> Result<(), ApiError> {
    if draft.body().contains_key("address") {
        return Ok(());
    }
    if draft.text("ipVersion") == Some("IPV6") && !is_internal(&draft.next) {
        draft.fill("address", json!(IPV6.to_string()));
        return Ok(());
    }
    let number = if is_internal(&draft.next) { internal(draft, world) } else { world.free_address() };
    let Some(number) = number else {
        return Err(ApiError::invalid_text(format!(
            "No address is left in the pool {}; give the emulator a larger one with --address-pool.",
            world.config.address_pool
        )));
    };
    draft.fill("address", json!(number.to_string()));
    Ok(())
}

/// An internal number that no other address and no forwarding rule of the project has: from the subnetwork, or from a range
/// of its own.
pub(super) fn internal(draft: &Draft, world: &World<'_>) -> Option<Ipv4Addr> {
    const OWN: Ipv4Addr = Ipv4Addr::new(10, 64, 0, 0);
    let own = |path: &ResourcePath| path.project == draft.path.project;
    let addresses = world.every(RESOURCE.collection).filter(|(path, other)| own(path) && is_internal(other));
    let rules = world.every("forwardingRules").filter(|(path, _)| own(path));
    let taken: BTreeSet<Ipv4Addr> = addresses
        .filter_map(|(_, other)| other.text("address"))
        .chain(rules.filter_map(|(_, rule)| rule.text("IPAddress")))
        .filter_map(|number| number.parse().ok())
        .collect();
    let prefix = draft.body().get("prefixLength").and_then(Value::as_u64).unwrap_or(32);
    let step = 1_u32.checked_shl(32_u32.saturating_sub(u32::try_from(prefix).ok()?)).unwrap_or(1 << 20);
    let (first, last) = match super::subnetwork::range(draft.text("subnetwork"), world) {
        // The first addresses of a subnetwork are the network's own.
        Some(net) => (u32::from(net.network()).saturating_add(10), u32::from(net.broadcast())),
        None => (u32::from(OWN), u32::from(OWN) | 0x003f_ffff),
    };
    (0..)
        .map_while(|index: u32| index.checked_mul(step).and_then(|offset| first.checked_add(offset)))
        .take_while(|number| *number < last)
        .map(Ipv4Addr::from)
        .find(|number| !taken.contains(number))
}

/// Where an address that moves is on its way to.
const MOVES_TO: &str = "movesTo";

/// An address may move to another project, within its kind of place.
fn leave(draft: &mut Draft, request: &Map<String, Value>, world: &World<'_>) -> Result<(), ApiError> {
    let text = |field: &str| request.get(field).and_then(Value::as_str);
    let given = text("destinationAddress").unwrap_or_default();
    let refuse = |why: &str| ApiError::invalid("resource.destinationAddress", given, why);
    let at = given.find("projects/").ok_or_else(|| refuse("The URL is malformed."))?;
    let to = given
        .get(at..)
        .and_then(ResourcePath::parse)
        .filter(|to| to.collection == RESOURCE.collection && to.scope == draft.path.scope)
        .ok_or_else(|| refuse("The URL is malformed."))?;
    crate::name::check("resource.destinationAddress", &to.name)?;
    if to.project == draft.path.project {
        return Err(refuse("The destination must be in another project."));
    }
    if world.latest(&to).is_some() {
        return Err(ApiError::already_exists(&to));
    }
    if let Some(description) = text("description").map(str::to_owned) {
        draft.body_mut().insert("description".to_owned(), json!(description));
    }
    draft.next.secrets.insert(MOVES_TO.to_owned(), json!(to.to_string()));
    Ok(())
}

/// Puts an address that was moving into its new project.
fn arrive(_: &ResourcePath, gone: &Stored, state: &mut State) {
    let to = gone.secrets.get(MOVES_TO).and_then(Value::as_str).and_then(ResourcePath::parse);
    let Some(to) = to else { return };
    // A project that nobody has named yet begins with its first address.
    crate::seed::ensure(state, &to.project, gone.created);
    let mut moved = gone.clone();
    moved.secrets.shift_remove(MOVES_TO);
    state.put(&to, moved);
}

/// Who uses an address follows from the forwarding rules. A global address that nobody uses is shown without a status, as
/// it was recorded.
fn render(path: &ResourcePath, _: &Stored, world: &World<'_>, base: &str, body: &mut Map<String, Value>) {
    let users: Vec<Value> = world.state.referrers(path).map(|user| json!(format!("{base}{user}"))).collect();
    if !users.is_empty() {
        body.insert("status".to_owned(), json!("IN_USE"));
        body.insert("users".to_owned(), json!(users));
    } else if path.scope.kind() == ScopeKind::Region {
        body.insert("status".to_owned(), json!("RESERVED"));
    }
}
