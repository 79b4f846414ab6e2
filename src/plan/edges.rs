//! The graph of changes: one node for each call, and an edge for each pair of which one must wait for the other.

mod changes;
mod traffic;

use std::collections::{BTreeMap, BTreeSet};

use petgraph::graph::{DiGraph, NodeIndex};

use crate::model::{Graph, Mark, Node, Observed, ResourceId};
use crate::translate::{Translation, Unready};

use super::decide::{Decisions, Reach};
use super::{Action, Change};

/// Puts every change into a graph and connects them.
pub(super) fn connect(
    translation: &Translation,
    observed: &Observed,
    decisions: &Decisions<'_>,
) -> DiGraph<Change, ()> {
    let mut edges = Edges::new(translation, observed);
    edges.add_changes(translation, decisions);
    edges.follow_references();
    edges.follow_one_resource();
    edges.make_before_break();
    edges.warm_before_move();
    edges.leave_nobody_behind();
    edges.redirect_only_to_what_answers();
    edges.close_last();
    // Last, since it asks what waits already.
    edges.open_the_firewall_first();
    edges.keep_outages_short();
    edges.finish()
}

/// What becomes of one resource.
#[derive(Default)]
struct Made {
    create: Option<NodeIndex>,
    join: Vec<NodeIndex>,
    leave: Vec<NodeIndex>,
    updates: Vec<Call>,
    delete: Option<NodeIndex>,
}

impl Made {
    /// When something new is all that it is to be, but for its members: whoever points at it waits for that.
    fn whole(&self) -> Option<NodeIndex> {
        let create = self.create?;
        Some(self.updates.last().map_or(create, |call| call.at))
    }
}

/// One call that changes a resource, with what it comes to point at and what no longer.
struct Call {
    at: NodeIndex,
    /// What it waits for to be well, with the node that waits.
    awaits: BTreeMap<ResourceId, NodeIndex>,
    reach: Reach,
    gains: BTreeSet<ResourceId>,
    drops: BTreeSet<ResourceId>,
    from: Node,
    to: Node,
}

struct Edges<'a> {
    desired: &'a Graph,
    unready: &'a Unready,
    observed: &'a Observed,
    graph: DiGraph<Change, ()>,
    pairs: BTreeSet<(NodeIndex, NodeIndex)>,
    made: BTreeMap<ResourceId, Made>,
}

impl<'a> Edges<'a> {
    fn new(translation: &'a Translation, observed: &'a Observed) -> Self {
        Self {
            desired: &translation.desired,
            unready: &translation.unready,
            observed,
            graph: DiGraph::new(),
            pairs: BTreeSet::new(),
            made: BTreeMap::new(),
        }
    }

    fn change(
        &mut self,
        id: &ResourceId,
        mark: &Mark,
        action: Action,
        reason: String,
        first: bool,
    ) -> NodeIndex {
        let seen = self.observed.facts.get(id).filter(|_| first).and_then(|facts| facts.fingerprint.clone());
        self.graph.add_node(Change { id: id.clone(), mark: mark.clone(), action, reason, seen })
    }

    /// What a resource is in the end, where it is made or changed.
    fn changed_to(&self, id: &ResourceId) -> Option<&Node> {
        let made = self.made.get(id)?;
        match made.updates.last() {
            Some(call) => Some(&call.to),
            None => made.create.and_then(|_| self.desired.entry(id)).map(|entry| &entry.node),
        }
    }

    fn wait(&mut self, first: NodeIndex, then: NodeIndex) {
        if first != then && self.pairs.insert((first, then)) {
            self.graph.add_edge(first, then, ());
        }
    }

    fn wait_all(&mut self, first: impl IntoIterator<Item = NodeIndex>, then: NodeIndex) {
        for first in first {
            self.wait(first, then);
        }
    }

    /// What is pointed at is made before and deleted after.
    fn follow_references(&mut self) {
        let mut pairs = Vec::new();
        for (id, made) in &self.made {
            let creation = |id: &ResourceId| self.made.get(id).and_then(Made::whole);
            let deletion = |id: &ResourceId| self.made.get(id).and_then(|made| made.delete);
            if let (Some(at), Some(node)) = (made.create, self.changed_to(id)) {
                pairs.extend(node.references().into_iter().filter_map(creation).map(|first| (first, at)));
            }
            // Not only what it comes to point at: what somebody deleted behind its back is made anew first.
            let first = made.updates.first().into_iter().flat_map(|call| {
                call.to.references().into_iter().filter_map(creation).map(|first| (first, call.at))
            });
            pairs.extend(first);
            for call in &made.updates {
                pairs.extend(call.gains.iter().filter_map(creation).map(|first| (first, call.at)));
                pairs.extend(call.drops.iter().filter_map(deletion).map(|then| (call.at, then)));
            }
            if let (Some(at), Some(entry)) = (made.delete, self.observed.graph.entry(id)) {
                pairs.extend(entry.node.references().into_iter().filter_map(deletion).map(|then| (at, then)));
            }
        }
        for (first, then) in pairs {
            self.wait(first, then);
        }
    }

    /// Made, then filled and completed; one call after the other.
    fn follow_one_resource(&mut self) {
        let mut pairs = Vec::new();
        for made in self.made.values() {
            if let Some(create) = made.create {
                pairs.extend(made.join.iter().map(|join| (create, *join)));
                pairs.extend(made.updates.first().map(|first| (create, first.at)));
            }
            pairs.extend(made.updates.windows(2).filter_map(|two| match two {
                [first, then] => Some((first.at, then.at)),
                _ => None,
            }));
        }
        for (first, then) in pairs {
            self.wait(first, then);
        }
    }

    /// What is deleted and made anew is deleted when all is there that it is made of.
    fn keep_outages_short(&mut self) {
        let replaced: Vec<(NodeIndex, NodeIndex)> =
            self.made.values().filter_map(|made| Some((made.delete?, made.create?))).collect();
        for (delete, create) in replaced {
            let firsts: Vec<NodeIndex> =
                self.graph.neighbors_directed(create, petgraph::Direction::Incoming).collect();
            self.wait_all(firsts, delete);
            self.wait(delete, create);
        }
    }

    fn finish(self) -> DiGraph<Change, ()> {
        self.graph
    }
}
