//! Firewall rules, and the facts about instances that they are judged by.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::dataplane::resource_id::{FirewallId, NetworkId};

/// An enabled ingress rule with address ranges as its source.
///
/// Rules that are disabled, that speak of egress, or whose sources are only tags or service accounts never
/// match traffic of a load balancer, and so are not in a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firewall {
    /// The rule.
    pub id: FirewallId,
    /// The network whose instances it protects.
    pub network: NetworkId,
    /// 0 is judged first. Of two rules with one priority, deny wins.
    pub priority: u16,
    /// Allow or deny.
    pub action: FirewallAction,
    /// The sources it speaks of.
    pub source_ranges: Vec<IpNet>,
    /// The protocols and ports it speaks of.
    pub protocols: Vec<FirewallProtocol>,
    /// The instances it speaks of.
    pub target: FirewallTarget,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FirewallAction {
    /// Drop. Sorts before allow, as it wins at equal priority.
    Deny,
    /// Let through.
    Allow,
}

/// One entry of `allowed[]` or `denied[]`. Only TCP matters to this data plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirewallProtocol {
    /// TCP (`tcp`, `6` or `all`) on these ports.
    Tcp(PortRange),
    /// Any other protocol.
    Other,
}

/// An inclusive range of ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port.
    pub first: u16,
    /// The highest port.
    pub last: u16,
}

impl PortRange {
    /// Every port.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };

    /// Whether `port` is in the range.
    #[must_use]
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }
}

/// Which instances a rule speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirewallTarget {
    /// All of the network.
    EveryInstance,
    /// Those that carry one of these network tags.
    Tags(BTreeSet<String>),
    /// Those that run as some service account. Instances here have none, so it is nobody.
    ServiceAccounts,
}

/// What the data plane knows of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Instance {
    /// Network tags.
    pub tags: BTreeSet<String>,
    /// Interfaces; the first is `nic0`, whose address instance-group traffic goes to.
    pub interfaces: Vec<Interface>,
}

/// An instance's network interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// The network it is in.
    pub network: NetworkId,
    /// Its primary internal address.
    pub address: IpAddr,
    /// Its alias ranges (pod addresses).
    pub alias_ranges: Vec<IpNet>,
}
