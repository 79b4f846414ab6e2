//! Passing a request to a backend service and its answer back.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, Version, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;

use super::body::{self, Deadline, Keep, RequestSource, ResponseBody};
use super::exchange::{self, Lease, Wire};
use super::outgoing::{self, Changes, Head};
use super::{headers, mirror, retry, tunnel};
use crate::dataplane::affinity::{Session, Wish};
use crate::dataplane::answer::AnswerBody;
use crate::dataplane::connect::ConnectError;
use crate::dataplane::connection::Client;
use crate::dataplane::dial::DialRefused;
use crate::dataplane::program::{RetryPolicy, Scheme};
use crate::dataplane::route::Forwarding;
use crate::dataplane::shared::Shared;
use crate::dataplane::tables::{ServiceTable, Tables};
use crate::dataplane::traffic_log::Reached;

/// Why there is no answer from a backend.
#[derive(Debug, thiserror::Error)]
pub(super) enum ForwardError {
    #[error("no endpoint of the backend service is healthy")]
    NoHealthyBackend,
    #[error("no firewall rule lets the request through to the endpoint")]
    Firewall,
    #[error("the endpoint may not be dialled")]
    Refused(#[source] DialRefused),
    #[error("the endpoint cannot be reached")]
    Connect(#[from] ConnectError),
    #[error("the exchange with the endpoint broke off")]
    Exchange(#[source] hyper::Error),
    #[error("the endpoint broke the connection off, as a fault rule says")]
    BrokenOff,
    #[error("the request cannot be written for the endpoint")]
    Unsendable(#[from] http::Error),
    #[error("the endpoint changed protocol without being asked")]
    UnaskedUpgrade,
    #[error("the endpoint did not answer within its time-out")]
    Timeout,
}

/// Sends the request to the backend service that was chosen, and a copy where the URL map says so.
pub(super) async fn forward(
    client: &Client,
    tables: &Tables,
    scheme: Scheme,
    authority: &str,
    forwarding: &Forwarding<'_>,
    mut request: Request<Incoming>,
) -> Result<(Response<AnswerBody>, Reached), ForwardError> {
    let shared = &client.place.shared;
    let service = tables.services.get(forwarding.service).ok_or(ForwardError::NoHealthyBackend)?;
    let timeout = timeout(tables, service, forwarding);
    let session = Session::of(&service.affinity, client.address.ip(), request.headers(), rand::random());
    let wire = Wire::of(service.protocol);
    let upgrade =
        headers::upgrade(request.headers()).filter(|_| wire.http1 && request.version() == Version::HTTP_11);
    let client_side = upgrade.as_ref().map(|_| hyper::upgrade::on(&mut request));

    // HTTP/1.0 without a host: the backend still needs one.
    let own = match client.place.address.ip() {
        IpAddr::V4(own) => own.to_string(),
        IpAddr::V6(own) => format!("[{own}]"),
    };
    let host = forwarding.host.unwrap_or(if authority.is_empty() { &own } else { authority });
    let changes = Changes {
        host,
        path: forwarding.path.as_deref(),
        edits: &forwarding.request_edits,
        upgrade: upgrade.as_ref(),
    };
    let (parts, body) = request.into_parts();
    let head = Head::new(client, &parts, wire, changes)?;
    let keep = if forwarding.retry.is_some() { Keep::ForRetries } else { Keep::Nothing };
    let source = RequestSource::new(body, keep);
    if let Some(policy) = forwarding.mirror
        && upgrade.is_none()
        && let Some(service) = tables.services.get(&policy.service)
    {
        let host = mirror::shadow(host);
        let head = Head::new(client, &parts, Wire::of(service.protocol), Changes { host: &host, ..changes })?;
        mirror::start(client, Arc::clone(service), head, source.copy());
    }

    let mut deadline = body::deadline(source.ended.clone(), timeout);
    let sent = attempts(shared, service, session.wish, &head, &source, forwarding.retry);
    let (mut response, lease) = tokio::select! {
        sent = sent => sent?,
        () = &mut deadline => return Err(ForwardError::Timeout),
    };
    let cookie = session.set_cookie(lease.endpoint.identity);
    let reached = Reached::of(&lease.endpoint.key);

    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let client_side = client_side.ok_or(ForwardError::UnaskedUpgrade)?;
        let protocol = headers::upgrade(response.headers()).ok_or(ForwardError::UnaskedUpgrade)?;
        let backend_side = hyper::upgrade::on(&mut response);
        // A classic load balancer limits the life of a WebSocket, a managed one does not.
        let lifetime = (scheme == Scheme::Classic).then_some(timeout);
        tunnel::start(client, lease.endpoint.gone.clone(), lifetime, client_side, backend_side, lease);
        let mut answer = outgoing::answer(response, &forwarding.response_edits)
            .map(|_| Empty::new().map_err(|never| match never {}).boxed_unsync());
        headers::set_upgrade(answer.headers_mut(), protocol);
        set_cookie(&mut answer, cookie);
        return Ok((answer, reached));
    }
    let mut answer = outgoing::answer(response, &forwarding.response_edits);
    set_cookie(&mut answer, cookie);
    Ok((answer.map(|body| ResponseBody::new(body, deadline, lease).boxed_unsync()), reached))
}

fn set_cookie<B>(answer: &mut Response<B>, cookie: Option<HeaderValue>) {
    if let Some(cookie) = cookie {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

/// The route's time-out, else the longest of the backend services it may lead to.
fn timeout(tables: &Tables, service: &ServiceTable, forwarding: &Forwarding<'_>) -> Duration {
    let candidates = forwarding.candidates.iter();
    let longest =
        candidates.filter_map(|candidate| Some(tables.services.get(&candidate.service)?.timeout)).max();
    forwarding.timeout.or(longest).unwrap_or(service.timeout)
}

/// Sends the request until there is an answer that the policy is content with, or no attempt is left.
async fn attempts(
    shared: &Shared,
    service: &ServiceTable,
    wish: Wish,
    head: &Head,
    source: &RequestSource,
    policy: Option<&RetryPolicy>,
) -> Result<(Response<Incoming>, Lease), ForwardError> {
    let mut made = 0;
    loop {
        let request = head.clone().with(source.body());
        let sent = exchange::attempt(shared, service, wish, request);
        let Some(RetryPolicy { retries, per_try, conditions }) = policy else { return sent.await };
        let sent = match per_try {
            None => sent.await,
            Some(per_try) => {
                let time_up: Deadline = body::deadline(source.ended.clone(), *per_try);
                tokio::select! {
                    sent = sent => sent,
                    () = time_up => Err(ForwardError::Timeout),
                }
            }
        };
        let again = match &sent {
            Ok((response, _)) => retry::answered(conditions, response),
            Err(error) => retry::failed(conditions, error),
        };
        if !again || made >= *retries || !source.can_be_sent_again() {
            return sent;
        }
        drop(sent);
        tokio::time::sleep(retry::wait(made)).await;
        made += 1;
    }
}
