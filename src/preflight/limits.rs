//! What Google Cloud takes of anybody, whatever the quota ("Quotas and limits" of Cloud Load Balancing, and the reference of each
//! resource). What concerns one rule of the input is a Problem long before this; here stands what remains when many come together.

use super::Refusal;
use crate::model::{HostRoutes, Node, PathMatcher, PathRule};
use crate::plan::{Action, MEMBERS_PER_CALL};

/// Groups of one backend service.
const BACKENDS: usize = 50;

/// Certificates of one target proxy.
const CERTIFICATES: usize = 15;

/// Characters of a host in a host rule.
const HOST: usize = 255;

/// Characters of a path in a path rule.
const PATH: usize = 1024;

/// Which limit a change would exceed, if any.
pub(super) fn exceeded(action: &Action) -> Option<Refusal> {
    let over =
        |what, limit, need, way_out| (need > limit).then_some(Refusal::Limit { what, limit, need, way_out });
    match action {
        Action::Create(node) | Action::Update { verb: _, to: node, fields: _ } => match node {
            Node::BackendService(service) => over(
                "backends in one backend service",
                BACKENDS,
                service.backends.len(),
                "Each zone with nodes or pods of the Service is one: let it run in fewer zones.",
            ),
            Node::TargetHttpsProxy(proxy) => over(
                "certificates",
                CERTIFICATES,
                proxy.certificates.iter().count(),
                "Put several hosts into one certificate, or spread the hosts over several load balancers.",
            ),
            Node::UrlMap(map) => map.hosts.iter().find_map(|HostRoutes { hosts, matcher }| {
                let PathMatcher { name: _, default: _, path_rules } = matcher;
                let host = hosts.iter().map(|host| host.chars().count()).max().unwrap_or_default();
                let paths = path_rules.iter().flat_map(|PathRule { paths, destination: _ }| paths);
                let path = paths.map(|path| path.chars().count()).max().unwrap_or_default();
                over("characters in a host", HOST, host, "Shorten it.")
                    .or_else(|| over("characters in a path", PATH, path, "Shorten it."))
            }),
            Node::Firewall(_)
            | Node::InstanceGroup(_)
            | Node::NetworkEndpointGroup(_)
            | Node::HealthCheck(_)
            | Node::SslCertificate(_)
            | Node::TargetHttpProxy(_)
            | Node::Address(_)
            | Node::ForwardingRule(_) => None,
        },
        Action::AttachEndpoints(members) | Action::DetachEndpoints(members) => over(
            "members in one call",
            MEMBERS_PER_CALL,
            members.len(),
            "This is a defect of gclb, please report it.",
        ),
        Action::AddInstances(members) | Action::RemoveInstances(members) => over(
            "members in one call",
            MEMBERS_PER_CALL,
            members.len(),
            "This is a defect of gclb, please report it.",
        ),
        Action::AwaitHealthy { .. } | Action::Delete => None,
    }
}
