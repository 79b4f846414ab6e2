//! Operations under way: from accepted to DONE.

use super::{Context, Engine};
use crate::clock::Sleep;
use crate::declaration::Resource;
use crate::error::OperationError;
use crate::operation::{Operation, OperationPath, Outcome, Stage};
use crate::random;
use crate::scope::ResourcePath;
use crate::state::{Change, State};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How much of its time an operation stays PENDING: a tenth.
pub(super) const PENDING_SHARE: u32 = 10;

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
        let latency = self.latency().method(&format!("{}.{verb}", resource.collection));
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
            latency,
            error: None,
            outcome: Outcome::Waiting,
            stage: watch::Sender::new(Stage::Pending),
        };
        let answer = operation.show(&context.base, now);
        operation.target.collection = resource.polled_in.unwrap_or(operation.target.collection);
        let operation_path = operation.path.clone();
        Self::remember(state, &operation_path, context);
        state.operations.insert(operation);
        state.accept(path.clone(), change, operation_path.clone());
        // It is asleep before the answer goes out, so a step that follows takes it along.
        let pending = self.clock.sleep(latency / PENDING_SHARE);
        let engine = Arc::clone(self);
        self.tasks.spawn(async move { engine.run(resource, path, operation_path, pending, latency).await });
        answer
    }

    /// One operation, from beginning to end. Cut short at shutdown, when nobody can ask for it any more.
    pub(super) async fn run(
        self: Arc<Self>,
        resource: &'static Resource,
        path: ResourcePath,
        operation: OperationPath,
        pending: Sleep,
        latency: Duration,
    ) {
        let work = async {
            let turn = pending.await;
            self.advance(&operation, Stage::Running);
            let turn = turn.sleep(&self.clock, latency.saturating_sub(latency / PENDING_SHARE)).await;
            self.commit(resource, &path, &operation);
            self.publish().await;
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
        let Some(operation) = state.operations.get_mut(operation) else { return };
        match to {
            Stage::Pending => {}
            Stage::Running => operation.started = Some(now),
            Stage::Done => operation.ended = Some(now),
        }
        operation.stage.send_replace(to);
        drop(state);
        self.changed();
    }

    /// Puts a change in place, unless a rule that counts only now is against it.
    fn commit(&self, resource: &'static Resource, path: &ResourcePath, operation: &OperationPath) {
        let mut state = self.state();
        if state.operations.get(operation).is_some_and(|operation| operation.outcome == Outcome::Settled) {
            return;
        }
        let held = state.held_by(path).filter(|held| held.operation == *operation);
        let failure: Option<OperationError> = match held.map(|held| held.change.clone()) {
            Some(Change::Put(draft)) => match (resource.check_late)(&draft, &self.world(&state))
                .and_then(|()| self.quotas.check_late(&state, &draft))
            {
                Ok(()) => {
                    state.put(path, draft.next);
                    None
                }
                Err(error) => Some(error),
            },
            Some(Change::Delete) => {
                if let Some(gone) = state.remove(path) {
                    (resource.deleted)(path, &gone, &mut state);
                }
                None
            }
            None => None,
        };
        if let Some(operation) = state.operations.get_mut(operation) {
            operation.error = failure;
            operation.outcome = Outcome::Settled;
        }
    }

    /// Lets the data plane take up what has been put in place.
    pub(crate) async fn publish(&self) {
        self.plane.publish(&self.state).await;
    }
}
