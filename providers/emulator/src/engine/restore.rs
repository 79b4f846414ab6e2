//! Going on with a state that was kept, replacing it, and forgetting it.

use super::Engine;
use super::run::{Course, Ending};
use crate::operation::{OperationPath, Stage};
use crate::scope::ResourcePath;
use crate::snapshot::{Snapshot, SnapshotError};
use crate::state::State;
use jiff::Timestamp;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// Why a project was not forgotten.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResetError {
    #[error("resetting the project '{project}': there is no such project")]
    Unknown { project: String },
    #[error(
        "resetting the project '{project}': '{user}' of another project refers to '{target}'; delete that first, or \
         reset everything"
    )]
    Used { project: String, user: ResourcePath, target: ResourcePath },
}

/// What had not ended: what it changes, its operation, and how much of its time is left.
struct Unfinished {
    target: ResourcePath,
    operation: OperationPath,
    pending: Duration,
    running: Duration,
}

impl Engine {
    /// Serves the state as it is, and goes on with what had been accepted and had not ended. Nothing that is in place
    /// already is put in place again: an operation knows.
    pub(crate) async fn resume(self: &Arc<Self>) {
        // The emulator that left the state may have been ahead of the machine's time.
        if let Some(newest) = self.state().operations.newest() {
            self.clock.not_before(newest);
        }
        self.pool.adopt(addresses(&self.state()));
        // The version says what has to be served; a state that was just read has been published by nobody.
        self.state().version += 1;
        self.publish().await;
        self.await_certificates();
        for Unfinished { target, operation, pending, running } in self.unfinished() {
            let Some(resource) = crate::api::find(target.collection) else { continue };
            let course = Course { pending: self.clock.sleep(pending), running, ending: Ending::Usual };
            let engine = Arc::clone(self);
            self.tasks.spawn(async move { engine.run(resource, target, operation, course).await });
        }
        self.changed();
    }

    fn unfinished(&self) -> Vec<Unfinished> {
        let now = self.clock.now();
        let since = |moment: Timestamp| Duration::try_from(now.duration_since(moment)).unwrap_or_default();
        let state = self.state();
        let running = state.operations.all().filter(|operation| operation.stage() != Stage::Done);
        // What an operation holds is not always what it calls its target.
        let holds: HashMap<&OperationPath, &ResourcePath> =
            state.held().map(|(path, held)| (&held.operation, path)).collect();
        let mut unfinished: Vec<_> = running
            .map(|operation| {
                let whole = operation.latency.saturating_sub(operation.pending);
                let (pending, running) = if let Some(started) = operation.started {
                    (Duration::ZERO, whole.saturating_sub(since(started)))
                } else {
                    let gone = since(operation.inserted);
                    let late = gone.saturating_sub(operation.pending);
                    (operation.pending.saturating_sub(gone), whole.saturating_sub(late))
                };
                let target = holds.get(&operation.path).copied().unwrap_or(&operation.target).clone();
                let operation = operation.path.clone();
                Unfinished { target, operation, pending, running }
            })
            .collect();
        // An operation that was deleted while it ran has left its change behind.
        let left_behind = state.held().filter(|(_, held)| state.operations.get(&held.operation).is_none());
        unfinished.extend(left_behind.map(|(path, held)| Unfinished {
            target: path.clone(),
            operation: held.operation.clone(),
            pending: Duration::ZERO,
            running: Duration::ZERO,
        }));
        unfinished
    }

    /// The state as one document.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::to_hand_out(&self.state())
    }

    /// Puts a document in the place of everything there is, or says why not and changes nothing.
    pub(crate) async fn restore(self: &Arc<Self>, snapshot: Snapshot) -> Result<(), SnapshotError> {
        let state = snapshot.into_whole_state()?;
        self.state().replace(state);
        // A task of its own, as a request is dropped when its client goes away: the operations must go on all the same.
        let engine = Arc::clone(self);
        if let Err(error) = self.tasks.spawn(async move { engine.resume().await }).await {
            tracing::error!(%error, "going on with a restored state ended badly");
        }
        Ok(())
    }

    /// Forgets one project, or everything.
    pub(crate) async fn reset(&self, project: Option<&str>) -> Result<(), ResetError> {
        {
            let mut state = self.state();
            match project {
                None => state.replace(State::default()),
                Some(project) => {
                    if !state.projects.contains_key(project) {
                        return Err(ResetError::Unknown { project: project.to_owned() });
                    }
                    if let Some((user, target)) = state.outside_user(project) {
                        return Err(ResetError::Used { project: project.to_owned(), user, target });
                    }
                    state.forget_project(project);
                }
            }
        }
        self.publish().await;
        self.changed();
        Ok(())
    }

    /// Writes what is queued for the state file and lets go of it.
    pub(crate) fn close_journal(&self) {
        if let Some(journal) = &self.journal {
            journal.close();
        }
    }
}

/// The addresses that resources have.
fn addresses(state: &State) -> Vec<Ipv4Addr> {
    let reserved = state.all("addresses").filter_map(|(_, address)| address.text("address"));
    let rules = state.all("forwardingRules").filter_map(|(_, rule)| rule.text("IPAddress"));
    reserved.chain(rules).filter_map(|text| text.parse().ok()).collect()
}
