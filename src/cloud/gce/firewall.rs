//! Firewall rules.

use std::collections::BTreeSet;

use gce_api::{Firewall as WireFirewall, FirewallAllowed};

use super::link::{Links, short_name};
use super::wire::{NotUnderstood, Patched, Unspeakable, Wire};
use crate::model::{Firewall, Mark, ResourceId, Scope};

/// An entry without ports admits all of them.
const ALL_PORTS: (u16, u16) = (0, u16::MAX);

impl Wire for WireFirewall {
    type Model = Firewall;

    fn write(model: &Firewall, id: &ResourceId, mark: &Mark, links: &Links) -> Result<Self, Unspeakable> {
        let Firewall { network, source_ranges, ports, target_tags } = model;
        let range = |(first, last): &(u16, u16)| {
            if first == last { first.to_string() } else { format!("{first}-{last}") }
        };
        Ok(Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            network: Some(links.network(network)),
            direction: Some("INGRESS".to_owned()),
            source_ranges: Some(source_ranges.iter().map(ToString::to_string).collect()),
            target_tags: (!target_tags.is_empty()).then(|| target_tags.iter().cloned().collect()),
            allowed: Some(vec![FirewallAllowed {
                ip_protocol: Some("tcp".to_owned()),
                ports: Some(ports.iter().map(range).collect()),
                ..FirewallAllowed::default()
            }]),
            ..Self::default()
        })
    }

    fn read(&self, _: &Scope) -> Result<Firewall, NotUnderstood> {
        let network = short_name(self.network.as_deref())
            .ok_or_else(|| NotUnderstood::new("network", self.network.as_deref()))?;
        Ok(Firewall {
            network,
            source_ranges: self
                .source_ranges
                .iter()
                .flatten()
                .filter_map(|range| range.parse().ok())
                .collect(),
            ports: self.allowed.iter().flatten().flat_map(ports).collect(),
            target_tags: self.target_tags.iter().flatten().cloned().collect(),
        })
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }
}

impl Patched for WireFirewall {
    const OWNED: &'static [&'static str] = &["sourceRanges", "allowed", "targetTags"];
}

fn ports(allowed: &FirewallAllowed) -> BTreeSet<(u16, u16)> {
    // The protocol may be given by number; 6 is TCP (IANA, protocol numbers).
    if !matches!(allowed.ip_protocol.as_deref(), Some("tcp" | "TCP" | "6" | "all")) {
        return BTreeSet::new();
    }
    match &allowed.ports {
        None => BTreeSet::from([ALL_PORTS]),
        Some(ports) => ports
            .iter()
            .filter_map(|range| {
                let (first, last) = range.split_once('-').unwrap_or((range, range));
                Some((first.parse().ok()?, last.parse().ok()?))
            })
            .collect(),
    }
}
