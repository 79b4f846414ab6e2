//! Checks without a change: `validateOnly`, and verbs that judge what a request brings.

use super::{Context, Engine};
use crate::declaration::Resource;
use crate::draft::Draft;
use crate::error::ApiError;
use crate::name;
use crate::operation::{Operation, OperationPath, Outcome, Stage, Visibility};
use crate::random;
use crate::schema::Mode;
use crate::scope::ResourcePath;
use crate::state::{State, Stored};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::sync::watch;

impl Engine {
    /// Whether a request asks for a check alone, and the method offers one. Elsewhere the parameter is ignored, as every
    /// parameter is that a method does not know.
    pub(super) fn validates_only(resource: &Resource, verb: &str, context: &Context<'_>) -> bool {
        resource.validates.contains(&verb)
            && context.query.get("validateOnly").is_some_and(|value| value == "true")
    }

    /// The resource that a body would make, and whether it is complete. A body that does not fit the schema is an error
    /// of the request.
    pub(super) fn imagine(
        &self,
        state: &mut State,
        resource: &'static Resource,
        path: ResourcePath,
        body: &Map<String, Value>,
        context: &Context<'_>,
    ) -> Result<(Draft, Result<(), ApiError>), ApiError> {
        let mut body = self
            .admission(state, &path, resource.unknown_fields, Mode::Whole, context)
            .resource(resource.fields, body)?;
        let named = match body.shift_remove("name") {
            Some(Value::String(named)) => name::check("resource.name", &named),
            _ => Ok(()),
        };
        let next = Stored::new(random::id(), self.clock.now(), body);
        let mut draft = Draft { path, previous: None, next };
        let complete = named.and_then(|()| self.complete(state, resource, &mut draft));
        Ok((draft, complete))
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
            pending: Duration::ZERO,
            warnings: Vec::new(),
            visibility: Visibility::Shown,
            error: (resource.check_late)(draft, &self.world(state))
                .and_then(|()| self.quotas.check_late(state, draft))
                .err(),
            outcome: Outcome::Settled,
            stage: watch::Sender::new(Stage::Done),
        };
        operation.show(&context.base, now)
    }

    /// What a change would have ended in.
    pub(super) fn rehearsed(
        &self,
        state: &State,
        resource: &'static Resource,
        draft: &Draft,
        context: &Context<'_>,
    ) -> Value {
        match (resource.check_late)(draft, &self.world(state)) {
            Ok(()) => self.show(state, resource, &draft.path, &draft.next, &context.base).into(),
            Err(error) => error.message.into(),
        }
    }
}
