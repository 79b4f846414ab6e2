//! A part of a plan, for review: what concerns some load balancers.

use std::collections::BTreeSet;

use petgraph::Direction;
use petgraph::graph::NodeIndex;

use crate::model::{Holder, LoadBalancerKey, Observed, ResourceId};
use crate::translate::{Disposition, Translation};

use super::{Change, Plan};

impl Plan {
    /// What concerns these load balancers: changes of their own, changes of what they use or used, and everything that those wait for.
    #[must_use]
    pub fn only(
        &self,
        load_balancers: &BTreeSet<LoadBalancerKey>,
        translation: &Translation,
        observed: &Observed,
    ) -> Self {
        let uses = uses(load_balancers, translation, observed);
        let concerns = |id: &ResourceId, holder: &Holder| {
            uses.contains(id) || matches!(holder, Holder::LoadBalancer(key) if load_balancers.contains(key))
        };
        let mut kept: BTreeSet<NodeIndex> = BTreeSet::new();
        let mut todo: Vec<NodeIndex> = self
            .graph
            .node_indices()
            .filter(|at| {
                self.graph.node_weight(*at).is_some_and(|change| concerns(&change.id, &change.mark.holder))
            })
            .collect();
        while let Some(at) = todo.pop() {
            if kept.insert(at) {
                todo.extend(self.graph.neighbors_directed(at, Direction::Incoming));
            }
        }
        let graph = self
            .graph
            .filter_map(|at, change: &Change| kept.contains(&at).then(|| change.clone()), |_, ()| Some(()));
        let blocked = self.blocked.iter().filter(|blocked| concerns(&blocked.id, &blocked.holder));
        let leaks = self.leaks.iter().filter(|key| load_balancers.contains(key));
        super::order::in_order(Self {
            graph,
            leaks: leaks.cloned().collect(),
            blocked: blocked.cloned().collect(),
        })
    }

    /// The load balancers that the plan touches, by changes of their own or of what they use or used.
    #[must_use]
    pub fn touches(&self, translation: &Translation, observed: &Observed) -> BTreeSet<LoadBalancerKey> {
        let changed: BTreeSet<&ResourceId> = self.graph.node_weights().map(|change| &change.id).collect();
        let own = self.graph.node_weights().filter_map(|change| match &change.mark.holder {
            Holder::LoadBalancer(key) => Some(key.clone()),
            _ => None,
        });
        let users = translation.load_balancers.keys().filter(|key| {
            let uses = uses(&BTreeSet::from([(*key).clone()]), translation, observed);
            uses.iter().any(|id| changed.contains(id))
        });
        own.chain(users.cloned()).collect()
    }
}

/// Everything that these load balancers are to use, or use now.
fn uses(
    load_balancers: &BTreeSet<LoadBalancerKey>,
    translation: &Translation,
    observed: &Observed,
) -> BTreeSet<ResourceId> {
    let held = observed.graph.entries().filter(
        |(_, entry)| matches!(&entry.mark.holder, Holder::LoadBalancer(key) if load_balancers.contains(key)),
    );
    let mut uses = observed.graph.closure(held.map(|(id, _)| id));
    for key in load_balancers {
        if let Some(Disposition::Serve(frontends)) =
            translation.load_balancers.get(key).map(|translated| &translated.disposition)
        {
            uses.extend(frontends.uses.iter().cloned());
        }
    }
    uses
}
