//! A request for a backend service: let through or not, answered, and logged.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;

use super::forward::{self, ForwardError};
use super::{bucket, connection, cors, head};
use crate::dataplane::answer::{self, AnswerBody};
use crate::dataplane::connection::Client;
use crate::dataplane::expression::Facts;
use crate::dataplane::guard::Judgement;
use crate::dataplane::program::{Frontend, Guard, Logging, Scheme, SecurityAction, Share};
use crate::dataplane::route::{Forwarding, RequestHead, edits};
use crate::dataplane::tables::Tables;
use crate::dataplane::traffic_log::{Asked, Detail, Entry, Reached, Said};

/// Serves a request that a URL map leads to a backend service.
pub(super) async fn serve(
    client: &Arc<Client>,
    tables: &Tables,
    frontend: &Frontend,
    authority: &str,
    mut forwarding: Forwarding<'_>,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    let begun = Instant::now();
    let nobody = Guard::default();
    let (mut guard, mut logging) = (&nobody, Logging::Off);
    let head = head(authority, &request);
    if let Some(service) = tables.services.get(forwarding.service) {
        let connection = connection(client, request.version());
        let (to_request, to_answer) = edits(&[&service.headers], &head, &connection);
        forwarding.request_edits.splice(0..0, to_request);
        forwarding.response_edits.splice(0..0, to_answer);
        (guard, logging) = (&service.guard, service.logging);
    } else if let Some(bucket) = tables.buckets.get(forwarding.service) {
        let connection = connection(client, request.version());
        let (_, to_answer) = edits(&[&bucket.headers], &head, &connection);
        forwarding.response_edits.splice(0..0, to_answer);
        (guard, logging) = (&bucket.guard, Logging::Sampled(Share::ALL));
    }
    let judgement = Judgement::of(guard, &facts(client, &head));
    forwarding.request_edits.splice(0..0, judgement.headers());
    let asked = is_logged(logging).then(|| asked(client, &head, &request));
    let Outcome { response, detail, reached } = match judgement.against() {
        Some(SecurityAction::Redirect(target)) => {
            Outcome::own(answer::redirect(StatusCode::FOUND, target), Detail::RedirectedBySecurityPolicy)
        }
        Some(SecurityAction::Deny(status)) => Outcome::own(
            answer::page(*status, "A security policy does not let this request through."),
            Detail::DeniedBySecurityPolicy,
        ),
        Some(SecurityAction::Allow) | None => {
            forwarded(client, tables, frontend.scheme, authority, &forwarding, request).await
        }
    };
    if let Some(asked) = asked {
        client.place.shared.traffic.add(Entry {
            number: 0,
            at: client.place.shared.config.clock.now(),
            forwarding_rule: frontend.id.clone(),
            backend_service: forwarding.service.clone(),
            asked,
            status: response.status(),
            detail,
            reached,
            took: begun.elapsed(),
            said: judgement.spoken.iter().map(Said::of).collect(),
        });
    }
    response
}

/// What became of a request.
struct Outcome {
    response: Response<AnswerBody>,
    detail: Detail,
    reached: Option<Reached>,
}

impl Outcome {
    /// The load balancer answers itself.
    fn own(response: Response<AnswerBody>, detail: Detail) -> Self {
        Self { response, detail, reached: None }
    }
}

fn facts<'a>(client: &Client, head: &RequestHead<'a>) -> Facts<'a> {
    let RequestHead { authority, path, query, method, headers } = *head;
    let (client, scheme) = (client.address.ip(), client.scheme());
    Facts { client, scheme, authority, method, path, query: query.unwrap_or_default(), headers }
}

fn is_logged(logging: Logging) -> bool {
    match logging {
        Logging::Off => false,
        Logging::Sampled(share) => share.holds(rand::random()),
    }
}

fn asked(client: &Client, head: &RequestHead<'_>, request: &Request<Incoming>) -> Asked {
    let RequestHead { authority, path, query, method, headers } = *head;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let agent = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes);
    Asked {
        client: client.address,
        method: method.to_owned(),
        url: format!("{}://{authority}{path}{query}", client.scheme()),
        protocol: connection(client, request.version()).protocol.to_owned(),
        user_agent: agent.map(|agent| String::from_utf8_lossy(agent).into_owned()).unwrap_or_default(),
    }
}

/// First what the load balancer answers or does itself.
async fn forwarded(
    client: &Client,
    tables: &Tables,
    scheme: Scheme,
    authority: &str,
    forwarding: &Forwarding<'_>,
    request: Request<Incoming>,
) -> Outcome {
    let cross_origin =
        forwarding.cors.and_then(|policy| Some((policy, cors::allowed(policy, request.headers())?)));
    if let Some((policy, origin)) = &cross_origin
        && cors::is_preflight(request.method(), request.headers())
    {
        let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
        *response.headers_mut() = cors::preflight(policy, origin.clone());
        return Outcome::own(response, Detail::Preflight);
    }
    if let Some(wait) = forwarding.delay {
        tokio::time::sleep(wait).await;
    }
    if let Some(status) = forwarding.abort {
        let page = answer::page(status, "The URL map's fault policy ends this request here.");
        return Outcome::own(page, Detail::Aborted);
    }
    let answered = match tables.buckets.get(forwarding.service) {
        Some(named) => {
            let buckets = &client.place.shared.config.buckets;
            Ok((bucket::answer(buckets, named, forwarding, &request), None))
        }
        None => forward::forward(client, tables, scheme, authority, forwarding, request)
            .await
            .map(|(response, reached)| (response, Some(reached))),
    };
    match answered {
        Ok((mut response, reached)) => {
            if let Some((policy, origin)) = cross_origin {
                cors::admit(policy, origin, response.headers_mut());
            }
            Outcome { response, detail: Detail::ByBackend, reached }
        }
        Err(error) => failure(scheme, &error),
    }
}

/// What the load balancer answers when a backend did not.
fn failure(scheme: Scheme, error: &ForwardError) -> Outcome {
    let (status, sentence) = match (error, scheme) {
        (ForwardError::NoHealthyBackend, Scheme::Classic) => (StatusCode::BAD_GATEWAY, NO_BACKEND),
        (ForwardError::NoHealthyBackend, Scheme::Managed) => (StatusCode::SERVICE_UNAVAILABLE, NO_BACKEND),
        (ForwardError::Timeout, Scheme::Classic) => (StatusCode::BAD_GATEWAY, TIMEOUT),
        (ForwardError::Timeout, Scheme::Managed) => (StatusCode::GATEWAY_TIMEOUT, TIMEOUT),
        (
            ForwardError::Refused(_)
            | ForwardError::Firewall
            | ForwardError::Connect(_)
            | ForwardError::Exchange(_)
            | ForwardError::BrokenOff
            | ForwardError::Unsendable(_)
            | ForwardError::UnaskedUpgrade,
            _,
        ) => (StatusCode::BAD_GATEWAY, BROKEN),
    };
    tracing::debug!(
        status = status.as_u16(),
        error = error as &dyn std::error::Error,
        "no answer from a backend"
    );
    let detail = match error {
        ForwardError::NoHealthyBackend => Detail::NoHealthyBackend,
        ForwardError::Timeout => Detail::BackendTimeout,
        ForwardError::Refused(_) | ForwardError::Firewall | ForwardError::Connect(_) => Detail::Unreachable,
        ForwardError::Exchange(_)
        | ForwardError::BrokenOff
        | ForwardError::Unsendable(_)
        | ForwardError::UnaskedUpgrade => Detail::BrokenOff,
    };
    Outcome::own(answer::page(status, sentence), detail)
}

const NO_BACKEND: &str = "No backend is healthy.";
const TIMEOUT: &str = "The backend did not answer in time.";
const BROKEN: &str = "The backend could not be reached, or broke off.";
