//! Events for what was just done.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::{Ended, Ending, Outcome, WELL};
use crate::model::{Holder, LoadBalancerKey, Node, ObjectKey, Observed, ResourceId};
use crate::plan::FieldChange;
use crate::plan::drift::{Drift, Undo};
use crate::translate::{Disposition, Share, Translation};

use super::{Event, sentence};

/// What was done, told to whom it is for: what one load balancer has alone to that one, what is shared to those that use it, or used
/// it `before`. What the whole cluster shares is told only to those that there is other news for: they are what it was done for, and
/// no one else wants to hear of each new node.
#[must_use]
pub fn news(
    outcome: &Outcome,
    translation: &Translation,
    before: &Observed,
    after: &Observed,
) -> BTreeMap<ObjectKey, Vec<Event>> {
    let done: Vec<&Ended> =
        outcome.ended.iter().filter(|ended| ended.result == Ending::Done && ended.what != WELL).collect();
    let shared: BTreeSet<&ResourceId> = done
        .iter()
        .filter(|ended| matches!(ended.holder, Holder::Service { .. } | Holder::Secret(_)))
        .map(|ended| &ended.id)
        .collect();
    let objects = objects(translation);
    let users = users(&shared, translation, &objects, before);

    let mut told: BTreeMap<&ObjectKey, Vec<(usize, Event)>> = BTreeMap::new();
    let mut of_all: Vec<(usize, Event)> = Vec::new();
    for (nth, ended) in done.into_iter().enumerate() {
        let event = event(ended, after);
        match &ended.holder {
            Holder::LoadBalancer(key) => {
                for object in objects.get(key).into_iter().flatten() {
                    told.entry(object).or_default().push((nth, event.clone()));
                }
            }
            Holder::Service { .. } | Holder::Secret(_) => {
                for object in users.get(&ended.id).into_iter().flatten() {
                    told.entry(object).or_default().push((nth, event.clone()));
                }
            }
            Holder::Cluster => of_all.push((nth, event)),
        }
    }
    told.into_iter()
        .map(|(object, mut events)| {
            events.extend(of_all.iter().cloned());
            events.sort_by_key(|(nth, _)| *nth);
            (object.clone(), events.into_iter().map(|(_, event)| event).collect())
        })
        .collect()
}

/// What somebody else changed, told to those who use it.
#[must_use]
pub fn drifted(drift: &Drift) -> Event {
    let Drift { id, holder: _, field, since, undo, objects: _ } = drift;
    let FieldChange { field, from, to } = field;
    let undo = match undo {
        Undo::Revert => "It is being set back.",
        Undo::Report => "It stays so, as the class says (gclb.dev/drift: report).",
    };
    let message =
        format!("Somebody else changed {id}: {field} from {from} to {to}, noticed at {since}. {undo}");
    Event::warning("Drift", message)
}

/// The objects of each load balancer: those that it serves, and those that it still holds something of.
fn objects(translation: &Translation) -> BTreeMap<&LoadBalancerKey, BTreeSet<&ObjectKey>> {
    let mut objects: BTreeMap<&LoadBalancerKey, BTreeSet<&ObjectKey>> = BTreeMap::new();
    for (object, claimant) in &translation.claimants {
        for key in claimant.home.iter().chain(&claimant.elsewhere) {
            objects.entry(key).or_default().insert(object);
        }
    }
    objects
}

/// Which objects use, or used before, each of these.
fn users<'a>(
    shared: &BTreeSet<&'a ResourceId>,
    translation: &'a Translation,
    objects: &BTreeMap<&'a LoadBalancerKey, BTreeSet<&'a ObjectKey>>,
    before: &'a Observed,
) -> BTreeMap<&'a ResourceId, BTreeSet<&'a ObjectKey>> {
    let mut users: BTreeMap<&ResourceId, BTreeSet<&ObjectKey>> = BTreeMap::new();
    if shared.is_empty() {
        return users;
    }
    for (object, claimant) in &translation.claimants {
        let home = claimant.home.as_ref().and_then(|key| translation.load_balancers.get(key));
        let Some(Disposition::Serve(frontends)) = home.map(|home| &home.disposition) else { continue };
        let part = match &claimant.share {
            Share::Whole => &frontends.uses,
            Share::Part(part) => part,
            Share::Nothing => continue,
        };
        for id in shared.iter().filter(|id| part.contains(**id)) {
            users.entry(id).or_default().insert(object);
        }
    }
    // Backwards from each shared resource to whoever holds what leads to it.
    let mut referrers: BTreeMap<&ResourceId, Vec<&ResourceId>> = BTreeMap::new();
    for (id, entry) in before.graph.entries() {
        for at in entry.node.references() {
            referrers.entry(at).or_default().push(id);
        }
    }
    for id in shared {
        let mut seen = BTreeSet::new();
        let mut todo = vec![*id];
        while let Some(at) = todo.pop() {
            if !seen.insert(at) {
                continue;
            }
            // Of what several share it cannot be told any more whose it was.
            if let Some(Holder::LoadBalancer(key)) = before.graph.entry(at).map(|entry| &entry.mark.holder)
                && !key.is_shared()
            {
                users.entry(id).or_default().extend(objects.get(key).into_iter().flatten());
            }
            todo.extend(referrers.get(at).into_iter().flatten().copied());
        }
    }
    users
}

/// `Created forwarding rule NAME (203.0.113.7:443)`. The text of a change begins with what was done; that word is the reason too.
fn event(ended: &Ended, after: &Observed) -> Event {
    let Ended { id, holder: _, what, result: _ } = ended;
    let (verb, rest) = what.split_once(' ').unwrap_or((what, ""));
    let reason = match verb {
        "created" => "Created",
        "deleted" => "Deleted",
        "attached" | "added" => "Attached",
        "detached" | "removed" => "Detached",
        _ => "Changed",
    };
    let verb = sentence(verb);
    let message = match (reason, rest) {
        ("Attached", rest) => format!("{verb} {rest} to {id}"),
        ("Detached", rest) => format!("{verb} {rest} from {id}"),
        ("Created", _) => format!("{verb} {id}{}", whereabouts(id, after)),
        (_, "") => format!("{verb} {id}"),
        (_, rest) => format!("{verb} {id} {rest}"),
    };
    Event::normal(reason, message)
}

/// ` (203.0.113.7:443)` for what has an address.
fn whereabouts(id: &ResourceId, after: &Observed) -> String {
    let address = after.facts.get(id).and_then(|facts| facts.address);
    match (address, after.graph.entry(id).map(|entry| &entry.node)) {
        (Some(address), Some(Node::ForwardingRule(rule))) => format!(" ({address}:{})", rule.port),
        (Some(address), _) => format!(" ({address})"),
        (None, _) => String::new(),
    }
}
