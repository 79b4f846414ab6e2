//! Whether a firewall lets the load balancer's packets through to an instance.
//!
//! Pure. Probes and proxied requests come from the same ranges, so there is one judgement for both. It is made
//! per source range as a whole: an allow rule counts if it covers the whole range, a deny rule if it touches any
//! of it. A rule that opens only a part of the probers' addresses is, as in the cloud, not enough.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::program::{Firewall, FirewallAction, FirewallProtocol, FirewallTarget, Instance};
use super::resource_id::NetworkId;

/// The rules of every network in the order in which they are judged.
#[derive(Debug, Default)]
pub(super) struct Firewalls<'a> {
    by_network: BTreeMap<&'a NetworkId, Vec<Rule<'a>>>,
}

#[derive(Debug)]
struct Rule<'a> {
    firewall: &'a Firewall,
    /// The source ranges with neighbours merged.
    sources: Vec<IpNet>,
}

impl<'a> Firewalls<'a> {
    pub(super) fn new(firewalls: &'a [Firewall]) -> Self {
        let mut by_network: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for firewall in firewalls {
            let sources = IpNet::aggregate(&firewall.source_ranges);
            by_network.entry(&firewall.network).or_default().push(Rule { firewall, sources });
        }
        for rules in by_network.values_mut() {
            rules.sort_by_key(|rule| (rule.firewall.priority, rule.firewall.action));
        }
        Self { by_network }
    }

    /// Whether TCP from every one of `sources` reaches `port` of the instance in `network`.
    pub(super) fn admit(
        &self,
        network: &NetworkId,
        instance: &Instance,
        port: u16,
        sources: &[IpNet],
    ) -> bool {
        let rules = self.by_network.get(network).map_or(&[][..], Vec::as_slice);
        sources.iter().all(|source| {
            rules
                .iter()
                .filter(|rule| rule.speaks_of(instance, port))
                .find_map(|rule| rule.verdict(source))
                // Ingress that no rule speaks of is denied.
                .unwrap_or(false)
        })
    }
}

impl Rule<'_> {
    fn speaks_of(&self, instance: &Instance, port: u16) -> bool {
        let meant = match &self.firewall.target {
            FirewallTarget::EveryInstance => true,
            FirewallTarget::Tags(tags) => !tags.is_disjoint(&instance.tags),
            FirewallTarget::ServiceAccounts => false,
        };
        meant
            && self.firewall.protocols.iter().any(|protocol| match protocol {
                FirewallProtocol::Tcp(ports) => ports.contains(port),
                FirewallProtocol::Other => false,
            })
    }

    fn verdict(&self, source: &IpNet) -> Option<bool> {
        match self.firewall.action {
            FirewallAction::Allow => self.sources.iter().any(|range| range.contains(source)).then_some(true),
            FirewallAction::Deny => self
                .sources
                .iter()
                .any(|range| range.contains(source) || source.contains(range))
                .then_some(false),
        }
    }
}
