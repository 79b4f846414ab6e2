//! One order of a plan's changes, of the many that its edges allow.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::model::ResourceId;

use super::{Action, Change, Plan};

/// The changes in an order that heeds every edge. Where the edges leave a choice, members of groups come first, then what is new, then
/// updates, then deletions; and equal ones by identity. Each change stands in it once, even if the edges ran in a circle (which a
/// plan never does).
#[must_use]
pub fn order(plan: &Plan) -> Vec<NodeIndex> {
    let graph = &plan.graph;
    let mut waits_for: Vec<usize> =
        graph.node_indices().map(|at| graph.neighbors_directed(at, Direction::Incoming).count()).collect();
    let mut ready: BinaryHeap<Reverse<(Rank, &ResourceId, NodeIndex)>> = BinaryHeap::new();
    let mut ordered = Vec::with_capacity(graph.node_count());
    let entry = |at: NodeIndex| graph.node_weight(at).map(|change| Reverse((rank(change), &change.id, at)));
    ready.extend(graph.node_indices().filter(|at| waits_for[at.index()] == 0).filter_map(entry));
    while let Some(Reverse((_, _, at))) = ready.pop() {
        ordered.push(at);
        for then in graph.neighbors_directed(at, Direction::Outgoing) {
            waits_for[then.index()] -= 1;
            if waits_for[then.index()] == 0 {
                ready.extend(entry(then));
            }
        }
    }
    // Whatever runs in a circle.
    ordered.extend(graph.node_indices().filter(|at| waits_for[at.index()] > 0));
    ordered
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
        | Action::RemoveInstances(_) => Rank::Members,
        Action::Create(_) => Rank::New,
        Action::Update { .. } => Rank::Changed,
        Action::Delete => Rank::Deleted,
    }
}

/// The most changes of which each must wait for the one before: with operations that take equally long, no executor can be faster
/// than this many of them.
#[must_use]
pub fn longest_chain(plan: &Plan) -> usize {
    let graph: &DiGraph<Change, ()> = &plan.graph;
    let mut length = vec![0_usize; graph.node_count()];
    for at in order(plan) {
        let before =
            graph.neighbors_directed(at, Direction::Incoming).map(|first| length[first.index()]).max();
        length[at.index()] = before.unwrap_or(0) + 1;
    }
    length.into_iter().max().unwrap_or(0)
}
