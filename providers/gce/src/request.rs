//! One call: from a verb and a path to an answer, over as many tries as the failures allow.

use std::time::Duration;

use bytes::Bytes;
use gce_api::{ErrorBody, Scope};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::transport::Slow;
use crate::{Attempt, Client, Effect, Entered, Error, Knock, Passage, Reached, Refusal, TransportError};

/// A call, ready to be sent.
pub(crate) struct Call {
    pub(crate) verb: &'static str,
    pub(crate) collection: &'static str,
    /// What it is about, for messages.
    pub(crate) resource: String,
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Bytes>,
    effect: Effect,
    timeout: Option<Duration>,
}

impl Call {
    fn new(
        method: Method,
        effect: Effect,
        verb: &'static str,
        collection: &'static str,
        resource: String,
        path: Vec<String>,
    ) -> Self {
        Self {
            verb,
            collection,
            resource,
            method,
            path,
            query: Vec::new(),
            body: None,
            effect,
            timeout: None,
        }
    }

    /// A GET.
    pub(crate) fn get(
        verb: &'static str,
        collection: &'static str,
        resource: String,
        path: Vec<String>,
    ) -> Self {
        Self::new(Method::GET, Effect::Read, verb, collection, resource, path)
    }

    /// A POST that only asks.
    pub(crate) fn ask(
        verb: &'static str,
        collection: &'static str,
        resource: String,
        path: Vec<String>,
    ) -> Self {
        Self::new(Method::POST, Effect::Read, verb, collection, resource, path)
    }

    /// A change.
    pub(crate) fn change(
        method: Method,
        verb: &'static str,
        collection: &'static str,
        resource: String,
        path: Vec<String>,
    ) -> Self {
        Self::new(method, Effect::Change, verb, collection, resource, path)
    }

    pub(crate) fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// Puts a value in the place of one given earlier under the same key.
    pub(crate) fn replace_query(&mut self, key: &'static str, value: String) {
        self.query.retain(|(existing, _)| *existing != key);
        self.query.push((key, value));
    }

    pub(crate) fn body<B: Serialize + ?Sized>(mut self, body: &B) -> Result<Self, Error> {
        let encoded = serde_json::to_vec(body).map_err(|source| Error::Encode {
            verb: self.verb,
            resource: self.resource.clone(),
            source,
        })?;
        self.body = Some(encoded.into());
        Ok(self)
    }

    /// Reads the answer.
    pub(crate) fn decode<T: DeserializeOwned>(&self, answer: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(answer).map_err(|source| Error::Decode {
            verb: self.verb,
            resource: self.resource.clone(),
            source,
        })
    }

    /// The place that its path names.
    fn scope(&self) -> Scope {
        match self.path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["projects", _, "zones", zone, _, ..] => Scope::Zone(zone.to_owned()),
            ["projects", _, "regions", region, _, ..] => Scope::Region(region.to_owned()),
            _ => Scope::Global,
        }
    }

    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// A failed try, and the status if an answer came.
struct Failed {
    error: Error,
    status: Option<u16>,
}

impl Client {
    /// Makes the call and reads its answer.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let answer = self.send(&call).await?;
        call.decode(&answer)
    }

    /// Makes the call and returns the bytes of its answer.
    pub(crate) async fn send(&self, call: &Call) -> Result<Bytes, Error> {
        let span = tracing::debug_span!("compute_call", verb = call.verb, resource = %call.resource);
        self.tries(call).instrument(span).await
    }

    async fn tries(&self, call: &Call) -> Result<Bytes, Error> {
        let mut schedule = self.shared.retry.schedule(call.effect);
        let mut request_id = Uuid::new_v4();
        let mut number = 0;
        loop {
            number += 1;
            let entered = self.enter(call).await?;
            let limit = call.timeout.unwrap_or(self.shared.timeouts.request);
            let patience = match self.remaining() {
                Some(Duration::ZERO) => {
                    return Err(Error::OutOfTime { verb: call.verb, resource: call.resource.clone() });
                }
                Some(remaining) => limit.min(remaining),
                None => limit,
            };
            let started = Instant::now();
            let outcome = self
                .attempt(call, request_id, patience)
                .instrument(tracing::debug_span!("attempt", number))
                .await;
            self.report(call, number, started.elapsed(), &outcome);
            if let Some(entered) = entered {
                entered.answered(passage(&outcome));
            }
            let Failed { error, .. } = match outcome {
                Ok((_, answer)) => return Ok(answer),
                Err(failed) => failed,
            };
            let Some(pause) = schedule.pause(error.retry(), error.retry_after()) else { return Err(error) };
            if self.remaining().is_some_and(|remaining| remaining <= pause) {
                return Err(error);
            }
            tracing::info!(
                verb = call.verb,
                resource = %call.resource,
                attempt = number,
                class = error.retry().as_str(),
                ?pause,
                error = %error,
                "will try again"
            );
            // A server that refused knows that nothing came of it. Only a try whose fate is unknown keeps its id.
            if !error.is_outcome_unknown() {
                request_id = Uuid::new_v4();
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Waits until the gate lets a try through.
    async fn enter(&self, call: &Call) -> Result<Option<Box<dyn Entered>>, Error> {
        let Some(gate) = &self.shared.gate else { return Ok(None) };
        let entering = gate.enter(Knock {
            verb: call.verb,
            collection: call.collection,
            effect: call.effect,
            scope: call.scope(),
            resource: &call.resource,
        });
        let entered = match self.deadline {
            None => entering.await,
            Some(deadline) => tokio::time::timeout_at(deadline, entering)
                .await
                .map_err(|_| Error::OutOfTime { verb: call.verb, resource: call.resource.clone() })?,
        };
        Ok(Some(entered))
    }

    fn report(
        &self,
        call: &Call,
        number: u32,
        latency: Duration,
        outcome: &Result<(StatusCode, Bytes), Failed>,
    ) {
        let (status, failure) = match outcome {
            Ok((status, _)) => (Some(status.as_u16()), None),
            Err(Failed { error, status }) => (*status, Some(error.retry())),
        };
        tracing::debug!(
            verb = call.verb,
            resource = %call.resource,
            attempt = number,
            status,
            latency_ms = u64::try_from(latency.as_millis()).unwrap_or(u64::MAX),
            class = failure.map(crate::Retry::as_str),
            "compute call"
        );
        if let Some(observer) = &self.shared.observer {
            observer.attempt(&Attempt {
                verb: call.verb,
                collection: call.collection,
                resource: &call.resource,
                number,
                status,
                latency,
                failure,
            });
        }
    }

    async fn attempt(
        &self,
        call: &Call,
        request_id: Uuid,
        patience: Duration,
    ) -> Result<(StatusCode, Bytes), Failed> {
        let started = Instant::now();
        let credentials = self.shared.authorizer.headers(patience).await.map_err(|source| Failed {
            error: Error::Authenticate { verb: call.verb, resource: call.resource.clone(), source },
            status: None,
        })?;
        let request =
            self.request(call, request_id, credentials).map_err(|error| Failed { error, status: None })?;
        let left = patience.saturating_sub(started.elapsed());
        let response = match tokio::time::timeout(left, self.shared.transport.send(request)).await {
            Ok(answered) => answered,
            Err(_) => Err(TransportError::new(Reached::Perhaps, Slow(patience))),
        };
        let response = response.map_err(|source| {
            let status = match source.reached() {
                Reached::Status(status) => Some(status),
                Reached::Nobody | Reached::Perhaps => None,
            };
            let error = Error::Transport { verb: call.verb, resource: call.resource.clone(), source };
            Failed { error, status }
        })?;
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let answer = response.into_body();
        if status.is_success() {
            return Ok((status, answer));
        }
        let body: Option<ErrorBody> = serde_json::from_slice(&answer).ok();
        let refusal = Refusal::of_answer(status, body, &answer, retry_after);
        let error =
            Error::Refused { verb: call.verb, resource: call.resource.clone(), refusal: Box::new(refusal) };
        Err(Failed { error, status: Some(status.as_u16()) })
    }

    fn request(
        &self,
        call: &Call,
        request_id: Uuid,
        credentials: HeaderMap,
    ) -> Result<Request<Bytes>, Error> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(self.address(call, request_id).as_str())
            .body(call.body.clone().unwrap_or_default())
            .map_err(|_| Error::Unaddressable {
                verb: call.verb,
                resource: call.resource.clone(),
                problem: "its URL is none for HTTP",
            })?;
        *request.headers_mut() = credentials;
        if call.body.is_some() {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
        } else if call.method == Method::POST {
            // Servers want a length even where there is nothing.
            request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(0));
        }
        Ok(request)
    }

    fn address(&self, call: &Call, request_id: Uuid) -> url::Url {
        let mut url = self.shared.endpoint.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&call.path);
        }
        if call.effect == Effect::Change || !call.query.is_empty() {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(&call.query);
            if call.effect == Effect::Change {
                query.append_pair("requestId", &request_id.to_string());
            }
        }
        url
    }
}

fn passage(outcome: &Result<(StatusCode, Bytes), Failed>) -> Passage {
    match outcome {
        Err(Failed { error, .. }) if error.is_throttled() => {
            Passage::Throttled { retry_after: error.retry_after() }
        }
        Ok(_) | Err(Failed { status: Some(_), .. }) => Passage::LetThrough,
        Err(Failed { status: None, .. }) => Passage::Unknown,
    }
}

/// The `Retry-After` header in its usual form of seconds. The form with a date is not used by the API.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
