//! Leadership by a Lease: of several controllers one writes, and the others stand by.
//!
//! Whoever loses the Lease stands by again; nothing has to be started anew, and what it knows stays warm (decision 0013).
//!
//! Clocks are not compared: a Lease that another holds counts as given up when we have not seen it change for as long as it says it
//! lasts, by our own clock. Ours counts as held from the moment at which the renewal was *sent*, so nobody else can take it before we
//! think that it is over, as long as clocks run at the same speed.

use std::sync::atomic::{AtomicU64, Ordering};
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

/// Who holds the Lease at `at`, as its own times say it: nobody, where there is none, or it was given up or ran out. This compares clocks
/// of two machines: people may be warned by it, and nothing else may rest on it.
///
/// # Errors
/// When it cannot be read.
pub async fn holder(client: &Client, namespace: &str, at: Timestamp) -> Result<Option<String>, kube::Error> {
    let api: Api<Lease> = Api::namespaced(client.clone(), namespace);
    Ok(api.get_opt(NAME).await?.and_then(|lease| lease.spec).and_then(|spec| held_at(&spec, at)))
}

fn held_at(spec: &LeaseSpec, at: Timestamp) -> Option<String> {
    let holder = spec.holder_identity.clone().filter(|holder| !holder.is_empty())?;
    let MicroTime(renewed) = spec.renew_time.as_ref()?;
    let lasts = jiff::SignedDuration::from_secs(spec.lease_duration_seconds.unwrap_or_default().into());
    (at.duration_since(*renewed) < lasts).then_some(holder)
}

/// Its name, in whatever namespace.
pub const NAME: &str = "gclb";

/// The longest pause between two looks at a Lease that another holds.
const LOOK: Duration = Duration::from_millis(500);

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

/// Standing for election, from the beginning to [`resign`](Self::resign): leading while the Lease is ours, standing by while it is
/// not, as often as that changes. Dropped, it goes on until its process ends.
#[derive(Debug)]
pub struct Candidacy {
    permit: Permit,
    restored: CancellationToken,
    stop: CancellationToken,
    standing: JoinHandle<()>,
}

impl Candidacy {
    /// The right to write: given when we begin to lead, over when the Lease cannot be renewed, given again when it is had again.
    #[must_use]
    pub const fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Resolves when the API server shows an older Lease than it has shown before: its etcd was restored. Watches may hear nothing for
    /// long then, so everything must be listed anew.
    pub async fn restored(&self) {
        self.restored.cancelled().await;
    }

    /// Gives the Lease up if it is ours, so that another need not wait until it is over. Nothing may be under way any more.
    pub async fn resign(self) {
        self.stop.cancel();
        if let Err(error) = self.standing.await {
            warn!(%error, "the Lease could not be given up");
        }
    }
}

/// Begins to stand for election, in the background.
#[must_use]
pub fn stand(client: Client, settings: LeaseSettings) -> Candidacy {
    let restored = CancellationToken::new();
    let elector = Elector {
        api: Api::namespaced(client, &settings.namespace),
        settings,
        newest: AtomicU64::new(0),
        restored: restored.clone(),
    };
    let (grantor, permit) = Permit::granted();
    let stop = CancellationToken::new();
    let standing = tokio::spawn(elector.stand(grantor, stop.clone()));
    Candidacy { permit, restored, stop, standing }
}

struct Elector {
    api: Api<Lease>,
    settings: LeaseSettings,
    /// The newest version of the Lease that was seen. Versions of one resource only ever grow (Kubernetes API concepts, "resource
    /// versions"), unless the store was put back.
    newest: AtomicU64,
    restored: CancellationToken,
}

/// What was seen of another holder, and when it was first seen so.
#[derive(Default)]
struct Rival {
    seen: Option<(LeaseSpec, Instant)>,
}

/// How the keeping of a Lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// It was given up because we stop.
    ToTheEnd,
    /// Another one has it.
    Lost,
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
        let found = self.read().await?;
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

    /// Until told to stop: takes it, keeps it, and when it was lost stands by for it again.
    async fn stand(self, grantor: Grantor, stop: CancellationToken) {
        while let Some((held, sent)) = stop.run_until_cancelled(self.take()).await {
            info!(identity = self.settings.identity, "leading");
            grantor.grant(self.good_until(sent));
            if self.keep(held, &grantor, &stop).await == Kept::ToTheEnd {
                return;
            }
            info!(identity = self.settings.identity, "standing by");
        }
    }

    /// Waits until it is ours.
    async fn take(&self) -> (Lease, Instant) {
        let mut rival = Rival::default();
        // A Lease that is given up is seen soon enough for the next leader to begin within a second.
        let pause = (self.settings.duration / 8).min(LOOK);
        loop {
            match self.try_take(&mut rival).await {
                Ok(Some(held)) => return held,
                Ok(None) => {}
                Err(error) => warn!(error = chain(&error), "the Lease cannot be had"),
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Renews it until told to stop, then gives it up; or until it is lost.
    async fn keep(&self, mut held: Lease, grantor: &Grantor, stop: &CancellationToken) -> Kept {
        let often = self.settings.duration / 3;
        let soon = self.settings.duration / 15;
        let mut pause = often;
        loop {
            tokio::select! {
                () = stop.cancelled() => {
                    grantor.withdraw();
                    self.give_up(held).await;
                    return Kept::ToTheEnd;
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
                Err(error) if error.is_conflict() => match self.read().await {
                    Ok(Some(lease)) if self.is_ours(&lease) => {
                        held = lease;
                        pause = Duration::ZERO;
                    }
                    Ok(_) => {
                        grantor.withdraw();
                        warn!("the Lease was taken from us");
                        return Kept::Lost;
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

    async fn read(&self) -> Result<Option<Lease>, LeaseError> {
        let found = self.call("read", self.api.get_opt(NAME)).await?;
        if let Some(lease) = &found {
            self.note(lease);
        }
        Ok(found)
    }

    /// Notices a version that is older than one seen before.
    fn note(&self, lease: &Lease) {
        let version = lease.metadata.resource_version.as_deref().and_then(|version| version.parse().ok());
        let Some(version) = version else { return };
        if self.newest.fetch_max(version, Ordering::Relaxed) > version {
            warn!(version, "the API server shows an older Lease than before: its store was put back");
            self.restored.cancel();
        }
    }

    /// Its `resourceVersion` travels along, so that only what we have seen is replaced.
    async fn replace(&self, lease: Lease) -> Result<Lease, LeaseError> {
        let written = self.call("write", self.api.replace(NAME, &PostParams::default(), &lease)).await?;
        self.note(&written);
        Ok(written)
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
