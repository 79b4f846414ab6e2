//! Our copy of what the cloud holds, so that reads cost by the kinds of resource and not by the number of load balancers.
//!
//! It is filled by listing every kind once, written through by each change that we make, and listed again now and then to find what
//! others did. One rule keeps it honest: what we wrote after a list began (or shortly before, since lists may lag) wins over what
//! that list says. It decides nothing; where it does not know, it says so.
//!
//! Lists do not show who is in a network endpoint group, only how many: see [`members`]. What differs from what we left is remembered,
//! so that it can be reported: see [`Altered`](crate::model::Altered).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::{Cloud, CloudError, Executed, Listing, Owned, Reading, Seen, Whose};
use crate::model::{
    Entry, Facts, ForeignId, InstanceGroup, Kind, Node, Observed, Resource as _, ResourceId, Wellness,
};
use crate::plan::{Action, Change, members as plan_members};
use crate::status::Health;
use members::Members;

/// For so long after a write the lists of the cloud may not show it yet. Real lists lag by seconds; a change that somebody
/// else makes within this time after one of ours is noticed one list later.
const LIST_LAG: Duration = Duration::from_secs(15);

/// So many resources are read at a time.
const READS: usize = 16;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Mirror {
    inner: Mutex<Inner>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    observed: Arc<Observed>,
    /// When we last wrote, or read alone, each resource; those that we deleted are here too, until lists can no longer show them.
    touched: BTreeMap<ResourceId, Instant>,
    /// Resources of which it is not known how a change of ours ended. They must be read before anything is planned.
    doubtful: BTreeSet<ResourceId>,
    members: Members,
    /// When the newest list of each kind began that was taken in.
    newest: BTreeMap<Kind, Instant>,
    /// Whether addresses or forwarding rules have changed since their bindings were last worked out.
    bindings_stale: bool,
    /// Resources that are not ours and are pointed at.
    wanted: BTreeSet<ForeignId>,
}

mod alterations;
mod bindings;
pub mod foreign;
pub mod members;
mod size;

/// The moment at which a list began.
#[derive(Debug, Clone, Copy)]
pub struct Began(Instant);

impl Began {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(Instant::now())
    }
}

impl Mirror {
    /// Lists every kind, all at once, and takes in what is found.
    ///
    /// # Errors
    /// The first kind that could not be listed; kinds that could be are taken in all the same.
    pub async fn fill(&self, cloud: &impl Cloud) -> Result<(), CloudError> {
        let mut lists: FuturesUnordered<_> = Kind::ALL
            .into_iter()
            .map(|kind| async move {
                let began = Began::now();
                (kind, began, cloud.list(kind).await)
            })
            .collect();
        let mut failed = None;
        while let Some((kind, began, listing)) = lists.next().await {
            match listing {
                Ok(listing) => self.take_in(kind, began, listing),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// What the cloud holds, as far as we know. Cheap: nothing is copied unless a change is written through meanwhile.
    #[must_use]
    pub fn observed(&self) -> Arc<Observed> {
        let mut inner = self.lock();
        inner.bind_addresses();
        Arc::clone(&inner.observed)
    }

    /// Resolves when a list, or a resource read alone, has shown something that we did not know. Our own changes do not count.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes in a list of one kind that began at `began`.
    pub fn take_in(&self, kind: Kind, began: Began, listing: Listing) {
        let Listing { seen, unknown } = listing;
        let fresh_until = began.0.checked_sub(LIST_LAG).unwrap_or(began.0);
        let mut inner = self.lock();
        // One that was overtaken by a newer one has nothing new to say, and what guards our writes from it may be forgotten.
        if inner.newest.get(&kind).is_some_and(|newest| began.0 < *newest) {
            return;
        }
        let Inner { observed, touched, doubtful, bindings_stale, members, newest, wanted: _ } = &mut *inner;
        newest.insert(kind, began.0);
        let now = jiff::Timestamp::now();
        let before = Arc::clone(observed);
        let known = Arc::make_mut(observed);
        let newer = |id: &ResourceId| touched.get(id).is_some_and(|at| *at >= fresh_until);

        known.unknown.retain(|part| part.kind != kind);
        known.unknown.extend(unknown);

        let listed: BTreeSet<ResourceId> = seen.iter().map(|seen| seen.id.clone()).collect();
        for seen in seen {
            if !newer(&seen.id) {
                doubtful.remove(&seen.id);
                let seen = members.fill_in(known, seen);
                alterations::note(known, &seen, now);
                put(known, seen);
            }
        }
        let of_kind: Vec<ResourceId> = known
            .graph
            .entries()
            .map(|(id, _)| id)
            .chain(&known.taken)
            .filter(|id| id.kind == kind && !listed.contains(*id))
            .cloned()
            .collect();
        for id in of_kind {
            if !newer(&id) && known.can_tell(&id) {
                doubtful.remove(&id);
                alterations::note_gone(known, &id, now);
                members.forget(&id);
                remove(known, &id);
            }
        }
        touched.retain(|id, at| id.kind != kind || *at >= fresh_until);
        *bindings_stale |= matches!(kind, Kind::Address | Kind::ForwardingRule);
        inner.bind_addresses();
        let differs = !same(&before, &inner.observed);
        drop(inner);
        if differs {
            self.changed.notify_one();
        }
    }

    /// How many resources of a kind were written since a list of it was taken in; none while one was written so lately that a list may not
    /// show it.
    #[must_use]
    pub fn written_at_rest(&self, kind: Kind) -> usize {
        let inner = self.lock();
        let mut written = 0;
        for (id, at) in inner.touched.iter().filter(|(id, _)| id.kind == kind) {
            if at.elapsed() <= LIST_LAG {
                return 0;
            }
            written += usize::from(inner.observed.graph.contains(id));
        }
        written
    }

    /// Writes through a change that the cloud has made.
    pub fn wrote(&self, change: &Change, executed: Executed) {
        let mut inner = self.lock();
        let id = &change.id;
        inner.touched.insert(id.clone(), Instant::now());
        inner.doubtful.remove(id);
        inner.bindings_stale |= matches!(id.kind, Kind::Address | Kind::ForwardingRule);
        let Inner { observed, members, .. } = &mut *inner;
        let known = Arc::make_mut(observed);
        known.altered.remove(id);
        known.health.remove(id);
        match executed {
            Executed::Present(seen) => {
                let before = known.facts.get(id).cloned();
                let seen = members.fill_in(known, seen);
                put(known, seen);
                // What was sent does not say these, and a change does not change them.
                if let (Some(before), Some(facts)) = (before, known.facts.get_mut(id)) {
                    facts.address = facts.address.or(before.address);
                    facts.created = facts.created.take().or(before.created);
                }
            }
            Executed::Gone => {
                members.forget(id);
                remove(known, id);
            }
            Executed::Members => {
                members.wrote(id);
                if let Some(entry) = known.graph.entry(id) {
                    let entry = with_members(entry, &change.action);
                    known.graph.put(id.clone(), entry);
                }
            }
        }
    }

    /// Reads one resource again, since a change of it did not go as planned. Where even that fails it is remembered as doubtful.
    ///
    /// # Errors
    /// When it could not be read.
    pub async fn look_again(&self, cloud: &impl Cloud, id: &ResourceId) -> Result<(), CloudError> {
        self.lock().doubtful.insert(id.clone());
        let reading = cloud.read(id).await?;
        let mut inner = self.lock();
        inner.doubtful.remove(id);
        inner.touched.insert(id.clone(), Instant::now());
        inner.bindings_stale |= matches!(id.kind, Kind::Address | Kind::ForwardingRule);
        let Inner { observed, members, .. } = &mut *inner;
        let known = Arc::make_mut(observed);
        known.altered.remove(id);
        match reading {
            Reading::Present(seen) => {
                members.read(&seen);
                put(known, seen);
            }
            Reading::Absent => {
                members.forget(id);
                remove(known, id);
            }
        }
        Ok(())
    }

    /// Takes in what is known of the health of backend services that serve. That one was well is believed for as long as nobody says
    /// otherwise; that none of its backends was is not.
    pub fn hear(&self, known: &Health) {
        let before = self.observed().health.clone();
        let said = |id: &ResourceId| known.get(id).map(|health| (health.healthy, health.total));
        for (id, wellness) in &before {
            if *wellness == Wellness::Unwell
                && said(id).is_none_or(|(healthy, total)| healthy > 0 || total == 0)
            {
                self.heard(id, None);
            }
        }
        for id in known.keys() {
            match said(id) {
                Some((0, total)) if total > 0 => self.heard(id, Some(Wellness::Unwell)),
                Some((healthy, total)) if healthy > 0 && healthy == total => {
                    self.heard(id, Some(Wellness::Well));
                }
                _ => {}
            }
        }
    }

    /// Remembers how the backends of a backend service are; `None`: nothing is known of them any more.
    pub fn heard(&self, service: &ResourceId, wellness: Option<Wellness>) {
        let mut inner = self.lock();
        if inner.observed.health.get(service).copied() == wellness {
            return;
        }
        let health = &mut Arc::make_mut(&mut inner.observed).health;
        match wellness {
            Some(wellness) => health.insert(service.clone(), wellness),
            None => health.remove(service),
        };
    }

    /// Remembers that it is not known how a change of this resource ended.
    pub fn doubt(&self, id: &ResourceId) {
        self.lock().doubtful.insert(id.clone());
    }

    /// Reads every doubtful resource. Nothing may be planned before this has succeeded.
    ///
    /// # Errors
    /// The first that could not be read.
    pub async fn resolve_doubts(&self, cloud: &impl Cloud) -> Result<(), CloudError> {
        let doubtful: Vec<ResourceId> = self.lock().doubtful.iter().cloned().collect();
        let readings: Vec<_> =
            doubtful.iter().map(|id| async move { self.look_again(cloud, id).await }.boxed()).collect();
        futures::stream::iter(readings).buffer_unordered(READS).try_collect().await
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing that holds the lock can panic half-way through a change that matters: the worst is a stale copy.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn bind_addresses(&mut self) {
        if std::mem::take(&mut self.bindings_stale) {
            bindings::bind(&mut self.observed);
        }
    }
}

fn put(known: &mut Observed, seen: Seen) {
    let Seen { id, whose } = seen;
    match whose {
        Whose::Ours(owned) => {
            let Owned { entry, facts } = *owned;
            known.taken.remove(&id);
            known.facts.insert(id.clone(), facts);
            known.graph.put(id, entry);
        }
        Whose::Foreign => {
            remove(known, &id);
            known.taken.insert(id);
        }
    }
}

fn remove(known: &mut Observed, id: &ResourceId) {
    known.graph.remove(id);
    known.facts.remove(id);
    known.health.remove(id);
    known.taken.remove(id);
}

fn with_members(entry: &Entry, action: &Action) -> Entry {
    let node = match (&entry.node, action) {
        (Node::NetworkEndpointGroup(group), Action::AttachEndpoints(endpoints)) => {
            let mut group = group.clone();
            plan_members::attach(&mut group.members, endpoints);
            group.into_node()
        }
        (Node::NetworkEndpointGroup(group), Action::DetachEndpoints(endpoints)) => {
            let mut group = group.clone();
            plan_members::detach(&mut group.members, endpoints);
            group.into_node()
        }
        (Node::InstanceGroup(group), Action::AddInstances(instances)) => {
            let mut members = group.members.clone();
            members.extend(instances.iter().cloned());
            InstanceGroup { members, ..group.clone() }.into_node()
        }
        (Node::InstanceGroup(group), Action::RemoveInstances(instances)) => {
            let mut members = group.members.clone();
            members.retain(|member| !instances.contains(member));
            InstanceGroup { members, ..group.clone() }.into_node()
        }
        (node, _) => node.clone(),
    };
    Entry { mark: entry.mark.clone(), node }
}

/// Whether two observations call for the same plan. Another fingerprint of the same content calls for none, nor does it when only the time
/// at which something was made is known better.
fn same(one: &Observed, other: &Observed) -> bool {
    // Health is heard and what is not ours is looked up, neither is listed: whoever does says so.
    let Observed { graph, facts, taken, unknown, altered, health: _, foreign: _ } = one;
    let addresses = |facts: &BTreeMap<ResourceId, Facts>| -> Vec<_> {
        let known = facts.iter().filter_map(|(id, facts)| {
            let Facts { fingerprint: _, address, created: _ } = facts;
            Some((id.clone(), (*address)?))
        });
        known.collect()
    };
    *graph == other.graph
        && *taken == other.taken
        && *unknown == other.unknown
        && *altered == other.altered
        && addresses(facts) == addresses(&other.facts)
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
