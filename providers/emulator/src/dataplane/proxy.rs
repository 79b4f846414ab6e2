//! One request: routed, and answered here or passed to a backend.
//!
//! Bodies stream in both directions. Nothing is held but what a retry policy may need to send again; without one a
//! request is sent once, save for a kept connection that turns out to be dead before a byte of it was written.

mod body;
mod bucket;
mod cors;
mod exchange;
mod forward;
mod headers;
mod mirror;
mod open;
mod outgoing;
mod retry;
mod service;
mod tunnel;

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode, Version, header};
use hyper::body::Incoming;

pub(super) use self::body::{BodyError, RequestBody};
use super::answer::{self, AnswerBody};
use super::connection::Client;
use super::program::{Redirect, Routing, Scheme, UrlMap};
use super::route::{Circumstances, Connection, Draws, RequestHead, RequestUrl, Routed, location, route};

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
    let nowhere = |why: &str| answer::page(StatusCode::NOT_FOUND, why);
    let url_map = match &frontend.frontend.routing {
        Routing::UrlMap(id) => match tables.url_maps.get(id) {
            Some(url_map) => url_map,
            None => return nowhere("The URL map does not exist."),
        },
        Routing::Unprogrammed(why) => return nowhere(why),
    };
    let scheme = frontend.frontend.scheme;
    let head = head(&authority, &request);
    let connection = connection(client, request.version());
    match routed(url_map, scheme, &head, connection) {
        Routed::Nowhere(why) => nowhere(why),
        Routed::Redirect { redirect, matched } => {
            redirected(client, redirect, matched, &authority, request.uri())
        }
        Routed::Forward(forwarding) => {
            service::serve(client, &tables, &frontend.frontend, &authority, *forwarding, request).await
        }
    }
}

fn routed<'a>(
    url_map: &'a UrlMap,
    scheme: Scheme,
    head: &RequestHead<'_>,
    connection: Connection<'_>,
) -> Routed<'a> {
    let draws = Draws {
        service: rand::random(),
        abort: rand::random(),
        delay: rand::random(),
        mirror: rand::random(),
    };
    route(url_map, head, &Circumstances { scheme, draws, connection })
}

fn head<'a>(authority: &'a str, request: &'a Request<Incoming>) -> RequestHead<'a> {
    RequestHead {
        authority,
        path: request.uri().path(),
        query: request.uri().query(),
        method: request.method().as_str(),
        headers: request.headers(),
    }
}

fn connection(client: &Client, version: Version) -> Connection<'_> {
    let server = client.place.address;
    Connection {
        client: (client.address.ip(), client.address.port()),
        server: (server.ip(), server.port()),
        protocol: match version {
            Version::HTTP_10 => "HTTP/1.0",
            Version::HTTP_2 => "HTTP/2",
            _ => "HTTP/1.1",
        },
        tls: client.tls.as_ref(),
    }
}

fn redirected(
    client: &Client,
    redirect: &Redirect,
    matched: usize,
    authority: &str,
    uri: &http::Uri,
) -> Response<AnswerBody> {
    let own = client.place.address.to_string();
    let authority = if authority.is_empty() { own.as_str() } else { authority };
    let url = RequestUrl { scheme: client.scheme(), authority, path: uri.path(), query: uri.query() };
    // 443 with the offset; an offset that leads past the last port leads nowhere, so any text will do.
    let https_port = 443_u16.saturating_add(client.place.shared.config.port_offset);
    let location = location(redirect, &url, matched, https_port);
    answer::redirect(redirect.code.status(), &location)
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

fn closing(mut response: Response<AnswerBody>) -> Response<AnswerBody> {
    response.headers_mut().insert(header::CONNECTION, http::HeaderValue::from_static("close"));
    response
}
