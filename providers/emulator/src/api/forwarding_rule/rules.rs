//! The rules of a forwarding rule: what may stand behind it, which ports and which address it may have, and what the network
//! must hold for it.

use super::{is_external, ports};
use crate::address_pool::IPV6;
use crate::api::scheme::{Reach, Scheme};
use crate::draft::Draft;
use crate::error::ApiError;
use crate::scope::{ResourcePath, Scope};
use crate::state::Stored;
use crate::world::World;
use serde_json::Value;
use std::net::IpAddr;

/// Rules that hold for good.
pub(super) fn check(draft: &Draft) -> Result<(), ApiError> {
    let body = draft.body();
    match (body.contains_key("target"), body.contains_key("backendService")) {
        (true, true) => Err(ApiError::invalid_text(
            "Invalid value for field 'resource.backendService': ''. Only one of target and backendService may be specified.",
        )),
        (false, false) => Err(ApiError::required("resource.target")),
        (true, false) => {
            behind_a_proxy(draft)?;
            port_fields(draft)
        }
        (false, true) => {
            behind_no_proxy(draft)?;
            port_fields(draft)
        }
    }
}

fn scheme_of(draft: &Draft) -> &str {
    draft.text("loadBalancingScheme").unwrap_or("EXTERNAL")
}

fn refuse(draft: &Draft, field: &str, why: &str) -> ApiError {
    let value = draft.body().get(field);
    let value = value
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .unwrap_or_default();
    ApiError::invalid(&format!("resource.{field}"), &value, why)
}

/// In front of a target proxy: a scheme that has proxies, where it has them, and one port of TCP.
fn behind_a_proxy(draft: &Draft) -> Result<(), ApiError> {
    let target = draft.text("target").and_then(ResourcePath::parse);
    if target.as_ref().is_some_and(|target| target.collection == "targetPools") {
        let passes_on = scheme_of(draft) == "EXTERNAL" && Reach::of(&draft.path.scope) == Reach::Regional;
        let why = "A target pool requires a regional forwarding rule of scheme EXTERNAL.";
        return if passes_on { Ok(()) } else { Err(refuse(draft, "loadBalancingScheme", why)) };
    }
    let regional = target.is_some_and(|target| Reach::of(&target.scope) == Reach::Regional);
    let scheme = Scheme::of(&draft.next);
    let why = match scheme {
        None => "The scheme has no target proxies.",
        Some(Scheme::External) if regional => {
            "A classic load balancer has global target proxies; a regional one is EXTERNAL_MANAGED or INTERNAL_MANAGED."
        }
        Some(Scheme::InternalSelfManaged) if Reach::of(&draft.path.scope) == Reach::Regional => {
            "A forwarding rule of this scheme must be global."
        }
        Some(_) => "",
    };
    if !why.is_empty() {
        return Err(refuse(draft, "loadBalancingScheme", why));
    }
    if draft.text("IPProtocol") != Some("TCP") {
        return Err(refuse(draft, "IPProtocol", "A target proxy requires TCP."));
    }
    if !draft.body().contains_key("portRange") && !draft.body().contains_key("ports") {
        return Err(ApiError::required("resource.portRange"));
    }
    match ports(&draft.next).as_slice() {
        [(from, to)] if from == to => Ok(()),
        _ => {
            let field = if draft.body().contains_key("portRange") { "portRange" } else { "ports" };
            Err(refuse(draft, field, "A target proxy requires exactly one port."))
        }
    }
}

/// In front of a backend service itself: a load balancer that passes packets on.
fn behind_no_proxy(draft: &Draft) -> Result<(), ApiError> {
    match scheme_of(draft) {
        "INTERNAL" | "EXTERNAL" if Reach::of(&draft.path.scope) == Reach::Regional => Ok(()),
        "INTERNAL" | "EXTERNAL" => {
            Err(refuse(draft, "backendService", "A global forwarding rule requires a target."))
        }
        _ => {
            let why = "The scheme requires a target; backendService is for passthrough load balancers.";
            Err(refuse(draft, "backendService", why))
        }
    }
}

fn port_fields(draft: &Draft) -> Result<(), ApiError> {
    let body = draft.body();
    let all = body.get("allPorts") == Some(&Value::Bool(true));
    let given = [body.contains_key("ports"), body.contains_key("portRange"), all];
    if given.into_iter().filter(|given| *given).count() > 1 {
        return Err(ApiError::invalid_text(
            "Invalid value for field 'resource.ports': ''. Only one of ports, portRange and allPorts may be specified.",
        ));
    }
    Ok(())
}

/// Rules that hold when a rule is made.
pub(super) fn check_new(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    tier(draft, world)?;
    version(draft)?;
    address(draft, world)?;
    clash(draft, world)?;
    proxy_only_subnetwork(draft, world)
}

/// The reservation that the rule uses, if it uses one.
fn reservation<'a>(draft: &Draft, world: &'a World<'_>) -> Option<(&'a Stored, ResourcePath)> {
    let path = draft.next.holds.iter().find(|path| path.collection == "addresses")?;
    Some((world.latest(path)?, path.clone()))
}

fn tier(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    let Some(tier) = draft.text("networkTier") else { return Ok(()) };
    if draft.path.scope == Scope::Global && tier != "PREMIUM" {
        return Err(refuse(draft, "networkTier", "A global forwarding rule requires PREMIUM."));
    }
    match reservation(draft, world).and_then(|(address, _)| address.text("networkTier")) {
        Some(other) if other != tier => {
            let why = format!("The network tier must be that of the address, which is {other}.");
            Err(refuse(draft, "networkTier", &why))
        }
        _ => Ok(()),
    }
}

/// An address is of the version that the rule asks for.
fn version(draft: &Draft) -> Result<(), ApiError> {
    let address = draft.text("IPAddress").and_then(|text| text.parse::<IpAddr>().ok());
    match (draft.text("ipVersion"), address) {
        (Some("IPV4"), Some(IpAddr::V6(_))) | (Some("IPV6"), Some(IpAddr::V4(_))) => {
            Err(refuse(draft, "ipVersion", "The IP version must be that of the address."))
        }
        _ => Ok(()),
    }
}

/// A reserved address is of the rule's place and kind.
fn address(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    let Some((address, path)) = reservation(draft, world) else { return Ok(()) };
    // A classic rule of the standard tier is regional, with its address.
    if path.scope != draft.path.scope {
        let place = match &draft.path.scope {
            Scope::Region(region) => format!("in region {region}"),
            Scope::Project | Scope::Global | Scope::Zone(_) => "global".to_owned(),
        };
        let why = format!("The address '{path}' cannot be used: it must be {place}.");
        return Err(refuse(draft, "IPAddress", &why));
    }
    let internal = address.text("addressType") == Some("INTERNAL");
    let fits = match scheme_of(draft) {
        "INTERNAL" | "INTERNAL_MANAGED" => internal,
        "INTERNAL_SELF_MANAGED" => true,
        _ => !internal,
    };
    if fits {
        return Ok(());
    }
    let kind = if internal { "INTERNAL" } else { "EXTERNAL" };
    let why = format!(
        "The address '{path}' of type {kind} cannot be used with load balancing scheme {}.",
        scheme_of(draft)
    );
    Err(refuse(draft, "IPAddress", &why))
}

/// No two external rules share an address, protocol and port; nor do two internal ones in one network.
pub(super) fn clash(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    let Some(address) = draft.text("IPAddress") else { return Ok(()) };
    let external = is_external(&draft.next);
    let network = (!external).then(|| network_of(&draft.path, &draft.next, world));
    let there = |other: &Stored| other.text("IPAddress") == Some(address);
    let clash = world.every_that(super::RESOURCE.collection, there).any(|(path, other)| {
        path != draft.path
            && other.text("IPProtocol") == draft.text("IPProtocol")
            && is_external(other) == external
            && (external || Some(network_of(&path, other, world)) == network)
            && overlap(other, &draft.next)
    });
    if clash {
        let mut why = "Specified IP address is in-use and would result in a conflict.".to_owned();
        if address.parse() == Ok(IpAddr::V6(IPV6)) {
            why.push_str(" Every IPv6 address here is the loopback address ::1: take another port, or delete the other rule.");
        }
        return Err(refuse(draft, "IPAddress", &why));
    }
    Ok(())
}

fn overlap(a: &Stored, b: &Stored) -> bool {
    let of_b = ports(b);
    ports(a).iter().any(|(a_from, a_to)| of_b.iter().any(|(b_from, b_to)| a_from <= b_to && b_from <= a_to))
}

/// The network that a rule is in: the one of its subnetwork, else its own, else the default one.
fn network_of(path: &ResourcePath, rule: &Stored, world: &World<'_>) -> String {
    let subnetwork = rule.text("subnetwork").and_then(ResourcePath::parse);
    subnetwork
        .and_then(|path| world.latest(&path)?.text("network"))
        .or_else(|| rule.text("network"))
        .map_or_else(|| format!("projects/{}/global/networks/default", path.project), str::to_owned)
}

/// Regional load balancers with proxies have them in a subnetwork of their own.
fn proxy_only_subnetwork(draft: &Draft, world: &World<'_>) -> Result<(), ApiError> {
    let managed = matches!(Scheme::of(&draft.next), Some(Scheme::ExternalManaged | Scheme::InternalManaged));
    if !managed || Reach::of(&draft.path.scope) == Reach::Global || !draft.body().contains_key("target") {
        return Ok(());
    }
    let network = network_of(&draft.path, &draft.next, world);
    let found = world.every("subnetworks").any(|(path, subnetwork)| {
        path.scope == draft.path.scope
            && subnetwork.text("network") == Some(&network)
            && matches!(
                subnetwork.text("purpose"),
                Some("REGIONAL_MANAGED_PROXY" | "INTERNAL_HTTPS_LOAD_BALANCER")
            )
            && subnetwork.text("role") != Some("BACKUP")
    });
    if found {
        return Ok(());
    }
    Err(refuse(
        draft,
        "target",
        "An active proxy-only subnetwork is required in the same region and VPC as the forwarding rule.",
    ))
}
