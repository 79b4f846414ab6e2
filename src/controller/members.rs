//! Who is in each network endpoint group: believed, listed or verified; and what is known, kept for the next start.
//!
//! What must be listed before a plan is listed at once, a bounded number at a time. Everything else has a budget of its own: see
//! [`VERIFY_SOON`] and [`VERIFY_RARELY`].

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, info, warn};

use super::source::Source;
use crate::cloud::mirror::Mirror;
use crate::cloud::mirror::members::Verified;
use crate::cloud::{Cloud, CloudError, chain};
use crate::metrics::Metrics;
use crate::model::Node;
use crate::plan::members::{Doubts, unlisted};
use crate::translate::Translation;

/// So many groups are listed for one plan; more than that wait for the next, so that what is known need not wait.
const LISTS_PER_PLAN: usize = 500;

/// While there are groups that rest on a checkpoint alone, one is listed so often: at most 30 calls a minute.
const VERIFY_SOON: Duration = Duration::from_secs(2);

/// When all have been listed since, the pauses grow to this: a call a minute.
const VERIFY_RARELY: Duration = Duration::from_mins(1);

/// What the mirror takes in memory is counted so often: all of it is looked at.
const COUNT: Duration = Duration::from_mins(1);

/// What is to be kept is written together so often at most.
const KEEP: Duration = Duration::from_secs(10);

/// What is left to be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing.
    Nothing,
    /// Some groups: their members are unknown for this plan, and known for a next one.
    More,
}

/// Finds out who is in the groups that this translation asks about.
///
/// # Errors
/// The first group that could not be listed. The others are known all the same.
pub(super) async fn settle<C: Cloud>(
    mirror: &Mirror,
    cloud: &C,
    translation: &Translation,
) -> Result<Left, CloudError> {
    let Doubts { believed, to_list } = unlisted(translation, &mirror.observed());
    for id in &believed {
        if let Some(Node::NetworkEndpointGroup(group)) =
            translation.desired.entry(id).map(|entry| &entry.node)
            && let Some(members) = group.members.known()
        {
            mirror.believe(id, members);
        }
    }
    let left = if to_list.len() > LISTS_PER_PLAN { Left::More } else { Left::Nothing };
    if !to_list.is_empty() {
        info!(groups = to_list.len(), "listing the members of groups that are in doubt");
    }
    mirror.list_members(cloud, to_list.iter().take(LISTS_PER_PLAN)).await.map(|()| left)
}

/// Verifies in the background what was not listed. Never returns.
pub(super) async fn verify<C: Cloud>(cloud: Arc<C>, mirror: Arc<Mirror>) {
    let mut pause = VERIFY_SOON;
    loop {
        tokio::time::sleep(pause).await;
        let Some((id, verified)) = mirror.to_verify() else { continue };
        pause = match verified {
            Verified::Never => VERIFY_SOON,
            Verified::At(_) => (pause * 2).min(VERIFY_RARELY),
        };
        if let Err(error) = mirror.list_members(&*cloud, std::iter::once(&id)).await {
            debug!(%id, error = error.line(), "its members are verified later");
            pause = VERIFY_RARELY;
        }
    }
}

/// Counts what the mirror takes in memory. Never returns.
pub(super) async fn count(mirror: Arc<Mirror>, metrics: Arc<Metrics>) {
    loop {
        metrics.mirror(mirror.bytes());
        tokio::time::sleep(COUNT).await;
    }
}

/// Keeps checkpoints where they survive us, whenever some have changed. Never returns.
pub(super) async fn keep<S: Source>(source: Arc<S>, mirror: Arc<Mirror>) {
    loop {
        tokio::time::sleep(KEEP).await;
        keep_once(&*source, &mirror).await;
    }
}

/// Keeps what is not kept yet.
pub(super) async fn keep_once<S: Source>(source: &S, mirror: &Mirror) {
    let unkept = mirror.take_unkept();
    if unkept.is_empty() {
        return;
    }
    if let Err(error) = source.keep_checkpoints(&unkept).await {
        warn!(error = chain(&error), "checkpoints of members could not be kept; it is tried again");
        mirror.not_kept(unkept);
    }
}
