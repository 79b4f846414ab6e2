//! What somebody else changed since we left it. Only lists show that: a resource that is read alone is read because a change of ours may
//! have been made after all.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cloud::{Seen, Whose};
use crate::model::{AddressBinding, Altered, Entry, InstanceGroup, Node, Observed, ResourceId};
use crate::plan::fields;

/// A list shows `seen` where `known` has what we left.
pub(super) fn note(known: &mut Observed, seen: &Seen, now: Timestamp) {
    let Seen { id, whose } = seen;
    let Whose::Ours(owned) = whose else { return note_gone(known, id, now) };
    let Some(before) = known.graph.entry(id) else {
        // Somebody made it again, or it was never ours.
        known.altered.remove(id);
        return;
    };
    let was = known.altered.get(id).map_or(before, |altered| &altered.was);
    if is_same(was, &owned.entry) {
        known.altered.remove(id);
    } else if !known.altered.contains_key(id) {
        let was = before.clone();
        known.altered.insert(id.clone(), Altered { was, since: now });
    }
}

/// A list does not show what `known` has.
pub(super) fn note_gone(known: &mut Observed, id: &ResourceId, now: Timestamp) {
    if let Some(was) = known.graph.entry(id) {
        let was = was.clone();
        known.altered.entry(id.clone()).or_insert(Altered { was, since: now });
    }
}

/// Whether the fields that we own are the same. Members come and go by calls of their own; and the address of a forwarding rule is bound
/// to its resource only later, while it cannot be changed at all.
fn is_same(one: &Entry, other: &Entry) -> bool {
    match (&one.node, &other.node) {
        (Node::NetworkEndpointGroup(one), Node::NetworkEndpointGroup(other)) => {
            (&one.network, &one.subnetwork) == (&other.network, &other.subnetwork)
        }
        (Node::InstanceGroup(one), Node::InstanceGroup(other)) => {
            let InstanceGroup { network: _, named_ports, members } = one;
            *named_ports == other.named_ports && *members == other.members
        }
        (Node::ForwardingRule(one), Node::ForwardingRule(other)) => {
            let mut one = one.clone();
            if let (AddressBinding::Reserved(_), AddressBinding::Literal(_)) = (&one.address, &other.address)
            {
                one.address = other.address.clone();
            }
            one == *other
        }
        (one, other) => one == other || texts(one) == texts(other),
    }
}

/// The fields by their texts, so that what has no meaning, such as an order, is no difference.
fn texts(node: &Node) -> BTreeMap<String, String> {
    fields(node).into_iter().map(|field| (field.name, field.value)).collect()
}
