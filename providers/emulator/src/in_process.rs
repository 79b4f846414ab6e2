//! Calls without a socket: the same handler that listeners use, for clients in the same process.

use crate::engine::Engine;
use crate::exchange::ConnectionEnd;
use crate::server;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use std::sync::Arc;

/// Whether the emulator uses the machine's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sockets {
    /// It listens, serves and probes.
    #[default]
    Open,
    /// It touches no socket. Calls come through [`Running::caller`](crate::Running::caller). Nothing listens for forwarding
    /// rules, no metadata server is there, and every probe that a firewall lets through succeeds, unless a fault rule fails
    /// it: thresholds, intervals and who is probed at all are as ever. Everything then goes by tokio's clock alone, which
    /// may be paused.
    None,
}

/// Makes calls to an emulator in the same process. Clones call the same one. They do not keep it alive.
#[derive(Clone)]
pub struct Caller(pub(crate) Arc<Engine>);

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").finish_non_exhaustive()
    }
}

/// Instead of an answer, the connection would have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Nobody is there: the emulator was shut down.
    #[error("connection refused: the emulator has stopped")]
    Refused,
    /// It would have been closed in good order.
    #[error("the connection was closed before an answer came")]
    Closed,
    /// It would have been reset.
    #[error("the connection was reset by the server")]
    Reset,
}

impl Caller {
    /// Makes a call: path and query count, whatever the rest of the URL. Dropping the future is what going away is for a
    /// client on the network: what was accepted goes on.
    ///
    /// # Errors
    /// What would have been the end of the connection.
    pub async fn call(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        if self.0.stop.is_cancelled() {
            return Err(Unanswered::Refused);
        }
        let (parts, body) = request.into_parts();
        let response = server::answer(&self.0, parts, Ok(body.to_vec())).await;
        match response.extensions().get::<ConnectionEnd>() {
            Some(ConnectionEnd::Closed) => Err(Unanswered::Closed),
            Some(ConnectionEnd::Reset) => Err(Unanswered::Reset),
            None => {
                let (parts, body) = response.into_parts();
                let body = match body.collect().await {
                    Ok(body) => body.to_bytes(),
                    Err(never) => match never {},
                };
                Ok(Response::from_parts(parts, body))
            }
        }
    }
}
