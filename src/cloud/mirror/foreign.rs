//! Resources that are not ours and are pointed at: looked up by name, and never touched.
//!
//! What is known of one stays known until a newer answer comes; that an answer did not come is remembered only of what nothing was known
//! of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tracing::warn;

use super::{Inner, Mirror};
use crate::cloud::{Cloud, CloudError, chain};
use crate::model::{
    AddressBinding, ForeignFacts, ForeignId, ForeignKind, ForwardingRule, Lookup, Observed, ResourceName,
    Scope,
};

/// What came of asking.
pub type Answers = BTreeMap<ForeignId, Lookup>;

/// Whether an answer was another than what was known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// None was.
    Nothing,
    /// Some were.
    Something,
}

/// Asks about these: one call for each kind and place, however many they are.
pub async fn look_up(cloud: &impl Cloud, asked: &BTreeSet<ForeignId>) -> Answers {
    let mut groups: BTreeMap<(ForeignKind, Scope), BTreeSet<ResourceName>> = BTreeMap::new();
    for ForeignId { kind, scope, name } in asked {
        groups.entry((*kind, scope.clone())).or_default().insert(name.clone());
    }
    let mut answers = Answers::new();
    for ((kind, scope), names) in groups {
        let found = cloud.look_up(kind, &scope, &names).await;
        if let Err(error) = &found {
            warn!(error = error.line(), "what is not ours could not be looked up; it is tried again");
        }
        for name in names {
            let lookup = answer(&found, &name);
            answers.insert(ForeignId { kind, scope: scope.clone(), name }, lookup);
        }
    }
    answers
}

fn answer(found: &Result<BTreeMap<ResourceName, ForeignFacts>, CloudError>, name: &ResourceName) -> Lookup {
    match found {
        Ok(found) => found.get(name).cloned().map_or(Lookup::Missing, Lookup::Found),
        Err(error) => Lookup::Failed { why: chain(error) },
    }
}

/// Takes in what came of asking.
pub fn take_in(observed: &mut Arc<Observed>, answers: Answers) -> News {
    let mut news = News::Nothing;
    for (id, lookup) in answers {
        let known = observed.foreign.get(&id);
        // No answer takes away no earlier one.
        let is_none = matches!(lookup, Lookup::Failed { .. });
        if known == Some(&lookup) || is_none && matches!(known, Some(Lookup::Found(_) | Lookup::Missing)) {
            continue;
        }
        Arc::make_mut(observed).foreign.insert(id, lookup);
        news = News::Something;
    }
    if news == News::Something {
        super::bindings::bind(observed);
    }
    news
}

impl Mirror {
    /// These are pointed at from now on. Yields those that were not until now: they are to be looked up at once.
    pub fn want(&self, wanted: &BTreeSet<ForeignId>) -> BTreeSet<ForeignId> {
        let mut inner = self.lock();
        let Inner { observed, wanted: before, .. } = &mut *inner;
        if before == wanted {
            return BTreeSet::new();
        }
        let new = wanted.difference(before).cloned().collect();
        before.clone_from(wanted);
        // An address that a forwarding rule is bound to is known by its name for as long as it is.
        let bound: BTreeSet<ForeignId> = observed
            .graph
            .of::<ForwardingRule>()
            .filter_map(|(_, _, rule)| match &rule.address {
                AddressBinding::Reserved(address) => ForeignId::of(address.id()),
                AddressBinding::Literal(_) => None,
            })
            .collect();
        let is_of_use = |id: &ForeignId| wanted.contains(id) || bound.contains(id);
        if observed.foreign.keys().any(|id| !is_of_use(id)) {
            Arc::make_mut(observed).foreign.retain(|id, _| is_of_use(id));
        }
        new
    }

    /// What is worth asking about again soon: what is missing, what nothing is known of, and addresses that somebody else uses.
    #[must_use]
    pub fn unsettled(&self) -> BTreeSet<ForeignId> {
        let inner = self.lock();
        let unsettled = |id: &&ForeignId| match inner.observed.foreign.get(*id) {
            None | Some(Lookup::Missing | Lookup::Failed { .. }) => true,
            Some(Lookup::Found(ForeignFacts::Exists)) => false,
            Some(Lookup::Found(ForeignFacts::Address { number, reach: _, users })) => {
                number.is_none() || !users.is_empty()
            }
        };
        inner.wanted.iter().filter(unsettled).cloned().collect()
    }

    /// Asks about these, and takes in what comes of it.
    pub async fn look_up(&self, cloud: &impl Cloud, asked: &BTreeSet<ForeignId>) -> News {
        if asked.is_empty() {
            return News::Nothing;
        }
        let answers = look_up(cloud, asked).await;
        take_in(&mut self.lock().observed, answers)
    }

    /// Asks again about these, or (`None`) about all that is known of, and says so where something is not as it was.
    pub async fn look_up_again(&self, cloud: &impl Cloud, asked: Option<&BTreeSet<ForeignId>>) {
        let all = || {
            let inner = self.lock();
            inner.wanted.iter().chain(inner.observed.foreign.keys()).cloned().collect()
        };
        let asked = asked.cloned().unwrap_or_else(all);
        if self.look_up(cloud, &asked).await == News::Something {
            self.changed.notify_one();
        }
    }
}
