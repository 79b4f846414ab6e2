//! What carries our mark and belongs to nothing that is alive, and the plan that deletes it.
//!
//! The controller never deletes what has merely vanished (see [`super::retain`]): that a person must ask for. The plan is made by the same
//! rules as any other, with everything that is alive left exactly as it is, so it deletes in order, and only what nothing else uses.

use std::collections::BTreeSet;

use crate::model::{Holder, LoadBalancerKey, Observed, ResourceId};
use crate::translate::{Disposition, Translated, Translation};

use super::{Action, Plan, plan_all, retain};

/// The plan that deletes what leaks, and nothing else. `old_enough` says whether a resource may be meant at all: one that was made a moment
/// ago may be a part of something that is still being made. A load balancer is deleted as a whole or not at all. Those in `released` were
/// given up: they are nobody's leaks, and stay with all that they use.
#[must_use]
pub fn plan_leaks(
    translation: &Translation,
    observed: &Observed,
    released: &BTreeSet<LoadBalancerKey>,
    old_enough: impl Fn(&ResourceId) -> bool,
) -> Plan {
    let keep = || Translated { disposition: Disposition::Keep, objects: BTreeSet::new() };
    let gone = || Translated { disposition: Disposition::TearDown, objects: BTreeSet::new() };
    let mut wish = Translation {
        load_balancers: translation.load_balancers.keys().map(|key| (key.clone(), keep())).collect(),
        ..Translation::default()
    };
    let held = observed.holdings();
    for key in retain::leaks(translation, observed) {
        let whole = !released.contains(&key) && held.of(&key).iter().all(|(id, _)| old_enough(id));
        wish.load_balancers.insert(key, if whole { gone() } else { keep() });
    }
    for (id, entry) in observed.graph.entries() {
        let shared = !matches!(entry.mark.holder, Holder::LoadBalancer(_));
        // What is alive, or may be, is wanted just as it is.
        if shared && (translation.desired.contains(id) || !old_enough(id)) {
            wish.desired.put(id.clone(), entry.clone());
        }
    }
    // What stays needs nothing done to it here, not even where that would be due.
    let mut plan = plan_all(&wish, observed).with_only(|_, change| change.action == Action::Delete);
    plan.leaks = wish
        .load_balancers
        .iter()
        .filter(|(key, wish)| {
            wish.disposition == Disposition::Keep && !is_alive(translation, key) && !released.contains(key)
        })
        .map(|(key, _)| key.clone())
        .collect();
    plan
}

fn is_alive(translation: &Translation, key: &LoadBalancerKey) -> bool {
    translation.load_balancers.contains_key(key)
}
