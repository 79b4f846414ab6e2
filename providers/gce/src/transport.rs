//! How a request gets to the API: over the network, or as a test would have it.

mod network;

use std::error::Error;
use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use http::{Request, Response};

pub(crate) use network::{Http, Network};

/// The way to the API. There is one of our own, over HTTP; [`Builder::transport`](crate::Builder::transport) takes another.
///
/// It sends each request once, follows no redirect and keeps no time: the client gives up by dropping the future, and takes
/// an answer that does not come for lost.
pub trait Transport: Send + Sync + 'static {
    /// Sends a request, and reads the answer to its end.
    fn send(&self, request: Request<Bytes>) -> Sending;
}

/// A request on its way.
pub type Sending = Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send>>;

impl<F> Transport for F
where
    F: Fn(Request<Bytes>) -> Sending + Send + Sync + 'static,
{
    fn send(&self, request: Request<Bytes>) -> Sending {
        self(request)
    }
}

/// How far a request came that got no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// There was no connection: the server knows nothing of it.
    Nobody,
    /// The server may have had it.
    Perhaps,
    /// The server had it, and began an answer with this status.
    Status(u16),
}

/// No complete answer came.
#[derive(Debug)]
pub struct TransportError {
    reached: Reached,
    source: Box<dyn Error + Send + Sync>,
}

impl TransportError {
    /// Why there is none, and how far the request came.
    pub fn new(reached: Reached, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { reached, source: source.into() }
    }

    /// How far the request came.
    #[must_use]
    pub fn reached(&self) -> Reached {
        self.reached
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reached {
            Reached::Nobody => f.write_str("no connection"),
            Reached::Perhaps => f.write_str("the connection was lost"),
            Reached::Status(status) => {
                write!(f, "the connection was lost in the middle of an answer with status {status}")
            }
        }
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// The answer did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("it did not come within {0:?}")]
pub(crate) struct Slow(pub(crate) std::time::Duration);
