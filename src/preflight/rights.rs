//! Rights: the permissions that changes need, as far as Compute Engine can be asked for them.
//!
//! It can be asked only about a resource that exists, and only of some kinds (`testIamPermissions`). What it takes to make the first of a
//! kind, and proxies, certificates and forwarding rules, can be asked of Resource Manager alone, which gclb does not call: there the first
//! refused call tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Kind, ResourceId};
use crate::plan::{Action, Change, Plan};

/// What is known of our rights. What is not known refuses nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// Permissions that we were found not to have.
    pub lacking: BTreeSet<&'static str>,
}

/// The permission that a change needs, where it can be asked for.
pub(super) fn needed(change: &Change) -> Option<&'static str> {
    let written =
        matches!(change.action, Action::Update { .. } | Action::AddInstances(_) | Action::RemoveInstances(_));
    match (change.id.kind, &change.action) {
        (Kind::Address, Action::Delete) => Some("compute.globalAddresses.delete"),
        (Kind::BackendService, Action::Delete) => Some("compute.backendServices.delete"),
        (Kind::BackendService, _) if written => Some("compute.backendServices.update"),
        (Kind::Firewall, Action::Delete) => Some("compute.firewalls.delete"),
        (Kind::Firewall, _) if written => Some("compute.firewalls.update"),
        (Kind::HealthCheck, Action::Delete) => Some("compute.healthChecks.delete"),
        (Kind::HealthCheck, _) if written => Some("compute.healthChecks.update"),
        (Kind::InstanceGroup, Action::Delete) => Some("compute.instanceGroups.delete"),
        (Kind::InstanceGroup, _) if written => Some("compute.instanceGroups.update"),
        (Kind::NetworkEndpointGroup, Action::AttachEndpoints(_)) => {
            Some("compute.networkEndpointGroups.attachNetworkEndpoints")
        }
        (Kind::NetworkEndpointGroup, Action::DetachEndpoints(_)) => {
            Some("compute.networkEndpointGroups.detachNetworkEndpoints")
        }
        (Kind::NetworkEndpointGroup, Action::Delete) => Some("compute.networkEndpointGroups.delete"),
        (Kind::UrlMap, Action::Delete) => Some("compute.urlMaps.delete"),
        (Kind::UrlMap, _) if written => Some("compute.urlMaps.update"),
        _ => None,
    }
}

/// What to ask before this plan is begun: each permission about one resource that exists. Those that `is_known` are left out.
#[must_use]
pub fn questions(
    plan: &Plan,
    is_known: impl Fn(&'static str) -> bool,
) -> BTreeMap<ResourceId, BTreeSet<&'static str>> {
    let made = |change: &&Change| matches!(change.action, Action::Create(_));
    let made: BTreeSet<&ResourceId> =
        plan.graph.node_weights().filter(made).map(|change| &change.id).collect();
    let mut asked = BTreeSet::new();
    let mut questions: BTreeMap<ResourceId, BTreeSet<&'static str>> = BTreeMap::new();
    for change in plan.graph.node_weights().filter(|change| !made.contains(&change.id)) {
        if let Some(permission) = needed(change)
            && !is_known(permission)
            && asked.insert(permission)
        {
            questions.entry(change.id.clone()).or_default().insert(permission);
        }
    }
    questions
}
