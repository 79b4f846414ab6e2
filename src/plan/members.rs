//! Who joins and who leaves a network endpoint group. The full plan and the short path of endpoints ask the same function, so they agree.

use std::collections::BTreeSet;

use crate::model::{Checkpoint, Endpoint, Members, NetworkEndpointGroup, Observed, ResourceId, Unlisted};
use crate::translate::Translation;

use super::MEMBERS_PER_CALL;

/// What it takes to get from the members that a group has to those that it should have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Same,
    /// These calls.
    Differ(Changes),
    /// Nobody can say before the members have been listed.
    MustBeListed,
}

/// Calls for one group, each of at most [`MEMBERS_PER_CALL`] members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Who joins: ready ones first, since they serve at once.
    pub attach: Vec<Vec<Endpoint>>,
    /// Who leaves.
    pub detach: Vec<Vec<Endpoint>>,
}

/// Compares. Of those that are desired, the `unready` ones join last.
#[must_use]
pub fn compare(desired: &Members, observed: &Members, unready: Option<&BTreeSet<Endpoint>>) -> Verdict {
    let Members::Known(desired) = desired else { return Verdict::MustBeListed };
    let observed = match observed {
        Members::Known(observed) => observed,
        Members::Unlisted(unlisted) if is_believed(desired, unlisted) => return Verdict::Same,
        Members::Unlisted(_) => return Verdict::MustBeListed,
    };
    let is_ready = |endpoint: &&Endpoint| unready.is_none_or(|unready| !unready.contains(*endpoint));
    let (ready, not_yet): (Vec<&Endpoint>, Vec<&Endpoint>) = desired.difference(observed).partition(is_ready);
    let joining: Vec<Endpoint> = ready.into_iter().chain(not_yet).cloned().collect();
    let leaving: Vec<Endpoint> = observed.difference(desired).cloned().collect();
    if joining.is_empty() && leaving.is_empty() {
        return Verdict::Same;
    }
    let batches = |members: &[Endpoint]| members.chunks(MEMBERS_PER_CALL).map(<[_]>::to_vec).collect();
    Verdict::Differ(Changes { attach: batches(&joining), detach: batches(&leaving) })
}

/// Whether members that were not listed are taken to be the desired ones: the checkpoint says so, and the size agrees.
#[must_use]
pub fn is_believed(desired: &BTreeSet<Endpoint>, unlisted: &Unlisted) -> bool {
    let Unlisted { size, believed } = unlisted;
    *size == Some(desired.len())
        && believed.is_some_and(|checkpoint| {
            checkpoint.count == desired.len() && checkpoint == Checkpoint::of(desired)
        })
}

/// What is to become of the members that were not listed, of every group that is desired and exists.
#[must_use]
pub fn unlisted(translation: &Translation, observed: &Observed) -> Doubts {
    let mut doubts = Doubts::default();
    for (id, _, group) in observed.graph.of::<NetworkEndpointGroup>() {
        let Members::Unlisted(unlisted) = &group.members else { continue };
        let desired = translation.desired.entry(id).and_then(|entry| match &entry.node {
            crate::model::Node::NetworkEndpointGroup(desired) => desired.members.known(),
            _ => None,
        });
        match desired {
            Some(desired) if is_believed(desired, unlisted) => {
                doubts.believed.insert(id.clone());
            }
            Some(_) => {
                doubts.to_list.insert(id.clone());
            }
            // Nobody asks who is in a group that is to go, or that stays as it is.
            None => {}
        }
    }
    doubts
}

/// Groups of which the members were not listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Taken to have the members that they should have, on the word of their checkpoint.
    pub believed: BTreeSet<ResourceId>,
    /// To be listed before anything can be planned for their members.
    pub to_list: BTreeSet<ResourceId>,
}

/// The members after these have joined. Of unknown members nothing more is known afterwards.
pub fn attach(members: &mut Members, joining: &[Endpoint]) {
    match members {
        Members::Known(members) => members.extend(joining.iter().cloned()),
        Members::Unlisted(unlisted) => *unlisted = Unlisted::default(),
    }
}

/// The members after these have left.
pub fn detach(members: &mut Members, leaving: &[Endpoint]) {
    match members {
        Members::Known(members) => {
            for endpoint in leaving {
                members.remove(endpoint);
            }
        }
        Members::Unlisted(unlisted) => *unlisted = Unlisted::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(n: usize) -> Endpoint {
        let [.., high, low] = n.to_be_bytes();
        Endpoint { instance: "node-1".to_owned(), address: [10, 0, high, low].into(), port: 8080 }
    }

    fn endpoints(range: std::ops::Range<usize>) -> BTreeSet<Endpoint> {
        range.map(endpoint).collect()
    }

    fn changes(verdict: Verdict) -> Changes {
        match verdict {
            Verdict::Differ(changes) => changes,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn ready_ones_join_first_and_no_call_is_too_large() {
        let unready = endpoints(0..700);
        let Changes { attach, detach } =
            changes(compare(&endpoints(0..1200).into(), &Members::nobody(), Some(&unready)));
        assert_eq!(attach.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 200]);
        assert!(attach[0].iter().all(|endpoint| !unready.contains(endpoint)));
        assert!(attach[1..].iter().flatten().all(|endpoint| unready.contains(endpoint)));
        assert!(detach.is_empty());
    }

    #[test]
    fn only_what_differs_joins_and_leaves() {
        let Changes { attach, detach } =
            changes(compare(&endpoints(5..12).into(), &endpoints(0..10).into(), None));
        assert_eq!(attach, [endpoints(10..12).into_iter().collect::<Vec<_>>()]);
        assert_eq!(detach, [endpoints(0..5).into_iter().collect::<Vec<_>>()]);
        assert_eq!(compare(&endpoints(0..9).into(), &endpoints(0..9).into(), None), Verdict::Same);
    }

    #[test]
    fn unlisted_members_are_believed_only_while_everything_agrees() {
        let desired = endpoints(0..3);
        let checkpoint = Checkpoint::of(&desired);
        let verdict = |size, believed| {
            let unlisted = Members::Unlisted(Unlisted { size, believed });
            compare(&desired.clone().into(), &unlisted, None)
        };
        assert_eq!(verdict(Some(3), Some(checkpoint)), Verdict::Same);
        assert_eq!(verdict(Some(4), Some(checkpoint)), Verdict::MustBeListed);
        assert_eq!(verdict(None, Some(checkpoint)), Verdict::MustBeListed);
        assert_eq!(verdict(Some(3), None), Verdict::MustBeListed);
        assert_eq!(verdict(Some(3), Some(Checkpoint::of(&endpoints(1..4)))), Verdict::MustBeListed);
    }
}
