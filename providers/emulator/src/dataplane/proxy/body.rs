//! Bodies on their way through, and the clock that runs over them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::forward::Lease;

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub(in crate::dataplane) enum BodyError {
    #[error("reading the body")]
    Read(#[source] hyper::Error),
    #[error("the backend did not finish its answer in time")]
    Timeout,
}

/// A client's body on its way to a backend. Says when it has ended, as the backend's time counts from there.
#[derive(Debug)]
pub(in crate::dataplane) struct RequestBody {
    inner: Incoming,
    /// Dropped at the end of the body.
    ended: Option<oneshot::Sender<()>>,
}

/// Resolves when a request's body has ended or was given up.
#[derive(Debug)]
pub(super) struct RequestEnd(oneshot::Receiver<()>);

impl RequestBody {
    pub(super) fn new(inner: Incoming) -> (Self, RequestEnd) {
        let (sender, receiver) = oneshot::channel();
        let ended = (!inner.is_end_stream()).then_some(sender);
        (Self { inner, ended }, RequestEnd(receiver))
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || self.inner.is_end_stream() {
            self.ended = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The end of the time a backend has: so long after the end of the request.
pub(super) type Deadline = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) fn deadline(end: RequestEnd, timeout: Duration) -> Deadline {
    Box::pin(async move {
        // The sender is dropped at the end of the body and sends nothing.
        drop(end.0.await);
        tokio::time::sleep(timeout).await;
    })
}

/// A backend's body on its way to the client. At its end the connection goes back to its pool.
pub(super) struct ResponseBody {
    inner: Incoming,
    /// None once it has passed.
    deadline: Option<Deadline>,
    lease: Option<Lease>,
}

impl ResponseBody {
    pub(super) fn new(inner: Incoming, deadline: Deadline, lease: Lease) -> Self {
        let mut body = Self { inner, deadline: Some(deadline), lease: Some(lease) };
        body.settle();
        body
    }

    /// Gives the connection back once there is nothing left to read.
    fn settle(&mut self) {
        if self.inner.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.give_back();
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        // First the clock: a backend that never pauses must not be able to run over its time.
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            self.deadline = None;
            return Poll::Ready(Some(Err(BodyError::Timeout)));
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        self.settle();
        Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Read)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
