//! Instances, in a plain form: machines with addresses, which groups and endpoints name. Nothing runs in them; the admin
//! path registers those that stand for real servers.

use super::iam;
use crate::declaration::{
    Fields, Resource, ScopeKind, Standard, Type, UnknownFields, link, list, map, object, text,
};
use crate::draft::Draft;
use crate::scope::Scope;
use crate::state::Stored;
use crate::world::World;
use ipnet::IpNet;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

pub(super) static RESOURCE: Resource = Resource {
    collection: "instances",
    singular: "instance",
    kind: "compute#instance",
    scopes: &[ScopeKind::Zone],
    fields: FIELDS,
    unknown_fields: UnknownFields::Keep,
    verbs: &[Standard::Insert, Standard::Delete],
    custom: &[iam::GET_POLICY, iam::SET_POLICY, iam::TEST_PERMISSIONS],
    fill,
    deleted: |path, _, state| super::group_member::forget(path, state),
    ..Resource::PLAIN
};

const FIELDS: Fields = &[
    text("description"),
    map("labels", &Type::Text),
    list(
        "networkInterfaces",
        &Type::Object(&[
            list("aliasIpRanges", &Type::Object(&[text("ipCidrRange"), text("subnetworkRangeName")])),
            text("name"),
            link("network", &["networks"]),
            text("networkIP"),
            link("subnetwork", &["subnetworks"]),
        ]),
    ),
    text("status").output(),
    object("tags", &[text("fingerprint").output(), list("items", &Type::Text)]),
];

/// A network interface, as far as groups and endpoints care.
pub(super) struct Interface {
    pub(super) address: Option<IpAddr>,
    pub(super) ranges: Vec<IpNet>,
}

fn interfaces(instance: &Stored) -> impl Iterator<Item = &Value> {
    instance.fields().get("networkInterfaces").and_then(Value::as_array).into_iter().flatten()
}

/// The interface of an instance in a network; in any, if none is named.
pub(super) fn interface_in(instance: &Stored, network: Option<&str>) -> Option<Interface> {
    let interface = interfaces(instance).find(|interface| match network {
        Some(network) => interface.get("network").and_then(Value::as_str) == Some(network),
        None => true,
    })?;
    let ranges = interface.get("aliasIpRanges").and_then(Value::as_array).into_iter().flatten();
    Some(Interface {
        address: interface.get("networkIP").and_then(Value::as_str).and_then(|text| text.parse().ok()),
        ranges: ranges.filter_map(|range| range.get("ipCidrRange")?.as_str()).filter_map(range).collect(),
    })
}

/// A range of addresses, or a single one.
fn range(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The network of an instance's first interface.
pub(super) fn first_network(instance: &Stored) -> Option<Value> {
    interfaces(instance).next()?.get("network").cloned()
}

/// An instance that is given no network is in the default one, and each interface has an address of its region's
/// subnetwork.
fn fill(draft: &mut Draft, world: &World<'_>) {
    draft.fill("status", "RUNNING");
    let default = format!("projects/{}/global/networks/default", draft.path.project);
    draft.fill("networkInterfaces", json!([{ "name": "nic0", "network": default }]));
    let taken: BTreeSet<String> = world
        .every(RESOURCE.collection)
        .filter(|(path, _)| path.project == draft.path.project && *path != draft.path)
        .flat_map(|(_, other)| {
            interfaces(other)
                .filter_map(|interface| interface.get("networkIP")?.as_str().map(str::to_owned))
                .collect::<Vec<_>>()
        })
        .collect();
    let Scope::Zone(zone) = &draft.path.scope else { return };
    let region = zone.rsplit_once('-').map_or(zone.as_str(), |(region, _)| region);
    let subnetwork = format!("projects/{}/regions/{region}/subnetworks/default", draft.path.project);
    let Some(range) = super::subnetwork::range(Some(&subnetwork), world) else { return };
    let mut free = (u32::from(range.network()) + 2..u32::from(range.broadcast()))
        .map(|number| Ipv4Addr::from(number).to_string())
        .filter(|address| !taken.contains(address));
    if let Some(Value::Array(interfaces)) = draft.body_mut().get_mut("networkInterfaces") {
        for interface in interfaces.iter_mut().filter_map(Value::as_object_mut) {
            interface.entry("network").or_insert_with(|| json!(default));
            if !interface.contains_key("networkIP")
                && let Some(address) = free.next()
            {
                interface.insert("networkIP".to_owned(), json!(address));
            }
        }
    }
}
