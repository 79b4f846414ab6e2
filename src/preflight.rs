//! Before the first write of a plan: whether each load balancer's part of it can be finished. Pure: a plan and what is known of the
//! project in, the plan without what cannot be finished out.
//!
//! What cannot be finished is not begun, for the load balancers concerned; the others go on, and what runs stays as it is. Each refusal
//! is a [`Blocked`] of the plan, so status, `gclb plan` and metrics show it as they show others.
//!
//! A load balancer's *part* is every change that is held for it, with all that those wait for. Three things are looked at:
//! * [`limits`]: what Google Cloud takes of anybody, whatever the quota;
//! * [`room`]: how much of each resource quota is left, and how much the part needs *at its peak*. What a part replaces is needed twice,
//!   since it is made before the old is deleted; a deletion gives room only to what waits for it;
//! * [`rights`]: the permissions that it needs, as far as they can be asked for.
//!
//! Whoever was let in once stays in ([`Examined::admitted`]): what it has begun counts as usage by then, and must not be refused for it.

mod limits;
mod rights;
mod room;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use petgraph::Direction;
use petgraph::graph::NodeIndex;

use crate::model::{Holder, Kind, LoadBalancerKey, Node, Observed, Region, ResourceId, Scope};
use crate::plan::{Action, Block, Blocked, Change, Plan, order};

pub use rights::{Rights, questions};
use room::Spent;
pub(crate) use room::region_of;
pub use room::{Place, Quota, Quotas};

/// Why a part of a plan is not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A resource quota of the project has too little room.
    Quota {
        /// Its name in the API, such as `BACKEND_SERVICES`.
        metric: String,
        /// Where it counts.
        place: Place,
        /// How many there may be.
        limit: u64,
        /// How many more there may be: what the project uses, and what other parts of plans were promised, is taken off.
        left: u64,
        /// How many more this load balancer needs.
        need: u64,
    },
    /// We do not have a right that it takes.
    Permission {
        /// As Google Cloud calls it.
        permission: &'static str,
    },
    /// Something is larger than Google Cloud takes.
    Limit {
        /// What is counted: `backends of one backend service`.
        what: &'static str,
        /// The most there may be.
        limit: usize,
        /// How many there would be.
        need: usize,
        /// What to do.
        way_out: &'static str,
    },
}

impl Refusal {
    /// One word for it, of a fixed set.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Quota { .. } => "QuotaTooSmall",
            Self::Permission { .. } => "PermissionMissing",
            Self::Limit { .. } => "LimitExceeded",
        }
    }
}

impl fmt::Display for Refusal {
    /// The limit, the need, what is left, and the way out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quota { metric, place, limit, left, need } => write!(
                f,
                "the quota {metric} of {limit} {place} has room for {left} more, and this load balancer needs {need} more; nothing new of \
                 it is begun, and what it serves it goes on serving. Raise the quota, or delete what is no longer needed; then it goes \
                 on by itself"
            ),
            Self::Permission { permission } => write!(
                f,
                "it takes the permission {permission}, which gclb does not have in this project; nothing new of this load balancer is \
                 begun, and what it serves it goes on serving. Grant it to gclb's service account; then it goes on by itself"
            ),
            Self::Limit { what, limit, need, way_out } => write!(
                f,
                "it would have {need} {what}, and Google Cloud takes at most {limit}; nothing new of this load balancer is begun, and \
                 what it serves it goes on serving. {way_out}"
            ),
        }
    }
}

/// The regions whose quotas say whether all these can be made.
#[must_use]
pub fn regions<'a>(made: impl Iterator<Item = &'a ResourceId>) -> BTreeSet<Region> {
    let region = |id: &ResourceId| match &id.scope {
        Scope::Global => None,
        Scope::Region(region) => Some(region.clone()),
        Scope::Zone(zone) => Some(region_of(zone)),
    };
    made.filter_map(region).collect()
}

/// A plan that was looked at.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Without what cannot be finished; that is among its blocked.
    pub plan: Plan,
    /// What may be made, by this plan or by one before: to be handed in again with the next.
    pub admitted: BTreeSet<ResourceId>,
    /// Those that a quota refused.
    pub short_of_quota: BTreeSet<LoadBalancerKey>,
    /// Those that a missing right refused.
    pub short_of_rights: BTreeSet<LoadBalancerKey>,
}

/// Looks at a plan. `admitted` is what was let in before and is not in the usage of `quotas` yet.
#[must_use]
pub fn examine(
    mut plan: Plan,
    observed: &Observed,
    quotas: &Quotas,
    rights: &Rights,
    admitted: &BTreeSet<ResourceId>,
) -> Examined {
    let parts = Parts::of(&plan);
    let mut spent = Spent::of(admitted.iter());
    let mut charged: BTreeSet<ResourceId> = admitted.clone();
    let mut refused: BTreeMap<&LoadBalancerKey, (ResourceId, Refusal)> = BTreeMap::new();
    let mut short_of_quota = BTreeSet::new();
    let mut short_of_rights = BTreeSet::new();
    for (key, part) in parts.in_order() {
        let too_large = part.needed.iter().find_map(|at| {
            let change = &plan.graph[*at];
            Some((change.id.clone(), limits::exceeded(&change.action)?))
        });
        if let Some(refusal) = too_large {
            refused.insert(key, refusal);
            continue;
        }
        let forbidden = part.needed.iter().map(|at| &plan.graph[*at]).find_map(|change| {
            let permission =
                rights::needed(change).filter(|permission| rights.lacking.contains(permission))?;
            Some((change.id.clone(), Refusal::Permission { permission }))
        });
        if let Some(refusal) = forbidden {
            short_of_rights.insert(key.clone());
            refused.insert(key, refusal);
            continue;
        }
        let made: BTreeSet<&ResourceId> = part
            .needed
            .iter()
            .map(|at| &plan.graph[*at])
            .filter(|change| matches!(change.action, Action::Create(_)) && !charged.contains(&change.id))
            .map(|change| &change.id)
            .collect();
        let freed = part.needed.iter().map(|at| &plan.graph[*at]);
        let freed =
            Spent::of(freed.filter(|change| change.action == Action::Delete).map(|change| &change.id));
        if let Some(refusal) = quotas.shortage(&spent, &made, &freed) {
            short_of_quota.insert(key.clone());
            refused.insert(key, refusal);
        } else {
            spent.add(made.iter().copied());
            charged.extend(made.into_iter().cloned());
        }
    }
    let withheld = parts.withheld(&plan, observed, &refused.keys().copied().collect());
    let blocked = refused.into_iter().map(|(key, (id, refusal))| Blocked {
        id,
        holder: Holder::LoadBalancer(key.clone()),
        why: Block::Preflight(refusal),
    });
    let blocked: Vec<Blocked> = blocked.collect();
    plan.blocked.extend(blocked);
    if !withheld.is_empty() {
        plan = plan.with_only(|at, _| !withheld.contains(&at));
    }
    Examined { plan, admitted: charged, short_of_quota, short_of_rights }
}

/// The parts of a plan by whom they are for.
struct Parts {
    by_key: BTreeMap<LoadBalancerKey, Part>,
}

struct Part {
    /// Changes that are held for it.
    own: Vec<NodeIndex>,
    /// Those, and all that they wait for, but for what is held for other load balancers.
    needed: BTreeSet<NodeIndex>,
    /// Those that are served already go first, then those that come first in the plan.
    rank: (bool, usize),
}

impl Parts {
    fn of(plan: &Plan) -> Self {
        let mut by_key: BTreeMap<LoadBalancerKey, Part> = BTreeMap::new();
        for (place, at) in order(plan).into_iter().enumerate() {
            let change = &plan.graph[at];
            let Holder::LoadBalancer(key) = &change.mark.holder else { continue };
            let part = by_key.entry(key.clone()).or_insert_with(|| Part {
                own: Vec::new(),
                needed: BTreeSet::new(),
                rank: (false, place),
            });
            part.own.push(at);
            part.rank.0 |=
                change.id.kind == Kind::ForwardingRule && matches!(change.action, Action::Create(_));
        }
        for part in by_key.values_mut() {
            let mut todo = part.own.clone();
            while let Some(at) = todo.pop() {
                if !part.needed.insert(at) {
                    continue;
                }
                let before = plan.graph.neighbors_directed(at, Direction::Incoming);
                todo.extend(
                    before.filter(|at| !matches!(plan.graph[*at].mark.holder, Holder::LoadBalancer(_))),
                );
            }
        }
        Self { by_key }
    }

    fn in_order(&self) -> Vec<(&LoadBalancerKey, &Part)> {
        let mut parts: Vec<_> = self.by_key.iter().collect();
        parts.sort_by_key(|(_, part)| part.rank);
        parts
    }

    /// What is not begun: whatever is held for a refused load balancer, what would be made for such alone, and all that waits for
    /// either. Members of groups that are there already are not withheld: running load balancers follow their pods. Nor is what the
    /// whole cluster has, where it comes to allow more: who needs that cannot be told from a plan.
    /// And no port is closed that what stays as it is may still need.
    fn withheld(
        &self,
        plan: &Plan,
        observed: &Observed,
        refused: &BTreeSet<&LoadBalancerKey>,
    ) -> BTreeSet<NodeIndex> {
        let (out, kept): (Vec<_>, Vec<_>) = self.by_key.iter().partition(|(key, _)| refused.contains(key));
        let wanted: BTreeSet<NodeIndex> = kept.iter().flat_map(|(_, part)| &part.needed).copied().collect();
        let made =
            |at: &&NodeIndex| matches!(plan.graph[**at].action, Action::Create(_)) && !wanted.contains(at);
        let mut todo: Vec<NodeIndex> = out
            .iter()
            .flat_map(|(_, part)| part.own.iter().chain(part.needed.iter().filter(made)))
            .copied()
            .collect();
        if !refused.is_empty() {
            let narrows = |at: &NodeIndex| narrows(&plan.graph[*at], observed);
            todo.extend(plan.graph.node_indices().filter(|at| !wanted.contains(at)).filter(narrows));
        }
        let mut withheld = BTreeSet::new();
        while let Some(at) = todo.pop() {
            if withheld.insert(at) {
                todo.extend(plan.graph.neighbors_directed(at, Direction::Outgoing));
            }
        }
        withheld
    }
}

/// Whether a change closes or unnames a port.
fn narrows(change: &Change, observed: &Observed) -> bool {
    let Action::Update { verb: _, to, fields: _ } = &change.action else { return false };
    match (observed.graph.entry(&change.id).map(|entry| &entry.node), to) {
        (Some(Node::Firewall(from)), Node::Firewall(to)) => {
            let stays = |range: &(u16, u16)| to.ports.iter().any(|new| new.0 <= range.0 && range.1 <= new.1);
            !from.ports.iter().all(stays)
        }
        (Some(Node::InstanceGroup(from)), Node::InstanceGroup(to)) => {
            from.named_ports.iter().any(|(name, port)| to.named_ports.get(name) != Some(port))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
