//! The invariants of any plan, checked apart from the code that makes plans.
//!
//! Used in tests and, in debug builds, on every plan that is made. A violation is a defect of ours, never of the input.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::hash::Hash;

use petgraph::Direction;
use petgraph::graph::NodeIndex;

use crate::model::{Graph, Holder, Kind, Node, Observed, ResourceId};

use super::diff::{How, differences};
use super::warm::Warmth;
use super::{Action, Change, MEMBERS_PER_CALL, Plan};

/// A rule that a plan breaks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    /// Changes wait for each other in a circle.
    Circle,
    /// `id` may come to point at something that is not there (yet, or any more).
    Dangling {
        /// Who points.
        id: ResourceId,
        /// At what.
        at: ResourceId,
    },
    /// It may be deleted while something still points at it.
    InUse {
        /// What is deleted.
        id: ResourceId,
        /// What points at it.
        by: ResourceId,
    },
    /// Something is changed that is not ours, or is not known to be.
    NotOurs(ResourceId),
    /// Something is made where something is or may be already.
    MadeTwice(ResourceId),
    /// It is deleted although what points at it could not be seen.
    Unseen(ResourceId),
    /// Something of a load balancer is touched that is to be left alone.
    Leaked(ResourceId),
    /// Two changes of one resource do not wait for each other.
    Unordered(ResourceId),
    /// A batch of members is empty or too large.
    BatchSize {
        /// Of which group.
        id: ResourceId,
        /// How many.
        members: usize,
    },
    /// A member joins that is in already, leaves that is not, or does either twice; or a group is made with members.
    Members(ResourceId),
    /// An update changes a field that cannot be changed, or nothing at all.
    Immutable(ResourceId),
    /// The change does not fit the kind of resource.
    Kind(ResourceId),
    /// A url map may send requests to a backend service that nobody has made sure of: it is neither known to be well nor waited for.
    Cold {
        /// Whose requests.
        map: ResourceId,
        /// To whom.
        service: ResourceId,
    },
    /// A backend service is waited for although nothing makes the cloud probe it, or no url map moves to it.
    WaitsInVain(ResourceId),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Circle => f.write_str("changes wait for each other in a circle"),
            Self::Dangling { id, at } => write!(f, "{id} may come to point at {at}, which is not there"),
            Self::InUse { id, by } => write!(f, "{id} may be deleted while {by} points at it"),
            Self::NotOurs(id) => write!(f, "{id} is changed, but is not ours"),
            Self::MadeTwice(id) => write!(f, "{id} is made, but is or may be there already"),
            Self::Unseen(id) => write!(f, "{id} is deleted, but what points at it could not be seen"),
            Self::Leaked(id) => write!(f, "{id} is changed, but its load balancer is to be left alone"),
            Self::Unordered(id) => write!(f, "changes of {id} do not wait for each other"),
            Self::BatchSize { id, members } => write!(f, "a batch of {members} members for {id}"),
            Self::Members(id) => write!(f, "members of {id} join or leave that are in or out already"),
            Self::Immutable(id) => write!(f, "an update of {id} changes what cannot be changed, or nothing"),
            Self::Cold { map, service } => {
                write!(f, "{map} may send requests to {service} before its backends are healthy")
            }
            Self::WaitsInVain(id) => write!(f, "{id} is waited for, and nothing makes the cloud probe it"),
            Self::Kind(id) => write!(f, "a change of {id} does not fit its kind"),
        }
    }
}

/// Every rule that `plan` breaks, given what the cloud holds. Whatever prefix of the plan has been done, as far as its edges allow
/// prefixes, what is left must be sound; so each rule asks what *must* come before what.
#[must_use]
pub fn check(plan: &Plan, desired: &Graph, observed: &Observed) -> Vec<Violation> {
    if petgraph::algo::is_cyclic_directed(&plan.graph) {
        return vec![Violation::Circle];
    }
    let mut referrers: BTreeMap<&ResourceId, Vec<&ResourceId>> = BTreeMap::new();
    for (id, entry) in observed.graph.entries() {
        for at in entry.node.references() {
            referrers.entry(at).or_default().push(id);
        }
    }
    let checker = Checker {
        plan,
        desired,
        observed,
        of: by_resource(plan),
        referrers,
        warmth: Warmth::new(desired, observed),
    };
    let mut violations = BTreeSet::new();
    for (id, changes) in &checker.of {
        checker.ownership(id, changes, &mut violations);
        checker.one_resource(id, changes, &mut violations);
        checker.members(id, changes, &mut violations);
        checker.references(id, changes, &mut violations);
        checker.warm_before_move(id, changes, &mut violations);
    }
    violations.into_iter().collect()
}

/// Each reference of a graph's nodes at something that the graph knows nothing of.
#[must_use]
pub fn dangling(graph: &Graph) -> Vec<(ResourceId, ResourceId)> {
    graph
        .entries()
        .flat_map(|(id, entry)| entry.node.references().into_iter().map(move |at| (id, at)))
        .filter(|(_, at)| !graph.contains(at) && !graph.is_foreign(at))
        .map(|(id, at)| (id.clone(), at.clone()))
        .collect()
}

/// The changes of one resource, apart by what they do.
#[derive(Default)]
struct Changes<'a> {
    create: Vec<(NodeIndex, &'a Node)>,
    updates: Vec<(NodeIndex, &'a Node)>,
    members: Vec<(NodeIndex, &'a Action)>,
    delete: Vec<NodeIndex>,
    awaits: Vec<(NodeIndex, &'a Action)>,
    all: Vec<&'a Change>,
}

fn by_resource(plan: &Plan) -> BTreeMap<&ResourceId, Changes<'_>> {
    let mut of: BTreeMap<&ResourceId, Changes<'_>> = BTreeMap::new();
    for at in super::order(plan) {
        let Some(change) = plan.graph.node_weight(at) else { continue };
        let changes = of.entry(&change.id).or_default();
        // To ask how something is needs no right to it.
        changes.all.extend(change.action.is_call().then_some(change));
        match &change.action {
            Action::Create(node) => changes.create.push((at, node)),
            Action::Update { verb: _, to, fields: _ } => changes.updates.push((at, to)),
            Action::AttachEndpoints(_)
            | Action::DetachEndpoints(_)
            | Action::AddInstances(_)
            | Action::RemoveInstances(_) => changes.members.push((at, &change.action)),
            Action::AwaitHealthy { .. } => changes.awaits.push((at, &change.action)),
            Action::Delete => changes.delete.push(at),
        }
    }
    of
}

struct Checker<'a> {
    plan: &'a Plan,
    desired: &'a Graph,
    observed: &'a Observed,
    of: BTreeMap<&'a ResourceId, Changes<'a>>,
    warmth: Warmth<'a>,
    /// Who points at what, before the plan begins.
    referrers: BTreeMap<&'a ResourceId, Vec<&'a ResourceId>>,
}

impl Checker<'_> {
    /// Whether `first` is always done when `then` begins.
    fn precedes(&self, first: NodeIndex, then: NodeIndex) -> bool {
        // Nearly always there is an edge; only where there is none, all of the way back is searched.
        if self.plan.graph.contains_edge(first, then) {
            return true;
        }
        let mut seen = HashSet::new();
        let mut todo = vec![then];
        while let Some(at) = todo.pop() {
            for before in self.plan.graph.neighbors_directed(at, Direction::Incoming) {
                if before == first {
                    return true;
                }
                if seen.insert(before) {
                    todo.push(before);
                }
            }
        }
        false
    }

    fn ownership(&self, id: &ResourceId, changes: &Changes<'_>, violations: &mut BTreeSet<Violation>) {
        if changes.all.is_empty() {
            return;
        }
        let seen = self.observed.graph.entry(id);
        let taken = self.observed.taken.contains(id);
        let occupied = seen.is_some() && !self.replaced(changes);
        if !changes.create.is_empty() && (occupied || taken || !self.observed.can_tell(id)) {
            violations.insert(Violation::MadeTwice(id.clone()));
        }
        if changes.create.is_empty() && (seen.is_none() || taken) {
            violations.insert(Violation::NotOurs(id.clone()));
        }
        for change in &changes.all {
            if seen.is_some_and(|seen| seen.mark != change.mark) {
                violations.insert(Violation::NotOurs(id.clone()));
            }
            if let Holder::LoadBalancer(key) = &change.mark.holder
                && self.plan.leaks.contains(key)
            {
                violations.insert(Violation::Leaked(id.clone()));
            }
        }
        if !changes.delete.is_empty() {
            let may_be_used = self.observed.unknown.iter().any(|unknown| points_at(unknown.kind, id.kind));
            if may_be_used || !self.observed.can_tell(id) {
                violations.insert(Violation::Unseen(id.clone()));
            }
        }
    }

    /// Whether it is deleted first and then made anew.
    fn replaced(&self, changes: &Changes<'_>) -> bool {
        match (changes.delete.as_slice(), changes.create.as_slice()) {
            ([delete], [(create, _)]) => self.precedes(*delete, *create),
            _ => false,
        }
    }

    fn one_resource(&self, id: &ResourceId, changes: &Changes<'_>, violations: &mut BTreeSet<Violation>) {
        let unordered = || Violation::Unordered(id.clone());
        if changes.create.len() > 1 || changes.delete.len() > 1 {
            violations.insert(unordered());
        }
        if self.replaced(changes) {
            // An outage; only what nothing else of ours points at may have one.
            if id.kind != Kind::ForwardingRule || changes.all.len() != 2 {
                violations.insert(Violation::Immutable(id.clone()));
            }
            return;
        }
        let first = changes.create.first().map(|(at, _)| *at);
        let updates: Vec<NodeIndex> = changes.updates.iter().map(|(at, _)| *at).collect();
        let members = changes.members.iter().map(|(at, _)| *at);
        for then in updates.iter().copied().chain(members.clone()) {
            if first.is_some_and(|first| !self.precedes(first, then)) {
                violations.insert(unordered());
            }
        }
        for two in updates.windows(2) {
            if let [first, then] = two
                && !self.precedes(*first, *then)
            {
                violations.insert(unordered());
            }
        }
        if let Some(delete) = changes.delete.first() {
            for before in first.into_iter().chain(updates.iter().copied()).chain(members) {
                if !self.precedes(before, *delete) {
                    violations.insert(unordered());
                }
            }
        }
        let mut was = match (changes.create.first(), self.observed.graph.entry(id)) {
            (Some((_, node)), _) => Some(*node),
            (None, seen) => seen.map(|seen| &seen.node),
        };
        for (_, to) in &changes.updates {
            if let Some(from) = was {
                let differences = differences(from, to);
                if differences.is_empty() || differences.iter().any(|difference| difference.how == How::Never)
                {
                    violations.insert(Violation::Immutable(id.clone()));
                }
            }
            was = Some(to);
        }
        let nodes = changes.create.iter().chain(&changes.updates);
        if nodes.map(|(_, node)| node.kind()).any(|kind| kind != id.kind) {
            violations.insert(Violation::Kind(id.clone()));
        }
    }

    fn members(&self, id: &ResourceId, changes: &Changes<'_>, violations: &mut BTreeSet<Violation>) {
        if changes.create.iter().any(|(_, node)| **node != node.as_made()) {
            violations.insert(Violation::Members(id.clone()));
        }
        let seen = self.observed.graph.entry(id).map(|entry| &entry.node);
        let (endpoints, instances) = match seen {
            // Where nobody can say who is in it, nobody may join or leave.
            Some(Node::NetworkEndpointGroup(group)) => {
                let calls = changes.members.len();
                if group.members.known().is_none() && calls > 0 {
                    violations.insert(Violation::Members(id.clone()));
                }
                (group.members.known().into_iter().flatten().collect(), HashSet::new())
            }
            Some(Node::InstanceGroup(group)) => (HashSet::new(), group.members.iter().collect()),
            _ => (HashSet::new(), HashSet::new()),
        };
        let (mut endpoints, mut instances) = (Tally::new(endpoints), Tally::new(instances));
        for (_, action) in &changes.members {
            let (size, sound, kind) = match action {
                Action::AttachEndpoints(members) => {
                    (members.len(), endpoints.join(members), Kind::NetworkEndpointGroup)
                }
                Action::DetachEndpoints(members) => {
                    (members.len(), endpoints.leave(members), Kind::NetworkEndpointGroup)
                }
                Action::AddInstances(members) => {
                    (members.len(), instances.join(members), Kind::InstanceGroup)
                }
                Action::RemoveInstances(members) => {
                    (members.len(), instances.leave(members), Kind::InstanceGroup)
                }
                Action::Create(_) | Action::Update { .. } | Action::AwaitHealthy { .. } | Action::Delete => {
                    continue;
                }
            };
            if !(1..=MEMBERS_PER_CALL).contains(&size) {
                violations.insert(Violation::BatchSize { id: id.clone(), members: size });
            }
            if !sound {
                violations.insert(Violation::Members(id.clone()));
            }
            if kind != id.kind {
                violations.insert(Violation::Kind(id.clone()));
            }
        }
    }

    /// Each state that the resource passes through: what it points at then must be there for as long as it does.
    fn references(&self, id: &ResourceId, changes: &Changes<'_>, violations: &mut BTreeSet<Violation>) {
        let seen = self.observed.graph.entry(id).map(|entry| &entry.node);
        let before = seen.map(|node| (None, node));
        let made = changes.create.iter().chain(&changes.updates).map(|(at, node)| (Some(*at), *node));
        let states: Vec<(Option<NodeIndex>, &Node)> = before.into_iter().chain(made).collect();
        for (nth, (since, node)) in states.iter().enumerate() {
            let later = states.get(nth + 1..).unwrap_or_default();
            // What is made anew is not deleted again.
            let deleted = changes
                .delete
                .iter()
                .filter(|delete| since.is_none_or(|since| !self.precedes(**delete, since)));
            let deleted: Vec<NodeIndex> = deleted.copied().collect();
            for at in node.references() {
                let other = self.of.get(at);
                if let Some(since) = since {
                    let mut created = other.into_iter().flat_map(|other| &other.create).map(|(at, _)| *at);
                    let created = created.any(|first| self.precedes(first, *since));
                    if !created && !self.exists(at) {
                        violations.insert(Violation::Dangling { id: id.clone(), at: at.clone() });
                    }
                }
                for delete in other.into_iter().flat_map(|other| &other.delete) {
                    let dropped = later
                        .iter()
                        .filter(|(_, node)| !node.references().contains(&at))
                        .filter_map(|(since, _)| *since)
                        .chain(deleted.iter().copied())
                        .any(|dropped| self.precedes(dropped, *delete));
                    if !dropped {
                        violations.insert(Violation::InUse { id: at.clone(), by: id.clone() });
                    }
                }
            }
        }
        // What points at it without being changed itself.
        if !changes.delete.is_empty() {
            for by in self.referrers.get(id).into_iter().flatten() {
                if !self.of.contains_key(by) {
                    violations.insert(Violation::InUse { id: id.clone(), by: (*by).clone() });
                }
            }
        }
    }

    /// Each update of a url map: whom it sends requests to that others answered must be well by then.
    fn warm_before_move(&self, id: &ResourceId, changes: &Changes<'_>, violations: &mut BTreeSet<Violation>) {
        let mut was = self.observed.graph.entry(id).map(|entry| &entry.node);
        for (at, to) in &changes.updates {
            if let (Some(Node::UrlMap(from)), Node::UrlMap(to)) = (was, *to) {
                for service in self.warmth.awaits(id, from, to).into_keys() {
                    let waits = self.of.get(&service).into_iter().flat_map(|other| &other.awaits);
                    let waited = waits.map(|(wait, _)| *wait).any(|wait| self.precedes(wait, *at));
                    if !waited {
                        violations.insert(Violation::Cold { map: id.clone(), service });
                    }
                }
            }
            was = Some(to);
        }
        for (wait, action) in &changes.awaits {
            let Action::AwaitHealthy { map, instead_of: _ } = action else { continue };
            let updates = self.of.get(map).map(|of| of.updates.as_slice()).unwrap_or_default();
            let moves = updates.iter().any(|(at, _)| self.precedes(*wait, *at));
            let warmed = updates.iter().any(|(at, to)| {
                let warms = matches!(to, Node::UrlMap(to) if to.warm().any(|warm| warm.id() == id));
                warms && self.precedes(*at, *wait)
            });
            let was_warm = self.observed.graph.entry(map).is_some_and(
                |entry| matches!(&entry.node, Node::UrlMap(map) if map.warm().any(|warm| warm.id() == id)),
            );
            if !moves || !(warmed || was_warm || self.warmth.stays_probed(id)) {
                violations.insert(Violation::WaitsInVain(id.clone()));
            }
        }
    }

    /// Whether it is there before the plan begins: seen, proved by something seen that points at it, known to exist without being ours, or
    /// a group of somebody else's.
    fn exists(&self, id: &ResourceId) -> bool {
        self.observed.graph.contains(id)
            || self.referrers.contains_key(id)
            || self.desired.is_foreign(id) && !self.of.contains_key(id)
            || (id.kind == Kind::InstanceGroup && !self.of.contains_key(id))
    }
}

/// Who is in a group, and who has joined or left by now.
struct Tally<'a, T> {
    members: HashSet<&'a T>,
    moved: HashSet<&'a T>,
}

impl<'a, T: Eq + Hash> Tally<'a, T> {
    fn new(members: HashSet<&'a T>) -> Self {
        Self { members, moved: HashSet::new() }
    }

    fn join(&mut self, members: &'a [T]) -> bool {
        self.move_once(members) && !members.iter().any(|member| self.members.contains(member))
    }

    fn leave(&mut self, members: &'a [T]) -> bool {
        self.move_once(members) && members.iter().all(|member| self.members.contains(member))
    }

    fn move_once(&mut self, members: &'a [T]) -> bool {
        let before = self.moved.len();
        self.moved.extend(members);
        self.moved.len() == before + members.len()
    }
}

/// Whether a resource of one kind can point at one of another.
const fn points_at(from: Kind, to: Kind) -> bool {
    matches!(
        (from, to),
        (Kind::BackendService, Kind::InstanceGroup | Kind::NetworkEndpointGroup | Kind::HealthCheck)
            | (Kind::UrlMap, Kind::BackendService)
            | (Kind::TargetHttpProxy | Kind::TargetHttpsProxy, Kind::UrlMap)
            | (Kind::TargetHttpsProxy, Kind::SslCertificate)
            | (Kind::ForwardingRule, Kind::TargetHttpProxy | Kind::TargetHttpsProxy | Kind::Address)
    )
}

#[cfg(test)]
mod tests;
