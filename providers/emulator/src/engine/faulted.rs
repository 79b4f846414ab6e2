//! Where faults meet calls: what goes wrong before a call is carried out, with its operation, and with its answer.

use super::run::Ending;
use super::{Context, Engine, Reply, Request};
use crate::call::{Call, OperationCall};
use crate::declaration::Effect as VerbEffect;
use crate::error::{ApiError, OperationError};
use crate::exchange::{Delivery, Outgoing};
use crate::fault::{Event, Facts, Fault, Moment, Verdict, answer};
use crate::operation::{OperationWarning, Visibility};
use crate::service;
use crate::state::Stored;
use crate::version::Version;
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a fault does to the operation of a call.
pub(super) struct OperationFault {
    pub(super) pending: Option<Duration>,
    pub(super) running: Option<Duration>,
    pub(super) warnings: Vec<OperationWarning>,
    pub(super) visibility: Visibility,
    pub(super) ending: Ending,
}

impl Default for OperationFault {
    /// Nothing.
    fn default() -> Self {
        Self {
            pending: None,
            running: None,
            warnings: Vec::new(),
            visibility: Visibility::Shown,
            ending: Ending::Usual,
        }
    }
}

impl OperationFault {
    pub(super) fn of(verdict: &Verdict) -> Self {
        let none = Self::default();
        match &verdict.fault {
            Fault::Slow { answer: _, pending, running } => {
                Self { pending: pending.map(|span| span.0), running: running.map(|span| span.0), ..none }
            }
            Fault::FailOperation { code, status, message, effect } => {
                let status = status.and_then(|status| StatusCode::from_u16(status).ok());
                let error = OperationError { code: code.clone().into(), status, message: message.clone() };
                Self { ending: Ending::Failure(error, *effect), ..none }
            }
            Fault::WarnOperation { code, message } => {
                let warning = OperationWarning { code: code.clone(), message: message.clone() };
                Self { warnings: vec![warning], ..none }
            }
            Fault::LoseOperation {} => Self { visibility: Visibility::Lost, ..none },
            Fault::StickOperation {} => Self { ending: Ending::Stuck(verdict.gone.clone()), ..none },
            _ => none,
        }
    }
}

impl Engine {
    /// Answers one request to the API.
    pub(crate) async fn answer(self: &Arc<Self>, request: &Request) -> Outgoing {
        let Some((version, mut call)) = Call::parse(&request.method, &request.path) else {
            let error = ApiError::not_found_text(format!(
                "The requested URL {} {} was not found on this server.",
                request.method, request.path
            ));
            return Outgoing::of(error.into());
        };
        let mut project = call.project().to_owned();
        if let Err(error) = self.enter(&mut project) {
            return Outgoing::of(error.into());
        }
        call.set_project(project);
        let method = call.method();
        let verdict = self.verdict(&call, &method, version, &request.body);
        if let Some(log) = &request.log {
            self.requests.note(log, &method, verdict.as_ref().map(|verdict| verdict.id.as_str()));
        }
        let latency = self.latency_draws.fetch_add(1, Ordering::Relaxed);
        let latency = self.with_latency(|all| all.draw(&method, latency));
        let answer = match verdict.as_ref().map(|verdict| &verdict.fault) {
            Some(Fault::Slow { answer: Some(answer), .. }) => answer.0,
            _ => latency.answer,
        };
        let turn = if answer.is_zero() { None } else { Some(self.clock.sleep(answer).await) };
        // Who waits for an operation must not keep the clock from going on to its end, nor may who hangs until a rule is gone.
        let waits = matches!(call, Call::Operation { what: OperationCall::Wait, .. })
            || verdict.as_ref().is_some_and(|verdict| matches!(verdict.fault, Fault::Hang { .. }));
        let turn = turn.filter(|_| !waits);
        if let Some(verdict) = &verdict
            && let Some(outgoing) = self.before(verdict, &call).await
        {
            return outgoing;
        }
        let context = Context {
            version,
            base: self.base(version),
            query: &request.query,
            body: &request.body,
            request: format!("{} {}", request.method, request.path),
            request_id: request
                .query
                .get("requestId")
                .map(String::as_str)
                .filter(|id| !id.is_empty() && call.takes_request_id()),
            caller: request.caller.as_deref(),
            purpose: request.purpose,
            latency,
            fault: verdict.as_ref(),
        };
        let project = call.project().to_owned();
        let reply = match self.count(&call) {
            Ok(()) => self.dispatch(call, &context).await.unwrap_or_else(Reply::from),
            Err(error) => error.into(),
        };
        drop(turn);
        match &verdict {
            Some(verdict) => self.after(verdict, reply, &project, &context).await,
            None => Outgoing::of(reply),
        }
    }

    /// What goes wrong with a call.
    fn verdict(&self, call: &Call, method: &str, version: Version, body: &[u8]) -> Option<Verdict> {
        if self.faults.is_empty() {
            return None;
        }
        let name = match call.name() {
            Some(name) => Some(name.to_owned()),
            // The name of what is to be there is in the body.
            None => matches!(call, Call::Insert { .. })
                .then(|| serde_json::from_slice::<Value>(body).ok())
                .flatten()
                .and_then(|body| Some(body.get("name")?.as_str()?.to_owned())),
        };
        let (changes, in_path) = match call {
            Call::Insert { .. } => (true, false),
            Call::Update { .. } | Call::Patch { .. } | Call::Delete { .. } => (true, true),
            Call::Verb { verb, .. } => (!matches!(verb.effect, VerbEffect::Answer(_)), true),
            _ => (false, false),
        };
        let facts = Facts {
            method,
            google: &service::method(method, call.place()),
            project: call.project(),
            name: name.as_deref(),
            version,
            changes,
            in_path,
        };
        self.faults.decide(&Event::Call(facts), self.clock.now())
    }

    /// What goes wrong instead of the call being carried out. Nothing: it is carried out now.
    async fn before(&self, verdict: &Verdict, call: &Call) -> Option<Outgoing> {
        let (reply, retry_after) = match &verdict.fault {
            Fault::Throttle { status, retry_after } => {
                let number = self.state().projects.get(call.project()).map_or(0, |project| project.number);
                (answer::throttled(*status, number), *retry_after)
            }
            Fault::Error { status, reason, message, retry_after } => {
                (answer::error(*status, reason.as_deref(), message.as_deref(), "global"), *retry_after)
            }
            Fault::NotReady {} => (ApiError::not_ready_text(&call.about()).into(), None),
            Fault::Html { status } => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_GATEWAY);
                let reply = Reply { status, body: None };
                return Some(Outgoing { delivery: Delivery::Html, ..Outgoing::of(reply) });
            }
            Fault::Reset { when: Moment::BeforeCommit } => return Some(Outgoing::ending(Delivery::Reset)),
            Fault::Drop { when: Moment::BeforeCommit } => return Some(Outgoing::ending(Delivery::Close)),
            Fault::Hang { when: Moment::BeforeCommit } => return self.hang(verdict).await,
            Fault::StaleFingerprint {} => {
                self.outdate(call);
                return None;
            }
            _ => return None,
        };
        let mut outgoing = Outgoing::of(reply);
        if let Some(seconds) = retry_after {
            outgoing.headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
        }
        Some(outgoing)
    }

    /// What goes wrong with the answer to a call that was carried out.
    async fn after(&self, verdict: &Verdict, reply: Reply, project: &str, context: &Context<'_>) -> Outgoing {
        let delivery = match &verdict.fault {
            Fault::Truncate {} => Delivery::Cut,
            Fault::Reset { when: Moment::AfterCommit } => return Outgoing::ending(Delivery::Reset),
            Fault::Drop { when: Moment::AfterCommit } => return Outgoing::ending(Delivery::Close),
            Fault::Hang { when: Moment::AfterCommit } => {
                if let Some(ended) = self.hang(verdict).await {
                    return ended;
                }
                Delivery::Whole
            }
            Fault::Unreachable { scopes } if reply.status == StatusCode::OK => {
                if context.query.get("returnPartialSuccess").is_none_or(|wanted| wanted != "true") {
                    return Outgoing::of(answer::error(503, None, None, "global"));
                }
                let list = reply.body.unwrap_or_default();
                let partial = answer::without(list, scopes, &context.base, project);
                return Outgoing::of(Reply::ok(partial));
            }
            Fault::HealthStatus { state, address } if reply.status == StatusCode::OK => {
                let health = reply.body.unwrap_or_default();
                return Outgoing::of(Reply::ok(answer::with_health(health, *state, *address)));
            }
            _ => Delivery::Whole,
        };
        Outgoing { delivery, ..Outgoing::of(reply) }
    }

    /// Hangs until the rule is gone; then the call goes on. At shutdown it ends.
    async fn hang(&self, verdict: &Verdict) -> Option<Outgoing> {
        tokio::select! {
            () = verdict.gone.cancelled() => None,
            () = self.stop.cancelled() => Some(Outgoing::ending(Delivery::Close)),
        }
    }

    /// Changes a resource as somebody else would who was a moment faster: it is another generation then.
    fn outdate(&self, call: &Call) {
        let Some(path) = call.resource_path() else { return };
        let mut state = self.state();
        let path = Self::name(&state, path.clone());
        if state.in_flight(&path).is_some() {
            return;
        }
        if let Some(stored) = state.get(&path) {
            let mut changed = Stored::clone(stored);
            changed.generation += 1;
            state.put(&path, changed);
        }
    }
}
