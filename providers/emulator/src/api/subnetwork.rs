//! Subnetworks, in a plain form: a range of a network in a region.

use crate::declaration::{
    Fields, Locking, Resource, ScopeKind, Standard, UnknownFields, choice, flag, link, text,
};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::ResourcePath;
use crate::world::World;
use ipnet::Ipv4Net;

pub(super) static RESOURCE: Resource = Resource {
    collection: "subnetworks",
    singular: "subnetwork",
    kind: "compute#subnetwork",
    scopes: &[ScopeKind::Region],
    fields: FIELDS,
    unknown_fields: UnknownFields::Keep,
    verbs: &[Standard::Insert, Standard::Patch, Standard::Delete],
    locking: Locking::Fingerprint,
    check,
    ..Resource::PLAIN
};

const FIELDS: Fields = &[
    text("description"),
    text("gatewayAddress").output(),
    text("ipCidrRange").required(),
    link("network", &["networks"]).required(),
    flag("privateIpGoogleAccess"),
    choice(
        "purpose",
        &[
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

fn check(draft: &Draft, _: &World<'_>) -> Result<(), ApiError> {
    match draft.text("ipCidrRange") {
        Some(range) if range.parse::<Ipv4Net>().is_err() => {
            Err(ApiError::invalid("resource.ipCidrRange", range, "Must be a CIDR address range."))
        }
        _ => Ok(()),
    }
}

/// The range of the subnetwork that a stored reference names.
pub(super) fn range(subnetwork: Option<&str>, world: &World<'_>) -> Option<Ipv4Net> {
    let path = ResourcePath::parse(subnetwork?)?;
    world.latest(&path)?.text("ipCidrRange")?.parse().ok()
}
