//! What can go wrong with a call, and what the caller may conclude from it.

mod quota;
mod refusal;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use quota::Quota;
pub use refusal::{Cause, Forbidden, Reason, Refusal};

use crate::{AuthError, Reached, Retry, TransportError, Unreachable};

/// A failed call. Every variant names the verb and the resource; what lies behind is the `source`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The call has no path: the type does not exist in that scope, or the name is empty.
    #[error("{verb} {resource}: {problem}")]
    Unaddressable {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The body could not be written as JSON.
    #[error("{verb} {resource}: write the request as JSON")]
    Encode {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// There is no token to send with the call.
    #[error("{verb} {resource}: authenticate")]
    Authenticate {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// Why.
        #[source]
        source: AuthError,
    },
    /// No complete answer came. A change may have been made or not.
    #[error("{verb} {resource}: no answer from the API")]
    Transport {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// Why.
        #[source]
        source: TransportError,
    },
    /// The API said no.
    #[error("{verb} {resource}: {refusal}")]
    Refused {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// What it said.
        refusal: Box<Refusal>,
    },
    /// The API accepted the change, and its operation ended with an error. The change may have been made in part.
    #[error("{verb} {resource}: operation {operation} failed: {refusal}")]
    OperationFailed {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// The operation's name.
        operation: String,
        /// What it said.
        refusal: Box<Refusal>,
    },
    /// The operation was still running when waiting for it had to end. It goes on without us.
    #[error("{verb} {resource}: operation {operation} is still running after {after:?}")]
    StillRunning {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// The operation's name.
        operation: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// The deadline of the caller passed before the call was sent.
    #[error("{verb} {resource}: not sent, because the time for it was over")]
    OutOfTime {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
    },
    /// The answer is not what the API documents.
    #[error("{verb} {resource}: read the answer")]
    Decode {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The answer is well-formed but makes no sense.
    #[error("{verb} {resource}: the answer {problem}")]
    Unexpected {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A list lacks parts. What they hold is unknown: it must not be taken for absent.
    #[error("{verb} {resource}: the list is incomplete: {}", Unreachable::listed(unreachable))]
    Incomplete {
        /// The API's verb.
        verb: &'static str,
        /// What it was about.
        resource: String,
        /// The parts that lack.
        unreachable: Vec<Unreachable>,
    },
}

impl Error {
    /// Whether and how a try that failed so is repeated. The client has done that already within its limits; for the
    /// caller this says whether waiting can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Refused { refusal, .. } | Self::OperationFailed { refusal, .. } => refusal.cause.retry(),
            Self::Transport { .. }
            | Self::StillRunning { .. }
            | Self::OutOfTime { .. }
            | Self::Incomplete { .. } => Retry::Transient,
            Self::Authenticate { source, .. } if source.is_transient() => Retry::Transient,
            Self::Authenticate { .. }
            | Self::Unaddressable { .. }
            | Self::Encode { .. }
            | Self::Decode { .. }
            | Self::Unexpected { .. } => Retry::Never,
        }
    }

    /// How long the server asked us to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.refusal().and_then(|refusal| refusal.retry_after)
    }

    /// What the API said, at once or through the operation.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused { refusal, .. } | Self::OperationFailed { refusal, .. } => Some(refusal),
            Self::Unaddressable { .. }
            | Self::Encode { .. }
            | Self::Authenticate { .. }
            | Self::Transport { .. }
            | Self::StillRunning { .. }
            | Self::OutOfTime { .. }
            | Self::Decode { .. }
            | Self::Unexpected { .. }
            | Self::Incomplete { .. } => None,
        }
    }

    fn cause(&self) -> Option<Cause> {
        self.refusal().map(|refusal| refusal.cause)
    }

    /// The HTTP status of the refusal.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.refusal().and_then(|refusal| refusal.status)
    }

    /// The resource does not exist. After a change that refers to others, one of those may be meant.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.cause() == Some(Cause::NotFound)
    }

    /// The name is taken.
    #[must_use]
    pub fn is_already_exists(&self) -> bool {
        self.cause() == Some(Cause::AlreadyExists)
    }

    /// Another resource still refers to it, or holds the address.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        self.cause() == Some(Cause::InUse)
    }

    /// The resource has changed since its fingerprint was read: read again and decide again.
    #[must_use]
    pub fn is_stale_fingerprint(&self) -> bool {
        self.cause() == Some(Cause::StaleFingerprint)
    }

    /// The resource or one it refers to is in the middle of a change: wait for its operation.
    #[must_use]
    pub fn is_not_ready(&self) -> bool {
        self.cause() == Some(Cause::NotReady)
    }

    /// Too many requests per minute.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.cause() == Some(Cause::RateLimited)
    }

    /// Nothing is wrong with the request: the same one may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self.retry() {
            Retry::Never => false,
            Retry::Transient | Retry::Throttled | Retry::NotReady => true,
        }
    }

    /// Whether a change may have been made although it failed: look before doing it again. False where the API refused
    /// at once or nothing was sent.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            // A connection that was never made carried nothing.
            Self::Transport { source, .. } => source.reached() != Reached::Nobody,
            Self::Refused { refusal, .. } => refusal.cause == Cause::Unavailable,
            Self::OperationFailed { .. }
            | Self::StillRunning { .. }
            | Self::Decode { .. }
            | Self::Unexpected { .. } => true,
            Self::Unaddressable { .. }
            | Self::Encode { .. }
            | Self::Authenticate { .. }
            | Self::OutOfTime { .. }
            | Self::Incomplete { .. } => false,
        }
    }

    /// The quota that is used up: of resources, not of requests per minute.
    #[must_use]
    pub fn quota(&self) -> Option<Quota> {
        self.refusal().and_then(Refusal::quota)
    }

    /// What is not permitted.
    #[must_use]
    pub fn forbidden(&self) -> Option<Forbidden<'_>> {
        self.refusal().and_then(Refusal::forbidden)
    }
}
