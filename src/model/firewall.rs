//! The firewall rule that lets health checks and load balancers reach the backends (Compute API `firewalls`).

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::ResourceId;

/// One rule for the whole cluster: ingress, allow, TCP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Firewall {
    /// Short name of the VPC network. Cannot be changed.
    pub network: String,
    /// From where.
    pub source_ranges: BTreeSet<Ipv4Net>,
    /// To which TCP ports; first and last of each range.
    pub ports: BTreeSet<(u16, u16)>,
    /// To which instances, by network tag; empty: all of the network.
    pub target_tags: BTreeSet<String>,
}

impl Firewall {
    /// From where Google's proxies and health checks come (Google's load-balancing documentation, "firewall rules").
    pub const GOOGLE_RANGES: [&'static str; 2] = ["130.211.0.0/22", "35.191.0.0/16"];

    pub(super) fn points_at(&self) -> Vec<&ResourceId> {
        let Self { network: _, source_ranges: _, ports: _, target_tags: _ } = self;
        Vec::new()
    }
}
