//! The stages of a turn, each with a span and a measured time of its own.

use tokio::time::Instant;
use tracing::{Instrument as _, info_span};

use crate::metrics::Metrics;

/// A stage that waits for others.
pub(super) async fn stage<T>(metrics: &Metrics, name: &'static str, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work.instrument(info_span!("stage", name)).await;
    metrics.stage_ended(name, began.elapsed());
    done
}

/// A stage that only decides.
pub(super) fn pure_stage<T>(metrics: &Metrics, name: &'static str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = info_span!("stage", name).in_scope(work);
    metrics.stage_ended(name, began.elapsed());
    done
}
