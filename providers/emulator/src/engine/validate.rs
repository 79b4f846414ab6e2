//! `validateOnly`: everything is checked, and nothing changes.

use super::{Context, Engine};
use crate::declaration::Resource;
use crate::draft::Draft;
use crate::operation::{Operation, OperationPath, Outcome, Stage};
use crate::random;
use crate::state::State;
use serde_json::Value;
use std::time::Duration;
use tokio::sync::watch;

impl Engine {
    /// Whether a request asks for a check alone, and the method offers one. Elsewhere the parameter is ignored, as every
    /// parameter is that a method does not know.
    pub(super) fn validates_only(resource: &Resource, verb: &str, context: &Context<'_>) -> bool {
        resource.validates.contains(&verb)
            && context.query.get("validateOnly").is_some_and(|value| value == "true")
    }

    /// The answer to a check: an operation that has ended, with the error that the change would have ended with. Nobody
    /// can ask for it again, and a `requestId` is not used up.
    pub(super) fn validated(
        &self,
        state: &State,
        resource: &'static Resource,
        draft: &Draft,
        verb: &'static str,
        context: &Context<'_>,
    ) -> Value {
        let now = self.clock.now();
        let operation = Operation {
            path: OperationPath {
                project: draft.path.project.clone(),
                scope: draft.path.scope.clone(),
                name: random::operation_name(now),
            },
            id: random::id(),
            verb: resource.operation_type(verb).into(),
            target: draft.path.clone(),
            target_id: draft.next.id,
            user: self.user(context),
            request_id: context.request_id.map(str::to_owned),
            inserted: now,
            started: Some(now),
            ended: Some(now),
            latency: Duration::ZERO,
            error: (resource.check_late)(draft, &self.world(state))
                .and_then(|()| self.quotas.check_late(state, draft))
                .err(),
            outcome: Outcome::Settled,
            stage: watch::Sender::new(Stage::Done),
        };
        operation.show(&context.base, now)
    }
}
