//! What somebody else changed in the cloud, and whether that is to be undone. Pure.
//!
//! Known is how each resource was left ([`Altered`](crate::model::Altered)). A field has drifted where it is not as it was left while the
//! input still asks for that; where the input asks for something else by now, it is a change like any other. A resource with such a change
//! is written as a whole, and so what drifted of it is undone then, whatever its class says.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::model::{Entry, Holder, LoadBalancerKey, Node, ObjectKey, Observed, ResourceId};
use crate::translate::{Disposition, Translation};

use super::FieldChange;
use super::diff::differences;

/// A field of a resource of ours that somebody else changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// Of what.
    pub id: ResourceId,
    /// For whom it is.
    pub holder: Holder,
    /// Which field, from what to what. A resource that was deleted has the field `(resource)`; that of members is `members`.
    pub field: FieldChange,
    /// When it was noticed.
    pub since: Timestamp,
    /// What follows.
    pub undo: Undo,
    /// Who asked for load balancers that use it.
    pub objects: BTreeSet<ObjectKey>,
}

/// What follows from drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undo {
    /// It is undone.
    Revert,
    /// It is only reported, since the class of everybody who uses it says so.
    Report,
}

/// Everything that has drifted and that the input does not ask for by now.
#[must_use]
pub fn drift(translation: &Translation, observed: &Observed) -> Vec<Drift> {
    let mut drift = Vec::new();
    for (id, altered) in &observed.altered {
        // What nobody wants any more is deleted in its time, whatever it has become.
        let Some(desired) = translation.desired.entry(id) else { continue };
        let (undo, objects) = users(translation, id);
        let now = observed.graph.entry(id);
        let undo = if now.is_none() { Undo::Revert } else { undo };
        drift.extend(fields(&altered.was, now, desired).into_iter().map(|field| Drift {
            id: id.clone(),
            holder: desired.mark.holder.clone(),
            field,
            since: altered.since,
            undo,
            objects: objects.clone(),
        }));
    }
    drift
}

/// Whether a difference between what is desired and what there is stays as it is: it is drift and nothing else, and only to be reported.
pub(super) fn stays(translation: &Translation, observed: &Observed, id: &ResourceId) -> bool {
    let Some(altered) = observed.altered.get(id) else { return false };
    let Some(desired) = translation.desired.entry(id) else { return false };
    differences(&altered.was.node, &desired.node).is_empty() && users(translation, id).0 == Undo::Report
}

fn fields(was: &Entry, now: Option<&Entry>, desired: &Entry) -> Vec<FieldChange> {
    let change = |field: &str, from: String, to: String| FieldChange { field: field.to_owned(), from, to };
    let Some(now) = now else {
        return vec![change("(resource)", "there".to_owned(), "deleted".to_owned())];
    };
    let asked: BTreeSet<String> =
        differences(&was.node, &desired.node).into_iter().map(|difference| difference.change.field).collect();
    let mut fields: Vec<FieldChange> = differences(&was.node, &now.node)
        .into_iter()
        .map(|difference| difference.change)
        .filter(|change| !asked.contains(&change.field))
        .collect();
    let counts = match (&was.node, &now.node) {
        (Node::NetworkEndpointGroup(was), Node::NetworkEndpointGroup(now)) if was.members != now.members => {
            Some((was.members.count(), now.members.count()))
        }
        (Node::InstanceGroup(was), Node::InstanceGroup(now)) if was.members != now.members => {
            Some((Some(was.members.len()), Some(now.members.len())))
        }
        _ => None,
    };
    if let Some((was, now)) = counts {
        let text =
            |count: Option<usize>| count.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
        fields.push(change("members", text(was), text(now)));
    }
    fields
}

/// Who uses a resource, and what they want of its drift. One user whose class wants it undone is enough.
fn users(translation: &Translation, id: &ResourceId) -> (Undo, BTreeSet<ObjectKey>) {
    let mut undo = Undo::Report;
    let mut objects = BTreeSet::new();
    let users: Vec<&LoadBalancerKey> = translation
        .load_balancers
        .iter()
        .filter(|(_, translated)| {
            matches!(&translated.disposition, Disposition::Serve(frontends) if frontends.uses.contains(id))
        })
        .map(|(key, translated)| {
            objects.extend(translated.objects.iter().cloned());
            key
        })
        .collect();
    if users.is_empty() || users.iter().any(|key| !translation.drift_reported.contains(*key)) {
        undo = Undo::Revert;
    }
    (undo, objects)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Altered, BackendService, Kind, Resource as _};
    use crate::plan::plan;
    use crate::plan::tests::fixture::{World, http, steps, tamper};

    fn backend_service(observed: &Observed) -> (ResourceId, Entry) {
        let (id, entry) = observed.graph.entries().find(|(id, _)| id.kind == Kind::BackendService).unwrap();
        (id.clone(), entry.clone())
    }

    /// A world in which somebody set the time-out of a backend service to 7.
    fn drifted() -> (World, Observed, ResourceId) {
        let mut world = World::new();
        world.pods("web", 1);
        world.serve("test", &http(&["web"]));
        let mut observed = world.observed();
        let (id, was) = backend_service(&observed);
        tamper(&mut observed.graph, &id, |node| {
            if let Node::BackendService(service) = node {
                service.policy.timeout_seconds = 7;
            }
        });
        observed.altered.insert(id.clone(), Altered { was, since: Timestamp::UNIX_EPOCH });
        (world, observed, id)
    }

    fn report(world: &mut World) {
        let keys: Vec<_> = world.translation.load_balancers.keys().cloned().collect();
        world.translation.drift_reported.extend(keys);
    }

    #[test]
    fn drift_is_found_and_undone() {
        let (world, observed, id) = drifted();
        let found = drift(&world.translation, &observed);
        let [one] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((&one.id, one.field.field.as_str(), one.undo), (&id, "timeoutSec", Undo::Revert));
        assert_eq!((one.field.from.as_str(), one.field.to.as_str()), ("30", "7"));
        assert_eq!(steps(&plan(&world.translation, &observed)).len(), 1);
    }

    #[test]
    fn where_everybody_says_so_it_is_only_reported() {
        let (mut world, observed, _) = drifted();
        report(&mut world);
        assert_eq!(drift(&world.translation, &observed)[0].undo, Undo::Report);
        assert!(plan(&world.translation, &observed).is_empty());
    }

    #[test]
    fn what_the_input_asks_for_is_no_drift() {
        let (mut world, observed, id) = drifted();
        report(&mut world);
        let mut desired = world.translation.desired.entry(&id).unwrap().clone();
        if let Node::BackendService(service) = &mut desired.node {
            service.policy.timeout_seconds = 60;
        }
        assert!(BackendService::from_node(&desired.node).is_some());
        world.translation.desired.put(id, desired);
        assert_eq!(drift(&world.translation, &observed), []);
        assert_eq!(steps(&plan(&world.translation, &observed)).len(), 1);
    }
}
