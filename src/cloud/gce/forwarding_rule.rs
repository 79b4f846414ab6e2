//! Forwarding rules.

use std::net::IpAddr;

use gce_api::ForwardingRule as WireForwardingRule;

use super::backend_service::{scheme_from, scheme_word};
use super::link::{Links, reference};
use super::wire::{NotUnderstood, Unspeakable, Wire};
use crate::model::{AddressBinding, ForwardingRule, Mark, ResourceId, Scope, Target};

impl Wire for WireForwardingRule {
    type Model = ForwardingRule;

    fn write(
        model: &ForwardingRule,
        id: &ResourceId,
        mark: &Mark,
        links: &Links,
    ) -> Result<Self, Unspeakable> {
        let ForwardingRule { address, port, target, scheme } = model;
        Ok(Self {
            name: Some(id.name.to_string()),
            description: Some(mark.render()),
            ip_address: Some(match address {
                AddressBinding::Reserved(address) => links.to(address.id()),
                AddressBinding::Literal(address) => address.to_string(),
            }),
            ip_protocol: Some("TCP".to_owned()),
            port_range: Some(format!("{port}-{port}")),
            target: Some(target_link(target, links)),
            load_balancing_scheme: Some(scheme_word(*scheme)?.to_owned()),
            ..Self::default()
        })
    }

    /// The address is read as a bare number: which address resource it is, only the mirror can say.
    fn read(&self, _: &Scope) -> Result<ForwardingRule, NotUnderstood> {
        let address =
            Wire::address(self).ok_or_else(|| NotUnderstood::new("IPAddress", self.ip_address.as_deref()))?;
        let port_range = self.port_range.as_deref();
        let port = port_range
            .map(|range| range.split_once('-').unwrap_or((range, range)))
            .and_then(|(first, last)| if first == last { first.parse().ok() } else { None })
            .ok_or_else(|| NotUnderstood::new("portRange", port_range))?;
        Ok(ForwardingRule {
            address: AddressBinding::Literal(address),
            port,
            target: target_from(self.target.as_deref().unwrap_or_default()),
            scheme: scheme_from(self.load_balancing_scheme.as_deref()),
        })
    }

    fn created(&self) -> Option<&str> {
        self.creation_timestamp.as_deref()
    }

    fn address(&self) -> Option<IpAddr> {
        self.ip_address.as_deref()?.parse().ok()
    }
}

pub(super) fn target_link(target: &Target, links: &Links) -> String {
    match target {
        Target::Http(proxy) => links.to(proxy.id()),
        Target::Https(proxy) => links.to(proxy.id()),
        Target::Other(link) => link.clone(),
    }
}

fn target_from(link: &str) -> Target {
    reference(link)
        .map(Target::Http)
        .or_else(|| reference(link).map(Target::Https))
        .unwrap_or_else(|| Target::Other(link.to_owned()))
}
