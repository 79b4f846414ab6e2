//! Before writing: what a controller does while it stands by, and what it makes sure of when it comes to lead.
//!
//! A standby reads and writes nothing, neither to the cloud nor to objects: its stores follow the API server, and its mirror is
//! filled once and listed again in every drift interval. So taking over costs one list of each kind of resource, which a start costs
//! too, and nothing by the number of load balancers.

use std::time::Duration;

use tracing::{info, warn};

use super::{Observer, Progress};
use crate::cloud::mirror::Mirror;
use crate::cloud::{Claim, Cloud, CloudError, chain};

/// While another cluster has the claim on our cluster id, and after a failure to ask, it is looked for again so often.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Lists everything once, however long that takes to succeed, for one that stands by: nobody is told of trouble, since that would be
/// writing.
pub(super) async fn warm<C: Cloud>(cloud: &C, mirror: &Mirror) {
    let mut pause = Duration::from_secs(1);
    while let Err(error) = mirror.fill(cloud).await {
        warn!(error = chain(&error), "the cloud's resources cannot be listed");
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_mins(1));
    }
}

/// Waits until the cloud says that the cluster id is `claimant`'s; the first to ask has it. Nothing else may be written before.
pub(super) async fn claim<C: Cloud>(cloud: &C, claimant: &str, observer: &impl Observer) {
    loop {
        match cloud.claim(claimant).await {
            Ok(Claim::Ours) => return,
            Ok(taken @ Claim::Taken { .. }) => {
                let text = taken.to_string();
                warn!("{text}");
                observer.on(Progress::Troubled(&text));
            }
            Err(error) => trouble(observer, "whose the cluster id is cannot be told", &error),
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        info!("looking again whose the cluster id is");
    }
}

fn trouble(observer: &impl Observer, what: &str, error: &CloudError) {
    let error = chain(error);
    warn!(error, "{what}");
    observer.on(Progress::Troubled(&format!("{what}: {error}")));
}
