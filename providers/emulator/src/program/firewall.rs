//! Firewall rules and instances.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::Resources;
use super::json::{field, flag, integer, items, link, text, texts};
use crate::dataplane::program::{
    Firewall, FirewallAction, FirewallProtocol, FirewallTarget, Instance, Interface, PortRange, Program,
};
use crate::dataplane::resource_id::{FirewallId, InstanceId, NetworkId};

/// The API's default for `priority`.
const DEFAULT_PRIORITY: u16 = 1000;

/// Adds all firewall rules that could meet traffic of a load balancer, and all instances.
pub(super) fn compile(resources: &impl Resources, program: &mut Program) {
    for (path, body) in resources.list("firewalls") {
        match firewall(path, body) {
            Ok(Some(firewall)) => program.firewalls.push(firewall),
            Ok(None) => {}
            Err(message) => program.problem(path, message),
        }
    }
    for (path, body) in resources.list("instances") {
        program.instances.insert(InstanceId::new(path), instance(body));
    }
}

fn firewall(path: &str, body: &Value) -> Result<Option<Firewall>, String> {
    if flag(body, "disabled") || text(body, "direction").is_some_and(|direction| direction != "INGRESS") {
        return Ok(None);
    }
    let network = link(body, "network").ok_or("names no network, so it protects nothing")?;
    let mut source_ranges = Vec::new();
    for range in texts(body, "sourceRanges") {
        source_ranges
            .push(ip_net(range).ok_or_else(|| format!("has a source range that is none: {range:?}"))?);
    }
    if source_ranges.is_empty() {
        // With no source at all a rule means everyone; with tags or accounts alone it means only instances.
        if texts(body, "sourceTags").next().is_some() || texts(body, "sourceServiceAccounts").next().is_some()
        {
            return Ok(None);
        }
        source_ranges = vec![IpNet::V4(ipnet::Ipv4Net::default()), IpNet::V6(ipnet::Ipv6Net::default())];
    }
    let (action, entries) = if items(body, "denied").next().is_some() {
        (FirewallAction::Deny, "denied")
    } else {
        (FirewallAction::Allow, "allowed")
    };
    let mut protocols = Vec::new();
    for entry in items(body, entries) {
        protocols.extend(protocol(entry)?);
    }
    let tags: BTreeSet<String> = texts(body, "targetTags").map(str::to_owned).collect();
    let target = if !tags.is_empty() {
        FirewallTarget::Tags(tags)
    } else if texts(body, "targetServiceAccounts").next().is_some() {
        FirewallTarget::ServiceAccounts
    } else {
        FirewallTarget::EveryInstance
    };
    Ok(Some(Firewall {
        id: FirewallId::new(path),
        network: NetworkId::new(network),
        priority: integer(body, "priority").and_then(|p| u16::try_from(p).ok()).unwrap_or(DEFAULT_PRIORITY),
        action,
        source_ranges,
        protocols,
        target,
    }))
}

fn protocol(entry: &Value) -> Result<Vec<FirewallProtocol>, String> {
    let name = text(entry, "IPProtocol").unwrap_or_default().to_ascii_lowercase();
    if !matches!(name.as_str(), "tcp" | "6" | "all") {
        return Ok(vec![FirewallProtocol::Other]);
    }
    let mut ports = Vec::new();
    for range in texts(entry, "ports") {
        ports.push(FirewallProtocol::Tcp(
            port_range(range).ok_or_else(|| format!("has a port range that is none: {range:?}"))?,
        ));
    }
    if ports.is_empty() {
        ports.push(FirewallProtocol::Tcp(PortRange::ALL));
    }
    Ok(ports)
}

fn port_range(text: &str) -> Option<PortRange> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(PortRange { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? })
}

fn instance(body: &Value) -> Instance {
    let tags =
        field(body, "tags").map(|tags| texts(tags, "items").map(str::to_owned).collect()).unwrap_or_default();
    let interfaces = items(body, "networkInterfaces")
        .filter_map(|interface| {
            Some(Interface {
                network: NetworkId::new(link(interface, "network")?),
                address: text(interface, "networkIP")?.parse::<IpAddr>().ok()?,
                alias_ranges: items(interface, "aliasIpRanges")
                    .filter_map(|range| ip_net(text(range, "ipCidrRange")?))
                    .collect(),
            })
        })
        .collect();
    Instance { tags, interfaces }
}

/// A range with or without a prefix length; a bare address is itself.
fn ip_net(text: &str) -> Option<IpNet> {
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}
