//! How much memory the mirror takes: counted, not measured. What hangs below a resource is counted by its fields as people read them,
//! which is more than they take.

use std::mem::size_of;

use super::Mirror;
use crate::model::{Endpoint, Entry, Facts, Node, Observed, ResourceId};

/// What a map takes for an entry besides the entry itself.
const PER_ENTRY: usize = 16;

impl Mirror {
    /// About how many bytes the copy of the cloud takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let observed = std::sync::Arc::clone(&self.lock().observed);
        let Observed { graph, facts, taken, unknown, altered, health, foreign } = &*observed;
        let entries: usize = graph.entries().map(|(id, entry)| of_id(id) + of_entry(entry)).sum();
        let facts: usize = facts.keys().map(|id| of_id(id) + size_of::<Facts>() + 48 + PER_ENTRY).sum();
        let taken: usize = taken.iter().map(of_id).sum();
        let altered: usize = altered.iter().map(|(id, altered)| of_id(id) + of_entry(&altered.was)).sum();
        let health: usize = health.keys().map(of_id).sum();
        // What is looked up is little, and its answers are of a few words.
        let total = entries + facts + taken + altered + health + (unknown.len() + foreign.len()) * 64;
        u64::try_from(total).unwrap_or(u64::MAX)
    }
}

fn of_id(id: &ResourceId) -> usize {
    size_of::<ResourceId>() + id.name.as_str().len() + id.scope.to_string().len() + PER_ENTRY
}

fn of_entry(entry: &Entry) -> usize {
    let Entry { mark, node } = entry;
    let members: usize = match node {
        Node::NetworkEndpointGroup(group) => {
            let known = group.members.known().into_iter().flatten();
            known.map(|Endpoint { instance, .. }| size_of::<Endpoint>() + instance.len() + PER_ENTRY).sum()
        }
        Node::InstanceGroup(group) => {
            group.members.iter().map(|name| size_of::<String>() + name.len() + PER_ENTRY).sum()
        }
        _ => 0,
    };
    let fields: usize =
        crate::plan::fields(node).iter().map(|field| field.name.len() + field.value.len()).sum();
    size_of::<Entry>() + mark.render().len() + fields + members
}
