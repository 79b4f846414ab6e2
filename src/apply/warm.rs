//! Asks whether the backends of a backend service are well enough to be sent requests.
//!
//! It only asks, and writes what it hears through the mirror, so that the next plan knows it too. When to ask again is the queue's
//! choice: ever more rarely.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::debug;

use crate::cloud::Cloud;
use crate::cloud::mirror::Mirror;
use crate::model::{BackendService, Resource as _, ResourceId, Wellness};
use crate::status::ServiceHealth;

/// How a wait that came to its end is told of.
pub const WELL: &str = "healthy enough to be sent requests";

/// Where some backends are well and others are not, those others are waited for while the number of those that are well still rises,
/// and for so long after: three probes. Some never become well (with `externalTrafficPolicy: Local` all nodes without a pod).
const SETTLED: Duration = Duration::from_secs(15);

/// After so long nobody sits and waits with it any more; it is asked about all the same.
const LONG: Duration = Duration::from_mins(2);

/// What is remembered of backend services that are waited for.
#[derive(Debug, Default)]
pub(super) struct Waits(Mutex<BTreeMap<ResourceId, Patience>>);

/// What came of a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is well, or nobody who gets its requests now is.
    Over,
    NotYet {
        /// In words that follow the name of the service.
        message: String,
        /// Whether it has been waited for for long.
        long: bool,
    },
}

/// Whether `service` is well, or each of `instead_of`, where there is one, is not.
pub(super) async fn ask<C: Cloud>(
    service: &ResourceId,
    instead_of: &BTreeSet<ResourceId>,
    cloud: &C,
    mirror: &Mirror,
    waits: &Waits,
) -> Answer {
    let heard = health(service, cloud, mirror).await;
    let (wellness, long) = waits.judge(service, heard, Instant::now());
    if heard.is_some() {
        mirror.heard(service, wellness);
    }
    if wellness == Some(Wellness::Well) {
        waits.forget(service);
        return Answer::Over;
    }
    if !instead_of.is_empty() && nobody_answers(instead_of, cloud, mirror).await {
        debug!(%service, "nobody answers its requests now, so there is nothing to wait for");
        waits.forget(service);
        return Answer::Over;
    }
    let message = match heard {
        Some(ServiceHealth { healthy, total }) => {
            format!("is not healthy yet ({healthy} of {total} backends), so requests are not moved to it")
        }
        None => "does not say how its backends are, so requests are not moved to it".to_owned(),
    };
    Answer::NotYet { message, long }
}

/// Whether of each of these services no backend is well.
async fn nobody_answers<C: Cloud>(services: &BTreeSet<ResourceId>, cloud: &C, mirror: &Mirror) -> bool {
    for service in services {
        let Some(ServiceHealth { healthy, total }) = health(service, cloud, mirror).await else {
            return false;
        };
        if healthy > 0 || total == 0 {
            return false;
        }
        mirror.heard(service, Some(Wellness::Unwell));
    }
    true
}

/// `None`: not to be had now.
async fn health<C: Cloud>(service: &ResourceId, cloud: &C, mirror: &Mirror) -> Option<ServiceHealth> {
    let entry = mirror.observed().graph.entry(service).cloned()?;
    match cloud.health(service, BackendService::from_node(&entry.node)?).await {
        Ok(health) => Some(health),
        Err(error) => {
            debug!(%service, error = error.line(), "the health is not known");
            None
        }
    }
}

/// Whether more is to be expected of a service.
#[derive(Debug)]
struct Patience {
    /// Since when it is waited for.
    began: Instant,
    asked: Instant,
    /// So many were well, since then.
    most: usize,
    since: Instant,
}

impl Waits {
    /// How it is, and whether it has been waited for for long.
    fn judge(
        &self,
        service: &ResourceId,
        health: Option<ServiceHealth>,
        now: Instant,
    ) -> (Option<Wellness>, bool) {
        let mut waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody has asked about for long is another wait.
        waits.retain(|_, patience| now.duration_since(patience.asked) < LONG);
        let patience =
            waits.entry(service.clone()).or_insert(Patience { began: now, asked: now, most: 0, since: now });
        patience.asked = now;
        let long = now.duration_since(patience.began) >= LONG;
        let Some(ServiceHealth { healthy, total }) = health else { return (None, long) };
        if healthy > patience.most {
            patience.most = healthy;
            patience.since = now;
        }
        let settled = now.duration_since(patience.since) >= SETTLED;
        let wellness = match (healthy, total) {
            (0, 0) => None,
            (0, _) => Some(Wellness::Unwell),
            (healthy, total) if healthy == total || settled => Some(Wellness::Well),
            _ => None,
        };
        (wellness, long)
    }

    fn forget(&self, service: &ResourceId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(service);
    }
}

#[cfg(test)]
mod tests;
