//! What is ready to begin, and which of it goes first.
//!
//! * **Priority.** Members of groups first, then what is new, then what differs, then what is no longer needed.
//! * **Fairness.** Of one priority, those for whom things are made (load balancers, Services, Secrets) take turns, one change each, so a
//!   load balancer with a thousand changes does not hold up another with five. What one of them has ready goes in the plan's order.
//! * **Ageing.** Each [`ELDEST_EACH`]th turn goes to what has been ready longest, whatever its priority and whosever it is. So the change
//!   before which `n` others became ready begins after at most `ELDEST_EACH * (n + 1)` turns in which its quota was open, however many
//!   more urgent ones keep coming.

use std::collections::{BTreeMap, VecDeque};

use crate::apply::quota::Group;
use crate::model::Holder;
use crate::plan::Action;

/// So many turns there are to each that goes to the eldest.
pub(super) const ELDEST_EACH: u64 = 8;

/// How soon a change is wanted, first to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Members join or leave a group: it serves users now.
    Members,
    /// Something is made.
    Create,
    /// Something is changed.
    Update,
    /// Something is deleted.
    Delete,
}

impl Priority {
    /// Of that action.
    #[must_use]
    pub const fn of(action: &Action) -> Self {
        match action {
            Action::AttachEndpoints(_)
            | Action::DetachEndpoints(_)
            | Action::AddInstances(_)
            | Action::RemoveInstances(_)
            | Action::AwaitHealthy { .. } => Self::Members,
            Action::Create(_) => Self::Create,
            Action::Update { .. } => Self::Update,
            Action::Delete => Self::Delete,
        }
    }

    /// One word for it, for metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Members => "members",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// Becoming ready, counted.
pub(super) type Nth = u64;

/// A change that is ready.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) job: usize,
    pub(super) nth: Nth,
    pub(super) priority: Priority,
    pub(super) group: Group,
    pub(super) holder: Holder,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<(Priority, Group), Lane>,
    turns: u64,
}

#[derive(Debug, Default)]
struct Lane {
    /// By those for whom; of each, in the plan's order.
    flows: BTreeMap<Holder, BTreeMap<usize, Nth>>,
    /// Whose turn it is.
    rotation: VecDeque<Holder>,
    oldest: BTreeMap<Nth, (usize, Holder)>,
    /// The last turn that it had: of equal priority, the quota groups take turns too.
    last_turn: u64,
}

impl Lanes {
    pub(super) fn put(&mut self, entry: Entry) {
        let Entry { job, nth, priority, group, holder } = entry;
        let lane = self.lanes.entry((priority, group)).or_default();
        let flow = lane.flows.entry(holder.clone()).or_default();
        if flow.is_empty() {
            lane.rotation.push_back(holder.clone());
        }
        flow.insert(job, nth);
        lane.oldest.insert(nth, (job, holder));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.lanes.clear();
    }

    /// Keeps only these.
    pub(super) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        for lane in self.lanes.values_mut() {
            lane.oldest.retain(|_, (job, _)| keep(*job));
            for flow in lane.flows.values_mut() {
                flow.retain(|job, _| keep(*job));
            }
            lane.flows.retain(|_, flow| !flow.is_empty());
            lane.rotation.retain(|holder| lane.flows.contains_key(holder));
        }
        self.lanes.retain(|_, lane| !lane.oldest.is_empty());
    }

    /// The next change of which `may` says that it can go, with what `may` gave for it. `may` is asked about kinds of change, and once it
    /// has given something for one, that one goes.
    pub(super) fn next<T>(
        &mut self,
        mut may: impl FnMut(Priority, &Group) -> Option<T>,
    ) -> Option<(usize, T)> {
        let eldest = self.turns % ELDEST_EACH == ELDEST_EACH - 1;
        let mut order: Vec<(u64, (Priority, Group))> = self
            .lanes
            .iter()
            .map(|(key, lane)| {
                let first = lane.oldest.first_key_value().map_or(Nth::MAX, |(nth, _)| *nth);
                (if eldest { first } else { lane.last_turn }, key.clone())
            })
            .collect();
        if eldest {
            order.sort();
        } else {
            order.sort_by_key(|(last_turn, (priority, _))| (*priority, *last_turn));
        }
        let (key, given) =
            order.into_iter().find_map(|(_, key)| may(key.0, &key.1).map(|given| (key, given)))?;
        self.turns += 1;
        let lane = self.lanes.get_mut(&key)?;
        lane.last_turn = self.turns;
        let job = if eldest { lane.take_eldest() } else { lane.take_in_turn() }?;
        if lane.oldest.is_empty() {
            self.lanes.remove(&key);
        }
        Some((job, given))
    }
}

impl Lane {
    fn take_in_turn(&mut self) -> Option<usize> {
        let holder = self.rotation.pop_front()?;
        let flow = self.flows.get_mut(&holder)?;
        let (job, nth) = flow.pop_first()?;
        self.oldest.remove(&nth);
        if flow.is_empty() {
            self.flows.remove(&holder);
        } else {
            self.rotation.push_back(holder);
        }
        Some(job)
    }

    fn take_eldest(&mut self) -> Option<usize> {
        let (_, (job, holder)) = self.oldest.pop_first()?;
        let flow = self.flows.get_mut(&holder)?;
        flow.remove(&job);
        if flow.is_empty() {
            self.flows.remove(&holder);
            self.rotation.retain(|waiting| *waiting != holder);
        }
        Some(job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::fixture::id;
    use crate::model::{Kind, LoadBalancerKey, ObjectKey};

    fn entry(job: usize, priority: Priority, of: &str) -> Entry {
        Entry {
            job,
            nth: job as u64,
            priority,
            group: Group::of_change(&id(Kind::UrlMap, "any")),
            holder: Holder::LoadBalancer(LoadBalancerKey::ingress(ObjectKey::new("default", of))),
        }
    }

    fn all(lanes: &mut Lanes) -> Vec<usize> {
        std::iter::from_fn(|| lanes.next(|_, _| Some(())).map(|(job, ())| job)).collect()
    }

    #[test]
    fn the_more_urgent_goes_first() {
        let mut lanes = Lanes::default();
        for (job, priority) in
            [Priority::Delete, Priority::Update, Priority::Create, Priority::Members].into_iter().enumerate()
        {
            lanes.put(entry(job, priority, "a"));
        }
        assert_eq!(all(&mut lanes), [3, 2, 1, 0]);
        assert!(lanes.is_empty());
    }

    #[test]
    fn a_thousand_changes_of_one_do_not_hold_up_five_of_another() {
        let mut lanes = Lanes::default();
        for job in 0..1000 {
            lanes.put(entry(job, Priority::Create, "large"));
        }
        for job in 1000..1005 {
            lanes.put(entry(job, Priority::Create, "small"));
        }
        let begun = all(&mut lanes);
        assert_eq!(begun.len(), 1005);
        let last_of_small = begun.iter().position(|job| *job == 1004).unwrap();
        // Every other turn, but for those of the eldest.
        assert!(last_of_small < 5 * 2 + 3, "{last_of_small}");
    }

    #[test]
    fn none_starves_however_many_more_urgent_ones_come() {
        let mut lanes = Lanes::default();
        for job in 0..5 {
            lanes.put(entry(job, Priority::Delete, "old"));
        }
        let mut begun = Vec::new();
        for job in 5..200 {
            lanes.put(entry(job, Priority::Members, "busy"));
            begun.extend(lanes.next(|_, _| Some(())).map(|(job, ())| job));
        }
        for job in 0..5_usize {
            let at = begun.iter().position(|begun| *begun == job).unwrap() as u64;
            assert!(at < ELDEST_EACH * (job as u64 + 1), "{job} began at turn {at}");
        }
    }

    #[test]
    fn what_may_not_go_is_passed_over() {
        let mut lanes = Lanes::default();
        lanes.put(entry(0, Priority::Members, "a"));
        lanes.put(entry(1, Priority::Delete, "a"));
        let next = lanes.next(|priority, _| (priority == Priority::Delete).then_some(()));
        assert_eq!(next, Some((1, ())));
        assert_eq!(lanes.next(|priority, _| (priority == Priority::Delete).then_some(())), None);
    }
}
