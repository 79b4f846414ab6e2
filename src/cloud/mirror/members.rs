//! Who is in each network endpoint group.
//!
//! No list of groups shows it, only how many there are, and one call for each group would be a storm at every start. So it is known in
//! three ways: what we attached and detached ourselves; what a *checkpoint* says, kept where it survives us, while the size agrees and the
//! hash is that of the members that are desired; and, where neither will do, by listing that one group. What rests on a checkpoint, and
//! what others may have changed without changing the size, is listed in the background, one group after the other ([`Mirror::to_verify`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use tokio::time::Instant;

use super::{Began, Inner, LIST_LAG, Mirror, READS};
use crate::cloud::{Cloud, CloudError, Seen, Whose};
use crate::model::{
    Altered, Checkpoint, Endpoint, Entry, Members as Of, NetworkEndpointGroup, Node, Observed, Resource as _,
    ResourceId, Unlisted,
};

/// What the mirror knows about members besides who they are.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// What was kept from before the start, as long as it was not overtaken.
    kept: BTreeMap<ResourceId, Checkpoint>,
    /// When the members of a group were last listed; those that rest on a checkpoint alone are not here.
    listed: BTreeMap<ResourceId, Instant>,
    /// Groups whose checkpoint is not kept yet as it is now.
    unkept: BTreeSet<ResourceId>,
    /// The members as they were, of groups whose size has come to differ.
    before: BTreeMap<ResourceId, BTreeSet<Endpoint>>,
}

/// Checkpoints that differ from what is kept; `None`: the group is gone.
pub type Unkept = BTreeMap<ResourceId, Option<Checkpoint>>;

impl Members {
    /// What a list of groups shows, with the members as far as they are known.
    pub(super) fn fill_in(&mut self, known: &Observed, mut seen: Seen) -> Seen {
        let Whose::Ours(owned) = &mut seen.whose else { return seen };
        let Node::NetworkEndpointGroup(group) = &mut owned.entry.node else { return seen };
        let Of::Unlisted(unlisted) = &mut group.members else {
            // That nobody is in it can be seen without a list.
            self.listed.insert(seen.id.clone(), Instant::now());
            self.unkept.insert(seen.id.clone());
            return seen;
        };
        let id = &seen.id;
        let agrees = |count: usize| unlisted.size.is_none_or(|size| size == count);
        match members_of(known, id) {
            Some(Of::Known(members)) if agrees(members.len()) => {
                group.members = Of::Known(members.clone());
            }
            Some(Of::Known(members)) => {
                self.before.insert(id.clone(), members.clone());
                self.listed.remove(id);
            }
            _ => unlisted.believed = self.kept.get(id).copied().filter(|kept| agrees(kept.count)),
        }
        seen
    }

    /// A group was read together with its members.
    pub(super) fn read(&mut self, seen: &Seen) {
        self.listed.insert(seen.id.clone(), Instant::now());
        self.before.remove(&seen.id);
        self.unkept.insert(seen.id.clone());
    }

    pub(super) fn wrote(&mut self, id: &ResourceId) {
        self.unkept.insert(id.clone());
    }

    pub(super) fn forget(&mut self, id: &ResourceId) {
        let Self { kept, listed, unkept, before } = self;
        listed.remove(id);
        before.remove(id);
        if kept.remove(id).is_some() {
            unkept.insert(id.clone());
        }
    }
}

impl Mirror {
    /// What was kept from before. To be told before the first list.
    pub fn remember(&self, kept: BTreeMap<ResourceId, Checkpoint>) {
        self.lock().members.kept = kept;
    }

    /// These members are taken to be those of the group, since its checkpoint says so and its size agrees.
    pub fn believe(&self, id: &ResourceId, members: &BTreeSet<Endpoint>) {
        self.lock().set_members(id, Of::Known(members.clone()));
    }

    /// The members of a group were listed, from `began` on; `None` where there is no such group. Says whether that is believed: what we
    /// changed meanwhile wins.
    pub fn listed(&self, id: &ResourceId, began: Began, members: Option<BTreeSet<Endpoint>>) -> bool {
        let mut inner = self.lock();
        if inner.touched.get(id).is_some_and(|at| *at >= began.0) {
            return false;
        }
        let Some(members) = members else {
            // Whether it is gone is for the list of groups to say; until then its members are not known.
            inner.set_members(id, Of::Unlisted(Unlisted::default()));
            return true;
        };
        let left = inner.members.before.remove(id).map(Of::Known);
        let left = left.or_else(|| members_of(&inner.observed, id).cloned());
        let differ = matches!(&left, Some(Of::Known(left)) if *left != members);
        inner.members.listed.insert(id.clone(), Instant::now());
        inner.members.unkept.insert(id.clone());
        let is_news = left != Some(Of::Known(members.clone()));
        inner.set_members(id, Of::Known(members));
        if let (true, Some(Of::Known(left))) = (differ, left) {
            inner.note_members(id, left);
        }
        drop(inner);
        if is_news {
            self.changed.notify_one();
        }
        true
    }

    /// The groups whose members are not known.
    #[must_use]
    pub fn unlisted(&self) -> BTreeSet<ResourceId> {
        let inner = self.lock();
        let groups = inner.observed.graph.of::<NetworkEndpointGroup>();
        groups.filter(|(_, _, group)| group.members.known().is_none()).map(|(id, _, _)| id.clone()).collect()
    }

    /// Lists the members of these groups, a bounded number at a time.
    ///
    /// # Errors
    /// The first group that could not be listed; the others are known all the same.
    pub async fn list_members<C: Cloud>(
        &self,
        cloud: &C,
        groups: impl Iterator<Item = &ResourceId>,
    ) -> Result<(), CloudError> {
        let calls: Vec<BoxFuture<'_, Result<(), CloudError>>> = groups
            .map(|id| {
                async move {
                    let began = Began::now();
                    let members = cloud.endpoints(id).await?;
                    self.listed(id, began, members);
                    Ok(())
                }
                .boxed()
            })
            .collect();
        let mut calls = futures::stream::iter(calls).buffer_unordered(READS);
        let mut failed = None;
        while let Some(result) = calls.next().await {
            failed = failed.or(result.err());
        }
        failed.map_or(Ok(()), Err)
    }

    /// The group whose members were not listed for the longest time, those first that rest on a checkpoint alone. None of those that we
    /// changed a moment ago, since lists may lag.
    #[must_use]
    pub fn to_verify(&self) -> Option<(ResourceId, Verified)> {
        let inner = self.lock();
        let settled = |id: &ResourceId| inner.touched.get(id).is_none_or(|at| at.elapsed() > LIST_LAG);
        inner
            .observed
            .graph
            .of::<NetworkEndpointGroup>()
            .filter(|(id, _, group)| group.members.known().is_some() && settled(id))
            .map(|(id, _, _)| (inner.members.listed.get(id).copied(), id))
            .min()
            .map(|(at, id)| (id.clone(), at.map_or(Verified::Never, Verified::At)))
    }

    /// Checkpoints that are not kept yet; they count as kept from now on.
    #[must_use]
    pub fn take_unkept(&self) -> Unkept {
        let mut inner = self.lock();
        let Inner { members: Members { kept, unkept, .. }, observed, .. } = &mut *inner;
        let mut taken = Unkept::new();
        for id in std::mem::take(unkept) {
            let now = members_of(observed, &id).and_then(|members| members.known().map(Checkpoint::of));
            let differs = match now {
                Some(now) => kept.insert(id.clone(), now) != Some(now),
                // One whose members are in doubt keeps what is kept: the size tells whether that still holds.
                None if observed.graph.contains(&id) => false,
                None => true,
            };
            if differs {
                taken.insert(id, now);
            }
        }
        taken
    }

    /// They could not be kept after all.
    pub fn not_kept(&self, unkept: Unkept) {
        let mut inner = self.lock();
        for (id, _) in unkept {
            inner.members.kept.remove(&id);
            inner.members.unkept.insert(id);
        }
    }
}

/// When the members of a group were last listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verified {
    /// Never: they rest on a checkpoint, or on what we attached and detached ourselves.
    Never,
    /// Then.
    At(Instant),
}

impl Inner {
    fn set_members(&mut self, id: &ResourceId, members: Of) {
        if members_of(&self.observed, id).is_none_or(|known| *known == members) {
            return;
        }
        let known = Arc::make_mut(&mut self.observed);
        let Some(Entry { mark, node: Node::NetworkEndpointGroup(group) }) = known.graph.entry(id) else {
            return;
        };
        let NetworkEndpointGroup { network, subnetwork, members: _ } = group.clone();
        let entry = Entry {
            mark: mark.clone(),
            node: NetworkEndpointGroup { network, subnetwork, members }.into_node(),
        };
        known.graph.put(id.clone(), entry);
    }

    /// Others attached or detached members.
    fn note_members(&mut self, id: &ResourceId, left: BTreeSet<Endpoint>) {
        let known = Arc::make_mut(&mut self.observed);
        let Some(Entry { mark, node: Node::NetworkEndpointGroup(group) }) = known.graph.entry(id) else {
            return;
        };
        let NetworkEndpointGroup { network, subnetwork, members: _ } = group.clone();
        let members = Of::Known(left);
        let node = NetworkEndpointGroup { network, subnetwork, members }.into_node();
        let was = Entry { mark: mark.clone(), node };
        known.altered.entry(id.clone()).or_insert(Altered { was, since: jiff::Timestamp::now() });
    }
}

fn members_of<'a>(known: &'a Observed, id: &ResourceId) -> Option<&'a Of> {
    match &known.graph.entry(id)?.node {
        Node::NetworkEndpointGroup(group) => Some(&group.members),
        _ => None,
    }
}
