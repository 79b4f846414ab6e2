//! A forwarding rule: one address and port, and the proxy that answers there (Compute API `forwardingRules`).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Address, Ref, ResourceId, Scheme, TargetHttpProxy, TargetHttpsProxy};

/// Where a load balancer is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForwardingRule {
    /// The address it listens on. Cannot be changed.
    pub address: AddressBinding,
    /// The one port it listens on. Cannot be changed.
    pub port: u16,
    /// Who answers. Changed by `setTarget`, to a proxy of the same kind.
    pub target: Target,
    /// `loadBalancingScheme`. Cannot be changed.
    pub scheme: Scheme,
}

/// The address of a forwarding rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AddressBinding {
    /// An address resource.
    Reserved(Ref<Address>),
    /// A bare address that belongs to no address resource we know. Only ever observed.
    Literal(IpAddr),
}

/// The proxy behind a forwarding rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// Plain HTTP.
    Http(Ref<TargetHttpProxy>),
    /// HTTPS.
    Https(Ref<TargetHttpsProxy>),
    /// Something else, put there by somebody else. Only ever observed; the text is its link.
    Other(String),
}

impl ForwardingRule {
    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self { address, port: _, target, scheme: _ } = self;
        let mut ids = Vec::with_capacity(2);
        match address {
            AddressBinding::Reserved(address) => ids.push(address.id()),
            AddressBinding::Literal(_) => {}
        }
        match target {
            Target::Http(proxy) => ids.push(proxy.id()),
            Target::Https(proxy) => ids.push(proxy.id()),
            Target::Other(_) => {}
        }
        ids
    }
}
