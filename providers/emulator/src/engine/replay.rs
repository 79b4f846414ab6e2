//! Requests that come again: a `requestId` brings the operation that the first of them got.

use super::{Context, Engine};
use crate::call::Call;
use crate::error::ApiError;
use crate::operation::{OperationPath, Replay};
use crate::scope::Scope;
use crate::state::State;
use jiff::SignedDuration;
use serde_json::Value;

/// For how long a request is recognised. Google documents no time for Compute; an hour is what the guidelines for its APIs
/// ask for at least (AIP-155).
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

impl Call {
    /// Whether the method has a `requestId`. By the discovery document every mutation has, but for a few verbs.
    pub(super) fn takes_request_id(&self) -> bool {
        match self {
            Self::Insert { .. } | Self::Update { .. } | Self::Patch { .. } | Self::Delete { .. } => true,
            Self::Verb { path, verb, .. } => match verb.name {
                "addRule" | "patchRule" | "removeRule" => false,
                "setLabels" => path.scope != Scope::Global,
                _ => true,
            },
            _ => false,
        }
    }
}

impl Engine {
    /// The operation that the same request got before, if it comes again.
    pub(super) fn replayed(
        &self,
        state: &State,
        project: &str,
        context: &Context<'_>,
    ) -> Result<Option<Value>, ApiError> {
        let Some(request_id) = context.request_id else { return Ok(None) };
        if !is_request_id(request_id) {
            return Err(ApiError::invalid("requestId", request_id, "Must be a valid, non-zero UUID."));
        }
        let found = state
            .operations
            .replay(project, request_id)
            .and_then(|replay| Some((replay, state.operations.get(&replay.operation)?)));
        let Some((replay, operation)) = found else { return Ok(None) };
        if self.clock.now().duration_since(operation.inserted) > WINDOW {
            return Ok(None);
        }
        if replay.request != context.request {
            return Err(ApiError::invalid(
                "requestId",
                request_id,
                "The request id was used by another request before.",
            ));
        }
        Ok(Some(operation.show(&context.base, self.clock.now())))
    }

    /// Remembers which operation a request id got.
    pub(super) fn remember(state: &mut State, operation: &OperationPath, context: &Context<'_>) {
        if let Some(request_id) = context.request_id {
            let replay = Replay { request: context.request.clone(), operation: operation.clone() };
            state.operations.remember(&operation.project, request_id, replay);
        }
    }
}

/// A UUID that is not all zeros.
fn is_request_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
        && text.bytes().any(|byte| byte != b'-' && byte != b'0')
}
