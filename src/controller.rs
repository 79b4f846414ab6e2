//! Runs the pipeline whenever something changes. IO, and no decisions about resources.
//!
//! [`run`] is the whole of it, over any [`Source`] and any [`Cloud`]: a real cluster and
//! Compute Engine, a folder and the emulator, or what a test likes.

pub mod source;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::apply::{Ended, Pace, Permit};
use crate::cloud::mirror::Mirror;
use crate::cloud::{Cloud, chain};
use crate::model::LoadBalancerKey;
use crate::plan::Plan;
use crate::status::Report;
use source::Source;

/// How [`run`] is to work.
#[derive(Debug, Clone)]
pub struct Options {
    /// How plans are applied.
    pub pace: Pace,
    /// How often everything is listed again, to find what others changed.
    pub drift_interval: Duration,
    /// The right to write to the cloud.
    pub permit: Permit,
}

impl Default for Options {
    fn default() -> Self {
        Self { pace: Pace::default(), drift_interval: Duration::from_secs(600), permit: Permit::unlimited() }
    }
}

/// What [`run`] is doing, for whoever wants to show it.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A plan was made and is about to be applied. Empty plans are told of too.
    Planned(&'a Plan),
    /// A change ended.
    Ended(&'a Ended),
    /// A load balancer's state was told to its object.
    Reported(&'a LoadBalancerKey, &'a Report),
    /// A load balancer was torn down and its object let go.
    Released(&'a LoadBalancerKey),
    /// The turn could not be finished, and why; it is tried again.
    Troubled(&'a str),
    /// There is nothing more to do until something changes. If a time is given, something failed and is tried again then.
    Settled(Option<Duration>),
}

/// Is told of progress. It must not take long.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn on(&self, progress: Progress<'_>);
}

impl<F: Fn(Progress<'_>) + Send + Sync + 'static> Observer for F {
    fn on(&self, progress: Progress<'_>) {
        self(progress);
    }
}

/// For where nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn on(&self, _: Progress<'_>) {}
}

/// Runs until `shutdown` is cancelled: then no new change is begun, and those under way are waited for.
pub async fn run<S: Source, C: Cloud>(
    source: Arc<S>,
    cloud: Arc<C>,
    options: Options,
    observer: impl Observer,
    shutdown: CancellationToken,
) {
    let mirror = Mirror::default();
    let _ = (&source, &options);
    while let Err(error) = mirror.fill(&*cloud).await {
        warn!(error = chain(&error), "the cloud's resources could not be listed");
        observer.on(Progress::Troubled(&chain(&error)));
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
    }
    shutdown.cancelled().await;
}
