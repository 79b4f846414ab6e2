//! Which changes of a plan the cloud does not show yet.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Node, Observed, ResourceId, Wellness};

use super::diff::differences;
use super::{Action, Change, Plan, order};

impl Plan {
    /// The changes that `observed` does not show yet, in their order. Of several updates of one resource only the last counts.
    #[must_use]
    pub fn pending(&self, observed: &Observed) -> Vec<&Change> {
        let mut last_update: BTreeMap<&ResourceId, &Change> = BTreeMap::new();
        let mut pending = Vec::new();
        let deleted = self.graph.node_weights().filter(|change| change.action == Action::Delete);
        let deleted: BTreeSet<&ResourceId> = deleted.map(|change| &change.id).collect();
        let made_anew: BTreeMap<&ResourceId, &Node> = self
            .graph
            .node_weights()
            .filter_map(|change| match &change.action {
                Action::Create(node) if deleted.contains(&change.id) => Some((&change.id, node)),
                _ => None,
            })
            .collect();
        for at in order(self) {
            let Some(change) = self.graph.node_weight(at) else { continue };
            if let Some(to) = made_anew.get(&change.id) {
                let now = observed.graph.entry(&change.id).map(|entry| &entry.node);
                let is_new = now.is_some_and(|now| differences(now, to).is_empty());
                let is_done = is_new || (change.action == Action::Delete && now.is_none());
                if !is_done {
                    pending.push(change);
                }
            } else if let Action::Update { .. } = change.action {
                last_update.insert(&change.id, change);
            } else if !shows(observed, change) {
                pending.push(change);
            }
        }
        pending.extend(last_update.into_values().filter(|change| !shows(observed, change)));
        pending
    }
}

/// Whether the change can be seen.
#[must_use]
pub fn shows(observed: &Observed, change: &Change) -> bool {
    let now = observed.graph.entry(&change.id).map(|entry| &entry.node);
    match (&change.action, now) {
        (Action::Create(_), now) => now.is_some(),
        (Action::Delete, now) => now.is_none(),
        (Action::AwaitHealthy { .. }, _) => observed.health.get(&change.id) == Some(&Wellness::Well),
        (Action::Update { verb: _, to, fields: _ }, Some(now)) => differences(now, to).is_empty(),
        (Action::AttachEndpoints(endpoints), Some(Node::NetworkEndpointGroup(group))) => group
            .members
            .known()
            .is_some_and(|members| endpoints.iter().all(|endpoint| members.contains(endpoint))),
        (Action::DetachEndpoints(endpoints), Some(Node::NetworkEndpointGroup(group))) => group
            .members
            .known()
            .is_some_and(|members| !endpoints.iter().any(|endpoint| members.contains(endpoint))),
        (Action::AddInstances(instances), Some(Node::InstanceGroup(group))) => {
            instances.iter().all(|instance| group.members.contains(instance))
        }
        (Action::RemoveInstances(instances), Some(Node::InstanceGroup(group))) => {
            !instances.iter().any(|instance| group.members.contains(instance))
        }
        (
            Action::Update { .. }
            | Action::AttachEndpoints(_)
            | Action::DetachEndpoints(_)
            | Action::AddInstances(_)
            | Action::RemoveInstances(_),
            _,
        ) => false,
    }
}
