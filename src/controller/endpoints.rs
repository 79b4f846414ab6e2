//! The short path of endpoints: from a change of an `EndpointSlice` to attaching and detaching, without translating or planning anything.
//!
//! What changes within [`WINDOW`] is taken together, so a pod that vanishes and comes back within it makes no call. Then, for each group of
//! its own: the members that it should have are compared with those that it has ([`members::compare`], which the full plan asks too), and
//! the first call that this takes is handed on. When it has ended, they are compared again. So there is never more than one call of ours
//! for a group, what changes meanwhile joins the next one, and all groups go on side by side.
//!
//! Not here: whatever changes more than members ([`Churn::needs_translation`]); groups that do not exist yet, or whose members are not
//! known; and calls that failed. For these the long path is asked, which sees everything anew; and when it looks, this path forgets what
//! it was about ([`Endpoints::looking`]).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tracing::debug;

use super::source::Source;
use crate::apply::{Ended, Ending, Executor};
use crate::cloud::mirror::Mirror;
use crate::cloud::{Cloud, KeyPairs};
use crate::model::{Mark, Members, Node, ResourceId};
use crate::plan::members::{self, Changes, Verdict};
use crate::plan::{Action, Change};
use crate::translate::{Churn, PodPorts, Translation, Wanted};

/// So long after the first change the next ones are waited for. A rolling update changes a slice several times within it.
const WINDOW: Duration = Duration::from_millis(50);

/// Who makes the calls: the executor.
pub(super) trait Hand: Send + Sync {
    /// These are the changes of one group's members, in the place of those of this group that have not begun.
    fn take_members(&self, group: &ResourceId, changes: Vec<Change>);
}

impl<C: Cloud, K: KeyPairs + 'static> Hand for Executor<C, K> {
    fn take_members(&self, group: &ResourceId, changes: Vec<Change>) {
        Self::take_members(self, group, changes);
    }
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    state: Mutex<State>,
    /// A call ended.
    stirred: Notify,
    /// There is a new translation.
    translated: Notify,
    /// The long path is needed.
    long: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Which groups the pods of a Service are in; `None` while a translation is being made that will say it anew.
    ports: Option<Arc<PodPorts>>,
    groups: BTreeMap<ResourceId, Group>,
}

/// A group that is being changed.
#[derive(Debug)]
struct Group {
    mark: Mark,
    wanted: Wanted,
    call: Option<Call>,
    /// What the last call did.
    last: Option<Call>,
}

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Attach,
    Detach,
}

/// What is next for a group.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// This call.
    Change(Box<Action>),
    /// Nothing: it is as it should be.
    Rest,
    /// Nothing that this path could do.
    LongPath,
}

impl Endpoints {
    /// The long path is about to take a snapshot: what changed before is its business from now on.
    pub(super) fn looking(&self) {
        let mut state = self.state();
        state.groups.clear();
        state.ports = None;
    }

    /// What it made of that.
    pub(super) fn translated(&self, translation: &Translation) {
        self.state().ports = Some(Arc::new(translation.pod_ports.clone()));
        self.translated.notify_one();
    }

    /// A change ended, whoever asked for it.
    pub(super) fn ended(&self, ended: &Ended) {
        let mut state = self.state();
        let Some(group) = state.groups.get_mut(&ended.id) else { return };
        group.call = None;
        if ended.result == Ending::Done {
            self.stirred.notify_one();
        } else {
            state.groups.remove(&ended.id);
            self.long.notify_one();
        }
    }

    /// Resolves when the long path is needed. Cancel-safe.
    pub(super) async fn need_long_path(&self) {
        self.long.notified().await;
    }

    /// Never returns.
    pub(super) async fn run<S: Source>(&self, source: &S, mirror: &Mirror, hand: &impl Hand) {
        loop {
            tokio::select! {
                () = source.churned() => {
                    tokio::time::sleep(WINDOW).await;
                    let ports = self.ports().await;
                    self.take(source.churn(&ports));
                }
                () = self.stirred.notified() => {}
            }
            self.go_on(mirror, hand);
        }
    }

    /// By the last translation, or by the one that is being made.
    async fn ports(&self) -> Arc<PodPorts> {
        loop {
            let ports = self.state().ports.clone();
            match ports {
                Some(ports) => return ports,
                None => self.translated.notified().await,
            }
        }
    }

    fn take(&self, churn: Churn) {
        let Churn { groups, needs_translation } = churn;
        if needs_translation {
            self.long.notify_one();
        }
        let mut state = self.state();
        for (id, (mark, wanted)) in groups {
            let known = state.groups.get(&id);
            let (call, last) = known.map_or((None, None), |group| (group.call, group.last));
            state.groups.insert(id, Group { mark, wanted, call, last });
        }
    }

    /// Hands on the next call of each group that has none under way.
    fn go_on(&self, mirror: &Mirror, hand: &impl Hand) {
        let observed = mirror.observed();
        let mut state = self.state();
        state.groups.retain(|id, group| {
            if group.call.is_some() {
                return true;
            }
            let known = observed.graph.entry(id).and_then(|entry| match &entry.node {
                Node::NetworkEndpointGroup(group) => Some(&group.members),
                _ => None,
            });
            match group.next(known) {
                Step::Change(action) => {
                    group.call = Some(kind(&action));
                    group.last = group.call;
                    let reason = match group.call {
                        Some(Call::Detach) => "no longer pods of the Service",
                        _ => "pods of the Service that are not in it yet",
                    };
                    let (mark, reason) = (group.mark.clone(), reason.to_owned());
                    debug!(%id, what = action.word(), "the short path");
                    hand.take_members(
                        id,
                        vec![Change { id: id.clone(), mark, action: *action, reason, seen: None }],
                    );
                    true
                }
                Step::Rest => {
                    // What a plan still meant to do to it was decided before.
                    hand.take_members(id, Vec::new());
                    false
                }
                Step::LongPath => {
                    self.long.notify_one();
                    false
                }
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whoever panics while holding it leaves at worst a group to the long path.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const fn kind(action: &Action) -> Call {
    match action {
        Action::DetachEndpoints(_) => Call::Detach,
        _ => Call::Attach,
    }
}

impl Group {
    /// The next call. Joining goes first, ready ones before others; then the two take turns, so that neither a thousand that join nor a
    /// thousand that leave keep the others waiting.
    fn next(&self, known: Option<&Members>) -> Step {
        let Some(known) = known else { return Step::LongPath };
        let desired = Members::Known(self.wanted.members.clone());
        let Changes { attach, detach } = match members::compare(&desired, known, Some(&self.wanted.unready)) {
            Verdict::Same => return Step::Rest,
            Verdict::MustBeListed => return Step::LongPath,
            Verdict::Differ(changes) => changes,
        };
        let (attach, detach) = (attach.into_iter().next(), detach.into_iter().next());
        let action = match (attach, detach, self.last) {
            (Some(_), Some(leaving), Some(Call::Attach)) | (None, Some(leaving), _) => {
                Action::DetachEndpoints(leaving)
            }
            (Some(joining), _, _) => Action::AttachEndpoints(joining),
            (None, None, _) => return Step::Rest,
        };
        Step::Change(Box::new(action))
    }
}

#[cfg(test)]
mod tests;
