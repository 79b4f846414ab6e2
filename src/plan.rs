//! From the desired and the observed graph to an ordered graph of changes. Pure and total; every choice is made here.
//!
//! What may be deleted, and only that: a resource of ours that no desired node is, that nothing which stays points at, and whose
//! holder is known to want it no longer. A load balancer that the translation does not speak of is *not* known to be unwanted
//! (the API server may have lost its objects): it stays, with all that it uses, and is reported as a leak.

//!
//! The order comes from the references between resources, never from a list of kinds:
//! * what is made comes before whoever points at it, and what is deleted after whoever pointed at it;
//! * traffic is moved only to what is there: a url map that is to point at a new backend service waits for that service's members,
//!   a redirect to https for the forwarding rule that answers there, and whatever is reached through a new port for the firewall
//!   rule and the named port;
//! * what the cluster's own resources allow is widened first and narrowed last;
//! * requests that somebody answers are moved only to a backend service that is well; `warm.rs` says which those are, and when nothing
//!   is waited for;
//! * nothing else waits. The chain health check, backend service, url map, target proxy, forwarding rule stays the longest.
//!
//! What is immutable is in a resource's name, so replacing it is making another, moving to that, and deleting the first. What only
//! deleting and making anew can do is an outage, and waits for consent: see `outage.rs`.
//!
//! Deliberately absent: reading the cloud, retrying, and any knowledge of what a change costs or how long it takes.

mod check;
mod decide;
mod diff;
mod display;
mod drawing;
pub mod drift;
mod edges;
mod filter;
pub mod json;
mod leaks;
pub mod members;
mod order;
mod outage;
mod pending;
mod reason;
mod retain;
mod saved;
mod simulate;
mod warm;

use std::collections::BTreeSet;

use petgraph::graph::DiGraph;

use crate::model::{
    BackendPolicy, BackendService, Endpoint, Fingerprint, Holder, LoadBalancerKey, Mark, Members, Node,
    Observed, ResourceId,
};
use crate::preflight::Refusal;
use crate::translate::Translation;

pub use check::{Violation, check, dangling};
pub use diff::{Field, fields};
pub use display::{Colours, Counts, Text};
pub use leaks::plan_leaks;
pub use order::{longest_chain, order};
pub use pending::shows;
pub use saved::{Basis, InputPlace, Overtaken, SavedPlan, SavedPlanError, Setting};
pub use simulate::{simulate, simulate_with, step};

/// The most members that one call may add to or take from a group (Compute API, `attachNetworkEndpoints`, `addInstances`).
pub const MEMBERS_PER_CALL: usize = 500;

/// Changes, and which must be done before which.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// An edge runs from a change to one that must wait for it. The nodes stand in the order of [`order()`]: where there is a choice,
    /// the lower index goes first.
    pub graph: DiGraph<Change, ()>,
    /// Load balancers of ours in the cloud whose objects are gone without having been deleted in our sight. Nothing of theirs is touched.
    pub leaks: Vec<LoadBalancerKey>,
    /// Changes that cannot be planned, and why.
    pub blocked: Vec<Blocked>,
}

/// One change of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Of what.
    pub id: ResourceId,
    /// Its ownership mark: written when it is created.
    pub mark: Mark,
    /// What is done.
    pub action: Action,
    /// Why, for people: `new`, `the Service moved to node port 30123`, `no longer used`.
    pub reason: String,
    /// The version that this was decided on; the cloud refuses the change where it holds another by now.
    pub seen: Option<Fingerprint>,
}

/// What is done to a resource. Each is one call, but for the waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It is made. Groups are made empty; their members follow as changes of their own.
    Create(Node),
    /// Its owned fields are changed to those of `to`.
    Update {
        /// By which call of the API.
        verb: Verb,
        /// What it is to be.
        to: Node,
        /// What differs.
        fields: Vec<FieldChange>,
    },
    /// Endpoints join a network endpoint group; at most 500.
    AttachEndpoints(Vec<Endpoint>),
    /// Endpoints leave a network endpoint group; at most 500.
    DetachEndpoints(Vec<Endpoint>),
    /// Instances join an instance group; at most 500.
    AddInstances(Vec<String>),
    /// Instances leave an instance group; at most 500.
    RemoveInstances(Vec<String>),
    /// It is deleted.
    Delete,
    /// Nothing is done: the next step waits until the backends of this backend service are well, so that requests can be moved to it.
    /// It waits no longer either when nobody answers there now: when each service of `instead_of` (if there is one) is unwell.
    AwaitHealthy {
        /// The url map that is to move requests.
        map: ResourceId,
        /// The backend services that answer those requests now. Empty where something answers that needs no backend.
        instead_of: BTreeSet<ResourceId>,
    },
}

/// The call that makes an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// `patch`, with every field that we own.
    Patch,
    /// `setTarget` of a forwarding rule.
    SetTarget,
    /// `setUrlMap` of a target proxy.
    SetUrlMap,
    /// `setSslCertificates` of a target HTTPS proxy.
    SetSslCertificates,
    /// `setNamedPorts` of an instance group.
    SetNamedPorts,
    /// `setSecurityPolicy` of a backend service.
    SetSecurityPolicy,
    /// `setSslPolicy` of a target HTTPS proxy.
    SetSslPolicy,
}

impl Verb {
    /// The method's name in the Compute API.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::SetTarget => "setTarget",
            Self::SetUrlMap => "setUrlMap",
            Self::SetSslCertificates => "setSslCertificates",
            Self::SetNamedPorts => "setNamedPorts",
            Self::SetSecurityPolicy => "setSecurityPolicy",
            Self::SetSslPolicy => "setSslPolicy",
        }
    }
}

/// A field that changes, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name in the Compute API.
    pub field: String,
    /// What it was.
    pub from: String,
    /// What it is to be.
    pub to: String,
}

/// A change that is needed but cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// Of what.
    pub id: ResourceId,
    /// For whom.
    pub holder: Holder,
    /// Why not, and what to do.
    pub why: Block,
}

/// Why a change cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// A resource that is not ours has the name.
    NameTaken,
    /// The part of the cloud where it would be, or where something may point at it, could not be seen; nothing is known, so
    /// nothing is done.
    Unseen,
    /// It needs another resource that is blocked itself, or (where it is to be deleted) its replacement does.
    DependsOn(ResourceId),
    /// Only deleting it and making it anew can do this, and requests fail meanwhile: it waits for consent.
    Outage {
        /// The word by which that outage is consented to.
        consent: String,
        /// The fields that cannot be changed otherwise, was, to be.
        fields: Vec<FieldChange>,
    },
    /// It could not be finished, so it is not begun.
    Preflight(Refusal),
    /// A field differs that cannot be changed, and the name does not carry it: somebody else changed it.
    Immutable {
        /// The field, was, to be.
        field: FieldChange,
    },
}

/// What it takes to get from `observed` to what `translation` asks for. Equal input gives an equal plan.
#[must_use]
pub fn plan(translation: &Translation, observed: &Observed) -> Plan {
    // Not one load balancer: an emptied API server, not a wish. A last one that is deleted is spoken of as torn down.
    if translation.load_balancers.is_empty() {
        return Plan { leaks: retain::leaks(translation, observed), ..Plan::default() };
    }
    plan_all(translation, observed)
}

/// The same without the brake.
fn plan_all(translation: &Translation, observed: &Observed) -> Plan {
    let leaks = retain::leaks(translation, observed);
    let decisions = decide::decide(translation, observed);
    let graph = edges::connect(translation, observed, &decisions);
    let plan = order::in_order(Plan { graph, leaks, blocked: decisions.blocked });
    debug_assert_eq!(check(&plan, &translation.desired, observed), [], "a plan that breaks its own rules");
    plan
}

impl Plan {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.graph.node_count() == 0
    }
}

impl Node {
    /// As it is right after it was made: groups without members, backend services without a security policy. Those follow by calls of
    /// their own.
    fn as_made(&self) -> Self {
        match self {
            Self::BackendService(service) if service.policy.security_policy.is_some() => {
                let policy = BackendPolicy { security_policy: None, ..service.policy.clone() };
                Self::BackendService(BackendService { policy, ..service.clone() })
            }
            Self::InstanceGroup(group) => {
                let crate::model::InstanceGroup { network, named_ports, members: _ } = group.clone();
                Self::InstanceGroup(crate::model::InstanceGroup { network, named_ports, members: [].into() })
            }
            Self::NetworkEndpointGroup(group) => {
                let crate::model::NetworkEndpointGroup { network, subnetwork, members: _ } = group.clone();
                Self::NetworkEndpointGroup(crate::model::NetworkEndpointGroup {
                    network,
                    subnetwork,
                    members: Members::nobody(),
                })
            }
            other => other.clone(),
        }
    }
}

impl Action {
    /// What the resource points at once this is done.
    #[must_use]
    pub fn references(&self) -> Vec<&ResourceId> {
        match self {
            Self::Create(node) | Self::Update { verb: _, to: node, fields: _ } => node.references(),
            Self::AttachEndpoints(_)
            | Self::DetachEndpoints(_)
            | Self::AddInstances(_)
            | Self::RemoveInstances(_)
            | Self::AwaitHealthy { .. }
            | Self::Delete => Vec::new(),
        }
    }

    /// One word for it, of a fixed set, for metrics.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update { .. } => "update",
            Self::AttachEndpoints(_) => "attach_endpoints",
            Self::DetachEndpoints(_) => "detach_endpoints",
            Self::AddInstances(_) => "add_instances",
            Self::RemoveInstances(_) => "remove_instances",
            Self::Delete => "delete",
            Self::AwaitHealthy { .. } => "await_healthy",
        }
    }

    /// Whether it is a call that changes the cloud. What is none takes no operation, no quota and no place among those under way.
    #[must_use]
    pub const fn is_call(&self) -> bool {
        !matches!(self, Self::AwaitHealthy { .. })
    }
}

#[cfg(test)]
pub(crate) mod tests;
