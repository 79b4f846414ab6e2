//! Bodies on their way through, and the clock that runs over them.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::exchange::Lease;

/// How much of a request's body is kept to be sent again. A longer one is sent once.
const MOST_KEPT: usize = 64 * 1024;
/// How many frames a mirror may lag behind before its copy breaks off.
const MIRROR_LAG: usize = 256;

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub(in crate::dataplane) enum BodyError {
    #[error("reading the body")]
    Read(#[source] hyper::Error),
    #[error("the backend did not finish its answer in time")]
    Timeout,
}

/// Why a request's body broke off on its way to a backend.
#[derive(Debug, thiserror::Error)]
pub(in crate::dataplane) enum RequestBodyError {
    #[error("reading the body from the client")]
    Read(#[source] hyper::Error),
    #[error("the request was sent again, on another connection")]
    Superseded,
    #[error("the original of a mirrored request broke off, or went on too fast")]
    CopyBrokeOff,
}

/// Whether a body may have to be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    ForRetries,
}

/// A client's body, read once whatever is done with it: each attempt reads it through a [`RequestBody`] of its own,
/// and a mirror gets a copy as it passes.
#[derive(Debug, Clone)]
pub(super) struct RequestSource {
    reading: Arc<Mutex<Reading>>,
    /// Cancelled at the end of the body, or when an attempt gave it up: the backend's time counts from there.
    pub(super) ended: CancellationToken,
}

#[derive(Debug)]
struct Reading {
    inner: Incoming,
    finished: bool,
    kept: Kept,
    /// Which attempt may read.
    attempt: u32,
    copy: Option<mpsc::Sender<Passed>>,
}

#[derive(Debug)]
enum Kept {
    /// Nothing is kept, or no longer.
    Nothing,
    Frames(Vec<Passed>),
}

/// A frame that can be sent again.
#[derive(Debug, Clone)]
enum Passed {
    Data(Bytes),
    Trailers(HeaderMap),
    /// Told to a mirror only.
    End,
}

impl RequestSource {
    pub(super) fn new(inner: Incoming, keep: Keep) -> Self {
        let ended = CancellationToken::new();
        let finished = inner.is_end_stream();
        if finished {
            ended.cancel();
        }
        let kept = match keep {
            Keep::Nothing => Kept::Nothing,
            Keep::ForRetries => Kept::Frames(Vec::new()),
        };
        let reading = Reading { inner, finished, kept, attempt: 0, copy: None };
        Self { reading: Arc::new(Mutex::new(reading)), ended }
    }

    /// The body for the next attempt; an earlier one that still reads breaks off.
    pub(super) fn body(&self) -> RequestBody {
        let mut reading = lock(&self.reading);
        reading.attempt += 1;
        RequestBody(Kind::Original { source: self.clone(), attempt: reading.attempt, next: 0 })
    }

    /// Whether all that was read can be sent again.
    pub(super) fn can_be_sent_again(&self) -> bool {
        matches!(lock(&self.reading).kept, Kept::Frames(_))
    }

    /// A copy of the body, that follows the original as it is read. Only before anything was read.
    pub(super) fn copy(&self) -> RequestBody {
        let mut reading = lock(&self.reading);
        if reading.finished {
            return RequestBody(Kind::Empty);
        }
        let (sender, receiver) = mpsc::channel(MIRROR_LAG);
        reading.copy = Some(sender);
        RequestBody(Kind::Copy(receiver))
    }
}

impl Reading {
    fn poll(
        &mut self,
        next: &mut usize,
        ended: &CancellationToken,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        if let Kept::Frames(frames) = &self.kept
            && let Some(frame) = frames.get(*next)
        {
            *next += 1;
            return Poll::Ready(frame.clone().frame().map(Ok));
        }
        if self.finished {
            return Poll::Ready(None);
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) || self.inner.is_end_stream() {
            self.finished = true;
            ended.cancel();
        }
        let passed = match frame {
            None => {
                self.tell(Passed::End);
                return Poll::Ready(None);
            }
            Some(Err(error)) => {
                self.copy = None;
                return Poll::Ready(Some(Err(RequestBodyError::Read(error))));
            }
            Some(Ok(frame)) => Passed::of(frame),
        };
        self.tell(passed.clone());
        if self.finished {
            self.tell(Passed::End);
        }
        self.keep(&passed);
        *next += 1;
        Poll::Ready(passed.frame().map(Ok))
    }

    /// A mirror that cannot follow loses its copy; the original never waits for it.
    fn tell(&mut self, passed: Passed) {
        if self.copy.as_ref().is_some_and(|copy| copy.try_send(passed).is_err()) {
            self.copy = None;
        }
    }

    fn keep(&mut self, passed: &Passed) {
        if let Kept::Frames(frames) = &mut self.kept {
            frames.push(passed.clone());
            if frames.iter().map(Passed::len).sum::<usize>() > MOST_KEPT {
                self.kept = Kept::Nothing;
            }
        }
    }

    /// What is left to read from frame `next` on.
    fn size_hint(&self, next: usize) -> SizeHint {
        let hint = if self.finished { SizeHint::with_exact(0) } else { self.inner.size_hint() };
        let kept = match &self.kept {
            Kept::Nothing => 0,
            Kept::Frames(frames) => frames.iter().skip(next).map(Passed::len).sum::<usize>() as u64,
        };
        let mut size = SizeHint::new();
        size.set_lower(hint.lower() + kept);
        if let Some(upper) = hint.upper() {
            size.set_upper(upper + kept);
        }
        size
    }
}

impl Passed {
    fn of(frame: Frame<Bytes>) -> Self {
        match frame.into_data() {
            Ok(data) => Self::Data(data),
            // There is no third kind of frame; one would pass as empty trailers.
            Err(frame) => Self::Trailers(frame.into_trailers().unwrap_or_default()),
        }
    }

    fn frame(self) -> Option<Frame<Bytes>> {
        match self {
            Self::Data(data) => Some(Frame::data(data)),
            Self::Trailers(trailers) => Some(Frame::trailers(trailers)),
            Self::End => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Data(data) => data.len(),
            Self::Trailers(_) | Self::End => 0,
        }
    }
}

/// The body of one attempt to send a request, or of its mirror.
#[derive(Debug)]
pub(in crate::dataplane) struct RequestBody(Kind);

#[derive(Debug)]
enum Kind {
    Original { source: RequestSource, attempt: u32, next: usize },
    Copy(mpsc::Receiver<Passed>),
    Empty,
}

/// The lock guards data that is valid after every statement, so a panic elsewhere does not matter.
fn lock(reading: &Mutex<Reading>) -> MutexGuard<'_, Reading> {
    reading.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        match &mut self.0 {
            Kind::Original { source, attempt, next } => {
                let mut reading = lock(&source.reading);
                if reading.attempt != *attempt {
                    return Poll::Ready(Some(Err(RequestBodyError::Superseded)));
                }
                reading.poll(next, &source.ended, cx)
            }
            Kind::Copy(frames) => Poll::Ready(match ready!(frames.poll_recv(cx)) {
                None => Some(Err(RequestBodyError::CopyBrokeOff)),
                Some(passed) => {
                    let frame = passed.frame();
                    if frame.is_none() {
                        self.0 = Kind::Empty;
                    }
                    frame.map(Ok)
                }
            }),
            Kind::Empty => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Original { source, attempt: _, next } => {
                let reading = lock(&source.reading);
                let more = match &reading.kept {
                    Kept::Nothing => false,
                    Kept::Frames(frames) => *next < frames.len(),
                };
                reading.finished && !more
            }
            Kind::Copy(_) => false,
            Kind::Empty => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Original { source, attempt: _, next } => lock(&source.reading).size_hint(*next),
            Kind::Copy(_) => SizeHint::new(),
            Kind::Empty => SizeHint::with_exact(0),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        // Given up: whoever waits for the end of the request has it.
        if let Kind::Original { source, attempt, next: _ } = &self.0
            && lock(&source.reading).attempt == *attempt
        {
            source.ended.cancel();
        }
    }
}

/// The end of the time a backend has: so long after the end of the request.
pub(super) type Deadline = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(super) fn deadline(end: CancellationToken, timeout: Duration) -> Deadline {
    Box::pin(async move {
        end.cancelled().await;
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
