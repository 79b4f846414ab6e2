//! The nodes of the graph: one for each call.

use std::collections::BTreeSet;

use petgraph::graph::NodeIndex;

use crate::model::{Entry, Members, Node, ResourceId};
use crate::translate::Translation;

use super::super::decide::{Decisions, gained};
use super::super::{Action, MEMBERS_PER_CALL, members, reason};
use super::{Call, Edges};

impl Edges<'_> {
    pub(super) fn add_changes(&mut self, translation: &Translation, decisions: &Decisions<'_>) {
        for (id, entry) in &decisions.creates {
            let action = Action::Create(entry.node.as_made());
            let at = self.change(id, &entry.mark, action, reason::create(entry, self.observed), false);
            self.made.entry((*id).clone()).or_default().create = Some(at);
        }
        for id in &decisions.groups {
            if let Some(entry) = translation.desired.entry(id) {
                self.add_members(id, entry);
            }
        }
        for (id, steps) in &decisions.updates {
            let (mark, mut from) = match (decisions.creates.get(id), self.observed.graph.entry(id)) {
                (Some(entry), _) => (&entry.mark, entry.node.as_made()),
                (None, Some(seen)) => (&seen.mark, seen.node.clone()),
                (None, None) => continue,
            };
            for (nth, step) in steps.iter().enumerate() {
                let action =
                    Action::Update { verb: step.verb, to: step.to.clone(), fields: step.fields.clone() };
                // A second call finds a version that this plan has not seen.
                let at = self.change(id, mark, action, reason::update(step), nth == 0);
                let awaits = step.awaits.iter().map(|(service, instead_of)| {
                    (service.clone(), self.await_healthy(id, service, instead_of))
                });
                let call = Call {
                    at,
                    awaits: awaits.collect(),
                    reach: step.reach,
                    gains: gained(Some(&from), &step.to).into_iter().cloned().collect(),
                    drops: gained(Some(&step.to), &from).into_iter().cloned().collect(),
                    from: from.clone(),
                    to: step.to.clone(),
                };
                self.made.entry((*id).clone()).or_default().updates.push(call);
                from = step.to.clone();
            }
        }
        for (id, (seen, entry)) in &decisions.replaces {
            let why = "deleted, since it cannot be changed; the outage was consented to";
            let delete = self.change(id, &seen.mark, Action::Delete, why.to_owned(), true);
            let create = Action::Create(entry.node.clone());
            let create = self.change(id, &entry.mark, create, "made anew".to_owned(), false);
            let made = self.made.entry((*id).clone()).or_default();
            made.delete = Some(delete);
            made.create = Some(create);
        }
        for (id, entry) in &decisions.deletes {
            let why = reason::delete(id, entry, translation);
            let at = self.change(id, &entry.mark, Action::Delete, why, true);
            self.made.entry((*id).clone()).or_default().delete = Some(at);
        }
    }

    /// The node that waits until requests can be moved to a backend service.
    fn await_healthy(
        &mut self,
        map: &ResourceId,
        service: &ResourceId,
        instead_of: &BTreeSet<ResourceId>,
    ) -> NodeIndex {
        let entry = self.desired.entry(service).or_else(|| self.observed.graph.entry(service));
        let mark = entry.or_else(|| self.observed.graph.entry(map)).map(|entry| entry.mark.clone());
        let mark = mark.expect("the url map that is updated was observed");
        let action = Action::AwaitHealthy { map: map.clone(), instead_of: instead_of.clone() };
        self.change(service, &mark, action, reason::await_healthy(map), false)
    }

    fn add_members(&mut self, id: &ResourceId, entry: &Entry) {
        let seen = self.observed.graph.entry(id).map(|seen| &seen.node);
        let (join, leave): (Vec<Action>, Vec<Action>) = match (&entry.node, seen) {
            (Node::NetworkEndpointGroup(to), seen) => {
                let nobody = Members::nobody();
                let from = match seen {
                    Some(Node::NetworkEndpointGroup(from)) => &from.members,
                    _ => &nobody,
                };
                let unready = self.unready.get(id);
                match members::compare(&to.members, from, unready) {
                    members::Verdict::Differ(members::Changes { attach, detach }) => (
                        attach.into_iter().map(Action::AttachEndpoints).collect(),
                        detach.into_iter().map(Action::DetachEndpoints).collect(),
                    ),
                    // What is not known is asked for elsewhere, and nothing is done until it is.
                    members::Verdict::Same | members::Verdict::MustBeListed => return,
                }
            }
            (Node::InstanceGroup(to), seen) => {
                let none = BTreeSet::new();
                let from = match seen {
                    Some(Node::InstanceGroup(from)) => &from.members,
                    _ => &none,
                };
                let batches = |members: Vec<String>, action: fn(Vec<String>) -> Action| {
                    members.chunks(MEMBERS_PER_CALL).map(|batch| action(batch.to_vec())).collect()
                };
                (
                    batches(to.members.difference(from).cloned().collect(), Action::AddInstances),
                    batches(from.difference(&to.members).cloned().collect(), Action::RemoveInstances),
                )
            }
            _ => return,
        };
        for action in join {
            let at = self.change(id, &entry.mark, action, reason::members(entry, true), false);
            self.made.entry(id.clone()).or_default().join.push(at);
        }
        for action in leave {
            let at = self.change(id, &entry.mark, action, reason::members(entry, false), false);
            self.made.entry(id.clone()).or_default().leave.push(at);
        }
    }
}
