//! What the cloud would hold after a change: the executor's effect without the executor.

use std::net::IpAddr;

use crate::model::{AddressBinding, Entry, Facts, InstanceGroup, Node, Observed, ResourceId, Wellness};

use super::{Action, Change, Plan, members, order};

/// What the cloud would hold once all of the plan is done. Addresses that the plan reserves are not known.
#[must_use]
pub fn simulate(observed: &Observed, plan: &Plan) -> Observed {
    simulate_with(observed, plan, |_| None)
}

/// The same, with addresses for the address resources that the plan reserves.
#[must_use]
pub fn simulate_with(
    observed: &Observed,
    plan: &Plan,
    mut address: impl FnMut(&ResourceId) -> Option<IpAddr>,
) -> Observed {
    let mut after = observed.clone();
    for at in order(plan) {
        if let Some(change) = plan.graph.node_weight(at) {
            step(&mut after, change, &mut address);
        }
    }
    after
}

/// Makes one change. One that makes no sense, such as an update of what does not exist, changes nothing.
pub fn step(
    observed: &mut Observed,
    change: &Change,
    mut address: impl FnMut(&ResourceId) -> Option<IpAddr>,
) {
    let Change { id, mark, action, reason: _, seen: _ } = change;
    match action {
        Action::Create(node) => {
            let address = match node {
                Node::Address(_) => address(id),
                Node::ForwardingRule(rule) => match &rule.address {
                    AddressBinding::Reserved(at) => observed.number_of(at.id()),
                    AddressBinding::Literal(address) => Some(*address),
                },
                _ => None,
            };
            observed.facts.insert(id.clone(), Facts { address, ..Facts::default() });
            observed.graph.put(id.clone(), Entry { mark: mark.clone(), node: node.clone() });
        }
        Action::Update { verb: _, to, fields: _ } => {
            edit(observed, id, |node| *node = with_members_of(node, to));
            // Every change makes another version, which only the cloud knows.
            if let Some(facts) = observed.facts.get_mut(id) {
                facts.fingerprint = None;
            }
            // With other backends, or asked otherwise, it may be otherwise.
            observed.health.remove(id);
        }
        Action::AttachEndpoints(endpoints) => edit(observed, id, |node| {
            if let Node::NetworkEndpointGroup(group) = node {
                members::attach(&mut group.members, endpoints);
            }
        }),
        Action::DetachEndpoints(endpoints) => edit(observed, id, |node| {
            if let Node::NetworkEndpointGroup(group) = node {
                members::detach(&mut group.members, endpoints);
            }
        }),
        Action::AddInstances(instances) => edit(observed, id, |node| {
            if let Node::InstanceGroup(group) = node {
                group.members.extend(instances.iter().cloned());
            }
        }),
        Action::RemoveInstances(instances) => edit(observed, id, |node| {
            if let Node::InstanceGroup(group) = node {
                group.members.retain(|member| !instances.contains(member));
            }
        }),
        Action::Delete => {
            observed.graph.remove(id);
            observed.facts.remove(id);
            observed.health.remove(id);
        }
        Action::AwaitHealthy { .. } => {
            observed.health.insert(id.clone(), Wellness::Well);
        }
    }
}

fn edit(observed: &mut Observed, id: &ResourceId, edit: impl FnOnce(&mut Node)) {
    let Some(Entry { mark, mut node }) = observed.graph.remove(id) else { return };
    edit(&mut node);
    observed.graph.put(id.clone(), Entry { mark, node });
}

/// `to`, but with the members that the group has: an update never changes them.
fn with_members_of(now: &Node, to: &Node) -> Node {
    match (now, to) {
        (Node::InstanceGroup(now), Node::InstanceGroup(to)) => {
            let InstanceGroup { network, named_ports, members: _ } = to.clone();
            Node::InstanceGroup(InstanceGroup { network, named_ports, members: now.members.clone() })
        }
        (_, to) => to.clone(),
    }
}
