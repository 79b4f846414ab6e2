//! Kept connections to one endpoint.
//!
//! A request goes out on a kept connection if one is alive, else on a new one. Nothing is ever sent twice: only a
//! request of which hyper says that no byte was written is given another connection.

use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use hyper::client::conn::{http1, http2};

use super::proxy::RequestBody;

/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_mins(1);
/// How many idle connections to one endpoint are kept.
const MOST_IDLE: usize = 64;

/// An HTTP/1.1 connection to a backend.
#[derive(Debug)]
pub(super) struct Http1Connection {
    pub(super) sender: http1::SendRequest<RequestBody>,
    /// The same socket once more, only to look whether the backend has closed it.
    pub(super) socket: TcpStream,
    /// Over TLS or not; a backend service may change its protocol.
    pub(super) tls: bool,
}

#[derive(Debug)]
struct Idle {
    connection: Http1Connection,
    since: Instant,
}

/// The kept connections to one endpoint.
#[derive(Debug, Default)]
pub(super) struct Pool {
    http1: Mutex<Kept>,
    /// One connection carries all requests; the lock is held while it is being made, so that there is one.
    http2: tokio::sync::Mutex<Option<Http2Connection>>,
}

#[derive(Debug, Default)]
struct Kept {
    idle: Vec<Idle>,
    /// Set when the endpoint is taken out: what comes back is closed.
    closed: bool,
}

/// An HTTP/2 connection to a backend.
#[derive(Debug, Clone)]
pub(super) struct Http2Connection {
    pub(super) sender: http2::SendRequest<RequestBody>,
    pub(super) tls: bool,
}

impl Pool {
    /// An idle connection that is alive as far as this machine knows: the most recently used one.
    pub(super) fn take(&self, tls: bool) -> Option<Http1Connection> {
        let mut kept = self.kept();
        let mut busy = Vec::new();
        let found = loop {
            let Some(Idle { mut connection, since }) = kept.idle.pop() else { break None };
            if connection.tls != tls || since.elapsed() > IDLE || peer_closed(&connection.socket) {
                continue;
            }
            match connection.sender.ready().now_or_never() {
                Some(Ok(())) => break Some(connection),
                Some(Err(_)) => {}
                // Its last answer is complete but the connection has not settled yet; another time.
                None => busy.push(Idle { connection, since }),
            }
        };
        kept.idle.append(&mut busy);
        found
    }

    /// Takes a connection back whose answer has been read to its end.
    pub(super) fn put(&self, connection: Http1Connection) {
        let mut kept = self.kept();
        kept.idle.retain(|idle| idle.since.elapsed() <= IDLE && !idle.connection.sender.is_closed());
        if !kept.closed && kept.idle.len() < MOST_IDLE && !connection.sender.is_closed() {
            kept.idle.push(Idle { connection, since: Instant::now() });
        }
    }

    /// The place of the HTTP/2 connection.
    pub(super) async fn http2(&self) -> tokio::sync::MutexGuard<'_, Option<Http2Connection>> {
        self.http2.lock().await
    }

    /// Closes what is idle and keeps nothing from now on.
    pub(super) fn close(&self) {
        let mut kept = self.kept();
        kept.closed = true;
        kept.idle.clear();
    }

    /// The lock guards plain data that is valid after every statement, so a panic elsewhere does not matter.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.http1.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the backend has closed an idle connection, asked of the kernel without waiting. An idle connection has
/// nothing to say, so data counts as closed too.
fn peer_closed(socket: &TcpStream) -> bool {
    match socket.peek(&mut [0]) {
        Ok(_) => true,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}
