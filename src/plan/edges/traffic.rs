//! The edges that references alone do not ask for: so that no request is lost on the way.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::NodeIndex;

use crate::model::{Graph, Holder, Kind, Members, Node, ResourceId, Target, UrlMap};

use super::super::decide::Reach;
use super::{Call, Edges};

impl<'a> Edges<'a> {
    /// Traffic is moved only to what is there: an update that makes requests reach other backends waits for what these backends need.
    pub(super) fn make_before_break(&mut self) {
        let mut pairs = Vec::new();
        for made in self.made.values() {
            for (nth, call) in made.updates.iter().enumerate() {
                let firsts = match (&call.from, &call.to) {
                    (Node::BackendService(from), Node::BackendService(to)) => {
                        let moves = from.port_name != to.port_name || from.backends != to.backends;
                        let mut firsts = if moves { self.opened_for(&call.to) } else { Vec::new() };
                        // Without a group that goes there is nothing that could break.
                        if call.drops.iter().any(is_group) {
                            firsts.extend(self.first_members(&call.to));
                        }
                        firsts
                    }
                    (Node::HealthCheck(_), _) => self.wider(Kind::Firewall),
                    (
                        Node::UrlMap(_)
                        | Node::TargetHttpProxy(_)
                        | Node::TargetHttpsProxy(_)
                        | Node::ForwardingRule(_),
                        _,
                    ) => {
                        // What is warmed gets no request yet.
                        let warmed = later_awaited(&made.updates, nth);
                        let gains = call.gains.iter().filter(|id| !warmed.contains(id));
                        self.needed_by_newly_reached(gains)
                    }
                    _ => Vec::new(),
                };
                pairs.extend(firsts.into_iter().map(|first| (first, call.at)));
            }
        }
        for (first, then) in pairs {
            self.wait(first, then);
        }
    }

    /// Reached, with members and the way open: only then can it become well; and only when it is well, requests are moved to it.
    pub(super) fn warm_before_move(&mut self) {
        let mut pairs = Vec::new();
        for made in self.made.values() {
            for (nth, call) in made.updates.iter().enumerate() {
                for (service, waits) in &call.awaits {
                    let before = made.updates.iter().take(nth).map(|before| before.at);
                    let made = self.made.get(service).and_then(|made| made.create);
                    let firsts = self.needed_by_newly_reached([service]);
                    pairs.extend(before.chain(made).chain(firsts).map(|first| (first, *waits)));
                    pairs.push((*waits, call.at));
                }
            }
        }
        for (first, then) in pairs {
            self.wait(first, then);
        }
    }

    /// For each backend service that is reached from `gains`: its own updates, the first members of its groups, and its port.
    fn needed_by_newly_reached<'b>(
        &'b self,
        gains: impl IntoIterator<Item = &'b ResourceId>,
    ) -> Vec<NodeIndex> {
        let mut firsts = Vec::new();
        let mut seen = BTreeSet::new();
        let mut todo: Vec<&ResourceId> = gains.into_iter().collect();
        while let Some(id) = todo.pop() {
            let Some(node) = self.node_after(id) else { continue };
            if !seen.insert(id) {
                continue;
            }
            if let Node::BackendService(_) = node {
                firsts.extend(self.first_members(node));
                firsts.extend(self.opened_for(node));
                firsts
                    .extend(self.made.get(id).into_iter().flat_map(|made| &made.updates).map(|call| call.at));
            } else {
                todo.extend(node.references());
            }
        }
        firsts
    }

    fn node_after(&self, id: &ResourceId) -> Option<&Node> {
        self.changed_to(id).or_else(|| self.observed.graph.entry(id).map(|entry| &entry.node))
    }

    /// The joining of members to the groups of a backend service, where none is in one of them before and after.
    fn first_members(&self, service: &Node) -> Vec<NodeIndex> {
        let groups = service.references().into_iter().filter(|id| is_group(id));
        if groups.clone().any(|id| self.someone_stays(id)) {
            return Vec::new();
        }
        groups.filter_map(|id| self.made.get(id)).flat_map(|made| made.join.iter().copied()).collect()
    }

    /// Whether some member of a group is in it now and will be.
    fn someone_stays(&self, group: &ResourceId) -> bool {
        let node = |graph: &'a Graph| graph.entry(group).map(|entry| &entry.node);
        match (node(&self.observed.graph), node(self.desired)) {
            (Some(Node::InstanceGroup(now)), Some(Node::InstanceGroup(then))) => {
                !now.members.is_disjoint(&then.members)
            }
            // Who is in it is asked for, and nobody leaves before that is known.
            (Some(Node::NetworkEndpointGroup(now)), Some(Node::NetworkEndpointGroup(then))) => {
                match (&now.members, &then.members) {
                    (Members::Known(now), Members::Known(then)) => !now.is_disjoint(then),
                    (now, then) => now.count() != Some(0) && then.count() != Some(0),
                }
            }
            // One that is not desired keeps its members, or goes as a whole.
            (Some(Node::InstanceGroup(now)), None) => !now.members.is_empty(),
            (Some(Node::NetworkEndpointGroup(now)), None) => now.members.count() != Some(0),
            _ => false,
        }
    }

    /// Where nobody stays in a backend service, the old members leave when the new ones have joined, and when no url map that is to
    /// move elsewhere points at it any more. Otherwise leaving does not wait: a pod that cannot be attached must not keep one in that
    /// is gone.
    pub(super) fn leave_nobody_behind(&mut self) {
        if self.made.values().all(|made| made.leave.is_empty()) {
            return;
        }
        let mut pairs = Vec::new();
        for (id, entry) in self.observed.graph.entries().filter(|(id, _)| id.kind == Kind::BackendService) {
            let Some(after) = self.node_after(id) else { continue };
            let before: Vec<&ResourceId> =
                entry.node.references().into_iter().filter(|id| is_group(id)).collect();
            let leaves: Vec<NodeIndex> = before
                .iter()
                .filter_map(|group| self.made.get(*group))
                .flat_map(|made| made.leave.iter().copied())
                .collect();
            let kept = after.references().into_iter().filter(|id| before.contains(id));
            if leaves.is_empty() || kept.into_iter().any(|group| self.someone_stays(group)) {
                continue;
            }
            let updates = self.made.get(id).into_iter().flat_map(|made| &made.updates).map(|call| call.at);
            let joins = after
                .references()
                .into_iter()
                .filter_map(|group| self.made.get(group))
                .flat_map(|made| made.join.iter().copied());
            let moves = self.made.values().flat_map(|made| &made.updates);
            let moves = moves.filter(|call| call.drops.contains(id)).map(|call| call.at);
            let deletion = self.made.get(id).and_then(|made| made.delete);
            for first in updates.chain(joins).chain(moves).chain(deletion) {
                pairs.extend(leaves.iter().map(|leave| (first, *leave)));
            }
        }
        for (first, then) in pairs {
            self.wait(first, then);
        }
    }

    /// What opens the way to the backends of a backend service: the firewall rule, and the named ports of its instance groups.
    fn opened_for(&self, service: &Node) -> Vec<NodeIndex> {
        let named = service
            .references()
            .into_iter()
            .filter_map(|id| self.made.get(id))
            .flat_map(|made| &made.updates)
            .filter(|call| call.reach == Reach::Wider)
            .map(|call| call.at);
        named.chain(self.wider(Kind::Firewall)).collect()
    }

    /// What makes or widens the resources of one kind.
    fn wider(&self, kind: Kind) -> Vec<NodeIndex> {
        self.made
            .iter()
            .filter(|(id, _)| id.kind == kind)
            .flat_map(|(_, made)| {
                let updates =
                    made.updates.iter().filter(|call| call.reach == Reach::Wider).map(|call| call.at);
                made.create.into_iter().chain(updates)
            })
            .collect()
    }

    /// Plain HTTP begins to redirect once https is answered, and ceases before https ceases to be.
    pub(super) fn redirect_only_to_what_answers(&mut self) {
        let mut begin: BTreeMap<&Holder, Vec<NodeIndex>> = BTreeMap::new();
        let mut cease: BTreeMap<&Holder, Vec<NodeIndex>> = BTreeMap::new();
        let (mut made, mut deleted) = (Vec::new(), Vec::new());
        for (id, one) in &self.made {
            for call in &one.updates {
                let (before, after) = (self.redirected_before(&call.from), self.redirected_after(&call.to));
                let Some(change) = self.graph.node_weight(call.at) else { continue };
                match (before, after) {
                    (false, true) => begin.entry(&change.mark.holder).or_default().push(call.at),
                    (true, false) => cease.entry(&change.mark.holder).or_default().push(call.at),
                    _ => {}
                }
            }
            let https = |node: Option<&Node>| matches!(node, Some(Node::ForwardingRule(rule)) if matches!(rule.target, Target::Https(_)));
            if https(self.changed_to(id)) {
                made.extend(one.create);
            }
            if https(self.observed.graph.entry(id).map(|entry| &entry.node)) {
                deleted.extend(one.delete);
            }
        }
        let of = |at: &NodeIndex| self.graph.node_weight(*at).map(|change| &change.mark.holder);
        let mut pairs = Vec::new();
        for at in &made {
            let then = of(at).and_then(|holder| begin.get(holder));
            pairs.extend(then.into_iter().flatten().map(|then| (*at, *then)));
        }
        for at in &deleted {
            let first = of(at).and_then(|holder| cease.get(holder));
            pairs.extend(first.into_iter().flatten().map(|first| (*first, *at)));
        }
        for (first, then) in pairs {
            self.wait(first, then);
        }
    }

    fn redirected_before(&self, node: &Node) -> bool {
        match node {
            Node::UrlMap(map) => map.redirects_to_https(),
            Node::TargetHttpProxy(proxy) => {
                self.observed.graph.get(&proxy.url_map).is_some_and(UrlMap::redirects_to_https)
            }
            _ => false,
        }
    }

    fn redirected_after(&self, node: &Node) -> bool {
        match node {
            Node::UrlMap(map) => map.redirects_to_https(),
            Node::TargetHttpProxy(proxy) => {
                matches!(self.node_after(proxy.url_map.id()), Some(Node::UrlMap(map)) if map.redirects_to_https())
            }
            _ => false,
        }
    }

    /// A port is unnamed when no backend service uses it any more, and closed after everything else; the firewall rule goes when no
    /// forwarding rule is left.
    pub(super) fn close_last(&mut self) {
        let mut pairs = Vec::new();
        for (id, made) in &self.made {
            for call in made.updates.iter().filter(|call| call.reach == Reach::Narrower) {
                for (other, released) in &self.made {
                    let uses = match &call.to {
                        Node::Firewall(_) => other.kind != Kind::Firewall,
                        _ => self
                            .observed
                            .graph
                            .entry(other)
                            .is_some_and(|entry| entry.node.references().contains(&id)),
                    };
                    if uses {
                        let updates = released.updates.iter().map(|call| call.at);
                        let firsts = updates.chain(released.leave.iter().copied()).chain(released.delete);
                        pairs.extend(firsts.map(|first| (first, call.at)));
                    }
                }
            }
            if let (Kind::Firewall, Some(then)) = (id.kind, made.delete) {
                let rules = self.made.iter().filter(|(id, _)| id.kind == Kind::ForwardingRule);
                pairs.extend(rules.filter_map(|(_, made)| made.delete).map(|first| (first, then)));
            }
        }
        for (first, then) in pairs {
            self.wait(first, then);
        }
    }

    /// A new forwarding rule waits for the firewall rule, if it waits for something anyway.
    pub(super) fn open_the_firewall_first(&mut self) {
        let firewall = self.wider(Kind::Firewall);
        let rules: Vec<NodeIndex> = self
            .made
            .iter()
            .filter(|(id, _)| id.kind == Kind::ForwardingRule)
            .filter_map(|(_, made)| made.create)
            .filter(|at| self.graph.neighbors_directed(*at, petgraph::Direction::Incoming).next().is_some())
            .collect();
        for rule in rules {
            self.wait_all(firewall.iter().copied(), rule);
        }
    }
}

/// What a later one of the updates of a url map waits for.
fn later_awaited(updates: &[Call], nth: usize) -> BTreeSet<&ResourceId> {
    updates.iter().skip(nth + 1).flat_map(|call| call.awaits.keys()).collect()
}

fn is_group(id: &ResourceId) -> bool {
    matches!(id.kind, Kind::InstanceGroup | Kind::NetworkEndpointGroup)
}
