//! The brake on mass deletion. Pure.
//!
//! What merely vanished is never torn down, whatever else happens: the plan knows only load balancers whose objects were seen to be
//! deleted or to leave our class ([`plan`](crate::plan)). This is the second brake, for deletions that *were* seen and yet may be a
//! mistake: a prune by a deployment tool, a class that was given to another controller, a namespace too many. Where more than a
//! given number of load balancers, and more than half of all there are, would go within a short time, those that are not on their
//! way out yet are kept serving until somebody consents, object by object, with the annotation [`CONFIRM_DELETION`](crate::ingress::CONFIRM_DELETION). Their finalizers hold the objects
//! meanwhile, so that names and addresses are still there if it was a mistake.

use std::collections::{BTreeMap, BTreeSet};

use crate::ingress::CONFIRM_DELETION as CONFIRM;
use crate::model::{Holder, LoadBalancerKey, ObjectKey, Observed};
use crate::problem::{Problem, Reason};
use crate::translate::{Disposition, Translated, Translation};

/// What the brake did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Braked {
    /// Load balancers that go.
    pub going: BTreeSet<LoadBalancerKey>,
    /// Load balancers that wait for consent.
    pub held: BTreeSet<LoadBalancerKey>,
}

/// Keeps what would go without consent where more than `limit`, and more than half of all, would go. `gone` are those that were let go
/// shortly before, whether or not something of them is left: they count, and are not held back half-way.
pub fn brake(
    translation: &mut Translation,
    observed: &Observed,
    gone: &BTreeSet<LoadBalancerKey>,
    limit: usize,
) -> Braked {
    let goes = |translated: &Translated| translated.disposition == Disposition::TearDown;
    if !translation.load_balancers.values().any(goes) {
        return Braked::default();
    }
    let there: BTreeSet<&LoadBalancerKey> = observed
        .graph
        .entries()
        .filter_map(|(_, entry)| match &entry.mark.holder {
            Holder::LoadBalancer(key) => Some(key),
            Holder::Service { .. } | Holder::Secret(_) | Holder::Cluster => None,
        })
        .collect();
    let leaving: BTreeSet<LoadBalancerKey> = translation
        .load_balancers
        .iter()
        .filter(|(key, translated)| goes(translated) && there.contains(key))
        .map(|(key, _)| key.clone())
        .collect();
    let lost = leaving.union(gone).count();
    let all = there.into_iter().chain(gone).collect::<BTreeSet<_>>().len();
    if lost <= limit || 2 * lost <= all {
        return Braked { going: leaving, held: BTreeSet::new() };
    }

    let mut objects: BTreeMap<LoadBalancerKey, Vec<ObjectKey>> = BTreeMap::new();
    for (object, claimant) in &translation.claimants {
        for key in claimant.elsewhere.iter().filter(|key| leaving.contains(*key)) {
            objects.entry(key.clone()).or_default().push(object.clone());
        }
    }
    let (going, held): (BTreeSet<_>, BTreeSet<_>) = leaving.into_iter().partition(|key| {
        let of = objects.get(key).map(Vec::as_slice).unwrap_or_default();
        gone.contains(key) || !of.is_empty() && of.iter().all(|object| translation.confirmed.contains(object))
    });
    for key in &held {
        if let Some(translated) = translation.load_balancers.get_mut(key) {
            translated.disposition = Disposition::Keep;
        }
        for object in objects.get(key).into_iter().flatten() {
            let Some(claimant) = translation.claimants.get_mut(object) else { continue };
            claimant.problems.push(problem(lost, all, limit));
            // It is not told as gone while it serves.
            claimant.home.get_or_insert_with(|| key.clone());
        }
    }
    Braked { going, held }
}

fn problem(lost: usize, all: usize, limit: usize) -> Problem {
    Problem::rejected(
        Reason::MassDeletion,
        "metadata",
        format!(
            "{lost} of {all} load balancers would go at once, which is more than half and more than --mass-deletion-limit {limit}, so this \
             one is kept as it is until somebody consents. If it is really to go, annotate the object with {CONFIRM}: \"true\". If not, \
             keep what is served: see the runbook."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        Address, ClusterId, Entry, Kind, Mark, Resource as _, ResourceId, ResourceName, Scope,
    };

    fn key(number: usize) -> LoadBalancerKey {
        LoadBalancerKey::ingress(ObjectKey::new("default", format!("web-{number}")))
    }

    /// A cloud with `all` load balancers, of which the first `leaving` are to go.
    fn world(leaving: usize, all: usize) -> (Translation, Observed) {
        let mut translation = Translation::default();
        let mut observed = Observed::default();
        for number in 0..all {
            let mark = Mark {
                cluster: ClusterId::new("0a1b2c3d").unwrap(),
                holder: Holder::LoadBalancer(key(number)),
            };
            let name = ResourceName::new(format!("address-{number}")).unwrap();
            let id = ResourceId { kind: Kind::Address, scope: Scope::Global, name };
            observed.graph.put(id, Entry { mark, node: Address {}.into_node() });
            let disposition = if number < leaving { Disposition::TearDown } else { Disposition::Keep };
            translation.insert(key(number), disposition);
        }
        (translation, observed)
    }

    fn torn_down(translation: &Translation) -> usize {
        let all = translation.load_balancers.values();
        all.filter(|translated| translated.disposition == Disposition::TearDown).count()
    }

    #[test]
    fn few_or_a_minority_go_without_a_question() {
        for (leaving, all) in [(0, 0), (1, 1), (10, 10), (10, 11), (50, 100), (11, 22)] {
            let (mut translation, observed) = world(leaving, all);
            let braked = brake(&mut translation, &observed, &BTreeSet::new(), 10);
            assert_eq!((braked.going.len(), braked.held.len()), (leaving, 0), "{leaving} of {all}");
            assert_eq!(torn_down(&translation), leaving);
        }
    }

    #[test]
    fn most_of_many_wait_for_consent() {
        let (mut translation, observed) = world(11, 21);
        translation.confirmed = [key(0).object, key(1).object, key(20).object].into();
        let braked = brake(&mut translation, &observed, &BTreeSet::new(), 10);
        assert_eq!(braked.going, [key(0), key(1)].into());
        assert_eq!(braked.held.len(), 9);
        assert_eq!(torn_down(&translation), 2);
        let kept = &translation.claimants[&key(5).object];
        assert_eq!(kept.home, Some(key(5)), "it is served");
        let [problem] = &kept.problems[..] else { panic!("{:?}", kept.problems) };
        assert_eq!(problem.reason, Reason::MassDeletion);
        assert!(problem.message.contains("11 of 21"), "{}", problem.message);
        assert!(translation.claimants[&key(0).object].problems.is_empty());
    }

    #[test]
    fn what_went_shortly_before_counts_and_is_not_stopped_half_way() {
        // One after the other: 12 have gone already, two of them not quite, and each plan alone would be few.
        let (mut translation, observed) = world(5, 10);
        let gone: BTreeSet<LoadBalancerKey> = (0..2).chain(100..110).map(key).collect();
        let braked = brake(&mut translation, &observed, &gone, 10);
        assert_eq!(braked.going, [key(0), key(1)].into());
        assert_eq!(braked.held.len(), 3);
    }

    #[test]
    fn what_is_not_in_the_cloud_does_not_count() {
        let (mut translation, observed) = world(0, 3);
        for number in 100..200 {
            translation.insert(key(number), Disposition::TearDown);
        }
        let braked = brake(&mut translation, &observed, &BTreeSet::new(), 10);
        assert_eq!(braked, Braked::default());
    }
}
