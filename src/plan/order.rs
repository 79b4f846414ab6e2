//! One order of a plan's changes, of the many that its edges allow.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use super::{Action, Change, Plan};

/// The changes in an order that heeds every edge. Where the edges leave a choice, members of groups come first, then what is new, then
/// updates, then deletions; of equal ones that which most others wait for in a row; then by identity. Each change stands in it once,
/// even if the edges ran in a circle (which in a plan they never do).
#[must_use]
pub fn order(plan: &Plan) -> Vec<NodeIndex> {
    let graph = &plan.graph;
    let behind = chains(graph, Direction::Outgoing);
    let mut waits_for: Vec<usize> =
        graph.node_indices().map(|at| graph.neighbors_directed(at, Direction::Incoming).count()).collect();
    let mut ready = BinaryHeap::new();
    let mut ordered = Vec::with_capacity(graph.node_count());
    let urgency = |at: NodeIndex| {
        graph
            .node_weight(at)
            .map(|change| Reverse((rank(change), Reverse(behind[at.index()]), &change.id, at)))
    };
    ready.extend(graph.node_indices().filter(|at| waits_for[at.index()] == 0).filter_map(urgency));
    while let Some(Reverse((_, _, _, at))) = ready.pop() {
        ordered.push(at);
        for then in graph.neighbors_directed(at, Direction::Outgoing) {
            waits_for[then.index()] -= 1;
            if waits_for[then.index()] == 0 {
                ready.extend(urgency(then));
            }
        }
    }
    // Whatever runs in a circle.
    ordered.extend(graph.node_indices().filter(|at| waits_for[at.index()] > 0));
    ordered
}

/// The same plan with its changes numbered in their order.
pub(super) fn in_order(plan: Plan) -> Plan {
    let order = order(&plan);
    let Plan { graph, leaks, blocked } = plan;
    let mut place = vec![0; graph.node_count()];
    for (index, at) in order.iter().enumerate() {
        place[at.index()] = index;
    }
    let mut edges: Vec<(usize, usize)> = graph
        .raw_edges()
        .iter()
        .map(|edge| (place[edge.source().index()], place[edge.target().index()]))
        .collect();
    edges.sort_unstable();
    let mut changes: Vec<(usize, Change)> =
        graph.into_nodes_edges().0.into_iter().map(|node| node.weight).enumerate().collect();
    changes.sort_by_key(|(index, _)| place[*index]);

    let mut graph = DiGraph::with_capacity(changes.len(), edges.len());
    let at: Vec<NodeIndex> = changes.into_iter().map(|(_, change)| graph.add_node(change)).collect();
    for (first, then) in edges {
        graph.add_edge(at[first], at[then], ());
    }
    Plan { graph, leaks, blocked }
}

impl Plan {
    /// The same plan with only those of its changes that are kept, again numbered in their order.
    pub(crate) fn with_only(self, keep: impl Fn(NodeIndex, &Change) -> bool) -> Self {
        let Self { graph, leaks, blocked } = self;
        let graph =
            graph.filter_map_owned(|at, change| keep(at, &change).then_some(change), |_, ()| Some(()));
        in_order(Self { graph, leaks, blocked })
    }
}

/// How soon a change is wanted, first to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Members,
    New,
    Changed,
    Deleted,
}

fn rank(change: &Change) -> Rank {
    match &change.action {
        Action::AttachEndpoints(_)
        | Action::DetachEndpoints(_)
        | Action::AddInstances(_)
        | Action::RemoveInstances(_)
        | Action::AwaitHealthy { .. } => Rank::Members,
        Action::Create(_) => Rank::New,
        Action::Update { .. } => Rank::Changed,
        Action::Delete => Rank::Deleted,
    }
}

/// The most calls of which each must wait for the one before: with operations that take equally long, no executor can be faster
/// than this many of them. (How long backends take to become healthy is not in it.)
#[must_use]
pub fn longest_chain(plan: &Plan) -> usize {
    chains(&plan.graph, Direction::Incoming).into_iter().max().unwrap_or(0)
}

/// For each change how many calls stand in the longest row that ends in it, itself included, going in this direction.
fn chains(graph: &DiGraph<Change, ()>, direction: Direction) -> Vec<usize> {
    let mut waits_for: Vec<usize> =
        graph.node_indices().map(|at| graph.neighbors_directed(at, direction).count()).collect();
    let mut ready: Vec<NodeIndex> = graph.node_indices().filter(|at| waits_for[at.index()] == 0).collect();
    let own = |at: NodeIndex| graph.node_weight(at).map_or(1, |change| usize::from(change.action.is_call()));
    let mut length: Vec<usize> = graph.node_indices().map(own).collect();
    while let Some(at) = ready.pop() {
        for then in graph.neighbors_directed(at, direction.opposite()) {
            length[then.index()] = length[then.index()].max(length[at.index()] + own(then));
            waits_for[then.index()] -= 1;
            if waits_for[then.index()] == 0 {
                ready.push(then);
            }
        }
    }
    length
}
