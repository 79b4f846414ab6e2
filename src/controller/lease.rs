//! Leadership by a Lease: of several controllers one writes.
//!
//! Clocks are not compared: a Lease that another holds counts as given up when we have not seen it change for as long as it says it
//! lasts, by our own clock. Ours counts as held from the moment at which the renewal was *sent*, so nobody else can take it before we
//! think that it is over, as long as clocks run at the same speed.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::api::PostParams;
use kube::{Api, Client};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::apply::{Grantor, Permit};
use crate::cloud::chain;

/// Its name, in whatever namespace.
pub const NAME: &str = "gclb";

/// Which Lease, and for how long.
#[derive(Debug, Clone)]
pub struct LeaseSettings {
    /// Where it is.
    pub namespace: String,
    /// As whom we hold it: different for each process that ever runs.
    pub identity: String,
    /// For how long it is held without being renewed.
    pub duration: Duration,
}

/// Being the leader. Dropped, the Lease is not renewed any more.
#[derive(Debug)]
pub struct Leadership {
    permit: Permit,
    stop: CancellationToken,
    renewing: JoinHandle<()>,
}

impl Leadership {
    /// The right to write; it ends when the Lease cannot be renewed.
    #[must_use]
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Gives the Lease up, so that another need not wait until it is over. Nothing may be under way any more.
    pub async fn resign(self) {
        self.stop.cancel();
        if let Err(error) = self.renewing.await {
            warn!(%error, "the Lease could not be given up");
        }
    }
}

/// Waits until we are the leader.
pub async fn lead(client: Client, settings: LeaseSettings) -> Leadership {
    let elector = Elector { api: Api::namespaced(client, &settings.namespace), settings };
    let mut rival = Rival::default();
    let (held, sent) = loop {
        match elector.try_take(&mut rival).await {
            Ok(Some(held)) => break held,
            Ok(None) => {}
            Err(error) => warn!(error = chain(&error), "the Lease cannot be had"),
        }
        tokio::time::sleep(elector.settings.duration / 8).await;
    };
    info!(identity = elector.settings.identity, "leading");
    let (grantor, permit) = Permit::granted();
    grantor.grant(elector.good_until(sent));
    let stop = CancellationToken::new();
    let renewing = tokio::spawn(elector.keep(held, grantor, stop.clone()));
    Leadership { permit, stop, renewing }
}

struct Elector {
    api: Api<Lease>,
    settings: LeaseSettings,
}

/// What was seen of another holder, and when it was first seen so.
#[derive(Default)]
struct Rival {
    seen: Option<(LeaseSpec, Instant)>,
}

/// Why a call about the Lease failed.
#[derive(Debug, thiserror::Error)]
enum LeaseError {
    #[error("{doing} the Lease {NAME}")]
    Call {
        doing: &'static str,
        #[source]
        source: kube::Error,
    },
    #[error("{doing} the Lease {NAME}: no answer within {after:?}")]
    Slow { doing: &'static str, after: Duration },
}

impl LeaseError {
    /// Somebody else has written it, or made it, meanwhile.
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Call { source: kube::Error::Api(status), .. } if status.code == 409)
    }
}

impl Elector {
    /// A tenth is kept back for what clocks differ in speed.
    fn good_until(&self, sent: Instant) -> Instant {
        sent + self.settings.duration * 9 / 10
    }

    /// The Lease, if it is ours now, and when that was asked for.
    async fn try_take(&self, rival: &mut Rival) -> Result<Option<(Lease, Instant)>, LeaseError> {
        let found = self.call("read", self.api.get_opt(NAME)).await?;
        let sent = Instant::now();
        let taken = match found {
            None => {
                let lease = Lease {
                    metadata: ObjectMeta { name: Some(NAME.to_owned()), ..ObjectMeta::default() },
                    spec: Some(self.spec(0)),
                };
                self.call("create", self.api.create(&PostParams::default(), &lease)).await
            }
            Some(lease) if !self.may_be_taken(&lease, rival) => return Ok(None),
            Some(lease) => {
                let transitions =
                    lease.spec.as_ref().and_then(|spec| spec.lease_transitions).unwrap_or_default();
                self.replace(Lease { spec: Some(self.spec(transitions.saturating_add(1))), ..lease }).await
            }
        };
        match taken {
            Ok(lease) => Ok(Some((lease, sent))),
            Err(error) if error.is_conflict() => {
                debug!("another one was quicker");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn may_be_taken(&self, lease: &Lease, rival: &mut Rival) -> bool {
        let Some(spec) = &lease.spec else { return true };
        let holder = spec.holder_identity.as_deref().unwrap_or_default();
        if holder.is_empty() || holder == self.settings.identity {
            return true;
        }
        let now = Instant::now();
        match &rival.seen {
            Some((seen, since)) if seen == spec => {
                let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
                now >= *since + seconds.map_or(self.settings.duration, Duration::from_secs)
            }
            _ => {
                if rival.seen.as_ref().is_none_or(|(seen, _)| seen.holder_identity != spec.holder_identity) {
                    info!(holder, "another one leads; standing by");
                }
                rival.seen = Some((spec.clone(), now));
                false
            }
        }
    }

    /// Renews it until told to stop, then gives it up. Returns when it is lost; the grantor's end tells.
    async fn keep(self, mut held: Lease, grantor: Grantor, stop: CancellationToken) {
        let often = self.settings.duration / 3;
        let soon = self.settings.duration / 15;
        let mut pause = often;
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    drop(grantor);
                    self.give_up(held).await;
                    return;
                }
                () = tokio::time::sleep(pause) => {}
            }
            let sent = Instant::now();
            let spec = held.spec.clone().unwrap_or_default();
            let renewed = Lease {
                spec: Some(LeaseSpec { renew_time: Some(now()), ..spec }),
                metadata: held.metadata.clone(),
            };
            match self.replace(renewed).await {
                Ok(lease) => {
                    held = lease;
                    grantor.grant(self.good_until(sent));
                    pause = often;
                }
                Err(error) if error.is_conflict() => match self.call("read", self.api.get_opt(NAME)).await {
                    Ok(Some(lease)) if self.is_ours(&lease) => {
                        held = lease;
                        pause = Duration::ZERO;
                    }
                    Ok(_) => {
                        warn!("the Lease was taken from us");
                        return;
                    }
                    Err(error) => {
                        warn!(error = chain(&error), "the Lease could not be renewed");
                        pause = soon;
                    }
                },
                Err(error) => {
                    warn!(error = chain(&error), "the Lease could not be renewed");
                    pause = soon;
                }
            }
        }
    }

    async fn give_up(&self, held: Lease) {
        let spec = held.spec.unwrap_or_default();
        let free = LeaseSpec { holder_identity: Some(String::new()), renew_time: Some(now()), ..spec };
        match self.replace(Lease { spec: Some(free), metadata: held.metadata }).await {
            Ok(_) => info!("gave the Lease up"),
            Err(error) => warn!(error = chain(&error), "the Lease could not be given up; it ends by itself"),
        }
    }

    fn is_ours(&self, lease: &Lease) -> bool {
        let holder = lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
        holder == Some(self.settings.identity.as_str())
    }

    fn spec(&self, transitions: i32) -> LeaseSpec {
        // Whole seconds, and never fewer than we hold it for.
        let seconds = self.settings.duration.as_millis().div_ceil(1000);
        LeaseSpec {
            holder_identity: Some(self.settings.identity.clone()),
            lease_duration_seconds: Some(i32::try_from(seconds).unwrap_or(i32::MAX)),
            acquire_time: Some(now()),
            renew_time: Some(now()),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        }
    }

    /// Its `resourceVersion` travels along, so that only what we have seen is replaced.
    async fn replace(&self, lease: Lease) -> Result<Lease, LeaseError> {
        self.call("write", self.api.replace(NAME, &PostParams::default(), &lease)).await
    }

    async fn call<T>(
        &self,
        doing: &'static str,
        call: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, LeaseError> {
        let after = self.settings.duration / 3;
        match tokio::time::timeout(after, call).await {
            Ok(answer) => answer.map_err(|source| LeaseError::Call { doing, source }),
            Err(_) => Err(LeaseError::Slow { doing, after }),
        }
    }
}

/// For people and for other implementations; ours does not look at it.
fn now() -> MicroTime {
    MicroTime(Timestamp::now())
}

#[cfg(test)]
mod tests;
