//! Writes to the objects: claims, reports, releases. Several at a time, never two of one object, and nobody waits for them: one object
//! that cannot be written holds up no other.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use tokio::sync::Semaphore;

use crate::controller::source::{Source, SourceError};
use crate::model::{LoadBalancerKey, ObjectKey};
use crate::status::{Event, Report};

/// So many objects are written to the source at a time.
const WRITERS: usize = 16;

/// See the [module](self).
pub(super) struct Desk<S> {
    source: Arc<S>,
    busy: BTreeSet<ObjectKey>,
    writing: FuturesUnordered<BoxFuture<'static, Written>>,
    writers: Arc<Semaphore>,
}

/// An object that was written.
pub(super) struct Written {
    pub(super) object: ObjectKey,
    pub(super) what: Write,
    pub(super) result: Result<(), SourceError>,
}

/// What was written to an object.
pub(super) enum Write {
    Claim(BTreeSet<LoadBalancerKey>),
    Report(Box<Report>),
    Release,
}

impl Write {
    /// For people.
    pub(super) const fn verb(&self) -> &'static str {
        match self {
            Self::Claim(_) => "claim",
            Self::Report(_) => "tell",
            Self::Release => "release",
        }
    }
}

impl<S: Source> Desk<S> {
    pub(super) fn new(source: Arc<S>) -> Self {
        Self {
            source,
            busy: BTreeSet::new(),
            writing: FuturesUnordered::new(),
            writers: Arc::new(Semaphore::new(WRITERS)),
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.writing.is_empty()
    }

    /// Whether this object is being written.
    pub(super) fn is_busy(&self, object: &ObjectKey) -> bool {
        self.busy.contains(object)
    }

    /// It is to remember exactly these shared load balancers.
    pub(super) fn claim(&mut self, object: &ObjectKey, remembered: BTreeSet<LoadBalancerKey>) {
        let (source, of) = (Arc::clone(&self.source), object.clone());
        self.write(object, async move {
            let result = source.claim(&of, &remembered).await;
            (Write::Claim(remembered), result)
        });
    }

    pub(super) fn report(&mut self, object: &ObjectKey, report: Report, news: Vec<Event>) {
        let (source, of) = (Arc::clone(&self.source), object.clone());
        self.write(object, async move {
            let result = source.publish(&of, &report, &news).await;
            (Write::Report(Box::new(report)), result)
        });
    }

    pub(super) fn release(&mut self, object: &ObjectKey) {
        let (source, of) = (Arc::clone(&self.source), object.clone());
        self.write(object, async move {
            let result = source.release(&of).await;
            (Write::Release, result)
        });
    }

    fn write(
        &mut self,
        object: &ObjectKey,
        writing: impl Future<Output = (Write, Result<(), SourceError>)> + Send + 'static,
    ) {
        debug_assert!(!self.is_busy(object), "{object} is being written");
        self.busy.insert(object.clone());
        let (object, writers) = (object.clone(), Arc::clone(&self.writers));
        let writing = async move {
            // It is never closed; and one writer more would do no harm.
            let _writer = writers.acquire().await;
            let (what, result) = writing.await;
            Written { object, what, result }
        };
        self.writing.push(writing.boxed());
    }

    /// The next object that has been written. Cancel-safe.
    pub(super) async fn next(&mut self) -> Written {
        match self.writing.next().await {
            Some(written) => {
                self.busy.remove(&written.object);
                written
            }
            None => std::future::pending().await,
        }
    }
}
