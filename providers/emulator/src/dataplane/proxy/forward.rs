//! Passing a request to an endpoint and its answer back.

use std::net::SocketAddr;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Response, StatusCode, Uri, Version, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;

use super::body::{self, RequestBody, ResponseBody};
use super::{headers, open, tunnel};
use crate::dataplane::answer::AnswerBody;
use crate::dataplane::connect::ConnectError;
use crate::dataplane::connection::Client;
use crate::dataplane::dial::DialRefused;
use crate::dataplane::endpoint::Endpoint;
use crate::dataplane::pool::{Http1Connection, Http2Connection};
use crate::dataplane::program::{BackendProtocol, Scheme};
use crate::dataplane::shared::Shared;
use crate::dataplane::tables::ServiceTable;

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
    #[error("the request cannot be written for the endpoint")]
    Unsendable(#[from] http::Error),
    #[error("the endpoint changed protocol without being asked")]
    UnaskedUpgrade,
    #[error("the endpoint did not answer within the time-out of the backend service")]
    Timeout,
}

/// A backend connection in use. Dropped, the connection ends; given back, it is kept.
#[derive(Debug)]
pub(super) struct Lease {
    endpoint: Arc<Endpoint>,
    /// None for HTTP/2, which is shared rather than lent.
    connection: Option<Http1Connection>,
}

impl Lease {
    pub(super) fn give_back(self) {
        if let Some(connection) = self.connection {
            self.endpoint.pool.put(connection);
        }
    }
}

/// Sends the request to one healthy endpoint, once.
pub(super) async fn forward(
    client: &Client,
    service: &ServiceTable,
    scheme: Scheme,
    authority: &str,
    mut request: Request<Incoming>,
) -> Result<Response<AnswerBody>, ForwardError> {
    let shared = &client.place.shared;
    let endpoint = service.pick().ok_or(ForwardError::NoHealthyBackend)?;
    let target = endpoint.target.map_err(ForwardError::Refused)?;
    if !endpoint.is_admitted() {
        // The packets are dropped, so the wait is that of a connection nobody answers.
        tokio::time::sleep(shared.connector.timeout()).await;
        return Err(ForwardError::Firewall);
    }
    let http1 = matches!(service.protocol, BackendProtocol::Http | BackendProtocol::Https);
    let tls = matches!(service.protocol, BackendProtocol::Https | BackendProtocol::Http2);
    let upgrade =
        headers::upgrade(request.headers()).filter(|_| http1 && request.version() == Version::HTTP_11);
    let client_side = upgrade.as_ref().map(|_| hyper::upgrade::on(&mut request));

    let (outgoing, end) = outgoing(client, authority, http1, tls, upgrade, request)?;
    let mut deadline = body::deadline(end, service.timeout);
    let sent = async {
        if http1 {
            send_http1(shared, endpoint, target, tls, outgoing).await
        } else {
            send_http2(shared, endpoint, target, tls, outgoing).await
        }
    };
    let (mut response, lease) = tokio::select! {
        sent = sent => sent?,
        () = &mut deadline => return Err(ForwardError::Timeout),
    };

    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let client_side = client_side.ok_or(ForwardError::UnaskedUpgrade)?;
        let protocol = headers::upgrade(response.headers()).ok_or(ForwardError::UnaskedUpgrade)?;
        let backend_side = hyper::upgrade::on(&mut response);
        // A classic load balancer limits the life of a WebSocket, a managed one does not.
        let lifetime = (scheme == Scheme::Classic).then_some(service.timeout);
        tunnel::start(client, endpoint.gone.clone(), lifetime, client_side, backend_side, lease);
        let mut answer =
            incoming(response).map(|_| Empty::new().map_err(|never| match never {}).boxed_unsync());
        headers::set_upgrade(answer.headers_mut(), protocol);
        return Ok(answer);
    }
    Ok(incoming(response).map(|body| ResponseBody::new(body, deadline, lease).boxed_unsync()))
}

/// The request as the backend gets it.
fn outgoing(
    client: &Client,
    authority: &str,
    http1: bool,
    tls: bool,
    upgrade: Option<HeaderValue>,
    request: Request<Incoming>,
) -> Result<(Request<RequestBody>, body::RequestEnd), http::Error> {
    let (parts, body) = request.into_parts();
    let own = client.place.address.ip();
    // HTTP/1.0 without a host: the backend still needs one.
    let host = if authority.is_empty() { own.to_string() } else { authority.to_owned() };
    let path = parts.uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
    let uri = if http1 {
        Uri::from(path)
    } else {
        let scheme = if tls { "https" } else { "http" };
        Uri::builder().scheme(scheme).authority(host.as_str()).path_and_query(path).build()?
    };
    let mut fields = parts.headers;
    let trailers = fields.get(header::TE).is_some_and(|te| te.as_bytes().eq_ignore_ascii_case(b"trailers"));
    headers::remove_hop_by_hop(&mut fields);
    headers::join_cookies(&mut fields);
    headers::add_forwarded(&mut fields, client.address, own, client.scheme);
    if http1 {
        fields.insert(header::HOST, HeaderValue::try_from(host)?);
        if let Some(protocol) = upgrade {
            headers::set_upgrade(&mut fields, protocol);
        }
    } else {
        // It is the URI's authority there.
        fields.remove(header::HOST);
        if trailers {
            fields.insert(header::TE, HeaderValue::from_static("trailers"));
        }
    }
    let (body, end) = RequestBody::new(body);
    let mut outgoing = Request::new(body);
    *outgoing.method_mut() = parts.method;
    *outgoing.uri_mut() = uri;
    *outgoing.version_mut() = if http1 { Version::HTTP_11 } else { Version::HTTP_2 };
    *outgoing.headers_mut() = fields;
    Ok((outgoing, end))
}

/// The answer as the client gets it.
fn incoming(response: Response<Incoming>) -> Response<Incoming> {
    let (parts, body) = response.into_parts();
    let mut fields = parts.headers;
    headers::remove_hop_by_hop(&mut fields);
    headers::add_via(&mut fields);
    let mut answer = Response::new(body);
    *answer.status_mut() = parts.status;
    *answer.headers_mut() = fields;
    answer
}

async fn send_http1(
    shared: &Shared,
    endpoint: &Arc<Endpoint>,
    target: SocketAddr,
    tls: bool,
    mut request: Request<RequestBody>,
) -> Result<(Response<Incoming>, Lease), ForwardError> {
    loop {
        let kept = endpoint.pool.take(tls);
        let was_kept = kept.is_some();
        let mut connection = match kept {
            Some(connection) => connection,
            None => open::http1(shared, endpoint, target, tls).await?,
        };
        match connection.sender.try_send_request(request).await {
            Ok(response) => {
                return Ok((response, Lease { endpoint: endpoint.clone(), connection: Some(connection) }));
            }
            Err(mut error) => match error.take_message() {
                // The kept connection was dead and not a byte of the request was written.
                Some(unsent) if was_kept => request = unsent,
                _ => return Err(ForwardError::Exchange(error.into_error())),
            },
        }
    }
}

async fn send_http2(
    shared: &Shared,
    endpoint: &Arc<Endpoint>,
    target: SocketAddr,
    tls: bool,
    mut request: Request<RequestBody>,
) -> Result<(Response<Incoming>, Lease), ForwardError> {
    loop {
        let mut held = endpoint.pool.http2().await;
        let kept = held.clone().filter(|kept| kept.tls == tls && !kept.sender.is_closed());
        let was_kept = kept.is_some();
        let Http2Connection { mut sender, .. } = match kept {
            Some(kept) => kept,
            None => held.insert(open::http2(shared, endpoint, target, tls).await?).clone(),
        };
        drop(held);
        match sender.try_send_request(request).await {
            Ok(response) => return Ok((response, Lease { endpoint: endpoint.clone(), connection: None })),
            Err(mut error) => match error.take_message() {
                Some(unsent) if was_kept => request = unsent,
                _ => return Err(ForwardError::Exchange(error.into_error())),
            },
        }
    }
}
