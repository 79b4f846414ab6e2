//! Operations under way: from accepted to DONE.

use super::faulted::OperationFault;
use super::{Context, Engine};
use crate::clock::Sleep;
use crate::declaration::Resource;
use crate::error::OperationError;
use crate::fault::Effect;
use crate::operation::{Operation, OperationPath, Outcome, Stage};
use crate::random;
use crate::scope::ResourcePath;
use crate::state::{Change, State};
use futures::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How an operation goes on from where it stands.
pub(super) struct Course {
    /// What is left of PENDING; it has begun.
    pub(super) pending: Sleep,
    /// What is left of RUNNING after that.
    pub(super) running: Duration,
    pub(super) ending: Ending,
}

/// How an operation ends.
pub(super) enum Ending {
    /// The change is put in place, unless a rule is against it.
    Usual,
    /// It fails on purpose.
    Failure(OperationError, Effect),
    /// Not before the fault is gone, then as usual.
    Stuck(CancellationToken),
}

impl Engine {
    /// Accepts a change: holds the resource, makes the operation, and lets it run. Answers with the operation.
    #[expect(clippy::too_many_arguments, reason = "each says one thing about the operation")]
    pub(super) fn start(
        self: &Arc<Self>,
        state: &mut State,
        resource: &'static Resource,
        path: ResourcePath,
        target_id: u64,
        change: Change,
        verb: &'static str,
        context: &Context<'_>,
    ) -> Value {
        let now = self.clock.now();
        let fault = context.fault.map(OperationFault::of).unwrap_or_default();
        let pending = fault.pending.unwrap_or(context.latency.pending);
        let running = fault.running.unwrap_or(context.latency.running);
        let mut operation = Operation {
            path: OperationPath {
                project: path.project.clone(),
                scope: path.scope.clone(),
                name: random::operation_name(now),
            },
            id: random::id(),
            verb: resource.operation_type(verb).into(),
            target: path.clone(),
            target_id,
            user: self.user(context),
            request_id: context.request_id.map(str::to_owned),
            inserted: now,
            started: None,
            ended: None,
            latency: pending.saturating_add(running),
            pending,
            warnings: fault.warnings,
            visibility: fault.visibility,
            error: None,
            outcome: Outcome::Waiting,
            stage: watch::Sender::new(Stage::Pending),
        };
        let answer = operation.show(&context.base, now);
        operation.target.collection = resource.polled_in.unwrap_or(operation.target.collection);
        let operation_path = operation.path.clone();
        Self::remember(state, &operation_path, context);
        state.operations.insert(operation, self.config.operations_kept);
        state.accept(path.clone(), change, operation_path.clone());
        // It is asleep before the answer goes out, so a step that follows takes it along.
        let course = Course { pending: self.clock.sleep(pending), running, ending: fault.ending };
        let engine = Arc::clone(self);
        self.tasks.spawn(async move { engine.run(resource, path, operation_path, course).await });
        answer
    }

    /// One operation, to its end. Cut short at shutdown, when nobody can ask for it any more.
    pub(super) async fn run(
        self: Arc<Self>,
        resource: &'static Resource,
        path: ResourcePath,
        operation: OperationPath,
        course: Course,
    ) {
        let Course { pending, running, ending } = course;
        let work = async {
            let turn = pending.await;
            self.advance(&operation, Stage::Running);
            let mut turn = turn.sleep(&self.clock, running).await;
            if let Ending::Stuck(gone) = &ending {
                // A step of the clock must not wait for it.
                drop(turn);
                gone.cancelled().await;
                turn = self.clock.sleep(Duration::ZERO).await;
            }
            self.commit(resource, &path, &operation, ending);
            self.publish().await;
            if path.collection == "sslCertificates" {
                self.await_certificates();
            }
            // Let go before it is DONE: whoever waited may change the resource at once.
            self.state().release(&path, &operation);
            self.advance(&operation, Stage::Done);
            drop(turn);
        };
        tokio::select! {
            () = work => {}
            () = self.stop.cancelled() => {}
        }
    }

    fn advance(&self, operation: &OperationPath, to: Stage) {
        let now = self.clock.now();
        let mut state = self.state();
        // A snapshot that is restored while its operations still run makes two go on with each; the slower changes nothing.
        if state.operations.get(operation).is_none_or(|operation| operation.stage() == Stage::Done) {
            return;
        }
        let operation = match to {
            Stage::Done => state.operations.end(operation, now),
            Stage::Pending | Stage::Running => state.operations.get_mut(operation),
        };
        let Some(operation) = operation else { return };
        if to == Stage::Running {
            // One that goes on after a restart may have been RUNNING before.
            operation.started.get_or_insert(now);
        }
        operation.stage.send_replace(to);
        drop(state);
        self.changed();
    }

    /// Puts a change in place, unless a rule that counts only now is against it, or a fault.
    fn commit(
        &self,
        resource: &'static Resource,
        path: &ResourcePath,
        operation: &OperationPath,
        ending: Ending,
    ) {
        let mut state = self.state();
        if state.operations.get(operation).is_some_and(|operation| operation.outcome == Outcome::Settled) {
            return;
        }
        let held = state.held_by(path).filter(|held| held.operation == *operation);
        let change = held.map(|held| held.change.clone());
        let (change, failure) = match (change, ending) {
            (change, Ending::Failure(error, effect)) => {
                (change.and_then(|change| effect.of(change)), Some(error))
            }
            (Some(Change::Put(draft)), Ending::Usual | Ending::Stuck(_)) => {
                let late = (resource.check_late)(&draft, &self.world(&state))
                    .and_then(|()| self.quotas.check_late(&state, &draft));
                match late {
                    Ok(()) => (Some(Change::Put(draft)), None),
                    Err(error) => (None, Some(error)),
                }
            }
            (change, Ending::Usual | Ending::Stuck(_)) => (change, None),
        };
        match change {
            Some(Change::Put(draft)) => state.put(path, draft.next),
            Some(Change::Delete) => {
                if let Some(gone) = state.remove(path) {
                    (resource.deleted)(path, &gone, &mut state);
                }
            }
            None => {}
        }
        if let Some(operation) = state.operations.get_mut(operation) {
            operation.error = failure;
            operation.outcome = Outcome::Settled;
        }
    }

    /// Lets the data plane take up what has been put in place, at once or after its programming delay.
    pub(crate) fn publish(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(engine) = self.me.upgrade() else { return };
            // A task of its own, as a request is dropped when its client goes away: what the data plane has taken out of
            // the state must be served all the same.
            let publishing = self.tasks.spawn(async move {
                for due in engine.plane.publish(&engine.state).await {
                    engine.publish_when(due);
                }
            });
            if let Err(error) = publishing.await {
                tracing::error!(%error, "publishing to the data plane ended badly");
            }
        })
    }

    fn publish_when(self: &Arc<Self>, due: Sleep) {
        let engine = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                turn = due => {
                    engine.publish().await;
                    engine.changed();
                    drop(turn);
                }
                () = engine.stop.cancelled() => {}
            }
        });
    }
}
