//! One attempt: a request goes to an endpoint, and its answer begins.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, Response};
use hyper::body::Incoming;

use super::body::RequestBody;
use super::forward::ForwardError;
use super::open;
use crate::dataplane::affinity::Wish;
use crate::dataplane::disturbance::Disturbed;
use crate::dataplane::endpoint::Endpoint;
use crate::dataplane::pool::{Http1Connection, Http2Connection};
use crate::dataplane::program::BackendProtocol;
use crate::dataplane::shared::Shared;
use crate::dataplane::tables::ServiceTable;

/// What a backend service's protocol means on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wire {
    /// HTTP/1.1, else HTTP/2.
    pub(super) http1: bool,
    pub(super) tls: bool,
}

impl Wire {
    pub(super) fn of(protocol: BackendProtocol) -> Self {
        let http1 = matches!(protocol, BackendProtocol::Http | BackendProtocol::Https);
        let tls = matches!(protocol, BackendProtocol::Https | BackendProtocol::Http2);
        Self { http1, tls }
    }
}

/// A backend connection in use. Dropped, the connection ends; given back, it is kept.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) endpoint: Arc<Endpoint>,
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

/// Sends a request to one healthy endpoint, once.
pub(super) async fn attempt(
    shared: &Shared,
    service: &ServiceTable,
    wish: Wish,
    request: Request<RequestBody>,
) -> Result<(Response<Incoming>, Lease), ForwardError> {
    let endpoint = service.pick(wish).ok_or(ForwardError::NoHealthyBackend)?;
    let target = endpoint.target.map_err(ForwardError::Refused)?;
    if !endpoint.is_admitted() {
        // The packets are dropped, so the wait is that of a connection nobody answers.
        tokio::time::sleep(shared.connector.timeout()).await;
        return Err(ForwardError::Firewall);
    }
    let known = &endpoint.key.endpoint;
    let disturbance = shared.config.disturbance.as_ref();
    match disturbance.and_then(|room| room.request(&endpoint.key.service, known.address, known.port)) {
        // Whoever waits has a time-out.
        Some(Disturbed::Stalls) => std::future::pending().await,
        Some(Disturbed::Resets) => return Err(ForwardError::BrokenOff),
        None => {}
    }
    let Wire { http1, tls } = Wire::of(service.protocol);
    if http1 {
        send_http1(shared, endpoint, target, tls, request).await
    } else {
        send_http2(shared, endpoint, target, tls, request).await
    }
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
