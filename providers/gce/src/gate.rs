//! Who keeps the pace: the caller, since quotas are shared by more than one client.

use std::pin::Pin;
use std::time::Duration;

use gce_api::Scope;

/// Is asked before every try of every call, and told what became of it. With none, calls are sent at once.
///
/// A change that is throttled all the same is handed up at once (see [`RetryPolicy`](crate::RetryPolicy)); anything else goes to the
/// gate again.
pub trait Gate: Send + Sync + 'static {
    /// Resolves when the call may be sent.
    fn enter<'a>(&'a self, knock: Knock<'a>) -> Entering<'a>;
}

/// Somebody waits before a [`Gate`].
pub type Entering<'a> = Pin<Box<dyn Future<Output = Box<dyn Entered>> + Send + 'a>>;

/// The right to send one try. Dropped without having been used, it tells nothing.
pub trait Entered: Send {
    /// What became of it.
    fn answered(self: Box<Self>, passage: Passage);
}

/// A call that wants to be sent.
#[derive(Clone, Debug)]
pub struct Knock<'a> {
    /// The API's verb, e.g. `insert` or `setUrlMap`. One of a fixed set.
    pub verb: &'static str,
    /// The collection, e.g. `urlMaps`. One of a fixed set.
    pub collection: &'static str,
    /// What it does.
    pub effect: Effect,
    /// Where; [`Scope::Global`] also for what is about all places.
    pub scope: Scope,
    /// What the call is about, for people.
    pub resource: &'a str,
}

/// What a call does to the cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it may be sent any number of times.
    Read,
    /// A change: it carries a `requestId`.
    Change,
}

/// What became of a try, as far as quotas are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It was counted and let through, whatever the answer was then.
    LetThrough,
    /// It was one too many.
    Throttled {
        /// How long the API asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// Nobody answered.
    Unknown,
}
