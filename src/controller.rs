//! Runs the pipeline whenever something changes. IO, and no decisions about resources.
//!
//! [`run`] is the whole of it, standing by until it may write, over any [`Source`] and any [`Cloud`]: a real cluster and Compute Engine, a folder and the emulator, or
//! what a test likes. It has three parts that run side by side: the loop itself ([`reconcile`]), a poller of the backends' health
//! ([`health`]), and a clock that lists everything again now and then.

pub mod cluster;
mod drift;
mod endpoints;
pub mod folder;
mod foreign;
mod health;
pub mod lease;
pub mod listen;
mod members;
mod preflight;
mod reconcile;
pub mod running;
pub mod source;
mod standby;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::apply::quota::Quota;
use crate::apply::{Ended, Executor, Hands, Pace, Permit};
use crate::cloud::Cloud;
use crate::cloud::mirror::Mirror;
use crate::metrics::Metrics;
use crate::model::ObjectKey;
use crate::plan::Plan;
use crate::status::Report;
use health::{HealthBoard, HealthPace};
use reconcile::Reconciler;
use running::Running;
use source::Source;

/// How [`run`] is to work.
#[derive(Debug, Clone)]
pub struct Options {
    /// How plans are applied.
    pub pace: Pace,
    /// How many calls the cloud takes. The same that the cloud's own calls obey.
    pub quota: Quota,
    /// How often everything is listed again, to find what others changed.
    pub drift_interval: Duration,
    /// The right to write to the cloud. While it is not given, the controller stands by.
    pub permit: Permit,
    /// Which cluster this is, in words that no other has: it is claimed in the cloud before the first write, so that another cluster
    /// with the same id is noticed. `None`: nothing is claimed.
    pub claimant: Option<String>,
    /// Where more load balancers than this, and more than half of all, would go within a short time, they are kept until somebody consents.
    /// `None`: nobody is asked.
    pub mass_deletion_limit: Option<usize>,
    /// How long changes that are under way are waited for at the end.
    pub grace: Duration,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where what is in hand is shown.
    pub running: Arc<Running>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pace: Pace::default(),
            quota: Quota::unlimited(),
            drift_interval: Duration::from_mins(10),
            permit: Permit::unlimited(),
            claimant: None,
            mass_deletion_limit: None,
            // Kubernetes gives a pod 30 seconds.
            grace: Duration::from_secs(25),
            metrics: Arc::default(),
            running: Arc::default(),
        }
    }
}

/// What [`run`] is doing, for whoever wants to show it.
#[derive(Debug, Clone, Copy)]
pub enum Progress<'a> {
    /// A plan was made and is about to be applied. Empty plans are told of too; one that is but the rest of the plan before is not.
    Planned(&'a Plan),
    /// A change ended.
    Ended(&'a Ended),
    /// The state of an object's load balancer was told to it.
    Reported(&'a ObjectKey, &'a Report),
    /// Nothing of an object is left in the cloud, and it was let go.
    Released(&'a ObjectKey),
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

/// How long keeping checkpoints may take at the end: a standby waits for the Lease meanwhile.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Runs until `shutdown` is cancelled: then no new change is begun, and those under way are waited for, for [`Options::grace`].
///
/// While [`Options::permit`] is not given it stands by: it follows source and cloud and writes nothing. When the permit ends it stops at
/// once, and stands by again. It returns early only where nobody is left who could give the permit.
pub async fn run<S: Source, C: Cloud>(
    source: Arc<S>,
    cloud: Arc<C>,
    options: Options,
    observer: impl Observer,
    shutdown: CancellationToken,
) {
    let mirror = Arc::new(Mirror::default());
    let board = Arc::new(HealthBoard::default());
    let observer = Arc::new(observer);
    // Everything ends with the loop, however that ends.
    let helpers = CancellationToken::new();
    let _end_helpers = helpers.clone().drop_guard();
    let poller = health::poll(Arc::clone(&cloud), Arc::clone(&board), HealthPace::default());
    tokio::spawn(helpers.clone().run_until_cancelled_owned(poller));

    let clock = drift::watch(Arc::clone(&cloud), Arc::clone(&mirror), options.drift_interval);
    tokio::spawn(helpers.clone().run_until_cancelled_owned(clock));

    let watcher = foreign::watch(Arc::clone(&cloud), Arc::clone(&mirror));
    tokio::spawn(helpers.clone().run_until_cancelled_owned(watcher));

    let counter = members::count(Arc::clone(&mirror), Arc::clone(&options.metrics));
    tokio::spawn(helpers.clone().run_until_cancelled_owned(counter));

    let permit = options.permit.clone();
    // Filled while there is nothing else to do; whoever leads looks again before it plans.
    if !permit.lasts(Duration::ZERO) {
        let filled = standby::warm(&*cloud, &mirror);
        tokio::select! {
            () = filled => {}
            _ = permit.begun() => {}
            () = shutdown.cancelled() => return,
        }
    }
    loop {
        match shutdown.run_until_cancelled(permit.begun()).await {
            Some(true) => {}
            Some(false) | None => return,
        }
        let begun = match &options.claimant {
            None => true,
            Some(claimant) => tokio::select! {
                () = standby::claim(&*cloud, claimant, &*observer) => true,
                () = permit.ended() => false,
                () = shutdown.cancelled() => return,
            },
        };
        if begun {
            let term = helpers.child_token();
            let _end_of_term = term.clone().drop_guard();
            let verifier = members::verify(Arc::clone(&cloud), Arc::clone(&mirror));
            tokio::spawn(term.clone().run_until_cancelled_owned(verifier));
            let keeper = members::keep(Arc::clone(&source), Arc::clone(&mirror));
            tokio::spawn(term.clone().run_until_cancelled_owned(keeper));
            let observer = {
                let observer = Arc::clone(&observer);
                move |progress: Progress<'_>| observer.on(progress)
            };
            let hands = Hands {
                cloud: Arc::clone(&cloud),
                mirror: Arc::clone(&mirror),
                keys: Arc::clone(&source),
                permit: permit.clone(),
                quota: options.quota.clone(),
                metrics: Arc::clone(&options.metrics),
            };
            let executor = Arc::new(Executor::new(hands, options.pace));
            let _shown = options.running.show(Arc::clone(&executor));
            let endpoints = Arc::new(endpoints::Endpoints::default());
            let short_path = {
                let (endpoints, source, mirror, executor) =
                    (Arc::clone(&endpoints), Arc::clone(&source), Arc::clone(&mirror), Arc::clone(&executor));
                async move { endpoints.run(&*source, &mirror, &*executor).await }
            };
            tokio::spawn(term.run_until_cancelled_owned(short_path));
            let reconciler = Reconciler::new(
                Arc::clone(&source),
                Arc::clone(&cloud),
                Arc::clone(&mirror),
                Arc::clone(&board),
                executor,
                endpoints,
                options.clone(),
                observer,
                shutdown.clone(),
            );
            tokio::select! {
                () = reconciler.run() => {}
                () = async { shutdown.cancelled().await; tokio::time::sleep(options.grace).await } => {
                    warn!("changes are still under way; they are left to themselves, and the next start finds out how they ended");
                }
                () = permit.ended() => {}
            }
            // The last word: what was learnt since it was last kept would be listed anew by whoever comes next.
            if permit.lasts(Duration::ZERO) {
                let kept = tokio::time::timeout(LAST_WORD, members::keep_once(&*source, &mirror));
                if kept.await.is_err() {
                    warn!(
                        "checkpoints of members could not be kept in time; the next start lists some groups"
                    );
                }
            }
        }
        if shutdown.is_cancelled() {
            return;
        }
        warn!("no longer the leader; nothing is written any more, standing by");
        board.want(std::collections::BTreeMap::new());
    }
}
