//! One request: routed, and answered here or passed to a backend.
//!
//! Bodies stream in both directions, nothing is held. A request is sent once: there are no retries, save for a
//! kept connection that turns out to be dead before a byte of the request was written.

mod body;
mod forward;
mod headers;
mod open;
mod tunnel;

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;

pub(super) use self::body::{BodyError, RequestBody};
use self::forward::ForwardError;
use super::answer::{self, AnswerBody};
use super::connection::Client;
use super::program::{Abort, Routing, Scheme};
use super::route::{RequestHead, RequestUrl, Routed, location, route};
use super::tables::{FrontendTable, ServiceTable, Tables};

/// Answers one request. Never fails: what goes wrong is an answer.
pub(super) async fn handle(client: &Arc<Client>, request: Request<Incoming>) -> Response<AnswerBody> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let response = answer(client, request).await;
    tracing::debug!(
        frontend = %client.place.address, %method, path, status = response.status().as_u16(), "answered"
    );
    response
}

async fn answer(client: &Arc<Client>, request: Request<Incoming>) -> Response<AnswerBody> {
    let tables = client.place.shared.tables();
    let Some(frontend) = tables.frontends.get(&client.place.address) else {
        return closing(answer::page(StatusCode::NOT_FOUND, "This load balancer has just been removed."));
    };
    let authority = match authority(&request) {
        Ok(authority) => authority,
        Err(sentence) => return closing(answer::page(StatusCode::BAD_REQUEST, sentence)),
    };
    if request.method() == Method::CONNECT {
        return closing(answer::page(StatusCode::BAD_REQUEST, "CONNECT is not served."));
    }
    match decide(client, &tables, frontend, &request, &authority) {
        Decision::Answer(response) => response,
        Decision::Forward(service) => {
            let scheme = frontend.frontend.scheme;
            match forward::forward(client, service, scheme, &authority, request).await {
                Ok(response) => response,
                Err(error) => failure(scheme, &error),
            }
        }
    }
}

enum Decision<'a> {
    Answer(Response<AnswerBody>),
    Forward(&'a Arc<ServiceTable>),
}

fn decide<'a>(
    client: &Client,
    tables: &'a Tables,
    frontend: &FrontendTable,
    request: &Request<Incoming>,
    authority: &str,
) -> Decision<'a> {
    let nowhere = |why: &str| Decision::Answer(answer::page(StatusCode::NOT_FOUND, why));
    let url_map = match &frontend.frontend.routing {
        Routing::UrlMap(id) => match tables.url_maps.get(id) {
            Some(url_map) => url_map,
            None => return nowhere("The URL map does not exist."),
        },
        Routing::Unprogrammed(why) => return nowhere(why),
    };
    let uri = request.uri();
    let head = RequestHead {
        authority,
        path: uri.path(),
        query: uri.query(),
        method: request.method().as_str(),
        headers: request.headers(),
    };
    match route(url_map, &head) {
        Routed::Nowhere(why) => nowhere(why),
        Routed::Redirect { redirect, matched } => {
            let own = client.place.address.to_string();
            let authority = if authority.is_empty() { own.as_str() } else { authority };
            let url = RequestUrl { scheme: client.scheme, authority, path: uri.path(), query: uri.query() };
            // 443 with the offset; an offset that leads past the last port leads nowhere, so any text will do.
            let https_port = 443_u16.saturating_add(client.place.shared.config.port_offset);
            let location = location(redirect, &url, matched, https_port);
            Decision::Answer(answer::redirect(redirect.code.status(), &location))
        }
        // Fault injection belongs to the managed load balancers; a classic one does not know it.
        Routed::Aborting { service: _, abort, matched: _ }
            if frontend.frontend.scheme == Scheme::Managed && drawn(abort) =>
        {
            Decision::Answer(aborted(abort))
        }
        Routed::Service { service, matched: _ } | Routed::Aborting { service, abort: _, matched: _ } => {
            match tables.services.get(service) {
                Some(service) => Decision::Forward(service),
                None => Decision::Answer(failure(frontend.frontend.scheme, &ForwardError::NoHealthyBackend)),
            }
        }
    }
}

/// Whether this request is among those that a fault policy aborts.
fn drawn(abort: &Abort) -> bool {
    rand::random_range(0..1_000_000) < abort.per_million
}

fn aborted(abort: &Abort) -> Response<AnswerBody> {
    // The compiler of the program lets nothing through that is no status.
    let status = StatusCode::from_u16(abort.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer::page(status, "The URL map's fault policy ends this request here.")
}

/// The host the client asked for, with its port if it named one; empty for HTTP/1.0 without a host.
fn authority(request: &Request<Incoming>) -> Result<String, &'static str> {
    if let Some(authority) = request.uri().authority() {
        return Ok(authority.as_str().rsplit('@').next().unwrap_or_default().to_owned());
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().map(str::to_owned).map_err(|_| "The Host header is not text."),
        (Some(_), Some(_)) => Err("There is more than one Host header."),
        (None, _) if request.version() < Version::HTTP_11 => Ok(String::new()),
        (None, _) => Err("There is no Host header."),
    }
}

/// What the load balancer answers when a backend did not.
fn failure(scheme: Scheme, error: &ForwardError) -> Response<AnswerBody> {
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
    answer::page(status, sentence)
}

const NO_BACKEND: &str = "No backend is healthy.";
const TIMEOUT: &str = "The backend did not answer in time.";
const BROKEN: &str = "The backend could not be reached, or broke off.";

fn closing(mut response: Response<AnswerBody>) -> Response<AnswerBody> {
    response.headers_mut().insert(header::CONNECTION, http::HeaderValue::from_static("close"));
    response
}
